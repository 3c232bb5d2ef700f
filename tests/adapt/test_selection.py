"""What judges an epoch of adaptation: criteria that read no target label, the choice, and the oracle kept apart."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.adapt.config import CRITERIA
from fdx.adapt.run import Outputs
from fdx.adapt.selection import ORACLE, SELECTIONS, accuracy_and_f1, judge_epoch, selected_rows

SCORED = [name for name in CRITERIA if name != 'last']


def part(seed: int, n: int, shift: float = 0.0) -> Outputs:
    """n windows of three classes whose features and logits know the class, roughly."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    features = 2 * np.eye(3, 5)[labels] + rng.standard_normal((n, 5)) + shift
    logits = 2 * np.eye(3)[labels] + rng.standard_normal((n, 3))
    return Outputs(logits.astype(np.float32), features.astype(np.float32), labels.astype(np.int32))


@pytest.fixture
def parts() -> dict[str, Outputs]:
    return {
        'source_train': part(0, 60),
        'source_validation': part(1, 30),
        'target_train': part(2, 45, 0.5),
        'target_test': part(3, 24, 0.5),
    }


def test_scores_of_the_source_and_the_truth_of_the_target(parts):
    row = judge_epoch(parts)
    for name, prefix in (('source_validation', 'validation'), ('target_test', 'oracle_target')):
        logits, labels = parts[name].logits, parts[name].labels
        predicted = logits.argmax(axis=1)
        assert row[f'{prefix}_accuracy'] == pytest.approx(np.mean(predicted == labels))
        f1 = [
            2 * np.sum((predicted == k) & (labels == k)) / (np.sum(predicted == k) + np.sum(labels == k))
            for k in range(3)
        ]
        assert row[f'{prefix}_macro_f1'] == pytest.approx(np.mean(f1))
        assert 0.4 < row[f'{prefix}_accuracy'] < 1
    validation = parts['source_validation']
    p = np.exp(validation.logits.astype(np.float64))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(30), validation.labels]).mean()
    assert row['validation_loss'] == pytest.approx(loss, rel=1e-6)
    assert row['source_risk'] == pytest.approx(loss, rel=1e-6)
    q = np.exp(parts['target_train'].logits.astype(np.float64))
    q /= q.sum(axis=1, keepdims=True)
    assert row['entropy'] == pytest.approx(-(q * np.log(q)).sum(axis=1).mean(), rel=1e-6)


def test_macro_f1_is_over_the_classes_that_occur():
    outputs = Outputs(
        np.eye(3, dtype=np.float32)[[0, 0, 2]], np.zeros((3, 1), np.float32), np.array([0, 0, 1], np.int32)
    )
    # Class 2 is predicted and does not occur; class 0 has F1 1, class 1 has 0.
    assert accuracy_and_f1(outputs) == (pytest.approx(2 / 3), pytest.approx(0.5))


@pytest.mark.parametrize('name', ['target_train', 'target_test'])
def test_no_label_of_the_target_moves_a_criterion(parts, name):
    before = judge_epoch(parts)
    turned = dataclasses.replace(parts[name], labels=(parts[name].labels + 1) % 3)
    after = judge_epoch({**parts, name: turned})
    for key, value in before.items():
        if key.startswith('oracle_') and name == 'target_test':
            assert after[key] < value
        else:
            assert after[key] == value, key


def test_labels_of_the_source_do(parts):
    before = judge_epoch(parts)
    validation = parts['source_validation']
    turned = dataclasses.replace(validation, labels=(validation.labels + 1) % 3)
    after = judge_epoch({**parts, 'source_validation': turned})
    assert after['source_risk'] > before['source_risk'] + 1
    assert after['dev'] > before['dev'] + 0.5
    assert (after['snd'], after['entropy']) == (before['snd'], before['entropy'])


@pytest.mark.parametrize('field', ['logits', 'features'])
@pytest.mark.parametrize('name', ['source_train', 'source_validation', 'target_train', 'target_test'])
def test_an_epoch_whose_outputs_are_not_finite_has_no_criterion(parts, name, field):
    broken = getattr(parts[name], field).copy()
    broken[3, 0] = np.nan
    row = judge_epoch({**parts, name: dataclasses.replace(parts[name], **{field: broken})})
    assert [row[criterion] for criterion in SCORED] == [np.inf] * len(SCORED)


def rows(**columns) -> list[dict]:
    """A history; columns that are not given fall from epoch to epoch."""
    n = len(next(iter(columns.values())))
    falling = {name: list(range(n, 0, -1)) for name in SCORED}
    columns = {**falling, 'oracle_target_accuracy': [0.5] * n, **columns}
    return [{'epoch': i + 1, 'step': 10 * (i + 1), **{k: v[i] for k, v in columns.items()}} for i in range(n)]


def epochs(history: list[dict]) -> dict[str, int]:
    return {name: row['epoch'] for name, row in selected_rows(history).items()}


def test_each_criterion_takes_its_lowest_epoch_and_of_equals_the_earliest():
    history = rows(
        source_risk=[3, 1, 2, 4],
        dev=[-2, 0, -2, 5],
        snd=[1, 1, 1, 2],
        entropy=[7, 6, 5, 0],
        oracle_target_accuracy=[0.9, 0.1, 0.2, 0.3],
    )
    assert epochs(history) == {
        'source_risk': 2,
        'dev': 1,
        'snd': 1,
        'entropy': 4,
        'infomax': 4,
        'nuclear_norm': 4,
        'last': 4,
        ORACLE: 1,
    }
    assert tuple(selected_rows(history)) == SELECTIONS == (*CRITERIA, ORACLE)


def test_a_diverged_epoch_is_never_chosen():
    infinite = {name: [2.0, 1.0, np.inf] for name in SCORED}
    found = epochs(rows(**infinite))
    assert [found[name] for name in SCORED] == [2] * len(SCORED)
    assert found['last'] == 3
    first = epochs(rows(**{name: [np.inf, 5.0, 6.0] for name in SCORED}))
    assert [first[name] for name in SCORED] == [2] * len(SCORED)
    # No epoch has a criterion: the newest checkpoint is the one that a run of adaptation then takes.
    never = epochs(rows(**{name: [np.inf, np.inf] for name in SCORED}))
    assert [never[name] for name in SCORED] == [2] * len(SCORED)


def test_the_oracle_never_influences_a_selection():
    before = epochs(rows(snd=[1, 3, 2], dev=[3, 1, 2], oracle_target_accuracy=[0.1, 0.2, 0.3]))
    after = epochs(rows(snd=[1, 3, 2], dev=[3, 1, 2], oracle_target_accuracy=[0.3, 0.2, 0.1]))
    assert (before.pop(ORACLE), after.pop(ORACLE)) == (3, 1)
    falling = dict.fromkeys(('source_risk', 'entropy', 'infomax', 'nuclear_norm', 'last'), 3)
    assert before == after == {**falling, 'dev': 2, 'snd': 1}
