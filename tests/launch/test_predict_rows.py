"""Rows are strict JSON, and the end names what should not be overlooked."""

from __future__ import annotations

import json
import math

import numpy as np

from fdx.predict.reports import json_line
from launch.predict_rows import closing_lines


def test_a_row_is_strict_json():
    line = json_line({'kind': 'window', 'z': math.nan, 'p': np.float32(0.5), 'n': np.int64(3), 'a': (math.inf,)})
    assert json.loads(line) == {'kind': 'window', 'z': None, 'p': 0.5, 'n': 3, 'a': [None]}
    assert 'NaN' not in line and 'Infinity' not in line


def test_files_without_a_verdict_and_unlike_the_training_data_are_named():
    rows = [
        {'kind': 'window', 'file': 'a', 'reason': 'dead'},
        {'kind': 'recording', 'file': 'a', 'reason': 'too few live windows'},
        {'kind': 'recording', 'file': 'b', 'outside_training': ['level 9.8 x', 'unit counts']},
        {'kind': 'error', 'file': 'c', 'error': 'no such file'},
    ]
    assert closing_lines(rows) == [
        '1 of 3 files have no verdict:',
        '  a: too few live windows',
        '1 of 3 files are unlike the training data:',
        '  b: level 9.8 x; unit counts',
    ]
    assert closing_lines([{'kind': 'recording', 'file': 'a'}]) == []
    many = [{'kind': 'recording', 'file': str(i), 'reason': 'dead'} for i in range(13)]
    assert len(closing_lines(many)) == 12
    assert closing_lines(many)[-1] == "  ... and 3 more, see 'reason' in their rows"
