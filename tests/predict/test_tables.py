"""Rows of a CSV file go through a predictor one by one: columns by name, the threshold, counts, and refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fdx.predict.predictor import AnyPredictor
from fdx.signal.readings import ReadingsInput
from fdx.types import ConfigError, DataError, Recording

COLUMNS = ('rpm', 'temperature_c')
NAMES = ['normal', 'failure']


class Table(AnyPredictor):
    """Stands for a checkpoint: the probability of a failure is temperature_c / 100, whatever rpm is."""

    front_end = ReadingsInput('readings', COLUMNS)
    class_names = NAMES
    meta = {}

    def __init__(self, threshold=None):
        self.threshold = threshold

    def patch_probabilities(self, patches):
        assert patches.dtype == np.float32
        failure = patches[:, 1] / 100
        return np.stack([1 - failure, failure], axis=1)


def predictor(threshold=None):
    return Table(threshold)


def diagnose_table(predictor, path):
    """Rows of the diagnosis."""
    return predictor.diagnose(path).rows()


@pytest.fixture
def write(tmp_path):
    """write(text) -> path of a CSV file."""

    def make(text):
        path = tmp_path / 'log.csv'
        path.write_text(text, encoding='utf-8', newline='')
        return path

    return make


def test_every_row_is_a_line_and_the_file_is_one_more(write):
    path = write('rpm,temperature_c\n1500,20\n1600,75\n1700,51\n')
    rows = diagnose_table(predictor(), path)
    assert [(r['kind'], r['file']) for r in rows] == [('reading', str(path))] * 3 + [('table', str(path))]
    assert [(r['row'], r['predicted']) for r in rows[:3]] == [(0, 'normal'), (1, 'failure'), (2, 'failure')]
    for row, p in zip(rows, (0.2, 0.75, 0.51)):
        assert row['probabilities'] == pytest.approx({'normal': 1 - p, 'failure': p})
    assert rows[3] == {
        'kind': 'table',
        'file': str(path),
        'readings': 3,
        'predicted': {'normal': 1, 'failure': 2},
    }
    assert json.loads(json.dumps(rows)) == rows


@pytest.mark.parametrize(
    ('threshold', 'called'),
    [(None, [0, 0, 1]), (0.5, [0, 1, 1]), (0.2, [1, 1, 1]), (0.75, [0, 0, 1]), (0.9, [0, 0, 0])],
)
def test_the_threshold_of_the_checkpoint_decides(write, threshold, called):
    """0.25, 0.5 and 0.75 are exact: at the threshold itself a failure is called."""
    rows = diagnose_table(predictor(threshold), write('rpm,temperature_c\n1,25\n2,50\n3,75\n'))
    assert [NAMES.index(r['predicted']) for r in rows[:3]] == called
    assert rows[3]['predicted'] == {'normal': 3 - sum(called), 'failure': sum(called)}


def test_columns_are_found_by_name_and_labels_are_not_read(write):
    plain = diagnose_table(predictor(), write('rpm,temperature_c\n1500,20\n1600,75\n'))
    for text in (
        'temperature_c,rpm\n20,1500\n75,1600\n',
        'temperature_c,failure,rpm\n20,1,1500\n75,0,1600\n',
        '\ufeff"rpm", temperature_c \r\n1500,20\r\n\r\n1600,7.5e1\r\n',
    ):
        assert diagnose_table(predictor(), write(text)) == plain


def test_one_row_will_do(write):
    rows = diagnose_table(predictor(), write('rpm,temperature_c\n1500,80\n'))
    assert [r['kind'] for r in rows] == ['reading', 'table']
    assert rows[0]['predicted'] == 'failure'


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('rpm\n1500\n', "row 1, the header: columns missing: 'temperature_c'"),
        ('rpm,temperature_c,torque\n1,2,3\n', "row 1, the header: columns unknown: 'torque'"),
        ('rpm,temperature_c\n1500,20\n1600,warm\n', "row 3, column temperature_c: 'warm' ... number"),
        ('rpm,temperature_c\n1500,nan\n', "row 2, column temperature_c: 'nan' ... finite"),
        ('rpm,temperature_c\n1500\n', 'row 2 ... 1 cells, ... (row 1) has 2'),
        ('rpm,temperature_c\n', 'holds a header but no rows'),
        ('', 'is empty'),
    ],
)
def test_a_bad_file_is_named_with_row_and_column(says, write, text, words):
    path = write(text)
    with pytest.raises(DataError) as e:
        diagnose_table(predictor(), path)
    assert says(str(e.value), f'{path} ... {words}')


def test_options_of_signals_are_refused_by_name(write):
    path = write('rpm,temperature_c\n1500,20\n')
    predictor().check_options([])
    with pytest.raises(ConfigError, match='`sample_rate_hz`, `hop_s`: .*tables'):
        predictor().diagnose(path, hop_s=1.0, sample_rate_hz=100.0)
    recording = Recording(np.zeros((9, 1), np.float32), 9.0, 'a', '', '', '', '')
    with pytest.raises(DataError, match='the path of a CSV file'):
        predictor().diagnose(recording)


def test_a_table_has_a_verdict_per_row_and_a_single_row_is_its_own(write):
    several = predictor().diagnose(write('rpm,temperature_c\n1500,20\n1600,75\n'))
    assert (several.label, several.recording) == (None, None)
    assert 'see `windows`' in several.reason
    assert [row['predicted'] for row in several.windows] == ['normal', 'failure']
    assert several.probabilities == pytest.approx({'normal': 0.525, 'failure': 0.475})
    one = predictor().diagnose(write('rpm,temperature_c\n1500,80\n'))
    assert (one.label, one.reason) == ('failure', None)
    assert one.probabilities == pytest.approx({'normal': 0.2, 'failure': 0.8})


def test_a_row_without_finite_numbers_has_no_verdict(write):
    silent = predictor()
    whole = silent.patch_probabilities
    silent.patch_probabilities = lambda p: np.where(p[:, :1] > 1e30, np.float32(np.nan), whole(p))
    rows = diagnose_table(silent, write('rpm,temperature_c\n1500,75\n3e38,75\n'))
    assert [r['predicted'] for r in rows] == ['failure', None, {'normal': 0, 'failure': 1}]
    assert rows[1]['probabilities'] is None
    assert rows[1]['reason'].endswith('rpm is 3e+38')
    assert (rows[2]['readings'], rows[2]['without_verdict']) == (2, 1)
    assert 'reason' not in rows[0]
    json.dumps(rows, allow_nan=False)
