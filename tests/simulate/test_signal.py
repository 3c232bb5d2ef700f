"""Recordings: the same bits for the same seed and index, in the shape that fdx reads, whatever was drawn."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np
import pytest

from fdx.simulate import CONFOUNDERS, NOISE_ONLY, SIMULATOR_VERSION, STATES, draw_machine, simulate
from fdx.simulate.ingredients import Part
from tests.simulate.bench import steady_machine


def digest(index: int) -> str:
    return hashlib.sha256(simulate(draw_machine(2, index)).samples.tobytes()).hexdigest()


def test_the_same_bits_in_any_order_of_calls():
    forwards = [digest(index) for index in (0, 1, 2)]
    assert [digest(index) for index in (2, 0, 1)] == [forwards[2], forwards[0], forwards[1]]
    assert len(set(forwards)) == 3


def test_version_is_raised_when_draws_change():
    """If this fails, seeds draw other machines than before: raise SIMULATOR_VERSION and enter the new digest."""

    def rounded(value):
        if isinstance(value, dict):
            return {name: rounded(one) for name, one in value.items()}
        if isinstance(value, list):
            return [rounded(one) for one in value]
        # The last digits of exponentials may differ between machines.
        return float(f'{value:.6g}') if isinstance(value, float) else value

    told = json.dumps([rounded(draw_machine(1, index).to_dict()) for index in range(30)], sort_keys=True)
    assert (SIMULATOR_VERSION, hashlib.sha256(told.encode()).hexdigest()[:16]) == (2, '4562f0a9370e5b1a')


@pytest.mark.parametrize('state', STATES)
def test_a_recording_says_what_it_is(state):
    machine = draw_machine(2, 3, state)
    recording = simulate(machine)
    assert recording.samples.dtype == np.float32
    assert recording.samples.shape == (round(machine.duration_s * machine.sample_rate_hz), 1)
    assert recording.label == recording.fault_type == state
    assert recording.recording == recording.bearing == recording.domain == 'machine-2-3'
    assert recording.geometry == machine.geometry and recording.speed_rpm == machine.speed_rpm
    assert recording.source == 'simulated' and recording.sample_rate_hz == machine.sample_rate_hz


@pytest.mark.parametrize('name', [*CONFOUNDERS, NOISE_ONLY])
def test_every_confounder_gives_finite_samples_and_changes_them(name):
    samples = simulate(draw_machine(2, 8, 'normal', (name,))).samples
    assert np.isfinite(samples).all() and samples.std() > 0
    assert not np.array_equal(samples, simulate(draw_machine(2, 8, 'normal', ())).samples)


def test_floor_has_the_stated_level_and_unit():
    machine = steady_machine()
    assert abs(simulate(machine).samples.std() - 1) < 0.03
    scaled = dataclasses.replace(machine, sensor=dataclasses.replace(machine.sensor, unit_scale=250.0))
    np.testing.assert_allclose(simulate(scaled).samples, 250 * simulate(machine).samples, rtol=1e-4)


def test_the_converter():
    machine = steady_machine(1.0)
    plain = simulate(machine).samples[:, 0]

    def read(parts=(), **changes):
        sensor = dataclasses.replace(machine.sensor, **changes)
        return simulate(dataclasses.replace(machine, sensor=sensor, parts=parts)).samples[:, 0]

    np.testing.assert_allclose(read(offset=7.0) - plain, 7 * plain.std(), rtol=1e-3)
    clipped = read(headroom=0.5)
    assert abs(clipped.max() - 0.5 * np.abs(plain).max()) < 1e-3 and np.sum(clipped == clipped.max()) > 3
    eight = read(bits=8, headroom=1.0)
    assert len(np.unique(eight)) <= 257
    coarse = read((Part('quantisation', step=1.0),))
    np.testing.assert_allclose(np.diff(np.unique(coarse)), plain.std(), rtol=1e-3)
    dead = read((Part('dead_time', dead=((0.25, 0.1),)),))
    assert np.all(dead[5000:7000] == 0)
    np.testing.assert_array_equal(np.delete(dead, range(5000, 7000)), np.delete(plain, range(5000, 7000)))


def test_filter_before_the_converter_and_folding():
    """A resonance beyond half of the rate is heard only where there is no filter, mirrored."""
    machine = steady_machine()
    mode = dataclasses.replace(machine.structure.modes[0], frequency_hz=13000.0, damping_ratio=0.02, gains=(5.0, 5.0))
    machine = dataclasses.replace(
        machine, structure=dataclasses.replace(machine.structure, modes=(mode,), direct=(0.2, 0.2))
    )
    open_ = dataclasses.replace(machine, sensor=dataclasses.replace(machine.sensor, anti_alias=0.0))

    def share(m):
        power = np.abs(np.fft.rfft(simulate(m).samples[:, 0])) ** 2
        hz = np.arange(len(power)) * m.sample_rate_hz / (2 * (len(power) - 1))
        return power[np.abs(hz - 7000) < 300].sum() / power.sum()

    assert share(machine) < 0.1 < 0.4 < share(open_)
