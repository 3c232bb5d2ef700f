"""Adam with L2, the schedule and clipping, against the equations written out in NumPy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from fdx.train.config import TrainConfig
from fdx.train.optimiser import learning_rate_schedule, make_optimiser
from fdx.train.partition import apply_updates

PARAMS = {'a': {'kernel': np.array([[1.0, -2.0], [0.5, 0.0]]), 'bias': np.array([0.3, -0.1])}}
GRADS = [
    {'a': {'kernel': np.array([[0.1, 0.2], [-0.3, 0.0]]), 'bias': np.array([1.0, -1.0])}},
    {'a': {'kernel': np.array([[-0.4, 0.1], [0.2, 0.7]]), 'bias': np.array([0.5, 2.0])}},
]


def adam_by_hand(w, grads, rates, l2):
    """Kingma and Ba (2015), algorithm 1, on the gradient of the loss plus l2 / 2 |w|^2; float64."""
    m = v = np.zeros_like(w)
    for t, (g, rate) in enumerate(zip(grads, rates), 1):
        g = g + l2 * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


def run(config, steps_per_epoch=1, mask=None, grads=GRADS):
    params = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), PARAMS)
    mask = jax.tree.map(lambda _: True, params) if mask is None else mask
    optimiser = make_optimiser(config, mask, steps_per_epoch)
    state = optimiser.init(params)
    for g in grads:
        g = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), g)
        updates, state = optimiser.update(g, state, params)
        params = apply_updates(params, updates, mask)
    return params


@pytest.mark.parametrize('l2', [0.0, 0.1])
def test_two_steps_of_adam_with_l2_on_kernels_only(l2):
    config = TrainConfig(dataset='x', learning_rate=0.01, l2=l2, halve_every=1)
    got = run(config)
    kernels, biases = ([g['a'][k] for g in GRADS] for k in ('kernel', 'bias'))
    rates = [0.01, 0.005]
    kernel = adam_by_hand(PARAMS['a']['kernel'], kernels, rates, l2)
    bias = adam_by_hand(PARAMS['a']['bias'], biases, rates, 0.0)
    np.testing.assert_allclose(got['a']['kernel'], kernel, rtol=1e-6, atol=2e-7)
    np.testing.assert_allclose(got['a']['bias'], bias, rtol=1e-6, atol=2e-7)
    if l2:
        assert np.abs(kernel - adam_by_hand(PARAMS['a']['kernel'], kernels, rates, 0.0)).max() > 1e-4


def test_rate_halves_every_two_epochs():
    schedule = learning_rate_schedule(TrainConfig(dataset='x', learning_rate=8e-4, halve_every=2), 5)
    rates = [float(schedule(step)) for step in range(30)]
    np.testing.assert_allclose(rates, np.repeat([8e-4, 4e-4, 2e-4], 10), rtol=1e-6)


def test_rate_stays_without_halving():
    schedule = learning_rate_schedule(TrainConfig(dataset='x', learning_rate=8e-4, halve_every=0), 5)
    assert float(schedule(1000)) == pytest.approx(8e-4)


def test_clipping_scales_the_norm_of_all_trained_gradients():
    """Adam divides a common scale away, so the gradients of the second step show what clipping did to the first."""
    config = TrainConfig(dataset='x', learning_rate=0.01, l2=0.0, clip_norm=1.0, halve_every=0)
    got = run(config)
    clipped = []
    for g in GRADS:
        norm = np.sqrt(sum((x**2).sum() for x in jax.tree.leaves(g)))
        assert norm > 1
        clipped.append(jax.tree.map(lambda x, n=norm: x / n, g))
    for name in ('kernel', 'bias'):
        wanted = adam_by_hand(PARAMS['a'][name], [g['a'][name] for g in clipped], [0.01, 0.01], 0.0)
        np.testing.assert_allclose(got['a'][name], wanted, rtol=1e-5, atol=1e-7)
        unclipped = adam_by_hand(PARAMS['a'][name], [g['a'][name] for g in GRADS], [0.01, 0.01], 0.0)
        assert np.abs(wanted - unclipped).max() > 1e-4


def test_gradients_within_the_norm_are_left_alone():
    config = TrainConfig(dataset='x', learning_rate=0.01, clip_norm=100.0)
    for a, b in zip(jax.tree.leaves(run(config)), jax.tree.leaves(run(TrainConfig(dataset='x', learning_rate=0.01)))):
        np.testing.assert_array_equal(a, b)


def test_frozen_leaves_do_not_count_for_the_norm():
    mask = {'a': {'kernel': True, 'bias': False}}
    config = TrainConfig(dataset='x', learning_rate=0.01, l2=0.0, clip_norm=0.3, halve_every=0)
    got = run(config, mask=mask)
    clipped = [g['a']['kernel'] * min(1, 0.3 / np.linalg.norm(g['a']['kernel'])) for g in GRADS]
    wanted = adam_by_hand(PARAMS['a']['kernel'], clipped, [0.01, 0.01], 0.0)
    np.testing.assert_allclose(got['a']['kernel'], wanted, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(got['a']['bias'], PARAMS['a']['bias'].astype(np.float32))


def test_apply_updates_leaves_masked_negative_zeros():
    zeros = {'w': jnp.array([-0.0, 1.0])}
    got = apply_updates(zeros, {'w': jnp.zeros(2)}, {'w': False})
    assert np.signbit(got['w'][0])
    assert optax.apply_updates(zeros, {'w': jnp.zeros(2)})['w'].shape == (2,)
