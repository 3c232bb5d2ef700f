"""The per-device training step on batches of two domains."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax

from fdx.adapt.class_weights import SHARES, shares_after, source_weights, weighted_loss
from fdx.adapt.generalise import apply_with_mixed_styles, mixed_with_other_domains, source_losses, worst_domain_loss
from fdx.adapt.method_terms import Domains
from fdx.adapt.methods import Method
from fdx.adapt.refinement import refinement, taught, teacher_logits
from fdx.adapt.schedule import after_warm_up
from fdx.adapt.terms.one_vs_all import known_chance, one_vs_all_losses
from fdx.adapt.terms.reversal import ramp
from fdx.adapt.terms.virtual_adversarial import virtual_adversarial
from fdx.models.staged import HEAD
from fdx.train import parallel
from fdx.train.partition import apply_updates, join_variables, mean_gradients, stop_frozen_gradients
from fdx.train.steps import TrainState

# What `teacher` holds for open sets.
HEAD_BIAS = 'head_bias'


@flax.struct.dataclass
class AdaptState(TrainState):
    """A TrainState whose `opt_state` is {'network', 'extra'}, with what adaptation trains besides the network.

    Attributes:
      extra: parameters of the method's discriminator, or its weights of source domains; {} where it has none.
      teacher: slowly moving copy of `params`; for partial sets the sliding shares of the classes (`class_weights`);
        for open sets the trained bias of the classifier, which the kept network shifts (`rejection`); {} otherwise.
      total_steps: int32 scalar, steps of the whole run, over which the ramp rises. It is an array because runs of
        different lengths share a compiled program.
    """

    extra: dict = flax.struct.field(default_factory=dict)
    teacher: dict = flax.struct.field(default_factory=dict)
    total_steps: jax.Array | np.int32 | int = 1


def as_vectors(x: jax.Array) -> jax.Array:
    """[B, ..., D] -> [B, D]: the mean over the positions of a map."""
    return x if x.ndim == 2 else x.mean(tuple(range(1, x.ndim - 1)))


def _whole(tree):
    """Arrays [B, ...] of all devices, in the order of the global batch."""
    return jax.tree.map(parallel.gather, tree)


def make_adapt_step(
    model: nn.Module,
    optimiser: optax.GradientTransformation,
    extra_optimiser: optax.GradientTransformation,
    mask: dict,
    method: Method,
    *,
    start: int,
    feature: str,
    weight: float,
    radius: float,
    warm_up: float,
    schedule: Callable[[jax.Array], jax.Array],
    rejects: bool = False,
) -> Callable:
    """Builds step(state, batch) -> (state, metrics), to be compiled by `parallel.compile_step`.

    The batch holds `source` and, where the method sees it, `target`, each with `inputs` [B, ...], `labels` (only those
    of the source are read) and `mask`; methods that tell several source domains apart need `domains` of the source.
    Both domains go through the network as one batch, so that batch norms see both. Their examples take turns in it: the
    place of each, and so its dropout, is then the same on any number of devices.

    Until the share `warm_up` of the run is done, the source alone is learned; then the term rises. `schedule` turns the
    share of the run that is done into a factor of the learning rate (fdx.adapt.schedule).

    With `rejects`, for open sets, the last output is the class `unknown` (fdx.adapt.terms.one_vs_all), and windows of
    the target count in the term by their chance to be of a known class.

    Terms are computed from the gathered batch, the same on every device. The gradient of a gather adds up the gradients
    of all devices, so their mean over the devices is the gradient of one loss over the whole batch.
    """

    def step(state: AdaptState, batch: dict) -> tuple[AdaptState, dict]:
        source, target = batch['source'], batch.get('target')
        count = jax.lax.psum(source['mask'].sum(), parallel.AXIS)
        key = jax.random.fold_in(jax.random.key(state.seed), state.step)
        done = state.step.astype(jnp.float32) / jnp.maximum(state.total_steps, 1)
        progress, late = after_warm_up(done, warm_up), done >= 0.5
        counts = source_weights(state.teacher, source['labels'], done >= warm_up) if SHARES in state.teacher else None
        if method.mixes_domains:
            source = mixed_with_other_domains(source, key)
        apply = partial(apply_with_mixed_styles, model, source, key) if method.mixes_styles else model.apply

        def loss_fn(trained: dict):
            params = stop_frozen_gradients(trained['network'], mask)
            variables = join_variables(state.prefix, params, state.stats)
            parts = [source, target] if method.sees_target else [source]
            logits, features, stats = _forward(model, apply, variables, parts, start, key, feature)
            losses = source_losses(logits[0], source)
            metrics: dict[str, jax.Array] = {}
            total, term = (losses * source['mask']).sum(), jnp.float32(0)
            supervised = total * jax.lax.axis_size(parallel.AXIS) / count
            weights: dict[str, jax.Array] = {}
            if method.weighs_domains:
                supervised, weights = worst_domain_loss(losses, source, state.extra)
            if counts is not None:
                supervised = weighted_loss(losses, source['mask'], counts)
            if method.term is not None:
                change = _changes(model, variables, parts, start, key, radius) if method.perturbs else None
                domains = _domains(logits, features, parts, change)._replace(
                    source_weights=None if counts is None else _whole(counts),
                    target_weights=_whole(known_chance(logits[1])) if rejects else None,
                )
                term, metrics = method.term(domains, trained['extra'], progress)
                # Terms that ramp a reversed gradient train their discriminator at full rate, from the warm-up's end on.
                term *= weight * (ramp(progress) if method.ramped else (done >= warm_up))
            if rejects:
                boundary = (one_vs_all_losses(logits[0], source['labels']) * source['mask']).sum()
                supervised += boundary * jax.lax.axis_size(parallel.AXIS) / count
            if method.refines:
                follow = refinement(domains, teacher_logits(model, state, batch['target'], start))
                supervised, term = jnp.where(late, 0.0, supervised), jnp.where(late, follow, term)
            return supervised + term, (total, term, logits, stats, metrics, weights)

        found = jax.grad(loss_fn, has_aux=True)({'network': state.params, 'extra': state.extra})
        grads, (total, term, logits, stats, metrics, weights) = found
        hits = ((logits[0].argmax(-1) == source['labels']) * source['mask']).sum()
        sums = jax.lax.psum({'loss': total, 'correct': hits}, parallel.AXIS)
        metrics = {**sums, 'count': count, 'term': jax.lax.pmean(term, parallel.AXIS), **metrics}
        new = _updated(state, _reduced(grads, mask), stats, mask, (optimiser, extra_optimiser), schedule(done))
        new = dataclasses.replace(new, extra=weights) if method.weighs_domains else new
        if counts is not None:
            shares = shares_after(state.teacher, *_whole((logits[1], batch['target']['mask'])))
            new = dataclasses.replace(new, teacher=shares)
        if rejects:
            new = dataclasses.replace(new, teacher={HEAD_BIAS: new.params[HEAD]['bias']})
        return (dataclasses.replace(new, teacher=taught(state, new, late)) if method.refines else new), metrics

    return step


def _reduced(grads: dict, mask: dict) -> dict:
    """Means over devices; gradients of frozen parameters are not sent around."""
    return {'network': mean_gradients(grads['network'], mask), 'extra': jax.lax.pmean(grads['extra'], parallel.AXIS)}


def _forward(model: nn.Module, apply: Callable, variables: dict, parts: Sequence[dict], start: int, key, feature: str):
    """(logits of each part, feature vectors of each, batch statistics after the batch): all parts in one batch."""
    inputs, mask = (_in_turns([p[name] for p in parts]) for name in ('inputs', 'mask'))
    options = {'train': True, 'start': start, 'rngs': {'dropout': key}}
    stats = {}
    if model.HAS_STATISTICS:
        (logits, features), changed = apply(variables, inputs, mask=mask, mutable=['batch_stats'], **options)
        stats = changed.get('batch_stats', {})
    else:
        logits, features = apply(variables, inputs, **options)
    # With cached features the layer may be the last cached one: its values are then the inputs.
    vectors, count = as_vectors(features.get(feature, inputs)), len(parts)
    return [logits[i::count] for i in range(count)], [vectors[i::count] for i in range(count)], stats


def _in_turns(arrays: Sequence[jax.Array]) -> jax.Array:
    """The first example of each of n arrays [B, ...], then the second of each, and so on: [n * B, ...]."""
    return jnp.stack(arrays, 1).reshape(-1, *arrays[0].shape[1:])


def _changes(model: nn.Module, variables: dict, parts: Sequence[dict], start: int, key, radius: float) -> list:
    """Change of each example's prediction in its worst direction; the network acts as in evaluation."""

    def network(x: jax.Array) -> jax.Array:
        return model.apply(variables, x, train=False, start=start)[0]

    changes = []
    for i, part in enumerate(parts):
        first = jax.lax.axis_index(parallel.AXIS) * part['inputs'].shape[0]
        own = jax.random.fold_in(key, 1 + i)
        changes.append(virtual_adversarial(network, part['inputs'], part['mask'], own, radius, first=first))
    return changes


def _domains(logits: Sequence[jax.Array], features: Sequence[jax.Array], parts: Sequence[dict], change) -> Domains:
    masks = [part['mask'] for part in parts]
    change = change or [jnp.zeros_like(mask) for mask in masks]
    return Domains(*_whole((*features, *logits, *masks, *change)))


def _updated(state: AdaptState, grads: dict, stats: dict, mask: dict, optimisers, rate: jax.Array) -> AdaptState:
    optimiser, extra_optimiser = optimisers
    updates, of_network = optimiser.update(grads['network'], state.opt_state['network'], state.params)
    updates = jax.tree.map(lambda u: rate * u, updates)
    params = apply_updates(state.params, updates, mask)
    extra, of_extra = state.extra, state.opt_state['extra']
    if extra:
        updates, of_extra = extra_optimiser.update(grads['extra'], of_extra, extra)
        updates = jax.tree.map(lambda u: rate * u, updates)
        extra = optax.apply_updates(extra, updates)
    return dataclasses.replace(
        state,
        step=state.step + 1,
        params=params,
        stats={stage: stats[stage] for stage in state.stats},
        opt_state={'network': of_network, 'extra': of_extra},
        extra=extra,
    )
