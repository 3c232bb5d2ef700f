"""Draws images from a stored generator."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import pathlib
from collections.abc import Callable

import jax
import numpy as np

from fdx.synth.config import SynthConfig
from fdx.synth.images import Scale
from fdx.synth.networks import Generator, initial_parameters
from fdx.synth.step import noise_of
from fdx.synth.train import networks_of
from fdx.train.checkpoints import Checkpoints
from fdx.train.same_run import GENERATOR, WORDS, kind_of
from fdx.types import CheckpointError, ConfigError

DRAWN_AT_ONCE = 64
# Keeps the noise of samples apart from that of training with the same seed.
SAMPLE_STREAM = 0x5A3


@dataclasses.dataclass(frozen=True)
class Sampler:
    """A verified generator.

    Attributes:
      config: what it was trained with.
      meta: what its checkpoint says about itself.
      step: number of the checkpoint.
      checkpoint: id of the checkpoint: folder, step and the first digits of the SHA-256 of its files.
      generator: the network.
      params: moving average of its parameters.
    """

    config: SynthConfig
    meta: dict
    step: int
    checkpoint: str
    generator: Generator
    params: dict

    def classes(self) -> np.ndarray:
        """int32 [K]: numbers of the classes that have training windows; the generator knows nothing of others."""
        counts = [self.meta['counts'][name] for name in self.meta['class_names']]
        return np.flatnonzero(counts).astype(np.int32)

    @functools.cached_property
    def _draw(self) -> Callable[[jax.Array, np.ndarray, int], jax.Array]:
        """(key, int32 [DRAWN_AT_ONCE] labels, number of the first) -> images; compiled once, not for every draw."""

        @jax.jit
        def draw(key: jax.Array, labels: jax.Array, first: jax.Array) -> jax.Array:
            noise = noise_of(key, DRAWN_AT_ONCE, self.config.latent_size, first)
            return self.generator.apply({'params': self.params}, noise, labels)

        return draw

    def draw(self, labels: np.ndarray, seed: int = 0) -> np.ndarray:
        """Images of the given classes.

        Args:
          labels: int [N], numbers of `meta['class_names']`.
          seed: decides the noise; image i depends only on the seed, on i and on its class.

        Returns:
          float32 [N, H, W, C], as the dataset holds them, before any gain.

        Raises:
          ConfigError: a number that stands for no class.
        """
        labels = np.asarray(labels, np.int32)
        if len(labels) and (labels.min() < 0 or labels.max() >= len(self.meta['class_names'])):
            largest = len(self.meta['class_names']) - 1
            raise ConfigError(f'class numbers {labels.min()} to {labels.max()}: they must lie in 0 to {largest}')
        key = jax.random.fold_in(jax.random.key(seed), SAMPLE_STREAM)
        found = [np.zeros((0, *self.meta['shape']), np.float32)]
        for first in range(0, len(labels), DRAWN_AT_ONCE):
            part = labels[first : first + DRAWN_AT_ONCE]
            padded = np.pad(part, (0, DRAWN_AT_ONCE - len(part)))
            found.append(np.asarray(self._draw(key, padded, first))[: len(part)])
        scale = Scale(tuple(self.meta['scale']['low']), tuple(self.meta['scale']['high']))
        return scale.invert(np.concatenate(found))


def load_sampler(workdir: str | pathlib.Path, step: str | int = 'last') -> Sampler:
    """The generator of a workdir of `launch.synthesize`.

    Raises:
      CheckpointError: there is no checkpoint, a damaged one, or one of a classifier.
    """
    checkpoints = Checkpoints(workdir)
    number = checkpoints.resolve(step)
    checkpoints.verify(number)
    meta = checkpoints.meta(number)
    if kind_of(meta) != GENERATOR:
        raise CheckpointError(f'{workdir} holds {WORDS[kind_of(meta)]}: name a workdir of launch.synthesize')
    config = SynthConfig.from_json(meta['generator'])
    networks = networks_of(config, len(meta['class_names']), meta['shape'])
    like = jax.eval_shape(lambda: initial_parameters(networks, config.latent_size, tuple(meta['shape']), 0))
    params = {'generator': like[0], 'critic': like[1], 'average': like[0]}
    variables, _ = checkpoints.restore_variables(number, {'params': params}, {'params': {}})
    params = jax.device_get(variables['params']['average'])
    return Sampler(config, meta, number, _identity(checkpoints.workdir, number), networks[0], params)


def _identity(workdir: pathlib.Path, step: int) -> str:
    """Name of the workdir, the step, and a hash of what its manifest says about every file."""
    digest = hashlib.sha256((workdir / 'checkpoints' / str(step) / 'sha256.json').read_bytes()).hexdigest()
    return f'{workdir.name}@{step}:{digest[:12]}'
