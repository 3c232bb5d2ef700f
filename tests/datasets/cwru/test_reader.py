"""Reading one file: the traps of the real ones, and every way in which a file can be wrong."""

import dataclasses

import numpy as np
import pytest
import scipy.io

from fdx.datasets.cwru.files import FILES, get_file
from fdx.datasets.cwru.reader import read_file
from fdx.types import DataError


def _short(number, length=50):
    """The table's row with a length that keeps synthetic files small."""
    return dataclasses.replace(get_file(number), length=length)


def _write(folder, name, **variables):
    path = folder / name
    scipy.io.savemat(path, variables)
    return path


def _ramp(start, length=50):
    return (start + np.arange(length, dtype=np.float64)).reshape(-1, 1)


def test_every_real_file_reads_as_the_table_says(raw_data):
    numbers = [n for n, file in FILES.items() if (raw_data / 'cwru' / file.name).is_file()]
    assert len(numbers) >= 10
    for number in numbers:
        file = get_file(number)
        recording = read_file(raw_data / 'cwru' / file.name, file, 'DE')
        assert recording.samples.shape == (file.length, 1)
        assert recording.samples.dtype == np.float32
        assert recording.sample_rate_hz == file.rate_hz
        assert abs(recording.speed_rpm - file.nominal_rpm) < 10
        assert np.abs(recording.samples).max() < 15  # g; the accelerometers saturate below this
        assert recording.samples.std() > 0.03


def test_healthy_recording_in_full(raw_data):
    recording = read_file(raw_data / 'cwru' / '97.mat', get_file(97), 'DE')
    assert recording.recording == 'cwru_097_de'
    assert (recording.label, recording.fault_type, recording.bearing) == ('normal', 'normal', 'normal')
    assert (recording.domain, recording.load, recording.source) == ('load0', 0.0, '97.mat')
    assert recording.sample_rate_hz == 48000.0
    assert recording.speed_rpm == 1796.0
    assert recording.duration_s == pytest.approx(5.082, abs=1e-3)
    raw = scipy.io.loadmat(raw_data / 'cwru' / '97.mat')['X097_DE_time']
    np.testing.assert_array_equal(recording.samples, raw.astype(np.float32))


def test_channels_are_told_apart(raw_data):
    path, file = raw_data / 'cwru' / '105.mat', get_file(105)
    raw = scipy.io.loadmat(path)
    for channel in ('DE', 'FE', 'BA'):
        recording = read_file(path, file, channel)
        assert recording.recording == f'cwru_105_{channel.lower()}'
        np.testing.assert_array_equal(recording.samples, raw[f'X105_{channel}_time'].astype(np.float32))


def test_real_174_is_read_from_the_variables_of_173(raw_data):
    path = raw_data / 'cwru' / '174.mat'
    if not path.is_file():
        pytest.skip('174.mat is not at hand')
    recording = read_file(path, get_file(174), 'DE')
    assert recording.samples.shape == (63788, 1)
    assert (recording.recording, recording.acquisition) == ('cwru_174_de', 'cwru_174')
    assert recording.speed_rpm == 1796.0


def test_real_3001_to_3008_have_the_nominal_speed_and_one_channel(raw_data):
    for number, rpm in ((3001, 1797.0), (3004, 1730.0), (3005, 1797.0), (3008, 1730.0)):
        path = raw_data / 'cwru' / f'{number}.mat'
        if not path.is_file():
            pytest.skip(f'{number}.mat is not at hand')
        assert read_file(path, get_file(number), 'DE').speed_rpm == rpm
        with pytest.raises(DataError, match="no channel 'FE': choose one of DE"):
            read_file(path, get_file(number), 'FE')


@pytest.mark.parametrize(('number', 'other'), [(99, 98), (175, 217), (217, 215)])
def test_second_recording_in_a_file_is_passed_over(tmp_path, number, other):
    path = _write(
        tmp_path,
        f'{number}.mat',
        **{f'X{other:03d}_DE_time': _ramp(1000), f'X{other:03d}RPM': 1.0},
        **{f'X{number:03d}_DE_time': _ramp(0), f'X{number:03d}RPM': 1755.0},
    )
    recording = read_file(path, _short(number), 'DE')
    np.testing.assert_array_equal(recording.samples, _ramp(0).astype(np.float32))
    assert recording.speed_rpm == 1755.0


@pytest.mark.parametrize('number', [98, 99, 100])
def test_other_healthy_files_are_at_48_khz_too(tmp_path, number):
    path = _write(tmp_path, f'{number}.mat', **{f'X{number:03d}_FE_time': _ramp(0)})
    recording = read_file(path, _short(number), 'FE')
    assert recording.sample_rate_hz == 48000.0
    assert recording.speed_rpm == get_file(number).nominal_rpm


