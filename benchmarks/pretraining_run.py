"""Runs the pretraining benchmark: linear heads on frozen networks, and whole networks that are fine-tuned."""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import time
from typing import Any

import jax

from fdx.data.source import open_dataset, prepared_folder
from fdx.evaluate.spread import spread_text
from fdx.train.config import TrainConfig
from fdx.train.run import train
from fdx.types import ConfigError

from . import pretraining_suite
from .compare_runs import Run, do_run
from .compare_scores import score
from .compare_strategies import Strategy
from .grid import Call, Cell, fill, run_cells
from .page import read_page, write_page
from .pretraining_page import KIND
from .pretraining_results import NAME, assemble, merged
from .pretraining_suite import FINE_TUNING, IN_DOMAIN, NETWORKS, Network, dataset_of, why_not
from .probe import CHOSEN
from .probe_heads import ALL_LABELS, ProbePlan
from .probe_report import shots_words
from .probe_run import all_folds, run_probe

FROZEN, FINE_TUNED = 'frozen', 'fine_tuned'
# How networks of our own are trained: all layers, from random weights.
TRAINING = {'learning_rate': 1e-3, 'halve_every': 0, 'dropout_rate': 0.0, 'l2': 0.0, 'batch_size': 16, 'save_every': 2}
VGGISH_RATE = 5e-5


def run(
    call: Call, tasks: list[str] | None, networks: list[str] | None, *, draws: int = 20, fine_tune: bool = True
) -> pathlib.Path:
    """Fills every cell that is not there and writes the page.

    Args:
      call: what every study is told.
      tasks: names of tasks; the others stay on the page as they are. None: all.
      networks: names of networks; None: all.
      draws: how often few labels are drawn, for each seed.
      fine_tune: whether whole networks are trained, too, where a task asks for it.

    Returns:
      The path of the page.

    Raises:
      ConfigError: names that do not exist.
      DataError: the page whose other tasks were to stay cannot be read.
      FdxError: preparation or training fails.
    """
    asked, of = _named('tasks', tasks, pretraining_suite.TASKS), _named('networks', networks, NETWORKS)
    # Fails before the hours of work, not after them.
    older = None if tasks is None else read_page(call.pages, NAME, KIND)
    pairs = [(task, network) for task in asked for network in of if why_not(task, network) is None]
    seeds = range(call.seeds)
    frozen = [Cell(NAME, task, network, FROZEN, seed) for task, network in pairs for seed in seeds]
    tuned = [
        Cell(NAME, task, network, FINE_TUNED, seed)
        for task, network in pairs
        if fine_tune and task.fine_tuned
        for seed in seeds
    ]
    found = _by_row(frozen, run_cells(frozen, lambda cell: _frozen(cell, call, draws), _frozen_words, call.say))
    whole = _by_row(tuned, run_cells(tuned, lambda cell: _fine_tuned(cell, call), _tuned_words, call.say))
    data = assemble(found, seeds, call.command, whole)
    return write_page(call.pages, NAME, merged(older, data) if older else data, KIND)


def _named(parameter: str, names: list[str] | None, known: tuple) -> list:
    """The tasks or networks of the given names."""
    if names is None:
        return list(known)
    if not names or not set(names) <= {k.name for k in known}:
        raise ConfigError(f'`{parameter}`={",".join(names)}: there are {", ".join(k.name for k in known)}')
    return [k for k in known if k.name in names]


