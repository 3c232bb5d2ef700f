"""How strongly each method pulls at the features, beside the plain forms of the papers' codes.

Equations that are right up to a factor train another network: kernels that are averaged in place of summed make a term
five times weaker. So gradients are compared in units of the classification loss's gradient at the same layer.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from fdx.adapt.method_terms import Domains
from fdx.adapt.methods import METHODS, init_discriminator
from fdx.adapt.terms.discriminator import DomainDiscriminator

N, D, K = 32, 12, 5
DONE = np.float32(1.0)  # at full strength


@pytest.fixture(scope='module')
def batch():
    rng = np.random.default_rng(3)
    source, target = rng.gamma(1.0, 0.6, (N, D)), rng.gamma(1.4, 0.6, (N, D))
    head, labels = rng.normal(size=(D, K)) / 2, rng.integers(0, K, N)
    return tuple(a.astype(np.float32) for a in (source, target, head)), labels


def discriminator(method):
    """Its parameters, of the size of an initialisation; {} where the method has none."""
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(lambda key: init_discriminator(method, D, K, key), jax.random.key(0))
    return jax.tree.map(lambda s: (rng.normal(size=s.shape) / np.sqrt(s.shape[0])).astype(np.float32), shapes)


def of_fdx(name, source, target, head):
    method, ones, zeros = METHODS[name], np.ones(N, np.float32), np.zeros(N, np.float32)
    params = discriminator(method)
    term, _ = method.term(Domains(source, target, source @ head, target @ head, ones, ones, zeros, zeros), params, DONE)
    return method.weight * term


def distances(a):
    return ((a[:, None] - a[None]) ** 2).sum(-1)


def summed_kernels(x):
    """Five Gaussian kernels, summed, of the mean squared distance times 1/4 to 4."""
    d = distances(x)
    width = jax.lax.stop_gradient(d.sum() / (len(x) ** 2 - len(x)))
    return sum(jnp.exp(-d / (width * 2.0**i)) for i in range(-2, 3))


def unbiased(k):
    within = k[:N, :N] + k[N:, N:]
    return (within.sum() - jnp.trace(within)) / (N * (N - 1)) - 2 * k[:N, N:].mean()


def mk_mmd(source, target, head):
    return unbiased(summed_kernels(jnp.concatenate([source, target])))


def jmmd(source, target, head):
    x = jnp.concatenate([source, target])
    return unbiased(summed_kernels(x) * jnp.exp(-distances(jax.nn.softmax(x @ head)) / 1.68))


def coral(source, target, head):
    """Without 1 / (n - 1)."""

    def scatter(x):
        x = x - x.mean(0)
        return x.T @ x

    return ((scatter(source) - scatter(target)) ** 2).sum() / (4 * D**2)


def judged(x, weights, conditional):
    """Binary cross-entropy of a discriminator over both domains; its gradient into x counts negative."""
    method = METHODS['cdan' if conditional else 'dann']
    z = DomainDiscriminator().apply({'params': discriminator(method)}, x)
    losses = jnp.where(jnp.arange(2 * N) < N, jax.nn.softplus(-z), jax.nn.softplus(z))
    return -(weights * losses).sum() / weights.sum()


def dann(source, target, head):
    return judged(jnp.concatenate([source, target]), jnp.ones(2 * N), False)


def outer(source, target, head):
    x = jnp.concatenate([source, target])
    p = jax.lax.stop_gradient(jax.nn.softmax(x @ head))
    return (x[:, :, None] * p[:, None]).reshape(2 * N, -1), p


def cdan(source, target, head):
    return judged(outer(source, target, head)[0], jnp.ones(2 * N), True)


def cdan_e(source, target, head):
    """Weights 1 + exp(-H), each domain's scaled to the same sum."""
    x, p = outer(source, target, head)
    weights = 1 + jnp.exp((p * jnp.log(p)).sum(1))
    share = jnp.concatenate([part / part.sum() for part in (weights[:N], weights[N:])])
    return judged(x, share, True)


def mcc(source, target, head):
    """Class confusion at temperature 2.5 (Jin et al., ECCV 2020)."""
    p = jax.nn.softmax(target @ head / 2.5)
    weights = jax.lax.stop_gradient(1 + jnp.exp((p * jnp.log(p)).sum(1)))
    confusion = (p * (N * weights / weights.sum())[:, None]).T @ p
    confusion = confusion / confusion.sum(1, keepdims=True)
    return (confusion.sum() - jnp.trace(confusion)) / K


def entropy(source, target, head):
    """A tenth of the mean entropy (Grandvalet and Bengio, 2004; the weight is the one of Shu et al.'s code)."""
    p = jax.nn.softmax(target @ head)
    return -0.1 * (p * jnp.log(p)).sum(1).mean()


PLAIN = {f.__name__: f for f in (mk_mmd, jmmd, coral, dann, cdan, cdan_e, mcc, entropy)}


def test_every_method_with_a_term_of_its_own_is_compared():
    assert set(PLAIN) == {name for name, method in METHODS.items() if method.term is not None} - {'dirt_t'}


@pytest.mark.parametrize('name', PLAIN)
def test_the_pull_relative_to_the_classification_loss(batch, name):
    (source, target, head), labels = batch

    def classified(s, t, head):
        return optax.softmax_cross_entropy_with_integer_labels(s @ head, labels).mean()

    @jax.jit  # One program: operation by operation, each would be compiled.
    def pulls(s, t):
        compared = (classified, functools.partial(of_fdx, name), PLAIN[name])
        return [jnp.concatenate(jax.grad(f, argnums=(0, 1))(s, t, head)).ravel() for f in compared]

    loss_pull, got, wanted = map(np.asarray, pulls(source, target))
    unit = np.linalg.norm(loss_pull)
    assert np.linalg.norm(got) / unit == pytest.approx(np.linalg.norm(wanted) / unit, rel=1e-3)
    # In the same direction, too.
    assert got @ wanted == pytest.approx(np.linalg.norm(got) * np.linalg.norm(wanted), rel=1e-3)
    assert np.linalg.norm(got) / unit > 1e-3
