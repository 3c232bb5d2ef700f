"""What frozen networks make of a recording: the embedding of a run of the user's own, or of the judge that fdx ships.

An embedding has many numbers, of which some are always 0 for a machine in good order. So NUMBERS fixed random
directions of it are read, which keep distances (Johnson and Lindenstrauss, "Extensions of Lipschitz mappings into a
Hilbert space", Contemporary Mathematics 26:189-206, 1984) and of which none is silent.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import pathlib

import numpy as np

from fdx.health.feature_plan import NUMBERS, FeaturePlan, Network
from fdx.predict.evidence_of import Knowledge, good_part, views_of
from fdx.types import BearingGeometry, CheckpointError, ConfigError, DataError, Recording

SEED = 0


def network_of(run: str | os.PathLike) -> Network:
    """The network of a run, for plans.

    Raises:
      CheckpointError: there is no run, or it is damaged.
      ConfigError: it takes tables, or is an exported file, which shows its answers alone.
    """
    path = os.path.abspath(os.fspath(run))
    predictor = _predictor(path)
    if not predictor.has_features or predictor.of_tables:
        raise ConfigError(f'`checkpoint`={os.fspath(run)}: the workdir of a run on recordings is needed')
    return Network(path, _digest_of_run(predictor.workdir, predictor.step))


def judge_digest() -> str:
    """Tells the judge of this fdx from others."""
    from fdx.predict.universal.judge import FOLDER, WEIGHTS  # noqa: PLC0415

    return _digest(FOLDER / WEIGHTS)


def check_networks(plan: FeaturePlan) -> None:
    """Refuses networks that are no longer those of the plan.

    Raises:
      CheckpointError: the run is gone or was trained on, or this fdx has another judge.
    """
    remedy = 'learn the baseline again'
    if plan.network is not None and network_of(plan.network.path) != plan.network:
        raise CheckpointError(f'{plan.network.path} has changed since the baseline was learned: {remedy}')
    if plan.judge and plan.judge != judge_digest():
        raise CheckpointError(f'the judge of this fdx is not that of the baseline, whose numbers it made: {remedy}')


def network_numbers(recording: Recording, network: Network) -> np.ndarray:
    """Mean over windows of the embedding of a run, float64 [NUMBERS].

    Args:
      recording: with the channels, and the speed and bearing, that the run's front end reads.
      network: of `network_of`.

    Raises:
      DataError: the run cannot take the recording (too short, too slow a rate, other channels), or no window is usable.
    """
    from fdx.data.pipeline import ArrayExamples  # noqa: PLC0415  JAX takes a second to load.
    from fdx.predict.diagnose import cut_for  # noqa: PLC0415

    predictor = _predictor(network.path)
    _, _, cut = cut_for(predictor, recording)
    if not len(cut.images):
        raise DataError(f'{recording.source or recording.recording}: no window of it can be used: {cut.faults[0]}')
    inputs = predictor.front_end.with_gain(cut.images, predictor.gain)
    embedding = predictor.features(ArrayExamples(inputs, np.zeros(len(inputs), np.int32)))
    return _projected(np.asarray(embedding, np.float64).reshape(len(inputs), -1).mean(axis=0))


def judge_numbers(recording: Recording, geometry: BearingGeometry) -> np.ndarray:
    """The embedding of the judge's first network, mean over the views of one channel: float64 [NUMBERS].

    Args:
      recording: samples [T, 1], with its speed.
      geometry: of the bearing.

    Raises:
      DataError: no speed, too few turns, or nothing that can be used.
    """
    from fdx.predict.universal.judge import load_judge  # noqa: PLC0415

    part = good_part(dataclasses.replace(recording, geometry=geometry))
    if part.refusal is not None:
        raise DataError(f'{recording.source or recording.recording}: {part.refusal}')
    images = views_of(part.steadied().recording, Knowledge())[1]
    return _projected(load_judge().outputs(images)[1].mean(axis=0))


def _projected(embedding: np.ndarray) -> np.ndarray:
    return embedding @ _directions(len(embedding))


@functools.cache
def _directions(width: int) -> np.ndarray:
    """float64 [width, NUMBERS], which keep the mean square distance."""
    return np.random.default_rng(SEED).standard_normal((width, NUMBERS)) / np.sqrt(NUMBERS)


@functools.lru_cache(maxsize=2)
def _predictor(path: str):
    from fdx.predict.load import load_single  # noqa: PLC0415

    return load_single(path)


def _digest_of_run(workdir: pathlib.Path, step: int) -> str:
    return _digest(workdir / 'checkpoints' / str(step) / 'sha256.json')


def _digest(path: pathlib.Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as e:
        raise CheckpointError(f'{path} cannot be read ({e.strerror}): restore it') from e
