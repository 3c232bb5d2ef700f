"""Changes and growth in the lives of PRONOSTIA's bearings, by the level of their vibration alone."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.health.change_point import find_changes
from fdx.health.normal_scores import normal_scores, serial_correlation
from fdx.health.remaining_life import remaining_life

DELIMITERS = {'Bearing1_1': ',', 'Bearing1_4': ';', 'Bearing3_1': ','}
RUN_LENGTH = 1000.0


@pytest.fixture(scope='module')
def lives(raw_data) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Bearing -> (seconds, RMS in g of its louder direction)."""
    found = {}
    for bearing, delimiter in DELIMITERS.items():
        files = sorted((raw_data / 'femto').glob(f'*/{bearing}/acc_*.csv'))
        if not files:
            pytest.skip(f'no recordings of {bearing}')
        levels = [np.loadtxt(f, delimiter=delimiter, usecols=(4, 5)).std(axis=0).max() for f in files]
        found[bearing] = np.array([10.0 * int(f.stem[4:]) for f in files]), np.array(levels)
    return found


def change_of(levels: np.ndarray, reference: int):
    z = normal_scores(np.log(levels), np.log(levels[:reference]), 'normal')
    correlation = serial_correlation(z[:reference])
    changes = find_changes(
        z[reference:], run_length=RUN_LENGTH, reference=reference, method='normal', correlation=correlation
    )
    return changes, reference


@pytest.mark.parametrize(('bearing', 'onset_share'), [('Bearing1_1', 0.4), ('Bearing1_4', 0.7)])
def test_the_last_change_lasts_and_begins_before_the_end(lives, bearing, onset_share):
    _, levels = lives[bearing]
    changes, first = change_of(levels, len(levels) // 3)
    assert len(changes.found) == 1 and changes.lasting is not None
    assert onset_share * len(levels) <= first + changes.lasting.onset < len(levels)
    assert first + changes.lasting.alarm < len(levels) - 1


def test_a_bearing_that_fails_by_a_jump_is_not_called_before(lives):
    _, levels = lives['Bearing3_1']
    changes, first = change_of(levels[:80], len(levels) // 3)
    assert not changes.found
    assert levels[-1] > 3 * np.median(levels[:80])


def test_remaining_life_is_silent_where_the_level_does_not_grow(lives):
    for bearing in DELIMITERS:
        times, levels = lives[bearing]
        first = slice(0, len(levels) // 3)
        found = remaining_life(times[first], levels[first], 5.0)
        assert found.high_days is None, bearing
