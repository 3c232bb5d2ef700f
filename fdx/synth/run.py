"""From training rows to a dataset of generated records, or to the one that exists already."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Callable

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.source import open_dataset
from fdx.synth.config import SynthConfig
from fdx.synth.dataset import BUILDER, write_generated
from fdx.synth.sampler import Sampler, load_sampler
from fdx.synth.train import train_generator
from fdx.train.config import TrainConfig
from fdx.train.forward import Progress, no_progress
from fdx.train.generated import DECIDES_ROWS
from fdx.types import DataError


@dataclasses.dataclass(frozen=True)
class Synthesis:
    """The result of a synthesis.

    Attributes:
      workdir: of the generator.
      sampler: the trained generator.
      dataset: what it learned from.
      name: name of the generated dataset, synthetic/NAME.
      history: rows of the log.
    """

    workdir: pathlib.Path
    sampler: Sampler
    dataset: PreparedDataset
    name: str
    history: list[dict]


def default_name(config: SynthConfig) -> str:
    """Name of the generated dataset: what it was made from, in readable form, and a hash of all settings."""
    settings = {k: v for k, v in config.to_json().items() if k not in ('data_dir', 'save_every')}
    digits = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
    source = config.dataset.replace('/', '-').replace(':', '-')
    return f'{source}-fold{config.fold}-seed{config.seed}-{digits}'


def synthesise(
    config: SynthConfig,
    workdir: str | pathlib.Path,
    *,
    name: str = '',
    per_class: int = 0,
    progress: Progress = no_progress,
    on_row: Callable[[dict], None] = lambda row: None,
) -> Synthesis:
    """Trains a generator (or goes on) and writes its records as `synthetic/NAME` beside the other datasets.

    Args:
      config: what to do.
      workdir: of the generator.
      name: of the generated dataset; '' for `default_name`.
      per_class: records per class; 0: as many as the most frequent class has training rows.
      progress: wraps long work.
      on_row: called with every row of the log.

    Raises:
      FdxError: the config, the data or the workdir make it impossible.
    """
    history = train_generator(config, workdir, progress=progress, on_row=on_row)
    sampler, dataset = load_sampler(workdir), open_dataset(config.dataset, config.data_dir)
    count = per_class or max(sampler.meta['counts'].values())
    labels = np.repeat(sampler.classes(), count)
    name = name or default_name(config)
    write_generated(sampler, dataset, labels, name, config.data_dir, seed=config.seed)
    return Synthesis(pathlib.Path(workdir), sampler, dataset, f'{BUILDER}/{name}', history)


def generator_for(config: TrainConfig, **settings) -> SynthConfig:
    """The settings of the generator that a training run with balance=gan needs: of exactly its training rows.

    Args:
      config: of the training run.
      **settings: fields of SynthConfig that replace its defaults.
    """
    shared = {name: getattr(config, name) for name in (*DECIDES_ROWS, 'dataset', 'data_dir')}
    return SynthConfig(**{**shared, **settings})


def is_written(config: SynthConfig) -> bool:
    """Whether the dataset that `synthesise` would write under its default name exists."""
    try:
        open_dataset(f'{BUILDER}/{default_name(config)}', config.data_dir)
    except DataError:
        return False
    return True
