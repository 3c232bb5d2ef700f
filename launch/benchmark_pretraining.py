"""What is pretraining worth: cells of linear heads on frozen networks, and of whole networks that are fine-tuned.

A call for some tasks leaves the others on the page as they stand.
"""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import shlex
import time
from typing import Any

import jax
from absl import flags

from fdx.benchmarks.cells import read_cell, write_cell
from fdx.benchmarks.compare_runs import Run, do_run
from fdx.benchmarks.compare_scores import score
from fdx.benchmarks.compare_strategies import Strategy
from fdx.benchmarks.pretraining_page import percent
from fdx.benchmarks.pretraining_report import assemble, with_published, write_pretraining
from fdx.benchmarks.pretraining_suite import FINE_TUNING, IN_DOMAIN, NETWORKS, TASKS, Network, Task, dataset_of, why_not
from fdx.benchmarks.probe import ALL_LABELS, CHOSEN, ProbePlan
from fdx.benchmarks.probe_run import all_folds, run_probe
from fdx.data.source import open_dataset, prepared_folder
from fdx.train.config import TrainConfig
from fdx.train.run import train
from fdx.types import ConfigError

from .display import epoch_line, progress
from .prepare_on_demand import prepare_if_missing

FLAGS = flags.FLAGS
# Of networks of our own; all layers, from random weights.
TRAINING = {'learning_rate': 1e-3, 'halve_every': 0, 'dropout_rate': 0.0, 'l2': 0.0, 'batch_size': 16, 'save_every': 2}
VGGISH_RATE = 5e-5


def _named(flag: str, known: tuple) -> list:
    """The tasks or networks that a flag names."""
    names = [k.name for k in known] if FLAGS[flag].value is None else FLAGS[flag].value
    unknown = [name for name in names if name not in {k.name for k in known}]
    if unknown or not names:
        raise ConfigError(f'--{flag}={",".join(names)}: there are {", ".join(k.name for k in known)}')
    return [k for k in known if k.name in names]


def _weights(network: Network, root: pathlib.Path) -> str:
    """What --init takes: a network of our own is trained first, or gone on with."""
    if network.init not in IN_DOMAIN:
        return network.init
    model, dataset, epochs = IN_DOMAIN[network.init]
    prepare_if_missing(dataset, FLAGS.data_dir, FLAGS.manual_dir)
    options = {**TRAINING, **({'learning_rate': VGGISH_RATE, 'batch_size': 32} if model == 'vggish' else {})}
    config = TrainConfig(dataset=dataset, data_dir=FLAGS.data_dir, model=model, epochs=epochs, **options)
    workdir = root / 'in_domain' / network.init
    train(config, workdir, progress=progress, on_epoch=lambda row: print(f'    {epoch_line(row)}', flush=True))
    return str(workdir)


def _cell(task: Task, network: Network, seed: int, root: pathlib.Path) -> dict[str, Any]:
    """Results of a probe with 'seconds', from the disk where an earlier call left them."""
    dataset = dataset_of(task, network)
    prepare_if_missing(dataset, FLAGS.data_dir, FLAGS.manual_dir)
    folds = all_folds(open_dataset(dataset, FLAGS.data_dir), task.protocol, 'label')
    # With all labels nothing is drawn: another seed is another result only where it draws the network.
    shots = task.shots if seed == 0 or network.init == 'random' else tuple(k for k in task.shots if k != ALL_LABELS)
    plan = ProbePlan(protocol=task.protocol, folds=folds, shots=shots, draws=FLAGS.draws, seed=seed)
    asked = {'dataset': dataset, 'model': network.model, 'weights': network.init, 'plan': dataclasses.asdict(plan)}
    asked['records'] = prepared_folder(dataset, FLAGS.data_dir).name
    path = root / 'cells' / task.name / network.name.replace(' ', '_') / f'seed_{seed}.json'
    stored = read_cell(path, asked)
    if stored is not None and 'on' in stored:
        return stored
    config = TrainConfig(
        dataset=dataset,
        data_dir=FLAGS.data_dir,
        model=network.model,
        init=_weights(network, root),
        freeze='head',
        seed=seed,
    )
    began = time.perf_counter()
    results = run_probe(config, plan, folder=root / 'features', progress=progress)
    seconds = time.perf_counter() - began
    return write_cell(path, asked, {**results, 'seconds': seconds, 'on': datetime.date.today().isoformat()})


