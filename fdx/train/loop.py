"""The training loop, top to bottom: the steps of an epoch, validation, a checkpoint, a line of the log."""

from __future__ import annotations

import dataclasses
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import jax
from jax.experimental import multihost_utils

from fdx.train import parallel
from fdx.train.forward import Progress, no_progress
from fdx.train.steps import TrainState
from fdx.types import FdxError

SUMS = ('loss', 'correct', 'count')


class InterruptedRunError(FdxError):
    """The run was asked to stop (SIGTERM); its state was saved first."""

    exit_code = 143  # 128 + SIGTERM, as shells report it; launch.cli reads it.


class Batches(Protocol):
    """An endless iterator of global batches that can say where it stands, and go on from there."""

    def __next__(self) -> dict[str, Any]:
        """The next batch: arrays [n, ...] by name, or several such batches by name."""

    def get_state(self) -> dict:
        """Where it stands; JSON can hold it."""

    def set_state(self, state: dict) -> None:
        """Goes on where `get_state` stood."""


class Stopping(Protocol):
    """Ends training early, from the history alone, so that a resumed run stops where an unbroken one stops."""

    def improved(self, history: Sequence[dict]) -> bool:
        """Whether the last epoch must have a checkpoint."""

    def stops(self, history: Sequence[dict]) -> bool:
        """Whether training is over."""


@dataclasses.dataclass
class Progressed:
    """Where a run stands: what resuming needs besides the arrays.

    Attributes:
      history: one row per epoch.
      sums: loss, correct and count of the unfinished epoch so far.
      data: state of the data iterator.
    """

    history: list[dict] = dataclasses.field(default_factory=list)
    sums: dict[str, float] = dataclasses.field(default_factory=lambda: dict.fromkeys(SUMS, 0.0))
    data: dict | None = None


class StopRequest:
    """Turns SIGTERM into a question that the loop asks between steps.

    Several processes must stop after the same step, or those that go on would wait for ever. There the handler that
    `jax.distributed` installs agrees on a step with the other processes.
    """

    def __init__(self):
        self._asked = False
        self._previous: Any = None

    def __enter__(self) -> StopRequest:
        # Only the main thread may set handlers; elsewhere there is nothing to restore.
        if jax.process_count() == 1 and threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, self._ask)
        return self

    def __exit__(self, *_) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)

    def _ask(self, *_) -> None:
        self._asked = True

    def asked(self, step: int) -> bool:
        """Whether the run is to stop after `step`; every process asks once per step."""
        if jax.process_count() > 1:
            self._asked = self._asked or multihost_utils.reached_preemption_sync_point(step)
        return self._asked


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the loop is given.

    Attributes:
      step: compiled training step.
      batches: endless iterator of global batches.
      batch_size: their size.
      steps_per_epoch: steps that make an epoch.
      epochs: epochs after which training ends.
      validate: state -> metrics of the validation rows.
      on_epoch: row -> None; logs.
      save: (state, progressed, candidate) -> None; writes a checkpoint; `candidate` says whether selection may choose
        it. fdx.train.trainer fills this in.
      save_every: epochs between checkpoints; the last epoch always has one.
      progress: wraps the steps of an epoch.
      stopping: decides whether training ends early, and which epochs must be kept for that; None: it does not.
      averages: further metrics whose means over the steps of an epoch go into its row, under train_NAME.
      check: called with every row before its checkpoint is written; it raises where going on makes no sense.
      classifies: whether steps count a loss and correct examples; then train_loss and train_accuracy are in the row.
    """

    step: Callable
    batches: Batches
    batch_size: int
    steps_per_epoch: int
    epochs: int
    validate: Callable[[TrainState], dict[str, Any]]
    on_epoch: Callable[[dict], None]
    save: Callable[[TrainState, Progressed, bool], None] = lambda state, progressed, candidate: None
    save_every: int = 1
    progress: Progress = no_progress
    averages: tuple[str, ...] = ()
    stopping: Stopping | None = None
    check: Callable[[dict], None] = lambda row: None
    classifies: bool = True


def fit(state: TrainState, plan: Plan, progressed: Progressed) -> TrainState:
    """Trains until `plan.epochs` are done.

    Args:
      state: where to start.
      plan: see Plan.
      progressed: its history and sums grow in place.

    Returns:
      The last state. `progressed.history` has one row per epoch: epoch, step, train_loss, train_accuracy,
      validation metrics, seconds.

    Raises:
      InterruptedRunError: SIGTERM came. The state was saved first: after the step that was running, or, at the end
        of an epoch, after its validation.
    """
    done = int(state.step)
    with StopRequest() as stop:
        for epoch in range(done // plan.steps_per_epoch, plan.epochs):
            if plan.stopping and plan.stopping.stops(progressed.history):
                break
            began = time.perf_counter()
            end = (epoch + 1) * plan.steps_per_epoch
            state = _run_steps(state, plan, progressed, epoch, end - done, stop)
            done = int(state.step)
            if done < end:
                plan.save(state, progressed, False)
                raise _interrupted(done)
            row = _epoch_row(state, plan, progressed, epoch, began)
            plan.check(row)
            progressed.history.append(row)
            progressed.sums = dict.fromkeys(SUMS, 0.0)
            last = epoch + 1 == plan.epochs or bool(plan.stopping and plan.stopping.stops(progressed.history))
            due = last or (epoch + 1) % plan.save_every == 0
            due = due or bool(plan.stopping and plan.stopping.improved(progressed.history))
            # Asked after the last epoch too: the signal may be meant for what comes next, such as the next run of a
            # benchmark.
            stopped = stop.asked(done)
            if due or stopped:
                # An epoch that is saved only because of the stop is not a candidate: an unbroken run would not have
                # saved it.
                plan.save(state, progressed, due)
            plan.on_epoch(row)
            if stopped:
                raise _interrupted(done)
    return state


def _interrupted(done: int) -> InterruptedRunError:
    return InterruptedRunError(f'stopped by SIGTERM after step {done}; run the same command to go on')


def _run_steps(
    state: TrainState, plan: Plan, progressed: Progressed, epoch: int, count: int, stop: StopRequest
) -> TrainState:
    """Runs `count` steps, fewer when asked to stop.

    Metrics stay on the devices until the epoch ends, so that no step waits for the host.
    """
    pending: list[dict] = []
    done = int(state.step)
    steps: Iterable[int] = plan.progress(range(count), desc=f'epoch {epoch + 1}/{plan.epochs}', total=count)
    for i in steps:
        batch = parallel.shard(next(plan.batches), plan.batch_size)
        state, metrics = plan.step(state, batch)
        pending.append(metrics)
        if i < count - 1 and stop.asked(done + i + 1):
            break
    for metrics in jax.device_get(pending):
        for name in (*(SUMS if plan.classifies else ()), *plan.averages):
            progressed.sums[name] = progressed.sums.get(name, 0.0) + float(metrics[name])
    progressed.data = plan.batches.get_state()
    return state


def _epoch_row(state: TrainState, plan: Plan, progressed: Progressed, epoch: int, began: float) -> dict:
    sums = progressed.sums
    row = {
        'epoch': epoch + 1,
        'step': int(state.step),
        **(_of_classifier(sums) if plan.classifies else {}),
        **{f'train_{name}': sums.get(name, 0.0) / plan.steps_per_epoch for name in plan.averages},
        **plan.validate(state),
    }
    return {**row, 'seconds': time.perf_counter() - began}


def _of_classifier(sums: dict[str, float]) -> dict[str, float]:
    return {'train_loss': sums['loss'] / sums['count'], 'train_accuracy': sums['correct'] / sums['count']}
