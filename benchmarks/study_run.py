"""Runs the cells of the study: one network on one question, trained and scored, kept on the disk."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any

import jax

from fdx.data.pipeline import steps_per_epoch
from fdx.data.prepare import prepare_if_missing
from fdx.data.protocols.splits import folds_of
from fdx.data.source import open_dataset
from fdx.evaluate.metrics import summarise
from fdx.evaluate.predictions import Predictions
from fdx.evaluate.scoring import score_run
from fdx.train.config import TrainConfig
from fdx.train.feature_cache import FeatureCache
from fdx.train.programs import forget_when_many
from fdx.train.run import train
from fdx.train.run_data import select_rows
from fdx.types import ConfigError, SplitError, WeightsError

from . import study_page
from .grid import Call, Cell, fill, run_cells
from .page import read_page, write_page
from .study_suite import ANOTHER, BATCH_SIZE, NAME, Budget, Model, Source, Task, cells, tasks_of
from .study_weights import Weights, weights_of

CURVES = ('train_loss', 'validation_loss', 'train_accuracy', 'validation_accuracy')
# More points than this are not seen in a plot.
MAX_POINTS = 60


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a study is asked beside its recordings.

    Attributes:
      models: rows.
      budget: updates of each training.
      vggish_init: see `study_weights.weights_of`.
      width: `width_multiplier` of VGGish; 1 is the published network.
      questions: see `study_suite.tasks_of`.
    """

    models: tuple[Model, ...]
    budget: Budget = Budget()
    vggish_init: str = 'auto'
    width: float = 1.0
    questions: list[str] | None = None


def run(call: Call, source: Source, settings: Settings) -> pathlib.Path:
    """Fills every cell that is not there and writes the page; sections of other datasets on it stay.

    Args:
      call: what every study is told.
      source: the recordings.
      settings: rows, updates and weights.

    Returns:
      The path of the page.

    Raises:
      ConfigError: a dataset that the study has no questions for, or no row can be measured.
      DataError: the page in the workdir cannot be read.
      FdxError: preparation or training fails.
    """
    older, asked = read_page(call.root, NAME, study_page.KIND), tasks_of(source, settings.questions)
    _keep_programs(call.root / 'compiled')
    left_out: dict[str, str] = {}
    weights = _all_weights(call, settings, left_out)
    models = tuple(model for model in settings.models if model.name in weights)
    if not models:
        raise ConfigError(f'`models`: no row can be measured. {"; ".join(left_out.values())}')
    names = {model.front_end: prepare(source, model.front_end, call) for model in models}
    tasks = _that_fit(asked, names[models[0].front_end], call, left_out)
    caches: dict[str, dict] = {model.name: {} for model in models}

    def one(cell: Cell) -> tuple[dict[str, Any], bool]:
        model = cell.input
        found, stored = run_cell(
            cell, call, source, names[model.front_end], weights[model.name], settings.budget, caches[model.name]
        )
        if not stored:
            forget_when_many()
        return found, stored

    found: list[dict[str, Any]] = []
    for seed in range(call.seeds):  # A study that is stopped leaves a page of whole seeds.
        found += run_cells(cells(tasks, models, seed), one, _words, call.say)
        data = study_page.assemble(found, tasks, models, dataclasses.asdict(settings.budget), call.command, left_out)
        written = write_page(call.root, NAME, study_page.merged(older, data) if older else data, study_page.KIND)
    return written


def _words(found: Mapping[str, Any]) -> str:
    parts = [f'test accuracy {100 * row["test"]:.1f} %' for row in found['rows']]
    return f', {ANOTHER} '.join(parts)


def _keep_programs(folder: pathlib.Path) -> None:
    """Keeps compiled programs, since seeds and folds share them, unless the user has set another folder."""
    if not jax.config.jax_compilation_cache_dir:
        jax.config.update('jax_compilation_cache_dir', str(folder.absolute()))


def _all_weights(call: Call, settings: Settings, left_out: dict[str, str]) -> dict[str, Weights]:
    """Name of a row -> its weights; a row without them is left out, with the reason."""
    found = {}
    for model in settings.models:
        try:
            found[model.name] = weights_of(model, call, settings.vggish_init, settings.width)
        except WeightsError as e:
            left_out[model.name] = f'{model.title}: its weights cannot be had ({e})'
            call.say(f'left out: {left_out[model.name]}')
    return found


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


def _that_fit(tasks: Sequence[Task], name: str, call: Call, left_out: dict[str, str]) -> tuple[Task, ...]:
    """The questions that the recordings allow; the others are said, with the reason."""
    dataset, fit = open_dataset(name, call.data_dir), []
    for task in tasks:
        try:
            select_rows(_fields_of(task, name, call.data_dir), dataset)
        except SplitError as e:
            left_out[task.name] = f'{task.name}: {e}'
            call.say(f'left out: {left_out[task.name]}')
        else:
            fit.append(task)
    if not fit:
        raise ConfigError(f'`dataset`={name} answers none of the questions: {"; ".join(left_out.values())}')
    return tuple(fit)


def _fields_of(task: Task, name: str, data_dir: str) -> TrainConfig:
    return TrainConfig(
        name, data_dir, protocol=task.protocol, label_key=task.label_key, exclude_recordings=task.exclude
    )


def configs_of(cell: Cell, name: str, data_dir: str, weights: Weights, budget: Budget) -> list[TrainConfig]:
    """The trainings of a cell: all folds of its protocol, or the one of its seed."""
    task, model = cell.task, cell.input
    dataset, plain = open_dataset(name, data_dir), _fields_of(task, name, data_dir)
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


_SPLITS = ('train', 'validation')


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