@pytest.mark.parametrize('number', [277, 278])
def test_stray_variable_does_no_harm(tmp_path, number):
    path = _write(tmp_path, f'{number}.mat', i=_ramp(7), **{f'X{number}_FE_time': _ramp(0), f'X{number}RPM': 1790.0})
    recording = read_file(path, _short(number), 'FE')
    np.testing.assert_array_equal(recording.samples, _ramp(0).astype(np.float32))
    assert recording.bearing.startswith('fe_inner_race_')


def test_swapped_309_and_310_get_their_true_loads(tmp_path):
    for number, domain, label in ((310, 'load0', 'outer_race_014@3'), (309, 'load1', 'outer_race_014@3')):
        path = _write(tmp_path, f'{number}.mat', **{f'X{number}_FE_time': _ramp(0)})
        recording = read_file(path, _short(number), 'FE')
        assert (recording.domain, recording.label) == (domain, label)


@pytest.mark.parametrize('rpm', [np.nan, np.inf, 0.0, [1796.0, 1797.0], 'fast'])
def test_unusable_speed_gives_way_to_the_nominal_one(tmp_path, rpm):
    path = _write(tmp_path, '105.mat', X105_DE_time=_ramp(0), X105RPM=rpm)
    assert read_file(path, _short(105), 'DE').speed_rpm == 1797.0


def test_row_vector_is_read_as_a_column(tmp_path):
    path = _write(tmp_path, '105.mat', X105_DE_time=_ramp(0).T)
    np.testing.assert_array_equal(read_file(path, _short(105), 'DE').samples, _ramp(0).astype(np.float32))


def _message(path, file):
    with pytest.raises(DataError) as caught:
        read_file(path, file, 'DE')
    text = str(caught.value)
    assert text.startswith(str(path)), text
    assert file.url in text, text
    return text


def test_html_page_is_told_as_such(tmp_path):
    path = tmp_path / '105.mat'
    path.write_bytes(b'\n<!DOCTYPE html><html><title>Page not found</title></html>')
    assert 'an HTML page, not a MATLAB file' in _message(path, get_file(105))


def test_other_formats_are_refused(tmp_path):
    path = tmp_path / '105.mat'
    for head in (b'', b'MATLAB 7.3 MAT-file, Platform: GLNXA64', b'PK\x03\x04 zip'):
        path.write_bytes(head)
        assert f'not a file of MATLAB 5: it begins {head[:40]!r}' in _message(path, get_file(105))


def test_missing_file_is_named(tmp_path):
    assert 'No such file' in _message(tmp_path / '105.mat', get_file(105))


@pytest.mark.parametrize('kept', [0.3, 0.7, 0.99])
def test_half_a_file_is_an_error(tmp_path, kept):
    noise = np.random.default_rng(0).normal(size=(50, 1))
    whole = _write(tmp_path, '105.mat', X105_DE_time=noise).read_bytes()
    path = tmp_path / 'cut.mat'
    path.write_bytes(whole[: 128 + int(kept * (len(whole) - 128))])
    assert 'damaged or cut short' in _message(path, _short(105))


def test_missing_variable_lists_what_there_is(tmp_path):
    path = _write(tmp_path, '105.mat', X106_DE_time=_ramp(0), X106RPM=1772.0)
    assert 'X105_DE_time is missing; the file holds X106RPM, X106_DE_time' in _message(path, _short(105))


def test_file_without_variables(tmp_path):
    assert 'the file holds nothing' in _message(_write(tmp_path, '105.mat'), _short(105))


def test_wrong_length_names_both(tmp_path):
    path = _write(tmp_path, '105.mat', X105_DE_time=_ramp(0, 49))
    text = _message(path, get_file(105))
    assert '(49, 1)' in text
    assert '121265 samples' in text


def test_nan_and_infinity_are_counted_and_located(tmp_path):
    samples = _ramp(0)
    samples[[7, 9]] = [[np.nan], [np.inf]]
    path = _write(tmp_path, '105.mat', X105_DE_time=samples)
    assert 'X105_DE_time has 2 values that are NaN or infinite, the first at sample 7' in _message(path, _short(105))


def test_complex_samples_are_refused(tmp_path):
    path = _write(tmp_path, '105.mat', X105_DE_time=_ramp(0) * 1j)
    assert 'complex128, not real numbers' in _message(path, _short(105))
