"""The simulated recordings: repeatable, plausible, and diagnosable by the envelope spectrum."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from fdx.datasets.bearing_rig import simulator
from fdx.datasets.bearing_rig.machines import LOAD_CASES, MACHINES, SPEEDS_RPM, STATES
from fdx.types import ConfigError

RATE_HZ = simulator.SAMPLE_RATE_HZ


def rms(samples):
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def envelope_spectrum(samples, centre_hz):
    """Power spectrum of the squared envelope of the band of half the width of its centre, in bins of 0.5 Hz."""
    spectrum = np.fft.fft(samples)
    frequency_hz = np.fft.fftfreq(samples.size, 1 / RATE_HZ)
    spectrum[(frequency_hz < 0.75 * centre_hz) | (frequency_hz > 1.25 * centre_hz)] = 0
    envelope = np.abs(np.fft.ifft(spectrum)) ** 2
    return scipy.signal.welch(envelope, RATE_HZ, nperseg=int(2 * RATE_HZ))


def line_db(frequency_hz, power, line_hz, background_hz):
    """Height of the greatest bin near a line (slip moves it) above the median of its surroundings."""
    distance = np.abs(frequency_hz - line_hz)
    near = distance <= max(0.02 * line_hz, 0.6)
    around = ~near & (distance < background_hz)
    return 10 * np.log10(power[near].max() / np.median(power[around]))


@pytest.mark.parametrize('speed_rpm', [353.0, 607.0, 997.0])
@pytest.mark.parametrize('name', MACHINES)
def test_envelope_spectrum_tells_the_states_apart_under_load(name, speed_rpm):
    machine, shaft_hz = MACHINES[name], speed_rpm / 60
    bpfo_hz, bpfi_hz = machine.geometry.bpfo * shaft_hz, machine.geometry.bpfi * shaft_hz
    wide_hz, narrow_hz = 2.5 * shaft_hz, 0.45 * shaft_hz + 1
    for load_case in (1, 3):
        spectra = {
            state: envelope_spectrum(
                simulator.simulate(name, state, speed_rpm, load_case, duration_s=10.0, seed=3),
                machine.modes[0].frequency_hz,
            )
            for state in STATES
        }
        assert line_db(*spectra['outer_race'], bpfo_hz, wide_hz) > 15
        assert line_db(*spectra['inner_race'], bpfi_hz, wide_hz) > 10
        assert line_db(*spectra['inner_race'], bpfi_hz - shaft_hz, narrow_hz) > 8
        assert line_db(*spectra['inner_race'], bpfi_hz + shaft_hz, narrow_hz) > 8
        assert line_db(*spectra['normal'], bpfo_hz, wide_hz) < 6
        assert line_db(*spectra['normal'], bpfi_hz, wide_hz) < 6
        # Neither damage shows at the other's order.
        assert line_db(*spectra['outer_race'], bpfi_hz, narrow_hz) < 6


@pytest.mark.parametrize('state', STATES)
def test_same_seed_same_samples_other_seed_others(state):
    first = simulator.simulate('rig_b', state, 457.0, 1, duration_s=0.5, seed=7)
    again = simulator.simulate('rig_b', state, 457.0, 1, duration_s=0.5, seed=7)
    other = simulator.simulate('rig_b', state, 457.0, 1, duration_s=0.5, seed=8)
    assert first.dtype == np.float32
    assert first.shape == (10240,)
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.2


def test_every_condition_has_its_own_noise():
    conditions = [
        ('rig_a', 'normal', 457.0, 1),
        ('rig_b', 'normal', 457.0, 1),
        ('rig_a', 'outer_race', 457.0, 1),
        ('rig_a', 'normal', 523.0, 1),
        ('rig_a', 'normal', 457.0, 2),
    ]
    samples = np.diff([simulator.simulate(*c, duration_s=1.0, seed=0) for c in conditions], axis=1)
    correlation = np.corrcoef(samples) - np.eye(len(conditions))
    assert np.abs(correlation).max() < 0.1


@pytest.mark.parametrize('name', MACHINES)
def test_every_condition_reads_plausible_acceleration(name):
    found = list(simulator.recordings([name], speeds=(127.0, 523.0, 997.0), duration_s=1.0, seed=2))
    assert len(found) == 3 * 3 * 4
    for recording in found:
        samples = recording.samples
        assert np.isfinite(samples).all(), recording.recording
        assert 0.01 < rms(samples) < 20, recording.recording
        assert abs(samples.mean()) < 0.02 * np.abs(samples).max()
        # A clipped signal stays at its extremes.
        assert np.sum(samples == samples.max()) == 1
        assert np.sum(samples == samples.min()) == 1


@pytest.mark.parametrize('state', STATES)
@pytest.mark.parametrize('name', MACHINES)
def test_level_grows_with_load_and_speed(name, state):
    def mean_level_db(speed_rpm, load_case):
        # Recordings differ by 1.5 dB in gain for reasons of their own: average that away.
        levels = [
            20 * np.log10(rms(simulator.simulate(name, state, speed_rpm, load_case, duration_s=0.7, seed=s)))
            for s in range(8)
        ]
        return np.mean(levels)

    by_speed = [mean_level_db(speed, 2) for speed in (127.0, 457.0, 997.0)]
    by_load = [mean_level_db(727.0, case) for case in (0, 2)]
    assert np.all(np.diff(by_speed) > 3), by_speed
    assert np.diff(by_load) > 2, by_load


def test_damage_is_louder_and_more_impulsive_than_health():
    def kurtosis(x):
        return np.mean((x - x.mean()) ** 4) / np.var(x) ** 2

    for name in MACHINES:
        normal, inner, outer = (simulator.simulate(name, s, 877.0, 2, duration_s=4.0, seed=1) for s in STATES)
        assert kurtosis(normal) < 3.6
        assert kurtosis(inner) > 4.5
        assert kurtosis(outer) > 4.5
        assert rms(outer) > 1.3 * rms(normal)


def test_machines_have_different_spectra():
    spectra = []
    for name in MACHINES:
        power = scipy.signal.welch(simulator.simulate(name, 'normal', 607.0, 2, duration_s=4.0, seed=0), RATE_HZ)[1]
        log_power = 10 * np.log10(power[2:])
        spectra.append(log_power - log_power.mean())
    same = scipy.signal.welch(simulator.simulate('rig_a', 'normal', 607.0, 2, duration_s=4.0, seed=1), RATE_HZ)[1]
    same = 10 * np.log10(same[2:])
    within = np.sqrt(np.mean((spectra[0] - same + same.mean()) ** 2))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert np.sqrt(np.mean((spectra[a] - spectra[b]) ** 2)) > max(2.0, 2 * within)


def test_shaft_harmonics_stand_where_they_must():
    samples = simulator.simulate('rig_a', 'normal', 997.0, 2, duration_s=16.0, seed=0)
    frequency_hz, power = scipy.signal.periodogram(samples, RATE_HZ, window='hann', scaling='spectrum')
    for order, amplitude_g in enumerate(MACHINES['rig_a'].harmonics_g[:2], 1):
        # Speed wanders by 0.4%, so the line is a narrow heap: sum it (a Hann window spreads power by 1.5).
        near = np.abs(frequency_hz - order * 997 / 60) < 0.01 * order * 997 / 60
        amplitude = np.sqrt(2 * power[near].sum() / 1.5)
        assert 20 * np.log10(amplitude / amplitude_g) == pytest.approx(0, abs=2)


def test_start_and_end_are_as_loud_as_the_middle():
    edges, middle = [], []
    for seed in range(12):
        samples = simulator.simulate('rig_a', 'normal', 997.0, 2, duration_s=1.0, seed=seed)
        edges.append(np.mean(np.concatenate([samples[:200], samples[-200:]]) ** 2))
        middle.append(np.mean(samples[5000:15000] ** 2))
    assert np.mean(edges) / np.mean(middle) == pytest.approx(1, rel=0.2)


def test_rate_changes_the_sampling_not_the_machine():
    low, high = (
        scipy.signal.welch(
            simulator.simulate('rig_b', 'normal', 877.0, 2, duration_s=8.0, sample_rate_hz=rate, seed=4),
            rate,
            nperseg=int(rate / 20),
        )[1][10:300]
        for rate in (20480.0, 40960.0)
    )
    # 200 to 6000 Hz in bins of 20 Hz; two draws of the noise, the same nuisance.
    assert np.mean(10 * np.log10(low / high)) == pytest.approx(0, abs=0.7)


def test_recording_says_what_it_is():
    recording = simulator.simulate_recording('rig_b', 'inner_race', 877.0, 2, duration_s=0.25, seed=0)
    assert recording.recording == 'rig_b-inner_race-0877rpm-load2'
    assert (recording.label, recording.fault_type) == ('inner_race', 'inner_race')
    assert (recording.bearing, recording.domain, recording.source) == ('rig_b-inner_race', 'load2', 'simulated')
    assert (recording.speed_rpm, recording.load, recording.sample_rate_hz) == (877.0, 124.8, 20480.0)
    assert recording.samples.shape == (5120, 1)
    direct = simulator.simulate('rig_b', 'inner_race', 877.0, 2, duration_s=0.25, seed=0)
    np.testing.assert_array_equal(recording.samples[:, 0], direct)


def test_default_layout_is_the_studys():
    ids = [r.recording for r in simulator.recordings(['rig_c'], duration_s=0.01, seed=0)]
    assert len(ids) == len(set(ids)) == len(STATES) * len(SPEEDS_RPM) * len(LOAD_CASES) == 120
    assert ids[0] == 'rig_c-normal-0127rpm-load0'
    assert ids[-1] == 'rig_c-outer_race-0997rpm-load3'


def test_loads_of_rig_b_are_the_studys():
    loads = [MACHINES['rig_b'].loads_kn(case) for case in range(4)]
    np.testing.assert_allclose(loads, [(0, 0), (64, 0), (124.8, 0), (124.8, 49)])


@pytest.mark.parametrize(
    ('changed', 'message'),
    [
        ({'machine': 'rig_z'}, "'rig_z' .*rig_a, rig_b, rig_c"),
        ({'state': 'ball'}, "'ball' .*normal, inner_race, outer_race"),
        ({'speed_rpm': 0.0}, 'speed_rpm is 0.0'),
        ({'speed_rpm': float('nan')}, 'speed_rpm is nan'),
        ({'duration_s': -1.0}, 'duration_s is -1.0'),
        ({'duration_s': 1e-6}, 'less than one sample'),
        ({'load_case': 4}, 'load case 4 .*0 to 3'),
        ({'load_case': -1}, 'load case -1 is unknown'),
        ({'load_case': 1.0}, 'load case 1.0 is unknown'),
        ({'sample_rate_hz': 8000.0}, 'sample_rate_hz is 8000.0; .*16000'),
        ({'seed': -3}, 'seed is -3'),
        ({'seed': 0.5}, 'seed is 0.5'),
    ],
)
def test_bad_arguments_are_errors_with_the_value(changed, message):
    arguments = {
        'machine': 'rig_a',
        'state': 'normal',
        'speed_rpm': 457.0,
        'load_case': 0,
        'duration_s': 0.1,
        'seed': 0,
    }
    with pytest.raises(ConfigError, match=message):
        simulator.simulate(**{**arguments, **changed})


@pytest.mark.parametrize(
    'changed', [{'speeds': (457.0, 457.4)}, {'load_cases': (0, 1, 0)}, {'machine_names': ('rig_a', 'rig_a')}]
)
def test_recordings_refuse_two_of_the_same_id(changed):
    arguments = {'machine_names': ('rig_a',), 'duration_s': 0.1, 'seed': 0}
    with pytest.raises(ConfigError, match='same id'):
        next(simulator.recordings(**{**arguments, **changed}))
