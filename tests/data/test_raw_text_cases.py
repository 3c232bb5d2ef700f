"""The text files of ../shared/cases: each script's right column, and the real files of ADI and PRONOSTIA."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest
import scipy.io
import scipy.signal

from fdx.data.raw.files import read_raw_file
from fdx.data.raw.text import TextFormat
from fdx.signal.usable import inspect_recording
from fdx.types import DataError
from tests.data.raw_file_checks import refuse

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT.parent / 'shared' / 'cases'
pytestmark = pytest.mark.real_data


def run_script(name: str, *arguments: object, raw_data: pathlib.Path | None = None) -> None:
    """Runs a script of the cases; skips where it is absent."""
    if not (CASES / name).is_file():
        pytest.skip(f'{CASES / name} is absent')
    env = {**os.environ, 'FDX_RAW_DATA': str(raw_data)} if raw_data else None
    subprocess.run([sys.executable, CASES / name, *map(str, arguments)], check=True, env=env, cwd=ROOT, timeout=120)


def cwru(raw_data: pathlib.Path, number: int) -> np.ndarray:
    return scipy.io.loadmat(raw_data / 'cwru' / f'{number}.mat')[f'X{number:03d}_DE_time'][:, 0]


@pytest.fixture(scope='module')
def numbers(raw_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp('numbers')
    run_script('csv_first_row_and_numbers.py', folder, raw_data=raw_data)
    return folder


@pytest.mark.parametrize('state', ['healthy', 'inner'])
def test_numeric_headers_and_separators(numbers, raw_data, state):
    x = scipy.signal.resample_poly(cwru(raw_data, 97), 1, 4)[:36000] if state == 'healthy' else cwru(raw_data, 105)
    x = np.round(x[:36000], 6)
    read = {
        p.name.removeprefix(f'{state}_'): read_raw_file(p, sample_rate_hz=12000) for p in numbers.glob(f'{state}_*')
    }
    assert len(read) == 9
    for name, recording in read.items():
        assert recording.samples.shape[0] == 36000, name
        if 'counts' not in name:
            for i in range(recording.samples.shape[1]):
                np.testing.assert_allclose(recording.samples[:, i], x, atol=1e-6, err_msg=name)
    # None of them is silent about it.
    assert 'row 1 (12000) is taken for names' in read['header_12000.csv'].notes[0]
    assert 'row 1 (0,1,2) is taken for names' in read['header_0_1_2.csv'].notes[0]
    plain = read.pop('counts_plain.csv').samples
    assert np.abs(plain).max() > 1000
    for name in [n for n in read if 'thousands' in n]:
        np.testing.assert_array_equal(read[name].samples, plain, err_msg=name)
        assert 'is read as 1' in read[name].notes[0], name


def test_time_columns(raw_data, tmp_path):
    run_script('time_columns.py', tmp_path, raw_data=raw_data)
    for name in ('epoch_s_ns_digits', 'epoch_s_us_digits', 'relative_s_ns_digits', 'epoch_ns'):
        recording = read_raw_file(tmp_path / f'{name}.csv')
        assert recording.sample_rate_hz == 12000.0, name
        assert (recording.samples.shape, recording.channel_names) == ((36000, 1), ('acc',)), name
    started = time.process_time()
    assert read_raw_file(tmp_path / 'epoch_ms_1khz_20min.csv').sample_rate_hz == 1000.0
    assert time.process_time() - started < 10
    refuse(tmp_path / 'ms_1khz_20min.csv', '1000 Hz in ms', '1e+06 Hz in us', 'time_unit')
    ticks = tmp_path / 'ticks_100ns.csv'
    refuse(ticks, '1200 Hz in us', '12000 Hz in 100ns', 'time_unit')
    # Both pieces of advice lead to the right rate and to one channel.
    for kwargs in ({'text_format': TextFormat(time_unit='100ns')}, {'sample_rate_hz': 12000}):
        recording = read_raw_file(ticks, **kwargs)
        assert (recording.sample_rate_hz, recording.samples.shape) == (12000.0, (36000, 1))
    temperature = tmp_path / 'T_temperature_noisy.csv'
    refuse(temperature, 'sampling rate', 'sample_rate_hz')
    assert read_raw_file(temperature, sample_rate_hz=12000).channel_names == ('T', 'acc')


def test_rounded_times(raw_data, tmp_path):
    run_script('times_rounded.py', tmp_path, raw_data=raw_data)
    files = sorted(tmp_path.glob('time_*.csv'))
    assert len(files) == 6
    for path in files:
        recording = read_raw_file(path)
        assert recording.sample_rate_hz == 12000.0, path.name
        assert recording.time_breaks == () and recording.notes == (), path.name
        np.testing.assert_allclose(recording.samples[:, 0], cwru(raw_data, 105)[:60000], rtol=1e-6)


def test_axes_keep_their_order(tmp_path):
    from fdx.datasets.motor_rig import conditions, csv_file, simulator

    source = tmp_path / 'in.csv'
    csv_file.write_csv(
        source, simulator.simulate('motor_a', conditions.Condition(load_nm=0.5), duration_s=5.0, seed=11)
    )
    run_script('axis_order.py', source, tmp_path / 'out')
    plain = read_raw_file(source)
    for order in ('XYZ', 'ZXY', 'YXZ', 'ZYX'):
        recording = read_raw_file(tmp_path / 'out' / f'{order}.csv')
        assert recording.channel_names == tuple(f'Acc{axis}' for axis in order)
        assert recording.sample_rate_hz == plain.sample_rate_hz
        np.testing.assert_array_equal(recording.samples, plain.samples[:, ['XYZ'.index(axis) for axis in order]])
    assert read_raw_file(tmp_path / 'out' / 'temp_XY.csv').channel_names == ('Temp_C', 'AccX', 'AccY')


def test_a_wide_header_is_refused_at_once(tmp_path):
    run_script('broken_files.py', tmp_path)
    started = time.process_time()
    refuse(tmp_path / 'wide_header.csv', '20000 names', '1 cell')
    assert time.process_time() - started < 0.2


def test_all_files_of_adi(raw_data):
    files = sorted((raw_data / 'adi_cbm').glob('*.csv'))
    if not files:
        pytest.skip('adi_cbm is absent')
    assert len(files) >= 60
    for path in files:
        recording = read_raw_file(path)
        assert (recording.samples.shape, recording.sample_rate_hz) == ((40000, 3), 20000.0), path.name
        assert recording.notes[0].startswith('row 1 has 3 cells more than the others'), path.name
        assert 'number 1 rises steadily and is taken for the time' in recording.notes[1], path.name
        # A sensor at 0.9 V.
        np.testing.assert_allclose(recording.samples.mean(axis=0), 0.9, atol=0.02, err_msg=path.name)
        # As test_usable_real.py asks of the other recordings: nothing wild, nothing dead.
        found = inspect_recording(recording, 1000)[1]
        assert (found.wild_samples, int(found.dead.sum())) == (0, 0), path.name


@pytest.mark.parametrize('bearing', ['Bearing1_1', 'Bearing1_4', 'Bearing2_1', 'Bearing3_1'])
def test_files_of_pronostia(raw_data, bearing):
    files = sorted((raw_data / 'femto').glob(f'*/{bearing}/acc_*.csv'))
    if not files:
        pytest.skip('femto is absent')
    for path in files[::7]:
        recording = read_raw_file(path)
        assert (recording.samples.shape, recording.sample_rate_hz) == ((2560, 2), 25600.0), path.name
        last = path.read_text().split()[-1].replace(';', ',').split(',')[-2:]
        np.testing.assert_allclose(recording.samples[-1], [float(v) for v in last], rtol=1e-6)
        assert not recording.time_breaks


def test_the_file_of_soon_has_lost_nothing(raw_data):
    try:
        recording = read_raw_file(next((raw_data / 'soon').glob('01*.csv')))
    except DataError as e:
        pytest.fail(str(e))
    assert recording.sample_rate_hz == pytest.approx(1e6 / 1876)
    assert (recording.channel_names, recording.time_breaks, recording.notes) == (('AccX', 'AccY', 'AccZ'), (), ())
