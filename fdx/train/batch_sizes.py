"""Batches that a batch norm cannot use: a single example with one value per channel.

The mean is then the value itself and the variance is 0, so the norm puts out its bias, whatever the example is. Nothing
can be learned from that, and the running variance falls towards 0 (torch raises an error in this case). Padding does
not help, as norms look only at real examples.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from fdx.data.pipeline import Examples
from fdx.models.batch_norm import BatchNorm
from fdx.train.model_setup import ModelSetup
from fdx.train.partition import join_variables
from fdx.types import ConfigError


def lonely_norm(setup: ModelSetup, input_shape: tuple[int, ...], start: int = 0) -> str | None:
    """Path of the first batch norm that sees, in training, one value per channel and example; None if there is none.

    Args:
      setup: of a run; its frozen norms are skipped, as they normalise by their running statistics.
      input_shape: of what goes into stage `start`, without the batch.
      start: first stage that runs.
    """
    if not setup.model.HAS_STATISTICS:
        return None
    model, lonely = setup.model.clone(axis_name=None), []

    def look(call, args, kwargs, context):
        norm = context.module
        if isinstance(norm, BatchNorm) and context.method_name == '__call__' and not norm.is_fixed(True):
            batch, *places, _ = args[0].shape
            if batch and np.prod(places, dtype=np.int64) == 1:
                lonely.append('/'.join(norm.path))
        return call(*args, **kwargs)

    def run(variables: dict, inputs: jax.Array):
        options = {'train': True, 'start': start, 'rngs': {'dropout': jax.random.key(0)}, 'mutable': ['batch_stats']}
        return model.apply(variables, inputs, mask=jnp.ones(len(inputs)), **options)

    variables = join_variables(setup.prefix, setup.params, setup.stats)
    with nn.intercept_methods(look):
        jax.eval_shape(run, variables, jax.ShapeDtypeStruct((2, *input_shape), np.float32))
    return lonely[0] if lonely else None


def check_batches(
    setup: ModelSetup, examples: Examples, batch_size: int, start: int = 0, what: str = 'training'
) -> None:
    """Refuses batch sizes that leave a batch of one example where a norm sees one value per channel.

    Args:
      setup: of the run.
      examples: what is trained on.
      batch_size: of the run, over all devices.
      start: first stage that the examples go into.
      what: the kind of examples in words, for messages.

    Raises:
      ConfigError: the text names the norm, the batch and a size that can be used.
    """
    count = len(examples)
    if count == 0 or 1 not in {min(batch_size, count), count % batch_size}:
        return
    norm = lonely_norm(setup, np.shape(examples[0]['inputs']), start)
    if norm is None:
        return
    reason = f'batch norm {norm} of the network sees one value per channel in it, and puts out its bias for any input'
    if batch_size == 1:
        raise ConfigError(f'`batch_size`=1: a batch of one example cannot be trained on: {reason}; use 2 or more')
    if count == 1:
        raise ConfigError(f'there is only one {what} example: {reason}; more recordings or labels are needed')
    fits = [b for b in range(2, 2 * batch_size + 1) if count % b != 1]
    nearest = min(fits, key=lambda b: (abs(b - batch_size), b))
    raise ConfigError(
        f'`batch_size`={batch_size}: the last batch of the {count} {what} examples holds only one: {reason}; use e.g. '
        f'`batch_size`={nearest}'
    )
