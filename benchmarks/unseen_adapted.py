"""The row of the benchmark `unseen` that adapts a network to the tested machine without its labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.adapt.config import AdaptConfig
from fdx.adapt.data import PairedBatches
from fdx.adapt.methods import get_method
from fdx.adapt.outputs import outputs_of
from fdx.adapt.programs import compile_programs, fresh_state
from fdx.data.pipeline import ArrayExamples, train_batches
from fdx.signal.front_ends import create_front_end
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.model_setup import set_up_model
from fdx.types import Recording

from .unseen_images import MOST_WINDOWS, NO_DATASET, Images, all_answered, common_rate_hz, labels_of
from .unseen_machines import STATES
from .unseen_verdicts import Verdicts

# The settings of the suites `machines` and `rigs` (benchmarks/adaptation_suite.py).
ADAPTATION: dict[str, Any] = {
    'method': 'mk_mmd',
    'model': 'band_mlp',
    'front_end': 'musicnn',
    'steps': 100,
    'batch_size': 32,
    'learning_rate': 1e-3,
    'windows_per_state': 200,
}


@dataclasses.dataclass(frozen=True)
class _Parts:
    """Windows of both sides: labelled ones of other machines, and those of the tested machine without labels."""

    source: ArrayExamples
    target: ArrayExamples
    of_recording: np.ndarray


class AdaptedMel:
    """Log-mel, a perceptron, and the adaptation method that did best between machines."""

    name = 'log_mel_adapted'
    words = (
        'log-mel (`musicnn`), mean over time, `band_mlp` with `mk_mmd`: of the methods in docs/benchmarks the one with '
        'the highest mean over `machines` and `rigs` by `source_risk`. 100 steps, 200 source windows of each state. '
        'All windows of the tested machine are seen, without labels. Mean over the windows of a recording; last step'
    )
    draws, learns, reads_speed = True, True, False

    def __init__(self) -> None:
        """Keeps images between calls."""
        self._images = Images(ADAPTATION['front_end'])

    def missing(self) -> str:
        """Nothing."""
        return ''

    def asked(self) -> dict[str, Any]:
        """See `Method`."""
        return {**ADAPTATION, 'windows': MOST_WINDOWS}

    def __call__(self, others: Sequence[Recording], tested: Sequence[Recording], seed: int) -> Verdicts:
        """As in `Method`."""
        parts = self._parts(others, tested, seed)
        config = TrainConfig(
            NO_DATASET,
            model=ADAPTATION['model'],
            dropout_rate=0.0,
            batch_size=ADAPTATION['batch_size'],
            learning_rate=ADAPTATION['learning_rate'],
            halve_every=0,
            l2=0.0,
            seed=seed,
        )
        plan = AdaptConfig(NO_DATASET, NO_DATASET, method=ADAPTATION['method'])
        front_end = create_front_end(ADAPTATION['front_end'], None)
        options = {'time_axis': front_end.axes.index('T')}
        config = dataclasses.replace(config, model_options=options)
        setup = set_up_model(config, len(STATES), parts.source.inputs.shape[1:])
        programs = compile_programs(config, plan, setup, 0)
        steps = ADAPTATION['steps']
        named = {'source_train': parts.source, 'target_train': parts.target}
        state = fresh_state(setup, programs, get_method(plan.method), named, start=0, seed=seed, total_steps=steps)
        batches = PairedBatches(
            train_batches(parts.source, config.batch_size, seed),
            train_batches(parts.target, config.batch_size, seed + 1),
        )
        for _ in range(steps):
            state, _ = programs.step(state, parallel.shard(next(batches), config.batch_size))
        logits = outputs_of(programs.forward, state.variables(), parts.target).logits.astype(np.float64)
        found = np.exp(logits - logits.max(axis=1, keepdims=True))
        found /= found.sum(axis=1, keepdims=True)
        return all_answered(np.stack([found[parts.of_recording == i].mean(axis=0) for i in range(len(tested))]))

    def _parts(self, others: Sequence[Recording], tested: Sequence[Recording], seed: int) -> _Parts:
        rate = common_rate_hz([*others, *tested])
        known, asked = self._images(others, rate), self._images(tested, rate)
        labels = np.repeat(labels_of(others), [len(i) for i in known])
        rng = np.random.default_rng(seed)
        chosen = [
            # A state with few windows is drawn with repetition, so that all states weigh alike.
            rng.choice(rows, ADAPTATION['windows_per_state'], replace=len(rows) < ADAPTATION['windows_per_state'])
            for state in range(len(STATES))
            if len(rows := np.flatnonzero(labels == state))
        ]
        rows = np.concatenate(chosen)
        target = np.concatenate(asked)
        return _Parts(
            ArrayExamples(np.concatenate(known)[rows], labels[rows]),
            # What stands here as labels is never read (fdx.adapt.step).
            ArrayExamples(target, np.zeros(len(target), np.int32)),
            np.repeat(np.arange(len(tested)), [len(i) for i in asked]),
        )
