"""Scores the checkpoints of a run, fold by fold, on a split of a prepared dataset."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np

from fdx.data.pipeline import RecordExamples
from fdx.data.protocols.guard import refuse_synthetic
from fdx.data.protocols.row_evidence import row_units
from fdx.data.protocols.two_domains import DomainName, other_recordings
from fdx.data.readings import ReadingsDataset
from fdx.data.source import Dataset, open_dataset
from fdx.evaluate.predictions import Predictions, concatenate
from fdx.predict.load import load_predictor, run_folders
from fdx.predict.predictor import AnyPredictor
from fdx.predict.verdicts import refuse_not_finite
from fdx.train.config import TrainConfig
from fdx.train.feature_cache import Progress, no_progress
from fdx.train.learned_from import rows_learned
from fdx.train.run_data import select_rows
from fdx.types import DataError

SPLITS = ('train', 'validation', 'test', 'all')
# What decides which samples a row of a split holds.
CUTTING = ('common_rate_hz', 'window_length', 'hop_length', 'guard_length')


@dataclasses.dataclass(frozen=True)
class Scored:
    """A run's score.

    Attributes:
      predictions: of all folds, pooled.
      predictors: one a fold.
      examples: the scored examples of each fold.
      leaks: whether the score is no estimate of new data.
      leak_share: share of the scored windows that overlap training windows or come from recordings trained on.
      leak_reason: why, in words; '' when it does not leak.
    """

    predictions: Predictions
    predictors: list[AnyPredictor]
    examples: list[RecordExamples]
    leaks: bool
    leak_share: float
    leak_reason: str


def score_run(
    workdir: str | pathlib.Path,
    *,
    split: str = 'test',
    step: str | int = 'best',
    dataset: str | None = None,
    data_dir: str | None = None,
    progress: Progress = no_progress,
) -> Scored:
    """Scores every fold of a run on its own split and pools the predictions.

    Args:
      workdir: of `launch.train`, one fold or the parent of several; or a .tflite file of `launch.export`.
      split: train, validation, test, or all (every record; for a dataset other than the training one).
      step: best, last or a number.
      dataset: another dataset than the run's own; its classes must be among the run's.
      data_dir: another place than the run's own.
      progress: wraps long work.

    Raises:
      CheckpointError: nothing there, or damaged.
      DataError: an unknown split, a dataset that is not prepared, has other classes or another front end.
    """
    if split not in SPLITS:
        raise DataError(f'--split={split}: it is one of {", ".join(SPLITS)}')
    predictors = [load_predictor(folder, step, progress) for folder in run_folders(workdir)]
    data = _open(predictors[0], dataset, data_dir)
    parts, examples, leaks = [], [], []
    for predictor in predictors:
        _check_fits(predictor, data)
        rows, leak = _rows(predictor, data, split)
        refuse_synthetic(data.table, rows, split)
        of_fold = RecordExamples(data, rows, predictor.config.label_key, predictor.gain)
        probabilities = predictor.probabilities(of_fold, f'score fold {predictor.config.fold}')
        refuse_not_finite(probabilities, str(predictor.workdir), predictor.step)
        parts.append(_predictions(predictor, of_fold, probabilities))
        examples.append(of_fold)
        leaks.append(leak)
    share = float(np.mean([s for s, _ in leaks]))
    reasons = sorted({r for _, r in leaks if r})
    return Scored(concatenate(parts), predictors, examples, bool(reasons), share, '; '.join(reasons))


def open_own_dataset(predictor: AnyPredictor, data_dir: str | None) -> Dataset | ReadingsDataset:
    """The dataset that a run was trained on, checked to be the same one; DataError otherwise."""
    data = _open(predictor, None, data_dir)
    _check_fits(predictor, data)
    return data


def _open(predictor: AnyPredictor, dataset: str | None, data_dir: str | None) -> Dataset:
    name, folder = dataset or predictor.meta['dataset']['name'], data_dir or predictor.config.data_dir
    try:
        return open_dataset(name, folder)
    except DataError as e:
        raise DataError(f'{e}; or, if prepared datasets lie elsewhere, name their folder with --data_dir') from e


def _check_fits(predictor: AnyPredictor, data: Dataset) -> None:
    unknown = sorted(set(data.class_names(predictor.config.label_key)) - set(predictor.class_names))
    if unknown:
        raise DataError(f'{data.name} has classes that the checkpoint does not know: {", ".join(unknown)}')
    if data.front_end.config() != predictor.front_end.config():
        raise DataError(
            f'{data.name} was made by front end {data.front_end.name}, the checkpoint by {predictor.front_end.name}: '
            'prepare the config with the same front end'
        )
    changed = [k for k in CUTTING if _is_own(predictor, data) and data.metadata[k] != predictor.meta['dataset'][k]]
    if changed:
        raise DataError(
            f'{data.name} in {data.data_dir} was cut anew since training ({", ".join(changed)} differ), so its splits '
            'are others: train again, or name the folder of the old one with --data_dir'
        )


def _is_own(predictor: AnyPredictor, data: Dataset) -> bool:
    """Whether `data` is what the run was trained on."""
    return data.name == predictor.meta['dataset']['name']


def _rows(predictor: AnyPredictor, data: Dataset, split: str) -> tuple[np.ndarray, tuple[float, str]]:
    """Rows to score, and (share of them that leak, why)."""
    if _is_own(predictor, data) and split != 'all':
        splits, _ = select_rows(_own_config(predictor, data), data)
        rows = getattr(splits, split)
        if split == 'train':
            return rows, (1.0, 'the training split itself is scored')
        if split == 'test' and 'adaptation' in predictor.meta:
            return rows, (1.0, "adaptation learns from the source's test split too; its scores are those of the target")
        if splits.leak_reason:
            return rows, (splits.leak_share, splits.leak_reason)
        if splits.leaks:
            why = f'protocol {splits.protocol} deals windows of the same recordings to training and test'
            return rows, (max(splits.leak.shared, splits.leak.same_recording), why)
        init_leak = predictor.meta.get('init_leak') or {'share': 0.0, 'reason': ''}
        share = init_leak.get('parts', {}).get(split, init_leak['share'])
        return rows, (share, init_leak['reason'] if share else '')
    rows = (
        np.arange(len(data)) if split == 'all' else getattr(select_rows(_config_for(predictor, data), data)[0], split)
    )
    trained = np.isin(data.table['recording'][rows], predictor.meta['train_recordings'])
    if _is_own(predictor, data):
        trained |= np.isin(rows, select_rows(_own_config(predictor, data), data)[0].train)
    before, rate_hz = predictor.meta.get('learned_from', ()), data.metadata['common_rate_hz']
    trained |= rows_learned(before, data.name, data.table, rows, rate_hz, 'by_recording')
    why = 'recordings of this dataset were trained on' if trained.any() else ''
    return rows, (float(trained.mean()), why)


def _own_config(predictor: AnyPredictor, data: Dataset) -> TrainConfig:
    """The run's config for its own dataset; adaptation split the domains of its source alone."""
    if 'adaptation' not in predictor.meta:
        return predictor.config
    source = DomainName.parse(predictor.meta['adaptation']['source'], 'source')
    outside = {*predictor.config.exclude_recordings, *other_recordings(data, source.domains, 'source')}
    # Those of the target's side alone are not in this dataset.
    excluded = tuple(sorted(r for r in outside if r in data.table['recording']))
    return dataclasses.replace(predictor.config, exclude_recordings=excluded)


