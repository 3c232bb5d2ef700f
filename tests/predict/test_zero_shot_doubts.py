"""Healthy machines whose lines lie where fault orders are: healthy, or no verdict with the reason; never a fault."""

from __future__ import annotations

import importlib.util
import pathlib

import numpy as np
import pytest

from fdx.predict.zero_shot import diagnose_zero_shot
from fdx.predict.zero_shot_evidence import DOUBTS
from fdx.signal.bearings import BEARINGS
from fdx.types import Recording

RATE_HZ, RPM, SECONDS = 12000.0, 1772.0, 6.0
G = BEARINGS['skf_6205']
T = np.arange(int(SECONDS * RATE_HZ)) / RATE_HZ
SHAFT = RPM / 60
HEALTHY_SIGNALS = pathlib.Path(__file__).resolve().parents[3] / 'shared' / 'cases' / 'healthy_signals.py'
KINDS = ('white', 'pink', 'brown', 'resonant', 'shaft', 'gear', 'hum', 'random_impacts')
KINDS += ('once_per_turn', 'vanes7', 'inverter')


def recording(x):
    machine = {'speed_rpm': RPM, 'geometry': G, 'source': 'machine.npy'}
    return Recording(x.astype(np.float32)[:, None], RATE_HZ, 'machine', '', '', '', '', **machine)


def summary(x):
    return diagnose_zero_shot(recording(x)).rows()[-1]


def noise(seed=0):
    return np.random.default_rng(seed).standard_normal(len(T))


def knocks(rate_hz, strength=4.0, seed=1):
    """Noise that is louder for a tenth of every period."""
    return noise(seed) * (1 + strength * (np.mod(T * rate_hz, 1) < 0.1))


@pytest.mark.parametrize('blades', [1, 3, 4, 5, 7, 9])
def test_what_the_shaft_itself_does_is_no_fault(blades):
    for modulated in (knocks(blades * SHAFT), noise() * (1 + 0.5 * np.cos(2 * np.pi * blades * SHAFT * T))):
        found = summary(modulated)
        assert found['predicted'] in (None, 'normal')
        if found['predicted'] is None:
            assert any(doubt in found['reason'] for doubt in DOUBTS)


@pytest.mark.parametrize(('order', 'fault'), [(G.bpfi, 'inner_race'), (G.bpfo, 'outer_race'), (2 * G.bsf, 'ball')])
def test_one_line_alone_is_no_verdict_and_several_harmonics_are(order, fault):
    # A modulation at the order itself has a second harmonic in the squared envelope, as a fault has.
    for harmonic in (2, 3):
        found = summary(noise() * (1 + 0.3 * np.cos(2 * np.pi * harmonic * order * SHAFT * T)))
        assert found['predicted'] is None
        assert 'stands out (z ' in found['reason'] and DOUBTS[0] in found['reason']
        assert found['agreement'] is None
    *windows, found = diagnose_zero_shot(recording(knocks(1.003 * order * SHAFT))).rows()
    assert (found['predicted'], found['agreement']) == (fault, 1.0)
    assert all('reason' not in row for row in windows)


def test_windows_that_vote_for_a_doubtful_fault_say_why():
    *windows, found = diagnose_zero_shot(
        recording(noise() * (1 + 0.5 * np.cos(2 * np.pi * 2 * G.bpfo * SHAFT * T)))
    ).rows()
    assert found['predicted'] is None
    doubtful = [row for row in windows if row.get('reason')]
    assert doubtful and all(row['reason'] == found['reason'] and row['predicted'] is None for row in doubtful)
    assert not any(row['predicted'] == 'outer_race' for row in windows)


@pytest.fixture(scope='module')
def healthy_signals():
    """The script as a module: 22 processes of its own would take most of the time."""
    if not HEALTHY_SIGNALS.exists():
        pytest.skip('the scripts of ../shared/cases are absent')
    spec = importlib.util.spec_from_file_location('healthy_signals', HEALTHY_SIGNALS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('kind', KINDS)
def test_the_healthy_machines_of_the_cases_are_healthy_or_without_verdict(kind, healthy_signals):
    assert healthy_signals.FS == RATE_HZ
    for seed in (0, 1):
        # As its command line makes it.
        rng = np.random.default_rng([seed, sum(map(ord, kind))])
        signal = healthy_signals.make(kind, rng, int(9.75 * RATE_HZ), RPM)
        assert summary(signal)['predicted'] in (None, 'normal')
