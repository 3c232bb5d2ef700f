"""One update of a WGAN-GP: its losses written out, padding, and any number of devices."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from fdx.synth.step import GanState, make_gan_step
from fdx.train import parallel
from tests.synth import gan_program

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Plane(nn.Module):
    """A critic whose slope is its kernel, whatever the image."""

    @nn.compact
    def __call__(self, images, labels):
        del labels
        return nn.Dense(1, use_bias=False, name='slope')(images.reshape(len(images), -1))[:, 0]


class Constant(nn.Module):
    """A generator of one learned value."""

    @nn.compact
    def __call__(self, noise, labels):
        del labels
        value = self.param('value', nn.initializers.constant(0.25), ())
        return jnp.full((len(noise), *gan_program.SHAPE), value)


def one_update(count, size, critic_steps=1):
    config = gan_program.config_with(critic_steps=critic_steps)
    kernel = np.random.default_rng(4).standard_normal((48, 1)).astype(np.float32)
    made, judge = {'value': np.float32(0.25)}, {'slope': {'kernel': kernel}}
    optimiser = optax.sgd(1e-3)
    params = {'generator': made, 'critic': judge, 'average': dict(made)}
    opt_state = {'generator': optimiser.init(made), 'critic': optimiser.init(judge)}
    state = parallel.replicate(GanState(np.int32(0), np.int32(0), params, opt_state))
    step = parallel.compile_step(make_gan_step(Constant(), Plane(), optimiser, config))
    batch = gan_program.examples(count)
    state, metrics = step(state, parallel.shard(batch, size))
    return kernel[:, 0].astype(np.float64), batch, jax.device_get(state.params), jax.device_get(metrics), config


@pytest.mark.parametrize(('count', 'size'), [(6, 6), (5, 8)])
def test_losses_and_gradients_written_out(count, size):
    """Padding (5 of 8) counts nowhere."""
    slope, batch, params, metrics, config = one_update(count, size)
    real = batch['inputs'].reshape(count, -1).astype(np.float64)
    distance = (real @ slope).mean() - 0.25 * slope.sum()
    norm = np.linalg.norm(slope)
    penalty = (norm - 1) ** 2
    assert metrics['wasserstein'] == pytest.approx(distance, rel=1e-4)
    assert metrics['penalty'] == pytest.approx(penalty, rel=1e-4)
    gradient = -(real.mean(0) - 0.25) + config.penalty * 2 * (norm - 1) * slope / norm
    assert metrics['critic_gradient_norm'] == pytest.approx(np.linalg.norm(gradient), rel=1e-4)
    after = params['critic']['slope']['kernel'][:, 0].astype(np.float64)
    np.testing.assert_allclose(after, slope - 1e-3 * gradient, rtol=1e-4, atol=1e-6)
    # The generator follows the critic as it is after its update.
    assert metrics['generator_score'] == pytest.approx(0.25 * after.sum(), rel=1e-4)
    value = 0.25 + 1e-3 * after.sum()
    assert params['generator']['value'] == pytest.approx(value, rel=1e-5)
    keep = config.ema_decay
    assert params['average']['value'] == pytest.approx(keep * 0.25 + (1 - keep) * value, rel=1e-5)


def test_every_update_of_the_critic_gets_examples_of_its_own():
    _, batch, params, metrics, _ = one_update(6, 6, critic_steps=2)
    slope, _, once, _, config = one_update(6, 6, critic_steps=1)
    assert not np.allclose(params['critic']['slope']['kernel'], once['critic']['slope']['kernel'])
    real = batch['inputs'].reshape(6, -1).astype(np.float64)

    def update(slope, rows):
        norm = np.linalg.norm(slope)
        return slope - 1e-3 * (-(rows.mean(0) - 0.25) + config.penalty * 2 * (norm - 1) * slope / norm)

    after = update(update(slope, real[0::2]), real[1::2])
    np.testing.assert_allclose(params['critic']['slope']['kernel'][:, 0], after, rtol=1e-4, atol=1e-6)


def test_the_same_on_one_and_on_four_devices(tmp_path):
    path = tmp_path / '4.npz'
    environment = os.environ | {
        'JAX_PLATFORMS': 'cpu',
        'XLA_FLAGS': f'{os.environ.get("XLA_FLAGS", "")} --xla_force_host_platform_device_count=4',
        'PYTHONPATH': str(ROOT),
    }
    program = [sys.executable, str(pathlib.Path(__file__).with_name('gan_program.py')), str(path)]
    subprocess.run(program, env=environment, check=True, capture_output=True)
    on_four = dict(np.load(path))
    with jax.threefry_partitionable(False):
        on_one = gan_program.run()
    assert (on_one.pop('devices'), on_four.pop('devices')) == (1, 4)
    assert set(on_one) == set(on_four)
    for name, value in on_one.items():
        np.testing.assert_allclose(on_four[name], value, rtol=2e-4, atol=1e-5, err_msg=name)
