"""Two updates of a tiny GAN on however many devices there are: python gan_program.py OUTPUT.npz."""

from __future__ import annotations

import dataclasses
import sys

import flax.traverse_util
import jax
import numpy as np
import optax

from fdx.synth.config import SynthConfig
from fdx.synth.networks import Critic, Generator, initial_parameters
from fdx.synth.step import GanState, make_gan_step
from fdx.train import parallel

SHAPE, CLASSES = (8, 6, 1), 3
CONFIG = SynthConfig('x', critic_steps=2, batch_size=4, latent_size=3, width=2, ema_decay=0.5, learning_rate=1e-2)
# Adam would blow rounding up where a gradient is nearly 0.
OPTIMISER = optax.sgd(1e-2)


def config_with(**changes):
    return dataclasses.replace(CONFIG, **changes)


def networks():
    return Generator(CLASSES, SHAPE, CONFIG.width), Critic(CLASSES, CONFIG.width)


def examples(count, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.uniform(-1, 1, (count, *SHAPE)).astype(np.float32)
    return {'inputs': images, 'labels': rng.integers(0, CLASSES, count).astype(np.int32)}


def fresh_state():
    made, judge = initial_parameters(networks(), CONFIG.latent_size, SHAPE, 1)
    params = {'generator': made, 'critic': judge, 'average': jax.tree.map(np.array, made)}
    opt_state = {'generator': OPTIMISER.init(made), 'critic': OPTIMISER.init(judge)}
    return parallel.replicate(GanState(np.int32(0), np.int32(5), params, opt_state))


def run(counts=(8, 5)):
    """Metrics and parameters after an update of as many examples each; 5 of 8 leave padding."""
    step = parallel.compile_step(make_gan_step(*networks(), OPTIMISER, CONFIG))
    state, out, size = fresh_state(), {}, CONFIG.critic_steps * parallel.padded_size(CONFIG.batch_size)
    for i, count in enumerate(counts):
        state, metrics = step(state, parallel.shard(examples(count, i), size))
        out |= {f'{i}/{name}': np.asarray(value) for name, value in metrics.items()}
    flat = flax.traverse_util.flatten_dict(jax.device_get(state.params), sep='/')
    return {**out, **flat, 'devices': np.int32(jax.device_count())}


if __name__ == '__main__':
    with jax.threefry_partitionable(False):
        np.savez(sys.argv[1], **run())
