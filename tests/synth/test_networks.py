"""Generator and critic: shapes, and that the class matters."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.synth.networks import Critic, Generator, initial_parameters, plan

SHAPES = [(96, 64, 1), (128, 24, 3), (24, 6, 3), (1024, 1, 1), (61, 96, 1), (5, 5, 2), (4, 1, 1)]


def test_the_plan_halves_until_few_positions_are_left():
    assert [level[:2] for level in plan(96, 64)] == [(48, 32), (24, 16), (12, 8), (6, 4)]
    assert plan(24, 6) == [(12, 6, 2, 1), (6, 6, 2, 1)]
    assert plan(5, 5) == [(5, 5, 1, 1)]
    assert plan(1024, 1)[-1][:2] == (4, 1)


def networks(shape):
    return Generator(3, shape, 2), Critic(3, 2)


@pytest.mark.parametrize('shape', SHAPES)
def test_images_of_any_front_end_have_its_shape(shape):
    """Shapes alone: compiling the networks for every one takes minutes."""
    generator, critic = networks(shape)

    def made_and_judged(noise, labels):
        made, judge = initial_parameters((generator, critic), 5, shape, 0)
        images = generator.apply({'params': made}, noise, labels)
        return images, critic.apply({'params': judge}, images, labels)

    images, scores = jax.eval_shape(made_and_judged, jnp.zeros((2, 5)), jnp.array([0, 2]))
    assert (images.shape, images.dtype) == ((2, *shape), jnp.float32)
    assert scores.shape == (2,)


# Two axes that are halved unequally with several channels, an odd image, and a signal of one axis.
@pytest.mark.parametrize('shape', [(24, 6, 3), (5, 5, 2), (16, 1, 1)])
def test_an_image_is_made_and_judged_by_itself(shape):
    generator, critic = networks(shape)
    made, judge = initial_parameters((generator, critic), 5, shape, 0)
    labels = jnp.array([0, 2])
    noise = jax.random.normal(jax.random.key(1), (2, 5))
    images = generator.apply({'params': made}, noise, labels)
    assert float(jnp.abs(images).max()) <= 1
    scores = critic.apply({'params': judge}, images, labels)
    # Whatever stands beside it.
    alone = generator.apply({'params': made}, noise[1:], labels[1:])
    np.testing.assert_allclose(alone, images[1:], atol=1e-5)
    np.testing.assert_allclose(critic.apply({'params': judge}, alone, labels[1:]), scores[1:], rtol=1e-3, atol=1e-5)


def test_the_class_counts_as_much_as_the_noise():
    """Embeddings of Flax's default size drowned in the noise: after 600 updates all classes looked alike."""
    generator, critic = Generator(4, (24, 16, 1), 4), Critic(4, 4)
    made, judge = initial_parameters((generator, critic), 32, (24, 16, 1), 0)
    noise = jax.random.normal(jax.random.key(1), (64, 32))
    labels = jnp.tile(jnp.arange(4), 16)
    images = np.asarray(generator.apply({'params': made}, noise, labels))
    other_class = np.asarray(generator.apply({'params': made}, noise, (labels + 1) % 4))
    other_noise = np.asarray(generator.apply({'params': made}, noise[::-1], labels))
    assert np.abs(other_class - images).mean() > 0.3 * np.abs(other_noise - images).mean()
    scores = critic.apply({'params': judge}, images, labels) - critic.apply({'params': judge}, images, (labels + 1) % 4)
    assert float(jnp.abs(scores).min()) > 0


def test_the_seed_decides_the_parameters():
    def first(seed):
        return initial_parameters((Generator(2, (8, 8, 1), 2), Critic(2, 2)), 3, (8, 8, 1), seed)

    same = jax.tree.map(lambda a, b: bool((a == b).all()), first(1), first(1))
    assert all(jax.tree.leaves(same))
    kernels = [tree[0]['start']['kernel'] for tree in (first(1), first(2))]
    assert not (kernels[0] == kernels[1]).any()
