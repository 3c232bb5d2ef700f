"""Long recordings in pieces: the records are those of the recording read as a whole, and memory is bounded."""

from __future__ import annotations

import dataclasses
import tracemalloc

import numpy as np
import pytest
import soundfile

from fdx.data.blocks import Windowing
from fdx.data.collection.entry import Entry, Shared
from fdx.data.collection.long import long_recording
from fdx.data.collection.read import read_entry
from fdx.data.left_out import LeftOut
from fdx.data.long_recording import LongRecording, make_long_records
from fdx.data.prepared import RecordSpec
from fdx.data.records import decode_waveform, make_records
from fdx.signal.front_ends import create_front_end
from fdx.types import ConfigError, DataError, Recording

ALL_BLOCKS = (-1, 0, 1, 2, 3, 4)
PIECE = 150_000


def vibration(rate_hz, seconds, channels=1):
    """Noise and a shaft on gravity and a drift, with a dead stretch and a wild sample."""
    t = np.arange(round(rate_hz * seconds)) / rate_hz
    x = np.random.default_rng(0).standard_normal((len(t), channels)) + 3 * np.sin(2 * np.pi * 25 * t)[:, None]
    x += 9.81 + 0.01 * t[:, None]
    for second in (0.2, 0.62):
        at = int(second * len(t))
        x[at : at + int(1.1 * rate_hz)] = x[at]
    x[int(0.34 * len(t))] = 500
    return x.astype(np.float32)


def recording(samples, rate_hz, **more):
    return Recording(samples, rate_hz, 'pump', 'a', 'normal', 'b', 'd', source='pump.wav', **more)


def in_memory(whole):
    """The same recording, of which pieces are given out."""

    def read(start, stop):
        breaks = tuple(b - start for b in whole.time_breaks if start < b < stop)
        return dataclasses.replace(whole, samples=whole.samples[start:stop], time_breaks=breaks)

    about = dataclasses.replace(whole, samples=whole.samples[:0], time_breaks=(), notes=())
    return LongRecording(about, len(whole.samples), read)


def spec_of(common_hz, hop=3.0, channels=1, front_end='vggish'):
    made = create_front_end(front_end, common_hz)
    window = made.patch_samples(common_hz)
    return RecordSpec(made, common_hz, Windowing(window, round(hop * window), round(0.1 * common_hz)), True, channels)


def assert_same(whole, parts):
    """The same windows with the same content, to the rounding of the transforms."""
    assert [key for key, _ in parts] == [key for key, _ in whole]
    for (_, a), (_, b) in zip(whole, parts):
        assert a.keys() == b.keys()
        for name in ('window_start', 'block', 'recording', 'acquisition', 'label', 'domain', 'sample_rate_hz'):
            assert a[name] == b[name], name
        np.testing.assert_array_equal(a['fingerprint'], b['fingerprint'])
        np.testing.assert_allclose(a['rms'], b['rms'], rtol=1e-6)
        np.testing.assert_allclose(a['spectrogram'], b['spectrogram'], atol=1e-3)
        first, second = (decode_waveform(r['waveform'], r['waveform_scale']) for r in (a, b))
        assert np.abs(first - second).max() <= 1.01 * a['waveform_scale']


@pytest.mark.parametrize(
    ('rate_hz', 'common_hz', 'seconds'), [(51200.0, 51200.0, 24.0), (51200.0, 20000.0, 24.0), (48828.0, 12000.0, 24.0)]
)
def test_pieces_give_the_records_of_the_whole(rate_hz, common_hz, seconds):
    source = recording(vibration(rate_hz, seconds), rate_hz, time_breaks=(round(0.7 * seconds * rate_hz),))
    spec, noticed = spec_of(common_hz, hop=0.99), (LeftOut(), LeftOut())
    whole = list(make_records(source, spec, ALL_BLOCKS, noticed[0]))
    parts = list(make_long_records(in_memory(source), spec, ALL_BLOCKS, noticed[1], PIECE))
    assert {r['block'] for _, r in whole} == {0, 1, 2, 3, 4}
    assert_same(whole, parts)
    assert noticed[0].metadata() == noticed[1].metadata()
    found = noticed[0].metadata()
    assert found['wild_samples'] == 1 and found['left_out_windows']['dead'] >= 2
    assert found['left_out_windows']['lost_time'] == 1
    said = [left_out.sentences() for left_out in noticed]
    assert said[0] == said[1] and any('1 wild samples' in text for text in said[0])
    if rate_hz != common_hz:  # Without an FFT, not even the last bit differs.
        assert all(a['waveform'].tobytes() == b['waveform'].tobytes() for (_, a), (_, b) in zip(whole, parts))


def test_a_static_part_of_a_day_costs_no_digits():
    """A slope of some milliseconds, continued for hours, would be a million times the vibration."""
    spec = spec_of(51200.0, hop=1.0)
    short = vibration(51200.0, 6.0)
    day = 24 * 3600 * 51200
    noise = np.random.default_rng(1).standard_normal((2**16, 1)).astype(np.float32)

    def read(start, stop):
        piece = noise[np.arange(start, stop) % len(noise)]
        t = np.arange(start, stop) / 51200.0
        shaft = 3 * np.sin(2 * np.pi * 25 * t)[:, None]
        return recording((piece + shaft).astype(np.float32), 51200.0)

    long = LongRecording(recording(short[:0], 51200.0), day, read)
    # Only the last block is looked at, of one window in a thousand.
    spec = dataclasses.replace(spec, windowing=dataclasses.replace(spec.windowing, hop_length=2**29))
    records = [r for _, r in make_long_records(long, spec, (2,), piece_values=2**18)]
    assert len(records) == 2
    for r in records:
        start, length = r['window_start'], spec.windowing.window_length
        assert r['block'] == 2 and start > day / 3
        wanted = noise[np.arange(start, start + length) % len(noise), 0]
        wave = decode_waveform(r['waveform'], r['waveform_scale'])[:, 0]
        # The vibration is there but for what lies above the band (a tenth of its power).
        wanted = wanted + 3 * np.sin(2 * np.pi * 25 * np.arange(start, start + length) / 51200.0)
        assert np.corrcoef(wave, wanted)[0, 1] > 0.985