def _config_for(predictor: AnyPredictor, data: Dataset) -> TrainConfig:
    """The run's config for another dataset, which may lack recordings that the run left out; nothing is thinned."""
    excluded = [r for r in predictor.config.exclude_recordings if r in data.table['recording']]
    return dataclasses.replace(predictor.config, exclude_recordings=tuple(excluded), imbalance='')


def _predictions(predictor: AnyPredictor, examples: RecordExamples, probabilities: np.ndarray) -> Predictions:
    table, rows = examples.dataset.table, examples.rows
    names = examples.dataset.class_names(predictor.config.label_key)
    number = np.array([predictor.class_names.index(n) for n in names])
    return Predictions(
        probabilities=probabilities,
        labels=number[examples.labels()],
        recordings=_names(examples),
        window_starts=table['window_start'][rows],
        class_names=predictor.class_names,
        folds=np.full(len(rows), predictor.config.fold),
        domains=list(table['domain'][rows]),
        bearings=list(table['bearing'][rows]),
        thresholds=None if predictor.threshold is None else np.full(len(rows), predictor.threshold),
        **_units(predictor, examples),
    )


def _units(predictor: AnyPredictor, examples: RecordExamples) -> dict:
    """What counts once in intervals, where it is not the recording: of a table its rows, groups or stretches."""
    if not isinstance(examples.dataset, ReadingsDataset):
        return {}
    units, name = row_units(examples.dataset.table, predictor.config.protocol)
    return {'units': units[examples.rows].tolist(), 'unit_name': name}


def _names(examples: RecordExamples) -> list[str]:
    """Recordings of the rows; of a table every row is one, equal readings too: their labels may differ."""
    table, rows = examples.dataset.table, examples.rows
    if isinstance(examples.dataset, ReadingsDataset):
        return [f'{r}.{s}' for r, s in zip(table['recording'][rows], table['window_start'][rows])]
    return list(table['recording'][rows])
