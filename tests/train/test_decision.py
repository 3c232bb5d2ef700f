"""The decision threshold against brute force over every way to cut the rows, and how classes follow from it."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from fdx.train.config import TrainConfig
from fdx.train.decision import DecisionRule, decide, rule_of
from fdx.types import ConfigError

RULES = ('f_beta:1', 'f_beta:2', 'f_beta:0.5', 'cost:1', 'cost:10', 'cost:0.2', 'recall:1', 'recall:0.8', 'recall:0.01')


def random_rows(seed):
    """(probability of class 1 float32 [N], labels [N]), both classes there; every second table has many ties."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 60))
    labels = rng.integers(0, 2, n)
    labels[:2] = 0, 1
    p = 1 / (1 + np.exp(-(rng.standard_normal(n) + rng.uniform(0, 2) * (2 * labels - 1))))
    return (np.round(p, 1).clip(0.05, 0.95) if seed % 2 else p).astype(np.float32), labels


def merit(rule, called, labels):
    """What the rule's documentation says, of one way to call the rows; higher is better."""
    hits = int((called & (labels == 1)).sum())
    missed, alarms = int((labels == 1).sum()) - hits, int((called & (labels == 0)).sum())
    if rule.kind == 'cost':
        return -(rule.value * missed + alarms)
    if rule.kind == 'recall':
        return float(hits / (hits + missed) >= rule.value)
    if not hits:
        return 0.0
    precision, recall, square = hits / (hits + alarms), hits / (hits + missed), rule.value**2
    return (1 + square) * precision * recall / (square * precision + recall)


def by_brute_force(rule, p, labels):
    """The calls of the best cut; of equally good ones of that with the fewest alarms."""
    cuts = [*np.unique(p), np.inf]
    merits = [merit(rule, p >= cut, labels) for cut in cuts]
    best = [cut for cut, m in zip(cuts, merits) if m >= max(merits) - 1e-12]
    return p >= best[-1]


@pytest.mark.parametrize('text', RULES)
def test_the_threshold_is_the_best_of_all(text):
    rule = DecisionRule.parse(text)
    for seed in range(150):
        p, labels = random_rows(seed)
        t = rule.choose(p, labels)
        assert isinstance(t, float) and 0 < t < 1
        assert (p >= t).tolist() == by_brute_force(rule, p, labels).tolist(), seed


def test_thresholds_lie_halfway_between_neighbouring_probabilities():
    for text, seed in itertools.product(RULES, range(30)):
        p, labels = random_rows(seed)
        t = DecisionRule.parse(text).choose(p, labels)
        below, above = p[p < t], p[p >= t]
        low, high = below.max() if len(below) else 0.0, above.min() if len(above) else 1.0
        assert t == pytest.approx((low + high) / 2)


def test_numbers_by_hand():
    p, labels = np.array([0.1, 0.3, 0.6, 0.9]), np.array([0, 1, 0, 1])
    # Cuts: from 0.2 on two hits and one alarm (F1 0.8), from 0.75 on one hit and none (F1 2/3).
    assert DecisionRule('f_beta', 1).choose(p, labels) == pytest.approx(0.2)
    assert DecisionRule('f_beta', 0.25).choose(p, labels) == pytest.approx(0.75)
    assert DecisionRule('cost', 2).choose(p, labels) == pytest.approx(0.2)
    assert DecisionRule('cost', 0.5).choose(p, labels) == pytest.approx(0.75)
    # One missed failure and one false alarm cost the same: the higher threshold has fewer alarms.
    assert DecisionRule('cost', 1).choose(p, labels) == pytest.approx(0.75)
    assert DecisionRule('recall', 1).choose(p, labels) == pytest.approx(0.2)
    assert DecisionRule('recall', 0.5).choose(p, labels) == pytest.approx(0.75)


@pytest.mark.parametrize(('share', 'wanted'), [(0.7, 7), (0.71, 8), (0.6999, 7), (0.1, 1), (1.0, 10), (1e-9, 1)])
def test_a_wished_recall_is_reached_and_not_overshot(share, wanted):
    """0.7 of 10 is 7 however it is rounded: 0.7 * 10 is 7.000000000000001 for a computer."""
    p = np.r_[np.linspace(0.05, 0.95, 10), 0.5]
    labels = np.r_[np.ones(10, int), 0]
    t = DecisionRule('recall', share).choose(p, labels)
    assert (p[labels == 1] >= t).sum() == wanted


def test_equal_probabilities_are_called_alike():
    p, labels = np.full(6, 0.4), np.array([0, 0, 0, 0, 1, 1])
    assert DecisionRule('recall', 0.5).choose(p, labels) == pytest.approx(0.2)
    assert DecisionRule('f_beta', 1).choose(p, labels) == pytest.approx(0.2)
    # Four alarms for two failures: calling none costs less.
    assert DecisionRule('cost', 1).choose(p, labels) == pytest.approx(0.7)


