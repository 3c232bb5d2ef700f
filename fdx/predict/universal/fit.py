"""Makes the judge that fdx ships: trains it on simulated machines and calibrates it on others."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import safetensors.numpy
import scipy  # its parts are imported at first use, which saves a second
import scipy.special

from fdx.data.pipeline import RecordExamples
from fdx.data.prepare import prepare
from fdx.data.source import open_dataset
from fdx.files import atomic_write_bytes, write_json
from fdx.predict.backends.checkpoint import Predictor
from fdx.predict.universal.judge import CARD, MEAN, NORMAL, WEIGHTS, WHITENING
from fdx.predict.universal.verdict import DOUBT, UNCLEAR, call
from fdx.simulate.machine import SIMULATOR_VERSION, STATES
from fdx.train.config import TrainConfig
from fdx.train.forward import Progress, no_progress
from fdx.train.run import train
from fdx.weights.trees import flatten_tree

DATASET = 'bearing_machines'
# The share of simulated machines that is like those of training.
FAMILIAR = 0.995
# Of simulated sound machines, this share looks less like a fault than what counts as usual.
USUAL = 0.9
# Added to the variances of embeddings, relative to their mean.
SHRINKAGE = 0.05
TEMPERATURES = (0.3, 5.0)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How the judge is trained. The defaults are those of the judge that fdx ships.

    Attributes:
      trained_on, calibrated_on: configs of `bearing_machines`.
      epochs, batch_size, learning_rate, halve_every, dropout_rate: see fdx.train.config.TrainConfig.
      seeds: one network each; their logits are averaged, which scatters less on machines unlike the simulated ones.
    """

    trained_on: str = 'universal'
    calibrated_on: str = 'calibration'
    epochs: int = 24
    batch_size: int = 64
    learning_rate: float = 1e-3
    halve_every: int = 6
    dropout_rate: float = 0.2
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4, 5)

    def config(self, data_dir: str, seed: int) -> TrainConfig:
        """A training run: a fifth of the machines chooses the best epoch, a fifth tests."""
        return TrainConfig(
            dataset=f'{DATASET}/{self.trained_on}-evidence',
            data_dir=data_dir,
            protocol='by_recording',
            model='evidence_judge',
            dropout_rate=self.dropout_rate,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            halve_every=self.halve_every,
            l2=1e-5,
            cache_features='off',
            seed=seed,
        )


