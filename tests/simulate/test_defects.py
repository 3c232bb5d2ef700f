"""Defects strike as often, as hard and as loud as the textbooks say, by maths of their own."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from fdx.simulate import draw_machine, simulate
from fdx.simulate.dice import Dice
from fdx.simulate.faults import RACES
from fdx.simulate.ingredients import Gate, NoiseBand, Part, Pulse, Train
from fdx.simulate.levels import BANDS, LOWEST_HZ
from fdx.simulate.motion import block_edges_s, shaft_clock
from fdx.simulate.strikes import gate_values, strike_times
from tests.simulate.bench import envelope_spectrum, prominence, steady_machine


def kinematic_hz(kind: str, machine, angle_deg: float) -> float:
    """Fault frequencies from the velocities of the contact points, in place of the usual formulas.

    The cage turns at the mean of the ring's surface speeds at the contacts; a damaged ball touches a ring every half
    of its own turn.
    """
    g, turn = machine.geometry, machine.speed_rpm / 60
    radius, inner = (
        g.pitch_diameter_mm / 2,
        g.pitch_diameter_mm / 2 - g.ball_diameter_mm / 2 * math.cos(math.radians(angle_deg)),
    )
    surface = 2 * math.pi * turn * inner
    cage = surface / 2 / radius / (2 * math.pi)
    if kind == 'outer_race':
        return g.num_balls * cage
    if kind == 'inner_race':
        return g.num_balls * (turn - cage)
    outer = g.pitch_diameter_mm / 2 + g.ball_diameter_mm / 2 * math.cos(math.radians(angle_deg))
    # Seen from the cage, the outer ring runs backwards over the ball, which rolls on it.
    return 2 * cage * outer / (g.ball_diameter_mm / 2)


@pytest.mark.parametrize('kind', RACES)
@pytest.mark.parametrize('index', range(4))
def test_strikes_come_at_the_rate_of_the_geometry(kind, index):
    machine = draw_machine(5, index, kind, ())
    train = next(t for part in machine.faults for t in part.trains) if machine.faults[0].trains else None
    order = train.order if train else machine.faults[0].noises[0].order
    expected = kinematic_hz(kind, machine, machine.contact_angle_deg) / (machine.speed_rpm / 60)
    # Slip of 2 % of the cage moves BPFI by less than 2 %.
    assert -0.0201 * expected <= order - expected <= 0.0201 * expected
    if train:
        edges_s = block_edges_s(32 * 20000, 20000.0)
        clock = shaft_clock(machine.motion, edges_s, 0.0, float(edges_s[-1]))
        times_s, _, _ = strike_times(dataclasses.replace(train, missing=0.0), clock, Dice(0, index, 0).rng)
        assert abs(len(times_s) / clock.cycles[-1] / train.order - 1) < 0.01


def strong(kind: str, index: int):
    """A machine with one impulsive defect, 15 dB over the floor."""
    for seed in range(100, 140):
        machine = draw_machine(seed, index, kind, ())
        part = machine.faults[0]
        if part.trains and not part.noises:
            train = dataclasses.replace(part.trains[0], snr_db=15.0, missing=0.0)
            return dataclasses.replace(machine, faults=(Part(kind, trains=(train,)),))
    raise AssertionError('no impulsive defect in 40 machines')


@pytest.mark.parametrize('kind', RACES)
@pytest.mark.parametrize('index', range(3))
def test_the_reading_has_the_line_of_its_own_defect_only(kind, index):
    machine = strong(kind, index)
    recording = simulate(machine)
    spectrum = envelope_spectrum(recording.samples[:, 0].astype(float), recording.sample_rate_hz)
    found = {}
    for name in RACES:
        line_hz = kinematic_hz(name, machine, machine.geometry.contact_angle_deg)
        found[name] = max(prominence(*spectrum, h * line_hz, tolerance=0.025) for h in (1, 2))
    assert max(found, key=found.get) == kind and found[kind] > 4


def test_load_zone_of_stribeck():
    angle = np.linspace(-np.pi, np.pi, 721)
    half = gate_values((Gate(1.0, 'load_zone', 0.5, 0.0, 1.5),), angle / (2 * np.pi))
    np.testing.assert_allclose(half, np.maximum(0, np.cos(angle)) ** 1.5, atol=1e-12)
    whole = gate_values((Gate(1.0, 'load_zone', 2.0, 0.0, 1.5),), angle / (2 * np.pi))
    assert whole.min() > 0.3


def test_inner_defect_strikes_hard_once_per_turn():
    machine = strong('inner_race', 0)
    zone = Gate(1.0, 'load_zone', 0.4, 0.0, 1.5)
    train = dataclasses.replace(machine.faults[0].trains[0], gates=(zone,), spread=0.0, pattern=(1.0,), phase=0.0)
    edges_s = block_edges_s(32 * 5000, 20000.0)
    clock = shaft_clock(machine.motion, edges_s, 0.0, float(edges_s[-1]))
    times_s, strengths, _ = strike_times(train, clock, Dice(0, 1, 0).rng)
    turns = np.interp(times_s, clock.edges_s, clock.cycles) % 1
    loaded = math.acos(1 - 2 * 0.4) / (2 * math.pi)
    far = np.minimum(turns, 1 - turns) > loaded + 0.01
    assert np.all(strengths[far] == 0) and np.mean(strengths > 0) < 2 * loaded + 0.05


def test_a_ball_strikes_both_races_in_turn():
    orders = []
    for index in range(20):
        machine = strong('ball', index)
        train = machine.faults[0].trains[0]
        assert len(train.pattern) == 2 and 0.2 <= train.pattern[1] <= train.pattern[0] == 1
        (zone,) = [gate for gate in train.gates if gate.kind == 'load_zone']
        # The ball passes a zone that stands still with the cage, and one that turns with the shaft by their difference.
        cage = machine.true_orders()['cage']
        assert zone.order in (cage, 1 - cage)
        orders.append(zone.order == cage)
    assert sum(orders) >= 12


def test_the_load_zone_passes_the_inner_race_or_turns_with_it():
    found = {kind: [] for kind in ('inner_race', 'outer_race')}
    for kind, zones in found.items():
        for index in range(40):
            part = draw_machine(8, index, kind, ()).faults[0]
            gates = (*part.trains, *part.noises)[0].gates
            zones += [[gate.order for gate in gates if gate.kind == 'load_zone']]
    assert {tuple(z) for z in found['inner_race']} == {(), (1.0,)} == {tuple(z) for z in found['outer_race']}
    assert found['inner_race'].count([1.0]) > 25 and found['outer_race'].count([]) > 25


def test_entry_and_exit_are_the_spall_apart():
    """An exit halfway between two entries looks like another strike, so that only even harmonics are left."""
    pulses = (Pulse(0.0, 1.0, 1e-4), Pulse(0.5, 1.0, 1e-4))
    train = Train(0, 'shaft', 4.0, pulses, 20.0, spread=0.0)
    recording = simulate(steady_machine(faults=(Part('outer_race', trains=(train,)),)))
    hz, amplitude = envelope_spectrum(recording.samples[:, 0].astype(float), recording.sample_rate_hz)
    first, second = (amplitude[np.abs(hz - h * 100) < 0.6].max() for h in (1, 2))
    assert second > 20 * first


def measured_snr_db(machine) -> float:
    """Largest ratio, in dB, of what defects add to the power of the floor, by the FFT of both readings."""
    bare = dataclasses.replace(machine, faults=())
    rate_hz = machine.sample_rate_hz
    powers = []
    for m in (machine, bare):
        power = np.abs(np.fft.rfft(simulate(m).samples[:, 0].astype(float))) ** 2
        hz = np.arange(len(power)) * rate_hz / (2 * (len(power) - 1))
        edges = np.linspace(LOWEST_HZ, 0.45 * rate_hz, BANDS + 1)
        powers.append(np.array([power[(hz >= a) & (hz < b)].mean() for a, b in zip(edges[:-1], edges[1:])]))
    return 10 * math.log10(np.max(powers[0] / powers[1] - 1))


@pytest.mark.parametrize('snr_db', [0.0, 10.0, 25.0])
def test_signal_to_noise_ratio_is_as_drawn(snr_db):
    train = Train(0, 'shaft', 3.58, (Pulse(0.0, 1.0, 1e-4),), snr_db, jitter=0.01, gates=(Gate(1, 'cosine', 0.3, 0),))
    assert abs(measured_snr_db(steady_machine(faults=(Part('outer_race', trains=(train,)),))) - snr_db) < 1.0
    band = NoiseBand(0, 'shaft', 3.58, 3.0, snr_db)
    assert abs(measured_snr_db(steady_machine(faults=(Part('outer_race', noises=(band,)),))) - snr_db) < 1.0


def test_mean_speed_is_exact_while_the_speed_wanders():
    machine = draw_machine(5, 1, 'normal', ())
    wild = dataclasses.replace(machine.motion, amplitudes=(0.01, 0.0, 0.0, 0.0), ramp=0.03)
    edges_s = block_edges_s(32 * 5000, 20000.0)
    clock = shaft_clock(wild, edges_s, 1.0, float(edges_s[-1]) - 1.0)
    turns = clock.cycles[-1] - np.interp(1.0, edges_s, clock.cycles)
    assert abs(turns / (edges_s[-1] - 1.0) / wild.mean_hz - 1) < 1e-9
    speed = np.diff(clock.cycles) / np.diff(edges_s) / wild.mean_hz
    assert 0.02 < np.ptp(speed) < 0.055
