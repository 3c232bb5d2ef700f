"""A recording becomes records: what each field holds, and what is refused on the way."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from fdx.data.blocks import NO_BLOCK, Windowing, cut_windows
from fdx.data.prepared import RecordSpec, prepare_recording
from fdx.data.records import decode_waveform, encode_waveform, make_records
from fdx.signal.bearings import BEARINGS
from fdx.signal.front_ends import create_front_end
from fdx.signal.patch import Condition
from fdx.signal.resample import to_common_band
from fdx.signal.slow_part import without_slow_part
from fdx.types import ConfigError, DataError, Recording

RATE_HZ = 8000.0
WINDOW = 7800
WINDOWING = Windowing(WINDOW, 2000, 800)
ALL_BLOCKS = (0, 1, 2, 3, 4)


def spec(front_end='vggish', **changes):
    return RecordSpec(create_front_end(front_end), RATE_HZ, WINDOWING, **changes)


def recording(seconds=6.0, rate_hz=RATE_HZ, **changes):
    samples = np.random.default_rng(0).standard_normal((round(seconds * rate_hz), 1)).astype(np.float32)
    fields = {
        'samples': samples,
        'sample_rate_hz': rate_hz,
        'recording': 'pump_3',
        'label': 'ball_007',
        'fault_type': 'ball',
        'bearing': 'de_ball_007',
        'domain': 'load2',
        'speed_rpm': 1750.0,
        'load': 2.0,
        'source': 'pump_3.mat',
    }
    return Recording(**{**fields, **changes})


@pytest.mark.parametrize('gain', [1.0, 1e-6, 3e4])
def test_waveform_round_trip_within_half_a_scale(gain):
    x = (gain * np.random.default_rng(1).standard_normal((1000, 1))).astype(np.float32)
    stored, scale = encode_waveform(x)
    assert (stored.dtype, stored.shape, scale.dtype) == (np.int16, x.shape, np.float32)
    assert np.abs(stored).max() == 32767
    out = decode_waveform(stored, scale)
    assert out.dtype == np.float32
    error = np.abs(out.astype(np.float64) - x)
    assert error.max() <= 0.5 * scale * 1.01
    assert error.max() > 0.4 * scale


def test_a_silent_waveform_stays_silent():
    stored, scale = encode_waveform(np.zeros((5, 1), np.float32))
    np.testing.assert_array_equal(decode_waveform(stored, scale), np.zeros((5, 1)))


@pytest.mark.parametrize('front_end', ['vggish', 'vggish_none'])
def test_every_field_of_every_record(front_end):
    source = recording()
    records = list(make_records(source, spec(front_end), ALL_BLOCKS))
    prepared = to_common_band(source.samples, RATE_HZ, RATE_HZ)
    starts, blocks = cut_windows(48000, WINDOWING)
    assert [key for key, _ in records] == [f'pump_3@{s}' for s in starts]
    assert len(set(starts)) == len(starts) == 5
    for (_, example), start, block in zip(records, starts, blocks):
        chunk = without_slow_part(prepared[start : start + WINDOW], RATE_HZ)
        np.testing.assert_array_equal(example['spectrogram'], create_front_end(front_end)(chunk, RATE_HZ))
        waveform = decode_waveform(example['waveform'], example['waveform_scale'])
        assert np.abs(waveform - chunk).max() <= 0.51 * example['waveform_scale']
        assert example['peak'] == np.abs(chunk).max()
        assert example['geometry'].dtype == np.float32
        np.testing.assert_array_equal(example['geometry'], [np.nan] * 4)
        assert example['rms'] == pytest.approx(chunk.std(), rel=1e-5)
        apart = ('spectrogram', 'waveform', 'waveform_scale', 'peak', 'rms', 'geometry', 'fingerprint', 'acquisition')
        rest = {k: v for k, v in example.items() if k not in apart}
        assert rest == {
            'label': 'ball_007',
            'fault_type': 'ball',
            'recording': 'pump_3',
            'window_start': start,
            'block': block,
            'domain': 'load2',
            'bearing': 'de_ball_007',
            'speed_rpm': 1750.0,
            'load': 2.0,
            'sample_rate_hz': RATE_HZ,
        }


def test_speed_and_geometry_reach_the_front_end_and_the_record():
    geometry = BEARINGS['skf_6203']
    source = recording(geometry=geometry)
    orders = RecordSpec(create_front_end('fault_orders', RATE_HZ), RATE_HZ, WINDOWING)
    records = [r for _, r in make_records(source, orders, ALL_BLOCKS)]
    prepared = to_common_band(source.samples, RATE_HZ, RATE_HZ)
    for example in records:
        chunk = without_slow_part(prepared[example['window_start'] : example['window_start'] + WINDOW], RATE_HZ)
        wanted = orders.front_end(chunk, RATE_HZ, Condition(1750.0, geometry))
        np.testing.assert_array_equal(example['spectrogram'], wanted)
        # 6203: dimensions in inches, as the data center gives them.
        np.testing.assert_allclose(example['geometry'], [1.122 * 25.4, 0.2656 * 25.4, 8, 0], rtol=1e-6)
    assert len(records) == 5
    for changes, words in (
        ({}, '^pump_3.mat: .*fault_orders .*geometry.*`bearing`'),
        ({'geometry': geometry, 'speed_rpm': math.nan}, '^pump_3.mat: .*fault_orders .* nan rpm.*`speed_rpm`'),
        ({'geometry': geometry, 'speed_rpm': 600.0}, '^pump_3.mat: .*fault_orders: .* 9.8 turns'),
        ({'geometry': geometry, 'speed_rpm': 600.0, 'source': ''}, '^pump_3: .*fault_orders: .* 9.8 turns'),
    ):
        with pytest.raises(DataError, match=words):
            list(make_records(recording(**changes), orders, ALL_BLOCKS))


def test_blocks_choose_records_and_the_waveform_can_be_left_out():
    records = dict(make_records(recording(), spec(with_waveform=False), (1, 4)))
    assert sorted(r['block'] for r in records.values()) == [1, 4]
    assert all('waveform' not in r and 'waveform_scale' not in r for r in records.values())


def test_a_recording_without_blocks_gives_all_its_windows_as_block_minus_one():
    records = [r for _, r in make_records(recording(2.0), spec(), ALL_BLOCKS)]
    assert records == []
    records = [r for _, r in make_records(recording(2.0), spec(), (NO_BLOCK,))]
    assert [r['window_start'] for r in records] == [0, 2000, 4000, 6000, 8000]


def test_a_recording_at_a_higher_rate_comes_to_the_common_rate_and_band():
    t = np.arange(6 * 24000) / 24000
    tones = {hz: np.sin(2 * np.pi * hz * t) for hz in (1000.0, 5000.0)}
    source = recording(rate_hz=24000.0, samples=(tones[1000.0] + tones[5000.0]).astype(np.float32)[:, None])
    out = prepare_recording(source, spec()).recording
    assert (out.sample_rate_hz, out.samples.shape, out.recording) == (RATE_HZ, (48000, 1), 'pump_3')
    wanted = np.sin(2 * np.pi * 1000.0 * np.arange(48000) / RATE_HZ)
    assert np.abs(out.samples[1000:-1000, 0] - wanted[1000:-1000]).max() < 2e-3


def test_no_block_hears_another_one_through_the_anti_alias_filter():
    quiet, loud = recording(), recording()
    loud.samples[cut_windows(48000, WINDOWING)[0][3] :] *= 100
    a, b = (
        np.stack([r['spectrogram'] for _, r in make_records(x, spec('vggish_none'), ALL_BLOCKS)]) for x in (quiet, loud)
    )
    np.testing.assert_allclose(a[:3], b[:3], atol=2e-2)
    assert np.median(b[3:] - a[3:]) > 4


@pytest.mark.parametrize('rate', [None, 0.0, -8000.0, math.nan, math.inf])
def test_a_rate_that_cannot_be_is_refused_with_the_file(rate):
    with pytest.raises(DataError, match=f'^pump_3.mat: sample rate is {rate}'):
        prepare_recording(dataclasses.replace(recording(), sample_rate_hz=rate), spec())


def test_what_the_checks_refuse_is_refused_with_the_file():
    broken = recording()
    broken.samples[777] = np.nan
    with pytest.raises(DataError, match=r'^pump_3\.mat: channel 0 .*1 NaN .* sample 777\b.*repair'):
        list(make_records(broken, spec(), ALL_BLOCKS))
    short = recording(samples=recording().samples[: WINDOW - 1])
    with pytest.raises(DataError, match=f'^pump_3.mat: {WINDOW - 1} samples .* {WINDOW} .*record longer'):
        prepare_recording(short, spec())
    assert len(prepare_recording(recording(samples=recording().samples[:WINDOW]), spec()).recording.samples) == WINDOW
    with pytest.raises(ConfigError, match='4000 Hz .* 8000 Hz: .*common rate'):
        prepare_recording(recording(rate_hz=4000.0), spec())
