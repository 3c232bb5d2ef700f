"""Partial and open sets: boundaries of known classes, weights, what is rejected, and how that is scored."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.adapt.class_weights import SHARES, initial_shares, shares_after, source_weights
from fdx.adapt.config import AdaptConfig
from fdx.adapt.h_score import h_scores
from fdx.adapt.method_terms import Domains
from fdx.adapt.methods import METHODS, init_discriminator
from fdx.adapt.rejection import rejection_threshold
from fdx.adapt.run import Outputs
from fdx.adapt.selection import judge_epoch, selected_rows
from fdx.adapt.terms.kernels import gaussian_kernels, unbiased_mmd
from fdx.adapt.terms.one_vs_all import known_chance, one_vs_all_losses
from fdx.types import ConfigError, DataError

PAIR = {'source': 'rig/two:a', 'target': 'rig/two:b'}


def test_each_boundary_lies_between_a_class_and_its_nearest_neighbour():
    logits = np.float32([[3.0, 1.0, -2.0, 2.0], [0.0, 5.0, 4.0, -1.0]])

    @jax.jit
    def both(z):
        losses, pull = jax.vjp(lambda z: one_vs_all_losses(z, np.int32([0, 2])), z)
        return losses, pull(jnp.ones(2))[0], known_chance(z)

    losses, gradient, known = both(logits)

    def minus_log_sigmoid(z):
        return np.log1p(np.exp(-z))

    # Window 0: its class is 1 above unknown, the hardest other 1 below. Window 1: 5 above, and the hardest 6 above.
    expected = [2 * minus_log_sigmoid(1.0), minus_log_sigmoid(5.0) + minus_log_sigmoid(-6.0)]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert gradient[0, 2] == 0 and gradient[1, 0] == 0  # classes that are not the nearest
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(known, 1 - shares[:, 3], rtol=1e-5)
    with pytest.raises(DataError, match=r'\[4, 2\].*two known classes'):
        one_vs_all_losses(np.zeros((4, 2), np.float32), np.zeros(4, np.int32))


def test_h_score_needs_both():
    labels = [0, 0, 0, 1, 2, 2]
    # Class 0: two of three; class 1: all; unknown: one of two.
    found = h_scores(np.array([0, 0, 2, 1, 2, 1]), np.array(labels), 2)
    known, unknown = (2 / 3 + 1) / 2, 0.5
    assert found == pytest.approx(
        {'known_accuracy': known, 'unknown_accuracy': unknown, 'h_score': 2 * known * unknown / (known + unknown)}
    )
    assert h_scores(np.full(6, 2), np.array(labels), 2)['h_score'] == 0.0
    assert h_scores(np.zeros(2), np.array([0, 1]), 2) == {
        'known_accuracy': 0.5,
        'unknown_accuracy': None,
        'h_score': None,
    }


def test_weights_of_one_change_nothing_and_weights_of_zero_remove():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((9, 3)).astype(np.float32)
    source, target = np.ones(5, np.float32), np.float32([1, 1, 1, 0])

    @jax.jit
    def four(x):
        kernels = gaussian_kernels(x, x, 2.0)
        plain = unbiased_mmd(kernels, source, target)
        same = unbiased_mmd(kernels, source, target, np.full(5, 0.3, np.float32), np.full(4, 2.0, np.float32))
        without = unbiased_mmd(kernels, source, np.float32([1, 0, 1, 0]))
        return plain, same, without, unbiased_mmd(kernels, source, target, None, np.float32([1, 0, 1, 1]))

    plain, same, without, weighted = map(float, four(x))
    assert same == pytest.approx(plain, rel=1e-4)
    assert weighted == pytest.approx(without, rel=1e-4) and abs(weighted - plain) > 1e-3


@pytest.mark.parametrize('name', ['mk_mmd', 'jmmd', 'dann', 'cdan', 'cdan_e'])
def test_windows_without_weight_have_no_part_in_a_term(name):
    """A target window of chance 0 to be known may be anything: the value and all other gradients stay."""
    rng = np.random.default_rng(1)
    method, ones = METHODS[name], np.ones(6, np.float32)
    shapes = jax.eval_shape(lambda key: init_discriminator(method, 4, 3, key), jax.random.key(0))
    params = jax.tree.map(lambda s: (rng.normal(size=s.shape) / np.sqrt(s.shape[0])).astype(np.float32), shapes)
    source, target = (rng.standard_normal((6, 7)).astype(np.float32) for _ in range(2))

    @jax.jit
    @jax.value_and_grad
    def term(target, weights):
        sides = (source[:, :4], target[:, :4], source[:, 4:], target[:, 4:])
        return method.term(Domains(*sides, ones, ones, ones, ones, None, weights), params, np.float32(1))[0]

    weights = np.float32([1, 1, 0, 1, 1, 1])
    value, gradient = term(target, weights)
    if name in ('dann', 'cdan', 'cdan_e'):
        moved = target + np.float32(3.0) * (np.arange(6) == 2)[:, None]
        assert float(term(moved, weights)[0]) == pytest.approx(float(value), rel=1e-5)
    np.testing.assert_allclose(gradient[2], 0, atol=1e-7)
    assert np.abs(gradient[3]).max() > 1e-6
    # Twice the weights: the same term.
    assert float(term(target, 2 * weights)[0]) == pytest.approx(float(value), rel=1e-3)


def test_classes_that_the_target_is_not_predicted_to_have_lose_weight():
    logits, mask = np.float32([[9.0, 0, 0], [0, 9.0, 0], [0, 0, 9.0]]), np.float32([1, 1, 0])
    kept, after = initial_shares(3), jax.jit(shares_after)
    for _ in range(100):
        kept = after(kept, logits, mask)
    np.testing.assert_allclose(kept[SHARES], [0.5, 0.5, 0], atol=0.01)
    labels, weights = np.int32([0, 1, 2, 2]), jax.jit(source_weights)
    np.testing.assert_allclose(weights(kept, labels, np.bool_(True)), [1, 1, 0, 0], atol=0.02)
    assert weights(kept, labels, np.bool_(False)).tolist() == [1, 1, 1, 1]
    empty = after(kept, np.full((3, 3), np.inf, np.float32), np.zeros(3, np.float32))
    np.testing.assert_array_equal(empty[SHARES], kept[SHARES])


def test_the_threshold_is_half_way_to_the_typical_window_of_the_source():
    logits = np.float32([[4, 0, 0], [0, 6, 0], [9, 1, 1]])
    assert rejection_threshold(logits) == 3.0
    assert rejection_threshold(-logits - [[0, 0, 20]]) > 0
    assert rejection_threshold(np.float32([[0, 0, 5]])) == 0.0
    assert rejection_threshold(np.full((2, 3), np.nan)) == 0.0


def test_methods_that_do_not_fit_the_sets_are_refused():
    with pytest.raises(ConfigError, match='`sets`=open: `method`=mcc .*source_only, mk_mmd, jmmd, dann, cdan, cdan_e$'):
        AdaptConfig(**PAIR, method='mcc', sets='open')
    with pytest.raises(ConfigError, match='`sets`=partial: `method`=coral .*mk_mmd'):
        AdaptConfig(**PAIR, method='coral', sets='partial')
    with pytest.raises(ConfigError, match='`sets`=closed: .*shared, partial, open'):
        AdaptConfig(**PAIR, sets='closed')
    plan = AdaptConfig(**PAIR, sets='open', exclude_source_classes=['ball'])
    assert plan.exclude_source_classes == ('ball',)
    assert AdaptConfig(**json.loads(json.dumps(plan.to_json()))) == plan


def test_the_h_score_is_the_oracles_and_no_criterion():
    rng = np.random.default_rng(2)

    def part(labels, rejected):
        logits = 4 * np.eye(3)[labels] + rng.standard_normal((len(labels), 3))
        logits[:, 2] += rejected
        return Outputs(np.float32(logits), np.float32(rng.standard_normal((len(labels), 4))), np.int32(labels))

    known, both = np.arange(20) % 2, np.arange(30) % 3
    parts = {name: part(known, 0) for name in ('source_train', 'source_validation')}
    parts |= {name: part(both, 0) for name in ('target_train', 'target_test')}
    good = judge_epoch(parts, rejects=True)
    nothing = judge_epoch({**parts, 'target_test': part(both, -99)}, rejects=True)
    assert good['oracle_h_score'] > 0.8 and nothing['oracle_h_score'] == 0.0
    assert 'oracle_h_score' not in judge_epoch(parts)
    same = [k for k in good if not k.startswith('oracle_')]
    assert [good[k] for k in same] == [nothing[k] for k in same]
    history = [{**row, 'step': i, 'oracle_target_accuracy': acc} for i, (row, acc) in
               enumerate(((nothing, 0.9), (good, 0.7)))]  # fmt: skip
    assert selected_rows(history)['oracle']['step'] == 1
