"""Learning: what is promised is measured, faults are found, too little is refused."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.health.blocks import blocks_of
from fdx.health.contamination import check_contamination, odd_recordings
from fdx.health.detectors import DETECTORS
from fdx.health.learn import Settings, learn
from fdx.health.operating import lay_out
from fdx.health.promise import effective_units, least_rate, units_for
from fdx.health.sample import Sample
from fdx.health.wish import Rule, Wish
from fdx.types import ConfigError, DataError


def rows(n: int, seed: int, shift: float = 0.0, moved: int = 3, d: int = 12) -> list[np.ndarray]:
    """Correlated Gaussian rows; a shift moves the first numbers."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) + 0.7 * rng.standard_normal((n, 1))
    x[:, :moved] += shift
    return list(x)


@pytest.mark.parametrize('detector', DETECTORS)
def test_every_detector_keeps_its_rate_and_finds_a_fault(detector):
    p_of_healthy, p_of_faulty = [], []
    # A forest takes ten times as long as the others.
    for seed in range(1 if detector == 'isolation_forest' else 2):
        baseline = learn(Sample.of(rows(80, seed)), Settings(detector=detector))
        p_of_healthy += [s.p_value for s in baseline.scored(Sample.of(rows(300, 100 + seed)))]
        p_of_faulty += [s.p_value for s in baseline.scored(Sample.of(rows(20, 200 + seed, 8.0, 9)))]
    assert 0.05 < np.mean(np.array(p_of_healthy) <= 0.1) < 0.2
    assert np.mean(np.array(p_of_faulty) <= 0.05) > 0.9


def test_what_moved_is_named_with_its_direction():
    baseline = learn(Sample.of(rows(60, 0)))
    row = np.zeros(12)
    row[5] = -9.0
    scored = baseline.scored(Sample.of([row]))[0]
    assert scored.moved[0].feature.what == '5' and scored.moved[0].deviations < -5


def test_a_recording_counts_once_however_many_pieces_it_has():
    healthy = [np.array(rows(10, seed)) for seed in range(40)]
    baseline = learn(Sample.of(healthy))
    assert not baseline.by_pieces and len(baseline.held_out) == 40
    scored = baseline.scored(Sample.of([np.array(rows(10, 99)), np.array(rows(3, 98))]))
    assert len(scored) == 2 and all(0 < s.p_value <= 1 for s in scored)


def test_few_recordings_are_refused_with_the_number_that_is_missing(says):
    with pytest.raises(DataError) as e:
        learn(Sample.of(rows(13, 0)))
    assert says(str(e.value), '13 healthy recordings ... 7 more ... `piece_s`')


def test_recordings_of_rare_states_do_not_count(says):
    sample = Sample.of(rows(22, 0), None, [600.0] * 18 + [1500.0] * 4)
    with pytest.raises(DataError) as e:
        learn(sample)
    assert says(str(e.value), '18 healthy recordings ... 2 more')


def test_pieces_stand_for_few_recordings_and_that_is_said(says):
    baseline = learn(Sample.of([np.array(rows(12, seed)) for seed in range(3)]))
    assert baseline.by_pieces and len(baseline.held_out) == 36
    assert says(' '.join(baseline.about['notes']), '36 pieces stand for recordings')
    # Nobody knows how other recordings of the machine would differ from these three.
    assert baseline.promise.startswith('nothing for other recordings')
    whole = learn(Sample.of(rows(40, 0)))
    assert whole.promise == whole.wish.words(whole.rate)


def test_a_wish_that_the_recordings_cannot_support_is_answered_with_what_they_can(says):
    wish = Wish(365, 24)
    baseline = learn(Sample.of(rows(50, 0)), Settings(wish=wish))
    assert baseline.rate == pytest.approx(least_rate(baseline.held_out, Rule())) and baseline.rate > wish.rate
    assert says(' '.join(baseline.about['notes']), '50 healthy recordings cannot promise ... 1 in 8760')
    n = units_for(1 / 100, Rule())
    assert least_rate(np.zeros(n), Rule()) <= 1 / 100 < least_rate(np.zeros(n - 1), Rule())
    assert learn(Sample.of(rows(50, 0)), Settings(wish=Wish(2, 24))).about['notes'] == []


