"""The table of adaptation methods: what each adds to the cross-entropy of the source.

A term sees the whole batch of both domains from all devices: features [B, D] of the layer that adapts, and logits
[B, K]. To add a method, write its term in fdx.adapt.terms, bring it into the form of
fdx.adapt.method_terms, and add an entry to METHODS.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp

from fdx.adapt.method_terms import (
    Domains,
    cdan_e_term,
    cdan_term,
    conditional_size,
    coral_term,
    dann_term,
    dirt_t_term,
    entropy_term,
    feature_size,
    jmmd_term,
    mcc_term,
    mk_mmd_term,
)
from fdx.adapt.terms.discriminator import DomainDiscriminator
from fdx.types import ConfigError

# The published code of DAN and JAN sums five kernels where fdx takes their mean, so that a kernel of an example with
# itself is 1: the factor gives the term the same strength.
KERNELS = 5.0
# The published code of Deep CORAL leaves out the 1 / (n - 1) of both covariances: 31^2 for batches of 32 and 32.
CORAL = 961.0

Term = Callable[[Domains, dict, jax.Array], tuple[jax.Array, dict]]


@dataclasses.dataclass(frozen=True)
class Method:
    """One entry of the table.

    Attributes:
      words: what it does, for --help and reports.
      term: (domains, parameters of the discriminator, progress in [0, 1]) -> (loss, metrics); None adds nothing.
      weight: default factor of the term; it rises from 0 along `ramp` where `ramped`.
      ramped: whether the factor rises; adversarial terms ramp the reversed gradient inside instead.
      discriminates: (D, K) -> size of the vector that the discriminator sees; None: there is no discriminator.
      perturbs: whether the term needs `source_change` and `target_change`.
      refines: whether the second half of the run leaves the source and follows a slowly moving teacher.
      by_feature: whether the term reaches the network only through the layer that adapts, not through predictions.
      target_statistics: whether batch statistics of the target replace those of training in the stored network.
      fits_partial: whether the target may lack classes of the source: source windows count by their classes.
      fits_open: whether the target may have further classes: its windows count by how likely they are known.
      mixes_domains: whether source examples are mixed with examples of other source domains (`domain_mixup`).
      weighs_domains: whether source domains are weighted by their losses (`group_dro`).
      mixes_styles: whether maps take over styles of other source domains (`mix_style`).
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
    fits_partial: bool = True
    fits_open: bool = False
    mixes_domains: bool = False
    weighs_domains: bool = False
    mixes_styles: bool = False

    @property
    def sees_target(self) -> bool:
        """Whether training steps use windows of the target."""
        return self.term is not None

    @property
    def needs_domains(self) -> bool:
        """Whether it learns from what differs between several source domains."""
        return self.mixes_domains or self.weighs_domains or self.mixes_styles


METHODS: dict[str, Method] = {
    'source_only': Method('no adaptation: the source alone is learned', fits_open=True),
    'adabn': Method('batch statistics of the target replace those of training', target_statistics=True),
    'mk_mmd': Method(
        'distance of mean kernel embeddings of a layer',
        mk_mmd_term,
        weight=KERNELS,
        by_feature=True,
        fits_open=True,
    ),
    'jmmd': Method(
        'distance of joint kernel embeddings of a layer and the predictions',
        jmmd_term,
        weight=KERNELS,
        fits_open=True,
    ),
    'coral': Method(
        'distance of covariances of a layer', coral_term, weight=CORAL, by_feature=True, fits_partial=False
    ),
    'dann': Method(
        'a domain discriminator whose gradient is reversed',
        dann_term,
        ramped=False,
        discriminates=feature_size,
        by_feature=True,
        fits_open=True,
    ),
    'cdan': Method(
        'the same, conditioned on the predictions',
        cdan_term,
        ramped=False,
        discriminates=conditional_size,
        by_feature=True,
        fits_open=True,
    ),
    'cdan_e': Method(
        'the same, weighted by how certain predictions are',
        cdan_e_term,
        ramped=False,
        discriminates=conditional_size,
        by_feature=True,
        fits_open=True,
    ),
    'mcc': Method('least confusion among the classes of a target batch', mcc_term),
    'entropy': Method('certain predictions for the target', entropy_term, weight=0.1),
    'dirt_t': Method(
        'virtual adversarial training and conditional entropy (VADA), then a teacher without the source',
        dirt_t_term,
        ramped=False,
        discriminates=feature_size,
        perturbs=True,
        refines=True,
        fits_partial=False,
    ),
    'domain_mixup': Method('windows between two source domains, no target', mixes_domains=True),
    'group_dro': Method('most weight for the source domain with the largest loss, no target', weighs_domains=True),
    'mix_style': Method('maps in the styles of other source domains, no target', mixes_styles=True),
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
