"""A training run: dataset, splits, model, loop and checkpoints put together from one config."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import pathlib
import time
from collections.abc import Callable

import jax
import numpy as np
import optax
from sklearn.metrics import f1_score

from fdx.data.pipeline import Examples, steps_per_epoch, train_batches
from fdx.data.source import Dataset, open_dataset
from fdx.train import parallel
from fdx.train.augment import AUGMENT
from fdx.train.batch_sizes import check_batches
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.decision import DecisionRule, rule_of
from fdx.train.description import check_same_run, describe, selection
from fdx.train.divergence import hopeless, refuse_diverged
from fdx.train.early_stopping import EarlyStopping
from fdx.train.forward import Progress, forward_all, make_forward, no_progress
from fdx.train.init_leak import check_init_of_splits, entries_of
from fdx.train.logs import MetricsLog
from fdx.train.loop import Plan, Progressed, fit
from fdx.train.model_setup import ModelSetup, set_up_model
from fdx.train.optimiser import make_optimiser
from fdx.train.run_data import balanced, load_data, with_cached_features
from fdx.train.steps import TrainState, make_train_step
from fdx.types import CheckpointError

logger = logging.getLogger(__name__)

# What the initial network depends on, beside its classes and its input.
DECIDES_SETUP = (
    'model', 'model_options', 'dropout_rate', 'init', 'weights_version', 'freeze', 'train_norms', 'seed'
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a run leaves.

    Attributes:
      workdir: where.
      best_step: the step that validation chose.
      history: one row an epoch.
      seconds: of the whole run, from config to last checkpoint.
    """

    workdir: pathlib.Path
    best_step: int
    history: list[dict]
    seconds: float


def _set_up_once(config: TrainConfig, dataset: Dataset, caches: dict) -> ModelSetup:
    """The network of the run; folds start from the same one, which is read and initialised once."""
    num_classes = len(dataset.class_names(config.label_key))
    key = ('setup', *(str(getattr(config, name)) for name in DECIDES_SETUP), num_classes, dataset.input_shape)
    if key not in caches:
        caches[key] = set_up_model(config, num_classes, dataset.input_shape)
    return caches[key]


def _validator(model, examples: Examples, start: int, rule: DecisionRule | None) -> Callable[[TrainState], dict]:
    forward = parallel.compile_forward(make_forward(model, start=start))
    labels = examples.labels()

    def validate(state: TrainState) -> dict:
        logits = forward_all(forward, state.variables(), examples).astype(np.float64)
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        predicted = logits.argmax(axis=1)
        # An epoch that diverged has no probabilities to choose on, and is never the best one.
        chosen = {'threshold': rule.choose(np.exp(log_p[:, 1]), labels)} if rule and np.isfinite(log_p).all() else {}
        return {
            'validation_loss': float(-log_p[np.arange(len(labels)), labels].mean()),
            'validation_accuracy': float((predicted == labels).mean()),
            'validation_macro_f1': float(f1_score(labels, predicted, labels=np.unique(labels), average='macro')),
            **chosen,
        }

    return validate


def _saver(checkpoints: Checkpoints, meta: dict, select_by: str, began: float) -> Callable:
    def save(state: TrainState, progressed: Progressed, candidate: bool) -> None:
        chosen_by = {'criterion': select_by, 'score': None}
        if candidate:
            chosen_by = selection(progressed.history[-1], select_by)
        step = int(state.step)
        stored = {**meta, 'step': step, 'selection': chosen_by, **dataclasses.asdict(progressed)}
        stored['threshold'] = progressed.history[-1].get('threshold') if candidate else None
        stored['seconds'] = time.perf_counter() - began
        checkpoints.save(step, _trained_part(state), state.opt_state, stored)

    return save


