"""Resampling: dtype, length law, tones kept and tones removed, and the common band of a dataset."""

from __future__ import annotations

import fractions
import math

import numpy as np
import pytest

from fdx.signal import resample
from fdx.types import ConfigError

TARGET_HZ = 16000.0
RATES_HZ = (12000.0, 20480.0, 44100.0, 48000.0, 97656.0, 48828.0, 533.05)


def tone(rate_hz, tone_hz, seconds=1.0, phase=0.0):
    return np.sin(2 * np.pi * tone_hz * np.arange(int(rate_hz * seconds)) / rate_hz + phase).astype(np.float32)


def fit(x, rate_hz, tone_hz):
    """(amplitude, phase of the sine) in the inner half of x [T], by least squares."""
    n = np.arange(len(x) // 4, 3 * len(x) // 4)
    angle = 2 * np.pi * tone_hz * n / rate_hz
    (a, b), *_ = np.linalg.lstsq(np.stack([np.sin(angle), np.cos(angle)], 1), x[n].astype(np.float64), rcond=None)
    return math.hypot(a, b), math.atan2(b, a)


def rms_db(x):
    """RMS of the inner half over that of a unit sine."""
    inner = x[len(x) // 4 : 3 * len(x) // 4].astype(np.float64)
    return 10 * math.log10(max(2 * np.mean(inner**2), 1e-30))


@pytest.mark.parametrize('rate_hz', RATES_HZ)
def test_float32_and_the_length_law_from_any_rate(rate_hz):
    up, down = resample.rational_ratio(rate_hz, TARGET_HZ)
    for n in (1, 7, 1009):
        wanted = math.ceil(fractions.Fraction(n * up, down))
        assert resample.resampled_length(n, rate_hz, TARGET_HZ) == wanted
        for shape in ((n,), (n, 2)):
            out = resample.resample(np.ones(shape, np.float64), rate_hz, TARGET_HZ)
            assert (out.dtype, out.shape) == (np.float32, (wanted, *shape[1:]))
    for wanted in (1, 2, 15600):
        n = resample.samples_before_resampling(wanted, rate_hz, TARGET_HZ)
        assert resample.resampled_length(n, rate_hz, TARGET_HZ) >= wanted
        assert n == 1 or resample.resampled_length(n - 1, rate_hz, TARGET_HZ) < wanted
    assert resample.samples_before_resampling(0, rate_hz, TARGET_HZ) == 0


@pytest.mark.parametrize('rate_hz', RATES_HZ)
def test_tones_keep_amplitude_and_phase(rate_hz):
    for share in (0.05, 0.5, 0.94):
        tone_hz = share * min(rate_hz, TARGET_HZ) / 2
        x = tone(rate_hz, tone_hz, 2.0 if rate_hz < 1000 else 0.4, phase=0.7)
        amplitude, phase = fit(resample.resample(x, rate_hz, TARGET_HZ), TARGET_HZ, tone_hz)
        assert amplitude == pytest.approx(1, abs=2e-3), tone_hz
        assert phase == pytest.approx(0.7, abs=0.02), tone_hz


@pytest.mark.parametrize('rate_hz', [r for r in RATES_HZ if r > TARGET_HZ])
def test_tones_above_the_new_nyquist_are_60_db_down(rate_hz):
    for tone_hz in (8001.0, 8300.0, min(15900.0, 0.49 * rate_hz), 0.49 * rate_hz):
        assert rms_db(resample.resample(tone(rate_hz, tone_hz, 0.4), rate_hz, TARGET_HZ)) < -60, tone_hz


@pytest.mark.parametrize('rate_hz', [r for r in RATES_HZ if r < TARGET_HZ])
def test_images_above_the_old_nyquist_are_60_db_down(rate_hz):
    tone_hz = 0.4 * rate_hz
    x = tone(rate_hz, tone_hz, 2.0 if rate_hz < 1000 else 0.4)
    y = resample.resample(x, rate_hz, TARGET_HZ)
    inner = y[len(y) // 4 : 3 * len(y) // 4]
    power = np.abs(np.fft.rfft(inner * np.blackman(len(inner)))) ** 2
    hz = np.fft.rfftfreq(len(inner), 1 / TARGET_HZ)
    assert 10 * math.log10(power[hz > rate_hz / 2].sum() / power.sum()) < -60


def test_channels_are_resampled_alone_and_equal_rates_change_nothing():
    x = np.random.default_rng(0).standard_normal((999, 2)).astype(np.float32)
    out = resample.resample(x, 12000, 16000)
    for c in range(2):
        np.testing.assert_allclose(out[:, c], resample.resample(x[:, c], 12000, 16000), atol=1e-6)
    np.testing.assert_array_equal(resample.resample(x, 12000, 12000), x)


def test_a_band_is_taken_also_where_the_rates_are_equal():
    low, high = tone(12000, 1800), tone(12000, 2000.0)
    for to_hz in (12000.0, 16000.0, 8000.0):
        assert abs(rms_db(resample.resample(low, 12000, to_hz, band_hz=2000.0))) < 0.02
        assert rms_db(resample.resample(high, 12000, to_hz, band_hz=2000.0)) < -60
    two = np.stack([low, high], axis=1)
    out = resample.resample(two, 12000, 12000, band_hz=2000.0)
    assert (out.shape, out.dtype) == (two.shape, np.float32)
    assert fit(out[:, 0], 12000, 1800)[1] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(('from_hz', 'to_hz'), [(12000, 16000), (48000, 16000), (20480, 16000), (2000, 16000)])
def test_filter_reach_is_what_an_output_sample_hangs_on(from_hz, to_hz):
    reach = resample.filter_reach(from_hz, to_hz)
    up, down = resample.rational_ratio(from_hz, to_hz)
    impulse = np.zeros(4 * reach + 100, np.float32)
    at = 2 * reach + 50
    impulse[at] = 1
    hit = np.flatnonzero(resample.resample(impulse, from_hz, to_hz)) * down / up
    assert at - reach <= hit.min() <= at - 0.9 * reach
    assert at + 0.9 * reach <= hit.max() <= at + reach
    assert resample.filter_reach(16000, 16000) == 0


def test_rational_ratio_is_exact_for_whole_rates_and_near_for_others():
    assert resample.rational_ratio(12000, 16000) == (4, 3)
    assert resample.rational_ratio(48000, 16000) == (1, 3)
    assert resample.rational_ratio(20480, 16000) == (25, 32)
    assert resample.rational_ratio(44100, 16000) == (160, 441)
    assert resample.rational_ratio(97656, 16000) == (2000, 12207)
    assert resample.rational_ratio(16000.0, 16000) == (1, 1)
    for from_hz, to_hz in ((533.05, 16000), (16000, 533.05), (25599.97, 16000), (math.pi * 1e4, 16000)):
        up, down = resample.rational_ratio(from_hz, to_hz)
        assert max(up, down) <= 20_000
        assert up / down == pytest.approx(to_hz / from_hz, rel=1e-5)


def test_rates_that_cannot_be_are_refused_by_name_and_value():
    for value in (0, -12000.0, math.nan, math.inf):
        with pytest.raises(ConfigError, match=f'from_hz={value}: a sample rate must be'):
            resample.rational_ratio(value, 16000)
        with pytest.raises(ConfigError, match=f'to_hz={value}: a sample rate must be'):
            resample.rational_ratio(16000, value)
    for rates in ((1.0, 48000.0), (48000.0, 1.0)):
        with pytest.raises(ConfigError, match=r'cannot resample .* too far apart'):
            resample.rational_ratio(*rates)


def test_a_rate_that_is_nearly_a_small_ratio_of_the_other_is_that_ratio():
    for rate_hz in (12000.5, 11999.2, 12000.0):
        assert resample.rational_ratio(rate_hz, 16000.0) == (4, 3)
        assert resample.rational_ratio(rate_hz, 12000.0) == (1, 1)
        assert resample.rational_ratio(4 * rate_hz, 12000.0) == (1, 4)
    assert resample.rational_ratio(12010.0, 12000.0) == (1200, 1201)
    # 533.05 Hz from timestamps is no small ratio of 512 Hz.
    up, down = resample.rational_ratio(533.049, 512.0)
    assert abs(up / down / (512 / 533.049) - 1) < 1e-5 and down > 1000
    # A recorder whose clock is 50 millionths slow is at the dataset's rate all the same.
    assert len(resample.to_common_band(np.zeros(24000, np.float32), 11999.4, 12000.0)) == 24000


def test_common_band_passes_the_same_filter_whatever_the_rate():
    for rate_hz in (12000.0, 48000.0, 25600.0):
        for tone_hz, kept in ((100.0, True), (5000.0, True), (5400.0, False), (5900.0, False)):
            out = resample.to_common_band(tone(rate_hz, tone_hz), rate_hz, 12000.0)
            assert out.shape == (12000,)
            level = rms_db(out)
            assert (abs(level) < 0.02) if kept else (level < -60), (rate_hz, tone_hz, level)
    # Inside the slope too: a class cannot be told by it.
    levels = [rms_db(resample.to_common_band(tone(r, 5270.0), r, 12000.0)) for r in (12000.0, 48000.0, 25600.0)]
    assert -20 < levels[0] < -3
    np.testing.assert_allclose(levels, levels[0], atol=0.05)


def test_no_recording_is_brought_to_a_rate_above_its_own():
    with pytest.raises(ConfigError, match=r'11990 Hz .*12000 Hz.* 5995 Hz'):
        resample.to_common_band(np.zeros(100, np.float32), 11990.0, 12000.0)


@pytest.mark.parametrize('rate_hz', [512.0, 533.049, 1024.0])
def test_gravity_does_not_ring_at_the_ends(rate_hz):
    t = np.arange(6000) / rate_hz
    vibration = np.stack([np.sin(2 * np.pi * 60 * t), 30 * np.sin(2 * np.pi * 20 * t), 0 * t], axis=1)
    x = (vibration + (0, 0, 16000)).astype(np.float32)
    x[:, 0] -= 16000
    out = resample.to_common_band(x, rate_hz, 512.0)
    wanted = resample.to_common_band(vibration.astype(np.float32), rate_hz, 512.0)
    # The polyphase filter passes a constant to -80 dB; the ends are as good as the middle.
    np.testing.assert_allclose(out[:, 2], 16000, atol=3)
    np.testing.assert_allclose(out[:, 1], wanted[:, 1], atol=1e-4)
    assert np.abs(out[:, 0] + 16000 - wanted[:, 0]).max() < 3
    np.testing.assert_allclose(resample.to_common_band(x[:, 2], rate_hz, 512.0), out[:, 2], rtol=1e-6)


def test_each_end_is_held_by_its_own_level():
    x = np.full((4000, 1), 500.0, np.float32)
    x[2000:] = -80000.0
    out = resample.to_common_band(x, 533.049, 512.0)[:, 0]
    np.testing.assert_allclose(out[:1500], 500, rtol=1e-3)
    np.testing.assert_allclose(out[-1500:], -80000, rtol=1e-3)


def test_a_vibration_without_a_static_part_is_zero_outside_as_ever():
    x = np.random.default_rng(0).standard_normal((5000, 2)).astype(np.float32)
    plain = resample.resample(x, 16000.0, 12000.0, band_hz=5400.0)
    out = resample.to_common_band(x, 16000.0, 12000.0)
    np.testing.assert_allclose(out[200:-200], plain[200:-200], atol=2e-4)
    # At the ends the line through some hundred samples goes on instead of zero.
    assert np.abs(out - plain).max() < 0.2


@pytest.mark.parametrize('rate_hz', [12000.0, 25600.0])
def test_an_offset_and_a_steady_drift_pass_unchanged(rate_hz):
    x = np.random.default_rng(0).standard_normal((20000, 2)).astype(np.float32)
    t = np.arange(len(x)) / rate_hz
    added = (10 + 5 * t[:, None] * np.array([1.0, -3.0])).astype(np.float32)
    out = resample.to_common_band(x, rate_hz, 12000.0)
    t_out = np.arange(len(out)) / 12000.0
    wanted = out + 10 + 5 * t_out[:, None] * np.array([1.0, -3.0])
    np.testing.assert_allclose(resample.to_common_band(x + added, rate_hz, 12000.0), wanted, atol=2e-5)


def test_the_reach_of_the_common_band_s_filter_is_where_an_impulse_ends():
    for rate_hz in (12000.0, 48000.0, 533.05):
        common = 12000.0 if rate_hz > 1000 else 512.0
        x = np.zeros((int(4 * rate_hz), 1), np.float32)
        x[len(x) // 2] = 1.0
        out = resample.to_common_band(x, rate_hz, common)[:, 0]
        heard = np.flatnonzero(np.abs(out) > 1e-7) / common - (len(x) // 2) / rate_hz
        reach = resample.filter_reach_s(rate_hz, common)
        assert 0.8 * reach < np.abs(heard).max() <= reach + 1 / common
