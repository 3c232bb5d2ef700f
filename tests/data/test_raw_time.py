"""Clocks that wrap and clocks that drift, in a user's file and by themselves."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from fdx.data.raw.clock import read_clock
from fdx.data.raw.files import read_raw_file
from fdx.data.raw.time import TimeColumn, has_drift, on_even_grid, unwrapped
from fdx.types import DataError

SPAN = 2**32


def column(values, name='Timestamp'):
    return TimeColumn('f.csv', name, np.asarray(values, np.float64), lambda i: i + 2)


def drifting_us(count=4000):
    """Steps of 1,824 us, then of 1,892 us."""
    return 2_000_000 + np.concatenate(([0], np.cumsum(np.repeat([1824, 1892], count // 2))))


def test_a_wrap_of_32_bits_is_undone(caplog):
    true = SPAN - 5000 + 1876 * np.arange(10)
    with caplog.at_level(logging.INFO, logger='fdx'):
        got = unwrapped(column(true % SPAN))
    np.testing.assert_array_equal(got.values, true)
    assert 'wraps at 2^32 (row 5)' in caplog.text
    twice = 100 + 200_000_000 * np.arange(50)
    np.testing.assert_array_equal(unwrapped(column(twice % SPAN)).values, twice)


@pytest.mark.parametrize(
    'values',
    [
        [0, 1876, 3752, 1000, 2876],  # a clock that was set back
        [SPAN - 2000, SPAN - 124, 500_000_000, 500_001_876],  # nearly half a span is missing
        [SPAN - 2000.5, SPAN - 124.5, 1751.5, 3627.5],  # no counter
        [0, 1876, 3752, 5628],
    ],
)
def test_nothing_else_is_taken_for_a_wrap(values):
    np.testing.assert_array_equal(unwrapped(column(values)).values, values)


def test_a_clock_that_goes_back_is_still_refused_with_its_row():
    with pytest.raises(DataError, match=r'row 5: time 1000 .*Timestamp .*3752.*time_column'):
        read_clock(unwrapped(column([0, 1876, 3752, 1000, 2876])), need_rate=True)


def test_rounded_times_are_no_drift_and_changing_rates_are():
    # The median of rounded steps differs from the mean by 1.3 %, but the times follow a line.
    rounded = column(np.round(18.75 * np.arange(3000)), 'time_ms')
    assert not has_drift(rounded)
    x = np.arange(3000.0)[:, None]
    assert on_even_grid(rounded, x, 1000 / 19) is x
    assert has_drift(column(drifting_us()))
    # Steps that scatter by more than 5 % are not trusted.
    wild = drifting_us() + np.random.default_rng(0).integers(-300, 300, 4001)
    assert not has_drift(column(np.sort(wild)))


def test_a_sample_that_is_no_number_keeps_its_position():
    x = np.ones((4001, 2))
    x[2500, 1] = np.nan
    assert np.argwhere(np.isnan(on_even_grid(column(drifting_us()), x, 1e6 / 1858))).tolist() == [[2500, 1]]
    x[2500, 1] = 1
    np.testing.assert_allclose(on_even_grid(column(drifting_us()), x, 1e6 / 1858), 1, atol=1e-6)


def test_rounded_times_give_the_rate_of_the_whole_and_drift_is_told_as_a_fact(tmp_path, caplog):
    times = np.round(18.75 * np.arange(3000))
    path = tmp_path / 'rounded.csv'
    path.write_text('time_ms,x\n' + ''.join(f'{t:.0f},{i % 7}\n' for i, t in enumerate(times)))
    recording = read_raw_file(path)
    assert len(recording.samples) == 3000
    # The median step, 19 ms, would give 52.63 Hz.
    assert recording.sample_rate_hz == pytest.approx(1000 / 18.75, rel=1e-4)
    assert not caplog.records
    caplog.clear()
    path = tmp_path / 'drifting.csv'
    # Two thirds of the steps are long, so that median and mean differ by more than 0.2 %.
    times = 10_000_000 + np.concatenate(([0], np.cumsum(np.repeat([1824, 1892], [1000, 2000]))))
    path.write_text('Timestamp_us,x\n' + ''.join(f'{t},{i % 7}\n' for i, t in enumerate(times)))
    with caplog.at_level(logging.INFO, logger='fdx'):
        recording = read_raw_file(path)
    assert [r.levelno for r in caplog.records] == [logging.INFO]
    assert 'drifts by 24 samples; samples are interpolated at even times of 528.541 Hz' in caplog.text
    assert len(recording.samples) == (times[-1] - times[0]) // 1892 + 1


def test_a_tone_of_a_drifting_file_is_read_at_its_frequency_unless_the_rate_is_given(tmp_path):
    times = drifting_us()
    tone = 10_000 * np.sin(2 * np.pi * 44.88e-6 * (times - times[0]))
    path = tmp_path / 'tone.csv'
    path.write_text('Timestamp_us,x\n' + ''.join(f'{t},{x:.3f}\n' for t, x in zip(times, tone)))

    def line_hz(samples, rate_hz):
        power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 18))
        return power.argmax() * rate_hz / (1 << 18)

    even = read_raw_file(path)
    x, half = even.samples[:, 0], len(even.samples) // 2
    assert even.sample_rate_hz == pytest.approx(1e6 / 1858)
    assert line_hz(x[:half], even.sample_rate_hz) == pytest.approx(44.88, abs=0.02)
    assert line_hz(x[half:], even.sample_rate_hz) == pytest.approx(44.88, abs=0.02)
    given = read_raw_file(path, sample_rate_hz=even.sample_rate_hz).samples[:, 0]
    np.testing.assert_allclose(given, tone, rtol=1e-6, atol=1e-3)
    assert line_hz(given[:2000], even.sample_rate_hz) == pytest.approx(44.88 * 1824 / 1858, abs=0.05)
