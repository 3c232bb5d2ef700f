"""Runs: training, adaptation, evaluation."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Callable
from typing import Any

from fdx.adapt.config import AdaptConfig
from fdx.adapt.run import AdaptResult
from fdx.adapt.selection import run_adaptation
from fdx.adapt.source_free.config import SourceFreeConfig
from fdx.adapt.source_free.run import SourceFreeResult, adapt_checkpoint
from fdx.api.predictors import RunPath, folder_of
from fdx.evaluate.evaluate import results_of, write_evaluation
from fdx.evaluate.predictions import Predictions
from fdx.evaluate.scoring import score_run
from fdx.train.config import TrainConfig
from fdx.train.forward import Progress, no_progress
from fdx.train.run import train as run_training
from fdx.train.trainer import RunResult
from fdx.types import ConfigError


def train(
    config: TrainConfig,
    workdir: str | os.PathLike,
    *,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
    resume_step: str | int = 'last',
) -> RunResult:
    """Trains a classifier on one fold of a prepared dataset, or goes on where the run in `workdir` stands.

        config = fdx.TrainConfig('bearing_rig/small', model='vggish', init='audioset', freeze='head', epochs=10)
        run = fdx.train(config, 'runs/mine', on_epoch=print)
        run.best_step, run.history[-1]['validation_accuracy']

    Args:
      config: everything that decides the run; the same config and seed give the same numbers.
      workdir: folder for checkpoints, metrics.jsonl and TensorBoard files, made where it does not exist.
      progress: wraps iterables of long work, e.g. tqdm; takes `total` and `desc`.
      on_epoch: called with the row of the history after every epoch.
      resume_step: last, best or a number: the checkpoint of `workdir` to go on from.

    Returns:
      What the run leaves: workdir, best_step, history, seconds.

    Raises:
      FdxError: whatever the config, the data, the weights or the checkpoints in `workdir` make impossible.
    """
    return run_training(config, pathlib.Path(workdir), progress=progress, on_epoch=on_epoch, resume_step=resume_step)


def adapt(
    config: TrainConfig | RunPath,
    plan: AdaptConfig | str,
    workdir: str | os.PathLike,
    *,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
    **settings: Any,
) -> AdaptResult | SourceFreeResult:
    """Learns from a labelled source for an unlabelled target, or goes on where the run in `workdir` stands.

        plan = fdx.AdaptConfig('cwru/faults_12k:load0', 'cwru/faults_12k:load3', method='dann')
        config = fdx.TrainConfig('cwru/faults_12k', model='cnn_small', epochs=10, halve_every=0)
        run = fdx.adapt(config, plan, 'runs/adapted')
        fdx.load(run).diagnose('new.mat').label

    Without the data of the source, from a finished run alone:

        run = fdx.adapt('runs/mine', 'cwru/faults_12k:load3', 'runs/adapted', method='shot')

    Args:
      config: network, optimiser and protocol; its dataset is that of the plan's source. Or a finished run, by its
        workdir or as `fdx.train` returned it.
      plan: the two domains, the method, and what chooses the epoch without labels of the target. For a finished run,
        the target, as builder/config:domain.
      workdir: folder for checkpoints and logs.
      progress: wraps iterables of long work; takes `total` and `desc`.
      on_epoch: called with the row of the history after every epoch; keys that begin with `oracle_` read the target's
        labels and are for reports alone.
      **settings: for a finished run, further fields of fdx.adapt.source_free.config.SourceFreeConfig: method (shot,
        tent, test_time_norms), step, epochs, learning_rate, pseudo_weight, prior_windows, target_protocol, ...

    Returns:
      What the run leaves: workdir, best_step, history, seconds, and domains or, for a finished run, target.

    Raises:
      FdxError: whatever the configs, the data, the weights or the checkpoints in `workdir` make impossible.
    """
    if isinstance(config, TrainConfig):
        if settings or not isinstance(plan, AdaptConfig):
            wrong = f'`{next(iter(settings))}`' if settings else f'the target {plan}'
            raise ConfigError(
                f'{wrong} goes with a finished run: with a TrainConfig, pass an AdaptConfig that has all settings'
            )
        return run_adaptation(config, plan, pathlib.Path(workdir), progress=progress, on_epoch=on_epoch)
    if isinstance(plan, AdaptConfig):
        raise ConfigError(
            f'an AdaptConfig goes with a TrainConfig: with the finished run {folder_of(config)} pass the target as '
            f'text, {plan.target}, and settings by name, e.g. method="shot"'
        )
    known = {f.name for f in dataclasses.fields(SourceFreeConfig)} - {'checkpoint', 'target'}
    unknown = sorted(set(settings) - known)
    if unknown:
        raise ConfigError(f'no setting {", ".join(unknown)}; there are: {", ".join(sorted(known))}')
    target_plan = SourceFreeConfig(str(folder_of(config)), plan, **settings)
    return adapt_checkpoint(target_plan, pathlib.Path(workdir), progress=progress, on_epoch=on_epoch)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What a run is worth on a split.

    Attributes:
      metrics: JSON-able: accuracy with its interval, macro_f1, per_class, confusion_matrix, and how they were made.
      predictions: one row per scored window, pooled over the folds.
      report: path of report.html, or None where no folder was given.
    """

    metrics: dict[str, Any]
    predictions: Predictions
    report: pathlib.Path | None

    @property
    def accuracy(self) -> float:
        """Share of windows that are right."""
        return self.metrics['accuracy']

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the classes."""
        return self.metrics['macro_f1']

    def __repr__(self) -> str:
        m = self.metrics
        leaks = ', LEAKS' if m['leaks'] else ''
        return (
            f'<Evaluation of {m["dataset"]}, {m["split"]}: accuracy {m["accuracy"]:.4f}, macro F1 '
            f'{m["macro_f1"]:.4f}, {m["windows"]} windows of {m["recordings"]} recordings{leaks}>'
        )


def evaluate(
    run: RunPath,
    out_dir: str | os.PathLike | None = None,
    *,
    split: str = 'test',
    step: str | int = 'best',
    dataset: str | None = None,
    data_dir: str | None = None,
    progress: Progress = no_progress,
) -> Evaluation:
    """Scores a run, all folds pooled, on data that it has not learned from.

        evaluation = fdx.evaluate('runs/mine', 'runs/mine/evaluation')
        evaluation.accuracy, evaluation.metrics['per_class'], evaluation.report

    Args:
      run: workdir (of one fold, or the parent of fold_0, fold_1, ...), an exported file, or what `fdx.train` gave.
      out_dir: folder for report.html, results.json, predictions.npz and PNGs; None writes nothing.
      split: train, validation, test or all.
      step: best (by validation), last or a number.
      dataset: another prepared dataset, whose classes must be among the run's.
      data_dir: folder of prepared datasets, where it has moved since training.
      progress: wraps iterables of long work; takes `total` and `desc`.

    Raises:
      CheckpointError: there is no run, or it is damaged.
      DataError: an unknown split, or a dataset that is not prepared, has other classes or another front end.
    """
    scored = score_run(folder_of(run), split=split, step=step, dataset=dataset, data_dir=data_dir, progress=progress)
    if out_dir is None:
        return Evaluation(results_of(scored, split), scored.predictions, None)
    out = pathlib.Path(out_dir)
    return Evaluation(write_evaluation(scored, split, out), scored.predictions, out / 'report.html')
