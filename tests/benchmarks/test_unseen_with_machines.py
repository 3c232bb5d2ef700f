"""The judge with real machines: how recordings weigh, and that the tested one is not among them."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.benchmarks import unseen_with_machines
from fdx.benchmarks.unseen_verdicts import VERDICT_STATES
from fdx.benchmarks.unseen_with_machines import JudgeWithMachines
from fdx.simulate.machine import STATES
from tests.predict.bench import noise


def test_real_and_simulated_weigh_alike_and_so_do_their_states():
    labels = np.array([0, 0, 0, 1, 0, 2, 2, 2])
    real = np.arange(8) >= 4
    weights = unseen_with_machines._weights(labels, real)
    assert weights.sum() == pytest.approx(8) and weights[real].sum() == pytest.approx(4)
    assert weights[:3].sum() == pytest.approx(weights[3]) == 2
    assert weights[5:].sum() == pytest.approx(weights[4]) == 2


def test_a_real_machine_moves_the_verdict(monkeypatch):
    """Simulated machines say nothing about the second feature; recordings of other machines do."""
    rng = np.random.default_rng(0)
    truth = np.arange(60) % 5
    of_simulated = np.concatenate([np.eye(5)[truth], rng.normal(size=(60, 1))], axis=1)
    monkeypatch.setattr(unseen_with_machines, '_simulated', lambda: (of_simulated, truth))
    recordings = {}

    def features(self, recording):
        return recordings[recording.recording]

    monkeypatch.setattr(JudgeWithMachines, '_features', features)
    others = []
    for i in range(20):
        one = noise(1)
        state = ('normal', 'outer_race')[i % 2]
        object.__setattr__(one, 'recording', f'r{i}')
        object.__setattr__(one, 'fault_type', state)
        others.append(one)
        recordings[f'r{i}'] = np.array([1.0, 0, 0, 0, 0, (-8.0, 8.0)[i % 2]])
    found = JudgeWithMachines()(others[2:], others[:2], 0)
    assert [VERDICT_STATES[i] for i in found.probabilities.argmax(axis=1)] == ['normal', 'outer_race']
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert set(STATES) == set(VERDICT_STATES)
