"""AdaBN: the batch statistics of a network measured anew on windows of the target."""

from __future__ import annotations

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from fdx.adapt.adabn import pooled_statistics
from fdx.data.pipeline import Examples, eval_batches
from fdx.models.batch_norm import MOMENTUM
from fdx.train import parallel
from fdx.train.feature_cache import EVAL_BATCH
from fdx.types import ConfigError


def make_statistics(model: nn.Module, *, start: int = 0) -> Callable:
    """Builds statistics(variables, batch) -> batch statistics moved by one batch; for `parallel.compile_forward`."""

    def statistics(variables: dict, batch: dict) -> dict:
        key = jax.random.key(0)  # Dropout stands behind the last norm.
        options = {'train': True, 'start': start, 'rngs': {'dropout': key}, 'mutable': ['batch_stats']}
        return model.apply(variables, batch['inputs'], mask=batch['mask'], **options)[1].get('batch_stats', {})

    return statistics


def target_statistics(statistics: Callable, variables: dict, stats: dict, examples: Examples) -> dict:
    """Statistics of all examples (Li et al., "Revisiting batch normalization for practical domain adaptation", 2016).

    Each batch is normalised by itself, as in training; means and variances of the batches are pooled exactly. Norms
    that are frozen keep theirs.

    Args:
      statistics: compiled `make_statistics`.
      variables: of the whole network.
      stats: batch statistics of the stages that run, as in a TrainState.
      examples: windows of the target; their labels are not read.

    Raises:
      ConfigError: the network keeps no statistics.
    """
    if not stats:
        raise ConfigError('--method=adabn: the network keeps no batch statistics that could be those of the target')
    counts, moved = [], []
    for batch in eval_batches(examples, EVAL_BATCH):
        new = statistics(variables, parallel.shard({'inputs': batch['inputs']}, EVAL_BATCH))
        counts.append(len(batch['inputs']))
        moved.append({stage: jax.device_get(new[stage]) for stage in stats})
    count = jnp.asarray(counts, jnp.float32)
    # What a running value moved by, over its momentum, is the batch's own value.
    own = jax.tree.map(
        lambda old, *new: np.stack([(np.asarray(n) - (1 - MOMENTUM) * np.asarray(old)) / MOMENTUM for n in new]),
        stats,
        *moved,
    )
    rests = jax.tree.map(lambda old, *new: all(np.array_equal(n, old) for n in new), stats, *moved)
    return _pooled(stats, own, rests, count)


def _pooled(old: dict, own: dict, rests: dict, count: jax.Array) -> dict:
    """Recurses to the norms, whose leaves are `mean` and `var`."""
    if set(old) != {'mean', 'var'}:
        return {name: _pooled(old[name], own[name], rests[name], count) for name in old}
    if rests['mean'] and rests['var']:
        return old
    mean, var = pooled_statistics(count, own['mean'], np.maximum(own['var'], 0))
    return {'mean': jnp.asarray(mean, jnp.float32), 'var': jnp.asarray(var, jnp.float32)}
