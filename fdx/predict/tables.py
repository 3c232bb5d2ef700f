"""Diagnosis of a CSV file of readings: every row by itself."""

from __future__ import annotations

import os
from collections import Counter

import numpy as np

from fdx.data.readings_csv import read_readings
from fdx.data.training_range import TrainingRange
from fdx.predict.backends.exported import AnyPredictor
from fdx.predict.verdicts import NOT_FINITE, probability_row, without_verdict
from fdx.train.decision import decide
from fdx.types import ConfigError


def diagnose_table(predictor: AnyPredictor, path: str | os.PathLike) -> list[dict]:
    """JSON-able rows: one a reading, then one for the file.

    Args:
      predictor: a checkpoint or exported model of a table.
      path: CSV file of its columns in any order; the columns of labels and of groups may be there and are not read.

    Raises:
      DataError: what fdx.data.readings_csv refuses, with file, row and column.

    A row for which the network gives no finite numbers has `predicted` and `probabilities` None and a `reason`.
    """
    groups = predictor.meta.get('dataset', {}).get('group_column', '')
    readings = read_readings(path, predictor.front_end.columns, need_label=False, group_column=groups)
    probabilities = predictor.patch_probabilities(readings.values.astype('float32'))
    training, columns = TrainingRange.from_json(predictor.meta.get('training')), predictor.front_end.columns
    outside = [training.outside_columns(dict(zip(columns, row))) for row in readings.values.tolist()]
    silent, names = without_verdict(probabilities), predictor.class_names
    called = np.where(silent, -1, decide(np.nan_to_num(probabilities), predictor.threshold))
    rows = [
        {
            'kind': 'reading',
            'file': str(path),
            'row': i,
            'predicted': None if silent[i] else names[called[i]],
            'probabilities': probability_row(names, p),
            **({'reason': _reason(readings.values[i], predictor)} if silent[i] else {}),
            **({'outside_training': outside[i]} if outside[i] else {}),
        }
        for i, p in enumerate(probabilities)
    ]
    counts = {name: int((called == i).sum()) for i, name in enumerate(names)}
    summary = {'kind': 'table', 'file': str(path), 'readings': len(rows), 'predicted': counts}
    if any(outside):
        # A table's rows lie outside one by one: the file says how many, and in which columns.
        places = Counter(words.split(' ')[0] for row in outside for words in row)
        summary['outside_training'] = [
            f'{name} in {n} of {len(rows)} rows outside the range of training' for name, n in places.items()
        ]
    if silent.any():
        summary |= {'without_verdict': int(silent.sum()), 'reason': NOT_FINITE}
    return [*rows, summary]


def _reason(values: np.ndarray, predictor: AnyPredictor) -> str:
    """Why a row of readings [C] has no verdict, with the largest of them."""
    largest = int(np.argmax(np.abs(values)))
    return f'{NOT_FINITE}; {predictor.front_end.columns[largest]} is {values[largest]:g}'


def check_flags_of_tables(given: list[str]) -> None:
    """Refuses flags that readings know nothing of; ConfigError names them."""
    if given:
        raise ConfigError(f'{", ".join(given)}: the model reads tables, which have no signal; leave it out')
