"""No verdict where a network's numbers are not finite."""

import json

import numpy as np
import pytest

from fdx.predict.verdicts import NOT_FINITE, marked, probability_row, refuse_not_finite, says_nothing, without_verdict
from fdx.types import DataError

GOOD = [0.25, 0.75]


@pytest.mark.parametrize('row', [[np.nan, 1.0], [np.inf, 0.0], [0.5, -np.inf], [np.nan, np.nan]])
def test_one_number_that_is_not_finite_marks_the_whole_row(row):
    got = marked(np.array([GOOD, row], np.float32))
    np.testing.assert_array_equal(got[0], np.float32(GOOD))
    assert np.isnan(got[1]).all()
    np.testing.assert_array_equal(without_verdict(got), [False, True])


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf, 3e38])
def test_an_answer_to_an_input_that_is_not_finite_is_none(value):
    inputs = np.zeros((2, 3, 4), np.float32)
    inputs[1, 2, 3] = value
    got = marked(np.array([GOOD, GOOD], np.float32), inputs)
    np.testing.assert_array_equal(without_verdict(got), [False, True])


def test_the_callers_probabilities_stay_as_they_are():
    given = np.array([[np.nan, 1.0]], np.float32)
    marked(given)
    assert given[0, 1] == 1.0


def test_probabilities_for_json():
    assert probability_row(['a', 'b'], np.float32(GOOD)) == {'a': 0.25, 'b': 0.75}
    assert json.dumps(probability_row(['a', 'b'], np.array([np.nan, 0.5])), allow_nan=False) == 'null'


def test_rows_without_a_verdict_are_told_from_others():
    rows = [{'predicted': 'a'}, {'predicted': None, 'reason': 'too few live windows'}]
    assert not says_nothing(rows)
    assert says_nothing([*rows, {'predicted': None, 'reason': NOT_FINITE}])


def test_scoring_refuses_and_names_run_step_and_remedy():
    refuse_not_finite(np.array([GOOD]), 'runs/a', 7)
    with pytest.raises(DataError, match=r'runs/a, step 7: .* for 1 of 2 rows, the first is row 1: .*learning_rate'):
        refuse_not_finite(np.array([GOOD, [np.nan, 0.1]]), 'runs/a', 7)
