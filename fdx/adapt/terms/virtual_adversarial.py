"""Virtual adversarial training (VAT): how far a prediction moves in the worst direction of a given length.

    r_adv = argmax_{||r|| <= e} KL(p(x) || p(x + r)),   term = KL(p(x) || p(x + r_adv))

Miyato et al., "Virtual adversarial training: a regularization method for supervised and semi-supervised learning",
TPAMI 41(8), 2019 (online 2018). At r = 0 the divergence and its gradient vanish, so the worst direction is the first
eigenvector of its Hessian; each power iteration multiplies a direction by the Hessian, computed as the gradient at a
small step.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from fdx.adapt.terms.entropy import divergences
from fdx.adapt.terms.masks import without_padding
from fdx.types import ConfigError


def virtual_adversarial(
    network: Callable[[jax.Array], jax.Array],
    inputs: jax.Array,
    mask: jax.Array,
    key: jax.Array,
    radius: float,
    step: float = 0.01,
    iterations: int = 1,
    first: jax.Array | int = 0,
) -> jax.Array:
    """Divergence between the predictions at inputs (without gradient) and at inputs + r_adv.

    Lengths are relative: the L2 norm of r_adv is `radius` times that of the example minus its mean, so radius 0.1 moves
    it by 10 % of its root mean square deviation. One radius thus suits images of any size and unit (decibels,
    accelerations); a constant example is not moved.

    Args:
      network: float32 [B, ...] -> logits [B, K], the same function in each of its iterations + 2 calls, that is without
        new dropout masks or changes of statistics.
      inputs: float32 [B, ...].
      mask: float32 [B], 1 for real examples, 0 for padding; padded inputs reach the network as zeros.
      key: draws the first direction.
      radius: length of r_adv, relative as above.
      step: length at which the gradient is taken, also relative. Far below 0.001 float32 rounds the divergence away.
      iterations: of the power method; one suffices in the paper.
      first: index of the first example in the whole batch, so that directions do not depend on the number of devices.

    Returns:
      float32 [B] in nats, 0 for padding; take `masks.masked_mean` of it. Gradients reach the network only through
      its call on the moved inputs; r_adv is constant.

    Raises:
      ConfigError: radius or step is not above 0, or iterations is below 1.
    """
    inputs = without_padding(inputs, mask)
    clean = jax.lax.stop_gradient(network(inputs))
    moves = adversarial_moves(network, inputs, clean, mask, key, radius, step, iterations, first)
    return without_padding(divergences(clean, network(inputs + moves)), mask)


def adversarial_moves(
    network: Callable[[jax.Array], jax.Array],
    inputs: jax.Array,
    clean_logits: jax.Array,
    mask: jax.Array,
    key: jax.Array,
    radius: float,
    step: float,
    iterations: int,
    first: jax.Array | int = 0,
) -> jax.Array:
    """r_adv of every example, [B, ...] like `inputs`, without gradient; arguments as `virtual_adversarial`'s."""
    if not (radius > 0 and step > 0 and iterations >= 1):
        values = f'radius={radius}, step={step}, iterations={iterations}'
        raise ConfigError(f'virtual_adversarial: {values}; lengths must be above 0, iterations at least 1')
    inputs, clean_logits = jax.lax.stop_gradient((inputs, clean_logits))
    # Parameters in the closure are stopped too; otherwise a training step would trace second derivatives and drop them.
    network, captured = jax.closure_convert(network, inputs)
    captured = jax.lax.stop_gradient(captured)
    lengths = deviations(inputs)

    def total(moves):
        losses = divergences(clean_logits, network(inputs + moves, *captured))
        return without_padding(losses, mask).sum()

    direction = random_directions(key, inputs, first)
    for _ in range(iterations):
        gradient = jax.grad(total)(step * lengths * direction)
        # Where nothing changes (a constant prediction), the previous direction is as good as any.
        direction = unit(gradient, otherwise=direction)
    return radius * lengths * direction


def deviations(x: jax.Array) -> jax.Array:
    """L2 norm of every example minus its mean: [B, ...] -> [B, 1, ...], to be multiplied with x."""
    axes = tuple(range(1, x.ndim))
    return jnp.sqrt(jnp.square(x - x.mean(axes, keepdims=True)).sum(axes, keepdims=True))


def random_directions(key: jax.Array, x: jax.Array, first: jax.Array | int = 0) -> jax.Array:
    """Unit vectors, uniform on the sphere, like x [B, ...]; example i draws from stream `first` + i."""
    keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(first + jnp.arange(x.shape[0]))
    drawn = jax.vmap(lambda k: jax.random.normal(k, x.shape[1:], x.dtype))(keys)
    return unit(drawn, otherwise=drawn)


def unit(x: jax.Array, otherwise: jax.Array) -> jax.Array:
    """Every example of x [B, ...] scaled to L2 norm 1; those that are 0 throughout are taken from `otherwise`."""
    axes = tuple(range(1, x.ndim))
    largest = jnp.abs(x).max(axes, keepdims=True)
    # Scaled first, because squares of gradients such as 1e-25 are 0 in float32.
    scaled = x / jnp.where(largest > 0, largest, 1)
    norms = jnp.sqrt(jnp.square(scaled).sum(axes, keepdims=True))
    return jnp.where(largest > 0, scaled / jnp.where(norms > 0, norms, 1), otherwise)
