"""Reading one file: the real ones, the order of the fields, and every way in which a file can be wrong."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.io

from fdx.datasets.mfpt.files import ARCHIVE_URL, FILES, MIRROR_URL, SUBSETS
from fdx.datasets.mfpt.reader import read_file
from fdx.signal.bearings import BEARINGS
from fdx.types import DataError

INNER = FILES['InnerRaceFault_vload_3']


def short(stem, length=1000):
    """The table's row with a duration that keeps synthetic files small."""
    file = FILES[stem]
    return dataclasses.replace(file, duration_s=length / file.rate_hz)


def ramp(length=1000):
    return np.arange(length, dtype=np.float64) / 8


@pytest.mark.real_data
def test_every_real_file_reads_as_the_table_says(raw_data):
    for file in SUBSETS['faults'].files:
        path = raw_data / 'mfpt' / file.name
        recording = read_file(path, file)
        content = scipy.io.loadmat(path)
        fields = content['bearing'][0, 0]
        np.testing.assert_array_equal(recording.samples, fields['gs'].astype(np.float32))
        assert recording.samples.shape == (146484, 1)
        assert recording.samples.dtype == np.float32
        assert recording.sample_rate_hz == fields['sr'].item() == 48828
        assert recording.speed_rpm == 60 * fields['rate'].item() == 1500
        assert recording.load == float(fields['load'].item()) == file.load_lbs
        assert recording.duration_s == 3.0
        assert 0.5 < recording.samples.std() < 4  # g
        # The files state the fault frequencies of their bearing at 25 Hz.
        assert 25 * recording.geometry.bpfo == pytest.approx(content['BPFO'].item(), rel=2e-3)
        assert 25 * recording.geometry.bpfi == pytest.approx(content['BPFI'].item(), rel=2e-3)


@pytest.mark.real_data
def test_a_real_recording_in_full(raw_data):
    recording = read_file(raw_data / 'mfpt' / 'OuterRaceFault_vload_6.mat', FILES['OuterRaceFault_vload_6'])
    assert (recording.recording, recording.label, recording.fault_type) == ('mfpt_outer_race_6',) + ('outer_race',) * 2
    assert (recording.bearing, recording.domain, recording.load) == ('outer_race', 'load250', 250.0)
    assert recording.source == 'OuterRaceFault_vload_6.mat'
    assert recording.geometry == BEARINGS['nice_mfpt']


@pytest.mark.parametrize('order', [('sr', 'gs', 'load', 'rate'), ('rate', 'load', 'gs', 'sr'), ('gs', 'rate', 'sr')])
@pytest.mark.parametrize('load', [270.0, '270', ' 270 lbs', np.uint16(270)])
def test_fields_are_read_by_name_in_any_order(tmp_path, order, load):
    values = {'sr': np.int32(97656), 'gs': ramp(), 'load': load, 'rate': np.uint8(24)}
    path = tmp_path / 'baseline_1.mat'
    scipy.io.savemat(path, {'bearing': {name: values[name] for name in order}})
    recording = read_file(path, short('baseline_1'))
    np.testing.assert_array_equal(recording.samples, ramp().astype(np.float32)[:, None])
    assert (recording.sample_rate_hz, recording.speed_rpm, recording.load) == (97656.0, 1440.0, 270.0)
    assert (recording.recording, recording.label, recording.domain) == ('mfpt_normal_1', 'normal', 'load270')


def cell(value, depth=1):
    for _ in range(depth):
        outer = np.empty((1, 1), object)
        outer[0, 0] = value
        value = outer
    return value


@pytest.mark.parametrize('depth', [1, 3])
def test_fields_and_the_struct_may_be_wrapped_in_cells(tmp_path, depth):
    fields = {'gs': ramp(), 'sr': 48828.0, 'load': '100', 'rate': 20.0}
    path = tmp_path / INNER.name
    scipy.io.savemat(path, {'bearing': cell({k: cell(v, depth) for k, v in fields.items()}, depth)})
    recording = read_file(path, short(INNER.stem))
    np.testing.assert_array_equal(recording.samples[:, 0], ramp().astype(np.float32))
    assert (recording.speed_rpm, recording.load) == (1200.0, 100.0)
    with pytest.raises(DataError, match='load is 100, and InnerRaceFault_vload_4 was taken at 150 lbs'):
        read_file(path, short('InnerRaceFault_vload_4'))


def test_row_vector_is_read_as_a_column(tmp_path, write_mfpt):
    path = write_mfpt(tmp_path, INNER, gs=ramp()[None])
    assert read_file(path, short(INNER.stem)).samples.shape == (1000, 1)


@pytest.mark.parametrize('rate', [None, np.nan, np.inf, 0.0, -25.0, [25.0, 25.0], 'fast'])
def test_unusable_shaft_speed_gives_way_to_the_nominal_one(tmp_path, write_mfpt, rate):
    path = write_mfpt(tmp_path, INNER, ramp(), rate=rate)
    assert read_file(path, short(INNER.stem)).speed_rpm == 1500.0


