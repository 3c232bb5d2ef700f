"""One form of training for every kind of run: state -> loop -> checkpoints -> resume.

A kind of run (a classifier, domain adaptation, a generator) prepares its config, data and state, and says with a
`Layout` what of the state a checkpoint holds and which runs are the same. The rest is here: the lock on the workdir,
resuming, the frozen prefix, the log, the loop, the checkpoints, and the refusal of a run that diverged.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import pathlib
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax

from fdx.train import parallel
from fdx.train.checkpoints import Checkpoints
from fdx.train.divergence import hopeless, refuse_diverged
from fdx.train.logs import MetricsLog
from fdx.train.loop import Plan, Progressed, fit
from fdx.train.model_setup import ModelSetup
from fdx.train.same_run import Sameness, check_same
from fdx.train.steps import TrainState
from fdx.types import CheckpointError

logger = logging.getLogger(__name__)

NO_PREFIX: dict[str, dict] = {'params': {}}


@dataclasses.dataclass(frozen=True)
class Layout:
    """What the checkpoints of a kind of run hold.

    Attributes:
      network: state -> the variables of a step, {'params': ..., perhaps 'batch_stats': ...}.
      rest: state -> a tree that only a resumed run needs: the optimiser's state and the like.
      fields: (variables, rest) as they were read -> the fields of the state that they are.
      same: what makes two runs the same one.
      check: (step, meta of the run) -> None; raises where the run cannot go on from that step for a reason of its own.
    """

    network: Callable[[Any], dict]
    rest: Callable[[Any], Any]
    fields: Callable[[dict, Any], dict]
    same: Sameness
    check: Callable[[int, dict], None] = lambda step, meta: None


@dataclasses.dataclass(frozen=True)
class Run:
    """A run that is ready to start.

    Attributes:
      layout: of its kind.
      meta: what all of its checkpoints say about it; JSON can hold it.
      state: that of a new run, replicated.
      plan: of the loop, without `save`; its `on_epoch` is called after the log is written.
      choice: (step, rows of all epochs so far, or None in the middle of an epoch) -> what the step says of selection,
        with the key `selection`: {'criterion', 'score'}, the higher the better, None for a step that cannot be chosen.
      began: `time.perf_counter()` at its very start; checkpoints say how long the run has taken.
      criterion: number of a history row that must be finite for an epoch to be chosen; '': `plan.check` alone decides.
      prefix: variables of the frozen leading stages.
      kept: state -> the state whose network is stored; training goes on from the given one.
    """

    layout: Layout
    meta: dict
    state: Any
    plan: Plan
    choice: Callable[[int, list[dict] | None], dict]
    began: float
    criterion: str = ''
    prefix: dict = dataclasses.field(default_factory=lambda: NO_PREFIX)
    kept: Callable[[Any], Any] = lambda state: state


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a run leaves.

    Attributes:
      workdir: where.
      best_step: the step that selection chose.
      history: one row per epoch.
      seconds: of the whole run, from its config to its last checkpoint.
    """

    workdir: pathlib.Path
    best_step: int
    history: list[dict]
    seconds: float


def run_training(run: Run, workdir: str | pathlib.Path, *, resume_step: str | int = 'last') -> RunResult:
    """Trains until the plan is done, or goes on where the workdir's checkpoint stands.

    Args:
      run: what to do.
      workdir: for checkpoints, metrics.jsonl and TensorBoard files; nobody else writes there meanwhile.
      resume_step: last, best or a number: where to go on.

    Raises:
      LockedError: another program writes there.
      CheckpointError: the workdir holds another run or a damaged one, or the initial weights have changed since.
      DivergedRunError: no epoch can be chosen.
      InterruptedRunError: SIGTERM; the state is saved.
    """
    workdir, plan = pathlib.Path(workdir), run.plan
    with Checkpoints(workdir).writing() as checkpoints:
        state, progressed = resume(checkpoints, run, resume_step)
        checkpoints.save_prefix(run.prefix)
        with contextlib.closing(MetricsLog(workdir, progressed.history)) as log:

            def logged(row: dict) -> None:
                log.write(row)
                run.plan.on_epoch(row)

            plan = dataclasses.replace(
                plan,
                save=_saver(checkpoints, run),
                on_epoch=logged,
                check=hopeless(progressed.history, run.criterion) if run.criterion else plan.check,
            )
            fit(state, plan, progressed)
        if run.criterion:
            refuse_diverged(progressed.history, run.criterion)
        return RunResult(workdir, checkpoints.best_step(), progressed.history, time.perf_counter() - run.began)


