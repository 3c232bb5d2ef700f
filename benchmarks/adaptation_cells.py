"""Runs the cells of an adaptation benchmark, each kept on the disk when done."""

from __future__ import annotations

import pathlib
import tempfile
import time
from typing import Any

from fdx.adapt.config import AdaptConfig
from fdx.adapt.run import open_domains
from fdx.adapt.selection import run_adaptation, selected_rows
from fdx.data.pipeline import steps_per_epoch
from fdx.data.source import prepared_folder
from fdx.evaluate.intervals import kish_number
from fdx.train.config import TrainConfig
from fdx.train.feature_cache import Progress, no_progress

from .adaptation_suite import BATCH_SIZE, LEARNING_RATE, MAX_EPOCHS, MIN_EPOCHS, Cell
from .cells import read_cell, write_cell


def dataset_names(cell: Cell, default_front_ends: dict[str, str]) -> tuple[str, str]:
    """Source and target with the front end of the cell's input.

    Args:
      cell: the run.
      default_front_ends: builder -> the front end whose configs have no suffix.
    """

    def named(text: str) -> str:
        suffix = (
            '' if default_front_ends.get(text.partition('/')[0]) == cell.input.front_end else f'-{cell.input.front_end}'
        )
        return text.format(suffix)

    return named(cell.pair.source), named(cell.pair.target)


def configs(
    cell: Cell, data_dir: str, names: tuple[str, str], caches: dict | None = None
) -> tuple[TrainConfig, AdaptConfig]:
    """The run's configurations; epochs follow from the number of source windows.

    Args:
      cell: the run.
      data_dir: folder of prepared datasets.
      names: of `dataset_names`.
      caches: keeps that number for the other methods of the same task and seed, who learn from the same windows.
    """
    fold = cell.seed if cell.pair.rotates else 0
    plan = AdaptConfig(
        source=names[0],
        target=names[1],
        method=cell.method,
        target_protocol=cell.pair.protocols[1],
        target_fold=fold,
        score_all_target=cell.scores_all,
    )
    config = TrainConfig(
        dataset=plan.names()[0].dataset,
        data_dir=data_dir,
        label_key=cell.suite.label_key,
        protocol=cell.pair.protocols[0],
        fold=fold,
        labels_per_class=cell.suite.labels_per_class,
        model=cell.input.model,
        model_options=dict(cell.input.options),
        dropout_rate=0.0,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        halve_every=0,
        l2=0.0,
        seed=cell.seed,
    )
    caches = {} if caches is None else caches
    key = ('source windows', names, cell.pair, cell.scores_all, cell.seed)
    windows = caches.get(key) or caches.setdefault(key, len(open_domains(config, plan).source_train))
    epochs = round(cell.suite.steps / steps_per_epoch(windows, BATCH_SIZE))
    epochs = min(max(epochs, MIN_EPOCHS), MAX_EPOCHS)
    # The history has every epoch's criteria; of the checkpoints the last is enough.
    fields = {**config.to_json(), 'epochs': epochs, 'save_every': epochs}
    return TrainConfig.from_json(fields), plan


def cell_path(cell: Cell, root: pathlib.Path) -> pathlib.Path:
    """Where the cell is kept."""
    task = cell.pair.name.replace(' -> ', '_to_')
    return root / 'cells' / cell.suite.name / cell.input.name / cell.method / task / f'seed_{cell.seed}.json'


def run_cell(
    cell: Cell,
    data_dir: str,
    names: tuple[str, str],
    root: pathlib.Path,
    caches: dict,
    progress: Progress = no_progress,
) -> tuple[dict[str, Any], bool]:
    """Results of a cell, and whether they lay on the disk: rows of each selection, seconds, history."""
    path = cell_path(cell, root)
    config, plan = configs(cell, data_dir, names, caches)
    # Records of another version hold other images.
    records = [prepared_folder(name, data_dir).name for name in names]
    asked = {'config': config.to_json(), 'plan': plan.to_json(), 'records': records}
    stored = read_cell(path, asked)
    if stored is not None:
        return stored, True
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = run_adaptation(config, plan, folder, caches=caches, progress=progress)
    seconds = time.perf_counter() - began
    rows = [
        {
            'suite': cell.suite.name,
            'task': cell.pair.name,
            'input': cell.input.name,
            'model': cell.input.model,
            'method': cell.method,
            'seed': cell.seed,
            'protocol': cell.protocol,
            'records': ' and '.join(dict.fromkeys(records)),
            'selection': name,
            'accuracy': row['oracle_target_accuracy'],
            'macro_f1': row['oracle_target_macro_f1'],
            'seconds': round(seconds, 2),
        }
        for name, row in selected_rows(result.history).items()
    ]
    domains = result.domains
    scored = domains.target_test
    recordings = scored.dataset.table['recording'][scored.rows]
    found = {'rows': rows, 'windows': len(scored), 'units': kish_number(recordings), 'classes': list(domains.classes)}
    return write_cell(path, asked, {**found, 'history': result.history}), False
