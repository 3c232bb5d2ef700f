"""The domain discriminator against a plain forward pass; its losses and accuracy against loops."""

from __future__ import annotations

import functools
import math

import jax
import numpy as np
import pytest

from fdx.adapt.terms.discriminator import DomainDiscriminator, domain_accuracy, domain_losses
from fdx.types import ConfigError

X = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)


@pytest.fixture(scope='module')
def variables():
    return jax.jit(DomainDiscriminator(hidden=32).init)(jax.random.key(0), X)


def test_two_hidden_relu_layers_and_a_logit_an_example(variables):
    p = jax.tree.map(lambda a: np.asarray(a, np.float64), variables['params'])
    assert {name: layer['kernel'].shape for name, layer in p.items()} == {
        'hidden1': (5, 32),
        'hidden2': (32, 32),
        'logit': (32, 1),
    }
    h = np.maximum(X @ p['hidden1']['kernel'] + p['hidden1']['bias'], 0)
    h = np.maximum(h @ p['hidden2']['kernel'] + p['hidden2']['bias'], 0)
    wanted = (h @ p['logit']['kernel'] + p['logit']['bias'])[:, 0]
    logits = jax.jit(DomainDiscriminator(hidden=32).apply)(variables, X)
    assert logits.shape == (6,)
    np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-6)


def test_dropout_is_for_training_and_belongs_to_the_place_in_the_batch(variables):
    model = DomainDiscriminator(hidden=32, dropout_rate=0.5)
    plain = jax.jit(model.apply)(variables, X)
    training = jax.jit(functools.partial(DomainDiscriminator(hidden=32).apply, train=True))
    np.testing.assert_array_equal(plain, training(variables, X))
    train = jax.jit(lambda x, key: model.apply(variables, x, train=True, rngs={'dropout': key}))

    def dropped(x, seed):
        return np.asarray(train(x, jax.random.key(seed)))

    assert not np.allclose(dropped(X, 1), plain)
    np.testing.assert_allclose(dropped(X[:4], 1), dropped(X, 1)[:4], rtol=1e-5, atol=1e-6)
    assert not np.allclose(dropped(X, 1), dropped(X, 2))
    same = dropped(np.repeat(X[:1], 6, 0), 1)
    assert len(np.unique(same)) == 6


def test_losses_are_binary_cross_entropies():
    source, target = np.array([-2.0, 0.0, 3.0], np.float32), np.array([1.5, -4.0], np.float32)
    losses = jax.jit(domain_losses)(source, target)
    np.testing.assert_allclose(losses[0], [-math.log(1 / (1 + math.exp(-z))) for z in source], rtol=1e-5)
    np.testing.assert_allclose(losses[1], [-math.log(1 - 1 / (1 + math.exp(-z))) for z in target], rtol=1e-5)


def test_losses_are_stable_at_large_logits():
    logits = np.array([-1e4, -200.0, 200.0, 1e4], np.float32)
    source, target = jax.jit(domain_losses)(logits, logits)
    np.testing.assert_allclose(source, [1e4, 200, 0, 0], atol=1e-6)
    np.testing.assert_allclose(target, [0, 0, 200, 1e4], atol=1e-6)
    gradient = jax.jit(jax.grad(lambda z: sum(x.sum() for x in domain_losses(z, z))))(logits)
    np.testing.assert_allclose(gradient, [-1, -1, 1, 1], atol=1e-6)


def test_accuracy_counts_each_domain_half():
    source, target = np.array([1.0, -1.0, 2.0, 0.0], np.float32), np.array([-1.0] * 8 + [1.0, 0.0], np.float32)
    ones = [np.ones(len(x), np.float32) for x in (source, target)]
    assert float(jax.jit(domain_accuracy)(source, target, *ones)) == pytest.approx((2 / 4 + 9 / 10) / 2)
    zero = float(jax.jit(domain_accuracy)(source * 0, target * 0, *ones))
    assert zero == 0.5


@pytest.mark.parametrize('options', [{'hidden': 0}, {'dropout_rate': 1.0}, {'dropout_rate': -0.1}])
def test_options_that_cannot_be_used(options):
    name, value = next(iter(options.items()))
    with pytest.raises(ConfigError, match=f'{name}={value}'):
        DomainDiscriminator(**options).init(jax.random.key(0), X)
