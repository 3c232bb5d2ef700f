"""The training loop, top to bottom: steps, validation once an epoch, a checkpoint, a line of the log."""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from fdx.train import parallel
from fdx.train.feature_cache import Progress, no_progress
from fdx.train.steps import TrainState
from fdx.types import FdxError

SUMS = ('loss', 'correct', 'count')


class InterruptedRunError(FdxError):
    """The run was asked to stop (SIGTERM); its state was saved first."""


@dataclasses.dataclass
class Progressed:
    """Where a run stands, beside its arrays: what resuming needs.

    Attributes:
      history: one row an epoch.
      sums: loss, correct and count of the unfinished epoch, so far.
      data: state of the data iterator.
    """

    history: list[dict] = dataclasses.field(default_factory=list)
    sums: dict[str, float] = dataclasses.field(default_factory=lambda: dict.fromkeys(SUMS, 0.0))
    data: dict | None = None


class StopRequest:
    """Turns SIGTERM into a flag that the loop reads between steps."""

    def __init__(self):
        self.asked = False

    def __enter__(self) -> StopRequest:
        try:
            self._previous = signal.signal(signal.SIGTERM, self._ask)
        except ValueError:  # Only the main thread may set handlers; elsewhere there is nothing to restore.
            self._previous = None
        return self

    def __exit__(self, *_) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)

    def _ask(self, *_) -> None:
        self.asked = True


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the loop is given.

    Attributes:
      step: compiled training step.
      batches: endless iterator of global batches, with get_state.
      batch_size: their size.
      steps_per_epoch: steps that make an epoch.
      epochs: when to stop.
      validate: params, prefix -> metrics of the validation rows.
      save: state, progressed -> None; writes a checkpoint.
      on_epoch: row -> None; logs.
      progress: wraps the steps of an epoch.
    """

    step: Callable
    batches: Iterator[dict[str, np.ndarray]]
    batch_size: int
    steps_per_epoch: int
    epochs: int
    validate: Callable[[TrainState], dict[str, Any]]
    save: Callable[[TrainState, Progressed], None]
    on_epoch: Callable[[dict], None]
    progress: Progress = no_progress


def fit(state: TrainState, plan: Plan, progressed: Progressed) -> TrainState:
    """Trains until `plan.epochs` are done.

    Args:
      state: where to start.
      plan: see Plan.
      progressed: its history and sums grow in place.

    Returns:
      The last state. `progressed.history` has a row an epoch: epoch, step, train_loss, train_accuracy,
      validation metrics, seconds.

    Raises:
      InterruptedRunError: SIGTERM came; the state was saved after the running step.
    """
    done = int(state.step)
    with StopRequest() as stop:
        for epoch in range(done // plan.steps_per_epoch, plan.epochs):
            began = time.perf_counter()
            left = (epoch + 1) * plan.steps_per_epoch - done
            state, stopped = _run_steps(state, plan, progressed, epoch, left, stop)
            done = int(state.step)
            if stopped:
                plan.save(state, progressed)
                raise InterruptedRunError(f'stopped by SIGTERM after step {done}; run the same command to go on')
            row = _epoch_row(state, plan, progressed, epoch, began)
            progressed.history.append(row)
            progressed.sums = dict.fromkeys(SUMS, 0.0)
            plan.save(state, progressed)
            plan.on_epoch(row)
    return state


def _run_steps(
    state: TrainState, plan: Plan, progressed: Progressed, epoch: int, count: int, stop: StopRequest
) -> tuple[TrainState, bool]:
    """Runs `count` steps; metrics stay on the devices until the end, so no step waits for the host."""
    pending: list[dict] = []
    steps: Iterable[int] = plan.progress(range(count), desc=f'epoch {epoch + 1}/{plan.epochs}', total=count)
    stopped = False
    for i in steps:
        batch = parallel.shard(next(plan.batches), plan.batch_size)
        state, metrics = plan.step(state, batch)
        pending.append(metrics)
        if stop.asked and i < count - 1:
            stopped = True
            break
    for metrics in jax.device_get(pending):
        for name in SUMS:
            progressed.sums[name] += float(metrics[name])
    progressed.data = plan.batches.get_state()
    return state, stopped


def _epoch_row(state: TrainState, plan: Plan, progressed: Progressed, epoch: int, began: float) -> dict:
    sums = progressed.sums
    row = {
        'epoch': epoch + 1,
        'step': int(state.step),
        'train_loss': sums['loss'] / sums['count'],
        'train_accuracy': sums['correct'] / sums['count'],
        **plan.validate(state),
    }
    return {**row, 'seconds': time.perf_counter() - began}
