"""TDMS files as npTDMS writes them: channels, groups, rates, units, pieces, damage."""

from __future__ import annotations

import resource

import numpy as np
import pytest
from nptdms import ChannelObject, GroupObject, RootObject, TdmsWriter

from fdx.data.raw.files import raw_length, read_raw_file
from fdx.types import DataError
from tests.data.raw_file_checks import refuse

X = np.sin(np.arange(2000) * 0.1)
STEP = {'wf_increment': 1 / 25600, 'unit_string': 'g'}


def tdms(path, channels, segments=1, root=None, groups=None):
    """Channels {(group, name): (values, properties)}, written in so many segments."""
    with TdmsWriter(path) as writer:
        head = [RootObject(root or {}), *(GroupObject(name, facts) for name, facts in (groups or {}).items())]
        for i in range(segments):
            objects = [
                ChannelObject(group, name, np.array_split(np.asarray(values), segments)[i], properties)
                for (group, name), (values, properties) in channels.items()
            ]
            writer.write_segment([*head, *objects] if i == 0 else objects)
    return path


def test_channels_rate_and_unit(tmp_path):
    both = {('Vib', 'AccX'): (X, STEP), ('Vib', 'AccY'): (2 * X, STEP)}
    path = tdms(tmp_path / 'a.tdms', both, root={'rpm': 1797.0})
    r = read_raw_file(path)
    assert (r.channel_names, r.sample_rate_hz, r.unit, r.speed_rpm) == (('AccX', 'AccY'), 25600.0, 'g', 1797.0)
    np.testing.assert_array_equal(r.samples, np.stack([X, 2 * X], 1).astype(np.float32))
    for channel in ('AccY', 'Vib/AccY', 1):
        assert read_raw_file(path, channel=channel).samples[1, 0] == np.float32(2 * X[1])
    assert read_raw_file(path, sample_rate_hz=100).notes == (
        '`sample_rate_hz` 100 Hz wins over the 25600 Hz of wf_increment',
    )
    refuse(path, "no channel 'AccZ'", 'AccX, AccY', channel='AccZ')


@pytest.mark.parametrize(
    ('properties', 'group', 'rate_hz'),
    [({'Fs': 51200.0}, {}, 51200.0), ({}, {'SamplingRate': 4000}, 4000.0), ({'wf_increment': 8.3333e-05}, {}, 12000.0)],
)
def test_where_a_rate_may_stand(tmp_path, properties, group, rate_hz):
    path = tdms(tmp_path / 'a.tdms', {('g', 'x'): (X, properties)}, groups={'g': group})
    assert read_raw_file(path).sample_rate_hz == rate_hz


def test_no_rate_counts_and_text(tmp_path):
    counts = {('g', 'x'): (np.arange(100, dtype=np.int16), {'wf_increment': 0.0}), ('g', 'note'): (['a', 'b'], {})}
    path = tdms(tmp_path / 'a.tdms', counts)
    refuse(path, 'does not tell its sampling rate')
    r = read_raw_file(path, sample_rate_hz=50)
    assert (r.unit, r.samples[:, 0].tolist()) == ('counts', list(range(100)))
    refuse(tdms(tmp_path / 'b.tdms', {('g', 'note'): (['a', 'b'], {})}), 'no channel of numbers')
    nan = np.array([1.0, np.nan, np.inf])
    r = read_raw_file(tdms(tmp_path / 'c.tdms', {('g', 'x'): (nan, STEP)}))
    np.testing.assert_array_equal(r.samples[:, 0], nan)


def test_groups_of_other_rates_are_refused_with_their_names(tmp_path):
    slow = {'wf_increment': 1.0, 'unit_string': 'degC'}
    path = tdms(tmp_path / 'a.tdms', {('Vib', 'x'): (X, STEP), ('Temp', 'x'): (X[:9], slow)})
    refuse(path, 'different sampling rates', 'Vib/x: 25600 Hz', 'Temp/x: 1 Hz', '`channel`')
    assert read_raw_file(path, channel='Vib/x').samples.shape == (2000, 1)
    r = read_raw_file(path, variable='Temp')
    assert (r.sample_rate_hz, r.unit, r.channel_names) == (1.0, 'degC', ('x',))
    refuse(path, "no group 'Volt'", 'Temp, Vib', variable='Volt')
    path = tdms(tmp_path / 'b.tdms', {('g', 'x'): (X, STEP), ('g', 'y'): (X[:9], STEP)})
    refuse(path, 'different lengths', 'x: 2000 samples', 'y: 9 samples')


