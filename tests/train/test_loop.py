"""The loop without a network: steps are counted, not computed."""

from __future__ import annotations

import copy
import os
import signal

import jax
import numpy as np
import pytest

from fdx.train.loop import InterruptedRunError, Plan, Progressed, StopRequest, fit
from fdx.train.steps import TrainState

STEPS = 3


class Batches:
    """Endless batches that carry their number."""

    def __init__(self):
        self.k = 0

    def __next__(self):
        self.k += 1
        return {'inputs': np.full((2, 1), self.k, np.float32)}

    def get_state(self):
        return {'k': self.k}


class Recorder:
    """A plan whose step adds up the numbers of the batches, and what was saved and logged."""

    def __init__(self, *, steps=STEPS, epochs=3, save_every=1, stop_at=None, stop_in_validation=None):
        self.saved, self.rows = [], []
        self.batches = Batches()
        self.stop_at, self.stop_in_validation = stop_at, stop_in_validation
        self.plan = Plan(
            step=self.step,
            batches=self.batches,
            batch_size=2,
            steps_per_epoch=steps,
            epochs=epochs,
            validate=self.validate,
            save=self.save,
            on_epoch=self.rows.append,
            save_every=save_every,
        )

    def step(self, state, batch):
        number = float(batch['inputs'].ravel()[0])
        if self.stop_at == state.step:
            os.kill(os.getpid(), signal.SIGTERM)
        metrics = {'loss': np.float32(number), 'correct': np.float32(1), 'count': np.float32(2)}
        return state.replace(step=state.step + 1, params=state.params + number), metrics

    def validate(self, state):
        if self.stop_in_validation == state.step:
            os.kill(os.getpid(), signal.SIGTERM)
        return {'validation_loss': float(state.params)}

    def save(self, state, progressed, candidate):
        self.saved.append((int(state.step), copy.deepcopy(progressed), candidate))

    def run(self, step=0, params=0.0, progressed=None):
        state = TrainState(np.int32(step), np.int32(0), params, stats={}, prefix={'params': {}}, opt_state=())
        progressed = progressed or Progressed()
        return fit(state, self.plan, progressed), progressed

    def saved_steps(self):
        return [(step, candidate) for step, _, candidate in self.saved]


def test_an_unbroken_run_counts_steps_epochs_and_sums():
    recorder = Recorder()
    state, progressed = recorder.run()
    assert int(state.step) == 9
    assert state.params == sum(range(1, 10))
    assert recorder.saved_steps() == [(3, True), (6, True), (9, True)]
    assert recorder.rows == progressed.history
    rows = [{k: v for k, v in row.items() if k != 'seconds'} for row in recorder.rows]
    assert rows == [
        {'epoch': e, 'step': 3 * e, 'train_loss': loss / 6, 'train_accuracy': 0.5, 'validation_loss': total}
        for e, loss, total in ((1, 6, 6.0), (2, 15, 21.0), (3, 24, 45.0))
    ]


def test_a_saved_step_holds_the_row_of_its_epoch():
    recorder = Recorder(epochs=2)
    recorder.run()
    assert [(len(p.history), p.sums['count'], p.data) for _, p, _ in recorder.saved] == [
        (1, 0.0, {'k': 3}),
        (2, 0.0, {'k': 6}),
    ]


def test_save_every_always_saves_the_last_epoch():
    recorder = Recorder(epochs=5, save_every=2)
    recorder.run()
    assert recorder.saved_steps() == [(6, True), (12, True), (15, True)]
    assert [row['epoch'] for row in recorder.rows] == [1, 2, 3, 4, 5]


def test_sigterm_in_an_epoch_saves_after_the_running_step():
    recorder = Recorder(stop_at=4)
    with pytest.raises(InterruptedRunError, match='SIGTERM .*step 5; .*same command'):
        recorder.run()
    assert recorder.saved_steps() == [(3, True), (5, False)]
    _, progressed, _ = recorder.saved[-1]
    assert progressed.sums == {'loss': 4.0 + 5.0, 'correct': 2.0, 'count': 4.0}
    assert progressed.data == {'k': 5}
    assert [row['epoch'] for row in progressed.history] == [1]


def test_a_run_stopped_in_an_epoch_goes_on_to_the_same_numbers():
    whole, wanted = Recorder().run()
    recorder = Recorder(stop_at=4)
    with pytest.raises(InterruptedRunError):
        recorder.run()
    step, progressed, _ = recorder.saved[-1]
    second = Recorder()
    second.batches.k = progressed.data['k']
    state, progressed = second.run(step, sum(range(1, step + 1)), progressed)
    assert (int(state.step), state.params) == (int(whole.step), whole.params)
    drop = [{k: v for k, v in row.items() if k != 'seconds'} for row in progressed.history]
    assert drop == [{k: v for k, v in row.items() if k != 'seconds'} for row in wanted.history]


@pytest.mark.parametrize('when', [{'stop_at': 2}, {'stop_in_validation': 3}])
def test_sigterm_at_the_end_of_an_epoch_stops_after_its_save(when):
    recorder = Recorder(**when)
    with pytest.raises(InterruptedRunError, match='after step 3;'):
        recorder.run()
    assert recorder.saved_steps() == [(3, True)]
    assert [row['epoch'] for row in recorder.rows] == [1]


def test_sigterm_is_heard_where_an_epoch_is_one_step():
    recorder = Recorder(steps=1, stop_at=1)
    with pytest.raises(InterruptedRunError, match='after step 2;'):
        recorder.run()
    assert recorder.saved_steps() == [(1, True), (2, True)]


def test_a_stop_gives_selection_no_epoch_that_an_unbroken_run_does_not_save():
    recorder = Recorder(save_every=2, stop_in_validation=3)
    with pytest.raises(InterruptedRunError):
        recorder.run()
    assert recorder.saved_steps() == [(3, False)]


@pytest.mark.parametrize('when', [{'stop_at': 8}, {'stop_in_validation': 9}])
def test_sigterm_in_the_last_moments_stops_the_program_when_all_is_saved(when):
    """Swallowed there, a benchmark would go on with its next run."""
    recorder = Recorder(**when)
    with pytest.raises(InterruptedRunError, match='after step 9;'):
        recorder.run()
    assert recorder.saved_steps()[-1] == (9, True)
    assert len(recorder.rows) == 3
    _, progressed, _ = recorder.saved[-1]
    again = Recorder()
    again.run(9, 45.0, progressed)
    assert (again.saved, again.rows) == ([], [])


def test_a_finished_run_does_nothing():
    recorder = Recorder()
    recorder.run(step=9)
    assert (recorder.saved, recorder.rows, recorder.batches.k) == ([], [], 0)


def test_the_handler_from_before_comes_back():
    def before(*_):
        pass

    original = signal.signal(signal.SIGTERM, before)
    try:
        with StopRequest() as stop:
            assert not stop.asked(1)
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.asked(2)
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, original)


def test_several_processes_leave_sigterm_to_jax(monkeypatch):
    asked = []
    monkeypatch.setattr(jax, 'process_count', lambda: 2)
    monkeypatch.setattr(
        'fdx.train.loop.multihost_utils.reached_preemption_sync_point', lambda step: asked.append(step) or step == 2
    )
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest() as stop:
        assert signal.getsignal(signal.SIGTERM) is before
        assert [stop.asked(k) for k in (1, 2, 3)] == [False, True, True]
    assert asked == [1, 2]
