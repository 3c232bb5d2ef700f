"""evidence_judge: an independent forward, targets that only their vector tells apart, and refusals."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.types import ConfigError

BANDS, ROWS, COLUMNS, TARGETS, CLASSES = 3, 5, 4, 5, 4


@pytest.fixture(scope='module')
def drawn():
    """The model, random parameters and two images."""
    model = create_model('evidence_judge', CLASSES, dropout_rate=0.0, bands=BANDS, width_multiplier=1 / 8)
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, ROWS, COLUMNS, TARGETS)))
    variables = jax.tree.map(lambda s: rng.normal(0, 0.5, s.shape).astype(np.float32), shapes)
    return model, variables, rng.normal(0, 3, (2, ROWS, COLUMNS, TARGETS)).astype(np.float32)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def by_hand(params, image):
    """Embedding of one image [rows, columns, targets], target by target and band by band."""
    read = params['read']

    def dense(name, x):
        return gelu(x @ read[name]['kernel'] + read[name]['bias'])

    each = []
    for t in range(TARGETS):
        rows = image[:, :, t] / 3
        bands = [np.concatenate([rows[b], read['target'][t], read['band'][b]]) for b in range(BANDS)]
        bands = np.stack([dense('bands2', dense('bands1', x)) for x in bands])
        rest = dense('rest2', dense('rest1', np.concatenate([rows[BANDS:].ravel(), read['target'][t]])))
        each.append(dense('each', np.concatenate([bands.mean(0), bands.max(0), rest])))
    return dense('joint', np.concatenate(each))


def test_an_independent_forward(drawn):
    model, variables, images = drawn
    logits, features = jax.jit(model.apply)(variables, images)
    expected = np.stack([by_hand(variables['params'], image) for image in images])
    np.testing.assert_allclose(features['embedding'], expected, rtol=1e-4, atol=1e-4)
    head = variables['params']['head']
    np.testing.assert_allclose(logits, expected @ head['kernel'] + head['bias'], rtol=1e-4, atol=1e-4)


def test_widths_of_the_network_that_ships():
    model = create_model('evidence_judge', 5)
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 27, 48, 5)))
    logits, features = jax.eval_shape(model.apply, shapes, jnp.zeros((7, 27, 48, 5)))
    assert logits.shape == (7, 5) and features['embedding'].shape == (7, 64)
    # The page of models says 32 k.
    assert 31_500 < sum(s.size for s in jax.tree.leaves(shapes)) < 32_500


def test_what_it_refuses():
    with pytest.raises(ConfigError, match='`bands`=0'):
        create_model('evidence_judge', 3, bands=0).init(jax.random.key(0), jnp.zeros((1, 5, 4, 5)))
    with pytest.raises(ConfigError, match='more than 24 rows'):
        create_model('evidence_judge', 3).init(jax.random.key(0), jnp.zeros((1, 24, 48, 5)))
