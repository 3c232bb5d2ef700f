"""Wishes in words, and the rule of alarms."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.health.wish import Rule, Wish
from fdx.types import ConfigError


def test_a_wish_is_a_rate_and_reads_as_one():
    wish = Wish(30, 24)
    assert wish.rate == pytest.approx(1 / 720)
    assert wish.words() == 'one false alarm in 30 days (1 in 720 recordings)'
    assert wish.words(1 / 12) == 'one false alarm in 12 hours (1 in 12 recordings)'


@pytest.mark.parametrize('days', [0, -1, float('nan'), float('inf'), 0.1])
def test_wishes_that_cannot_be(days, says):
    with pytest.raises(ConfigError) as e:
        Wish(days, 24)
    assert says(str(e.value), '`false_alarm_every_days`')


@pytest.mark.parametrize('text', ['3of2', '0of3', '2/3', '', '2of', '1of99'])
def test_rules_that_cannot_be(text, says):
    with pytest.raises(ConfigError) as e:
        Rule.parse(text)
    assert says(str(e.value), '`alarm_after`')


def test_a_strength_passes_a_limit_when_m_of_n_scores_do():
    rng = np.random.default_rng(0)
    scores, rule = rng.standard_normal(200), Rule.parse('2of3')
    strengths = rule.strengths(scores)
    for limit in (-1.0, 0.0, 0.7):
        counted = [int((scores[max(0, i - 2) : i + 1] >= limit).sum() >= 2) for i in range(200)]
        assert (strengths >= limit).astype(int).tolist() == counted
    assert Rule(1, 1).strengths(scores).tolist() == scores.tolist()
    assert Rule(2, 3).strengths(np.zeros(0)).shape == (0,)
