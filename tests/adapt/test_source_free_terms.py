"""Terms of adaptation without a source, against plain NumPy forms of the paper's code."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from fdx.adapt.source_free.config import SourceFreeConfig
from fdx.adapt.source_free.terms import PSEUDO_WEIGHT, information, pseudo_labels, shot_loss, tent_loss
from fdx.types import DataError

# One program each: operation by operation, each would be compiled.
compiled_shot, compiled_tent, compiled_information = jax.jit(shot_loss), jax.jit(tent_loss), jax.jit(information)
ONES = np.ones(12, np.float32)


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def plain_information(z):
    """As in SHOT's object/image_target.py, without its 1e-5."""
    p = softmax(z.astype(np.float64))
    mean = p.mean(0)
    return np.mean(-np.sum(p * np.log(p), 1)) - np.sum(-mean * np.log(mean))


def plain_labels(features, p):
    """obtain_label of the same file, with its names."""
    fea = np.concatenate([features, np.ones((len(features), 1))], 1)
    fea = (fea.T / np.linalg.norm(fea, axis=1)).T
    aff, predict = p, p.argmax(1)
    labelset = np.where(np.eye(p.shape[1])[predict].sum(0) > 0)[0]
    for _ in range(2):
        initc = aff.T @ fea / (1e-8 + aff.sum(0)[:, None])
        distance = np.stack([
            [1 - a @ c / (np.linalg.norm(a) * np.linalg.norm(c)) for c in initc[labelset]] for a in fea
        ])  # fmt: skip
        pred = labelset[distance.argmin(1)]
        aff = np.eye(p.shape[1])[pred]
    return pred


@pytest.fixture(scope='module')
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(0, 2, (12, 4)).astype(np.float32), rng.integers(0, 4, 12).astype(np.int32)


def test_the_loss_has_the_strengths_of_the_paper(batch):
    logits, labels = batch
    loss, metrics = compiled_shot(logits, labels, ONES, PSEUDO_WEIGHT)
    cross = np.mean(-np.log(softmax(logits.astype(np.float64)))[np.arange(12), labels])
    assert SourceFreeConfig('run', 'a/b').pseudo_weight == PSEUDO_WEIGHT == 0.3
    assert float(metrics['infomax']) == pytest.approx(plain_information(logits), rel=1e-5)
    assert float(loss) == pytest.approx(plain_information(logits) + 0.3 * cross, rel=1e-5)
    assert float(compiled_shot(logits, labels, ONES, 0.0)[0]) == pytest.approx(plain_information(logits), rel=1e-5)


def test_the_gradient_is_that_of_the_plain_form(batch):
    """The strength of both parts, measured where it acts."""
    logits, labels = batch

    def plain(z):
        cross = np.mean(-np.log(softmax(z))[np.arange(12), labels])
        return plain_information(z) + 0.3 * cross

    found = jax.jit(jax.grad(lambda z: shot_loss(z, labels, ONES, PSEUDO_WEIGHT)[0]))(logits)
    z, step = logits.astype(np.float64), 1e-5
    for i, j in ((0, 0), (3, 2), (11, 3)):
        up, down = z.copy(), z.copy()
        up[i, j] += step
        down[i, j] -= step
        assert float(found[i, j]) == pytest.approx((plain(up) - plain(down)) / (2 * step), abs=1e-5)


def test_information_is_least_for_certain_and_varied_predictions():
    mask = np.ones(4, np.float32)
    assert float(compiled_information(100 * np.eye(4, dtype=np.float32), mask)) == pytest.approx(-np.log(4), abs=1e-5)
    assert float(compiled_information(np.zeros((4, 4), np.float32), mask)) == pytest.approx(0, abs=1e-6)
    one_class = np.tile(np.float32([100, 0, 0, 0]), (4, 1))
    assert float(compiled_information(one_class, mask)) == pytest.approx(0, abs=1e-6)
    assert np.isfinite(jax.jit(jax.grad(information))(one_class, mask)).all()


def test_padding_counts_for_nothing(batch):
    logits, labels = batch
    padded = np.concatenate([logits, np.full((4, 4), np.nan, np.float32)])
    mask = np.concatenate([ONES, np.zeros(4, np.float32)])
    more = np.concatenate([labels, np.zeros(4, np.int32)])
    for loss in (lambda *a: shot_loss(*a, 0.3)[0], lambda *a: tent_loss(*a)[0]):
        value, gradient = jax.jit(jax.value_and_grad(loss))(padded, more, mask)
        assert float(value) == pytest.approx(float(jax.jit(loss)(logits, labels, ONES)), rel=1e-5)
        assert np.isfinite(gradient).all() and not np.any(gradient[12:])


def test_tent_is_the_mean_entropy(batch):
    p = softmax(batch[0].astype(np.float64))
    loss, metrics = compiled_tent(*batch, ONES)
    assert float(loss) == float(metrics['entropy']) == pytest.approx(np.mean(-np.sum(p * np.log(p), 1)), rel=1e-5)


@pytest.mark.parametrize('seed', range(4))
def test_pseudo_labels_are_those_of_the_paper_s_code(seed):
    rng = np.random.default_rng(seed)
    features = np.abs(rng.normal(0, 1, (40, 6)))
    p = softmax(rng.normal(0, 3, (40, 5)))
    p[:, 4] = 1e-6  # No prediction names it.
    p /= p.sum(1, keepdims=True)
    found = pseudo_labels(features, p)
    assert found.dtype == np.int32 and 4 not in found
    np.testing.assert_array_equal(found, plain_labels(features, p))


def test_pseudo_labels_correct_what_lies_with_another_class():
    """Two clusters; one window of the second is predicted as the first, and its neighbours outvote the classifier."""
    rng = np.random.default_rng(1)
    centres = np.array([[5.0, 0.0], [0.0, 5.0]])
    truth = np.repeat([0, 1], 10)
    features = centres[truth] + 0.1 * rng.normal(size=(20, 2))
    p = np.where(np.eye(2)[truth] > 0, 0.9, 0.1)
    p[15] = [0.7, 0.3]
    np.testing.assert_array_equal(pseudo_labels(features, p), truth)


@pytest.mark.parametrize(
    ('features', 'p'),
    [(np.ones((3, 2)), np.ones((2, 2))), (np.ones(3), np.ones((3, 2))), (np.full((3, 2), np.nan), np.ones((3, 2)) / 2)],
)
def test_pseudo_labels_refuse_what_they_cannot_use(features, p):
    with pytest.raises(DataError, match='pseudo_labels'):
        pseudo_labels(features, p)
