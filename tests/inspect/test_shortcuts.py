"""The audit: what is planted is found and named, and machines without shortcuts raise no alarm."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.datasets.bearing_rig.simulator import recordings
from fdx.datasets.motor_rig.conditions import state_conditions
from fdx.datasets.motor_rig.simulator import simulate_recording
from fdx.inspect.audit import shortcut_words
from fdx.inspect.facts import RecordingFacts
from fdx.inspect.shortcuts import audit_shortcuts
from tests.inspect.recordings import of_recording, some_facts

CLASSES = ('normal', 'inner_race', 'outer_race')


def collection(change=lambda label, i, rng: {}, *, per_class: int = 6, seed: int = 0) -> list[RecordingFacts]:
    """Recordings in which `change(label, number, rng)` says what is special."""
    rng = np.random.default_rng(seed)
    return [some_facts(c, i, rng=rng, **change(c, i, rng)) for c in CLASSES for i in range(per_class)]


def shortcuts(facts) -> dict[str, list[str]]:
    """Nuisance -> what it tells, dates and numbers of files included."""
    audit = audit_shortcuts(facts)
    return {a.nuisance: [t.target for t in a.told()] for a in (*audit.shortcuts(), *audit.in_order())}


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('machine', ['rig_a', 'rig_b'])
def test_the_simulated_bearing_rig_has_no_shortcut(machine, seed):
    found = recordings([machine], speeds=(497.0, 997.0, 1797.0), load_cases=(0, 1), duration_s=1.0, seed=seed)
    audit = audit_shortcuts([of_recording(r) for r in found])
    assert audit.left_out == 'domains' and audit.recordings == 18
    assert not audit.shortcuts()


@pytest.mark.parametrize('seed', range(3))
def test_the_simulated_motor_rig_has_no_shortcut(seed):
    found = [simulate_recording('motor_a', c, duration_s=4.0, seed=seed) for c in state_conditions()]
    facts = [dataclasses.replace(of_recording(r), domain=r.domain) for r in found]
    assert not audit_shortcuts(facts).shortcuts()


def test_healthy_recordings_at_another_rate_are_found():
    found = shortcuts(
        collection(lambda c, i, rng: {'sample_rate_hz': 48000.0, 'samples': 96000} if c == 'normal' else {})
    )
    assert found == {'rate': ['healthy', 'all classes']}


@pytest.mark.parametrize(
    ('nuisance', 'change'),
    [
        ('bias', lambda c, i, rng: {'channel': {'bias': 0.5 * CLASSES.index(c) + 0.05 * rng.standard_normal()}}),
        ('duration', lambda c, i, rng: {'samples': 16000 * (2 + CLASSES.index(c))}),
        ('format', lambda c, i, rng: {'format': 'csv' if c == 'inner_race' else 'wav'}),
        ('band_edge', lambda c, i, rng: {'channel': {'band_edge_hz': 4000.0 if c == 'outer_race' else 8000.0}}),
        ('step', lambda c, i, rng: {'channel': {'step': 0.5 if c == 'normal' else None}}),
        ('speed', lambda c, i, rng: {'speed_rpm': 1500.0 + 300 * CLASSES.index(c)}),
        ('order', lambda c, i, rng: {'recording': f'{10 * CLASSES.index(c) + i:03d}.wav'}),
        ('date', lambda c, i, rng: {'modified_s': 1.7e9 + 7200 * CLASSES.index(c) + 30 * i}),
    ],
)
def test_each_nuisance_that_tells_the_classes_is_found_alone(nuisance, change):
    assert list(shortcuts(collection(change))) == [nuisance]


def test_what_faults_change_is_explained_until_it_is_too_much():
    def louder(factor: float):
        return lambda c, i, rng: {
            'channel': {'rms': (1 if c == 'normal' else factor) * np.exp(0.1 * rng.standard_normal())}
        }

    verdicts = {a.nuisance: a.verdict for a in audit_shortcuts(collection(louder(5.0))).nuisances}
    assert verdicts['level'] == 'explained by faults'
    (found,) = audit_shortcuts(collection(louder(50.0))).shortcuts()
    assert found.nuisance == 'level' and 20 < found.gap < 60
    words = shortcut_words(found, ['normal'])
    assert words.startswith('The level (RMS) tells') and 'normal' in words and 'units' in words
    assert '`match_level`' in found.remedy


def test_a_healthy_machine_that_is_louder_than_all_faults_is_a_shortcut():
    found = shortcuts(collection(lambda c, i, rng: {'channel': {'rms': 5.0 if c == 'normal' else 1.0 + 0.01 * i}}))
    assert list(found) == ['level']


def test_small_bias_steps_and_rates_are_not_noticed():
    def change(label, i, rng):
        n = CLASSES.index(label)
        return {'channel': {'bias': 0.01 * n, 'step': 1e-4 * (1 + n)}, 'samples': 32000 + n}

    assert shortcuts(collection(change)) == {}


def test_dates_of_a_copied_folder_mean_nothing():
    """Copied in one go, and downloaded class by class at three files a second."""
    assert shortcuts(collection(lambda c, i, rng: {'modified_s': 1.7e9 + 0.001 * (6 * CLASSES.index(c) + i)})) == {}
    assert shortcuts(collection(lambda c, i, rng: {'modified_s': 1.7e9 + 0.3 * (6 * CLASSES.index(c) + i)})) == {}
    assert shortcuts(collection(lambda c, i, rng: {'modified_s': 1.7e9})) == {}


def test_numbers_that_begin_anew_in_every_class_are_no_order():
    assert 'order' not in {a.nuisance for a in audit_shortcuts(collection()).nuisances}


def test_a_class_with_one_recording_is_named_by_the_setting_that_it_alone_has():
    facts = [f for f in collection() if f.label != 'normal']
    alone = some_facts('normal', 0, rng=np.random.default_rng(1), sample_rate_hz=48000.0, samples=96000)
    audit = audit_shortcuts([*facts, alone])
    assert audit.skipped == ('normal',) and not audit.shortcuts()
    (single,) = audit.single
    assert (single.nuisance.name, single.label, single.mine, single.others) == (
        'rate',
        'normal',
        '48000 Hz',
        '16000 Hz',
    )
    assert 'normal (1 recording)' in single.words()


def test_bearings_are_left_out_whole():
    """Every bearing has a bias of its own: with three of each class, that tells no class."""

    def change(label, i, rng):
        own = np.random.default_rng([CLASSES.index(label), i % 3]).standard_normal()
        return {'bearing': f'{label}{i % 3}', 'channel': {'bias': own + 0.02 * rng.standard_normal()}}

    audit = audit_shortcuts(collection(change, per_class=9))
    assert audit.left_out == 'bearings' and not audit.shortcuts()


def test_too_little_to_audit_says_so():
    assert audit_shortcuts([]).impossible
    assert 'two classes' in audit_shortcuts(collection()[:6]).impossible
    assert audit_shortcuts(collection(per_class=1)).skipped == tuple(sorted(CLASSES))


def test_the_same_seed_gives_the_same_audit():
    facts = collection()
    assert audit_shortcuts(facts, seed=3) == audit_shortcuts(facts, seed=3)
