"""The classifier beside scikit-learn's, and its p-values where there is nothing to find and where there is."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestCentroid

from fdx.inspect.apart import Plan, adjusted, balanced_accuracy, one_against_rest, predicted, standardised


def plan(labels, folds=None, strata=None, units=None) -> Plan:
    labels = np.asarray(labels)
    zeros = np.zeros(len(labels), int)
    return Plan(
        labels,
        np.arange(len(labels)) % 4 if folds is None else np.asarray(folds),
        zeros if strata is None else np.asarray(strata),
        np.arange(len(labels)) if units is None else np.asarray(units),
    )


def test_it_answers_as_the_nearest_centroid_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 8)
    values = rng.standard_normal((24, 2)) + 0.7 * labels[:, None]
    folds = rng.permutation(24) % 5
    ours = predicted(values, labels[None], folds, 3)[0]
    for fold in range(5):
        out = folds == fold
        theirs = NearestCentroid().fit(values[~out], labels[~out]).predict(values[out])
        assert ours[out].tolist() == theirs.tolist()


def test_a_class_that_is_not_among_the_learned_ones_is_never_answered():
    answers = predicted(np.arange(6.0)[:, None], np.array([[0, 0, 0, 0, 1, 1]]), np.array([0, 0, 1, 1, 2, 2]), 2)
    assert answers[0, 4:].tolist() == [0, 0]


def test_accuracies_are_those_of_the_definition():
    labels, answers = np.array([[0, 0, 1, 1, 2, 2]]), np.array([[0, 1, 1, 1, 0, 2]])
    assert balanced_accuracy(labels, answers, 3)[0] == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert one_against_rest(labels, answers, np.array([0]))[0] == pytest.approx((0.5 + 3 / 4) / 2)


def test_relabelling_keeps_units_together_and_strata_apart():
    made = plan([0, 0, 1, 1, 0, 0, 1, 1], strata=[0] * 4 + [1] * 4, units=[0, 0, 1, 1, 2, 2, 3, 3])
    labels = made.relabelled(200, 0)
    assert labels[0].tolist() == made.labels.tolist()
    assert (labels[:, ::2] == labels[:, 1::2]).all()
    assert (labels[:, :4].sum(axis=1) == 2).all() and (labels[:, 4:].sum(axis=1) == 2).all()
    assert 0.3 < (labels[:, 0] == 0).mean() < 0.7


def test_values_without_a_class_seldom_look_like_one():
    """Eight nuisances and two questions: the probability of any false alarm at 5 % is 5 %."""
    labels = np.repeat(np.arange(3), 8)
    alarms = 0
    for seed in range(150):
        values = np.random.default_rng([1, seed]).standard_normal((24, 8))
        made = plan(labels, folds=np.random.default_rng(seed).permutation(24) % 4)
        many = made.relabelled(200, seed)
        scores = []
        for d in range(8):
            answers = predicted(standardised(values[:, [d]]), many, made.folds, 3)
            scores += [balanced_accuracy(many, answers, 3), one_against_rest(many, answers, np.array([0]))]
        alarms += adjusted(np.stack(scores, axis=1)).min() <= 0.05
    # 150 trials of 5 %: more than 16 in one of a thousand cases.
    assert alarms <= 16


def test_what_tells_the_classes_apart_is_significant_among_others():
    rng = np.random.default_rng(0)
    made = plan(np.repeat([0, 1], 8), folds=np.arange(16) % 4)
    many = made.relabelled(500, 0)
    values = rng.standard_normal((16, 6))
    values[:, 2] += 4 * made.labels
    scores = [
        balanced_accuracy(many, predicted(standardised(values[:, [d]]), many, made.folds, 2), 2) for d in range(6)
    ]
    p = adjusted(np.stack(scores, axis=1))
    assert p[2] <= 0.02 and p[[0, 1, 3, 4, 5]].min() > 0.05


def test_ties_are_chance():
    answers = predicted(np.zeros((8, 1)), np.array([[0, 1] * 4]), np.arange(8) % 4, 2)
    assert balanced_accuracy(np.array([[0, 1] * 4]), answers, 2)[0] == 0.5
