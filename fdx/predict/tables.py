"""Diagnosis of a CSV file of readings: every row by itself."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from fdx.data.readings_csv import read_readings
from fdx.data.training_range import TrainingRange
from fdx.predict.result import Result, Series
from fdx.predict.verdicts import NOT_FINITE, probability_row, without_verdict
from fdx.signal.readings import reads_tables
from fdx.train.decision import decide
from fdx.types import DataError

if TYPE_CHECKING:
    from fdx.predict.predictor import AnyPredictor

EVERY_ROW = 'every row of a table has a verdict of its own, see `windows`'


@dataclasses.dataclass(frozen=True, repr=False)
class TableDiagnosis(Result):
    """What a model of tables says about a file of readings.

    Attributes:
      file: the file.
      columns: C names.
      values: float64 [N, C], the readings.
      row_probabilities: float32 [N, K]; a number that is not finite where a row has no verdict.
      class_names: K names.
      threshold: of two classes, the probability of the second from which on it is called; None: the more probable wins.
      outside: for each row, in which columns it lies outside the training data.
    """

    file: str
    columns: tuple[str, ...]
    values: np.ndarray
    row_probabilities: np.ndarray
    class_names: list[str]
    threshold: float | None
    outside: list[list[str]]
    recording = None

    @property
    def label(self) -> str | None:
        """The state of a table of one row; None for more, as each row has its own."""
        return self.windows[0]['predicted'] if len(self.windows) == 1 else None

    @property
    def reason(self) -> str | None:
        """Why there is no verdict of the whole: rows without one, or that there is one per row."""
        return super().reason or (EVERY_ROW if len(self.windows) > 1 else None)

    @property
    def probabilities(self) -> dict[str, float] | None:
        """{class name: mean probability over the rows that have a verdict}, or None where no row has one."""
        live = ~without_verdict(self.row_probabilities)
        if not live.any():
            return None
        return probability_row(self.class_names, self.row_probabilities[live].mean(axis=0, dtype=np.float64))

    def rows(self) -> list[dict]:
        """JSON-able rows: one per reading, then one for the file."""
        silent, names, outside = without_verdict(self.row_probabilities), self.class_names, self.outside
        called = np.where(silent, -1, decide(np.nan_to_num(self.row_probabilities), self.threshold))
        rows = [
            {
                'kind': 'reading',
                'file': self.file,
                'row': i,
                'predicted': None if silent[i] else names[called[i]],
                'probabilities': probability_row(names, p),
                **({'reason': self._reason(i)} if silent[i] else {}),
                **({'outside_training': outside[i]} if outside[i] else {}),
            }
            for i, p in enumerate(self.row_probabilities)
        ]
        counts = {name: int((called == i).sum()) for i, name in enumerate(names)}
        summary = {'kind': 'table', 'file': self.file, 'readings': len(rows), 'predicted': counts}
        if any(outside):
            # A table's rows lie outside one by one: the file says how many, and in which columns.
            places = Counter(words.split(' ')[0] for row in outside for words in row)
            summary['outside_training'] = [
                f'{name} in {n} of {len(rows)} rows outside the range of training' for name, n in places.items()
            ]
        if silent.any():
            summary |= {'without_verdict': int(silent.sum()), 'reason': NOT_FINITE}
        return [*rows, summary]

    def series(self) -> Series:
        """The probabilities of the rows."""
        values = np.where(without_verdict(self.row_probabilities)[:, None], np.nan, self.row_probabilities)
        starts = np.arange(len(values)) - 0.5
        return Series(starts, 1.0, values, tuple(self.class_names), ('row', 'probability'), self.threshold)

    def _reason(self, row: int) -> str:
        """Why a row has no verdict, with the largest of its readings."""
        largest = int(np.argmax(np.abs(self.values[row])))
        return f'{NOT_FINITE}; {self.columns[largest]} is {self.values[row, largest]:g}'


def diagnose_table(predictor: AnyPredictor, path: str | os.PathLike) -> TableDiagnosis:
    """Diagnoses every row of a CSV file.

    Args:
      predictor: a checkpoint or exported model of a table.
      path: CSV file of its columns in any order; the columns of labels and of groups may be there and are not read.

    Raises:
      DataError: what fdx.data.readings_csv refuses, with file, row and column.

    A row for which the network gives no finite numbers has `predicted` and `probabilities` None and a `reason`.
    """
    front_end = predictor.front_end
    if not reads_tables(front_end):
        raise DataError(f'{path}: {predictor.workdir} is a model of recordings, not of tables: use `fdx.diagnose`')
    groups, columns = predictor.meta.get('dataset', {}).get('group_column', ''), front_end.columns
    readings = read_readings(path, columns, need_label=False, group_column=groups)
    training = TrainingRange.from_json(predictor.meta.get('training'))
    return TableDiagnosis(
        file=str(path),
        columns=tuple(columns),
        values=readings.values,
        row_probabilities=predictor.patch_probabilities(readings.values.astype('float32')),
        class_names=predictor.class_names,
        threshold=predictor.threshold,
        outside=[training.outside_columns(dict(zip(columns, row))) for row in readings.values.tolist()],
    )
