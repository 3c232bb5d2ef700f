"""When training stops: against the definition on random scores, in the loop, and after any interruption."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

from fdx.train.config import TrainConfig
from fdx.train.early_stopping import EarlyStopping
from fdx.train.loop import Plan, Progressed, fit
from fdx.train.steps import TrainState
from fdx.types import ConfigError

STEPS = 2


def rows(losses, **others):
    """A history of these validation losses."""
    common = {'validation_macro_f1': 0.5, 'validation_accuracy': 0.5}
    return [
        {'epoch': i + 1, 'step': STEPS * (i + 1), 'validation_loss': x, **common, **others}
        for i, x in enumerate(losses)
    ]


def stopping_epoch(losses, patience):
    """By definition: the first epoch that has `patience` epochs behind the best so far, else the last of all."""
    best, when = math.inf, 0
    for epoch, loss in enumerate(losses, 1):
        if math.isfinite(loss) and loss < best:
            best, when = loss, epoch
        if patience and epoch - when >= patience:
            return epoch
    return len(losses)


def random_losses(seed):
    """Falling and rising again, with ties and now and then a diverged epoch."""
    rng = np.random.default_rng(seed)
    losses = np.round(np.abs(rng.standard_normal(25).cumsum()), 0 if seed % 3 == 0 else 2)
    losses[rng.random(25) < 0.1] = rng.choice([np.nan, np.inf])
    return losses.tolist()


class Run:
    """Training whose validation losses are known beforehand; steps are counted, not computed."""

    def __init__(self, losses, patience, *, epochs=None, save_every=100):
        self.losses, self.saved, self.logged, self.k = losses, [], [], 0
        self.plan = Plan(
            step=self.step,
            batches=self,
            batch_size=1,
            steps_per_epoch=STEPS,
            epochs=epochs or len(losses),
            validate=self.validate,
            save=lambda state, progressed, candidate: self.saved.append(
                (int(state.step), copy.deepcopy(progressed), candidate)
            ),
            on_epoch=lambda row: self.logged.append(row['epoch']),
            save_every=save_every,
            stopping=EarlyStopping('loss', patience),
        )

    def __next__(self):
        self.k += 1
        return {'inputs': np.zeros((1, 1), np.float32)}

    def get_state(self):
        return {'k': self.k}

    def step(self, state, batch):
        del batch
        sums = {'loss': np.float32(1), 'correct': np.float32(1), 'count': np.float32(1)}
        return state.replace(step=state.step + 1), sums

    def validate(self, state):
        loss = self.losses[int(state.step) // STEPS - 1]
        return {'validation_loss': loss, 'validation_macro_f1': 0.5, 'validation_accuracy': 0.5}

    def go(self, step=0, progressed=None):
        progressed = progressed or Progressed()
        state = TrainState(np.int32(step), np.int32(0), {}, stats={}, prefix={'params': {}}, opt_state=())
        fit(state, self.plan, progressed)
        return [{k: v for k, v in row.items() if k != 'seconds'} for row in progressed.history]


@pytest.mark.parametrize('patience', [1, 2, 3, 7, 0])
def test_the_loop_stops_at_the_epoch_of_the_definition(patience):
    epochs = set()
    for seed in range(60):
        losses = random_losses(seed)
        run = Run(losses, patience)
        history = run.go()
        assert len(history) == stopping_epoch(losses, patience), seed
        assert run.logged == [row['epoch'] for row in history]
        # The last epoch is saved, stopped or not: the same command then finds a finished run.
        assert run.saved[-1][0] == STEPS * len(history)
        assert run.saved[-1][2] is True
        epochs.add(len(history))
    assert (epochs == {25}) == (patience == 0)


def test_every_best_epoch_is_saved_to_be_restored():
    """Steps between saves would miss it: save_every is far longer than the run."""
    for seed in range(40):
        losses = random_losses(seed)
        run = Run(losses, 3)
        history = run.go()
        known = [x for x in losses[: len(history)] if math.isfinite(x)]
        saved = {step // STEPS for step, _, candidate in run.saved if candidate}
        if known:
            assert losses.index(min(known)) + 1 in saved
        improvements = [
            i + 1 for i in range(len(history)) if losses[i] < min([math.inf, *filter(math.isfinite, losses[:i])])
        ]
        assert saved == {*improvements, len(history)}
    without = Run(losses, 0)
    without.go()
    assert [step for step, _, _ in without.saved] == [STEPS * 25]


@pytest.mark.parametrize('seed', range(12))
def test_a_run_broken_off_anywhere_ends_as_the_unbroken_one(seed):
    losses = random_losses(seed)
    whole = Run(losses, 3)
    wanted = whole.go()
    for first in range(1, len(losses)):
        begun = Run(losses, 3, epochs=first)
        begun.go()
        step, progressed, _ = begun.saved[-1]
        second = Run(losses, 3)
        assert second.go(step, progressed) == wanted
        assert second.logged == [row['epoch'] for row in wanted[min(first, len(wanted)) :]]


def test_a_stopped_run_goes_on_for_nothing():
    losses = [3.0, 2.0, 2.5, 2.5, 1.0, 0.5]
    run = Run(losses, 2)
    assert [row['epoch'] for row in run.go()] == [1, 2, 3, 4]
    step, progressed, _ = run.saved[-1]
    again = Run(losses, 2)
    assert len(again.go(step, progressed)) == 4
    assert (again.saved, again.logged, again.k) == ([], [], 0)


@pytest.mark.parametrize(
    ('losses', 'since'),
    [
        ([], 0),
        ([1.0], 0),
        ([1.0, 0.5], 0),
        ([0.5, 1.0, 0.75], 2),
        ([0.5, 0.5, 0.5], 2),
        ([math.nan, 0.5, math.nan], 1),
        ([math.nan, math.inf], 2),
    ],
)
def test_epochs_since_the_earliest_best(losses, since):
    assert EarlyStopping('loss', 4).epochs_since_best(rows(losses)) == since


def test_the_criterion_is_that_of_selection():
    history = [
        {**row, 'validation_macro_f1': f1, 'validation_accuracy': a}
        for row, f1, a in zip(rows([3.0, 2.0, 1.0]), (0.5, 0.9, 0.6), (0.9, 0.8, 0.7))
    ]
    for criterion, since in (('loss', 0), ('macro_f1', 1), ('accuracy', 2)):
        stopping = EarlyStopping(criterion, 2)
        assert stopping.epochs_since_best(history) == since
        assert stopping.improved(history) == (since == 0)
        assert stopping.stops(history) == (since == 2)
    never = EarlyStopping('accuracy', 0)
    assert (never.stops(history), never.improved(rows([1.0]))) == (False, False)


def test_patience_that_would_be_ignored_or_makes_no_sense_is_refused():
    with pytest.raises(ConfigError, match='`patience`=5: .*`select_by`=last'):
        TrainConfig(dataset='x', patience=5, select_by='last')
    with pytest.raises(ConfigError, match='`patience`=-1 .* number of epochs, or 0'):
        TrainConfig(dataset='x', patience=-1)
    assert TrainConfig(dataset='x').patience == 0
