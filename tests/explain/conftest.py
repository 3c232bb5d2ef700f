"""Runs of every kind of input, in small."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from fdx.explain.network import Network
from fdx.models import create_model


@pytest.fixture(scope='session')
def make_network():
    """make_network(model, shape, **options) -> Network with random weights and three classes."""

    def make(name: str, shape: tuple[int, ...], seed: int = 0, **options) -> Network:
        model = create_model(name, 3, **options)
        rng, x = np.random.default_rng(seed), jax.ShapeDtypeStruct((1, *shape), np.float32)

        def draw(path, s):  # As an initialisation does; compiling that one takes longer than the network.
            if path[-1].key == 'kernel':
                return (rng.standard_normal(s.shape) / np.sqrt(np.prod(s.shape[:-1]))).astype(s.dtype)
            return np.full(s.shape, path[-1].key in ('scale', 'var'), s.dtype)

        variables = jax.tree_util.tree_map_with_path(draw, jax.eval_shape(model.init, jax.random.key(0), x))
        return Network(model, variables, shape)

    return make


@pytest.fixture(scope='session')
def small(make_network) -> Network:
    """A slim cnn_small for images of 16 x 12 x 2."""
    return make_network('cnn_small', (16, 12, 2), width_multiplier=0.25)


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(16, 12, 2)).astype(np.float32)
