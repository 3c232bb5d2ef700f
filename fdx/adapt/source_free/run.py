"""The adaptation of a checkpoint: a finished run and unlabelled windows in, a checkpoint like any other out."""

from __future__ import annotations

import dataclasses
import pathlib
import time
from collections.abc import Callable

import flax.core

from fdx.adapt.outputs import compiled_outputs
from fdx.adapt.source_free.checkpoint import LAYOUT, adapted_config, describe_adapted
from fdx.adapt.source_free.config import SourceFreeConfig
from fdx.adapt.source_free.norms import measuring, one_step
from fdx.adapt.source_free.setup import fresh_state, set_up_adaptation
from fdx.adapt.source_free.step import TargetState, compiled_target_step
from fdx.adapt.source_free.target import Target, load_target, open_target, target_splits
from fdx.adapt.source_free.view import TargetView, WithPseudoLabels
from fdx.data.pipeline import steps_per_epoch, train_batches
from fdx.train.batch_sizes import check_batches
from fdx.train.config import TrainConfig
from fdx.train.forward import Progress, no_progress
from fdx.train.loop import Plan
from fdx.train.model_setup import ModelSetup, load_run
from fdx.train.optimiser import make_optimiser, settings_of
from fdx.train.trainer import Run, RunResult, run_training

# Metrics of a step whose means are in a row of the history.
AVERAGES: dict[str, tuple[str, ...]] = {
    'shot': ('infomax', 'pseudo_loss'),
    'tent': ('entropy',),
    'test_time_norms': (),
}


@dataclasses.dataclass(frozen=True)
class SourceFreeResult(RunResult):
    """What a run leaves.

    Attributes:
      target: what was learned from and scored.
      class_names: of the finished run, and so of this one.
      before: the numbers of a history row for the network as it was.
    """

    target: Target
    class_names: list[str]
    before: dict


def adapt_checkpoint(
    plan: SourceFreeConfig,
    workdir: str | pathlib.Path,
    *,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
) -> SourceFreeResult:
    """Adapts a finished run to a target, or goes on from the last checkpoint of the workdir.

    Args:
      plan: the run, the target and the method.
      workdir: for checkpoints, metrics.jsonl and TensorBoard files; not that of the finished run.
      progress: wraps long work.
      on_epoch: called with every row of the history. Keys that begin with `oracle_` read the target's labels and are
        for reports alone; they are missing where the run knows none of the target's classes.

    Raises:
      CheckpointError: the finished run is missing or damaged, or the workdir holds another run.
      ConfigError: the network has no norms that the method could change, or settings that cannot be used.
      DataError: the target has another front end or input shape than the run.
      SplitError: the target cannot be split, or the run has learned from windows that are scored.
      DivergedRunError: the network's outputs are no longer finite.
      InterruptedRunError: SIGTERM; the state is saved.
    """
    began = time.perf_counter()
    variables, meta, step = load_run(plan.checkpoint, plan.step)
    dataset = open_target(plan.name(), plan.data_dir or meta['config']['data_dir'], meta)
    config = adapted_config(plan, meta, dataset)
    setup = set_up_adaptation(plan, config, variables, meta, step)
    splits = target_splits(config, dataset.table)
    described = describe_adapted(plan, config, setup, step, dataset, splits)
    target = load_target(config, dataset, splits, meta['class_names'], meta['gain'], progress)
    if plan.method != 'test_time_norms':
        check_batches(setup, target.seen, config.batch_size, 0, 'target')
    view = TargetView(compiled_outputs(setup.model, 0, 'embedding', config.parallel), target)
    optimiser = make_optimiser(config, setup.mask, 1)
    state = fresh_state(setup, optimiser, target, config)
    before = view.row(state)
    measure = measuring(
        setup.model,
        target.seen,
        prior_windows=plan.prior_windows,
        seed=plan.seed,
        progress=progress,
        form=config.parallel,
    )
    if plan.method == 'tent' and setup.stats:
        # It always normalises by the target: its norms begin with the statistics that they will be used with.
        state = measure(state)
    run = Run(
        layout=LAYOUT,
        meta=described,
        state=state,
        plan=dataclasses.replace(
            _plan(plan, config, setup, target, view, measure), on_epoch=on_epoch, progress=progress
        ),
        choice=choice_of(plan.select_by),
        began=began,
    )
    return SourceFreeResult(
        **vars(run_training(run, workdir)), target=target, class_names=list(meta['class_names']), before=before
    )


def _plan(
    plan: SourceFreeConfig,
    config: TrainConfig,
    setup: ModelSetup,
    target: Target,
    view: TargetView,
    measure: Callable[[TargetState], TargetState],
) -> Plan:
    """What the loop is given. The only step of test_time_norms measures, and the others learn."""
    epoch_steps = 1 if plan.method == 'test_time_norms' else steps_per_epoch(len(target.seen), config.batch_size)
    step: Callable
    if plan.method == 'test_time_norms':
        step = one_step(measure)
    else:
        step = compiled_target_step(
            setup.model,
            settings_of(config),
            flax.core.freeze(setup.mask),
            plan.method,
            plan.pseudo_weight,
            config.parallel,
        )
    if plan.method == 'shot':
        step = WithPseudoLabels(step, view, epoch_steps)
    return Plan(
        step=step,
        batches=train_batches(target.seen, config.batch_size, config.seed),
        batch_size=config.batch_size,
        steps_per_epoch=epoch_steps,
        epochs=config.epochs,
        validate=view.row,
        on_epoch=lambda row: None,
        save_every=config.epochs_between_saves(),
        averages=AVERAGES[plan.method],
        classifies=False,
    )


def choice_of(select_by: str) -> Callable[[int, list[dict] | None], dict]:
    """Function (step, history) -> what a step says of selection: the lower the criterion, the higher the score."""

    def choice(step: int, history: list[dict] | None) -> dict:
        score = None
        if history:
            score = float(step) if select_by == 'last' else -float(history[-1][select_by])
        return {'selection': {'criterion': select_by, 'score': score}}

    return choice
