"""Forward passes over examples: one padded loop, whatever the network returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from fdx.data.pipeline import Examples, eval_batches, steps_per_epoch
from fdx.train import parallel
from fdx.train.processes import on_every_process

EVAL_BATCH = 64
Progress = Callable[..., Iterable]


def no_progress(iterable: Iterable, **_) -> Iterable:
    """Shows nothing; launch programs pass a tqdm bar instead."""
    return iterable


def make_forward(model: nn.Module, *, start: int = 0, stop: int | None = None, feature: str | None = None) -> Callable:
    """Builds forward(variables, batch) -> output of stage `stop - 1`, gathered; for `parallel.compile_forward`.

    Args:
      model: a network of fdx.models.
      start: first stage, which the batch's `inputs` go into.
      stop: one after the last stage; None: the logits.
      feature: a named feature to return instead.
    """

    def forward(variables: dict, batch: dict) -> jax.Array:
        output, features = model.apply(variables, batch['inputs'], train=False, start=start, stop=stop)
        return parallel.gather(features[feature] if feature else output)

    return forward


def forward_batches(
    forward: Callable, variables: dict, examples: Examples, *, progress: Progress = no_progress, what: str = 'forward'
) -> Iterator[tuple[np.ndarray, Any]]:
    """Runs a compiled forward pass batch by batch; the last batch is padded, and its mask says where.

    Args:
      forward: from `parallel.compile_forward`.
      variables: its first argument.
      examples: N examples.
      progress: wraps the iterable of batches; takes `total` and `desc`.
      what: text for the progress bar.

    Yields:
      (inputs [B, ...] of a batch without padding, what `forward` returned for the padded batch). With several
      processes, each has read its part of the inputs alone, and the rest is zeros.
    """
    batches = progress(
        eval_batches(examples, EVAL_BATCH, parallel.part(EVAL_BATCH)),
        total=steps_per_epoch(len(examples), EVAL_BATCH),
        desc=what,
    )
    for batch in batches:
        yield batch['inputs'], forward(variables, parallel.shard({'inputs': batch['inputs']}, EVAL_BATCH))


def forward_all(
    forward: Callable, variables: dict, examples: Examples, *, progress: Progress = no_progress, what: str = 'forward'
) -> Any:
    """Runs a compiled forward pass over all examples; the arguments are those of `forward_batches`.

    Returns:
      What `forward` returns, one array or a tree of them, each float32 [N, ...]. Padding of the last batch is cut off,
      so every example counts once. Outputs of an input that is not finite are NaN: a pool that compares may drop the
      NaN on its way, and what it leaves means nothing.
    """
    parts, finite = [], []
    for inputs, found in forward_batches(forward, variables, examples, progress=progress, what=what):
        n = len(inputs)
        finite.append(np.isfinite(inputs).reshape(n, -1).all(axis=1))
        parts.append(jax.tree.map(lambda x, n=n: np.asarray(x)[:n], found))
    good = on_every_process(np.concatenate(finite))
    return jax.tree.map(lambda *arrays: _only_good(np.concatenate(arrays), good), *parts)


def _only_good(outputs: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Outputs [B, ...], NaN where `good` [B] is False."""
    if good.all():
        return outputs
    return np.where(good.reshape(-1, *[1] * (outputs.ndim - 1)), outputs, np.float32(np.nan))
