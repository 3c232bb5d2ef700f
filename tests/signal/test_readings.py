"""Readings as network inputs: z-scores by the training rows' means and deviations, column by column."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fdx.signal.front_ends import front_end_from_config
from fdx.signal.readings import ReadingsInput
from fdx.signal.scaling import as_gain, fit_gain, scale_samples
from fdx.types import ConfigError, DataError

COLUMNS = ('rpm', 'temperature_c', 'vibration_g')


@pytest.fixture
def front_end():
    return ReadingsInput('readings', COLUMNS)


@pytest.fixture(scope='module')
def rows():
    """float32 [50, 3] on levels as far apart as those of a machine."""
    rng = np.random.default_rng(0)
    return (rng.standard_normal((50, 3)) * (200.0, 5.0, 0.02) + (1600.0, 24.0, 0.12)).astype(np.float32)


def test_z_scores_are_numpy_s(front_end, rows):
    gain = fit_gain('zscore', rows)
    wide = rows.astype(np.float64)
    assert gain == (tuple(wide.mean(0).tolist()), tuple(wide.std(0).tolist()))
    found = front_end.with_gain(rows, gain)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, ((wide - wide.mean(0)) / wide.std(0)).astype(np.float32))
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(0), 1, rtol=1e-6)
    # One row, and rows in a batch of batches, go the same way.
    np.testing.assert_array_equal(front_end.with_gain(rows[7], gain), found[7])
    np.testing.assert_array_equal(front_end.with_gain(rows.reshape(5, 10, 3), gain), found.reshape(5, 10, 3))


def test_a_gain_survives_json(rows):
    gain = fit_gain('zscore', rows)
    stored = as_gain(json.loads(json.dumps(gain)))
    assert stored == gain
    assert hash(stored) == hash(gain)
    assert as_gain(np.array(2.0)) == 2.0
    assert as_gain([1, 2]) == (1.0, 2.0)


def test_a_column_that_is_constant_in_the_training_rows_is_refused(rows):
    constant = rows.copy()
    constant[:, 1] = 21.5
    with pytest.raises(DataError, match='column 1 .*21.5 .* 50 training rows: leave it out'):
        fit_gain('zscore', constant)
    with pytest.raises(DataError, match='column 0 is 1.5 in all 1 training rows'):
        fit_gain('zscore', np.array([[1.5, 2.0]]))


def test_z_scores_leave_samples_as_they_are(rows):
    assert scale_samples(rows, 'zscore') is rows


def test_the_front_end_takes_the_first_row_of_as_many_columns(front_end, rows):
    found = front_end(rows.astype(np.float64), 0.0)
    assert (found.dtype, found.tolist()) == (np.float32, rows[0].tolist())
    for bad in (rows[:, :2], rows[0], rows[:0], rows[None]):
        shape = str(bad.shape).replace('(', r'\(').replace(')', r'\)')
        with pytest.raises(DataError, match=f'rpm, temperature_c, vibration_g, not .* {shape}'):
            front_end(bad, 0.0)


def test_shapes(front_end):
    assert front_end.output_shape() == front_end.output_shape(3) == (3,)
    with pytest.raises(ConfigError, match='front end readings has 3 columns, not 1'):
        front_end.output_shape(1)


@pytest.mark.parametrize('gain', [1.0, (1.0, 2.0, 3.0), ((1.0, 2.0), (1.0, 1.0)), np.ones((3, 2))])
def test_gains_of_other_inputs_are_refused(front_end, rows, gain):
    shape = str(np.shape(gain)).replace('(', r'\(').replace(')', r'\)')
    with pytest.raises(DataError, match=f'deviations of 3 columns, not a gain of shape {shape}'):
        front_end.with_gain(rows, gain)


def test_the_description_makes_the_same_front_end(front_end):
    stored = json.loads(json.dumps(front_end.config()))
    assert front_end_from_config(stored) == front_end
    assert stored == {'kind': 'readings', 'name': 'readings', 'columns': list(COLUMNS), 'scaling': 'zscore'}


@pytest.mark.parametrize('options', [{'scaling': 'peak'}, {'scaling': 'median'}, {'columns': ()}])
def test_what_cannot_be_built_is_refused(options):
    with pytest.raises(ConfigError, match='zscore'):
        ReadingsInput(**{'name': 'readings', 'columns': COLUMNS, **options})
