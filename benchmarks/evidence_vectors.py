"""What two rows of the pretraining benchmark see that are no network of fdx.train: fault orders, and the shipped judge.

The judge reads an image of the evidence of a recording (fdx.signal.evidence_image), or here also of a window. Its
representation has two stages. `read` is the vector that stands before its classifier, 64 values of each of its networks
side by side. `verdict` is the mean of their logits, one value per state.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fdx.data.source import Dataset, open_dataset
from fdx.models.registry import create_model
from fdx.predict.evidence_of import Knowledge, evidence_of
from fdx.predict.universal.judge import Judge, load_judge
from fdx.signal.evidence_image import evidence_image
from fdx.signal.scaling import Gain
from fdx.train.description import environment
from fdx.types import BearingGeometry, DataError, Recording
from fdx.weights.trees import unflatten_tree

from .probe import probe
from .probe_heads import ProbePlan
from .stage_features import INPUT, Features

READ, VERDICT, IMAGE = 'read', 'verdict', 'image'
BATCH = 64


def judge_vectors(images: np.ndarray, judge: Judge | None = None) -> Features:
    """The stages of the judge, and the images themselves.

    Args:
      images: float32 [N, ...], of fdx.signal.evidence_image.
      judge: another one than fdx ships.

    Returns:
      {INPUT: the flattened images, READ: [N, networks * 64], VERDICT: [N, states]}, float32.
    """
    judge = judge or load_judge()
    run = _stages_of(judge)
    parts = [run(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
    read, logits = (np.concatenate([np.asarray(part[k]) for part in parts], axis=1) for k in (0, 1))
    flat = images.reshape(len(images), -1).astype(np.float32)
    return {INPUT: flat, READ: np.concatenate(list(read), axis=-1), VERDICT: logits.mean(axis=0)}


def _stages_of(judge: Judge) -> Callable[[np.ndarray], tuple[jax.Array, jax.Array]]:
    """Function of images [N, ...]: (embeddings [networks, N, 64], logits [networks, N, states])."""
    model = create_model('evidence_judge', len(judge.states), **judge.card['options'])
    members = []
    for i in range(judge.card['members']):
        prefix = f'params/{i}/'
        own = {name.removeprefix(prefix): a for name, a in judge.arrays.items() if name.startswith(prefix)}
        members.append(unflatten_tree(own))
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *members)

    def one(params: dict, batch: jax.Array) -> tuple[jax.Array, jax.Array]:
        logits, found = model.apply({'params': params}, batch, train=False)
        return found['embedding'], logits

    return jax.jit(lambda batch: jax.vmap(one, in_axes=(0, None))(stacked, batch))


def evidence_of_row(dataset: Dataset, row: int) -> np.ndarray:
    """The image of evidence of one window, from its waveform, speed and bearing.

    Raises:
      DataError: the bearing is not known, or the window holds too few turns.
    """
    record = dataset.record(row, ('waveform', 'waveform_scale', 'geometry', 'speed_rpm', 'recording'))
    pitch, ball, balls, angle = (float(value) for value in record['geometry'])
    if not np.isfinite(pitch):
        raise DataError(f'{dataset.name}, {record["recording"]}: the bearing is not known')
    window = Recording(
        samples=record['waveform'].astype(np.float32) * record['waveform_scale'],
        sample_rate_hz=float(dataset.metadata['common_rate_hz']),
        recording=record['recording'],
        **dict.fromkeys(('label', 'fault_type', 'bearing', 'domain'), ''),
        speed_rpm=float(record['speed_rpm']),
        geometry=BearingGeometry(pitch, ball, round(balls), angle),
    )
    return evidence_image(evidence_of(window, Knowledge()))


@functools.lru_cache(maxsize=2)
def _judged(folder: str, name: str) -> Features:
    """Kept between the seeds and tasks of one dataset: its evidence takes minutes."""
    dataset = open_dataset(name, folder)
    return judge_vectors(np.stack([evidence_of_row(dataset, row) for row in range(len(dataset))]))


def judged_vectors(name: str, data_dir: str) -> Features:
    """`judge_vectors` of all windows of a prepared dataset."""
    return _judged(data_dir, name)


def image_vectors(name: str, data_dir: str) -> Features:
    """The images of a prepared dataset, flattened: {INPUT: float32 [N, D]}."""
    dataset = open_dataset(name, data_dir)
    return {INPUT: np.stack([dataset.inputs(row).ravel() for row in range(len(dataset))])}


def probe_vectors(name: str, data_dir: str, plan: ProbePlan, vectors: Callable[[str, str], Features]) -> dict[str, Any]:
    """Probes vectors that do not come from a network of fdx.train.

    Args:
      name: of the prepared dataset.
      data_dir: the folder of prepared datasets.
      plan: what is fitted and scored.
      vectors: (name, data_dir) -> {stage: float32 [rows, D]}, INPUT among them. INPUT alone is its own choice.

    Returns:
      What `benchmarks.probe.probe` returns, with dataset and front_end (names), and the environment.
    """
    dataset, found = open_dataset(name, data_dir), vectors(name, data_dir)
    stages = tuple(stage for stage in found if stage != INPUT) or (IMAGE,)

    def of_gain(gain: Gain) -> Features:
        del gain  # Evidence and orders drop the amplitude.
        return {IMAGE: found[INPUT], **found}

    results = probe(dataset, of_gain, stages, plan)
    return {'dataset': dataset.name, 'front_end': dataset.front_end.name, **results, **environment()}
