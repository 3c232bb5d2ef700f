"""Virtual adversarial training: direction, length and divergence against plain NumPy and random perturbations."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.adapt.terms.masks import masked_mean
from fdx.adapt.terms.virtual_adversarial import adversarial_moves, random_directions, virtual_adversarial
from fdx.types import ConfigError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 4, 5, 1)).astype(np.float32)
W = (RNG.standard_normal((20, 3)) / 4).astype(np.float32)
W1, W2 = (RNG.standard_normal(s).astype(np.float32) / 4 for s in ((20, 16), (16, 3)))
ONES = np.ones(6, np.float32)
KEY = jax.random.key(0)


def linear(x):
    return x.reshape(len(x), -1) @ W


def mlp(x):
    return jnp.tanh(x.reshape(len(x), -1) @ W1) @ W2


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def divergence(network, x, moved):
    """KL in float64 of float32 logits."""
    p, q = (softmax(np.asarray(network(a), np.float64)) for a in (x, moved))
    return (p * (np.log(p) - np.log(q))).sum(1)


def moves(network, x, radius=0.3, iterations=1):
    # One program: operation by operation, each would be compiled.
    found = jax.jit(lambda x: adversarial_moves(network, x, network(x), ONES, KEY, radius, 0.01, iterations))
    return np.asarray(found(x))


def term_of(network, radius=0.3, iterations=1):
    """Function (images, mask) -> the term, as one program."""
    return jax.jit(lambda x, mask: virtual_adversarial(network, x, mask, KEY, radius, iterations=iterations))


def rms_deviations(x):
    return np.sqrt(np.mean((x - x.mean((1, 2, 3), keepdims=True)) ** 2, axis=(1, 2, 3)))


def test_value_is_the_divergence_at_the_moved_inputs():
    found = term_of(mlp)(X, ONES)
    assert found.shape == (6,)
    np.testing.assert_allclose(found, divergence(mlp, X, X + moves(mlp, X)), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize('network', [linear, mlp])
def test_it_moves_predictions_more_than_random_perturbations_of_its_size(network):
    length = 0.3 * rms_deviations(X)[:, None, None, None] * np.sqrt(20)
    directions = jax.jit(lambda seed: random_directions(jax.random.key(seed), X))
    randoms = [divergence(network, X, X + length * np.asarray(directions(s))) for s in range(20)]
    for iterations, ratio in ((1, 2.0), (3, 3.0)):
        found = np.asarray(term_of(network, iterations=iterations)(X, ONES))
        assert (found > np.mean(randoms, axis=0)).all()
        assert found.mean() > ratio * np.mean(randoms)


def fisher_matrix(w, x):
    """Hessian of KL at r = 0 of a linear network: W (diag p - p p^T) W^T, float64."""
    p = softmax(x.reshape(-1).astype(np.float64) @ w)
    return w @ (np.diag(p) - np.outer(p, p)) @ w.T


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_an_iteration_multiplies_the_random_direction_by_the_hessian():
    start = np.asarray(jax.jit(lambda: random_directions(KEY, X))(), np.float64).reshape(6, 20)
    found = moves(linear, X).reshape(6, 20)
    for i in range(6):
        assert cosine(found[i], fisher_matrix(W, X[i]) @ start[i]) > 0.999, i


def test_direction_of_a_linear_network_is_the_first_eigenvector_of_its_hessian():
    """One class stands apart, so that the first eigenvalue does and few iterations find it."""
    w = W * np.array([2, 0.5, 0.5], np.float32)
    found = moves(lambda x: x.reshape(len(x), -1) @ w, X, iterations=4).reshape(6, 20)
    for i in range(6):
        first = np.linalg.eigh(fisher_matrix(w, X[i]))[1][:, -1]
        assert abs(cosine(found[i], first)) > 0.9, i


def test_two_classes_need_one_iteration():
    """Their Hessian has rank 1."""
    found = moves(lambda x: linear(x)[:, :2], X).reshape(6, 20)
    for i in range(6):
        assert abs(cosine(found[i], W[:, 0] - W[:, 1])) > 0.999, i


def test_length_is_relative_to_the_deviation_of_each_example():
    scales = np.array([1, 10, 1e-3, 1, 500, 1], np.float32)[:, None, None, None]
    x = X * scales + np.float32(3)
    found = moves(linear, x, radius=0.1)
    np.testing.assert_allclose(np.sqrt(np.mean(found**2, axis=(1, 2, 3))), 0.1 * rms_deviations(x), rtol=1e-3)


def test_divergence_depends_on_neither_size_nor_unit_of_the_images():
    """Two classes, whose worst direction is known up to its sign, read alike from images of other sizes and units."""
    worst = (W[:, 0] - W[:, 1]) / np.linalg.norm(W[:, 0] - W[:, 1])
    shift = 0.2 * np.sqrt(20) * rms_deviations(X)[:, None, None, None] * worst.reshape(1, 4, 5, 1)

    def binary(x):
        return linear(x)[:, :2]

    def of_large(x):
        return binary(x.reshape(len(x), 4, 2, 5, 2, 1).mean((2, 4)))

    wanted = np.stack([divergence(binary, X, X + sign * shift) for sign in (1, -1)])
    large = X.repeat(2, axis=1).repeat(2, axis=2)
    for network, images in ((binary, X), (lambda x: binary(x / 40), X * 40), (of_large, large)):
        found = np.asarray(term_of(network, 0.2)(images, ONES))
        assert np.min(np.abs(found / wanted - 1), axis=0).max() < 0.01


def test_mask_constant_examples_and_constant_networks():
    mask = np.array([1, 0, 1, 1, 1, 0], np.float32)
    garbage = np.where(mask[:, None, None, None] > 0, X, np.float32(1e30))
    term = term_of(mlp)
    found = np.asarray(term(garbage, mask))
    np.testing.assert_array_equal(found[mask == 0], 0)
    np.testing.assert_allclose(found, np.asarray(term(X, ONES)) * mask, rtol=1e-5)
    np.testing.assert_allclose(term(np.ones_like(X), ONES), 0, atol=1e-7)
    flat = term_of(lambda x: linear(x * 0))(X, ONES)
    np.testing.assert_array_equal(flat, 0)


def test_gradient_of_the_parameters_takes_moves_and_clean_prediction_as_constants():
    def term(w):
        found = virtual_adversarial(lambda x: jnp.tanh(x.reshape(6, 20) @ W1) @ w, X, ONES, KEY, 0.3)
        return masked_mean(found, ONES)

    gradient = jax.jit(jax.grad(term))(W2)
    hidden = np.tanh((X + moves(mlp, X)).reshape(6, 20).astype(np.float64) @ W1)
    p, q = softmax(np.asarray(mlp(X), np.float64)), softmax(hidden @ W2)
    np.testing.assert_allclose(gradient, hidden.T @ (q - p) / 6, rtol=1e-3, atol=1e-6)


def test_the_search_traces_no_second_derivatives():
    """A network whose gradient has no derivative: only a search that is cut off from the parameters can use it."""

    @jax.custom_vjp
    def product(x, w):
        return x @ w

    @jax.custom_jvp
    def once(x):
        return x

    @once.defjvp
    def _refuse(primals, tangents):
        raise TypeError('a second derivative was traced')

    product.defvjp(
        lambda x, w: (x @ w, (x, w)),
        lambda saved, g: (once(g @ saved[1].T), saved[0].T @ g),
    )

    def term(w):
        return virtual_adversarial(lambda x: product(x.reshape(6, 20), w), X, ONES, KEY, 0.3).sum()

    assert np.isfinite(jax.jit(jax.grad(term))(W)).all()


def test_moves_have_no_gradient():
    def total(x, clean):
        return adversarial_moves(linear, x, clean, ONES, KEY, 0.3, 0.01, 1).sum()

    for gradient in jax.jit(jax.grad(total, argnums=(0, 1)))(X, linear(X)):
        np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize('options', [{'radius': 0.0}, {'radius': 0.1, 'step': -1.0}, {'radius': 0.1, 'iterations': 0}])
def test_options_that_cannot_be_used(options):
    name, value = list(options.items())[-1]
    with pytest.raises(ConfigError, match=f'{name}={value}'):
        virtual_adversarial(linear, X, ONES, KEY, **options)
