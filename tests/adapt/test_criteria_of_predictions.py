"""InfoMax and nuclear norm of predictions, against plain forms and at their limits."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.adapt.criteria_of_predictions import negative_information, negative_nuclear_norm
from fdx.types import DataError

CRITERIA = (negative_information, negative_nuclear_norm)


@pytest.fixture
def guesses():
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(4), size=50)


def test_plain_forms(guesses):
    mean = guesses.mean(0)
    information = -(mean * np.log(mean)).sum() + (guesses * np.log(guesses)).sum(1).mean()
    assert negative_information(guesses) == pytest.approx(-information, rel=1e-12)
    singular = np.sqrt(np.linalg.eigvalsh(guesses.T @ guesses))
    assert negative_nuclear_norm(guesses) == pytest.approx(-singular.sum() / np.sqrt(50 * 4), rel=1e-9)


def test_limits():
    certain = np.eye(4)[np.arange(40) % 4]
    assert negative_information(certain) == pytest.approx(-np.log(4))
    assert negative_nuclear_norm(certain) == pytest.approx(-1)
    even = np.full((40, 4), 0.25)
    one_class = np.eye(4)[np.zeros(40, int)]
    for p in (even, one_class):
        assert negative_information(p) == pytest.approx(0, abs=1e-12)
    # One class for all is no better than what a quarter of the classes is worth; guesses are worth less.
    assert negative_nuclear_norm(one_class) == pytest.approx(-0.5)
    assert negative_nuclear_norm(even) == pytest.approx(-0.25)


@pytest.mark.parametrize('criterion', CRITERIA)
def test_classes_may_be_exchanged_and_rows_shuffled(criterion, guesses):
    other = guesses[np.random.default_rng(1).permutation(50)][:, [2, 0, 3, 1]]
    assert criterion(other) == pytest.approx(criterion(guesses), rel=1e-9)


@pytest.mark.parametrize('criterion', CRITERIA)
@pytest.mark.parametrize('values', [np.ones((3, 2)), np.full((3, 2), np.nan), np.zeros((0, 2)), np.ones(3)])
def test_what_is_no_probability_is_refused(criterion, values):
    with pytest.raises(DataError):
        criterion(values)
