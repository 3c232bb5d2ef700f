"""Cells of the pretraining benchmark: a frozen network on windows, on recordings of a machine, or fine-tuned."""

from __future__ import annotations

import dataclasses
import datetime
import os
import time
from collections import Counter
from typing import Any

from fdx.data.preparing import RAW_DATA_VARIABLE
from fdx.data.source import open_dataset, prepared_folder
from fdx.predict.universal.judge import load_judge
from fdx.train.config import TrainConfig
from fdx.train.description import environment
from fdx.train.programs import forget_when_many
from fdx.train.run import train
from fdx.types import ConfigError, Recording

from .compare_runs import Run, do_run
from .compare_scores import score
from .compare_strategies import Strategy
from .evidence_vectors import image_vectors, judged_vectors, probe_vectors
from .few_recordings import MachineVectors, Scores, few_recordings, score_machine
from .grid import Call, Cell, fill
from .pretraining_suite import FINE_TUNING, IN_DOMAIN, JUDGE, Network, Task, dataset_of
from .probe_heads import ALL_LABELS, ProbePlan
from .probe_run import all_folds, run_probe
from .recording_vectors import classes_of, machine_vectors
from .unseen_machines import get_machines, read_machines
from .unseen_run import recordings_digest

FINE_TUNED = 'fine_tuned'
# How networks of our own are trained: all layers, from random weights.
TRAINING = {'learning_rate': 1e-3, 'halve_every': 0, 'dropout_rate': 0.0, 'l2': 0.0, 'batch_size': 16, 'save_every': 2}
VGGISH_RATE = 5e-5


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


def frozen_cell(cell: Cell, call: Call, draws: int) -> tuple[dict[str, Any], bool]:
    """Results of a probe with 'seconds' and 'on' (a date), and whether they lay on the disk."""
    task, network, seed = cell.task, cell.input, cell.seed
    dataset = dataset_of(task, network)
    call.prepare(dataset)
    folds = all_folds(open_dataset(dataset, call.data_dir), task.protocol, 'label')
    # With all labels nothing is drawn: another seed is another result only where it draws the network.
    shots = task.shots if seed == 0 or network.init == 'random' else tuple(k for k in task.shots if k != ALL_LABELS)
    plan = ProbePlan(protocol=task.protocol, folds=folds, shots=shots, draws=draws, seed=seed)
    asked = {'dataset': dataset, **_asked_of(network), 'plan': dataclasses.asdict(plan)}
    asked['records'] = prepared_folder(dataset, call.data_dir).name

    def measure() -> dict[str, Any]:
        began = time.perf_counter()
        results = _probe(network, dataset, plan, call)
        return {**results, 'seconds': time.perf_counter() - began, 'on': datetime.date.today().isoformat()}

    return fill(cell.path(call.root), asked, measure)


def _asked_of(network: Network) -> dict[str, Any]:
    """What decides the features of a network."""
    asked = {'model': network.model, 'weights': network.init}
    if network.options:
        asked['options'] = network.options
    return {**asked, 'judge': load_judge().card['sha256']} if network.init == JUDGE else asked


def _probe(network: Network, dataset: str, plan: ProbePlan, call: Call) -> dict[str, Any]:
    """Linear heads on what a network makes of the windows of a dataset."""
    if not network.can_be_trained:
        vectors = judged_vectors if network.init == JUDGE else image_vectors
        return probe_vectors(dataset, call.data_dir, plan, vectors)
    config = TrainConfig(
        dataset=dataset,
        data_dir=call.data_dir,
        model=network.model,
        model_options=network.options,
        init=_weights(network, call),
        freeze='head',
        seed=plan.seed,
    )
    return run_probe(config, plan, folder=call.root / 'features', progress=call.progress)


class Machines:
    """Real machines as the networks see them, each read and each network asked once."""

    def __init__(self, call: Call):
        """Reads nothing yet."""
        self._call = call
        self._recordings: dict[str, tuple[Recording, ...]] = {}
        self._digests: dict[str, str] = {}
        self._vectors: dict[tuple[str, str, int], MachineVectors] = {}
        self._scores: dict[tuple[str, str, tuple[int, ...], int], dict[int, Scores]] = {}

    def recordings(self, name: str) -> tuple[Recording, ...]:
        """Recordings of a machine.

        Raises:
          ConfigError: no folder of raw recordings is given, or the machine is not there.
        """
        if name not in self._recordings:
            folder = self._call.manual_dir or os.environ.get(RAW_DATA_VARIABLE)
            if not folder:
                raise ConfigError(f'`tasks`: {name} is a real machine: name the folder of recordings with `manual_dir`')
            found, missing = read_machines(get_machines([name]), folder)
            if name not in found:
                raise ConfigError(f'`tasks`: {name}: {missing[name]}; leave the tasks on it out')
            self._recordings[name] = found[name].recordings
        return self._recordings[name]

    def digest(self, name: str) -> str:
        """Changes with the recordings of a machine."""
        return recordings_digest(self.recordings(name), self._digests)

    def vectors(self, name: str, network: Network, seed: int) -> MachineVectors:
        """What a network makes of a machine."""
        key = (name, network.name, seed if network.init == 'random' else 0)
        if key not in self._vectors:
            init = _weights(network, self._call) if network.can_be_trained else network.init
            self._vectors[key] = machine_vectors(network, init, self.recordings(name), seed)
        return self._vectors[key]

    def scores(self, name: str, network: Network, task: Task, draws: int, seed: int) -> dict[int, Scores]:
        """Of `score_machine`; a machine is tested in one task and chosen on in another."""
        key = (name, network.name, task.shots, seed)
        if key not in self._scores:
            self._scores[key] = score_machine(self.vectors(name, network, seed), task.shots, draws, seed)
        return self._scores[key]


def recordings_cell(cell: Cell, call: Call, draws: int, machines: Machines) -> tuple[dict[str, Any], bool]:
    """Results of benchmarks.few_recordings in the form of a probe's, and whether they lay on the disk."""
    task, network, seed = cell.task, cell.input, cell.seed
    asked = {'shots': task.shots, 'draws': draws, 'seed': seed, **_asked_of(network)}
    asked['recordings'] = [machines.digest(name) for name in (task.machine, task.other)]

    def measure() -> dict[str, Any]:
        began = time.perf_counter()
        own, other = (machines.scores(name, network, task, draws, seed) for name in (task.machine, task.other))
        stages = machines.vectors(task.machine, network, seed).choices
        recordings = machines.recordings(task.machine)
        return {
            'front_end': network.front_ends[task.channels],
            'protocol': task.protocol,
            'classes': len(classes_of(recordings)),
            'recordings': dict(Counter(r.fault_type for r in recordings)),
            'shots': few_recordings(own, other, stages, draws),
            'seconds': time.perf_counter() - began,
            'on': datetime.date.today().isoformat(),
            **environment(),
        }

    return fill(cell.path(call.root), asked, measure)


def fine_tuned_cell(cell: Cell, call: Call) -> tuple[dict[str, Any], bool]:
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
        model_options=network.options,
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
        forget_when_many()
        found = score(outcome.stored.predictions)
        seconds = sum(row['seconds'] for row in outcome.stored.history)
        return {'accuracy': found['accuracy'], 'macro_f1': found['macro_f1'], 'seconds': seconds}

    return fill(cell.path(call.root), asked, measure)