def train(
    config: TrainConfig,
    workdir: str | pathlib.Path,
    *,
    caches: dict | None = None,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
    resume_step: str | int = 'last',
) -> RunResult:
    """Trains one fold, or goes on where the workdir's last checkpoint stands.

    Args:
      config: what to do.
      workdir: for checkpoints, metrics.jsonl and TensorBoard files.
      caches: dict that keeps the initial network and cached features between runs that share them (folds).
      progress: wraps iterables of long work; takes `total` and `desc`.
      on_epoch: called with every row of the history.
      resume_step: last, best or a number: where to go on.

    Raises:
      FdxError: whatever the config, the data, weights or the workdir's checkpoints make impossible.
      DivergedRunError: no epoch has a finite validation loss.
      InterruptedRunError: SIGTERM; the state is saved.
    """
    began = time.perf_counter()
    workdir = pathlib.Path(workdir)
    data = load_data(config, open_dataset(config.dataset, config.data_dir))
    rule = rule_of(config.threshold, len(data.dataset.class_names(config.label_key)))
    caches = {} if caches is None else caches
    setup = _set_up_once(config, data.dataset, caches)
    seen = entries_of(setup.ancestor, config) if setup.ancestor else []
    leak = check_init_of_splits(config, seen, data.dataset, data.splits)
    meta = describe(config, setup, data.dataset, data.splits, data.gain)
    meta |= {'init_leak': dataclasses.asdict(leak), 'leaks': meta['leaks'] or bool(leak.reason)}
    data, start = with_cached_features(config, setup, data, caches, progress)
    data, weights, meta['balance'] = balanced(config, data, meta['class_names'])
    check_batches(setup, data.train, config.batch_size, start)
    epoch_steps = steps_per_epoch(len(data.train), config.batch_size)
    optimiser = make_optimiser(config, setup.mask, epoch_steps)
    batches = train_batches(data.train, config.batch_size, config.seed)
    with Checkpoints(workdir).writing() as checkpoints:
        state, progressed = _resume(
            checkpoints, _fresh_state(setup, optimiser, start, config.seed), setup.prefix, meta, batches, resume_step
        )
        checkpoints.save_prefix(setup.prefix)
        with contextlib.closing(MetricsLog(workdir, progressed.history)) as log:
            step = make_train_step(
                setup.model,
                optimiser,
                setup.mask,
                start=start,
                class_weights=weights,
                augment=AUGMENT.get(config.balance),
            )
            plan = Plan(
                step=parallel.compile_step(step),
                batches=batches,
                batch_size=config.batch_size,
                steps_per_epoch=epoch_steps,
                epochs=config.epochs,
                validate=_validator(setup.model, data.validation, start, rule),
                save=_saver(checkpoints, meta, config.select_by, began),
                on_epoch=lambda row: (log.write(row), on_epoch(row)),
                save_every=config.epochs_between_saves(),
                check=hopeless(progressed.history),
                progress=progress,
                stopping=EarlyStopping(config.select_by, config.patience),
            )
            fit(state, plan, progressed)
        refuse_diverged(progressed.history)
        return RunResult(workdir, checkpoints.best_step(), progressed.history, time.perf_counter() - began)


def _fresh_state(setup: ModelSetup, optimiser: optax.GradientTransformation, start: int, seed: int) -> TrainState:
    """The state of a new run whose batches go into stage `start`: with cached features no prefix is needed."""
    return parallel.replicate(
        TrainState(
            step=np.int32(0),
            seed=np.int32(seed),
            # Copies: steps are given their state's memory, and the next fold starts from the same network.
            params=jax.tree.map(np.array, setup.params),
            stats=jax.tree.map(np.array, setup.stats),
            prefix={'params': {}} if start else jax.tree.map(np.array, setup.prefix),
            opt_state=optimiser.init(setup.params),
        )
    )


def _trained_part(state: TrainState) -> dict:
    """Variables from the first stage that trains on: what a step of a checkpoint holds."""
    return {'params': state.params, **({'batch_stats': state.stats} if state.stats else {})}


def _resume(
    checkpoints: Checkpoints, state: TrainState, prefix: dict, meta: dict, batches, resume_step: str | int
) -> tuple[TrainState, Progressed]:
    """The state of the workdir's checkpoint and its place in the data; the given state in a new workdir."""
    if not checkpoints.steps():
        checkpoints.discard_after(None)
        return state, Progressed()
    step = checkpoints.resolve(resume_step)
    checkpoints.verify(step)
    stored = checkpoints.meta(step)
    check_same_run(stored, meta)
    variables, stored_prefix = checkpoints.restore_variables(step, _trained_part(state), prefix)
    if not all(jax.tree.leaves(jax.tree.map(np.array_equal, prefix, stored_prefix))):
        raise CheckpointError(f'--init={meta["config"]["init"]} holds other weights than when this run began')
    opt_state = checkpoints.restore_optimiser(step, state.opt_state)
    checkpoints.discard_after(step)
    batches.set_state(stored['data'])
    logger.info('resuming from step %d', step)
    progressed = Progressed(stored['history'], stored['sums'], stored['data'])
    state = state.replace(
        step=parallel.replicate(np.int32(step)),
        params=variables['params'],
        stats=variables.get('batch_stats', {}),
        opt_state=opt_state,
    )
    return state, progressed
