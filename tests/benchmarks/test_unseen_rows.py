"""The rows of the benchmark `unseen`: physics, judges, and what learns from other machines."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest

from fdx.benchmarks import unseen_adapted, unseen_linear, white_noise_null
from fdx.benchmarks.unseen_adapted import AdaptedMel
from fdx.benchmarks.unseen_images import Images, common_rate_hz
from fdx.benchmarks.unseen_linear import FrozenMusicnn, LinearMel, logistic
from fdx.benchmarks.unseen_machines import STATES
from fdx.benchmarks.unseen_methods import ControlOrders, Judge, WhiteNoise, of_z_scores
from fdx.benchmarks.unseen_verdicts import VERDICT_STATES, Verdicts, code_digest, one_by_one
from fdx.datasets.bearing_rig.simulator import simulate_recording
from fdx.types import DataError, Recording


def said(found: Verdicts) -> list[str]:
    return [VERDICT_STATES[i] for i in found.probabilities.argmax(axis=1)]


@pytest.fixture(scope='module')
def simulated():
    return [
        simulate_recording('rig_a', state, 997.0, 1, duration_s=2.5, sample_rate_hz=16000.0, seed=0)
        for state in ('normal', 'inner_race', 'outer_race')
    ]


def noises(machine: str, rate_hz: float, seconds: float = 3.2, count: int = 2) -> list[Recording]:
    """Noise in three bands, one per state, at any rate."""
    rng = np.random.default_rng([len(machine), round(rate_hz)])
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    found = []
    for state, hz in zip(STATES, (400.0, 1100.0, 2000.0)):
        for i in range(count):
            wave = rng.standard_normal(len(t)) * 0.05 + np.sin(2 * np.pi * hz * t + i)
            samples = wave[:, None].astype(np.float32)
            found.append(Recording(samples, rate_hz, f'{machine}_{state}{i}', state, state, state, machine))
    return found


def test_a_fault_is_called_from_the_threshold_on():
    names = ('inner_race', 'outer_race', 'ball')
    for z, state in (((3.9, -8, 1), 'normal'), ((4.1, 2, 3), 'inner_race'), ((60, 900, 3), 'outer_race')):
        row = of_z_scores(dict(zip(names, z)))
        assert VERDICT_STATES[row.argmax()] == state and row.sum() == pytest.approx(1) and row[-1] == 0
    even = of_z_scores({'inner_race': 4.0})
    assert even[STATES.index('normal')] == even[STATES.index('inner_race')] == 0.5


@pytest.mark.parametrize('method', [WhiteNoise(), ControlOrders()], ids=lambda method: method.name)
def test_physics_names_the_race_and_abstains_where_the_bearing_is_unknown(method, simulated, monkeypatch):
    monkeypatch.setattr(white_noise_null, 'SURROGATES', 8)
    unknown = dataclasses.replace(simulated[0], geometry=None)
    found = method((), [*simulated, unknown], 0)
    assert said(found)[1:3] == ['inner_race', 'outer_race'] and not found.abstained[1:3].any()
    assert found.abstained[3] and 'bearing' in found.reasons[3]
    assert said(ControlOrders()((), simulated[:1], 0)) == ['normal']
    stored = Verdicts.from_json(found.to_json())
    np.testing.assert_allclose(stored.probabilities, found.probabilities, rtol=1e-5)
    assert stored.reasons == found.reasons and (stored.abstained == found.abstained).all()


def test_a_judge_is_asked_recording_by_recording():
    results = [
        types.SimpleNamespace(probabilities={'normal': 0.2, 'ball': 0.6, 'combined': 0.2}, abstained=False),
        types.SimpleNamespace(probabilities={'normal': 0.5, 'inner_race': 0.5}, abstained=True),
        types.SimpleNamespace(probabilities={'normal': 1.0}, abstained='the speed does not fit'),
        types.SimpleNamespace(probabilities={}, abstained=None),
    ]
    asked = []

    def judge_of(others, seed):
        asked.append((len(others), seed))
        left = iter(results)
        return lambda recording: next(left)

    judge = Judge('x', 'words', judge_of, lambda: {'a': 1}, lambda: 'not yet')
    tested = noises('a', 8000.0)[:4]
    found = judge(tested[:1], tested, 7)
    assert asked == [(1, 7)] and judge.missing() == 'not yet' and judge.asked() == {'a': 1}
    assert found.abstained.tolist() == [False, True, True, True]
    assert found.reasons[1:3] == ('it abstains', 'the speed does not fit') and 'no probabilities' in found.reasons[3]
    assert said(found)[0] == 'ball' and found.probabilities[0].tolist() == [0.2, 0, 0, 0.6, 0.2]


def test_an_error_of_one_recording_is_an_abstention():
    def judge(recording):
        raise DataError('too short')

    found = one_by_one(noises('a', 8000.0)[:1], judge)
    assert found.abstained.all() and found.reasons == ('too short',)
    assert found.probabilities.tolist() == [[0.2] * 5]


def test_the_digest_of_code_follows_the_files():
    assert code_digest(['types.py']) == code_digest(['typ*.py', 'types.py'])
    assert len({code_digest(p) for p in (['types.py'], ['types.py', 'files.py'], [])}) == 3


def test_windows_of_all_machines_have_one_rate_and_a_recording_few_of_them():
    slow, fast = noises('a', 8000.0)[0], noises('b', 16000.0, seconds=9.0)[0]
    assert common_rate_hz([fast, slow]) == 8000.0
    images = Images('band_mel')([slow, fast], 8000.0)
    assert images[0].shape[1:] == images[1].shape[1:] and len(images[1]) == 8 and 1 < len(images[0]) <= 8
    with pytest.raises(DataError, match='a_normal0: 1500 samples are shorter'):
        Images('band_mel')([dataclasses.replace(slow, samples=slow.samples[:1500])], 8000.0)


def test_every_state_weighs_alike_in_the_linear_rows():
    rng = np.random.default_rng(0)
    rare, common = rng.normal(1, 1, (5, 1)), rng.normal(-1, 1, (500, 1))
    labels = np.repeat([1, 0], [5, 500])
    found = logistic(np.concatenate([rare, common]), labels, np.array([[2.0], [-2.0]]))
    assert found[0].argmax() == 1 and found[1].argmax() == 0 and found[:, 2:].sum() == 0


def test_the_linear_rows_reach_their_optimum():
    # More values than recordings, and asked far from what was learned: what stops early is seen here.
    rng = np.random.default_rng(1)
    known, asked = rng.standard_normal((40, 300)) * np.linspace(0.01, 3, 300), 5 * rng.standard_normal((6, 300))
    labels = np.arange(40) % 3
    once = logistic(known, labels, asked)
    np.testing.assert_allclose(logistic(known * (1 + 1e-7), labels, asked), once, atol=1e-5)
    np.testing.assert_allclose(logistic(known[:, ::-1], labels, asked[:, ::-1]), once, atol=1e-5)


@pytest.mark.parametrize('kind', [LinearMel, FrozenMusicnn], ids=lambda kind: kind.name)
def test_linear_rows_learn_from_machines_of_other_rates(kind, monkeypatch):
    monkeypatch.setattr(unseen_linear, 'WEIGHTS', 'random')
    method = kind()
    others = [*noises('a', 8000.0), *noises('bb', 12000.0)]
    tested = noises('ccc', 16000.0, count=1)
    found = method(others, tested, 0)
    assert said(found) == ['normal', 'inner_race', 'outer_race'] and not found.abstained.any()
    # Labels of the tested machine are never read.
    blind = [dataclasses.replace(r, fault_type='ball', label='ball') for r in tested]
    np.testing.assert_array_equal(method(others, blind, 0).probabilities, found.probabilities)


def test_weights_that_cannot_be_had_skip_the_row(monkeypatch, tmp_path):
    monkeypatch.setenv('FDX_CACHE', str(tmp_path))
    monkeypatch.setenv('PIP_NO_INDEX', '1')
    monkeypatch.delenv('PIP_FIND_LINKS', raising=False)
    assert 'musicnn_mtt cannot be had' in FrozenMusicnn().missing()


def test_the_adapted_row_sees_the_tested_windows_without_labels(monkeypatch):
    monkeypatch.setattr(unseen_adapted, 'ADAPTATION', {**unseen_adapted.ADAPTATION, 'steps': 25})
    method, others = AdaptedMel(), noises('a', 8000.0)
    tested = noises('bb', 12000.0, count=1)
    first = method(others, tested, 0)
    assert said(first) == ['normal', 'inner_race', 'outer_race']
    np.testing.assert_allclose(first.probabilities.sum(axis=1), 1)
    blind = [dataclasses.replace(r, fault_type='ball') for r in tested]
    np.testing.assert_array_equal(method(others, blind, 0).probabilities, first.probabilities)
    assert (method(others, tested, 1).probabilities != first.probabilities).any()