def resume(checkpoints: Checkpoints, run: Run, resume_step: str | int = 'last') -> tuple[Any, Progressed]:
    """The state of the workdir's checkpoint and its place in the data; that of the run itself in a new workdir."""
    if not checkpoints.steps():
        checkpoints.discard_after(None)
        return run.state, Progressed()
    layout, step = run.layout, checkpoints.resolve(resume_step)
    checkpoints.verify(step)
    stored = checkpoints.meta(step)
    check_same(layout.same, stored, run.meta)
    layout.check(step, run.meta)
    variables, prefix = checkpoints.restore_variables(step, layout.network(run.state), run.prefix)
    if not all(jax.tree.leaves(jax.tree.map(_same_weights, run.prefix, prefix))):
        raise CheckpointError(f'`init`={run.meta["config"]["init"]} holds other weights than when this run began')
    rest = checkpoints.restore_optimiser(step, layout.rest(run.state))
    checkpoints.discard_after(step)
    run.plan.batches.set_state(stored['data'])
    logger.info('resuming from step %d', step)
    progressed = Progressed(stored['history'], stored['sums'], stored['data'])
    return run.state.replace(step=parallel.replicate(np.int32(step)), **layout.fields(variables, rest)), progressed


def _same_weights(now: Any, stored: Any) -> bool:
    """Whether arrays are equal up to rounding: another processor or compiler draws weights with other last bits."""
    return now.shape == stored.shape and np.allclose(now, stored, rtol=1e-5, atol=1e-6, equal_nan=True)


def _saver(checkpoints: Checkpoints, run: Run) -> Callable[[Any, Progressed, bool], None]:
    """The function that writes a checkpoint, as `Plan.save` has it."""

    def save(state: Any, progressed: Progressed, candidate: bool) -> None:
        step = int(state.step)
        stored = {**run.meta, 'step': step, **dataclasses.asdict(progressed)}
        stored |= run.choice(step, progressed.history if candidate else None)
        stored['seconds'] = time.perf_counter() - run.began
        checkpoints.save(step, run.layout.network(run.kept(state)), run.layout.rest(state), stored)

    return save


def fresh_state(setup: ModelSetup, optimiser: optax.GradientTransformation, seed: int, start: int = 0) -> TrainState:
    """The state of a new run of a network whose batches go into stage `start`, replicated.

    Args:
      setup: the network; its arrays are copied, as steps are given their state's memory and the next run (a fold)
        may start from the same network.
      optimiser: of its parameters.
      seed: of dropout.
      start: first stage that runs; behind a cached prefix the variables of the prefix are not needed.
    """
    return parallel.replicate(
        TrainState(
            step=np.int32(0),
            seed=np.int32(seed),
            params=jax.tree.map(np.array, setup.params),
            stats=jax.tree.map(np.array, setup.stats),
            prefix=NO_PREFIX if start else jax.tree.map(np.array, setup.prefix),
            opt_state=optimiser.init(setup.params),
        )
    )


def network_of(state: TrainState) -> dict:
    """What a step of a checkpoint holds of a network: variables from the first stage that trains on."""
    return {'params': state.params, **({'batch_stats': state.stats} if state.stats else {})}