def make_judge(
    data_dir: str | os.PathLike,
    workdir: str | os.PathLike,
    out: str | os.PathLike,
    recipe: Recipe | None = None,
    *,
    progress: Progress = no_progress,
    notify: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Prepares the machines, trains, calibrates, and writes the judge; on one machine the files are the same each time.

    Args:
      data_dir: folder of prepared datasets.
      workdir: of the training run, which is resumed.
      out: folder for judge.safetensors and judge.json.
      recipe: how it is trained.
      progress: wraps long work.
      notify: called with one line before each part.

    Returns:
      The card.

    Raises:
      FdxError: the data cannot be prepared or the run cannot go on.
    """
    recipe, data_dir, workdir = recipe or Recipe(), os.fspath(data_dir), pathlib.Path(workdir)
    for name in (recipe.trained_on, recipe.calibrated_on):
        notify(f'simulating {DATASET}/{name}')
        prepare(f'{DATASET}/{name}-evidence', data_dir)
    members = []
    for seed in recipe.seeds:
        notify(f'training with seed {seed}')
        folder = workdir / f'seed_{seed}'
        train(recipe.config(data_dir, seed), folder, progress=progress)
        members.append(Predictor(folder, 'best', progress))
    notify('calibrating')
    machines = open_dataset(f'{DATASET}/{recipe.calibrated_on}-evidence', pathlib.Path(data_dir))
    trained_on = open_dataset(f'{DATASET}/{recipe.trained_on}-evidence', pathlib.Path(data_dir))
    arrays = {
        f'params/{i}/{name}': np.asarray(value)
        for i, member in enumerate(members)
        for name, value in flatten_tree(member.network()[1]['params']).items()
    }
    arrays[MEAN], arrays[WHITENING] = _spread(_features(members[0], trained_on, 'embedding'))
    distances = np.linalg.norm(
        (_features(members[0], machines, 'embedding') - arrays[MEAN]) @ arrays[WHITENING], axis=1
    )
    logits = np.mean([_features(member, machines, 'head') for member in members], axis=0)
    truth = np.asarray(machines.table['label'])
    card = {
        'name': 'universal judge',
        'states': list(STATES),
        'options': {'dropout_rate': recipe.dropout_rate},
        'simulator_version': SIMULATOR_VERSION,
        'members': len(members),
        'trained_on': {'machines': len(trained_on), **_machines(trained_on)},
        'calibrated_on': {'machines': len(machines), **_machines(machines)},
        'real_machines': 'none',
        'recipe': dataclasses.asdict(recipe),
        'steps': [member.step for member in members],
        **_calibration(logits, truth),
        'distance_limit': float(np.quantile(distances, FAMILIAR)),
        'familiar_share': FAMILIAR,
        'licence': 'the licence of fdx: no recording of anyone is in it',
    }
    return _write(pathlib.Path(out), {k: v.astype(np.float32) for k, v in arrays.items()}, card)


def _features(predictor: Predictor, dataset, name: str) -> np.ndarray:
    examples = RecordExamples(dataset, np.arange(len(dataset)), 'label')
    return np.asarray(predictor.features(examples, name), np.float64)


def _machines(dataset) -> dict[str, Any]:
    metadata = dataset.metadata
    return {'version': metadata['simulator_version'], **metadata['machines']}


def _spread(embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [D], and a matrix [D, D] that makes the deviations from it white."""
    mean = embeddings.mean(axis=0)
    covariance = np.cov(embeddings.T)
    covariance += SHRINKAGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    values, vectors = np.linalg.eigh(covariance)
    return mean, vectors / np.sqrt(values)


def _calibration(logits: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Temperature (Guo et al., ICML 2017), and what the verdicts are worth on these machines."""

    def loss(temperature: float) -> float:
        scaled = scipy.special.log_softmax(logits / temperature, axis=1)
        return -float(scaled[np.arange(len(truth)), truth].mean())

    best = scipy.optimize.minimize_scalar(loss, bounds=TEMPERATURES, method='bounded')
    temperature = float(best.x)
    probabilities = scipy.special.softmax(logits / temperature, axis=1)
    odds = logits - logits[:, [STATES.index(NORMAL)]]
    called, sound = probabilities.argmax(axis=1), odds[truth == STATES.index(NORMAL)]
    return {
        'temperature': temperature,
        **_verdicts(probabilities, truth),
        'accuracy': float((called == truth).mean()),
        'recall': {name: float((called[truth == i] == i).mean()) for i, name in enumerate(STATES)},
        'healthy_log_odds': dict(zip(STATES, np.quantile(sound, USUAL, axis=0).tolist())),
    }


def _verdicts(probabilities: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """How often a verdict is given, how often it is right, and how often the truth is among what it leaves open."""
    verdicts = [call(STATES, row).state for row in probabilities]
    names = [STATES[i] for i in truth]
    none = np.array([verdict is None for verdict in verdicts])
    exact = np.array([verdict == name for verdict, name in zip(verdicts, names)])
    unclear = np.array([verdict == UNCLEAR and name != NORMAL for verdict, name in zip(verdicts, names)])
    return {
        'doubt': DOUBT,
        'coverage': float((exact | unclear | none).mean()),
        'right_of_verdicts': float((exact | unclear)[~none].mean()),
        'share_without_kind': float(np.mean([verdict == UNCLEAR for verdict in verdicts])),
        'share_without_verdict': float(none.mean()),
    }


def _write(out: pathlib.Path, arrays: dict[str, np.ndarray], card: dict[str, Any]) -> dict[str, Any]:
    content = safetensors.numpy.save(arrays)
    card = {**card, 'sha256': hashlib.sha256(content).hexdigest()}
    out.mkdir(parents=True, exist_ok=True)
    atomic_write_bytes(out / WEIGHTS, content)
    write_json(out / CARD, card)
    return card
