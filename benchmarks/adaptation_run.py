"""Runs the cells of an adaptation benchmark and writes its page."""

from __future__ import annotations

import pathlib
import tempfile
import time
from typing import Any

from fdx.adapt.config import DEFAULT_CRITERION, AdaptConfig
from fdx.adapt.methods import METHODS
from fdx.adapt.selection import run_adaptation, selected_rows
from fdx.adapt.settled import Settled
from fdx.data.blocks import NUM_BLOCKS
from fdx.data.source import prepared_folder
from fdx.evaluate.intervals import kish_number
from fdx.signal.front_ends import DEFAULT_FRONT_END
from fdx.train.config import TrainConfig
from fdx.types import ConfigError

from . import adaptation_page
from .adaptation_suite import (
    BATCH_SIZE,
    LEARNING_RATE,
    PATIENCE,
    Suite,
    cells,
    default_methods,
    fold_of,
    get_suite,
    protocol_of,
    scores_all,
    sees_target,
)
from .grid import Call, Cell, fill, run_cells
from .page import write_page

# Builders whose configs are named without their default front end.
DEFAULT_FRONT_ENDS = {'bearing_rig': DEFAULT_FRONT_END}


def run(call: Call, name: str, inputs: tuple[str, ...] | None, methods: tuple[str, ...] | None) -> pathlib.Path:
    """Fills every cell that is not there and writes the page.

    Args:
      call: what every study is told.
      name: of the suite.
      inputs: names of the inputs to compare; None: all that the suite has.
      methods: to compare; None: those that the suite has for each input.

    Returns:
      The path of the page.

    Raises:
      ConfigError: names that do not exist, or that would have no part.
      FdxError: preparation or training fails.
    """
    suite = get_suite(name)
    methods = None if methods is None else tuple(dict.fromkeys(methods))
    _check(suite, inputs, default_methods(suite) if methods is None else methods, call.seeds)
    todo = cells(suite, suite.inputs if inputs is None else inputs, methods, call.seeds)
    kept: dict[str, Any] = {'of': None, 'caches': {}}

    def one(cell: Cell) -> tuple[dict[str, Any], bool]:
        of = (cell.input.name, cell.seed)
        if kept['of'] != of:
            # The caches of another input only take memory; those of another seed are used again.
            same_input = kept['of'] is not None and kept['of'][0] == cell.input.name
            kept.update(of=of, caches=dict(kept['caches']) if same_input else {})
        names = dataset_names(cell)
        for dataset in names:
            call.prepare(dataset.partition(':')[0])
        return run_cell(cell, call, names, kept['caches'])

    found = run_cells(todo, one, _words, call.say)
    data = adaptation_page.assemble(suite, [cell['row'] for cell in found], call.command)
    return write_page(call.pages, suite.name, data, adaptation_page.KIND)


def _words(results: dict[str, Any]) -> str:
    accuracy = results['row']['accuracy']
    return f'{100 * accuracy[DEFAULT_CRITERION]:.1f} % by {DEFAULT_CRITERION}, {100 * accuracy["last"]:.1f} % last'


def _check(suite: Suite, inputs: tuple[str, ...] | None, methods: tuple[str, ...], seeds: int) -> None:
    """Refuses names that do not exist and inputs that would have no part, before anything is prepared."""
    if not methods or not set(methods) <= set(METHODS):
        raise ConfigError(f'`methods`={",".join(methods)}: there are {", ".join(METHODS)}')
    seeing = [method for method in methods if sees_target(method)]
    if suite.generalises and seeing:
        raise ConfigError(
            f'`methods`={",".join(methods)}: `suite`={suite.name} scores all windows of the target, and '
            f'{", ".join(seeing)} would see some of them: take `suite`=loads for them'
        )
    if inputs is not None and (not inputs or not set(inputs) <= set(suite.inputs)):
        raise ConfigError(f'`inputs`={",".join(inputs)}: `suite`={suite.name} has {", ".join(suite.inputs)}')
    unadapted = [name for name in inputs or () if name not in suite.adapted]
    if unadapted and 'source_only' not in methods:
        raise ConfigError(
            f'`inputs`={",".join(inputs)}: `suite`={suite.name} learns {", ".join(unadapted)} from the source alone: '
            'leave out, or add source_only to `methods`'
        )
    if seeds > NUM_BLOCKS and any(pair.rotates for pair in suite.pairs):
        raise ConfigError(
            f'`seeds`={seeds}: `suite`={suite.name} takes another fold for each seed and has {NUM_BLOCKS}'
        )


