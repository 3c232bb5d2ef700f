"""Clocks of text files: units, rates of the whole span, lost time and counters."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.raw.clock import round_rate
from fdx.data.raw.files import read_raw_file
from fdx.data.raw.gaps import counter_gaps, find_gaps, is_counter, without_gaps
from fdx.data.raw.text import TextFormat
from tests.data.raw_file_checks import refuse, write

N = 3000
X = np.round(np.random.default_rng(3).standard_normal(N), 4)
EPOCH = 1709287200


def timed(tmp_path, times, name='time', x=X):
    return write(tmp_path / 'a.csv', f'{name},acc\n' + ''.join(f'{t},{v}\n' for t, v in zip(times, x)))


def ticks(per_s, start=0, rate=12000):
    """Whole-number times of 12 kHz, rounded down."""
    return [start + i * per_s // rate for i in range(N)]


@pytest.mark.parametrize(
    ('name', 'times', 'rate'),
    [
        ('time', [f'{i / 12000:.9f}' for i in range(N)], 12000.0),
        ('time', [f'{EPOCH + i / 12000:.6f}' for i in range(N)], 12000.0),
        ('Time [ms]', [f'{i / 12:.4f}' for i in range(N)], 12000.0),
        ('t (us)', ticks(10**6), 12000.0),
        ('zeit_ns', ticks(10**9), 12000.0),
        ('time_100ns', ticks(10**7), 12000.0),
        ('timestamp', ticks(10**9, EPOCH * 10**9), 12000.0),
        ('timestamp', ticks(10**6, EPOCH * 10**6), 12000.0),
        ('timestamp', ticks(10**3, EPOCH * 10**3, 1000), 1000.0),
        ('timestamp', ticks(10**7, 638_448_840_000_000_000), 12000.0),  # .NET
        ('timestamp', ticks(10**7, 133_537_608_000_000_000), 12000.0),  # Windows files
        ('Millis', ticks(10**3, 77, 500), 500.0),
        ('X_Value', [f'{i / 51200:.8f}' for i in range(N)], 51200.0),
        ('', [f'{i / 25600:.7f}' for i in range(N)], 25600.0),
        ('date', [f'2024-03-01 10:00:00.{i * 10**6 // 12000:06d}' for i in range(N)], 12000.0),
        ('date', [f'01.03.2024T10:00:00.{i * 10**6 // 12000:06d}Z' for i in range(N)], 12000.0),
        ('clock', [f'23:59:59.{900000 + i * 10**6 // 12000:06d}' if i < 1200 else
                   f'0:00:00.{(i - 1200) * 10**6 // 12000:06d}' for i in range(N)], 12000.0),
    ],
)  # fmt: skip
def test_units(tmp_path, name, times, rate):
    recording = read_raw_file(timed(tmp_path, times, name))
    assert recording.sample_rate_hz == rate
    assert (recording.channel_names, recording.time_breaks) == (('acc',), ())
    np.testing.assert_allclose(recording.samples[:, 0], X, rtol=1e-6)


@pytest.mark.parametrize(
    ('name', 'times', 'words', 'unit', 'rate'),
    [
        ('timestamp', ticks(10**3, 0, 1000), ('1000 Hz in ms', '1e+06 Hz in us'), 'ms', 1000.0),
        ('time', ticks(10**6), ('12000 Hz in us', '120000 Hz in 100ns'), 'us', 12000.0),
        ('timestamp', ticks(10**7), ('1200 Hz in us', '12000 Hz in 100ns'), '100ns', 12000.0),
        ('', ticks(10**6), ('12000 Hz in us',), 'us', 12000.0),
        ('time', [f'{i / 12:.3f}' for i in range(N)], ('12 Hz in s', '12000 Hz in ms'), 'ms', 12000.0),
    ],
)
def test_an_open_unit_is_refused_and_the_advice_is_right(tmp_path, name, times, words, unit, rate):
    path = timed(tmp_path, times, name)
    refuse(path, *words, 'time_unit', 'sample_rate_hz')
    settled = read_raw_file(path, text_format=TextFormat(time_unit=unit))
    assert settled.sample_rate_hz == rate
    given = read_raw_file(path, sample_rate_hz=rate)
    # The column of times is no channel in either.
    assert settled.samples.shape == given.samples.shape == (N, 1)


def test_names_are_no_clocks_by_themselves(tmp_path):
    rng = np.random.default_rng(0)
    noisy = [f'{20 + 0.01 * v:.3f}' for v in rng.standard_normal(N)]
    for name in ('T', 't', 'temperature', 'Temp_C'):
        path = timed(tmp_path, noisy, name)
        refuse(path, 'sampling rate', 'sample_rate_hz')
        assert read_raw_file(path, sample_rate_hz=12000).channel_names == (name, 'acc')
    slow = [f'{20 + i / N:.2f}' for i in range(N)]
    recording = read_raw_file(timed(tmp_path, slow, 'T'), sample_rate_hz=12000)
    assert recording.channel_names == ('acc',) and 'column T rises steadily' in recording.notes[0]
    assert read_raw_file(timed(tmp_path, [f'{i / 12000:.6f}' for i in range(N)], 'T')).sample_rate_hz == 12000.0


def test_a_clock_without_a_name_is_no_channel(tmp_path):
    rows = [f'{i / 12000:.6f};{v}' for i, v in enumerate(X)]
    path = write(tmp_path / 'a.csv', '\n'.join(rows))
    recording = read_raw_file(path)
    assert (recording.sample_rate_hz, recording.samples.shape) == (12000.0, (N, 1))
    assert 'time_column=none' in recording.notes[0]
    given = read_raw_file(path, sample_rate_hz=24000)
    assert given.samples.shape == (N, 1)
    assert any('24000 Hz wins over the 12000 Hz' in note for note in given.notes)
    both = read_raw_file(path, sample_rate_hz=1, text_format=TextFormat(time_column='none', columns=('1', '2')))
    assert both.samples.shape == (N, 2)
    assert read_raw_file(path, text_format=TextFormat(time_column='1')).notes == ()
    refuse(path, "'time'", 'from 1 to 2', text_format=TextFormat(time_column='time'))


def test_a_ramp_of_another_name_is_neither_clock_nor_channel_by_itself(tmp_path):
    # As seconds it would mean 100 Hz.
    path = timed(tmp_path, [f'{600 + i / 100:.2f}' for i in range(N)], 'rpm')
    refuse(path, 'column rpm rises steadily', 'time_column`=rpm', 'sample_rate_hz')
    recording = read_raw_file(path, sample_rate_hz=12000)
    assert (recording.sample_rate_hz, recording.channel_names) == (12000.0, ('acc',))
    assert 'column rpm rises steadily' in recording.notes[0]
    settled = read_raw_file(path, text_format=TextFormat(time_column='rpm', time_unit='ms'))
    assert (settled.sample_rate_hz, settled.channel_names) == (100_000.0, ('acc',))
    both = read_raw_file(path, sample_rate_hz=12000, text_format=TextFormat(columns=('rpm', 'acc')))
    assert both.channel_names == ('rpm', 'acc')


def test_the_named_time_column_wins(tmp_path):
    rows = (f'{i / 24000:.7f},{i / 12000:.6f},{v}' for i, v in enumerate(X))
    path = write(tmp_path / 'a.csv', 'time,when,acc\n' + '\n'.join(rows))
    assert read_raw_file(path).sample_rate_hz == 24000.0
    recording = read_raw_file(path, text_format=TextFormat(time_column='when'))
    assert (recording.sample_rate_hz, recording.channel_names) == (12000.0, ('acc',))


@pytest.mark.parametrize('digits', range(4, 11))
def test_rounded_times_give_the_rate_of_the_whole_span(tmp_path, digits):
    recording = read_raw_file(timed(tmp_path, [f'{i / 12000:.{digits}f}' for i in range(N)]))
    assert recording.sample_rate_hz == (12000.0 if digits > 4 else pytest.approx(12000, rel=1e-3))
    assert recording.time_breaks == ()


@pytest.mark.parametrize(
    ('measured', 'rate'),
    [(12000.48, 12000), (25601.26, 25600), (44100.2, 44100), (51200.6, 51200), (99.9999, 100), (16384.3, 16384),
     (97656.25, 97656.25), (533.0490, 533.0490), (528.541, 528.541), (12003.0, 12003.0)],
)  # fmt: skip
def test_round_rates(measured, rate):
    assert round_rate(measured) == rate


def test_gaps_are_breaks_and_do_not_spoil_the_rate(tmp_path):
    kept = np.delete(np.arange(N), np.r_[500:510, 900, 2000:2500])
    for digits in (5, 6, 9):
        recording = read_raw_file(timed(tmp_path, [f'{i / 12000:.{digits}f}' for i in kept], x=X[kept]))
        assert recording.sample_rate_hz == 12000.0
        assert recording.time_breaks == (500, 890, 1989)
        assert len(recording.samples) == len(kept)
        assert recording.notes == (
            'the times in column time have 3 gaps: 511 samples (0.04258 s at 12000 Hz) are missing, first before row '
            '502',
        )
    counted = read_raw_file(timed(tmp_path, kept, 'sample', X[kept]), sample_rate_hz=12000)
    assert (counted.channel_names, counted.time_breaks) == (('acc',), (500, 890, 1989))
    assert counted.notes == ('the counter in column sample has 3 jumps: 511 samples are missing, first before row 502',)


@pytest.mark.parametrize(
    'times',
    [
        np.arange(5000) + 0.2 * np.random.default_rng(0).standard_normal(5000),
        np.floor(1.3 * np.arange(5000)),
        np.floor(1.005 * np.arange(5000)),
        np.round(np.arange(5000) / 12000, 4),
        np.arange(5000) * 83.0,
        EPOCH + np.arange(5000) / 12000,
        np.where(np.arange(5000) == 99, 0.7, 0) + np.arange(5000),  # one late stamp
        np.cumsum(np.repeat([1824, 1892], 2500)).astype(float),  # drift
    ],
)
def test_jitter_rounding_and_drift_are_no_gaps(times):
    gaps = find_gaps(np.sort(times))
    assert gaps.breaks.size == 0 and not gaps.bursts
    assert gaps.step == pytest.approx((times[-1] - times[0]) / 4999, rel=1e-3)


@pytest.mark.parametrize(
    ('kept', 'scale', 'breaks', 'lost'),
    [
        (np.delete(np.arange(5000), 500), 1.0, [500], [1]),
        (np.delete(np.arange(5000), np.r_[700:710]), 1.3, [700], [10.5]),
        (np.delete(np.arange(5000), np.r_[9:20, 30]), 1 / 512, [9, 19], [11, 1]),
        (np.r_[np.arange(100.0), 100.5 + np.arange(100)], 1.0, [100], [0.5]),
        (np.delete(np.arange(40), 20), 1.0, [20], [1]),
    ],
)
def test_gaps_in_times(kept, scale, breaks, lost):
    times = np.floor(scale * kept) if scale == 1.3 else scale * np.asarray(kept)
    gaps = find_gaps(times)
    assert gaps.breaks.tolist() == breaks
    np.testing.assert_allclose(gaps.lost, lost, atol=0.1)
    assert gaps.step == pytest.approx(scale, rel=1e-3)
    even = without_gaps(times, gaps)
    assert np.diff(even).max() < 1.8 * scale


def test_bursts_are_no_gaps(tmp_path):
    times = np.repeat(np.arange(N // 5) * 0.05, 5) + np.tile(np.arange(5) * 1e-3, N // 5)
    path = timed(tmp_path, [f'{t:.4f}' for t in times])
    refuse(path, 'bursts', '1000 Hz', '100.', 'sample_rate_hz')
    assert read_raw_file(path, sample_rate_hz=100).time_breaks == ()


@pytest.mark.parametrize(
    ('values', 'breaks', 'lost'),
    [
        (np.arange(600) % 256, [], []),
        (np.delete(np.arange(600), [50, 51]) % 256, [50], [2]),
        (np.delete(np.arange(600), np.r_[250:260]) % 256, [250], [10]),
        (np.arange(70000) % 65536, [], []),
        (np.repeat(np.arange(40), 10), [], []),
        (np.delete(np.repeat(np.arange(40), 10), range(100, 120)), [100], [20]),
        (np.r_[0:70, 0:70], [70], [np.nan]),
    ],
)
def test_counters(values, breaks, lost):
    assert is_counter('packet', values.astype(float))
    gaps = counter_gaps(values.astype(float))
    assert gaps.breaks.tolist() == breaks
    np.testing.assert_array_equal(gaps.lost, lost)


@pytest.mark.parametrize('name', ['count', 'noise', 'ADC counts', 'index'])
def test_signals_are_no_counters(name):
    rng = np.random.default_rng(0)
    assert not is_counter(name, np.rint(1000 * rng.standard_normal(500)))
    assert not is_counter(name, np.full(500, 3.0))
    assert not is_counter(name, rng.integers(0, 2, 500).astype(float))


def test_lost_packets_beside_a_clock_that_was_made_up(tmp_path):
    kept = np.delete(np.arange(N), np.r_[1000:1200])
    rows = (f'{j / 12000:.6f},{i // 10},{X[i]}' for j, i in enumerate(kept))
    path = write(tmp_path / 'a.csv', 'time,packet_id,acc\n' + '\n'.join(rows))
    recording = read_raw_file(path)
    assert (recording.channel_names, recording.time_breaks) == (('acc',), (1000,))
    assert recording.notes == (
        'the counter in column packet_id has 1 jump: 200 samples (0.01667 s at 12000 Hz) are missing, first before row '
        '1002',
    )


def test_breaks_follow_a_drifting_clock_to_the_even_grid(tmp_path):
    times = 2_000_000 + np.concatenate(([0], np.cumsum(np.repeat([1824, 1892], 1500))))[:N]
    times[2000:] += 50 * 1892
    recording = read_raw_file(timed(tmp_path, times, 'Timestamp_us'))
    (found,) = recording.time_breaks
    step = np.median(np.diff(times))
    assert found == pytest.approx((times[1999] + 1892 - times[0]) / step, abs=1)
    assert len(recording.samples) == pytest.approx((times[-1] - times[0] - 50 * 1892) / step, abs=2)
    assert 'first before row 2002' in recording.notes[0]
