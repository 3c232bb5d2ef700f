"""A training run of a classifier: one config decides its data, its network and its plan of training."""

from __future__ import annotations

import dataclasses
import pathlib
import time
from collections.abc import Callable

import numpy as np
from sklearn.metrics import f1_score

from fdx.data.dataset import PreparedDataset
from fdx.data.pipeline import Examples, steps_per_epoch, train_batches
from fdx.data.source import open_dataset
from fdx.train import parallel
from fdx.train.augment import AUGMENT
from fdx.train.batch_sizes import check_batches
from fdx.train.config import TrainConfig
from fdx.train.decision import DecisionRule, rule_of
from fdx.train.description import describe, selection
from fdx.train.divergence import LOSS
from fdx.train.early_stopping import EarlyStopping
from fdx.train.forward import Progress, forward_all, no_progress
from fdx.train.init_leak import check_init_of_splits, entries_of
from fdx.train.loop import Plan
from fdx.train.model_setup import ModelSetup, set_up_model
from fdx.train.optimiser import make_optimiser, settings_of
from fdx.train.programs import compiled_forward, compiled_step
from fdx.train.run_data import RunData, balanced, load_data, with_cached_features
from fdx.train.same_run import SAME_CLASSIFIER
from fdx.train.steps import TrainState
from fdx.train.temperature import fit_temperature
from fdx.train.trainer import Layout, Run, RunResult, fresh_state, network_of, run_training

# The settings that the initial network depends on, besides its classes and its input.
DECIDES_SETUP = (
    'model',
    'model_options',
    'compute_dtype',
    'dropout_rate',
    'init',
    'weights_version',
    'freeze',
    'train_norms',
    'seed',
)

LAYOUT = Layout(
    network=network_of,
    rest=lambda state: state.opt_state,
    fields=lambda variables, opt_state: {
        'params': variables['params'],
        'stats': variables.get('batch_stats', {}),
        'opt_state': opt_state,
    },
    same=SAME_CLASSIFIER,
)


def _set_up_once(config: TrainConfig, dataset: PreparedDataset, caches: dict) -> ModelSetup:
    """The network of the run; folds start from the same one, which is read and initialised once."""
    num_classes = len(dataset.class_names(config.label_key))
    key = ('setup', *(str(getattr(config, name)) for name in DECIDES_SETUP), num_classes, dataset.input_shape)
    if key not in caches:
        caches[key] = set_up_model(config, num_classes, dataset.input_shape)
    return caches[key]


def description(config: TrainConfig, setup: ModelSetup, data: RunData) -> dict:
    """What the checkpoints say about the run; SplitError where the initial network has seen what is scored."""
    seen = entries_of(setup.ancestor, config) if setup.ancestor else []
    leak = check_init_of_splits(config, seen, data.dataset, data.splits)
    meta = describe(config, setup, data.dataset, data.splits, data.gain)
    return meta | {'init_leak': dataclasses.asdict(leak), 'leaks': meta['leaks'] or bool(leak.reason)}


def _validator(
    model, examples: Examples, start: int, rule: DecisionRule | None, form: str
) -> Callable[[TrainState], dict]:
    forward = compiled_forward(model, start=start, form=form)
    labels = examples.labels()

    def validate(state: TrainState) -> dict:
        logits = forward_all(forward, state.variables(), examples).astype(np.float64)
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        predicted = logits.argmax(axis=1)
        # An epoch that diverged has no probabilities to choose a threshold on, and is never the best one.
        chosen = {'threshold': rule.choose(np.exp(log_p[:, 1]), labels)} if rule and np.isfinite(log_p).all() else {}
        return {
            'validation_loss': float(-log_p[np.arange(len(labels)), labels].mean()),
            'validation_accuracy': float((predicted == labels).mean()),
            'validation_macro_f1': float(f1_score(labels, predicted, labels=np.unique(labels), average='macro')),
            **chosen,
            # A threshold is one of the probabilities as they are.
            'temperature': 1.0 if rule else fit_temperature(logits, labels),
        }

    return validate


def _choice(select_by: str) -> Callable[[int, list[dict] | None], dict]:
    """What a step says of selection, and the decision threshold and the temperature of its epoch."""

    def choice(step: int, history: list[dict] | None) -> dict:
        del step
        if history is None:
            return {'selection': {'criterion': select_by, 'score': None}, 'threshold': None, 'temperature': 1.0}
        row = history[-1]
        # Histories of before there were temperatures have none.
        kept = {'threshold': row.get('threshold'), 'temperature': row.get('temperature', 1.0)}
        return {'selection': selection(row, select_by), **kept}

    return choice


def train(
    config: TrainConfig,
    workdir: str | pathlib.Path,
    *,
    caches: dict | None = None,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
    resume_step: str | int = 'last',
) -> RunResult:
    """Trains one fold, or goes on from the last checkpoint of the workdir.

    Args:
      config: what to do.
      workdir: for checkpoints, metrics.jsonl and TensorBoard files.
      caches: dict that keeps the initial network and cached features between runs that share them (folds).
      progress: wraps the iterables of long work; it takes `total` and `desc`.
      on_epoch: called with every row of the history.
      resume_step: the step to go on from: last, best or a number.

    Raises:
      FdxError: the config, the data, the weights or the checkpoints of the workdir make the run impossible.
      DivergedRunError: no epoch has a finite validation loss.
      InterruptedRunError: SIGTERM; the state is saved.
    """
    began = time.perf_counter()
    data = load_data(config, open_dataset(config.dataset, config.data_dir))
    rule = rule_of(config.threshold, len(data.dataset.class_names(config.label_key)))
    caches = {} if caches is None else caches
    setup = _set_up_once(config, data.dataset, caches)
    meta = description(config, setup, data)
    data, start = with_cached_features(config, setup, data, caches, progress)
    data, weights, meta['balance'] = balanced(config, data, meta['class_names'])
    check_batches(setup, data.train, config.batch_size, start)
    epoch_steps = steps_per_epoch(len(data.train), config.batch_size)
    optimiser = make_optimiser(config, setup.mask, epoch_steps)
    step = compiled_step(
        setup.model,
        settings_of(config),
        setup.mask,
        steps_per_epoch=epoch_steps,
        start=start,
        class_weights=weights,
        augment=AUGMENT.get(config.balance),
        form=config.parallel,
    )
    run = Run(
        layout=LAYOUT,
        meta=meta,
        state=fresh_state(setup, optimiser, config.seed, start),
        plan=Plan(
            step=step,
            batches=train_batches(data.train, config.batch_size, config.seed, parallel.part(config.batch_size)),
            batch_size=config.batch_size,
            steps_per_epoch=epoch_steps,
            epochs=config.epochs,
            validate=_validator(setup.model, data.validation, start, rule, config.parallel),
            on_epoch=on_epoch,
            save_every=config.epochs_between_saves(),
            progress=progress,
            stopping=EarlyStopping(config.select_by, config.patience),
        ),
        choice=_choice(config.select_by),
        began=began,
        criterion=LOSS,
        prefix=setup.prefix,
    )
    return run_training(run, workdir, resume_step=resume_step)
