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


def shapes_of(generator, critic, latent_size, shape):
    return jax.eval_shape(lambda: initial_parameters((generator, critic), latent_size, shape, 0))


def random_like(shapes):
    """Parameters by NumPy: compiling the initialisation takes longer than the networks."""
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda leaf: rng.normal(0, leaf.shape[0] ** -0.5, leaf.shape).astype(np.float32), shapes)


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
    labels, noise = np.array([0, 2]), np.random.default_rng(1).normal(size=(2, 5)).astype(np.float32)
    variables = [{'params': random_like(tree)} for tree in shapes_of(generator, critic, 5, shape)]
    make, judge = (jax.jit(network.apply) for network in (generator, critic))
    images = make(variables[0], noise, labels)
    assert float(np.abs(images).max()) <= 1
    scores = judge(variables[1], images, labels)
    # Whatever stands beside it.
    alone = make(variables[0], noise[1:], labels[1:])
    np.testing.assert_allclose(alone, images[1:], atol=1e-5)
    np.testing.assert_allclose(judge(variables[1], alone, labels[1:]), scores[1:], rtol=1e-3, atol=1e-5)


def test_the_class_counts_as_much_as_the_noise():
    """Embeddings of Flax's default size drowned in the noise: after 600 updates all classes looked alike."""
    generator, critic = Generator(4, (24, 16, 1), 4), Critic(4, 4)
    made, judge = initial_parameters((generator, critic), 32, (24, 16, 1), 0)
    make, judge_images = (jax.jit(network.apply) for network in (generator, critic))
    noise, labels = np.random.default_rng(1).normal(size=(64, 32)).astype(np.float32), np.tile(np.arange(4), 16)
    images = np.asarray(make({'params': made}, noise, labels))
    other_class = np.asarray(make({'params': made}, noise, (labels + 1) % 4))
    other_noise = np.asarray(make({'params': made}, noise[::-1], labels))
    assert np.abs(other_class - images).mean() > 0.3 * np.abs(other_noise - images).mean()
    of_own_class, of_other_class = (judge_images({'params': judge}, images, x) for x in (labels, (labels + 1) % 4))
    assert np.abs(np.asarray(of_own_class) - np.asarray(of_other_class)).min() > 0


def test_the_seed_decides_the_parameters():
    networks = Generator(2, (4, 1, 1), 1), Critic(2, 1)
    drawn = jax.jit(lambda seed: initial_parameters(networks, 3, (4, 1, 1), seed))
    first, again, other = map(drawn, (1, 1, 2))
    jax.tree.map(np.testing.assert_array_equal, first, again)
    assert not (np.asarray(first[0]['start']['kernel']) == np.asarray(other[0]['start']['kernel'])).any()
