"""Imbalanced classes: weights against the gradient written out, and synthetic readings against the real ones."""

from __future__ import annotations

import types

import flax.linen as nn
import jax
import numpy as np
import optax
import pytest

from fdx.data.pipeline import ArrayExamples
from fdx.train import parallel
from fdx.train.balance import NEIGHBOURS, class_weights, oversampled, with_smote
from fdx.train.config import BALANCES, TrainConfig
from fdx.train.run_data import RunData, balanced
from fdx.train.steps import TrainState, make_train_step
from fdx.types import ConfigError, DataError

FEATURES, CLASSES = 4, 3
WEIGHTS = (0.5, 2.0, 1.25)


class Linear(nn.Module):
    """A classifier whose gradient can be written out."""

    HAS_STATISTICS = False

    @nn.compact
    def __call__(self, x, *, train=False, start=0, stop=None):
        return nn.Dense(CLASSES, name='head')(x), {}


def readings(counts, seed=0):
    """Examples of as many rows of each class, shuffled, each class around a place of its own."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts)).astype(np.int32)
    inputs = rng.standard_normal((len(labels), FEATURES)) + 0.5 * labels[:, None]
    return ArrayExamples(inputs.astype(np.float32), labels)


@pytest.mark.parametrize('counts', [(30, 10), (7, 1, 92), (5, 5)])
def test_weights_make_every_class_count_alike(counts):
    labels = readings(counts).targets
    weights = class_weights(labels, len(counts))
    n, k = sum(counts), len(counts)
    assert weights == pytest.approx([n / (k * c) for c in counts])
    assert all(isinstance(w, float) for w in weights)
    assert np.mean(np.array(weights)[labels]) == pytest.approx(1.0)
    assert [w * c for w, c in zip(weights, counts)] == pytest.approx([n / k] * k)


def test_a_class_without_rows_has_no_weight():
    with pytest.raises(DataError, match='`balance`=class_weight: class number 1 .*no training rows'):
        class_weights(np.array([0, 2, 2]), 3)


def one_step(examples, weights, batch_size):
    """({parameter: its change at learning rate 1, that is minus the gradient}, metrics) of one step."""
    rng = np.random.default_rng(9)
    head = {
        'kernel': rng.standard_normal((FEATURES, CLASSES)).astype(np.float32),
        'bias': np.float32([0.1, -0.2, 0.3]),
    }
    params, optimiser = {'head': head}, optax.sgd(1.0)
    mask = jax.tree.map(lambda _: True, params)
    step = parallel.compile_step(make_train_step(Linear(), optimiser, mask, start=0, class_weights=weights))
    state = parallel.replicate(TrainState(np.int32(0), np.int32(0), params, {}, {'params': {}}, optimiser.init(params)))
    batch = parallel.shard({'inputs': examples.inputs, 'labels': examples.targets}, batch_size)
    before = jax.tree.map(np.copy, head)
    state, metrics = step(state, batch)
    after = jax.device_get(state.params)['head']
    return before, {k: after[k] - before[k] for k in before}, jax.device_get(metrics)


def written_out(head, examples, weights):
    """(minus the gradient, the weighted losses, the rows that are right) of the classifier in float64."""
    x, y = examples.inputs.astype(np.float64), examples.targets
    logits = x @ head['kernel'].astype(np.float64) + head['bias'].astype(np.float64)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    w = np.asarray(weights)[y]
    errors = w[:, None] * (p - np.eye(CLASSES)[y]) / len(y)
    losses = -w * np.log(p[np.arange(len(y)), y])
    return {'kernel': -x.T @ errors, 'bias': -errors.sum(0)}, losses, (logits.argmax(1) == y).sum()


@pytest.mark.parametrize('batch_size', [11, 16])
@pytest.mark.parametrize('weights', [WEIGHTS, None])
def test_the_gradient_of_a_weighted_batch(weights, batch_size):
    """A batch of 11 alone, and with padding up to 16, which weighs nothing."""
    examples = readings((5, 4, 2))
    before, moved, metrics = one_step(examples, weights, batch_size)
    wanted, losses, correct = written_out(before, examples, weights or (1, 1, 1))
    for name, value in wanted.items():
        np.testing.assert_allclose(moved[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
    assert metrics['loss'] == pytest.approx(losses.sum(), rel=1e-5)
    assert (metrics['count'], metrics['correct']) == (11, correct)
    norm = np.sqrt(sum((v**2).sum() for v in wanted.values()))
    assert metrics['gradient_norm'] == pytest.approx(norm, rel=1e-5)


def test_weights_of_the_training_rows_are_as_if_the_rarer_class_were_repeated():
    rare, often = readings((2, 0, 0), 1), readings((0, 6, 0), 2)
    rows = ArrayExamples(np.r_[rare.inputs, often.inputs], np.r_[rare.targets, often.targets])
    repeated = ArrayExamples(
        np.r_[np.tile(rare.inputs, (3, 1)), often.inputs], np.r_[[0] * 6, [1] * 6].astype(np.int32)
    )
    weights = (*class_weights(rows.targets, 2), 1.0)
    _, weighted, _ = one_step(rows, weights, 8)
    _, tiled, _ = one_step(repeated, None, 12)
    for name, value in tiled.items():
        np.testing.assert_allclose(weighted[name], value, rtol=1e-4, atol=1e-6)


def nearest(rows, k):
    """For every row the numbers of its k nearest other rows."""
    distances = np.linalg.norm(rows[:, None] - rows, axis=-1)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :k]


def lies_between_neighbours(point, rows, neighbours):
    """Whether `point` is on the way from one of `rows` to one of its neighbours."""
    for a, near in zip(rows, neighbours):
        for b in rows[near]:
            way = b - a
            share = (point - a) @ way / (way @ way)
            if -1e-6 <= share <= 1 + 1e-6 and np.abs(a + share * way - point).max() < 1e-5:
                return True
    return False


@pytest.mark.parametrize('counts', [(40, 12), (9, 25, 14), (30, 3), (10, 2)])
def test_synthetic_readings_lie_between_neighbours_of_their_class(counts):
    examples = readings(counts, seed=3)
    more, synthetic = with_smote(examples, seed=1)
    n = len(examples)
    assert synthetic == len(more) - n == len(counts) * max(counts) - sum(counts)
    assert np.bincount(more.targets).tolist() == [max(counts)] * len(counts)
    assert (more.inputs.dtype, more.targets.dtype) == (np.float32, np.int32)
    # The real ones come first, bit by bit.
    assert more.inputs[:n].tobytes() == examples.inputs.tobytes()
    assert more.targets[:n].tolist() == examples.targets.tolist()
    for label in np.unique(examples.targets):
        rows = examples.inputs[examples.targets == label].astype(np.float64)
        neighbours = nearest(rows, min(NEIGHBOURS, min(counts) - 1))
        for point in more.inputs[n:][more.targets[n:] == label]:
            assert lies_between_neighbours(point.astype(np.float64), rows, neighbours), label
    new = more.inputs[n:]
    assert len(np.unique(new, axis=0)) == len(new)


def test_the_check_of_the_test_above_can_fail():
    rows = readings((0, 12), seed=3).inputs.astype(np.float64)
    neighbours = nearest(rows, 5)
    assert not lies_between_neighbours(rows[0] + 0.01, rows, neighbours)
    assert lies_between_neighbours(0.25 * rows[0] + 0.75 * rows[neighbours[0][4]], rows, neighbours)


def test_the_seed_decides_the_synthetic_readings():
    examples = readings((40, 12))
    first, again, other = (with_smote(examples, seed)[0].inputs for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert not np.isin(other[52:], first[52:]).any()


def test_equal_classes_get_no_synthetic_reading():
    examples = readings((8, 8))
    more, synthetic = with_smote(examples, seed=0)
    assert synthetic == 0
    assert more.inputs.tobytes() == examples.inputs.tobytes()


def test_what_smote_cannot_do():
    images = ArrayExamples(np.zeros((6, 96, 64, 1), np.float32), np.int32([0, 0, 0, 0, 1, 1]))
    with pytest.raises(ConfigError, match=r'`balance`=smote .*tables.*\(96, 64, 1\).*class_weight'):
        with_smote(images, 0)
    with pytest.raises(DataError, match='`balance`=smote: .*single training row.*class_weight'):
        with_smote(readings((9, 1)), 0)


def run_data():
    train, validation = readings((20, 5), 1), readings((6, 2), 2)
    return RunData(types.SimpleNamespace(), types.SimpleNamespace(train=np.arange(len(train))), 1.0, train, validation)


@pytest.mark.parametrize('balance', [b for b in BALANCES if b != 'gan'])
def test_only_the_training_part_is_balanced_and_the_checkpoint_says_how(balance):
    before, frozen = run_data(), 'head' if balance == 'smote_embedding' else 'none'
    config = TrainConfig(dataset='x', balance=balance, freeze=frozen)
    after, weights, meta = balanced(config, before, ['normal', 'failure'])
    assert after.validation is before.validation
    assert meta['real'] == {'normal': 20, 'failure': 5}
    expected = {'none': (25, None, 0), 'class_weight': (25, [0.625, 2.5], 0)}.get(balance, (40, None, 0))
    expected = (40, None, 15) if balance.startswith('smote') else expected
    assert (len(after.train), meta['weights'], meta['synthetic']) == expected
    assert (meta['examples'], meta['remedy']) == (expected[0], balance)
    assert weights == (tuple(meta['weights']) if meta['weights'] else None)
    assert (after.train is before.train) == (balance in ('none', 'class_weight'))
    assert len(set(np.bincount(after.train.labels()))) == (2 if balance in ('none', 'class_weight') else 1)


def test_oversampling_repeats_rows_of_the_rarer_classes():
    examples = readings((30, 7, 2))
    more, again, other = (oversampled(examples, seed) for seed in (1, 1, 2))
    assert np.bincount(more.targets).tolist() == [30, 30, 30]
    # The real ones first and in order; what comes behind them are copies, with their labels.
    assert more.inputs[:39].tobytes() == examples.inputs.tobytes()
    of_row = {row.tobytes(): label for row, label in zip(examples.inputs, examples.targets)}
    assert all(of_row[row.tobytes()] == label for row, label in zip(more.inputs, more.targets))
    assert more.inputs.tobytes() == again.inputs.tobytes() != other.inputs.tobytes()


def test_settings_that_do_not_go_together():
    with pytest.raises(ConfigError, match='`balance`=smote .*`freeze`=none, not head.*smote_embedding'):
        TrainConfig(dataset='x', balance='smote', freeze='head')
    with pytest.raises(ConfigError, match="`balance`='more' .* none, class_weight, oversamp"):
        TrainConfig(dataset='x', balance='more')
    with pytest.raises(ConfigError, match='`balance`=smote_embedding .*`freeze`=head.*`init`'):
        TrainConfig(dataset='x', balance='smote_embedding')
    with pytest.raises(ConfigError, match='`balance`=mixup .*`cache_features` to off or'):
        TrainConfig(dataset='x', balance='mixup', freeze='head', cache_features='on')
    with pytest.raises(ConfigError, match='`synthetic`=synthetic/a .*`balance`=gan, not none'):
        TrainConfig(dataset='x', synthetic='synthetic/a')
    assert TrainConfig(dataset='x', balance='class_weight', freeze='head').balance == 'class_weight'
