"""Which rows of a dataset a run is scored on, and whether their score says anything about new data."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.adapt.source_free.checkpoint import is_source_free
from fdx.adapt.source_free.target import target_splits
from fdx.data.dataset import PreparedDataset
from fdx.data.protocols.class_sets import OPEN
from fdx.data.protocols.domain_names import DomainName, other_recordings
from fdx.data.protocols.splits import Splits
from fdx.data.source import open_dataset
from fdx.predict.predictor import AnyPredictor
from fdx.train.config import TrainConfig
from fdx.train.learned_from import rows_learned
from fdx.train.run_data import select_rows
from fdx.types import DataError

# These decide which samples a row of a split holds.
CUTTING = ('common_rate_hz', 'window_length', 'hop_length', 'guard_length')


@dataclasses.dataclass(frozen=True)
class ScoredRows:
    """Rows to be scored.

    Attributes:
      rows: int64 [N].
      leak_share: share of them that overlap training windows or come from recordings trained on.
      leak_reason: why their score does not estimate performance on new data, in words; '' if it does.
      notes: what the protocol says about the split.
    """

    rows: np.ndarray
    leak_share: float
    leak_reason: str
    notes: tuple[str, ...]


def open_own_dataset(predictor: AnyPredictor, data_dir: str | None) -> PreparedDataset:
    """The dataset that a run was trained on, checked to be the same one; DataError otherwise."""
    data = open_for(predictor, None, data_dir)
    check_fits(predictor, data)
    return data


def open_for(predictor: AnyPredictor, dataset: str | None, data_dir: str | None) -> PreparedDataset:
    """A dataset by name (None: the run's own) in `data_dir` (None: the run's own); DataError if it is not there."""
    name, folder = dataset or predictor.meta['dataset']['name'], data_dir or predictor.config.data_dir
    try:
        return open_dataset(name, folder)
    except DataError as e:
        raise DataError(f'{e}; or, if prepared datasets lie elsewhere, name their folder with `data_dir`') from e


def rejects_unknown(predictor: AnyPredictor) -> bool:
    """Whether windows of classes that the run does not know count as its class `unknown` (open sets of adaptation)."""
    return (predictor.meta.get('adaptation') or {}).get('sets') == OPEN


def check_fits(predictor: AnyPredictor, data: PreparedDataset) -> None:
    """DataError unless a dataset fits a run: its classes, its front end and, if it is the run's own, how it is cut."""
    unknown = sorted(set(data.class_names(predictor.config.label_key)) - set(predictor.class_names))
    if unknown and not rejects_unknown(predictor):
        raise DataError(f'{data.name} has classes that the checkpoint does not know: {", ".join(unknown)}')
    if data.front_end.config() != predictor.front_end.config():
        raise DataError(
            f'{data.name} was made by front end {data.front_end.name}, the checkpoint by {predictor.front_end.name}: '
            'prepare the config with the same front end'
        )
    changed = [k for k in CUTTING if is_own(predictor, data) and data.metadata[k] != predictor.meta['dataset'][k]]
    if changed:
        raise DataError(
            f'{data.name} in {data.data_dir} was cut anew since training ({", ".join(changed)} differ), so its splits '
            'are others: train again, or name the folder of the old one with `data_dir`'
        )


def is_own(predictor: AnyPredictor, data: PreparedDataset) -> bool:
    """Whether `data` is what the run was trained on."""
    return data.name == predictor.meta['dataset']['name']


def rows_to_score(predictor: AnyPredictor, data: PreparedDataset, split: str) -> ScoredRows:
    """The rows of a split, and whether their score would estimate performance on new data.

    Args:
      predictor: of one fold.
      data: the run's own dataset or another one that fits.
      split: train, validation, test or all.
    """
    if is_own(predictor, data) and split != 'all':
        return _of_own_split(predictor, data, split)
    notes: tuple[str, ...] = ()
    rows = (
        np.arange(len(data)) if split == 'all' else getattr(select_rows(_config_for(predictor, data), data)[0], split)
    )
    trained = np.isin(data.table['recording'][rows], predictor.meta['train_recordings'])
    if is_own(predictor, data):
        splits = _own_splits(predictor, data)
        trained |= np.isin(rows, splits.train)
        notes = splits.notes
    before, rate_hz = predictor.meta.get('learned_from', ()), data.metadata['common_rate_hz']
    trained |= rows_learned(before, data.name, data.table, rows, rate_hz, 'by_recording')
    why = 'recordings of this dataset were trained on' if trained.any() else ''
    return ScoredRows(rows, float(trained.mean()), why, notes)


def _of_own_split(predictor: AnyPredictor, data: PreparedDataset, split: str) -> ScoredRows:
    splits = _own_splits(predictor, data)

    def scored(share: float, reason: str) -> ScoredRows:
        return ScoredRows(getattr(splits, split), share, reason, splits.notes)

    if split == 'train':
        return scored(1.0, 'the training split itself is scored')
    if split == 'test' and 'adaptation' in predictor.meta and not is_source_free(predictor.meta):
        return scored(1.0, "adaptation learns from the source's test split too; its scores are those of the target")
    if splits.leak_reason:
        return scored(splits.leak_share, splits.leak_reason)
    if splits.leaks:
        why = f'protocol {splits.protocol} deals windows of the same recordings to training and test'
        return scored(max(splits.leak.shared, splits.leak.same_recording), why)
    init_leak = predictor.meta.get('init_leak') or {'share': 0.0, 'reason': ''}
    share = init_leak.get('parts', {}).get(split, init_leak['share'])
    return scored(share, init_leak['reason'] if share else '')


def _own_splits(predictor: AnyPredictor, data: PreparedDataset) -> Splits:
    """The rows of a run in its own dataset; a target is split as if nobody had labelled it."""
    config = _own_config(predictor, data)
    return target_splits(config, data.table) if is_source_free(predictor.meta) else select_rows(config, data)[0]


def _own_config(predictor: AnyPredictor, data: PreparedDataset) -> TrainConfig:
    """The run's config for its own dataset; adaptation split the domains of its source alone."""
    if 'adaptation' not in predictor.meta or is_source_free(predictor.meta):
        return predictor.config
    source = DomainName.parse(predictor.meta['adaptation']['source'], 'source')
    outside = {*predictor.config.exclude_recordings, *other_recordings(data, source.domains, 'source')}
    # Recordings of the target's side are not in this dataset.
    excluded = tuple(sorted(r for r in outside if r in data.table['recording']))
    return dataclasses.replace(predictor.config, exclude_recordings=excluded)


def _config_for(predictor: AnyPredictor, data: PreparedDataset) -> TrainConfig:
    """The run's config for another dataset, which may lack recordings that the run left out; nothing is thinned."""
    excluded = [r for r in predictor.config.exclude_recordings if r in data.table['recording']]
    return dataclasses.replace(predictor.config, exclude_recordings=tuple(excluded), imbalance='')
