"""VGGish: shapes, named features, and stages that can be run apart."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.models.vggish import VGGish

STAGES = VGGish.STAGES
# Width 1/32 of (64, 128, 256, 512, 4096, 4096, 128).
SHAPES = {
    'stage1': (48, 32, 2),
    'stage2': (24, 16, 4),
    'stage3': (12, 8, 8),
    'stage4': (6, 4, 16),
    'fc1': (128,),
    'fc2': (128,),
    'embedding_linear': (4,),
    'embedding': (4,),
    'head': (3,),
}


def slim(**options):
    return create_model('vggish', 3, width_multiplier=1 / 32, **options)


@pytest.fixture(scope='module')
def params():
    """Random parameters by NumPy: quicker than compiling the initialisation."""
    shapes = jax.eval_shape(slim().init, jax.random.key(0), jnp.zeros((1, 96, 64, 1)))['params']
    rng = np.random.default_rng(0)

    def draw(path, s):
        scale = np.sqrt(2 / np.prod(s.shape[:-1])) if path[-1].key == 'kernel' else 0.1
        return jnp.asarray(rng.standard_normal(s.shape) * scale, s.dtype)

    return jax.tree_util.tree_map_with_path(draw, shapes)


@pytest.fixture(scope='module')
def x():
    return np.random.default_rng(1).standard_normal((2, 96, 64, 1)).astype(np.float32)


@pytest.fixture(scope='module')
def whole(params, x):
    return jax.tree.map(np.asarray, jax.jit(slim().apply)({'params': params}, x))


def test_published_shapes():
    shapes = jax.eval_shape(VGGish(10).init, jax.random.key(0), jnp.zeros((1, 96, 64, 1)))['params']
    assert set(shapes) == set(STAGES)
    kernels = {
        'stage1': [(3, 3, 1, 64)],
        'stage2': [(3, 3, 64, 128)],
        'stage3': [(3, 3, 128, 256), (3, 3, 256, 256)],
        'stage4': [(3, 3, 256, 512), (3, 3, 512, 512)],
    }
    for stage, wanted in kernels.items():
        assert [shapes[stage][f'conv{i}']['kernel'].shape for i in range(1, len(wanted) + 1)] == wanted
    dense = [shapes[name]['kernel'].shape for name in STAGES[4:]]
    assert dense == [(12288, 4096), (4096, 4096), (4096, 128), (128, 10)]
    # 72,141,184 is the size of the published network; the classifier comes on top.
    assert sum(int(np.prod(s.shape)) for s in jax.tree.leaves(shapes)) == 72_141_184 + 128 * 10 + 10


def test_features_have_names_and_shapes(whole):
    logits, features = whole
    assert logits.shape == (2, 3)
    assert logits.dtype == jnp.float32
    assert {k: v.shape[1:] for k, v in features.items()} == SHAPES
    np.testing.assert_array_equal(features['head'], logits)


def test_embedding_before_and_after_its_relu(whole):
    linear, embedding = (np.asarray(whole[1][k]) for k in ('embedding_linear', 'embedding'))
    assert (linear < 0).any()
    np.testing.assert_array_equal(embedding, np.maximum(linear, 0))


@pytest.mark.parametrize('head_input', ['embedding', 'embedding_linear'])
def test_head_input_chooses_what_the_classifier_sees(params, x, head_input):
    logits, features = slim(head_input=head_input).apply({'params': params}, x)
    head = params['head']
    np.testing.assert_allclose(logits, features[head_input] @ head['kernel'] + head['bias'], rtol=1e-5, atol=1e-6)


def test_hidden_layers_are_rectified(whole):
    for name in ('stage1', 'stage4', 'fc1', 'fc2'):
        assert float(whole[1][name].min()) == 0.0
