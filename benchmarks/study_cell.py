"""One cell of the study: a network on a question, trained, scored and kept on the disk."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fdx.data.pipeline import steps_per_epoch
from fdx.data.prepare import prepare_if_missing
from fdx.data.protocols.splits import folds_of
from fdx.data.source import open_dataset
from fdx.evaluate.metrics import summarise
from fdx.evaluate.predictions import Predictions
from fdx.evaluate.scoring import score_run
from fdx.train.config import TrainConfig
from fdx.train.feature_cache import FeatureCache
from fdx.train.run import train
from fdx.train.run_data import select_rows

from .grid import Call, Cell, fill
from .study_models import Budget
from .study_suite import ANOTHER, BATCH_SIZE, Source, Task
from .study_weights import Weights

CURVES = ('train_loss', 'validation_loss', 'train_accuracy', 'validation_accuracy')
# More points than this are not seen in a plot.
MAX_POINTS = 60
_SPLITS = ('train', 'validation')


def prepare(source: Source, front_end: str, call: Call, stem: str = '') -> str:
    """Prepares the recordings for a front end where that was not done before; returns the dataset's name.

    Args:
      source: the recordings.
      front_end: that feeds the network.
      call: where data are.
      stem: other recordings than those of `source`, which fdx makes or fetches itself.
    """
    own = None if stem else source.own
    manual_dir = None if source.own else call.manual_dir
    name = source.dataset(front_end, stem)
    return prepare_if_missing(name, call.data_dir, manual_dir, recordings=own, notify=call.say)


def fields_of(task: Task, name: str, data_dir: str) -> TrainConfig:
    """What a question decides of a training."""
    return TrainConfig(
        name, data_dir, protocol=task.protocol, label_key=task.label_key, exclude_recordings=task.exclude
    )


def configs_of(cell: Cell, name: str, data_dir: str, weights: Weights, budget: Budget) -> list[TrainConfig]:
    """The trainings of a cell: all folds of its protocol, or the one of its seed."""
    task, model = cell.task, cell.input
    dataset, plain = open_dataset(name, data_dir), fields_of(task, name, data_dir)
    kept = ~_excluded(dataset.table, task)
    table = dataclasses.replace(dataset.table, columns={k: v[kept] for k, v in dataset.table.columns.items()})
    folds = folds_of(task.protocol, table, task.label_key)
    found = []
    for fold in folds if task.every_fold else [folds[cell.seed % len(folds)]]:
        of_fold = dataclasses.replace(plain, fold=fold, seed=cell.seed)
        windows = len(select_rows(of_fold, dataset)[0].train)
        epochs = max(1, round(getattr(budget, model.budget) / steps_per_epoch(windows, BATCH_SIZE)))
        found.append(
            dataclasses.replace(
                of_fold,
                model=model.model,
                model_options={**model.options, **weights.options},
                init=weights.init,
                epochs=epochs,
                batch_size=BATCH_SIZE,
                # The study halves the rate once, after half of its epochs; long trainings of a classifier thrice.
                halve_every=-(-epochs // (4 if model.budget == 'head' else 2)),
                # A checkpoint of a whole VGGish with Adam's state has 0.9 GB.
                save_every=epochs if model.init == 'random' else 0,
                **model.settings,
            )
        )
    return found


def _excluded(table: Any, task: Task) -> Any:
    return sum((table['recording'] == name for name in task.exclude), table['recording'] == '')


def run_cell(
    cell: Cell, call: Call, source: Source, name: str, weights: Weights, budget: Budget, caches: dict
) -> tuple[dict[str, Any], bool]:
    """Rows and curves of a cell, and whether they lay on the disk. A training that was stopped goes on.

    Args:
      cell: one network on one question.
      call: where data and cells are.
      source: the recordings.
      name: of the dataset with the front end of the network.
      weights: where the network starts.
      budget: updates.
      caches: shared by the cells of a network; features of frozen stages stay in it.
    """
    configs = configs_of(cell, name, call.data_dir, weights, budget)
    plain = [{k: v for k, v in c.to_json().items() if k not in ('data_dir', 'init')} for c in configs]
    asked = {'configs': plain, 'origin': weights.origin, 'weights': weights.asked, 'then': cell.task.then}
    asked['records'] = open_dataset(name, call.data_dir).name

    def measure() -> dict[str, Any]:
        began, folder = time.perf_counter(), _folder(cell, call)
        chosen, histories = [], []
        for config in configs:
            fresh = caches if config.freeze != 'none' else {}
            result = train(config, folder / f'fold_{config.fold}', caches=fresh, progress=call.progress)
            for key in [k for k, v in fresh.items() if not isinstance(v, FeatureCache)]:
                del fresh[key]  # One network per seed would fill the memory.
            histories.append(result.history)
            chosen.append(next(row for row in result.history if row['step'] == result.best_step))
        scored = score_run(folder, progress=call.progress)
        facts = {
            'dataset': source.stem,
            'protocol': cell.task.name,
            'model': cell.input.name,
            'init': weights.origin,
            'seed': cell.seed,
            'folds': [config.fold for config in configs],
        }
        means = {key: float(sum(row[f'{key}_accuracy'] for row in chosen) / len(chosen)) for key in _SPLITS}
        seconds = round(time.perf_counter() - began, 1)
        rows = [{**facts, **means, **scores(scored.predictions), 'seconds': seconds, 'leaks': scored.leaks}]
        if cell.task.then:
            rows.append(_on_another(cell, call, source, folder, {**rows[0], 'protocol': ANOTHER}))
        shutil.rmtree(folder)
        steps = sum(history[-1]['step'] for history in histories) // len(histories)
        return {'rows': rows, 'curves': {**facts, 'steps': steps, **curves(histories[0])}}

    return fill(cell.path(call.root), asked, measure)


def _folder(cell: Cell, call: Call) -> pathlib.Path:
    """Where a cell is trained; it is removed once the cell is written, since a VGGish has 300 MB."""
    place = cell.path(call.root).relative_to(call.root / 'cells').with_suffix('')
    return call.root / 'running' / place


def _on_another(cell: Cell, call: Call, source: Source, folder: pathlib.Path, row: dict[str, Any]) -> dict[str, Any]:
    """The row of the trained network on another machine."""
    other = prepare(source, cell.input.front_end, call, cell.task.then)
    found = score_run(folder, split='all', dataset=other, progress=call.progress)
    return {**row, **scores(found.predictions), 'leaks': found.leaks}


def scores(predictions: Predictions) -> dict[str, Any]:
    """What a row says of scored windows: test (accuracy), macro_f1, precision and recall per class, confusion, ..."""
    found = summarise(predictions)
    occur = [of_class for of_class in found['per_class'] if of_class['support']]
    return {
        'test': found['accuracy'],
        'macro_f1': found['macro_f1'],
        **{key: {c['class']: c[key] for c in occur} for key in ('precision', 'recall')},
        'windows': found['windows'],
        'recordings': found['recordings'],
        'recordings_right': found['recording_accuracy']['mean_probability'],
        'classes': found['class_names'],
        'confusion': found['confusion_matrix'],
    }


def curves(history: Sequence[Mapping[str, Any]]) -> dict[str, list]:
    """Losses and accuracies over the epochs of the first fold, at most MAX_POINTS of them; None where not finite."""
    kept = [row for i, row in enumerate(history) if i % -(-len(history) // MAX_POINTS) == 0 or row is history[-1]]
    found: dict[str, list] = {'epochs': [row['epoch'] for row in kept]}
    for key in CURVES:
        found[key] = [None if row[key] is None or row[key] != row[key] else round(row[key], 4) for row in kept]
    return found
