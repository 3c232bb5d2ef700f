"""The table of scored windows: one row per window, pooled over folds."""

from __future__ import annotations

import dataclasses
import io
import os
import pathlib
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.files import atomic_write_bytes
from fdx.train.decision import decide
from fdx.types import DataError

# Softmax in bfloat16 is normalised to about three digits.
SUM_TOLERANCE = 1e-2
OPTIONAL = ('domains', 'thresholds', 'bearings', 'units', 'unit_name')
RECORDING = 'recording'


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """Scored windows whose true class is known.

    Attributes:
      probabilities: float32 [N, K], rows sum to 1.
      labels: int64 [N], true class indices in [0, K).
      recordings: N recording ids.
      window_starts: int64 [N], first sample of each window in its recording.
      class_names: K distinct names, in the order of the columns.
      folds: int64 [N], the fold in which each row was scored.
      domains: N domain names, or None.
      thresholds: float64 [N] in (0, 1), for two classes: a row is called class 1 if its probability reaches the
        threshold; None if the more probable class wins.
      bearings: N names of the physical bearings, '' where unknown, or None.
      units: N names of what counts once in an interval; None: the recordings.
      unit_name: what a unit is, in the singular: recording, row, group of rows, stretch of rows.

    Raises:
      DataError: on construction, if a shape, type or value does not fit this description.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    recordings: list[str]
    window_starts: np.ndarray
    class_names: list[str]
    folds: np.ndarray
    domains: list[str] | None = None
    thresholds: np.ndarray | None = None
    bearings: list[str] | None = None
    units: list[str] | None = None
    unit_name: str = RECORDING

    def __post_init__(self):
        """Brings every field to its type and checks them against each other."""
        probabilities = np.asarray(self.probabilities, dtype=np.float32)
        class_names = [str(name) for name in self.class_names]
        _check_probabilities(probabilities, class_names)
        n = len(probabilities)
        labels = _integer_column('labels', self.labels, n)
        if labels.min() < 0 or labels.max() >= len(class_names):
            raise DataError(
                f'labels lie in [{labels.min()}, {labels.max()}], but {len(class_names)} classes allow '
                f'[0, {len(class_names) - 1}]: score with the class names that the labels were made with'
            )
        checked = {
            'probabilities': probabilities,
            'labels': labels,
            'recordings': _text_column('recordings', self.recordings, n),
            'window_starts': _integer_column('window_starts', self.window_starts, n),
            'class_names': class_names,
            'folds': _integer_column('folds', self.folds, n),
            'domains': None if self.domains is None else _text_column('domains', self.domains, n),
            'thresholds': None if self.thresholds is None else _thresholds(self.thresholds, probabilities.shape),
            'bearings': None if self.bearings is None else _text_column('bearings', self.bearings, n),
            'units': None if self.units is None else _text_column('units', self.units, n),
            'unit_name': str(self.unit_name),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """N, the number of windows."""
        return len(self.labels)

    @property
    def predicted(self) -> np.ndarray:
        """int64 [N]: the class of each window, by the thresholds or else the most probable one (first of equals)."""
        return decide(self.probabilities, self.thresholds)

    @property
    def counted_once(self) -> list[str]:
        """N names of what counts once in an interval."""
        return self.recordings if self.units is None else self.units


def _check_probabilities(probabilities: np.ndarray, class_names: list[str]) -> None:
    """Raises DataError unless `probabilities` is a table of distributions over `class_names`."""
    if len(class_names) < 2 or len(set(class_names)) != len(class_names):
        raise DataError(f'class_names must be two or more distinct names, not {class_names}')
    if probabilities.ndim != 2 or probabilities.shape[1] != len(class_names):
        raise DataError(f'probabilities have shape {probabilities.shape}, expected [N, {len(class_names)}]')
    if not len(probabilities):
        raise DataError('there are no scored windows: check that the split is not empty')
    bad = ~np.isfinite(probabilities).all(axis=1)
    bad |= (probabilities < 0).any(axis=1) | (np.abs(probabilities.sum(axis=1) - 1) > SUM_TOLERANCE)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f'{int(bad.sum())} rows of probabilities are not distributions, first row {row}: '
            f'{probabilities[row].tolist()}; pass the softmax of the logits, finite and summing to 1'
        )


def _thresholds(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """`values` as float64 [N], or a DataError."""
    values = np.asarray(values, np.float64)
    if shape[1] != 2 or values.shape != shape[:1] or not ((values > 0) & (values < 1)).all():
        raise DataError(
            f'thresholds are for two classes and lie between 0 and 1, one per row: {values.shape} for a table {shape}'
        )
    return values


def _integer_column(name: str, values: Any, n: int) -> np.ndarray:
    """`values` as int64 [n], or a DataError that names the column."""
    values = np.asarray(values)
    if values.shape != (n,) or values.dtype.kind not in 'iu':
        raise DataError(f'{name} must be integers of shape ({n},), not {values.dtype} of shape {values.shape}')
    return values.astype(np.int64)


def _text_column(name: str, values: Sequence[str], n: int) -> list[str]:
    """`values` as a list of n strings, or a DataError that names the column."""
    values = [str(value) for value in values]
    if len(values) != n:
        raise DataError(f'{name} has {len(values)} entries for {n} windows')
    return values


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Pools the test windows of several folds into one table.

    Domains, bearings and units are kept if every part has them.

    Raises:
      DataError: there are no parts, class names or kinds of units differ, or one window is in a fold twice and would
        count twice.
    """
    if not parts:
        raise DataError('there are no predictions to pool: score at least one fold')
    names = parts[0].class_names
    for i, part in enumerate(parts):
        if part.class_names != names:
            raise DataError(f'part {i} was scored over classes {part.class_names}, part 0 over {names}: cannot pool')
        if part.unit_name != parts[0].unit_name:
            raise DataError(f'part {i} counts by {part.unit_name}, part 0 by {parts[0].unit_name}: cannot pool')
    folds = np.concatenate([part.folds for part in parts])
    recordings = [recording for part in parts for recording in part.recordings]
    starts = np.concatenate([part.window_starts for part in parts])
    seen = set()
    for key in zip(folds.tolist(), recordings, starts.tolist()):
        if key in seen:
            fold, recording, start = key
            raise DataError(f'fold {fold} holds the window at sample {start} of {recording} twice: pool each fold once')
        seen.add(key)
    thresholds = None
    if all(part.thresholds is not None for part in parts):
        thresholds = np.concatenate([part.thresholds for part in parts])
    elif any(part.thresholds is not None for part in parts):
        raise DataError('some folds have a decision threshold and some have not: train all with the same `threshold`')
    return Predictions(
        probabilities=np.concatenate([part.probabilities for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        recordings=recordings,
        window_starts=starts,
        class_names=list(names),
        folds=folds,
        domains=_joined(parts, 'domains'),
        thresholds=thresholds,
        bearings=_joined(parts, 'bearings'),
        units=_joined(parts, 'units'),
        unit_name=parts[0].unit_name,
    )


def _joined(parts: Sequence[Predictions], name: str) -> list[str] | None:
    """A column of texts over all parts, or None if one of them lacks it."""
    columns = [getattr(part, name) for part in parts]
    return None if any(column is None for column in columns) else [text for column in columns for text in column]


def save_predictions(path: str | os.PathLike, predictions: Predictions) -> None:
    """Writes the table to a compressed .npz without pickles, completely or not at all.

    Raises:
      FileWriteError: the file cannot be written.
    """
    columns = {field.name: getattr(predictions, field.name) for field in dataclasses.fields(predictions)}
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in columns.items() if value is not None}
    np.savez_compressed(buffer, **arrays)
    atomic_write_bytes(path, buffer.getvalue())


def load_predictions(path: str | os.PathLike) -> Predictions:
    """Reads what `save_predictions` wrote.

    Raises:
      DataError: the file is missing, damaged or not a table of predictions.
    """
    path = pathlib.Path(path)
    fields = dataclasses.fields(Predictions)
    try:
        with np.load(path, allow_pickle=False) as file:
            columns = {field.name: file[field.name] for field in fields if field.name in file.files}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(f'cannot read predictions from {path}: {error}; run the evaluation again') from error
    missing = [field.name for field in fields if field.name not in columns and field.name not in OPTIONAL]
    if missing:
        raise DataError(f'{path} lacks the columns {missing}: it is not a file of save_predictions')
    return Predictions(**columns)
