"""A run of domain adaptation: two domains, a network and a method; its checkpoints evaluate like any others."""

from __future__ import annotations

import dataclasses
import pathlib
import time
from collections.abc import Callable, Mapping

from fdx.adapt.checkpoint import LAYOUT, describe_adaptation, init_leak_of
from fdx.adapt.choice import score
from fdx.adapt.class_weights import initial_shares
from fdx.adapt.config import AdaptConfig
from fdx.adapt.data import PARTS, PairedBatches, load_parts, open_domains
from fdx.adapt.generalise import check_maps
from fdx.adapt.methods import Method, get_method
from fdx.adapt.outputs import Judge, Outputs, outputs_of
from fdx.adapt.programs import Programs, check_norms, check_schedule, compile_programs, fresh_state
from fdx.adapt.rejection import kept_bias, rejecting, rejection_threshold
from fdx.adapt.schedule import strength
from fdx.adapt.settled import Settled
from fdx.adapt.source_domains import check_source_domains, with_domains
from fdx.adapt.step import AdaptState
from fdx.adapt.target_statistics import shuffled, target_statistics
from fdx.data.pipeline import ArrayExamples, steps_per_epoch, train_batches
from fdx.data.protocols.class_sets import OPEN, PARTIAL
from fdx.data.protocols.two_domains import TwoDomains
from fdx.train import parallel
from fdx.train.batch_sizes import check_batches
from fdx.train.config import TrainConfig
from fdx.train.forward import Progress, no_progress
from fdx.train.loop import Plan
from fdx.train.model_setup import set_up_model
from fdx.train.trainer import Run, RunResult, run_training

__all__ = ['PARTS', 'AdaptResult', 'Judge', 'Outputs', 'adapt', 'load_parts', 'open_domains']


@dataclasses.dataclass(frozen=True)
class AdaptResult(RunResult):
    """What a run leaves.

    Attributes:
      domains: what was learned from and scored.
      verdict: whether a run with `auto` has adapted, and why (fdx.adapt.auto); None without `auto`.
    """

    domains: TwoDomains
    verdict: dict | None = None


def adapt(
    config: TrainConfig,
    plan: AdaptConfig,
    workdir: str | pathlib.Path,
    *,
    judge: Judge,
    caches: dict | None = None,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
    domains: TwoDomains | None = None,
) -> AdaptResult:
    """Learns from a labelled source for an unlabelled target, or goes on from the last checkpoint of the workdir.

    Args:
      config: network, freezing, optimiser, source protocol; its dataset is the plan's source.
      plan: domains, method and what chooses the epoch.
      workdir: for checkpoints, metrics.jsonl and TensorBoard files.
      judge: turns outputs into criteria and scores, once per epoch (fdx.adapt.selection).
      caches: dict that keeps inputs and features between runs that share them.
      progress: wraps long work.
      on_epoch: called with every row of the history.
      domains: both domains, where the caller has opened them; None opens those of the config and its seed.

    Raises:
      FdxError: the settings, the data, the weights or the checkpoints of the workdir make the run impossible.
      DivergedRunError: no epoch has a finite criterion.
      InterruptedRunError: SIGTERM; the state is saved.
    """
    began = time.perf_counter()
    caches, method = {} if caches is None else caches, get_method(plan.method)
    check_schedule(config)
    domains = open_domains(config, plan) if domains is None else domains
    setup = set_up_model(config, len(domains.classes), domains.source.input_shape)
    check_norms(plan.method, setup)
    check_source_domains(plan, domains)
    meta = describe_adaptation(config, plan, setup, domains)
    meta |= init_leak_of(config, plan, setup, domains, meta)
    parts, start = load_parts(config, setup, domains, caches, progress, feature=plan.feature)
    check_maps(plan.method, setup, parts['source_train'].inputs, start)
    parts = with_domains(method, parts, domains)
    for name in ('source_train', *(['target_train'] if method.sees_target else [])):
        check_batches(setup, parts[name], config.batch_size, start, name.replace('_', ' '))
    programs = compile_programs(config, plan, setup, start)
    epoch_steps = steps_per_epoch(len(parts['source_train']), config.batch_size)
    state = fresh_state(
        setup, programs, method, parts, start=start, seed=config.seed, total_steps=epoch_steps * config.epochs
    )
    if plan.sets == PARTIAL and method.sees_target:
        shares = initial_shares(len(domains.classes))
        state = dataclasses.replace(state, teacher=parallel.replicate(shares))
    if plan.sets == OPEN:
        state = dataclasses.replace(state, teacher=parallel.replicate(kept_bias(state.params)))
    kept = _kept(plan, programs, parts)
    run = Run(
        layout=LAYOUT,
        meta=meta,
        state=state,
        plan=Plan(
            step=programs.step,
            batches=_batches(config, method, parts),
            batch_size=config.batch_size,
            steps_per_epoch=epoch_steps,
            epochs=config.epochs,
            validate=_validator(programs, kept, parts, judge, _strength_of(plan, method, epoch_steps * config.epochs)),
            on_epoch=on_epoch,
            save_every=config.epochs_between_saves(),
            progress=progress,
            stopping=Settled(plan.patience),
            averages=('term', *(['domain_accuracy'] if method.discriminates else [])),
        ),
        choice=choice_by(plan.select_by),
        began=began,
        criterion=plan.select_by,
        prefix=setup.prefix,
        kept=kept,
    )
    return AdaptResult(**vars(run_training(run, workdir)), domains=domains)