@pytest.mark.parametrize('load', [None, 'unknown', np.nan, [1.0, 2.0]])
def test_unreadable_load_gives_way_to_the_table(tmp_path, write_mfpt, load):
    recording = read_file(write_mfpt(tmp_path, INNER, ramp(), load=load), short(INNER.stem))
    assert (recording.load, recording.domain) == (100.0, 'load100')


def message(path, file=INNER):
    with pytest.raises(DataError) as caught:
        read_file(path, file)
    text = str(caught.value)
    assert text.startswith(str(path)), text
    assert f'Replace it by a fresh copy of {file.name} from {ARCHIVE_URL} or {MIRROR_URL}' in text, text
    return text


def test_a_file_under_another_one_s_name_is_told_by_its_load(tmp_path, write_mfpt):
    path = write_mfpt(tmp_path, FILES['InnerRaceFault_vload_4'], ramp(), name=INNER.name)
    assert 'bearing.load is 150, and InnerRaceFault_vload_3 was taken at 100 lbs' in message(path, short(INNER.stem))


@pytest.mark.parametrize(
    ('sr', 'shown'), [(97656.0, '97656.0'), (np.nan, 'nan'), ('fast', "'fast'"), ([1, 2], '(1, 2)')]
)
def test_another_rate_than_the_table_s_is_refused(tmp_path, write_mfpt, sr, shown):
    text = message(write_mfpt(tmp_path, INNER, ramp(), sr=sr), short(INNER.stem))
    assert 'bearing.sr is ' in text
    assert f'{shown}, and it was taken at 48828 Hz' in text


def test_wrong_duration_names_both(tmp_path, write_mfpt):
    text = message(write_mfpt(tmp_path, INNER, ramp(73242)))
    assert '73242 samples, 1.50 s at 48828 Hz, and 3 s were recorded' in text
    for length, fits in ((990, True), (989, False), (1010, True), (1011, False)):
        path = write_mfpt(tmp_path, INNER, ramp(length))
        if fits:
            assert len(read_file(path, short(INNER.stem)).samples) == length
        else:
            assert f'has {length} samples' in message(path, short(INNER.stem))


def test_bad_signals(says, tmp_path, write_mfpt):
    holes = ramp()
    holes[[7, 9]] = np.nan, np.inf
    for signal, text in (
        (holes, 'bearing.gs ... 2 values ... NaN ... sample 7'),
        (ramp() * 1j, 'bearing.gs ... complex128'),
        (ramp().reshape(2, 500), 'bearing.gs ... (2, 500)'),
        ('none', 'bearing.gs ... <U4'),
        (np.zeros((0, 0)), 'bearing.gs has 0 samples'),
    ):
        assert says(message(write_mfpt(tmp_path, INNER, ramp(), gs=signal), short(INNER.stem)), text)


def test_missing_fields_and_structs_list_what_there_is(says, tmp_path, write_mfpt):
    path = write_mfpt(tmp_path, INNER, ramp(), gs=None, sr=None)
    assert 'bearing has no field gs and sr; its fields are rate, load.' in message(path)
    path = tmp_path / 'x.mat'
    for variables, text in (
        ({'signal': ramp(), 'BPFO': 81.125}, 'bearing is missing; ... BPFO, signal'),
        ({}, 'the file holds nothing'),
        ({'bearing': ramp()}, 'bearing is not a struct ... float64 (1, 1000)'),
        ({'bearing': np.zeros((2, 1), [('gs', 'O'), ('sr', 'O')])}, 'bearing is not a struct with one element'),
    ):
        scipy.io.savemat(path, variables)
        assert says(message(path), text)


def test_other_formats_are_refused(tmp_path):
    path = tmp_path / INNER.name
    assert 'No such file' in message(path)
    for head in (b'', b'MATLAB 7.3 MAT-file, Platform: GLNXA64', b'PK\x03\x04 zip'):
        path.write_bytes(head)
        assert f'not a file of MATLAB 5: it begins {head[:40]!r}' in message(path)
    path.write_bytes(b'\n<!DOCTYPE html><html><title>Page not found</title></html>')
    assert 'an HTML page, not a MATLAB file' in message(path)


@pytest.mark.parametrize('kept', [0.3, 0.7, 0.99])
def test_half_a_file_is_an_error(tmp_path, write_mfpt, kept):
    path = write_mfpt(tmp_path, INNER, np.random.default_rng(0).normal(size=1000))
    whole = path.read_bytes()
    path.write_bytes(whole[: 128 + int(kept * (len(whole) - 128))])
    text = message(path, short(INNER.stem))
    assert 'damaged or cut short' in text or 'is missing' in text
