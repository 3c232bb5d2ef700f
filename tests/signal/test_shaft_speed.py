"""The estimated speed on machines whose speed is known, and the refusals where nothing tells it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.io

from fdx.datasets.bearing_rig.simulator import SAMPLE_RATE_HZ, simulate
from fdx.datasets.cwru.files import get_file
from fdx.datasets.cwru.reader import read_file
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM, MAX_RANGE, MIN_CONFIDENCE, SpeedEstimate, estimate_speed_rpm
from fdx.types import ConfigError, DataError

RATE_HZ = 4000.0


def machine(shaft_hz, harmonics=(1.0, 0.6, 0.4, 0.2, 0.2), *, seconds=6.0, noise=1.0, rate_hz=RATE_HZ, seed=0):
    """A shaft's harmonics in white noise, float32 [T]; 0 leaves one out."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    x = noise * rng.standard_normal(len(t))
    for k, amplitude in enumerate(harmonics, 1):
        x += amplitude * np.cos(2 * np.pi * k * shaft_hz * t + rng.uniform(0, 6))
    return x.astype(np.float32)


@pytest.mark.parametrize('speed_rpm', [1130.7, 1200.0, 1481.3, 1797.0, 2195.0])
def test_harmonics_of_the_shaft_give_its_speed_to_a_fifth_of_a_percent(speed_rpm):
    for shape in ((-1,), (-1, 1)):
        found = estimate_speed_rpm(machine(speed_rpm / 60).reshape(shape), RATE_HZ)
        assert isinstance(found, SpeedEstimate)
        assert found.speed_rpm == pytest.approx(speed_rpm, rel=2e-3)
        assert 0.5 < found.confidence <= 1


def test_gain_and_offset_have_no_part_in_it():
    x = machine(25.0)
    wanted = estimate_speed_rpm(x, RATE_HZ)
    found = estimate_speed_rpm(1000 * x.astype(np.float64) + 5e4, RATE_HZ)
    assert (found.speed_rpm, found.confidence) == pytest.approx((wanted.speed_rpm, wanted.confidence), rel=1e-6)


@pytest.mark.parametrize('seed', range(3))
def test_a_resonance_that_the_shaft_modulates_helps_lines_that_are_too_weak_alone(seed):
    t = np.arange(24000) / RATE_HZ
    weak = machine(25.0, (0.05, 0.05, 0.05), seed=seed)
    swing = 0.45 * sum(np.cos(2 * np.pi * 25.0 * k * t) for k in (1, 2, 3))
    carrier = np.random.default_rng(seed + 9).standard_normal(24000)

    def ringing(x):
        spectrum = np.fft.rfft(x)
        spectrum[:6000] = 0  # below 1 kHz: nothing of it lies at the shaft's own frequencies
        return 2 * np.fft.irfft(spectrum, 24000)

    found = estimate_speed_rpm(weak + ringing((1 + swing) * carrier), RATE_HZ)
    assert found.speed_rpm == pytest.approx(1500.0, rel=5e-3)
    with pytest.raises(DataError, match='stands out'):
        estimate_speed_rpm(weak + ringing(carrier), RATE_HZ)


@pytest.mark.parametrize(('low_rpm', 'high_rpm'), [(650.0, 1300.0), (1600.0, 4000.0)])
def test_twice_and_half_the_speed_are_not_taken_for_one_outside_of_the_range(low_rpm, high_rpm):
    with pytest.raises(DataError, match=f'no speed between {low_rpm:g} and {high_rpm:g} rpm stands out'):
        estimate_speed_rpm(machine(25.0), RATE_HZ, low_rpm, high_rpm)


def test_a_range_that_holds_twice_the_speed_takes_a_strong_first_harmonic():
    # 1500 rpm with harmonics, or a loose machine of 3000 rpm with half orders: both are in the range.
    with pytest.raises(DataError, match=r'candidates: 1500 rpm .* 3000 rpm .*low_rpm'):
        estimate_speed_rpm(machine(25.0), RATE_HZ, 1300.0, 3200.0)
    narrow = estimate_speed_rpm(machine(25.0), RATE_HZ, 1300.0, 2600.0)
    unbalance = estimate_speed_rpm(machine(25.0, (3.0, 0.5, 0.4, 0.2, 0.2)), RATE_HZ, 1300.0, 3200.0)
    assert (narrow.speed_rpm, unbalance.speed_rpm) == pytest.approx((1500.0, 1500.0), rel=1e-3)


def test_a_range_that_holds_half_the_speed_takes_quiet_half_orders():
    assert estimate_speed_rpm(machine(35.0), RATE_HZ).speed_rpm == pytest.approx(2100.0, rel=1e-3)
    half_order = machine(17.5, (0.2,), noise=0.0)
    with pytest.raises(DataError, match=r'candidates: 2100 rpm .* 10[45]\d rpm .* give .speed_rpm=NUMBER'):
        estimate_speed_rpm(machine(35.0) + half_order, RATE_HZ)
    # A machine that cannot be that slow may have a line there: of a belt, say.
    found = estimate_speed_rpm(machine(35.0) + half_order, RATE_HZ, 1100.0, 2700.0)
    assert found.speed_rpm == pytest.approx(2100.0, rel=1e-3)


