"""The front end musicnn against librosa's own output (tests/golden/make_musicnn_mel.py), and its exact gain."""

from __future__ import annotations

import dataclasses
import importlib.util
import pathlib

import numpy as np
import pytest

from fdx.signal.front_ends import create_front_end, front_end_from_config, front_end_names
from fdx.signal.mel import empty_filters
from fdx.types import ConfigError, DataError

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / 'golden'
RATE_HZ = 16000.0


@pytest.fixture(scope='module')
def golden():
    with np.load(GOLDEN / 'musicnn_mel.npz') as file:
        return dict(file)


@pytest.fixture(scope='module')
def signals():
    """The script, which draws them."""
    path = GOLDEN / 'make_musicnn_mel.py'
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def front_end():
    return create_front_end('musicnn_none')


def test_the_image_is_that_of_librosa(front_end, golden, signals):
    image = front_end(signals.chunk()[:, None], RATE_HZ)
    assert (image.shape, image.dtype) == ((61, 96, 1), np.float32)
    assert golden['image'].shape == (61, 96)
    assert golden['image'].min() < 0.01 and golden['image'].max() > 5
    np.testing.assert_allclose(image[..., 0], golden['image'], atol=2e-5)


def test_the_image_of_3_seconds_is_that_of_librosa(front_end, golden, signals):
    longer = dataclasses.replace(front_end, patch_length=48000)
    image = longer(signals.long_signal()[:, None], RATE_HZ)
    assert image.shape == longer.output_shape() == (188, 96, 1)
    np.testing.assert_allclose(image[::8, :, 0], golden['image_3s'], atol=2e-5)
    # musicnn's own patch: 187 frames take 47,616 samples.
    assert dataclasses.replace(front_end, patch_length=47616).output_shape() == (187, 96, 1)


@pytest.mark.real_data
def test_the_image_of_3_seconds_of_a_real_recording_is_that_of_librosa(front_end, golden, signals, raw_data):
    x = signals.real_signal(raw_data / 'cwru')[:, None]
    image = dataclasses.replace(front_end, patch_length=48000)(x, RATE_HZ)
    assert golden['image_real'].max() > 4
    np.testing.assert_allclose(image[::8, :, 0], golden['image_real'], atol=2e-5)


def test_zeros_in_place_of_the_reflection_change_the_first_and_last_frames_alone(golden):
    """What librosa does since 0.10; the frames that are stored are 0, 1, 30 and 60."""
    difference = np.abs(golden['image_zeros'] - golden['image'][[0, 1, 30, 60]]).max(axis=1)
    # The last one reaches 16 samples beyond the end, where its window is all but zero.
    assert difference[0] > 0.1 and difference[3] > 1e-4
    np.testing.assert_allclose(difference[[1, 2]], 0, atol=1e-6)


def test_filters_are_those_of_librosa_and_none_is_empty(front_end, golden):
    np.testing.assert_allclose(front_end.filter_bank(), golden['bank'], rtol=2e-6, atol=2e-8)
    np.testing.assert_allclose(front_end.centre_frequencies_hz(), golden['centres_hz'], rtol=1e-9)
    assert empty_filters(front_end.filter_bank()).size == 0


def test_frame_i_is_centred_at_sample_256_i(front_end):
    silent = np.zeros((15600, 1), np.float32)
    for at in (0, 1000, 15599):
        x = silent.copy()
        x[at] = 1.0
        heard = np.flatnonzero(front_end(x, RATE_HZ)[..., 0].max(axis=1))
        # The periodic Hann window is zero at its own first sample, 256 before the centre.
        within = [i for i in range(61) if -256 < at - 256 * i < 256 or -256 < 2 * 15599 - at - 256 * i < 256]
        assert heard.tolist() == within, at
    assert [front_end.num_frames(n) for n in (257, 511, 512, 15599, 15600, 15616)] == [2, 2, 3, 61, 61, 62]