def test_a_wav_file_of_several_channels_in_pieces(tmp_path):
    x = vibration(20000.0, 16.0, channels=3)
    soundfile.write(tmp_path / 'pump.wav', x / 600, 20000, 'FLOAT')
    entry = Entry('pump.wav', (tmp_path / 'pump.wav',), 'a', 'normal', start_s=0.50003, stop_s=15.2, place='pump.wav')
    spec = spec_of(12000.0, hop=1.0, channels=3, front_end='triaxial_mel')
    long = long_recording(entry, most_values=1000)
    assert long.num_samples == 304000 - 10001 and long.duration_s == pytest.approx(14.7, abs=0.01)
    assert long_recording(entry) is None  # short
    assert_same(
        list(make_records(read_entry(entry), spec, ALL_BLOCKS)),
        list(make_long_records(long, spec, ALL_BLOCKS, piece_values=PIECE)),
    )


def test_a_group_of_many_files_is_a_long_recording_with_breaks(tmp_path):
    x = vibration(8000.0, 30.0)
    files = tuple(tmp_path / f'{i:02d}.npy' for i in range(10))
    for file, part in zip(files, np.split(x, 10)):
        np.save(file, part[:, 0])
    entry = Entry('run', files, 'a', 'normal', sample_rate_hz=8000.0, place='m.csv')
    spec, noticed = spec_of(8000.0, hop=0.5), (LeftOut(), LeftOut())
    long = long_recording(entry, most_values=1000)
    whole = list(make_records(read_entry(entry), spec, ALL_BLOCKS, noticed[0]))
    parts = list(make_long_records(long, spec, ALL_BLOCKS, noticed[1], 50_000))
    assert_same(whole, parts)
    assert noticed[0].metadata() == noticed[1].metadata()
    assert noticed[0].metadata()['left_out_windows']['lost_time'] > 9
    starts = np.array([r['window_start'] for _, r in parts])
    assert np.all(starts // 24000 == (starts + 7799) // 24000)


def test_text_is_read_as_a_whole(tmp_path):
    np.savetxt(tmp_path / 'x.csv', np.arange(100.0) % 7)
    entry = Entry('x.csv', (tmp_path / 'x.csv',), 'a', 'normal', sample_rate_hz=100.0)
    assert long_recording(entry, Shared(), most_values=10) is None


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda x: x.__setitem__((123456, 0), np.nan), r'^pump\.wav: channel 0 .*NaN.* sample 123456;'),
        (lambda x: x.__setitem__(slice(None), 7.0), r'^pump\.wav: channel 0 is constant \(7\)'),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(change, words):
    x = vibration(8000.0, 30.0)
    change(x)
    long = in_memory(recording(x, 8000.0))
    with pytest.raises(DataError, match=words):
        list(make_long_records(long, spec_of(8000.0), ALL_BLOCKS, piece_values=50_000))


@pytest.mark.parametrize(
    ('kept', 'claimed', 'common_hz', 'error', 'words'),
    [
        (7000, 7000, 8000.0, DataError, '^pump.wav: 7000 samples are fewer than the 7800'),
        (48000, 48000, 12000.0, ConfigError, 'common rate'),
        (48000, 50000, 8000.0, DataError, '^pump.wav: 48000 samples .* 50000 .* changed'),
    ],
)
def test_too_short_too_slow_and_changed_meanwhile(kept, claimed, common_hz, error, words):
    whole = recording(vibration(8000.0, 6.0)[:kept], 8000.0)
    long = dataclasses.replace(in_memory(whole), num_samples=claimed)
    with pytest.raises(error, match=words):
        list(make_long_records(long, spec_of(common_hz), ALL_BLOCKS))


def test_a_standing_machine_is_no_dead_sensor_in_a_piece_of_its_own():
    x = vibration(8000.0, 60.0)
    x[240_000:] *= 1e-4  # by far the level of a silent sensor beside the first half
    left_out = LeftOut()
    list(make_long_records(in_memory(recording(x, 8000.0)), spec_of(8000.0), ALL_BLOCKS, left_out, 80_000))
    whole = LeftOut()
    list(make_records(recording(x, 8000.0), spec_of(8000.0), ALL_BLOCKS, whole))
    assert left_out.metadata()['left_out_windows']['dead'] < whole.metadata()['left_out_windows']['dead']


def test_memory_is_that_of_a_piece():
    rng = np.random.default_rng(0)

    def read(start, stop):
        return recording(rng.standard_normal((stop - start, 1), np.float32), 8000.0)

    long = LongRecording(recording(np.zeros((0, 1), np.float32), 8000.0), 8_000_000, read)
    spec = spec_of(8000.0)
    spec = dataclasses.replace(spec, windowing=dataclasses.replace(spec.windowing, hop_length=1_000_000))
    tracemalloc.start()
    count = sum(1 for _ in make_long_records(long, spec, ALL_BLOCKS, piece_values=2**17))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The whole would be 32 MB as float32, and several times that while it is checked.
    assert count == 10 and peak < 30e6