def _by_row(cells: list[Cell], found: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(task, network) -> what the cells found, seed by seed."""
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cell, results in zip(cells, found, strict=True):
        rows.setdefault((cell.task.name, cell.input.name), []).append(results)
    return rows


def _frozen_words(results: dict[str, Any]) -> str:
    words = []
    for part in results['shots']:
        row = next(row for row in part['rows'] if row['stage'] == CHOSEN)
        words.append(f'{shots_words(part["shots"])} a class {spread_text(row["accuracy"], percent=True)} %')
    return ', '.join(words)


def _tuned_words(results: dict[str, Any]) -> str:
    return f'accuracy {100 * results["accuracy"]:.1f} %'


def _weights(network: Network, call: Call) -> str:
    """`init` of TrainConfig: a network of our own is trained first, or its training goes on."""
    if network.init not in IN_DOMAIN:
        return network.init
    model, dataset, epochs = IN_DOMAIN[network.init]
    call.prepare(dataset)
    options = {**TRAINING, **({'learning_rate': VGGISH_RATE, 'batch_size': 32} if model == 'vggish' else {})}
    config = TrainConfig(dataset=dataset, data_dir=call.data_dir, model=model, epochs=epochs, **options)
    workdir = call.root / 'in_domain' / network.init
    train(config, workdir, progress=call.progress, on_epoch=call.on_epoch)
    return str(workdir)


def _frozen(cell: Cell, call: Call, draws: int) -> tuple[dict[str, Any], bool]:
    """Results of a probe with 'seconds' and 'on' (a date), and whether they lay on the disk."""
    task, network, seed = cell.task, cell.input, cell.seed
    dataset = dataset_of(task, network)
    call.prepare(dataset)
    folds = all_folds(open_dataset(dataset, call.data_dir), task.protocol, 'label')
    # With all labels nothing is drawn: another seed is another result only where it draws the network.
    shots = task.shots if seed == 0 or network.init == 'random' else tuple(k for k in task.shots if k != ALL_LABELS)
    plan = ProbePlan(protocol=task.protocol, folds=folds, shots=shots, draws=draws, seed=seed)
    asked = {'dataset': dataset, 'model': network.model, 'weights': network.init, 'plan': dataclasses.asdict(plan)}
    asked['records'] = prepared_folder(dataset, call.data_dir).name

    def measure() -> dict[str, Any]:
        config = TrainConfig(
            dataset=dataset,
            data_dir=call.data_dir,
            model=network.model,
            init=_weights(network, call),
            freeze='head',
            seed=seed,
        )
        began = time.perf_counter()
        results = run_probe(config, plan, folder=call.root / 'features', progress=call.progress)
        return {**results, 'seconds': time.perf_counter() - began, 'on': datetime.date.today().isoformat()}

    return fill(cell.path(call.root), asked, measure)


def _fine_tuned(cell: Cell, call: Call) -> tuple[dict[str, Any], bool]:
    """Accuracy, macro F1 and seconds of the whole network, trained on few labels of fold 0.

    A training that was stopped goes on from its workdir.
    """
    task, network = cell.task, cell.input
    dataset = dataset_of(task, network)
    call.prepare(dataset)
    config = TrainConfig(
        dataset=dataset,
        data_dir=call.data_dir,
        protocol=task.protocol,
        labels_per_class=task.fine_tuned,
        model=network.model,
        init=network.init,
        save_every=5,
        seed=cell.seed,
        **FINE_TUNING,
    )
    asked = {'config': config.to_json(), 'records': prepared_folder(dataset, call.data_dir).name}

    def measure() -> dict[str, Any]:
        place = (FINE_TUNED, task.name, network.name.replace(' ', '_'), f'seed_{cell.seed}')
        strategy = Strategy(FINE_TUNED, 'none', network.init != 'random', 'all layers')
        started = dataclasses.replace(config, init=_weights(network, call))
        outcome = do_run(Run(strategy, started, call.root.joinpath(*place)), progress=call.progress)
        # Every run compiles programs of its own: kept for hours, they use up what the kernel lets a process map, and
        # XLA fails with 'LLVM compilation error: Cannot allocate memory'.
        jax.clear_caches()
        found = score(outcome.stored.predictions)
        seconds = sum(row['seconds'] for row in outcome.stored.history)
        return {'accuracy': found['accuracy'], 'macro_f1': found['macro_f1'], 'seconds': seconds}

    return fill(cell.path(call.root), asked, measure)