def dataset_names(cell: Cell, default_front_ends: dict[str, str] = DEFAULT_FRONT_ENDS) -> tuple[str, str]:
    """Source and target with the front end of the cell's input.

    Args:
      cell: the run.
      default_front_ends: builder -> the front end whose configs have no suffix.
    """

    def named(text: str) -> str:
        default = default_front_ends.get(text.partition('/')[0])
        return text.format('' if default == cell.input.front_end else f'-{cell.input.front_end}')

    return named(cell.task.source), named(cell.task.target)


def configs(cell: Cell, data_dir: str, names: tuple[str, str]) -> tuple[TrainConfig, AdaptConfig]:
    """The run's configurations.

    Args:
      cell: the run.
      data_dir: folder of prepared datasets.
      names: of `dataset_names`.
    """
    plan = AdaptConfig(
        source=names[0],
        target=names[1],
        method=cell.method,
        target_protocol=cell.task.protocols[1],
        target_fold=fold_of(cell),
        score_all_target=scores_all(cell),
        patience=PATIENCE,
    )
    config = TrainConfig(
        dataset=plan.names()[0].dataset,
        data_dir=data_dir,
        label_key=cell.suite.label_key,
        protocol=cell.task.protocols[0],
        fold=fold_of(cell),
        labels_per_class=cell.suite.labels_per_class,
        model=cell.input.model,
        model_options=dict(cell.input.options),
        dropout_rate=0.0,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        halve_every=0,
        l2=0.0,
        seed=cell.seed,
        epochs=cell.suite.epochs,
        # The history has every epoch's criteria; of the checkpoints the last is enough.
        save_every=cell.suite.epochs,
    )
    return config, plan


def records_of(plan: AdaptConfig, data_dir: str) -> list[str]:
    """Versions of the records of source and target, whose images depend on it; domains make no difference."""
    return [prepared_folder(name.dataset, data_dir).name for name in plan.names()]


def run_cell(cell: Cell, call: Call, names: tuple[str, str], caches: dict) -> tuple[dict[str, Any], bool]:
    """Results of a cell, and whether they lay on the disk: its row, classes and history.

    The row has accuracy and macro F1 on windows of the target by what chose the epoch, the number of windows, and how
    many equally large recordings they are worth (`units`).
    """
    config, plan = configs(cell, call.data_dir, names)
    records = records_of(plan, call.data_dir)
    asked = {'config': config.to_json(), 'plan': plan.to_json(), 'records': records}

    def measure() -> dict[str, Any]:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            result = run_adaptation(config, plan, folder, caches=caches, progress=call.progress)
        seconds = time.perf_counter() - began
        chosen, scored = selected_rows(result.history), result.domains.target_test
        row = {
            'input': cell.input.name,
            'model': cell.input.model,
            'method': cell.method,
            'task': cell.task.name,
            'protocol': protocol_of(cell),
            'records': ' and '.join(dict.fromkeys(records)),
            'seed': cell.seed,
            'fold': fold_of(cell),
            'windows': len(scored),
            'units': kish_number(scored.dataset.table['recording'][scored.rows]),
            'seconds': round(seconds, 2),
            'epochs': len(result.history),
            'settled': Settled(PATIENCE).stops(result.history),
            'accuracy': {name: epoch['oracle_target_accuracy'] for name, epoch in chosen.items()},
            'macro_f1': {name: epoch['oracle_target_macro_f1'] for name, epoch in chosen.items()},
        }
        return {'row': row, 'classes': list(result.domains.classes), 'history': result.history}

    return fill(cell.path(call.root), asked, measure)
