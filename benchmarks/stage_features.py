"""The output of every stage of a frozen network for the windows of a dataset, as one vector per stage."""

from __future__ import annotations

import hashlib
import io
import pathlib
import zipfile
from collections.abc import Callable, Mapping

import jax
import numpy as np

from fdx.data.pipeline import RecordExamples
from fdx.files import atomic_write_bytes
from fdx.models.truncated import POOLS, pool_bands
from fdx.signal.scaling import Gain
from fdx.train import parallel
from fdx.train.forward import Progress, forward_all, no_progress
from fdx.train.model_setup import ModelSetup
from fdx.train.partition import join_variables
from fdx.weights.structure import HEAD
from fdx.weights.trees import flatten_tree

# The front end's own image, averaged over time: the input of a linear classifier without any network.
INPUT = 'log_mel'
DIGEST_DIGITS = 16
Features = dict[str, np.ndarray]


def make_stage_forward(setup: ModelSetup, axes: str, pool: str) -> Callable:
    """Builds forward(variables, batch) -> {INPUT or stage: float32 [B, D]}; for `parallel.compile_forward`.

    Args:
      setup: the network, all its leading stages in one piece.
      axes: of the front end.
      pool: a key of POOLS.
    """
    stages = [stage for stage in setup.model.STAGES if stage != HEAD]
    time_axis = axes.index('T')

    def forward(variables: dict, batch: dict) -> dict[str, jax.Array]:
        images = batch['inputs']
        _, found = setup.model.apply(variables, images, train=False, stop=len(stages))
        vectors = {stage: POOLS[pool](found[stage], time_axis) for stage in stages}
        vectors[INPUT] = pool_bands(images, time_axis)
        return jax.tree.map(parallel.gather, vectors)

    return forward


class StageFeatures:
    """Pooled outputs of all stages for the rows of one dataset; computed once for each gain, kept on disk.

    Attributes:
      stages: names of the stages, from the first to the one before the classifier.
    """

    def __init__(
        self,
        setup: ModelSetup,
        examples: RecordExamples,
        folder: str | pathlib.Path | None = None,
        *,
        pool: str = 'bands',
        progress: Progress = no_progress,
    ):
        """Features of `examples`, whose rows are all that will be asked for.

        Args:
          setup: of `fdx.train.model_setup.set_up_model`.
          examples: rows; their gain does not matter.
          folder: where features are kept between calls; None: nowhere.
          pool: a key of POOLS, how a stage's map becomes a vector.
          progress: wraps the batches.
        """
        self.stages = tuple(stage for stage in setup.model.STAGES if stage != HEAD)
        self._variables = join_variables(setup.prefix, setup.params, setup.stats)
        self._forward = parallel.compile_forward(make_stage_forward(setup, examples.dataset.front_end.axes, pool))
        self._examples, self._pool = examples, pool
        self._folder = None if folder is None else pathlib.Path(folder)
        self._progress = progress
        self._found: dict[Gain, Features] = {}

    def __call__(self, gain: Gain) -> Features:
        """{INPUT or stage: float32 [N, D]} in the order of the examples, for signals times `gain`."""
        if gain not in self._found:
            path = None if self._folder is None else self._folder / f'{self._key(gain)}.npz'
            found = _load(path, len(self._examples)) if path else None
            if found is None:
                found = self._compute(gain)
                if path:
                    _save(path, found)
            self._found[gain] = found
        return self._found[gain]

    def _compute(self, gain: Gain) -> Features:
        examples = RecordExamples(self._examples.dataset, self._examples.rows, self._examples.label_key, gain)
        found = forward_all(self._forward, self._variables, examples, progress=self._progress, what='features')
        return {name: found[name] for name in (INPUT, *self.stages)}

    def _key(self, gain: Gain) -> str:
        """A digest that changes with anything that the features depend on."""
        dataset = self._examples.dataset
        # The classifier has no part in features, and is drawn anew for every seed.
        read = {kind: {k: v for k, v in tree.items() if k != HEAD} for kind, tree in self._variables.items()}
        digest = hashlib.sha256(variables_digest(read).encode())
        rows = hashlib.sha256(np.ascontiguousarray(self._examples.rows)).hexdigest()
        window = (dataset.table['recording'].tolist(), dataset.table['window_start'].tolist())
        told = (
            dataset.name,
            str(dataset.data_dir.resolve()),
            dataset.front_end.config(),
            rows,
            gain,
            window,
            self._pool,
        )
        digest.update(repr(told).encode())
        return digest.hexdigest()[:DIGEST_DIGITS]


def variables_digest(variables: Mapping) -> str:
    """SHA-256 over names and values of all arrays."""
    digest = hashlib.sha256()
    for name, array in sorted(flatten_tree(variables).items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def _save(path: pathlib.Path, features: Features) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **features)
    atomic_write_bytes(path, buffer.getvalue())


def _load(path: pathlib.Path, rows: int) -> Features | None:
    """What `_save` wrote; None where it is missing or cannot be read, so that it is computed again."""
    try:
        with np.load(path) as stored:
            features = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return features if all(len(f) == rows for f in features.values()) else None
