"""A machine with few labelled recordings: which are labelled, how they are scored, what networks make of them."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.benchmarks.evidence_vectors import READ, VERDICT, judge_vectors
from fdx.benchmarks.few_recordings import (
    MachineVectors,
    draw_labelled,
    few_recordings,
    score_draws,
    score_machine,
    verdicts_of,
)
from fdx.benchmarks.pretraining_suite import NETWORKS
from fdx.benchmarks.probe import CHOSEN
from fdx.benchmarks.recording_vectors import NO_LABELS, classes_of, machine_vectors
from fdx.benchmarks.stage_features import INPUT
from fdx.datasets.bearing_rig.simulator import simulate_recording
from fdx.predict.universal.judge import load_judge
from fdx.types import DataError

LABELS = np.array([0] * 3 + [1] * 8 + [2] * 8)
NETWORK = {network.name: network for network in NETWORKS}


def windows(strength: float, seed: int = 0, count: int = 3) -> list[np.ndarray]:
    """Noise, with `strength` in the column of the class."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((count, 6)) + strength * np.eye(6)[label] for label in LABELS]


def test_recordings_of_each_class_are_labelled_and_one_at_least_is_left():
    for per_class, labelled in ((1, [1, 1, 1]), (2, [2, 2, 2]), (5, [2, 5, 5]), (20, [2, 7, 7])):
        drawn = draw_labelled(LABELS, per_class, 7)
        assert np.bincount(LABELS[drawn]).tolist() == labelled
    assert (draw_labelled(LABELS, 5, 7) >= draw_labelled(LABELS, 2, 7)).all()
    assert any((draw_labelled(LABELS, 2, 7) != draw_labelled(LABELS, 2, seed)).any() for seed in range(4))
    with pytest.raises(DataError, match='class 3 has a single recording'):
        draw_labelled(np.array([0, 0, 3]), 1, 0)


def test_verdicts_are_of_whole_recordings_and_read_no_label_of_a_test_recording():
    vectors, drawn = windows(4.0), draw_labelled(LABELS, 2, 0)
    found = verdicts_of(vectors, LABELS, drawn)
    assert found.shape == (19, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == LABELS).mean() > 0.9
    # Other labels and other windows of test recordings: the verdicts on the rest stay.
    other = np.where(drawn, LABELS, 2)
    np.testing.assert_array_equal(verdicts_of(vectors, other, drawn), found)
    changed = [v if d else v + 9 for v, d in zip(vectors, drawn)]
    np.testing.assert_allclose(verdicts_of(changed, LABELS, drawn)[drawn], found[drawn])


def test_scores_are_balanced_over_classes_and_a_verdict_without_labels_is_scored_on_the_same_recordings():
    always_healthy = np.tile([0.9, 0.05, 0.05], (len(LABELS), 1))
    machine = MachineVectors(LABELS, {'good': windows(9.0)}, {'healthy': always_healthy})
    found = score_draws(machine, 2, [0, 1])
    assert found['good']['balanced_accuracy'] == [1.0, 1.0]
    assert found['healthy']['balanced_accuracy'] == pytest.approx([1 / 3, 1 / 3])
    # One healthy recording of 13 is left: precision 1/13, recall 1.
    assert found['healthy']['macro_f1'] == pytest.approx([2 / 14 / 3] * 2)


def test_the_stage_is_chosen_on_the_other_machine():
    better_here = MachineVectors(LABELS, {INPUT: windows(9.0), 'a': windows(9.0), 'b': windows(0.0)})
    better_there = MachineVectors(LABELS, {INPUT: windows(0.0), 'a': windows(0.0), 'b': windows(9.0)})
    own, other = (score_machine(machine, (2,), 3, seed=1) for machine in (better_here, better_there))
    (part,) = few_recordings(own, other, better_here.choices, 3)
    rows = {row['stage']: row for row in part['rows']}
    assert (part['shots'], part['draws']) == (2, 3)
    assert [rows[name]['chosen'] for name in (INPUT, 'a', 'b', CHOSEN)] == [None, 0, 3, 3]
    assert rows[CHOSEN]['balanced_accuracy'] == rows['b']['balanced_accuracy']
    assert rows[CHOSEN]['balanced_accuracy']['mean'] < 0.7 < rows['a']['balanced_accuracy']['mean']
    # Without a network the input is all there is.
    plain = MachineVectors(LABELS, {INPUT: windows(9.0)})
    scores = score_machine(plain, (1,), 2, seed=0)
    rows = few_recordings(scores, scores, plain.choices, 2)[0]['rows']
    assert [row['stage'] for row in rows] == [INPUT, CHOSEN]


@pytest.fixture(scope='module')
def machine():
    """Two recordings of two states, 2.5 s."""
    return [
        simulate_recording('rig_a', state, 997.0, load, duration_s=2.5, sample_rate_hz=16000.0, seed=0)
        for state in ('normal', 'outer_race')
        for load in (0, 1)
    ]


def test_fault_orders_and_the_judge_see_whole_recordings(machine):
    assert classes_of(machine) == ('normal', 'outer_race')
    orders = machine_vectors(NETWORK['fault_orders linear'], '', machine, 0)
    assert orders.labels.tolist() == [0, 0, 1, 1]
    # Windows of 1 s, so that slow shafts turn ten times.
    assert [v.shape for v in orders.stages[INPUT]] == [(2, 24 * 6 * 3)] * 4
    judge = machine_vectors(NETWORK['universal_judge'], 'universal judge', machine, 0)
    members = load_judge().card['members']
    assert {name: v[0].shape[1] for name, v in judge.stages.items()} == {
        INPUT: 27 * 48 * 5,
        READ: members * 64,
        VERDICT: len(load_judge().states),
    }
    np.testing.assert_allclose(judge.verdicts[NO_LABELS].sum(axis=1), 1)
    assert judge.verdicts[NO_LABELS].argmax(axis=1).tolist() == [0, 0, 1, 1]


def test_the_stages_of_the_judge_are_those_that_it_judges_with():
    images = np.random.default_rng(0).standard_normal((3, 27, 48, 5)).astype(np.float32)
    found = judge_vectors(images)
    logits, embeddings = load_judge().outputs(images)
    np.testing.assert_allclose(found[VERDICT], logits, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found[READ][:, :64], embeddings, rtol=1e-4, atol=1e-4)
