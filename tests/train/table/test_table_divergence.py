"""A run that diverges ends with an error that names the remedy, and leaves no best step."""

from __future__ import annotations

import math

import pytest

from fdx.train.checkpoints import Checkpoints
from fdx.train.divergence import DivergedRunError, hopeless, refuse_diverged
from fdx.train.run import train
from fdx.types import CheckpointError, FdxError

NAN, INF = math.nan, math.inf


def row(validation_loss: float, train_loss: float = 1.0) -> dict:
    return {'epoch': 1, 'train_loss': train_loss, 'validation_loss': validation_loss}


def test_a_learning_rate_far_too_high_ends_the_run_in_its_first_epoch(config_of, tmp_path):
    seen = []
    with pytest.raises(FdxError, match=r'diverged in epoch 1: .*`learning_rate` lower') as caught:
        train(config_of(learning_rate=1e30, epochs=5), tmp_path / 'run', on_epoch=seen.append)
    assert '\n' not in str(caught.value)
    assert seen == []
    assert Checkpoints(tmp_path / 'run').steps() == []
    for step in ('best', 'last'):
        with pytest.raises(CheckpointError, match='holds no finished checkpoint'):
            Checkpoints(tmp_path / 'run').resolve(step)
    # The remedy works in the same workdir: nothing of the other run is there.
    assert train(config_of(epochs=1), tmp_path / 'run').best_step > 0


@pytest.mark.parametrize(
    ('before', 'now', 'refused'),
    [
        ([], row(NAN, NAN), True),
        ([], row(INF, INF), True),
        ([row(INF)], row(NAN, NAN), True),
        ([], row(INF, 2.0), False),
        ([row(0.5)], row(NAN, NAN), False),
        ([], row(0.5, NAN), False),
    ],
)
def test_a_run_is_given_up_where_nothing_can_come_of_it(before, now, refused):
    if refused:
        with pytest.raises(DivergedRunError, match='`learning_rate`'):
            hopeless(before)(now)
    else:
        hopeless(before)(now)


@pytest.mark.parametrize(
    ('losses', 'refused'), [([], False), ([NAN, 0.5], False), ([0.5, NAN], False), ([NAN, INF], True)]
)
def test_a_run_is_refused_where_no_epoch_can_be_chosen(losses, refused):
    history = [row(loss) for loss in losses]
    if refused:
        with pytest.raises(DivergedRunError, match=f'not finite in any of {len(losses)} epochs.*`learning_rate`'):
            refuse_diverged(history)
    else:
        refuse_diverged(history)
