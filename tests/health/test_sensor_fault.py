"""Faults of sensors are found, and faults of machines are not taken for them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.data.raw.files import read_raw_file
from fdx.health.sensor_facts import sensor_facts
from fdx.health.sensor_fault import KINDS, REMEDIES, SensorFault, sensor_fault
from fdx.types import ConfigError, DataError, Recording

RATE_HZ, SHAFT_HZ = 8000, 29.3
T = np.arange(4 * RATE_HZ) / RATE_HZ


def machine(seed: int = 0, fault: float = 0.0, imbalance: float = 1.0) -> np.ndarray:
    """A shaft, a resonance and, with a fault, impacts that ring another one: float64 [T]."""
    rng = np.random.default_rng(seed)
    shaft = sum(a * np.sin(2 * np.pi * h * SHAFT_HZ * T + h) for h, a in ((1, imbalance), (2, 0.4), (3, 0.2)))
    ring = np.exp(-400 * np.arange(200) / RATE_HZ)
    own = np.convolve(rng.standard_normal(len(T)), ring * np.sin(2 * np.pi * 900 * np.arange(200) / RATE_HZ), 'same')
    strikes = np.zeros(len(T))
    strikes[(np.arange(0, 4, 1 / (3.58 * SHAFT_HZ)) * RATE_HZ).astype(int)] = fault
    struck = np.convolve(strikes, ring * np.sin(2 * np.pi * 2900 * np.arange(200) / RATE_HZ), 'same')
    return shaft + 0.1 * own + struck + 0.05 * rng.standard_normal(len(T))


def recording(samples: np.ndarray, speed_rpm: float = np.nan) -> Recording:
    return Recording(samples.astype(np.float32), float(RATE_HZ), 'r', '', '', '', '', speed_rpm=speed_rpm)


@pytest.fixture(scope='module')
def healthy() -> list:
    return [sensor_facts(recording(machine(seed))) for seed in range(1, 9)]


def kind(samples: np.ndarray, healthy=None, **kwargs) -> str | None:
    found = sensor_fault(recording(samples, **kwargs), healthy)
    return found and found.kind


@pytest.mark.parametrize('known', [False, True])
@pytest.mark.parametrize(
    ('fault', 'imbalance', 'gain'), [(0, 1, 1), (3, 1, 1), (30, 1, 1), (0, 6, 1), (10, 3, 1), (0, 1, 1.1)]
)
def test_machines_are_no_sensor_faults(healthy, known, fault, imbalance, gain):
    assert kind(gain * machine(0, fault, imbalance), healthy if known else None) is None


def held_above(x):
    return np.minimum(x, np.quantile(x, 0.97))


def gone(x):
    return np.where((T > 1) & (T < 1.5), 0.0, x)


def flicker(x):
    return np.round(0.001 * x, 3)


CASES = {
    'constant': (np.zeros_like, 'dead'),
    'flicker': (flicker, 'dead'),
    'gone': (gone, 'loose'),
    'held above': (held_above, 'loose'),
    'not numbers': (lambda x: np.where(np.arange(len(x)) % 9, x, np.nan), 'loose'),
    'jump': (lambda x: x + np.where(T > 2.1, 20.0, 0.0), 'loose'),
    'wanders': (lambda x: x + 8 * T**2, 'drifted'),
    'hum': (lambda x: sum(np.sin(2 * np.pi * 50 * k * T) / k for k in (1, 2, 3, 5)) + 0.01 * x[::-1].argsort() / 1e6
            + 0.01 * np.random.default_rng(3).standard_normal(len(x)), 'cable noise'),
}  # fmt: skip


@pytest.mark.parametrize('known', [False, True])
@pytest.mark.parametrize('case', CASES)
def test_sensor_faults_are_found(healthy, case, known):
    change, expected = CASES[case]
    assert kind(change(machine()), healthy if known else None) == expected


@pytest.mark.parametrize('gain', [0.5, 2.0, 1000.0])
def test_a_gain_is_found_only_beside_healthy_recordings(healthy, gain):
    assert kind(gain * machine(), healthy) == 'drifted'
    assert kind(gain * machine()) is None
    assert kind(gain * machine(), healthy[:4]) is None


def test_an_offset_is_found_only_beside_healthy_recordings(healthy):
    assert kind(machine() + 5.0, healthy) == 'drifted'
    assert kind(machine() + 5.0) is None
    assert kind(machine() + 0.2, healthy) is None


def test_a_sensor_that_hears_nothing_any_more(healthy):
    assert kind(1e-3 * np.random.default_rng(0).standard_normal(len(T)), healthy) == 'dead'


def test_lines_of_a_machine_at_the_mains_are_its_own():
    hum = sum(np.sin(2 * np.pi * 50 * k * T) / k for k in (1, 2, 3, 4)) + 0.01 * machine(3)
    noise = hum - 0.01 * machine(3) + 0.01 * np.random.default_rng(3).standard_normal(len(T))
    assert kind(noise) == 'cable noise'
    assert kind(noise, speed_rpm=1500.0) is None
    assert kind(hum) is None


def test_clipped_on_both_sides_is_a_range_and_no_loose_sensor():
    x = machine()
    assert kind(np.clip(x, *np.quantile(x, [0.03, 0.97]))) is None


def test_the_channel_and_the_remedy_are_named():
    x = np.stack([machine(), np.zeros(len(T))], axis=1)
    found = sensor_fault(recording(x))
    assert (found.kind, found.channel) == ('dead', 1) and 'cable' in found.remedy
    assert set(REMEDIES) == set(KINDS) and SensorFault('loose', 0, '').remedy


def test_what_cannot_be_used(healthy):
    with pytest.raises(ConfigError, match='channels'):
        sensor_fault(recording(np.zeros((100, 2))), healthy)
    with pytest.raises(DataError, match='shape'):
        sensor_facts(recording(np.zeros((0,))))
    short = dataclasses.replace(recording(np.random.default_rng(0).standard_normal(256)), sample_rate_hz=25600.0)
    assert sensor_fault(short) is None and np.isnan(sensor_facts(short)[0].swing)


def test_real_machines_healthy_and_faulty_are_no_sensor_faults(raw_data):
    read = {
        'cwru': [raw_data / 'cwru' / f'{n}.mat' for n in (97, 100, 105, 118, 130, 169, 222)],
        'adi_cbm': sorted((raw_data / 'adi_cbm').glob('*1800*.csv'))[::2],
        'hit_mfs': sorted((raw_data / 'hit_mfs').rglob('*900.mat'))[::2],
    }
    rates = {'cwru': 12000.0, 'adi_cbm': 20000.0, 'hit_mfs': 51200.0}
    for name, files in read.items():
        recordings = [read_raw_file(f, sample_rate_hz=rates[name]) for f in files if f.exists()]
        assert len(recordings) >= 3
        assert [r.recording for r in recordings if sensor_fault(r)] == []


def test_faults_of_a_real_machine_beside_its_healthy_recording(raw_data):
    files = sorted((raw_data / 'adi_cbm').glob('3000*.csv'))
    recordings = {f.name: read_raw_file(f, sample_rate_hz=20000.0) for f in files}
    normal = next(r for name, r in recordings.items() if 'GoB_GS_BaLo_WA' in name)
    eighth = len(normal.samples) // 8
    pieces = [dataclasses.replace(normal, samples=normal.samples[i * eighth :][:eighth]) for i in range(8)]
    healthy = [sensor_facts(piece) for piece in pieces]
    assert [name for name, r in recordings.items() if sensor_fault(r, healthy)] == []
    middle = normal.samples.mean(axis=0)
    louder = dataclasses.replace(pieces[7], samples=2 * (pieces[7].samples - middle) + middle)
    assert sensor_fault(pieces[7], healthy[:7]) is None
    assert sensor_fault(louder, healthy[:7]).kind == 'drifted'
