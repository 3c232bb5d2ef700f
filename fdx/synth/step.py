"""One update of the generator after several of the critic, on each device; fdx.train.parallel compiles it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax

from fdx.synth.config import SynthConfig
from fdx.synth.networks import Critic, Generator
from fdx.train import parallel

# The metrics of every step that the log shows.
HEALTH = ('wasserstein', 'penalty', 'critic_gradient_norm', 'generator_gradient_norm', 'generator_score')
BETA1, BETA2 = 0.0, 0.9  # of Adam, as in Gulrajani et al.


@flax.struct.dataclass
class GanState:
    """What a step reads and writes.

    Attributes:
      step: int32 scalar, updates of the generator done.
      seed: int32 scalar, seed of the noise.
      params: {'generator', 'critic', 'average'}; 'average' is the moving average of the generator, from which samples
        are drawn.
      opt_state: {'generator', 'critic'}.
    """

    step: jax.Array | np.int32
    seed: jax.Array | np.int32
    params: dict
    opt_state: dict


def make_optimiser(config: SynthConfig) -> optax.GradientTransformation:
    """Adam without momentum, for either network."""
    return optax.adam(config.learning_rate, b1=BETA1, b2=BETA2)


def noise_of(key: jax.Array, count: int, latent_size: int, first: jax.Array | int = 0) -> jax.Array:
    """float32 [count, latent_size]; row i comes from `fold_in(key, first + i)`, the same on any number of devices."""
    keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(first + jnp.arange(count))
    return jax.vmap(lambda k: jax.random.normal(k, (latent_size,)))(keys)


def make_gan_step(
    generator: Generator, critic: Critic, optimiser: optax.GradientTransformation, config: SynthConfig
) -> Callable:
    """Builds step(state, batch) -> (state, metrics) of a WGAN-GP (Gulrajani et al., NeurIPS 2017).

    The critic minimises E[D(fake)] - E[D(real)] + penalty E[(|grad D(between)| - 1)^2], the generator -E[D(fake)]. Fake
    images are drawn for the classes of the real ones.

    The batch holds `inputs` [critic_steps * B, H, W, C] in [-1, 1], `labels` int32 and `mask` float32, 0 for padding,
    which never counts. Every critic_steps-th example goes to the same update. Noise depends on the seed, the step
    and the place of an example in the global batch. Metrics are means over the critic's updates; see HEALTH.
    """
    updates = _Updates(generator, critic, optimiser, config)

    def step(state: GanState, batch: dict) -> tuple[GanState, dict]:
        key, count = jax.random.fold_in(jax.random.key(state.seed), state.step), config.critic_steps
        parts = jax.tree.map(lambda x: jnp.moveaxis(x.reshape(-1, count, *x.shape[1:]), 1, 0), batch)
        keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(jnp.arange(count + 1))
        carry = (state.params['critic'], state.opt_state['critic'], state.params['generator'])
        (judge, of_judge, _), seen = jax.lax.scan(updates.of_critic, carry, (parts, keys[:-1]))
        last = jax.tree.map(lambda x: x[-1], parts)
        made, of_made, found = updates.of_generator(
            state.params['generator'], state.opt_state['generator'], judge, last, keys[-1]
        )
        keep = config.ema_decay
        average = jax.tree.map(lambda old, new: keep * old + (1 - keep) * new, state.params['average'], made)
        new = dataclasses.replace(
            state,
            step=state.step + 1,
            params={'generator': made, 'critic': judge, 'average': average},
            opt_state={'generator': of_made, 'critic': of_judge},
        )
        return new, {**jax.tree.map(jnp.mean, seen), **found}

    return step


@dataclasses.dataclass(frozen=True)
class _Updates:
    """One update of either network."""

    generator: Generator
    critic: Critic
    optimiser: optax.GradientTransformation
    config: SynthConfig

    def of_critic(self, carry: tuple, part: tuple) -> tuple[tuple, dict]:
        """(critic's parameters, optimiser's state, generator's parameters), (batch, key) -> (the same, metrics)."""
        (params, opt_state, made_by), (batch, key) = carry, part
        fake = self._fake(made_by, batch, jax.random.fold_in(key, 0))
        between = _between(batch['inputs'], fake, jax.random.fold_in(key, 1))

        def loss_fn(params: dict):
            both = jnp.concatenate([batch['inputs'], fake]), jnp.tile(batch['labels'], 2)
            of_real, of_fake = jnp.split(self.critic.apply({'params': params}, *both), 2)
            distance = _mean(of_real - of_fake, batch['mask'])
            penalty = _mean(_slope_errors(self.critic, params, between, batch['labels']), batch['mask'])
            return self.config.penalty * penalty - distance, (distance, penalty)

        grads, found = jax.grad(loss_fn, has_aux=True)(params)
        grads, (distance, penalty) = jax.lax.pmean((grads, found), parallel.AXIS)
        updates, opt_state = self.optimiser.update(grads, opt_state, params)
        metrics = {'wasserstein': distance, 'penalty': penalty, 'critic_gradient_norm': optax.global_norm(grads)}
        return (optax.apply_updates(params, updates), opt_state, made_by), metrics

    def of_generator(self, params: dict, opt_state: dict, judge: dict, batch: dict, key: jax.Array) -> tuple:
        """(parameters, optimiser's state, metrics) after an update against the critic with parameters `judge`."""

        def loss_fn(params: dict):
            fake = self._fake(params, batch, key)
            return -_mean(self.critic.apply({'params': judge}, fake, batch['labels']), batch['mask'])

        loss, grads = jax.lax.pmean(jax.value_and_grad(loss_fn)(params), parallel.AXIS)
        updates, opt_state = self.optimiser.update(grads, opt_state, params)
        metrics = {'generator_score': -loss, 'generator_gradient_norm': optax.global_norm(grads)}
        return optax.apply_updates(params, updates), opt_state, metrics

    def _fake(self, params: dict, batch: dict, key: jax.Array) -> jax.Array:
        """A generated image for the class of each example."""
        size = batch['labels'].shape[0]
        noise = noise_of(key, size, self.config.latent_size, jax.lax.axis_index(parallel.AXIS) * size)
        return self.generator.apply({'params': params}, noise, batch['labels'])


def _mean(values: jax.Array, mask: jax.Array) -> jax.Array:
    """The part of one device in the mean over real examples of the global batch, which is the mean of all parts."""
    count = jnp.maximum(jax.lax.psum(mask.sum(), parallel.AXIS), 1.0)
    return (values * mask).sum() * jax.lax.axis_size(parallel.AXIS) / count


def _between(real: jax.Array, fake: jax.Array, key: jax.Array) -> jax.Array:
    """Random points on the lines from real to fake images."""
    size = real.shape[0]
    keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(jax.lax.axis_index(parallel.AXIS) * size + jnp.arange(size))
    share = jax.vmap(jax.random.uniform)(keys)[:, None, None, None]
    return real + share * (fake - real)


def _slope_errors(critic: Critic, params: dict, images: jax.Array, labels: jax.Array) -> jax.Array:
    """[B]: (norm of the critic's gradient at each image - 1)^2."""
    slopes = jax.grad(lambda x: critic.apply({'params': params}, x, labels).sum())(images)
    # The small number is there because the root has no gradient at 0.
    return (jnp.sqrt((slopes**2).sum((1, 2, 3)) + 1e-12) - 1) ** 2
