"""The table of adaptation methods: what each adds to the source's cross-entropy.

A term sees the whole batch of both domains (all devices), features [B, D] of the layer that adapts and logits [B, K].
To add a method, write its term in a file of its own and a line in METHODS.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

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
from fdx.types import ConfigError

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
    """

    source_features: jax.Array
    target_features: jax.Array
    source_logits: jax.Array
    target_logits: jax.Array
    source_mask: jax.Array
    target_mask: jax.Array
    source_change: jax.Array
    target_change: jax.Array


Term = Callable[[Domains, dict, jax.Array], tuple[jax.Array, dict]]


@dataclasses.dataclass(frozen=True)
class Method:
    """One entry of the table.

    Attributes:
      words: what it does, for --help and reports.
      term: (domains, discriminator's parameters, progress in [0, 1]) -> (loss, metrics); None: nothing is added.
      weight: default factor of the term; it rises from 0 along `ramp` where `ramped`.
      ramped: whether the factor rises; adversarial terms ramp the reversed gradient inside instead.
      discriminates: the size of what a discriminator sees, from (D, K); None: there is none.
      perturbs: whether the term needs `source_change` and `target_change`.
      refines: whether the second half of the run leaves the source and follows a slowly moving teacher.
      by_feature: whether the term reaches the network through the layer that adapts alone, not through predictions.
      target_statistics: whether batch statistics of the target replace those of training in the network that is kept.
    """

    words: str
    term: Term | None = None
    weight: float = 1.0
    ramped: bool = True
    discriminates: Callable[[int, int], int] | None = None
    perturbs: bool = False
    refines: bool = False
    by_feature: bool = False
    target_statistics: bool = False

    @property
    def sees_target(self) -> bool:
        """Whether windows of the target take part in training steps."""
        return self.term is not None


def _mk_mmd(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    del params, progress
    return mk_mmd(d.source_features, d.target_features, d.source_mask, d.target_mask), {}


def _jmmd(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    del params, progress
    source = (d.source_features, jax.nn.softmax(d.source_logits))
    target = (d.target_features, jax.nn.softmax(d.target_logits))
    return jmmd(source, target, d.source_mask, d.target_mask), {}


def _coral(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    del params, progress
    return coral(d.source_features, d.target_features, d.source_mask, d.target_mask), {}


def _mcc(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    del params, progress
    return mcc(d.target_logits, d.target_mask), {}


def _entropy(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    del params, progress
    return mean_entropy(d.target_logits, d.target_mask), {}


def _judged(params: dict, x: jax.Array, progress: jax.Array) -> jax.Array:
    """The discriminator's logits; the gradient into x is reversed, by a factor that ramps up."""
    return DomainDiscriminator().apply({'params': params}, reverse_gradient(x, ramp(progress)))


def _dann(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    source, target = (_judged(params, x, progress) for x in (d.source_features, d.target_features))
    loss, accuracy = dann(source, target, d.source_mask, d.target_mask)
    return loss, {'domain_accuracy': accuracy}


def _conditional(features: jax.Array, probabilities: jax.Array) -> jax.Array:
    if features.shape[1] * probabilities.shape[1] <= MAX_CONDITIONAL_SIZE:
        return conditional_map(features, probabilities)
    return randomised_map(features, probabilities, jax.random.key(RANDOM_MAP_SEED), RANDOM_MAP_SIZE)


def _conditional_size(width: int, classes: int) -> int:
    return width * classes if width * classes <= MAX_CONDITIONAL_SIZE else RANDOM_MAP_SIZE


def _cdan(d: Domains, params: dict, progress: jax.Array, *, weighted: bool = False) -> tuple[jax.Array, dict]:
    # The discriminator moves the features, not the predictions it is conditioned on, as its authors have it.
    source, target = (jax.lax.stop_gradient(jax.nn.softmax(x)) for x in (d.source_logits, d.target_logits))
    logits = (
        _judged(params, _conditional(features, p), progress)
        for features, p in ((d.source_features, source), (d.target_features, target))
    )
    weights = {}
    if weighted:
        weights = {
            'source_weights': entropy_weights(source, d.source_mask),
            'target_weights': entropy_weights(target, d.target_mask),
        }
    loss, accuracy = cdan(*logits, d.source_mask, d.target_mask, **weights)
    return loss, {'domain_accuracy': accuracy}


def _cdan_e(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    return _cdan(d, params, progress, weighted=True)


# Of VADA's objective: lambda_d, lambda_s and lambda_t of Shu et al., ICLR 2018, relative to each other.
VADA_DOMAIN, VADA_SOURCE, VADA_TARGET = 1e-2, 1.0, 1e-2


def _dirt_t(d: Domains, params: dict, progress: jax.Array) -> tuple[jax.Array, dict]:
    # Virtual adversarial training, conditional entropy and domain confusion; the teacher of the second half: fdx.train.
    confusion, metrics = _dann(d, params, progress)
    cluster = mean_entropy(d.target_logits, d.target_mask) + masked_mean(d.target_change, d.target_mask)
    smooth = masked_mean(d.source_change, d.source_mask)
    return VADA_DOMAIN * confusion + VADA_SOURCE * smooth + VADA_TARGET * cluster, metrics


def _width(width: int, classes: int) -> int:
    del classes
    return width


METHODS: dict[str, Method] = {
    'source_only': Method('no adaptation: the source alone is learned'),
    'adabn': Method('batch statistics of the target replace those of training', target_statistics=True),
    'mk_mmd': Method('distance of mean kernel embeddings of a layer', _mk_mmd, by_feature=True),
    'jmmd': Method('distance of joint kernel embeddings of a layer and the predictions', _jmmd),
    'coral': Method('distance of covariances of a layer', _coral, weight=10.0, by_feature=True),
    'dann': Method(
        'a domain discriminator whose gradient is reversed', _dann, ramped=False, discriminates=_width, by_feature=True
    ),
    'cdan': Method(
        'the same, conditioned on the predictions',
        _cdan,
        ramped=False,
        discriminates=_conditional_size,
        by_feature=True,
    ),
    'cdan_e': Method(
        'the same, weighted by how certain predictions are',
        _cdan_e,
        ramped=False,
        discriminates=_conditional_size,
        by_feature=True,
    ),
    'mcc': Method('least confusion among the classes of a target batch', _mcc),
    'entropy': Method('certain predictions for the target', _entropy, weight=0.1),
    'dirt_t': Method(
        'virtual adversarial training and conditional entropy (VADA), then a teacher without the source',
        _dirt_t,
        ramped=False,
        discriminates=_width,
        perturbs=True,
        refines=True,
    ),
}


def get_method(name: str) -> Method:
    """The entry of a name; ConfigError lists the known ones."""
    if name not in METHODS:
        raise ConfigError(f'unknown method {name!r}; fdx has: {", ".join(METHODS)}')
    return METHODS[name]


def init_discriminator(method: Method, width: int, classes: int, key: jax.Array) -> dict:
    """Parameters of the method's discriminator for D = width and K = classes; {} where it has none."""
    if method.discriminates is None:
        return {}
    x = jnp.zeros((1, method.discriminates(width, classes)), jnp.float32)
    return DomainDiscriminator().init(key, x)['params']
