"""Runs the study: weights, data and questions first, then every cell, then the page."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import jax

from fdx.data.source import open_dataset
from fdx.train.programs import forget_when_many
from fdx.train.run_data import select_rows
from fdx.types import ConfigError, SplitError, WeightsError

from .grid import Call, Cell, run_cells
from .page import read_page, write_page
from .study_cell import fields_of, prepare, run_cell
from .study_models import Budget, Model
from .study_page import KIND
from .study_results import assemble, merged
from .study_suite import ANOTHER, NAME, Source, Task, cells, tasks_of
from .study_weights import Weights, weights_of


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
    older, asked = read_page(call.root, NAME, KIND), tasks_of(source, settings.questions)
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
        found += run_cells(cells(source, tasks, models, seed), one, _words, call.say)
        data = assemble(found, tasks, models, dataclasses.asdict(settings.budget), call.command, left_out)
        written = write_page(call.root, NAME, merged(older, data) if older else data, KIND)
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


def _that_fit(tasks: Sequence[Task], name: str, call: Call, left_out: dict[str, str]) -> tuple[Task, ...]:
    """The questions that the recordings allow; the others are said, with the reason."""
    dataset, fit = open_dataset(name, call.data_dir), []
    for task in tasks:
        try:
            select_rows(fields_of(task, name, call.data_dir), dataset)
        except SplitError as e:
            left_out[task.name] = f'{task.name}: {e}'
            call.say(f'left out: {left_out[task.name]}')
        else:
            fit.append(task)
    if not fit:
        raise ConfigError(f'`dataset`={name} answers none of the questions: {"; ".join(left_out.values())}')
    return tuple(fit)
