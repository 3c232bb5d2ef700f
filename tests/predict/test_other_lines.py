"""Sound machines whose other parts or mains leave lines beside the order of a fault."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.predict.evidence_of import Knowledge
from fdx.predict.zero_shot import diagnose_zero_shot
from fdx.signal.bearings import BEARINGS
from fdx.types import Recording
from tests.predict.bench import RATE_HZ, SHAFT_HZ, noise, struck

RPM, SECONDS = 1500.0, 9.0
# BPFO 3.05 and BPFI 4.95: 1.6 and 1 % beside whole orders.
ER_12K = BEARINGS['er_12k']


def swelling(hz: float, geometry, speed_rpm: float = RPM) -> Recording:
    """Noise that swells at a rate and its harmonics; nothing else is there."""
    recording = noise(SECONDS)
    t = np.arange(len(recording.samples)) / RATE_HZ
    swell = sum(a * np.cos(2 * np.pi * k * hz * t) for k, a in ((1, 0.4), (2, 0.2), (3, 0.1)))
    samples = recording.samples * (1 + swell[:, None])
    return dataclasses.replace(recording, samples=samples.astype(np.float32), speed_rpm=speed_rpm, geometry=geometry)


def with_vanes(count: int, geometry) -> Recording:
    """A fluid that swells as each of `count` vanes passes."""
    return swelling(count * RPM / 60, geometry)


@pytest.mark.parametrize(
    ('count', 'geometry'),
    [
        # 7 and 14 are the second and fourth harmonic of the BPFO at a speed 2.4 % lower.
        (7, BEARINGS['skf_6205']),
        (5, BEARINGS['skf_6205']),
        (3, ER_12K),
        (5, ER_12K),
        (6, ER_12K),
        (4, BEARINGS['skf_6203']),
        (5, BEARINGS['skf_6203']),
    ],
)
def test_vanes_are_no_fault(count, geometry):
    assert diagnose_zero_shot(with_vanes(count, geometry)).label in ('normal', None)


@pytest.mark.parametrize('hz', [100.0, 120.0])
@pytest.mark.parametrize('order', [BEARINGS['skf_6205'].bpfo, ER_12K.bpfi])
def test_hum_that_meets_the_rate_of_a_fault_is_none(hz, order):
    geometry = ER_12K if order == ER_12K.bpfi else BEARINGS['skf_6205']
    recording = swelling(hz, geometry, speed_rpm=60 * hz / order * 1.004)
    assert diagnose_zero_shot(recording).label in ('normal', None)


def test_the_reason_says_what_to_do_and_it_helps():
    recording = with_vanes(5, ER_12K)
    doubted = diagnose_zero_shot(recording)
    assert doubted.label is None and '`known_orders`' in doubted.reason
    assert diagnose_zero_shot(recording, abstain=False).label == 'inner_race'
    assert diagnose_zero_shot(recording, knowledge=Knowledge(orders=(5.0,))).label == 'normal'


@pytest.mark.parametrize(('fault', 'order'), [('inner_race', ER_12K.bpfi), ('outer_race', ER_12K.bpfo)])
def test_a_fault_beside_a_whole_order_is_still_found(fault, order):
    recording = dataclasses.replace(struck(order, seed=3, seconds=SECONDS), geometry=ER_12K)
    assert diagnose_zero_shot(recording).label == fault


@pytest.mark.parametrize('seed', [0, 1])
@pytest.mark.parametrize('geometry', [BEARINGS['skf_6205'], ER_12K])
def test_a_short_recording_of_a_fault_is_not_called_sound_for_what_is_left_out(geometry, seed):
    """Twelve turns: the lines of whole orders are wide, and most of the fault's are left out with them."""
    recording = dataclasses.replace(struck(geometry.bpfi, seed=seed, seconds=12 / SHAFT_HZ), geometry=geometry)
    assert diagnose_zero_shot(recording).label != 'normal'
