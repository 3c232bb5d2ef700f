"""band_linear: an independent forward, logistic regression as its optimum, which axis is averaged, refusals."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special
from sklearn.linear_model import LogisticRegression

from fdx.models import create_model
from fdx.models.band_linear import EPSILON
from fdx.types import ConfigError

FRAMES, BANDS, CHANNELS, CLASSES = 5, 6, 2, 3


@pytest.fixture(scope='module')
def data():
    """(float32 [40, FRAMES, BANDS, CHANNELS], labels): classes differ in their mean spectrum, and overlap."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % CLASSES
    levels = rng.standard_normal((CLASSES, 1, BANDS, CHANNELS))
    x = levels[labels] + 2 * rng.standard_normal((40, FRAMES, BANDS, CHANNELS)) + 5
    return x.astype(np.float32), labels


def by_numpy(params, mean, var, x):
    bands = x.mean(axis=1).reshape(len(x), -1)
    bn, head = params['bands']['bn'], params['head']
    embedding = (bands - mean) / np.sqrt(var + EPSILON) * bn['scale'] + bn['bias']
    return embedding, embedding @ head['kernel'] + head['bias']


def test_forward_in_evaluation_and_training_is_that_of_numpy(data):
    x, _ = data
    model = create_model('band_linear', CLASSES)
    variables = jax.jit(model.init)(jax.random.key(1), x)
    bands = x.mean(axis=1).reshape(len(x), -1)
    stats = {'bands': {'bn': {'mean': bands.mean(0) + np.float32(0.1), 'var': bands.var(0) * 2}}}
    variables = {**variables, 'batch_stats': stats}
    params = jax.tree.map(np.asarray, variables['params'])
    logits, features = jax.jit(model.apply)(variables, x)
    embedding, expected = by_numpy(params, bands.mean(0) + 0.1, bands.var(0) * 2, x)
    np.testing.assert_allclose(logits, expected, atol=2e-5)
    np.testing.assert_allclose(features['embedding'], embedding, atol=2e-5)
    train = jax.jit(functools.partial(model.apply, train=True, mutable=['batch_stats']))
    (logits, _), after = train(variables, x)
    np.testing.assert_allclose(logits, by_numpy(params, bands.mean(0), bands.var(0), x)[1], atol=2e-5)
    moved = after['batch_stats']['bands']['bn']['mean']
    np.testing.assert_allclose(moved, 0.9 * (bands.mean(0) + 0.1) + 0.1 * bands.mean(0), atol=2e-5)


def test_the_other_axis_is_time_where_it_is_named(data):
    x, _ = data
    first, second = create_model('band_linear', CLASSES), create_model('band_linear', CLASSES, time_axis=1)
    variables = jax.jit(first.init)(jax.random.key(0), x)
    swapped = np.ascontiguousarray(x.swapaxes(1, 2))
    one, other = (jax.jit(m.apply)(variables, images)[0] for m, images in ((first, x), (second, swapped)))
    np.testing.assert_array_equal(one, other)


def test_its_optimum_is_logistic_regression_on_standardised_mean_spectra(data):
    x, labels = data
    model = create_model('band_linear', CLASSES)
    variables = jax.jit(model.init)(jax.random.key(0), x)
    bands = x.mean(axis=1).reshape(len(x), -1)
    standardised = (bands - bands.mean(0)) / np.sqrt(bands.var(0) + EPSILON)
    oracle = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000).fit(standardised, labels)

    def loss(head):
        params = {**variables['params'], 'head': head}
        of_batch = {**variables, 'params': params}
        logits = model.apply(of_batch, x, train=True, mutable=['batch_stats'])[0][0]
        # With C = 1 scikit-learn minimises the sum of losses plus |w|^2 / 2; here it is divided by N.
        fit = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
        return fit + jnp.sum(head['kernel'] ** 2) / (2 * len(x))

    solver, head = optax.lbfgs(), variables['params']['head']
    state, value_and_grad = solver.init(head), optax.value_and_grad_from_state(loss)

    @jax.jit
    def step(head, state):
        value, grad = value_and_grad(head, state=state)
        updates, state = solver.update(grad, state, head, value=value, grad=grad, value_fn=loss)
        return optax.apply_updates(head, updates), state

    for _ in range(60):
        head, state = step(head, state)
    found = scipy.special.softmax(standardised @ np.asarray(head['kernel']) + np.asarray(head['bias']), axis=1)
    np.testing.assert_allclose(found, oracle.predict_proba(standardised), atol=2e-3)


def test_options_that_it_does_not_have_are_refused(data):
    x, _ = data
    with pytest.raises(ConfigError, match='`time_axis`=2'):
        create_model('band_linear', CLASSES, time_axis=2).init(jax.random.key(0), x)
    with pytest.raises(ConfigError, match='`frozen_norms` names stage1/bn; there are: bands/bn'):
        create_model('band_linear', CLASSES, frozen_norms=('stage1/bn',)).init(jax.random.key(0), x)
