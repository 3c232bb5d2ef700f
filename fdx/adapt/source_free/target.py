"""The windows of a target that a checkpoint is adapted to; which class they are of decides nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from fdx.data.pipeline import ArrayExamples, RecordExamples
from fdx.data.protocols.domain_names import DomainName, other_recordings
from fdx.data.protocols.known_recordings import names_in
from fdx.data.protocols.splits import Splits, split_rows
from fdx.data.source import Dataset, open_dataset
from fdx.data.table import Table
from fdx.signal.front_ends import front_end_from_config, reads_orders
from fdx.signal.scaling import Gain
from fdx.train.config import TrainConfig
from fdx.train.forward import Progress, no_progress
from fdx.train.model_setup import input_shape_of
from fdx.types import ConfigError, DataError


@dataclasses.dataclass(frozen=True)
class Target:
    """What is learned from and scored.

    Attributes:
      dataset: of the target.
      splits: its rows; the training rows are seen without labels, the test rows are scored.
      seen: inputs of the training rows in memory; their `targets` are their numbers, not labels.
      scored: inputs of those test rows whose class the run knows; `targets` number the run's classes. Perhaps none.
      scored_rows: their rows.
    """

    dataset: Dataset
    splits: Splits
    seen: ArrayExamples
    scored: ArrayExamples
    scored_rows: np.ndarray


def open_target(name: DomainName, data_dir: str, meta: dict) -> Dataset:
    """The dataset of a target, compared with what the run takes.

    Args:
      name: of the target.
      data_dir: folder of prepared datasets.
      meta: what the checkpoint says about itself.

    Raises:
      DataError: a table of readings, or another front end or input shape than the run's; both are named.
      ConfigError: an unknown domain.
    """
    dataset = open_dataset(name.dataset, data_dir)
    if not isinstance(dataset, Dataset):
        raise DataError(f'`target`={name.dataset} is a table of readings: adaptation takes a dataset of recordings')
    other_recordings(dataset, name.domains, 'target')
    shape = input_shape_of(meta)
    there = front_end_from_config(meta['front_end']).config()
    if what_decides_inputs(dataset.front_end.config()) != what_decides_inputs(there) or dataset.input_shape != shape:
        raise DataError(
            f'`target`={dataset.name} has inputs {dataset.input_shape} of {_words(dataset.front_end.config())}, the '
            f'checkpoint takes {shape} of {_words(meta["front_end"])}: choose a config of the target with the front '
            "end, rate and channels of the checkpoint's dataset, " + meta['dataset']['name']
        )
    return dataset


def what_decides_inputs(config: dict) -> dict:
    """A front end's settings, without the rate of its dataset where inputs are orders of the shaft at any rate."""
    return {k: v for k, v in config.items() if k != 'rate_hz' or not reads_orders(config['name'])}


def _words(front_end: dict) -> str:
    """A front end's name and its rate, which differs between datasets."""
    rate = front_end.get('rate_hz') or front_end.get('nominal_rate_hz')
    return f'front end {front_end.get("name")}' + (f' at {rate:g} Hz' if rate else '')


def excluded(dataset: Dataset, name: DomainName, exclude: Iterable[str]) -> tuple[str, ...]:
    """Recordings of a dataset outside of the target: other domains, and what the user leaves out."""
    unknown = sorted(set(exclude) - set(dataset.table['recording']))
    if unknown:
        raise ConfigError(
            f'`exclude_recordings` names {", ".join(unknown)}, which the target does not hold; it holds '
            f'{names_in(dataset.table["recording"])}'
        )
    return tuple(sorted({*exclude, *other_recordings(dataset, name.domains, 'target')}))


def target_splits(config: TrainConfig, table: Table) -> Splits:
    """The rows of the target, split as if nobody had labelled them: all of one class.

    Args:
      config: of the adapted run: its protocol, fold, seed and exclude_recordings are those of the target.
      table: of the target's dataset.

    Raises:
      SplitError: a protocol or fold that does not fit.
    """
    nothing = np.zeros(len(table), np.int64)
    unlabelled = dataclasses.replace(table, columns={**table.columns, 'label': nothing, 'fault_type': nothing})
    return split_rows(
        unlabelled,
        config.protocol,
        fold=config.fold,
        seed=config.seed,
        label_key=config.label_key,
        exclude_recordings=config.exclude_recordings,
    )


def load_target(
    config: TrainConfig,
    dataset: Dataset,
    splits: Splits,
    class_names: list[str],
    gain: Gain,
    progress: Progress = no_progress,
) -> Target:
    """Reads the windows of a target into memory.

    Args:
      config: of the adapted run.
      dataset: of `open_target`.
      splits: of `target_splits`.
      class_names: of the run.
      gain: of the run; it stays what its network has learned with.
      progress: wraps the reading.
    """
    names = dataset.class_names(config.label_key)
    number = np.array([class_names.index(n) if n in class_names else -1 for n in names])
    known = number[dataset.table[config.label_key][splits.test]]
    rows, labels = splits.test[known >= 0], known[known >= 0].astype(np.int32)

    def read(rows: np.ndarray, what: str) -> np.ndarray:
        examples = RecordExamples(dataset, rows, config.label_key, gain)
        found = [examples[i]['inputs'] for i in progress(range(len(rows)), total=len(rows), desc=what)]
        return np.stack(found) if found else np.zeros((0, *dataset.input_shape), np.float32)

    seen = ArrayExamples(read(splits.train, 'target, seen'), np.arange(len(splits.train), dtype=np.int32))
    return Target(dataset, splits, seen, ArrayExamples(read(rows, 'target, scored'), labels), rows)