def test_candidates_and_words_tell_the_next_best():
    found = estimate_speed_rpm(machine(25.0), RATE_HZ, 1300.0, 2400.0)
    assert found.candidates[0].speed_rpm == pytest.approx(found.speed_rpm)
    scores = [c.score for c in found.candidates]
    assert len(scores) > 1 and scores == sorted(scores, reverse=True)
    assert found.confidence == pytest.approx(1 - scores[1] / scores[0], abs=0.02)
    words = found.in_words()
    assert words.startswith(f"the shaft's speed was estimated as 1500 rpm with a confidence of {found.confidence:.2f}")
    assert f'{found.candidates[1].speed_rpm:.0f} rpm (score {scores[1]:.2f})' in words
    alone = dataclasses.replace(found, candidates=found.candidates[:1])
    assert alone.in_words().endswith('there is no other candidate in the range')


def test_one_line_is_no_shaft():
    # However strong: the mains, say.
    with pytest.raises(DataError, match='stands out .* give .speed_rpm=NUMBER'):
        estimate_speed_rpm(machine(25.0, (30.0,)), RATE_HZ)


@pytest.mark.parametrize('seed', range(6))
def test_noise_alone_is_refused(seed):
    rng = np.random.default_rng(seed)
    white = rng.standard_normal(40000)
    for x in (white, np.cumsum(white)):
        for low_rpm in (300.0, 900.0):
            with pytest.raises(DataError, match=r'score of [-\d.]+ \(1.2 are needed\).* give .speed_rpm=NUMBER'):
                estimate_speed_rpm(x, RATE_HZ, low_rpm, 2.4 * low_rpm)


@pytest.mark.parametrize('value', [0.0, 9.81])
def test_silence_is_refused(value):
    with pytest.raises(DataError, match='0.00 s .*too short.*speed_rpm=NUMBER'):
        estimate_speed_rpm(np.full(40000, value), RATE_HZ)


def test_simulated_rigs_are_answered_within_a_percent_or_refused():
    answered = {'inner_race': 0, 'normal': 0}
    for name, state in (('rig_a', 'inner_race'), ('rig_b', 'inner_race'), ('rig_c', 'inner_race'), ('rig_c', 'normal')):
        for speed_rpm in (353.0, 607.0, 997.0):
            x = simulate(name, state, speed_rpm, 2, duration_s=6.5, seed=2023)
            try:
                found = estimate_speed_rpm(x, SAMPLE_RATE_HZ, speed_rpm / 1.5, speed_rpm * 1.6)
            except DataError:
                continue
            answered[state] += 1
            assert found.speed_rpm == pytest.approx(speed_rpm, rel=0.01), (name, state, speed_rpm)
    assert answered['inner_race'] >= 1


@pytest.mark.parametrize('number', [97, 105, 118, 135, 169, 222])
def test_recordings_of_cwru_have_the_speed_that_the_files_state(raw_data, number):
    path = raw_data / 'cwru' / f'{number}.mat'
    if not path.is_file():
        pytest.skip(f'{path} is absent')
    recording = read_file(path, get_file(number), 'DE')
    found = estimate_speed_rpm(recording.samples, recording.sample_rate_hz)
    assert found.speed_rpm == pytest.approx(recording.speed_rpm, rel=0.005)
    assert found.confidence >= MIN_CONFIDENCE


def test_a_recording_of_mfpt_has_the_nominal_speed_within_the_slip_of_its_motor(raw_data):
    path = raw_data / 'mfpt' / 'InnerRaceFault_vload_1.mat'
    if not path.is_file():
        pytest.skip(f'{path} is absent')
    bearing = scipy.io.loadmat(path)['bearing'][0, 0]
    found = estimate_speed_rpm(bearing['gs'], float(bearing['sr'].item()))
    assert found.speed_rpm == pytest.approx(60 * float(bearing['rate'].item()), rel=0.015)


@pytest.mark.parametrize(
    ('low_rpm', 'high_rpm'), [(0.0, 1000.0), (1500.0, 1500.0), (2000.0, 1000.0), (600.0, 1501.0), (900.0, np.inf)]
)
def test_a_range_that_cannot_be_searched_is_an_error(low_rpm, high_rpm):
    with pytest.raises(ConfigError, match=f'{low_rpm} to {high_rpm} rpm .* 2.5 times'):
        estimate_speed_rpm(machine(25.0), RATE_HZ, low_rpm, high_rpm)
    assert DEFAULT_RANGE_RPM[1] <= MAX_RANGE * DEFAULT_RANGE_RPM[0]


@pytest.mark.parametrize(
    ('samples', 'rate_hz', 'words'),
    [
        (np.ones((40000, 2)), RATE_HZ, r'one channel, .*shape \(40000, 2\)'),
        (np.ones(7999), RATE_HZ, '2.00 s .*too short .* 2 s .*speed_rpm=NUMBER'),
        (np.ones(40000), 400.0, '400 Hz .*2200 rpm.*speed_rpm=NUMBER'),
        (np.ones(40000), float('nan'), 'nan Hz do not hold'),
        (np.full(40000, np.nan), RATE_HZ, 'not finite numbers'),
    ],
)
def test_a_recording_that_cannot_tell_is_an_error(samples, rate_hz, words):
    with pytest.raises(DataError, match=words):
        estimate_speed_rpm(samples, rate_hz)