def test_what_is_noticed(tmp_path):
    late = {**STEP, 'unit_string': 'V', 'wf_start_offset': 0.5}
    spectrum = {**STEP, 'wf_xunit_string': 'Hz'}
    path = tdms(tmp_path / 'a.tdms', {('g', 'x'): (X, STEP), ('g', 'y'): (X, late), ('g', 'fft'): (X, spectrum)})
    r = read_raw_file(path)
    assert r.channel_names == ('x', 'y')
    assert r.unit == ''
    for word in ('fft is a spectrum', 'x: g, y: V', 'wf_start_offset 0, 0.5 s'):
        assert any(word in note for note in r.notes)
    timed = tdms(tmp_path / 'b.tdms', {('g', 'Time'): (X, STEP), ('g', 'x'): (X, STEP)})
    assert read_raw_file(timed).channel_names == ('x',)
    assert read_raw_file(timed, channel=0).channel_names == ('Time',)


def test_pieces_over_segments(tmp_path):
    values = np.arange(100_000, dtype=np.int32)
    path = tdms(
        tmp_path / 'a.tdms',
        {('g', 'x'): (values, {'wf_increment': 0.001}), ('g', 'y'): (-values, {'wf_increment': 0.001})},
        97,
    )
    length = raw_length(path)
    assert (length.num_samples, length.sample_rate_hz, length.num_channels, length.seekable) == (
        100_000,
        1000.0,
        2,
        True,
    )
    r = read_raw_file(path, start_s=1.5, stop_s=42.042, channel='y')
    np.testing.assert_array_equal(r.samples[:, 0], -values[1500:42042])
    refuse(path, '`stop_s` is 100.1', '100000 samples (100 s at 1000 Hz)', stop_s=100.1)


def test_an_index_file_of_another_recording_is_not_believed(tmp_path):
    tdms(tmp_path / 'a.tdms', {('g', 'x'): (X, STEP)})
    (tmp_path / 'a.tdms_index').write_bytes(b'TDSh' + bytes(200))
    assert read_raw_file(tmp_path / 'a.tdms').samples.shape == (2000, 1)


def test_cut_garbage_and_lies(tmp_path):
    good = tdms(tmp_path / 'a.tdms', {('g', 'x'): (X, STEP)}).read_bytes()
    path = tmp_path / 'b.tdms'
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    at = good.find(np.float64(X[0]).tobytes() + np.float64(X[1]).tobytes())
    for content in (good[:3], good[:40], good[: at - 60], b'TDSm', bytes(4000), b'garbage' * 99, good[:at]):
        path.write_bytes(content)
        refuse(path, sample_rate_hz=1)
    for place in range(0, at, 3):
        for value in (0, 0x7F, 0xFF):
            content = bytearray(good)
            content[place] = value
            path.write_bytes(content)
            try:
                assert len(read_raw_file(path, sample_rate_hz=1).samples) <= len(good)
            except DataError as e:
                assert len(str(e).splitlines()) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_a_file_cut_off_in_its_samples_gives_those_that_are_there(tmp_path):
    """LabVIEW that crashed leaves such files; npTDMS takes the whole samples of the last segment."""
    good = tdms(tmp_path / 'a.tdms', {('g', 'x'): (X, STEP)}).read_bytes()
    (tmp_path / 'b.tdms').write_bytes(good[:-803])
    r = read_raw_file(tmp_path / 'b.tdms')
    np.testing.assert_array_equal(r.samples[:, 0], X[: len(r.samples)].astype(np.float32))
    assert len(r.samples) == 2000 - 101
    assert any('cut off' in note for note in r.notes)


def test_strange_names(tmp_path):
    path = tdms(tmp_path / 'a.tdms', {("g'/ü", "a'b/c\nd"): (X, STEP), ('g', 'y,z'): (X, STEP)})
    assert set(read_raw_file(path).channel_names) == {"a'b/c d", 'y,z'}
    assert read_raw_file(path, channel='y,z').channel_names == ('y,z',)