def _fine_tuned(task: Task, network: Network, seed: int, root: pathlib.Path) -> dict[str, float]:
    """Accuracy, macro F1 and seconds of the whole network, trained on few labels of fold 0; kept in its workdir."""
    config = TrainConfig(
        dataset=dataset_of(task, network),
        data_dir=FLAGS.data_dir,
        protocol=task.protocol,
        labels_per_class=task.fine_tuned,
        model=network.model,
        init=_weights(network, root),
        save_every=5,
        seed=seed,
        **FINE_TUNING,
    )
    workdir = root / 'fine_tuned' / task.name / network.name.replace(' ', '_') / f'seed_{seed}'
    run = Run(Strategy('fine_tuned', 'none', network.init != 'random', 'all layers'), config, workdir)
    outcome = do_run(run, progress=progress)
    # Every run compiles programs of its own: kept for hours, they use up what the kernel lets a process map, and XLA
    # fails with 'LLVM compilation error: Cannot allocate memory'.
    jax.clear_caches()
    found = score(outcome.stored.predictions)
    seconds = sum(row['seconds'] for row in outcome.stored.history)
    return {'accuracy': found['accuracy'], 'macro_f1': found['macro_f1'], 'seconds': seconds}


def _frozen(pairs: list[tuple[Task, Network]], seeds: range, root: pathlib.Path) -> dict[tuple[str, str], list[dict]]:
    """Every cell of linear heads."""
    found = {}
    for i, (task, network) in enumerate(pairs, 1):
        print(f'[{i}/{len(pairs)}] {task.name}: {network.name}', flush=True)
        runs = [_cell(task, network, seed, root) for seed in seeds]
        found[task.name, network.name] = runs
        for part in runs[0]['shots']:
            row = next(row for row in part['rows'] if row['stage'] == CHOSEN)
            words = part['shots'] or 'all'
            print(f'    {words} a class: {percent(row["accuracy"])} % (seed 0), {runs[0]["seconds"]:.0f} s', flush=True)
    return found


def run() -> pathlib.Path:
    """Fills every cell that is not there and writes the page."""
    root, folder, seeds = pathlib.Path(FLAGS.workdir), pathlib.Path(FLAGS.out), range(FLAGS.seeds)
    tasks, networks = _named('tasks', TASKS), _named('networks', NETWORKS)
    if FLAGS['tasks'].present:
        with_published(folder, [])  # Fails before the hours of work, not after them.
    pairs = [(task, network) for task in tasks for network in networks if why_not(task, network) is None]
    found, tuned = _frozen(pairs, seeds, root), {}
    for task, network in pairs if FLAGS.fine_tune else []:
        if task.fine_tuned:
            print(f'fine-tuning {task.name}: {network.name}', flush=True)
            tuned[task.name, network.name] = [_fine_tuned(task, network, seed, root) for seed in seeds]
            accuracies = [f'{100 * run["accuracy"]:.1f}' for run in tuned[task.name, network.name]]
            print(f'    {task.fine_tuned} a class: {", ".join(accuracies)} %', flush=True)
    measured = assemble(found, seeds, _command(), tuned)
    return write_pretraining(folder, with_published(folder, measured) if FLAGS['tasks'].present else measured)


def _command() -> str:
    """The call that measures these cells again."""
    words = [f'python -m launch.benchmark --suite={FLAGS.suite} --seeds={FLAGS.seeds} --draws={FLAGS.draws}']
    for name in ('tasks', 'networks'):
        if FLAGS[name].present:
            words.append(shlex.quote(f'--{name}={",".join(FLAGS[name].value)}'))
    return ' '.join(words if FLAGS.fine_tune else [*words, '--nofine_tune'])