# Powers of two scale samples without rounding. With others the rounding of loud samples is heard beside silence.
@pytest.mark.parametrize(
    ('gain', 'tolerances'),
    [(2**-13, {'rtol': 5e-6}), (0.125, {'rtol': 5e-6}), (4096.0, {'rtol': 5e-6}), (3.7, {'atol': 2e-5})],
)
def test_a_gain_on_the_image_is_a_gain_on_the_signal(gain, tolerances, signals):
    front_end = create_front_end('musicnn_train')
    x = signals.chunk()[:, None]
    image = front_end(x, RATE_HZ)
    wanted = front_end(np.float32(gain) * x, RATE_HZ)
    assert np.abs(wanted - image).max() > 1
    np.testing.assert_allclose(front_end.with_gain(image, gain), wanted, **tolerances)
    np.testing.assert_array_equal(front_end.with_gain(image, [gain]), front_end.with_gain(image, gain))
    np.testing.assert_array_equal(front_end.peaks(x), [np.abs(x).max()])
    assert front_end.with_gain(image, 1.0) is image
    with pytest.raises(DataError, match='2 gains .* 1 channel'):
        front_end.with_gain(image, (gain, gain))


def test_loud_signals_stay_finite_where_the_original_has_infinity(front_end, signals):
    """Counts of a recorder give powers above 65,504, the largest float16."""
    loud = front_end(3e4 * signals.chunk()[:, None], RATE_HZ)
    power = (10 ** loud.astype(np.float64) - 1) / 10000
    assert power.max() > 1e9
    assert np.isfinite(loud).all()
    with np.errstate(over='ignore'):
        assert np.isinf(power.astype(np.float16)).any()


def test_silence_is_zero_and_stays_zero(front_end):
    silent = front_end(np.zeros((15600, 1), np.float32), RATE_HZ)
    assert not silent.any()
    assert not front_end.with_gain(silent, 1e6).any()


def test_scalings_names_and_the_patch_of_every_rate(signals):
    assert [n for n in front_end_names(1) if n.startswith('musicnn')] == [
        *('musicnn', 'musicnn_peak', 'musicnn_train', 'musicnn_none')
    ]
    assert not [n for n in front_end_names(3) if n.startswith('musicnn')]
    peak, none = create_front_end('musicnn_peak'), create_front_end('musicnn_none')
    x = np.append(signals.chunk(), np.float32(50.0))[:, None]
    np.testing.assert_allclose(peak(x, RATE_HZ), none(x / 50, RATE_HZ), atol=1e-5)
    level = 10 * np.sqrt((x.astype(np.float64) ** 2).mean())
    np.testing.assert_allclose(create_front_end('musicnn')(x, RATE_HZ), none(x / level, RATE_HZ), atol=1e-4)
    # 0.975 s, as of vggish: CWRU's short healthy recording keeps its blocks.
    for rate_hz in (12000.0, 16000.0, 20480.0, 48000.0):
        assert peak.patch_samples(rate_hz) == create_front_end('vggish').patch_samples(rate_hz)
    assert peak.patch_samples(12000.0) == 0.975 * 12000
    assert (peak.hop_s, peak.unit) == (0.016, 'log10(1 + 10000 power)')


def test_other_rates_are_resampled(front_end):
    t = np.arange(46800) / 48000.0
    fast = front_end(np.sin(2 * np.pi * 700 * t).astype(np.float32)[:, None], 48000.0)
    slow = front_end(np.sin(2 * np.pi * 700 * t[::3]).astype(np.float32)[:, None], 16000.0)
    np.testing.assert_allclose(fast[5:55], slow[5:55], atol=0.05)
    assert front_end.centre_frequencies_hz()[slow[30, :, 0].argmax()] == pytest.approx(700, abs=20)


def test_several_channels_are_refused(front_end):
    with pytest.raises(ConfigError, match='musicnn_none .*one channel .* 3: choose triaxial_mel'):
        front_end.output_shape(3)
    with pytest.raises(DataError, match=r'one channel, .*shape \(15600, 3\): choose a channel'):
        front_end(np.ones((15600, 3), np.float32), RATE_HZ)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'patch_length': 256}, 'patch_length=256 above half of it'),
        ({'fft_length': 511}, 'fft_length=511 must be even'),
        ({'compression': 0.0}, 'compression=0.0 above 0'),
        ({'hop_length': 0}, 'hop_length=0'),
        ({'scaling': 'median'}, "scaling 'median'"),
    ],
)
def test_impossible_parameters_are_refused(change, words, front_end):
    with pytest.raises(ConfigError, match=words):
        front_end_from_config({**front_end.config(), **change})


def test_a_signal_too_short_to_be_reflected(front_end):
    with pytest.raises(ConfigError, match='256 samples .*reflected by 256'):
        front_end.spectrogram(np.ones((256, 1), np.float32))
