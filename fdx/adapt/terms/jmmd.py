"""Joint maximum mean discrepancy: several layers' joint distribution, the term of joint adaptation networks (JAN).

    k((a_1, ..., a_L), (b_1, ..., b_L)) = prod_l k_l(a_l, b_l)

Long et al., "Deep transfer learning with joint adaptation networks", ICML 2017, eq. 9, with the unbiased quadratic-time
estimate of `kernels.unbiased_mmd`. With features and class probabilities as layers, two examples are alike only if
both are: features of one fault are drawn to features that are taken for the same fault.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax

from fdx.adapt.terms.kernels import gaussian_kernels, mean_bandwidth, unbiased_mmd
from fdx.adapt.terms.mk_mmd import joined
from fdx.types import ConfigError


def jmmd(
    source_layers: Sequence[jax.Array],
    target_layers: Sequence[jax.Array],
    source_mask: jax.Array,
    target_mask: jax.Array,
    *,
    num_kernels: int = 5,
    factor: float = 2.0,
    bandwidths: Sequence[float | None] = (),
    source_weights: jax.Array | None = None,
    target_weights: jax.Array | None = None,
) -> jax.Array:
    """Unbiased joint MMD^2; with one layer it is `mk_mmd`.

    A layer has a family of kernels around its own mean bandwidth, or one kernel of a fixed bandwidth, as the published
    code has for probabilities: while a network is not certain, their mean squared distance is small, and a family
    around it would tell examples apart that differ in nothing but noise.

    Args:
      source_layers: float32 [Bs, D_l] each, such as (features, softmax probabilities).
      target_layers: float32 [Bt, D_l] each, the same layers in the same order.
      source_mask: float32 [Bs], 1 for real examples, 0 for padding.
      target_mask: float32 [Bt].
      num_kernels: kernels, of bandwidths around the mean one, for every layer.
      factor: ratio of neighbouring bandwidths.
      bandwidths: one per layer, in squared units of the layer; None, or none at all: a family around the mean one.
      source_weights: float32 [Bs] of `kernels.unbiased_mmd`.
      target_weights: float32 [Bt], likewise.

    Returns:
      scalar, at most 2; 0 where a domain has fewer than two real examples.

    Raises:
      ConfigError: no layers, not the same layers, or another number of bandwidths.
    """
    widths = [[x.shape[1:] for x in layers] for layers in (source_layers, target_layers)]
    if not widths[0] or widths[0] != widths[1]:
        raise ConfigError(f'layers of source {widths[0]} and target {widths[1]}: pass the same, at least one')
    bandwidths = tuple(bandwidths) or (None,) * len(widths[0])
    if len(bandwidths) != len(widths[0]):
        raise ConfigError(f'{len(bandwidths)} bandwidths for {len(widths[0])} layers: pass one per layer, or none')
    product: jax.Array | float = 1.0
    for source, target, bandwidth in zip(source_layers, target_layers, bandwidths):
        x, mask = joined(source, target, source_mask, target_mask)
        if bandwidth is None:
            product = product * gaussian_kernels(x, x, mean_bandwidth(x, mask), num_kernels, factor)
        else:
            product = product * gaussian_kernels(x, x, bandwidth, num_kernels=1)
    # An array by now: there is at least one layer.
    return unbiased_mmd(product, source_mask, target_mask, source_weights, target_weights)  # type: ignore[arg-type]
