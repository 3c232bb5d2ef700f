"""Trains the generator for a run with --balance=gan when it is first needed."""

from __future__ import annotations

import dataclasses
import pathlib

import jax

from fdx.synth.dataset import BUILDER
from fdx.synth.run import default_name, generator_for, is_written, synthesise
from fdx.train.config import TrainConfig
from fdx.types import ConfigError

from .display import progress


def with_synthetic(config: TrainConfig, workdir: pathlib.Path) -> TrainConfig:
    """The config with the name of its generated dataset, which is made in `workdir`/generator if missing.

    A config with another remedy, or with the name of a dataset, is returned unchanged.
    """
    if config.balance != 'gan' or config.synthetic:
        return config
    if jax.process_count() > 1:
        raise ConfigError(
            '--balance=gan on several processes: make the records first, on one, with launch.synthesize, and name them '
            'with --synthetic'
        )
    wanted = generator_for(config)
    if not is_written(wanted):
        print(f'training a generator in {workdir / "generator"} (once; launch.synthesize has its settings)', flush=True)
        synthesise(
            wanted, workdir / 'generator', progress=progress, on_row=lambda row: print(health_line(row), flush=True)
        )
    return dataclasses.replace(config, synthetic=f'{BUILDER}/{default_name(wanted)}')


def health_line(row: dict) -> str:
    """One row of a generator's history as a line."""
    return (
        f'update {row["step"]:5d}  Wasserstein estimate {row["train_wasserstein"]:8.3f}  penalty '
        f'{row["train_penalty"]:6.3f}  gradient norms {row["train_critic_gradient_norm"]:6.1f} critic, '
        f'{row["train_generator_gradient_norm"]:6.1f} generator  {row["seconds"]:.1f} s'
    )