def test_certain_rows_leave_the_threshold_inside_0_and_1():
    p, labels = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1])
    for text in RULES:
        assert DecisionRule.parse(text).choose(p, labels) == 0.5
    # A failure of which the network is certain that it is none is out of reach: as many others as can be are found.
    p, labels = np.array([0.0, 0.3, 0.2, 0.9]), np.array([1, 1, 0, 1])
    assert DecisionRule('recall', 1).choose(p, labels) == pytest.approx(0.25)
    # A false alarm of probability 1 is called under every threshold.
    # float32 holds no number between that of the second table and 1.
    for p in ([1.0, 0.5], [1 - 1e-12, 0.5]):
        assert DecisionRule('cost', 0.1).choose(np.array(p), np.array([0, 1])) == pytest.approx(0.25)
        assert DecisionRule('cost', 0.1).choose(np.array([*p, 0.6]), np.array([0, 1, 0])) == pytest.approx(0.8)


def test_neighbouring_float32_numbers_are_told_apart():
    p = np.array([0.7, np.nextafter(np.float32(0.7), np.float32(1))], np.float32)
    t = DecisionRule('f_beta', 1).choose(p, np.array([0, 1]))
    assert decide(np.stack([1 - p, p], 1), t).tolist() == [0, 1]


def test_the_order_of_rows_does_not_matter():
    p, labels = random_rows(8)
    order = np.random.default_rng(0).permutation(len(p))
    for text in RULES:
        rule = DecisionRule.parse(text)
        assert rule.choose(p[order], labels[order]) == rule.choose(p, labels)


@pytest.mark.parametrize('label', [0, 1])
def test_rows_of_one_class_decide_nothing(label):
    with pytest.raises(ConfigError, match='`threshold`: .*validation rows .*one class'):
        DecisionRule('f_beta', 1).choose(np.array([0.2, 0.7]), np.full(2, label))


@pytest.mark.parametrize(
    ('text', 'kind', 'value'),
    [('f_beta:1', 'f_beta', 1), ('cost:12.5', 'cost', 12.5), ('recall:1', 'recall', 1), ('recall:.95', 'recall', 0.95)],
)
def test_rules_are_read(text, kind, value):
    assert DecisionRule.parse(text) == DecisionRule(kind, value)
    assert rule_of(text, 2) == DecisionRule(kind, value)
    assert TrainConfig(dataset='x', threshold=text).threshold == text


@pytest.mark.parametrize(
    'text',
    ['f1', 'f_beta', 'f_beta:', 'f_beta:0', 'f_beta:-1', 'cost:nan', 'cost:inf', 'recall:0', 'recall:1.01', 'recall:x']
    + ['auc:1', ':1', 'F_beta:1', 'recall:0,9', '0.5'],
)
def test_what_is_no_rule_is_refused_with_how_to_write_one(text):
    for read in (DecisionRule.parse, lambda t: TrainConfig(dataset='x', threshold=t), lambda t: rule_of(t, 2)):
        with pytest.raises(ConfigError) as e:
            read(text)
        assert str(e.value).startswith(f'`threshold`={text}: write f_beta:BETA')
        assert 'cost:RATIO' in str(e.value) and 'recall:SHARE' in str(e.value)


def test_no_rule_is_none_for_any_number_of_classes():
    assert rule_of('', 2) is None
    assert rule_of('', 7) is None
    assert TrainConfig(dataset='x').threshold == ''


@pytest.mark.parametrize('num_classes', [1, 3, 10])
def test_a_rule_for_another_number_of_classes_is_refused(num_classes):
    with pytest.raises(ConfigError, match=f'`threshold`=cost:2: .* 2 classes, .* {num_classes}: leave it out'):
        rule_of('cost:2', num_classes)


def test_classes_follow_from_the_threshold_or_from_the_larger_probability():
    p = np.array([[0.9, 0.1], [0.5, 0.5], [0.25, 0.75], [0.75, 0.25]])
    assert decide(p, None).tolist() == [0, 0, 1, 0]
    assert decide(p, 0.25).tolist() == [0, 1, 1, 1]
    assert decide(p, math.nextafter(0.25, 1)).tolist() == [0, 1, 1, 0]
    assert decide(p, 0.5).tolist() == [0, 1, 1, 0]
    # One threshold a row, as pooled folds have.
    assert decide(p, np.array([0.05, 0.6, 0.8, 0.2])).tolist() == [1, 0, 0, 1]
    three = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])
    assert decide(three, None).tolist() == [1, 0]
    assert decide(p, 0.5).dtype == decide(p, None).dtype == np.int64


def test_one_threshold_and_a_column_of_it_decide_alike():
    """float32(0.7) is below 0.7: prediction has one number, evaluation a column of them."""
    p = np.array([[0.3, 0.7], [0.7, 0.3]], np.float32)
    for t in (0.7, 0.3):
        assert decide(p, t).tolist() == decide(p, np.full(2, t)).tolist() == (np.float64(p[:, 1]) >= t).tolist()
