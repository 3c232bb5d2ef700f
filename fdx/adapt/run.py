"""A run of domain adaptation: two domains, a network, a method, and checkpoints that evaluate like any other's."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import time
from collections.abc import Callable, Mapping

import numpy as np

from fdx.adapt.checkpoint import describe_adaptation, init_leak_of, network_of, rest_of, resume
from fdx.adapt.config import AdaptConfig
from fdx.adapt.data import PARTS, PairedBatches, load_parts, open_domains
from fdx.adapt.methods import Method, get_method
from fdx.adapt.outputs import Judge, Outputs, outputs_of
from fdx.adapt.programs import Programs, check_norms, check_schedule, compile_programs, fresh_state
from fdx.adapt.step import AdaptState
from fdx.adapt.target_statistics import target_statistics
from fdx.data.pipeline import ArrayExamples, steps_per_epoch, train_batches
from fdx.data.protocols.two_domains import TwoDomains
from fdx.train.batch_sizes import check_batches
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.divergence import hopeless, refuse_diverged
from fdx.train.feature_cache import Progress, no_progress
from fdx.train.logs import MetricsLog
from fdx.train.loop import Plan, Progressed, fit
from fdx.train.model_setup import set_up_model

__all__ = ['PARTS', 'AdaptResult', 'Judge', 'Outputs', 'adapt', 'load_parts', 'open_domains']


@dataclasses.dataclass(frozen=True)
class AdaptResult:
    """What a run leaves.

    Attributes:
      workdir: where.
      best_step: the step that the criterion chose.
      history: one row an epoch.
      domains: what was learned from and scored.
      seconds: of the whole run.
    """

    workdir: pathlib.Path
    best_step: int
    history: list[dict]
    domains: TwoDomains
    seconds: float


def adapt(
    config: TrainConfig,
    plan: AdaptConfig,
    workdir: str | pathlib.Path,
    *,
    judge: Judge,
    caches: dict | None = None,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
) -> AdaptResult:
    """Learns from a labelled source for an unlabelled target, or goes on where the workdir's last checkpoint stands.

    Args:
      config: network, freezing, optimiser, source protocol; its dataset is the plan's source.
      plan: domains, method and what chooses the epoch.
      workdir: for checkpoints, metrics.jsonl and TensorBoard files.
      judge: turns outputs into criteria and scores, once an epoch (fdx.adapt.selection).
      caches: dict that keeps inputs, features and compiled steps between runs that share them.
      progress: wraps long work.
      on_epoch: called with every row of the history.

    Raises:
      FdxError: whatever the flags, the data, weights or the workdir's checkpoints make impossible.
      DivergedRunError: no epoch has a finite validation loss.
      InterruptedRunError: SIGTERM; the state is saved.
    """
    began, workdir = time.perf_counter(), pathlib.Path(workdir)
    caches, method = {} if caches is None else caches, get_method(plan.method)
    check_schedule(config)
    domains = open_domains(config, plan)
    setup = set_up_model(config, len(domains.classes), domains.source.input_shape)
    check_norms(plan.method, setup)
    meta = describe_adaptation(config, plan, setup, domains)
    meta |= init_leak_of(config, plan, setup, domains, meta)
    parts, start = load_parts(config, setup, domains, caches, progress, feature=plan.feature)
    for name in ('source_train', *(['target_train'] if method.sees_target else [])):
        check_batches(setup, parts[name], config.batch_size, start, name.replace('_', ' '))
    programs = compile_programs(config, plan, setup, start, caches)
    epoch_steps = steps_per_epoch(len(parts['source_train']), config.batch_size)
    state = fresh_state(
        setup, programs, method, parts, start=start, seed=config.seed, total_steps=epoch_steps * config.epochs
    )
    batches = _batches(config, method, parts)
    kept = _kept(method, programs, parts['target_train'])
    with Checkpoints(workdir).writing() as checkpoints:
        state, progressed = resume(checkpoints, state, setup, meta, batches)
        checkpoints.save_prefix(setup.prefix)
        with contextlib.closing(MetricsLog(workdir, progressed.history)) as log:
            loop = Plan(
                step=programs.step,
                batches=batches,
                batch_size=config.batch_size,
                steps_per_epoch=epoch_steps,
                epochs=config.epochs,
                validate=_validator(programs, kept, parts, judge),
                save=_saver(checkpoints, kept, meta, plan.select_by, began),
                on_epoch=lambda row: (log.write(row), on_epoch(row)),
                save_every=config.epochs_between_saves(),
                check=hopeless(progressed.history, plan.select_by),
                progress=progress,
                averages=('term', *(['domain_accuracy'] if method.discriminates else [])),
            )
            fit(state, loop, progressed)
        refuse_diverged(progressed.history, plan.select_by)
        return AdaptResult(workdir, checkpoints.best_step(), progressed.history, domains, time.perf_counter() - began)


def _batches(config: TrainConfig, method: Method, parts: Mapping[str, ArrayExamples]) -> PairedBatches:
    source = train_batches(parts['source_train'], config.batch_size, config.seed)
    if not method.sees_target:
        return PairedBatches(source)
    return PairedBatches(source, train_batches(parts['target_train'], config.batch_size, config.seed + 1))


def _kept(method: Method, programs: Programs, target: ArrayExamples) -> Callable[[AdaptState], AdaptState]:
    """Function state -> the state whose network is judged and stored; training goes on from the given one."""
    last: list[AdaptState] = []

    def kept(state: AdaptState) -> AdaptState:
        if not method.target_statistics:
            return state
        # An epoch asks twice, to judge and to store.
        if not last or last[0] is not state:
            stats = target_statistics(programs.statistics, state.variables(), state.stats, target)
            last[:] = [state, state.replace(stats=stats)]
        return last[1]

    return kept


def _validator(programs: Programs, kept: Callable, parts: Mapping[str, ArrayExamples], judge: Judge) -> Callable:
    def validate(state: AdaptState) -> dict:
        variables = kept(state).variables()
        return judge({name: outputs_of(programs.forward, variables, parts[name]) for name in PARTS})

    return validate


def _saver(checkpoints: Checkpoints, kept: Callable, meta: dict, select_by: str, began: float) -> Callable:
    def save(state: AdaptState, progressed: Progressed, candidate: bool) -> None:
        chosen = {'criterion': select_by, 'score': None}
        if candidate:
            row = progressed.history[-1]
            risk = -row['step'] if select_by == 'last' else row[select_by]
            chosen['score'] = -float(risk) if np.isfinite(risk) else None
        stored = {**meta, 'step': int(state.step), 'selection': chosen, **dataclasses.asdict(progressed)}
        stored['seconds'] = time.perf_counter() - began
        checkpoints.save(int(state.step), network_of(kept(state)), rest_of(state), stored)

    return save
