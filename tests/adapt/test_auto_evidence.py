"""The numbers of `auto`: of two networks of a kind, and of two kinds, without labels of the target."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from fdx.adapt.auto_evidence import clustered_se, cohens_kappa, compare, portrait
from fdx.adapt.outputs import Outputs

FAR = 20.0


def naming(classes, labels=None, *, features=None, count: int = 2) -> Outputs:
    """Outputs of a network that is certain of the given classes."""
    classes = np.asarray(classes)
    features = np.zeros((len(classes), 1)) if features is None else features
    labels = classes if labels is None else np.asarray(labels)
    return Outputs(
        (FAR * np.eye(count)[classes]).astype(np.float32), np.asarray(features, np.float32), labels.astype(np.int32)
    )


def parts(validation, target, *, truth=(0, 0, 1, 1), shift: float = 0.0) -> dict[str, Outputs]:
    """Parts of a network that names these classes for four validation windows and for the target."""
    rng = np.random.default_rng(0)
    return {
        'source_train': naming(np.arange(40) % 2, features=rng.standard_normal((40, 3))),
        'source_validation': naming(validation, truth),
        'target_train': naming(target, features=rng.standard_normal((len(target), 3)) + shift),
    }


RIGHT = (0, 0, 1, 1)


def test_a_portrait():
    one, other = parts(RIGHT, [0, 0, 0, 1] * 5), parts(RIGHT, [0, 0, 1, 1] * 5)
    found = portrait(one, other)
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(2)
    assert found.disagreement == pytest.approx(0.25)
    assert (found.balance, found.information) == (pytest.approx(entropy), pytest.approx(entropy, abs=1e-6))
    assert (found.certainty, found.source_error) == (pytest.approx(1, abs=1e-6), 0)
    assert portrait(parts((0, 1, 1, 1), [0, 1] * 10), other).source_error == 0.25
    # Domains that are alike, and domains that lie apart.
    assert found.a_distance < 1
    assert portrait(parts(RIGHT, [0, 1] * 10, shift=FAR), other).a_distance == 2


def test_uncertain_predictions_are_balanced_and_tell_nothing():
    one = parts(RIGHT, [0, 1] * 10)
    blank = dataclasses.replace(one['target_train'], logits=np.zeros((20, 2), np.float32))
    found = portrait({**one, 'target_train': blank}, one)
    assert (found.balance, found.information, found.certainty) == pytest.approx((1, 0, 0.5))


def test_too_few_windows_have_no_distance():
    assert portrait(parts(RIGHT, [0, 1, 1]), parts(RIGHT, [0, 1, 1])).a_distance is None


def test_no_label_of_the_target_is_read():
    one, other = parts(RIGHT, [0, 0, 0, 1] * 5), parts(RIGHT, [0, 0, 1, 1] * 5)
    adapted, again = parts(RIGHT, [0, 1, 1, 1] * 5), parts(RIGHT, [0, 1, 1, 1] * 5)
    recordings = [f'r{i // 5}' for i in range(20)]
    before = (portrait(one, other), compare((one, other), (adapted, again), recordings))
    for p in (one, other, adapted, again):
        p['target_train'] = dataclasses.replace(p['target_train'], labels=1 - p['target_train'].labels)
    assert (portrait(one, other), compare((one, other), (adapted, again), recordings)) == before


def test_a_comparison():
    one, other = parts(RIGHT, [0, 0, 0, 1] * 5), parts(RIGHT, [1, 0, 1, 1] * 5)
    adapted, again = parts((0, 0, 0, 1), [0, 1, 1, 1] * 5), parts(RIGHT, [0, 1, 1, 0] * 5)
    found = compare((one, other), (adapted, again), [f'r{i // 4}' for i in range(20)])
    # Two of four windows, then one of four; one more of four validation windows is wrong.
    assert (found.gain, found.source_loss) == (pytest.approx(0.25), pytest.approx(0.25))
    # Every recording gains the same.
    assert found.gain_se == pytest.approx(0, abs=1e-12)
    assert found.source_loss_se == pytest.approx(0.25)
    assert found.kappa == pytest.approx(cohen_kappa_score([0, 0, 0, 1] * 5, [0, 1, 1, 1] * 5))


def test_windows_of_a_recording_count_together():
    values = np.repeat([0.0, 1.0, 1.0, 0.0], 25)
    alone, together = clustered_se(values, np.arange(100)), clustered_se(values, np.repeat(list('abcd'), 25))
    assert alone == pytest.approx(values.std(ddof=1) / 10)
    # Four recordings, whose means are 0, 1, 1 and 0.
    assert together == pytest.approx(np.std([0, 1, 1, 0], ddof=1) / 2)
    assert clustered_se(values, ['one'] * 100) == np.inf


def test_kappa():
    rng = np.random.default_rng(0)
    one = rng.integers(0, 3, 60)
    other = np.where(rng.random(60) < 0.6, one, rng.integers(0, 3, 60))
    assert cohens_kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))
    assert (cohens_kappa(one, one), cohens_kappa(np.zeros(4, int), np.zeros(4, int))) == (1, 0)
    assert cohens_kappa(np.array([0, 1]), np.array([1, 0])) == pytest.approx(-1)
