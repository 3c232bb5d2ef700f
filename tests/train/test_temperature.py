"""The temperature of validation logits: calibrated where they say so, near 1 where they say nothing."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

from fdx.evaluate.metrics import expected_calibration_error
from fdx.train.temperature import fit_temperature


def drawn(n, sharpness, seed=0):
    """Logits [n, 4] that are `sharpness` times those that the labels are drawn from."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, 4))
    cumulated = scipy.special.softmax(logits, axis=1).cumsum(axis=1)
    return sharpness * logits, (rng.random((n, 1)) > cumulated).sum(axis=1)


@pytest.mark.parametrize('sharpness', [0.5, 1.0, 3.0])
def test_it_finds_how_much_too_sharp_they_are(sharpness):
    logits, labels = drawn(4000, sharpness)
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(sharpness, rel=0.06)
    new, truth = drawn(4000, sharpness, seed=1)
    calibrated = scipy.special.softmax(new / temperature, axis=1)
    assert expected_calibration_error(calibrated, truth) < 0.03
    np.testing.assert_array_equal(calibrated.argmax(axis=1), new.argmax(axis=1))


def test_rows_without_an_error_do_not_ask_for_certainty():
    labels = np.arange(60) % 3
    temperature = fit_temperature(8.0 * np.eye(3)[labels], labels)
    assert 0.8 < temperature <= 1


@pytest.mark.parametrize('n', [0, 1, 2])
def test_few_rows_hardly_move_it(n):
    logits, labels = np.eye(3)[:n] * 5.0, np.zeros(n, int)
    assert 0.4 < fit_temperature(logits, labels) < 2.5
    assert fit_temperature(np.zeros((n, 3)), labels) == pytest.approx(1, abs=1e-3)


def test_a_run_that_diverged_has_none():
    assert fit_temperature(np.array([[np.inf, 0.0], [0.0, 1.0]]), np.array([0, 1])) == 1
