"""Runs of every kind of input, in small."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.explain.network import Network
from fdx.models import create_model


@pytest.fixture(scope='session')
def make_network():
    """make_network(model, shape, **options) -> Network with random weights and three classes."""

    def make(name: str, shape: tuple[int, ...], seed: int = 0, **options) -> Network:
        model = create_model(name, 3, **options)
        variables = jax.jit(model.init)(jax.random.key(seed), jnp.zeros((1, *shape)))
        return Network(model, variables, shape)

    return make


@pytest.fixture(scope='session')
def small(make_network) -> Network:
    """A slim cnn_small for images of 16 x 12 x 2."""
    return make_network('cnn_small', (16, 12, 2), width_multiplier=0.25)


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(16, 12, 2)).astype(np.float32)
