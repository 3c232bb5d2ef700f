"""AdaBN: the batch statistics of a network are measured again, on windows of the target."""

from __future__ import annotations

import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from fdx.adapt.terms.adabn import pooled_statistics
from fdx.data.pipeline import ArrayExamples, Examples
from fdx.models.batch_norm import BatchNorm, normalise_batch
from fdx.train import parallel
from fdx.train.forward import Progress, forward_batches, no_progress
from fdx.train.programs import KEPT
from fdx.types import ConfigError


def make_statistics(model: nn.Module, *, start: int = 0) -> Callable:
    """Builds statistics(variables, batch) -> what each norm sees of a batch; for `parallel.compile_forward`.

    The statistics are those that a norm normalises the batch by. They could also be computed from the change of its
    running values, over the momentum, but that difference loses digits where source and target lie far apart.

    Returns:
      function that returns: path of a norm -> {'mean' [C], 'var' [C] (biased), 'count' of values per channel}, over
      all devices and without padding. Frozen norms are left out.
    """

    def statistics(variables: dict, batch: dict) -> dict:
        seen: dict[str, dict] = {}

        def read(call, args, kwargs, context):
            norm = context.module
            if not isinstance(norm, BatchNorm) or context.method_name != '__call__' or norm.is_fixed(True):
                return call(*args, **kwargs)
            y, mean, var, count = normalise_batch(
                args[0], norm.scale, norm.bias, kwargs['mask'], norm.axis_name, norm.epsilon
            )
            seen['/'.join(norm.path)] = {'mean': mean, 'var': var, 'count': count}
            return y

        key = jax.random.key(0)  # Any key will do, as dropout comes after the last norm.
        options = {'train': True, 'start': start, 'rngs': {'dropout': key}, 'mutable': ['batch_stats']}
        with nn.intercept_methods(read):
            model.apply(variables, batch['inputs'], mask=batch['mask'], **options)
        return seen

    return statistics


@functools.lru_cache(maxsize=KEPT)
def compiled_statistics(model: nn.Module, *, start: int = 0, form: str = parallel.FORM) -> Callable:
    """`make_statistics`, compiled; runs of one network share it."""
    return parallel.compile_forward(make_statistics(model, start=start), form)


def shuffled(examples: ArrayExamples, seed: int) -> ArrayExamples:
    """The examples in another order.

    Those of a table follow each other by recording, and so by class. Deeper norms see what the first ones make of a
    batch, and a batch of one class would lose there what makes the class different.
    """
    order = np.random.default_rng(seed).permutation(len(examples))
    return ArrayExamples(examples.inputs[order], examples.targets[order])


def target_statistics(
    statistics: Callable, variables: dict, stats: dict, examples: Examples, progress: Progress = no_progress
) -> dict:
    """Statistics of all examples (Li et al., "Revisiting batch normalization for practical domain adaptation", 2016).

    Each batch is normalised by itself, as in training, so the batches must look like the target (see `shuffled`).
    Means and variances of the batches are pooled exactly. Frozen norms keep their statistics.

    Args:
      statistics: compiled `make_statistics`.
      variables: of the whole network.
      stats: batch statistics of the stages that run, as in a TrainState.
      examples: windows of the target; their labels are not read.
      progress: wraps the batches.

    Returns:
      a tree like `stats`; variances are biased, as `pooled_statistics` has them.

    Raises:
      ConfigError: the network keeps no statistics.
    """
    if not stats:
        raise ConfigError('`method`=adabn: the network keeps no batch statistics that the target could replace')
    passes = forward_batches(statistics, variables, examples, progress=progress, what='batch statistics')
    batches = [found for _, found in passes]
    seen = jax.tree.map(lambda *values: np.stack(values), *jax.device_get(batches))
    return _with(stats, seen, '')


def _with(old: dict, seen: dict[str, dict], path: str) -> dict:
    """The tree `old` with the pooled statistics of each norm in `seen`; a norm is a branch with `mean` and `var`."""
    if set(old) != {'mean', 'var'}:
        return {name: _with(branch, seen, f'{path}/{name}' if path else name) for name, branch in old.items()}
    if path not in seen:
        return old
    mean, var = pooled_statistics(seen[path]['count'], seen[path]['mean'], seen[path]['var'])
    return {'mean': jnp.asarray(mean, jnp.float32), 'var': jnp.asarray(var, jnp.float32)}