def test_alarms_of_healthy_series_are_as_rare_as_promised():
    """2 of 3 in a row, also where neighbours resemble each other."""
    rng = np.random.default_rng(5)
    alarms = count = 0
    for _ in range(6):
        drift = np.zeros((700, 1))
        for i in range(1, 700):
            drift[i] = 0.8 * drift[i - 1] + 0.4 * rng.standard_normal()
        series = list(rng.standard_normal((700, 12)) + drift)
        baseline = learn(Sample.of(series[:150]), Settings(wish=Wish(1, 50)))
        scores = np.array([s.score for s in baseline.scored(Sample.of(series[150:]))])
        alarms += int((baseline.rule.strengths(scores) >= baseline.alarm_limit).sum())
        count += len(scores)
    assert alarms / count < 2 * 1 / 50


def test_blocks_are_consecutive_and_every_state_is_in_each():
    sample = Sample.of(rows(60, 0), None, [600.0] * 30 + [1500.0] * 30)
    layout, _ = lay_out(sample)
    block = blocks_of(sample, layout)
    assert np.bincount(block).tolist() == [6] * 10
    assert (np.diff(block[:30]) >= 0).all() and (np.diff(block[30:]) >= 0).all()


def test_contaminated_recordings_are_named_and_clean_ones_are_not():
    groups = np.zeros(12, int)
    clean = Sample.of(rows(60, 1))
    layout, _ = lay_out(clean)
    assert not odd_recordings(clean, layout, groups).any()
    mixed = Sample.of(rows(57, 1) + rows(3, 2, shift=15.0))
    odd = odd_recordings(mixed, layout, groups)
    assert np.flatnonzero(odd).tolist() == [57, 58, 59]
    check_contamination(mixed, odd)


def test_many_odd_recordings_are_refused(says):
    mixed = Sample.of(rows(40, 1) + rows(12, 2, shift=15.0))
    layout, _ = lay_out(mixed)
    odd = odd_recordings(mixed, layout, np.zeros(12, int))
    with pytest.raises(DataError) as e:
        check_contamination(mixed, odd)
    assert says(str(e.value), '12 of 52 recordings ... `keep_odd`')


def test_an_unknown_detector_is_refused(says):
    with pytest.raises(ConfigError) as e:
        Settings(detector='oracle')
    assert says(str(e.value), '`detector`=oracle ... gaussian')


def test_a_machine_that_drifts_promises_less_and_says_so(says):
    """One stretch reads otherwise: limits that are set without it are passed in it, and no promise ignores that."""
    steady = learn(Sample.of(rows(100, 0)))
    assert steady.inflation == 1 and not any('change over time' in note for note in steady.about['notes'])
    drifting = learn(Sample.of(rows(40, 0) + rows(10, 1, shift=9.0, moved=12) + rows(50, 2)))
    assert drifting.inflation > 2 and drifting.rate == pytest.approx(
        drifting.inflation * least_rate(drifting.held_out, Rule())
    )
    assert says(' '.join(drifting.about['notes']), 'change over time')
    scored = drifting.scored(Sample.of(rows(20, 1, shift=9.0, moved=12)))
    assert np.mean([s.p_value for s in scored]) > 0.1


def test_pieces_of_a_recording_are_worth_fewer_units_the_more_they_resemble_each_other():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(15), 8)
    apart, alike = rng.standard_normal(120), rng.standard_normal(15)[clusters]
    assert effective_units(apart, clusters) > 70
    assert effective_units(alike, clusters) == pytest.approx(15)
    assert 15 < effective_units(alike + apart, clusters) < 60
    assert effective_units(apart, np.arange(120)) == 120 == effective_units(apart, np.zeros(120, int))


def test_pieces_make_no_alarm_by_resembling_each_other():
    """Two of three pieces in a row say nothing of recordings in a row: the limit is that of a single one."""
    baseline = learn(Sample.of([np.array(rows(12, seed)) for seed in range(3)]))
    assert baseline.by_pieces and baseline.alarm_limit == baseline.tail.limit(baseline.rate / baseline.inflation)
