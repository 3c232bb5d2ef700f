"""Reading one file: the real 01, and the ways in which a logger's CSV can be bad."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest

from fdx.data.raw.files import read_raw_file
from fdx.datasets.soon.files import FILES
from fdx.datasets.soon.reader import COMMON_RATE_HZ, read_file
from fdx.types import DataError


@pytest.fixture
def rows(tmp_path, write_soon):
    """Lines of a sound file of 2,000 samples; its first row of numbers is row 2, lines[1]."""
    return write_soon(tmp_path / 'sound.csv', 2000).read_text().splitlines()


@pytest.fixture
def read(tmp_path):
    def read(lines, end='\n'):
        path = tmp_path / 'file.csv'
        path.write_text('\n'.join(lines) + end)
        return read_file(path, FILES[1])

    return read


def shifted(rows, first, shift_us):
    """The rows with every time from lines[first] on shifted."""
    cells = [row.split(',') for row in rows[first:]]
    return rows[:first] + [','.join([str(int(time) + shift_us), *rest]) for time, *rest in cells]


@pytest.mark.real_data
def test_real_file_01(raw_data):
    path = raw_data / 'soon' / FILES[1].name
    recording = read_file(path, FILES[1])
    assert recording.sample_rate_hz == pytest.approx(1e6 / 1876)
    assert recording.samples.dtype == np.float32
    assert recording.samples.shape == ((203405364 - 2141864) // 1876 + 1, 3)
    np.testing.assert_allclose(recording.samples[0], [3624, -567, 17452])
    # The levels of the file's own numbers; what Z has within 2 % of its Nyquist frequency is not interpolated.
    np.testing.assert_allclose(recording.samples.mean(axis=0, dtype=np.float64), [297, -185, 16203], atol=2)
    np.testing.assert_allclose(recording.samples.std(axis=0, dtype=np.float64), [1774, 593, 2433], rtol=0.02)
    assert (recording.recording, recording.label, recording.fault_type) == ('soon_01', '01_healthy', 'healthy')
    assert (recording.domain, recording.bearing, recording.load) == ('load0_m2none', 'm1', 0.0)
    assert math.isnan(recording.speed_rpm)
    # What a user's own recording goes through is the same, to half a count.
    np.testing.assert_allclose(read_raw_file(path).samples, recording.samples, atol=0.5)


@pytest.mark.real_data
def test_the_line_of_real_file_01_stays_where_it_is_while_the_logger_slows_down(raw_data):
    path = raw_data / 'soon' / FILES[1].name
    recording = read_file(path, FILES[1])
    raw = np.loadtxt(path, delimiter=',', skiprows=1)[:, 1]

    def lines_hz(x):
        """The strongest line above 40 Hz at 3 s, 50 s and 150 s, each over 5 s, on the scale of the median rate."""
        found = []
        for second in (3, 50, 150):
            start = round(second * recording.sample_rate_hz)
            part = x[start : start + 2665]
            power = np.abs(np.fft.rfft((part - part.mean()) * np.blackman(2665), 1 << 18))
            hz = np.arange(len(power)) * recording.sample_rate_hz / (1 << 18)
            found.append(hz[hz > 40][power[hz > 40].argmax()])
        return found

    assert lines_hz(recording.samples[:, 0]) == pytest.approx([44.88] * 3, abs=0.02)
    # By the median rate alone it would move by 3.6 %, with the digits of the clock: 1824, 1860 and 1892 us.
    assert lines_hz(raw) == pytest.approx([44.88 * us / 1876 for us in (1824, 1860, 1892)], rel=0.002)


def test_a_sound_file_and_a_wrap_of_the_clock_give_the_same_samples(rows, read):
    sound = read(rows)
    assert sound.sample_rate_hz == pytest.approx(1e6 / 1824)
    wrap = [rows[0]]
    for row in rows[1:]:
        time, _, rest = row.partition(',')
        wrap.append(f'{(int(time) - 2_141_864 - 1_000_000) % 2**32},{rest}')
    np.testing.assert_allclose(read(wrap).samples, sound.samples, rtol=1e-6, atol=1e-3)


def test_lost_samples_are_bridged_in_time(rows, read, caplog):
    sound = read(rows).samples
    gap = read([*rows[:500], *rows[502:]])
    assert [r.getMessage().partition('.csv: ')[2] for r in caplog.records] == [
        '2 lost samples are bridged, the first before row 501'
    ]
    # Nothing moves: what lies behind the gap keeps its time.
    assert len(gap.samples) == len(sound)
    away = np.r_[0:440, 560:1990]
    np.testing.assert_allclose(gap.samples[away], sound[away], atol=1)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda r: [*r[:700], *r[704:]], r'row 701: 4 samples .*lost .* 9\d\d\d us'),
        (lambda r: shifted(r, 700, 10_000_000), r'row 701: 548\d samples .*lost'),
        (lambda r: [x for i, x in enumerate(r) if i < 100 or i % 50], '38 samples .*lost .* 1961 rows, .* row 101'),
        (lambda r: shifted(r, 700, -100_000), r'row 701: time \d+ .*Timestamp .*back'),
        (lambda r: [*r[:700], r[699], *r[700:]], 'row 701: time 341\\d+ .*Timestamp .*repeats'),
        (lambda r: [*r[:700], '3415432,1,x,3', *r[700:]], r"row 701, column 3 \(AccY\): 'x' .*number"),
        (lambda r: [*r[:700], '3415432,1,3', *r[700:]], r"row 701 .* 3 cells, not 4: '3415432,1,3'"),
        (lambda r: [*r[:700], '3415432,1,nan,3', *r[700:]], r'row 701, column AccY: nan .*finite'),
        (lambda r: [*r[:700], r[0], *r[700:]], r"row 701, column 1 \(Timestamp\): 'Timestamp' .*number"),
        (lambda r: r[1:], r'row 1 .*header Timestamp,AccX,AccY,AccZ, .*none'),
        (lambda r: ['Time,X,Y,Z', *r[1:]], r'row 1 .*header .* Time,X,Y,Z: Timestamp, AccX, '),
        (lambda r: [row.rpartition(',')[0] for row in r], r'Timestamp,AccX,AccY: AccZ .*missing'),
        (lambda r: ['Timestamp,AccY,AccX,AccZ', *r[1:]], r'and is Timestamp,AccY,AccX,AccZ; replace'),
        (lambda r: r[:1], 'holds no rows of numbers|header but no rows'),
        (lambda r: r[:2], 'one row of numbers is not a recording'),
        (lambda r: [''], 'holds no rows of numbers'),
        (lambda r: [r[0]] + [f'{1000 * i},1,2,3' for i in range(50)], r'1000 us, .* 1000 Hz; .*526'),
        (lambda r: [r[0]] + [f'{2000 * i},1,2,3' for i in range(50)], r'2000 us, .* 500 Hz; .*512 to 600 Hz'),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_row(rows, read, change, words):
    with pytest.raises(DataError, match=words) as caught:
        read(change(rows))
    assert 'file.csv' in str(caught.value)


@pytest.mark.parametrize(
    ('last', 'level'), [('5789012,12', logging.WARNING), ('5789012,12,-5,162', logging.INFO), ('57', logging.WARNING)]
)
def test_a_cut_off_last_line_is_left_out(rows, read, caplog, last, level):
    sound = read(rows)
    with caplog.at_level(logging.INFO, logger='fdx'):
        cut = read([*rows, last], end='')
    np.testing.assert_array_equal(cut.samples, sound.samples)
    assert [(r.levelno, r.getMessage().partition('.csv: ')[2]) for r in caplog.records] == [
        (level, f'row 2002, {last!r}, has no line end, the file was cut off: left out')
    ]


def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(DataError, match=r'gone\.csv cannot be read: No such file'):
        read_file(tmp_path / 'gone.csv', FILES[1])


def test_the_common_rate_lies_below_a_clock_of_ten_digits(tmp_path, write_soon):
    recording = read_file(write_soon(tmp_path / 'late.csv', 500, start_us=1_500_000_000), FILES[2], 'a label')
    assert recording.sample_rate_hz == pytest.approx(1e6 / 1920, rel=0.005)
    assert recording.sample_rate_hz > COMMON_RATE_HZ
    assert (recording.label, recording.load) == ('a label', 0.5)
