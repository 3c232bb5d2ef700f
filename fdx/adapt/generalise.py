"""Domain generalisation inside a training step: what is done with a batch of several source domains, on any devices.

Pairs and statistics are of the whole batch of all devices; each device then treats its own examples. The equations and
papers are in fdx.adapt.terms: `domain_mixup`, `group_dro`, `mix_style`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from fdx.adapt.methods import get_method
from fdx.adapt.terms import domain_mixup as mixup
from fdx.adapt.terms import mix_style as styles
from fdx.adapt.terms.group_dro import group_dro
from fdx.adapt.terms.partners import Pairing, draw_pairing
from fdx.train import parallel
from fdx.train.model_setup import ModelSetup
from fdx.train.partition import join_variables
from fdx.types import ConfigError

# Keeps the random numbers of pairs apart from those of dropout and of perturbations.
STREAM = 0xD06
# MixStyle stands behind so many stages at most.
STYLED_STAGES = 2


def _pairing(source: dict, key: jax.Array, alpha: float) -> Pairing:
    """Pairs of the whole batch."""
    return draw_pairing(parallel.gather(source['domains']), parallel.gather(source['mask']), key, alpha)


def _own(whole: Any, count: int) -> Any:
    """The part of this device, `count` examples, of arrays of the whole batch."""
    first = jax.lax.axis_index(parallel.AXIS) * count
    return jax.tree.map(lambda x: jax.lax.dynamic_slice_in_dim(x, first, count), whole)


def mixed_with_other_domains(source: dict, key: jax.Array) -> dict:
    """The source's batch after mixup across domains.

    Args:
      source: `inputs` [B, ...], `labels`, `domains` and `mask` [B] of this device.
      key: of the step.

    Returns:
      the batch with mixed `inputs`; `labels` have the larger share, `share` [B], and `other_labels` the rest.
    """
    pairing = _pairing(source, jax.random.fold_in(key, STREAM), mixup.ALPHA)
    inputs, labels = (parallel.gather(source[name]) for name in ('inputs', 'labels'))
    own = _own((mixup.domain_mixup(inputs, pairing), labels[pairing.partner], pairing.share), len(source['labels']))
    mixed, other, share = own
    larger = share >= 0.5
    return {
        **source,
        'inputs': mixed,
        'labels': jnp.where(larger, source['labels'], other),
        'other_labels': jnp.where(larger, other, source['labels']),
        'share': jnp.where(larger, share, 1 - share),
    }


def source_losses(logits: jax.Array, source: dict) -> jax.Array:
    """Cross-entropy of each example in nats, [B]; of mixed ones, that of both labels."""
    if 'other_labels' in source:
        return mixup.mixed_cross_entropy(logits, source['labels'], source['other_labels'], source['share'])
    return optax.softmax_cross_entropy_with_integer_labels(logits, source['labels'])


def worst_domain_loss(losses: jax.Array, source: dict, extra: dict) -> tuple[jax.Array, dict]:
    """(loss of group DRO, the same on every device; `extra` with the weights after this batch)."""
    losses, domains, mask = (parallel.gather(x) for x in (losses, source['domains'], source['mask']))
    loss, weights = group_dro(losses, domains, mask, extra['domain_weights'])
    return loss, {'domain_weights': weights}


def styled_places(model: nn.Module, variables: dict, inputs: jax.Array | jax.ShapeDtypeStruct, start: int) -> list[int]:
    """Stages in front of which styles are mixed: behind the first stages that put out maps, else at the input.

    Args:
      model: a network of fdx.models.
      variables: of the stages from `start` on.
      inputs: [B, ...] of stage `start`, or their shape.
      start: the first stage that runs.

    Returns:
      numbers of stages; [] where neither the input nor an output of the first stages has several positions.
    """
    x, places = jax.ShapeDtypeStruct(inputs.shape, inputs.dtype), []
    for stage in range(start, start + STYLED_STAGES):

        def run(x: jax.Array, stage: int = stage) -> jax.Array:
            return model.apply(variables, x, train=False, start=stage, stop=stage + 1)[0]

        x = jax.eval_shape(run, x)
        if not styles.is_map(x.shape):
            break
        places.append(stage + 1)
    return places or ([start] if styles.is_map(inputs.shape) else [])


def check_maps(method: str, setup: ModelSetup, inputs: np.ndarray, start: int) -> None:
    """ConfigError where a method mixes styles and no stage gets or puts out a map; `inputs` go into stage `start`."""
    if not get_method(method).mixes_styles:
        return
    variables = join_variables(setup.prefix, setup.params, setup.stats)
    example = jax.ShapeDtypeStruct((1, *inputs.shape[1:]), np.float32)
    if not styled_places(setup.model.clone(axis_name=None), variables, example, start):
        raise ConfigError(
            f'`method`={method} mixes styles, which only maps have, and the stages that train get vectors of '
            f'{inputs.shape[-1]} values: take a front end and a network with maps, or set `freeze` to none'
        )


def apply_with_mixed_styles(
    model: nn.Module, source: dict, key: jax.Array, variables: dict, inputs: jax.Array, *, start: int, **options: Any
):
    """`model.apply` for training on the source alone, with MixStyle behind its first stages.

    Args:
      model: a network of fdx.models.
      source: `domains` and `mask` [B] of this device.
      key: of the step.
      variables: of the network.
      inputs: [B, ...] of stage `start`.
      start: the first stage that runs.
      **options: of `model.apply`.
    """
    output: Any = inputs
    features: dict = {}
    stops = [*styled_places(model, variables, inputs, start), None]
    for place, (first, stop) in enumerate(pairwise([start, *stops])):
        if stop != first:  # Else styles are mixed at the input.
            found = model.apply(variables, output, start=first, stop=stop, **options)
            if 'mutable' in options:
                found, changed = found
                variables = {**variables, **changed}
            output, features = found[0], {**features, **found[1]}
        if stop is not None:
            output = _with_mixed_styles(output, source, jax.random.fold_in(key, STREAM + place))
    found = output, features
    return (found, {k: variables[k] for k in options['mutable'] if k in variables}) if 'mutable' in options else found


def _with_mixed_styles(x: jax.Array, source: dict, key: jax.Array) -> jax.Array:
    """Maps x [B, ..., C] of this device in mixed styles, with the probability of the paper; else as they are."""
    coin_key, pair_key = jax.random.split(key)
    everyone = jax.tree.map(parallel.gather, styles.style(x))
    pairing = _own(_pairing(source, pair_key, styles.ALPHA), len(x))
    mixed = styles.mix_style(x, pairing, everyone)
    return jnp.where(jax.random.bernoulli(coin_key, styles.PROBABILITY), mixed, x)
