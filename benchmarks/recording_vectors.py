"""What networks make of the windows of whole recordings of a machine, for benchmarks.few_recordings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.special

from fdx.data.pipeline import ArrayExamples
from fdx.predict.evidence_of import Knowledge, good_part, views_of
from fdx.predict.universal.judge import load_judge
from fdx.signal.front_ends import create_front_end, reads_orders
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.forward import forward_all
from fdx.train.model_setup import set_up_model
from fdx.train.partition import join_variables
from fdx.types import DataError, Recording

from .evidence_vectors import VERDICT, judge_vectors
from .few_recordings import MachineVectors
from .pretraining_suite import JUDGE, PLAIN, Network
from .stage_features import INPUT, make_stage_forward
from .unseen_images import NO_DATASET, Images, common_rate_hz
from .unseen_machines import STATES

# Ten turns of the shaft at 600 rpm, which fault orders need.
ORDERS_WINDOW_S = 1.0
NO_LABELS = 'no labels'


def classes_of(recordings: Sequence[Recording]) -> tuple[str, ...]:
    """The states that a machine has, in the order of STATES."""
    there = {r.fault_type for r in recordings}
    return tuple(state for state in STATES if state in there)


def machine_vectors(network: Network, init: str, recordings: Sequence[Recording], seed: int) -> MachineVectors:
    """What a network makes of the recordings of one machine.

    Args:
      network: of the suite.
      init: its weights, as TrainConfig takes them.
      recordings: of one machine, samples [T, 1], their fault_type among STATES.
      seed: of an untrained network.

    Raises:
      DataError: a recording that the front end or the judge refuses.
      WeightsError: weights that cannot be had.
    """
    classes = classes_of(recordings)
    labels = np.array([classes.index(r.fault_type) for r in recordings])
    if network.init == JUDGE:
        return _judged(recordings, classes, labels)
    name, rate_hz = network.front_ends[1], common_rate_hz(recordings)
    images = Images(name, ORDERS_WINDOW_S if reads_orders(name) else 0.0)(recordings, rate_hz)
    if network.init == PLAIN:
        return MachineVectors(labels, {INPUT: [part.reshape(len(part), -1) for part in images]})
    axes = create_front_end(name, rate_hz).axes
    found = _stages(network, init, np.concatenate(images), axes, len(classes), seed)
    ends = np.cumsum([len(part) for part in images])[:-1]
    return MachineVectors(labels, {stage: np.split(vectors, ends) for stage, vectors in found.items()})


def _stages(
    network: Network, init: str, images: np.ndarray, axes: str, classes: int, seed: int
) -> dict[str, np.ndarray]:
    """{INPUT or stage: float32 [N, D]} of images [N, ...]."""
    options = {'model': network.model, 'model_options': network.options}
    config = TrainConfig(NO_DATASET, init=init, freeze='head', seed=seed, **options)
    setup = set_up_model(config, classes, images.shape[1:])
    forward = parallel.compile_forward(make_stage_forward(setup, axes, 'bands'))
    variables = join_variables(setup.prefix, setup.params, setup.stats)
    return forward_all(forward, variables, ArrayExamples(images, np.zeros(len(images), np.int32)))


def _judged(recordings: Sequence[Recording], classes: Sequence[str], labels: np.ndarray) -> MachineVectors:
    """Each view that the judge has of a recording is a window; what it says by itself is a verdict without labels."""
    judge, stages, alone = load_judge(), {}, []
    columns = [judge.states.index(state) for state in classes]
    for recording in recordings:
        part = good_part(recording)
        if part.refusal is not None:
            raise DataError(f'{recording.recording}: {part.refusal}')
        found = judge_vectors(views_of(part.steadied().recording, Knowledge())[1], judge)
        for stage, vectors in found.items():
            stages.setdefault(stage, []).append(vectors)
        alone.append(scipy.special.softmax(found[VERDICT].mean(axis=0)[columns]))
    return MachineVectors(labels, stages, {NO_LABELS: np.stack(alone)})
