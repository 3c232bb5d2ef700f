"""The terms of the adaptation methods, all of the same form: (domains, discriminator's parameters, progress) -> loss.

Each calls a function of fdx.adapt.terms, which holds the equation and the paper.
"""

from __future__ import annotations

from typing import NamedTuple

import jax

from fdx.adapt.terms.cdan import MAX_CONDITIONAL_SIZE, cdan, conditional_map, entropy_weights, randomised_map
from fdx.adapt.terms.coral import coral
from fdx.adapt.terms.dann import dann
from fdx.adapt.terms.discriminator import DomainDiscriminator
from fdx.adapt.terms.entropy import mean_entropy
from fdx.adapt.terms.jmmd import jmmd
from fdx.adapt.terms.masks import masked_mean
from fdx.adapt.terms.mcc import mcc
from fdx.adapt.terms.mk_mmd import mk_mmd
from fdx.adapt.terms.reversal import ramp, reverse_gradient

# Of the one kernel for probabilities, in squared units.
PROBABILITY_BANDWIDTH = 1.68
RANDOM_MAP_SEED = 0
RANDOM_MAP_SIZE = 1024


class Domains(NamedTuple):
    """One batch of both domains, from all devices.

    Attributes:
      source_features: float32 [Bs, D], target_features: float32 [Bt, D].
      source_logits: float32 [Bs, K], target_logits: float32 [Bt, K].
      source_mask: float32 [Bs], target_mask: float32 [Bt], 0 for padding.
      source_change: float32 [Bs], target_change: float32 [Bt]: how far a prediction moves in its worst direction
        (`virtual_adversarial`); zeros where the method does not ask.
      source_weights: float32 [Bs] of partial sets (fdx.adapt.class_weights); None where all windows count alike.
      target_weights: float32 [Bt] of open sets (fdx.adapt.open_sets), likewise.
    """

    source_features: jax.Array
    target_features: jax.Array
    source_logits: jax.Array
    target_logits: jax.Array
    source_mask: jax.Array
    target_mask: jax.Array
    source_change: jax.Array
    target_change: jax.Array
    source_weights: jax.Array | None = None
    target_weights: jax.Array | None = None


def _weights(d: Domains) -> dict:
    """Weights of the examples, as the terms take them."""
    return {'source_weights': d.source_weights, 'target_weights': d.target_weights}


def mk_mmd_term(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    """Multi-kernel MMD of the features."""
    del params, progress
    return mk_mmd(d.source_features, d.target_features, d.source_mask, d.target_mask, **_weights(d)), {}


def jmmd_term(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    """Joint MMD of features and predictions, whose kernel is that of the published code of JAN (Long et al., 2017)."""
    del params, progress
    source = (d.source_features, jax.nn.softmax(d.source_logits))
    target = (d.target_features, jax.nn.softmax(d.target_logits))
    bandwidths = (None, PROBABILITY_BANDWIDTH)
    return jmmd(source, target, d.source_mask, d.target_mask, bandwidths=bandwidths, **_weights(d)), {}


def coral_term(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    """Distance of the covariances of the features."""
    del params, progress
    return coral(d.source_features, d.target_features, d.source_mask, d.target_mask), {}


def mcc_term(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    """Class confusion of the target batch."""
    del params, progress
    return mcc(d.target_logits, d.target_mask), {}


def entropy_term(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    """Mean entropy of the predictions for the target."""
    del params, progress
    return mean_entropy(d.target_logits, d.target_mask), {}


def _judged(params: dict, x: jax.Array, progress: jax.Array) -> jax.Array:
    """The discriminator's logits; the gradient into x is reversed, by a factor that ramps up."""
    return DomainDiscriminator().apply({'params': params}, reverse_gradient(x, ramp(progress)))


def dann_term(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    """Loss of a domain discriminator on the features, and its accuracy."""
    source, target = (_judged(params, x, progress) for x in (d.source_features, d.target_features))
    if d.source_weights is None and d.target_weights is None:
        loss, accuracy = dann(source, target, d.source_mask, d.target_mask)
    else:  # The same losses; what the discriminator sees is all that distinguishes CDAN.
        loss, accuracy = cdan(source, target, d.source_mask, d.target_mask, **_weights(d))
    return loss, {'domain_accuracy': accuracy}


def _conditional(features: jax.Array, probabilities: jax.Array) -> jax.Array:
    if features.shape[1] * probabilities.shape[1] <= MAX_CONDITIONAL_SIZE:
        return conditional_map(features, probabilities)
    return randomised_map(features, probabilities, jax.random.key(RANDOM_MAP_SEED), RANDOM_MAP_SIZE)


def conditional_size(width: int, classes: int) -> int:
    """Size of what the discriminator of CDAN sees."""
    return width * classes if width * classes <= MAX_CONDITIONAL_SIZE else RANDOM_MAP_SIZE


def cdan_term(d: Domains, params: dict, progress: jax.Array, *, weighted: bool = False) -> tuple[jax.Array, dict]:
    """The same, of a discriminator conditioned on the predictions."""
    # As in the paper, the discriminator moves the features but not the predictions that it is conditioned on.
    source, target = (jax.lax.stop_gradient(jax.nn.softmax(x)) for x in (d.source_logits, d.target_logits))
    logits = (
        _judged(params, _conditional(features, p), progress)
        for features, p in ((d.source_features, source), (d.target_features, target))
    )
    weights: dict[str, jax.Array] = {}
    if weighted:
        weights = {
            'source_weights': entropy_weights(source, d.source_mask),
            'target_weights': entropy_weights(target, d.target_mask),
        }
    for name, own in _weights(d).items():
        if own is not None:
            weights[name] = own * weights.get(name, 1.0)
    of_source, of_target = logits
    loss, accuracy = cdan(of_source, of_target, d.source_mask, d.target_mask, **weights)
    return loss, {'domain_accuracy': accuracy}


def cdan_e_term(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    """`cdan_term` with examples weighted by how certain their predictions are."""
    return cdan_term(d, params, progress, weighted=True)


# The factors of VADA's objective: lambda_d, lambda_s and lambda_t of Shu et al., ICLR 2018, relative to each other.
VADA_DOMAIN, VADA_SOURCE, VADA_TARGET = 1e-2, 1.0, 1e-2


def dirt_t_term(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    """VADA: domain confusion, virtual adversarial training and conditional entropy."""
    # Virtual adversarial training, conditional entropy and domain confusion. The teacher of the second half is in
    # fdx.adapt.step.
    confusion, metrics = dann_term(d, params, progress)
    cluster = mean_entropy(d.target_logits, d.target_mask) + masked_mean(d.target_change, d.target_mask)
    smooth = masked_mean(d.source_change, d.source_mask)
    return VADA_DOMAIN * confusion + VADA_SOURCE * smooth + VADA_TARGET * cluster, metrics


def feature_size(width: int, classes: int) -> int:
    """Size of what the discriminator of DANN sees."""
    del classes
    return width
