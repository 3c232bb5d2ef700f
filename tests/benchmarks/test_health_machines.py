"""Machines of the benchmark `health`: what is healthy, what is tested, and what the seed draws."""

from __future__ import annotations

import numpy as np

from fdx.benchmarks import health_data
from fdx.benchmarks.health_data import MACHINES


def test_machines_are_read_by_their_builders(raw_data):
    named = {machine.name: machine for machine in MACHINES}
    hit = named['hit_mfs'].read(raw_data, 0)
    assert len(hit.healthy) == 3 and len(hit.tested) == 18 and set(hit.kinds) >= {'inner_race, 2 degrees'}
    beginning = named['femto_1_4'].read(raw_data, 0)
    assert [r.recording for r in beginning.healthy[:2]] == ['Bearing1_4_acc_00001', 'Bearing1_4_acc_00041']
    assert (np.diff(beginning.ages) > 0).all() and beginning.ages[0] > 0.1 and beginning.ages[-1] <= 1
    cwru = named['cwru'].read(raw_data, 0)
    loads = {r.load for r in cwru.healthy}
    assert all(r.fault_type == 'normal' for r in cwru.healthy) and {r.load for r in cwru.tested} <= loads


def test_simulated_recordings_differ_by_seed_and_take(monkeypatch):
    monkeypatch.setattr(health_data, 'LEARNED', 3)
    monkeypatch.setattr(health_data, 'FRESH', 2)
    monkeypatch.setattr(health_data, 'FAULTY', 1)
    monkeypatch.setattr(health_data, 'MOTOR_FAULTY', 1)
    monkeypatch.setattr(health_data, 'MOTOR_SECONDS', 1.0)
    named = {machine.name: machine for machine in MACHINES}
    first, other = named['rig_a'].read(None, 0), named['rig_a'].read(None, 1)
    names = [r.recording for r in (*first.healthy, *first.fresh)]
    assert len(set(names)) == len(names) == 20 and len(first.tested) == 8
    assert not np.array_equal(first.healthy[0].samples, other.healthy[0].samples)
    assert {r.fault_type for r in first.fresh} == {'normal'}
    motor = named['motor_rig'].read(None, 0)
    assert (len(motor.healthy), len(motor.fresh), len(motor.tested)) == (15, 10, 15)
    assert set(motor.kinds) == {'imbalance', 'electrical', 'both'} and not len(motor.ages)
