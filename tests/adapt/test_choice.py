"""Which epoch a criterion chooses, and when a run has settled."""

from __future__ import annotations

import pytest

from fdx.adapt.choice import chosen, score
from fdx.adapt.settled import Settled, epochs_without_gain


def history(strengths, **columns) -> list[dict]:
    return [
        {'epoch': i + 1, 'step': 22 * (i + 1), 'strength': s, **{k: v[i] for k, v in columns.items()}}
        for i, s in enumerate(strengths)
    ]


@pytest.mark.parametrize('criterion', ['source_risk', 'entropy'])
def test_epochs_before_full_strength_are_not_compared(criterion):
    """The earliest epochs have the lowest risk of the source, since nothing pulls at the features yet."""
    rows = history([0, 0.5, 0.96, 1, 1], **{criterion: [0.01, 0.02, 0.5, 0.3, 0.4]})
    assert chosen(rows, criterion)['epoch'] == 4
    # A run that was stopped before has its newest epoch.
    assert chosen(rows[:2], criterion)['epoch'] == 2


def test_ties_of_the_source_risk_go_to_the_later_epoch():
    rows = history([1] * 5, source_risk=[0.30, 0.20, 0.24, 0.21, 0.28], source_risk_se=[0.05] * 5)
    assert chosen(rows, 'source_risk')['epoch'] == 4
    assert chosen([{**r, 'source_risk_se': 0.001} for r in rows], 'source_risk')['epoch'] == 2
    # A later epoch that is clearly better wins in any case, and one that ties with it after that.
    better = history([1] * 3, source_risk=[0.2, 0.01, 0.015], source_risk_se=[0.05, 0.01, 0.01])
    assert chosen(better, 'source_risk')['epoch'] == 3


def test_scores_rank_epochs_as_the_choice_does_and_read_no_later_epoch():
    rows = history([0, 1, 1, 1], source_risk=[0.1, 0.3, 0.2, 0.25], source_risk_se=[0.06] * 4)
    scores = [score(rows[: i + 1], 'source_risk') for i in range(4)]
    assert scores.index(max(scores)) == chosen(rows, 'source_risk')['epoch'] - 1 == 3
    assert scores[0] < min(scores[1:])


def test_diverged_epochs_and_rows_of_before_there_was_a_strength():
    rows = history([1, 1], dev=[float('nan'), 0.3])
    assert score(rows[:1], 'dev') is None and chosen(rows, 'dev')['epoch'] == 2
    old = [{'epoch': 1, 'step': 5, 'dev': 0.1}, {'epoch': 2, 'step': 10, 'dev': 0.2}]
    assert chosen(old, 'dev')['epoch'] == 1
    # A criterion that such a history lacks takes its last epoch.
    assert chosen(old, 'infomax')['epoch'] == 2


def test_a_run_has_settled_when_neither_the_source_nor_the_term_gets_better():
    rows = history([0, 1, 1, 1, 1], validation_loss=[0.0, 3, 2, 2, 2], train_term=[-9, 5, 4, 3, 3.5])
    assert [epochs_without_gain(rows[: i + 1]) for i in range(5)] == [0, 0, 0, 0, 1]
    assert Settled(1).stops(rows) and not Settled(1).stops(rows[:4])
    assert not Settled(0).stops(rows) and not Settled(2).stops(rows)
    assert not Settled(1).improved(rows)


def test_without_a_term_the_source_alone_settles():
    rows = history([1, 1, 1], validation_loss=[1, 2, 3])
    assert Settled(2).stops(rows) and not Settled(3).stops(rows)