def _batches(config: TrainConfig, method: Method, parts: Mapping[str, ArrayExamples]) -> PairedBatches:
    source = train_batches(parts['source_train'], config.batch_size, config.seed)
    if not method.sees_target:
        return PairedBatches(source)
    return PairedBatches(source, train_batches(parts['target_train'], config.batch_size, config.seed + 1))


def _kept(
    plan: AdaptConfig, programs: Programs, parts: Mapping[str, ArrayExamples]
) -> Callable[[AdaptState], AdaptState]:
    """Function state -> the state whose network is judged and stored; training goes on from the given state."""
    last: list[AdaptState] = []
    method = get_method(plan.method)

    def kept(state: AdaptState) -> AdaptState:
        if not (method.target_statistics or plan.sets == OPEN):
            return state
        # Every epoch asks twice, to judge and to store.
        if not last or last[0] is not state:
            if method.target_statistics:
                target = shuffled(parts['target_train'], 0)
                stats = target_statistics(programs.statistics, state.variables(), state.stats, target)
                last[:] = [state, dataclasses.replace(state, stats=stats)]
            else:
                of_source = outputs_of(programs.forward, state.variables(), parts['source_validation'])
                last[:] = [state, rejecting(state, rejection_threshold(of_source.logits))]
        return last[1]

    return kept


def _validator(
    programs: Programs, kept: Callable, parts: Mapping[str, ArrayExamples], judge: Judge, strength_of: Callable
) -> Callable:
    def validate(state: AdaptState) -> dict:
        variables = kept(state).variables()
        found = judge({name: outputs_of(programs.forward, variables, parts[name]) for name in PARTS})
        return {**found, 'strength': strength_of(int(state.step))}

    return validate


def _strength_of(plan: AdaptConfig, method: Method, total_steps: int) -> Callable[[int], float]:
    """Function step -> how far the method's term has risen; 1 where there is none."""

    def strength_of(step: int) -> float:
        return strength(step / total_steps, plan.warm_up) if method.sees_target else 1.0

    return strength_of


def choice_by(select_by: str) -> Callable[[int, list[dict] | None], dict]:
    """Function (step, history) -> what a step says of selection (`fdx.adapt.choice.score`)."""

    def choice(step: int, history: list[dict] | None) -> dict:
        del step
        return {'selection': {'criterion': select_by, 'score': score(history, select_by) if history else None}}

    return choice
