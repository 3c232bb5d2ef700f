"""Generated records among the training examples: which ones may be used, and how many."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.joined import JoinedExamples
from fdx.data.pipeline import RecordExamples
from fdx.data.source import open_dataset
from fdx.signal.scaling import Gain
from fdx.train.config import TrainConfig
from fdx.types import ConfigError, DataError

# What decides the training rows. A generator that learned from other rows may have seen rows that are scored here.
DECIDES_ROWS = ('label_key', 'protocol', 'fold', 'exclude_recordings', 'labels_per_class', 'imbalance', 'seed')


def rows_key(config: Any, dataset: str) -> dict[str, Any]:
    """What decides the training rows of a config, JSON-able; it is stored with generated records, and compared later.

    Args:
      config: a TrainConfig, or anything with its fields of DECIDES_ROWS.
      dataset: name of the dataset with its version.
    """
    values = {name: getattr(config, name) for name in DECIDES_ROWS}
    return {'dataset': dataset, **{k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}}


def with_generated(config: TrainConfig, real: RecordExamples, gain: Gain) -> JoinedExamples:
    """Real training examples, then as many generated ones of the rarer classes as make all classes equal.

    If the generated dataset holds fewer, all of them are taken; the checkpoint states the counts.

    Args:
      config: of the run; `synthetic` names the generated dataset.
      real: its training rows.
      gain: of the run.

    Raises:
      ConfigError: no generated dataset is named; or the named one was made from other training rows, has other classes
        or another front end, or holds recordings.
      DataError: the named dataset is not prepared.
    """
    if not config.synthetic:
        raise ConfigError(
            '`balance`=gan needs `synthetic`=synthetic/NAME: make that dataset with python -m launch.synthesize and '
            'the same `dataset`, `protocol`, `fold`, `imbalance` and `seed`'
        )
    try:
        generated = open_dataset(config.synthetic, config.data_dir)
    except DataError as e:
        have = ', '.join(sorted(p.parent.name for p in pathlib.Path(config.data_dir).glob('synthetic/*/*.*.*')))
        raise DataError(
            f'`synthetic`={config.synthetic} is not in {config.data_dir}; generated datasets there: {have or "none"}. '
            'python -m launch.synthesize makes such a dataset'
        ) from e
    _check_origin(config, real.dataset, generated)
    labels, names = real.labels(), generated.class_names(config.label_key)
    counts = np.bincount(labels, minlength=len(names))
    theirs = generated.table[config.label_key]
    rows = [np.flatnonzero(theirs == k)[: counts.max() - counts[k]] for k in range(len(names))]
    return JoinedExamples((real, RecordExamples(generated, np.concatenate(rows), config.label_key, gain)))


def _check_origin(config: TrainConfig, real: PreparedDataset, generated: PreparedDataset) -> None:
    origin = generated.metadata.get('generated_from')
    if not origin:
        raise ConfigError(
            f'`synthetic`={config.synthetic} holds recordings: name a dataset that launch.synthesize wrote'
        )
    wanted = rows_key(config, real.name)
    differ = [f'{k}: {origin.get(k)!r} there, {v!r} here' for k, v in wanted.items() if origin.get(k) != v]
    if differ:
        raise ConfigError(
            f'`synthetic`={config.synthetic} was generated from other training rows ({"; ".join(differ)}), which may '
            'be among those scored here: run launch.synthesize with the settings of this run'
        )
    same_classes = generated.class_names(config.label_key) == real.class_names(config.label_key)
    if not same_classes or generated.front_end.config() != real.front_end.config():
        raise ConfigError(f'`synthetic`={config.synthetic} has other classes or another front end than {real.name}')
