"""Diagnosis of a CSV file of readings: every row by itself."""

from __future__ import annotations

import os

from fdx.data.readings_csv import read_readings
from fdx.evaluate.exported_predictor import AnyPredictor
from fdx.train.decision import decide
from fdx.types import ConfigError


def diagnose_table(predictor: AnyPredictor, path: str | os.PathLike) -> list[dict]:
    """JSON-able rows: one a reading, then one for the file.

    Args:
      predictor: a checkpoint or exported model of a table.
      path: CSV file of its columns in any order; a column of labels may be there and is not read.

    Raises:
      DataError: what fdx.data.readings_csv refuses, with file, row and column.
    """
    readings = read_readings(path, predictor.front_end.columns, need_label=False)
    probabilities = predictor.patch_probabilities(readings.values.astype('float32'))
    called, names = decide(probabilities, predictor.threshold), predictor.class_names
    rows = [
        {
            'kind': 'reading',
            'file': str(path),
            'row': i,
            'predicted': names[k],
            'probabilities': {n: float(v) for n, v in zip(names, p)},
        }
        for i, (p, k) in enumerate(zip(probabilities, called))
    ]
    counts = {name: int((called == i).sum()) for i, name in enumerate(names)}
    return [*rows, {'kind': 'table', 'file': str(path), 'readings': len(rows), 'predicted': counts}]


def check_flags_of_tables(given: list[str]) -> None:
    """Refuses flags that readings know nothing of; ConfigError names them."""
    if given:
        raise ConfigError(f'{", ".join(given)}: the model reads tables, which have no signal; leave it out')
