"""Outputs of a frozen prefix, computed once: a frozen network gives the same features in every epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import flax.linen as nn
import numpy as np

from fdx.data.joined import JoinedExamples
from fdx.data.pipeline import ArrayExamples, Examples, RecordExamples, eval_batches, steps_per_epoch
from fdx.train import parallel
from fdx.train.steps import make_forward

EVAL_BATCH = 64
Progress = Callable[..., Iterable]


def no_progress(iterable: Iterable, **_) -> Iterable:
    """Shows nothing; launch programs pass a tqdm bar instead."""
    return iterable


def forward_all(
    forward: Callable, variables: dict, examples: Examples, *, progress: Progress = no_progress, what: str = 'forward'
) -> np.ndarray:
    """Runs a compiled forward pass over all examples.

    Args:
      forward: from `parallel.compile_forward`.
      variables: its first argument.
      examples: N examples.
      progress: wraps the iterable of batches; takes `total` and `desc`.
      what: text for the progress bar.

    Returns:
      float32 [N, ...]; padding of the last batch is cut off, so every example counts once. Outputs of an input that is
      not finite are NaN: a pool that compares may drop the NaN on its way, and what it leaves means nothing.
    """
    batches = progress(
        eval_batches(examples, EVAL_BATCH), total=steps_per_epoch(len(examples), EVAL_BATCH), desc=what
    )  # fmt: skip
    outputs = []
    for batch in batches:
        out = forward(variables, parallel.shard({'inputs': batch['inputs']}, EVAL_BATCH))
        outputs.append(_without_nonsense(np.asarray(out)[: len(batch['inputs'])], batch['inputs']))
    return np.concatenate(outputs)


def _without_nonsense(outputs: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Outputs [B, ...], NaN where the input [B, ...] holds a number that is not finite."""
    good = np.isfinite(inputs).reshape(len(inputs), -1).all(axis=1)
    if good.all():
        return outputs
    return np.where(good.reshape(-1, *[1] * (outputs.ndim - 1)), outputs, np.float32(np.nan))


class FeatureCache:
    """Features of a dataset's rows at the end of a frozen prefix; rows are computed when first asked for.

    One cache serves all folds and epochs of a run, as long as prefix, gain and dataset stay the same.
    """

    def __init__(self, model: nn.Module, prefix: dict, stop: int, progress: Progress = no_progress):
        """Caches the outputs of stages [0, stop) with the variables `prefix`."""
        self._forward = parallel.compile_forward(make_forward(model, stop=stop))
        self._prefix = prefix
        self._progress = progress
        self._features: dict[tuple, np.ndarray] = {}

    def examples(self, examples: RecordExamples | JoinedExamples, what: str) -> ArrayExamples:
        """The same examples with features as inputs."""
        if isinstance(examples, JoinedExamples):
            parts = [self.examples(part, what) for part in examples.parts if len(part)]
            return ArrayExamples(np.concatenate([part.inputs for part in parts]), examples.labels())
        source = str(examples.dataset.data_dir)
        keys = [(source, examples.gain, int(r)) for r in examples.rows]
        missing = np.array([r for k, r in zip(keys, examples.rows) if k not in self._features], np.int64)
        if len(missing):
            todo = RecordExamples(examples.dataset, missing, examples.label_key, examples.gain)
            out = forward_all(self._forward, self._prefix, todo, progress=self._progress, what=f'features {what}')
            self._features.update(((source, examples.gain, int(r)), f) for r, f in zip(missing, out))
        return ArrayExamples(np.stack([self._features[k] for k in keys]), examples.labels())
