"""Networks that end after a stage: their outputs are the pooled stage of the whole network under a dense layer."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.models.truncated import POOLS, pool_bands, pool_global
from fdx.types import ConfigError
from fdx.weights.structure import model_name

# Shape of an example, options that make the network slim, and stages to end after.
NETWORKS = {
    'band_linear': ((5, 7, 2), {}, ('bands',)),
    'band_mlp': ((5, 7, 2), {'width_multiplier': 1 / 8}, ('hidden',)),
    'cnn1d': ((71, 1, 2), {'width_multiplier': 1 / 8}, ('conv2',)),
    'cnn_small': ((19, 9, 2), {'width_multiplier': 1 / 8}, ('stage1', 'stage3', 'bottleneck')),
    'efficientnet_lite0': (
        (33, 20, 3),
        {'width_multiplier': 1 / 8, 'depths': (1, 2, 1, 1, 1, 1, 1)},
        ('stage2',),
    ),
    'evidence_judge': ((5, 4, 5), {'width_multiplier': 1 / 8, 'bands': 3}, ('read',)),
    'mlp': ((4,), {'size': 'large'}, ('hidden1',)),
    'musicnn_vgg': ((70, 96, 1), {'width_multiplier': 1 / 32}, ('stage3', 'stage5')),
    'resnet50': ((33, 20, 3), {'width_multiplier': 1 / 16, 'depths': (1, 1, 1, 1)}, ('stage2',)),
    'vgg16': ((35, 33, 3), {'width_multiplier': 1 / 16, 'fc_width': 512, 'cells': 2}, ('block2', 'fc1')),
    'vggish': ((96, 64, 1), {'width_multiplier': 1 / 16}, ('stage2', 'fc1', 'embedding')),
    'yamnet': ((33, 20, 1), {'width_multiplier': 1 / 16}, ('stage3',)),
}


def draw(rng, path, s):
    """Values by NumPy: compiling an initialisation takes longer than the network."""
    if path[-1].key == 'kernel':
        return (rng.standard_normal(s.shape) * np.sqrt(2 / np.prod(s.shape[:-1]))).astype(s.dtype)
    low, high = (0.5, 1.5) if path[-1].key in ('scale', 'var') else (-0.3, 0.3)
    return rng.uniform(low, high, s.shape).astype(s.dtype)


def test_pool_global_is_mean_and_maximum_over_places():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    found = np.asarray(pool_global(jnp.asarray(x), 0))
    np.testing.assert_allclose(found[:, :5], x.reshape(2, 12, 5).mean(1), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found[:, 5:], x.reshape(2, 12, 5).max(1))
    for pool in (pool_global, pool_bands):
        np.testing.assert_array_equal(pool(jnp.ones((2, 7)), 0), np.ones((2, 7)))


def test_pool_bands_is_the_mean_over_time_whatever_the_axes():
    x = np.arange(24.0).reshape(1, 4, 3, 2)
    np.testing.assert_array_equal(pool_bands(jnp.asarray(x), 0), x.mean(1).reshape(1, 6))
    np.testing.assert_array_equal(pool_bands(jnp.asarray(x), 1), x.mean(2).reshape(1, 8))


@pytest.mark.parametrize('name', NETWORKS)
def test_the_embedding_is_the_pooled_stage_of_the_whole_network(name):
    shape, options, stages = NETWORKS[name]
    x = np.random.default_rng(0).standard_normal((2, *shape)).astype(np.float32)
    whole, rng = create_model(name, 3, **options), np.random.default_rng(1)
    variables = jax.tree_util.tree_map_with_path(
        functools.partial(draw, rng), jax.eval_shape(whole.init, jax.random.key(0), x)
    )
    cuts = list(zip(stages, ('bands', 'global', 'bands'), (1, 0, 0)))
    models = [create_model(name, 3, **options, stop_after=s, pool=p, pool_axis=a) for s, p, a in cuts]
    kernels = []

    @jax.jit  # One program: what the networks have in common is compiled once.
    def run(variables, x):
        _, wanted = whole.apply(variables, x)
        found = []
        for model, (stage, pool, axis) in zip(models, cuts):
            pooled = POOLS[pool](wanted[stage], axis)
            kernels.append(rng.standard_normal((pooled.shape[1], 3)).astype(np.float32))
            kept = {kind: {k: v for k, v in tree.items() if k in model.STAGES} for kind, tree in variables.items()}
            kept['params']['head'] = {'kernel': kernels[-1], 'bias': np.ones(3, np.float32)}
            logits, features = model.apply(kept, x)
            # A cached embedding goes into the head alone.
            again, _ = model.apply(kept, features['embedding'], start=len(model.STAGES) - 1)
            found.append((pooled, features['embedding'], logits, again))
        return found

    for (stage, *_), model, (pooled, embedding, logits, again) in zip(cuts, models, run(variables, x), strict=True):
        assert (*whole.STAGES[: whole.STAGES.index(stage) + 1], 'head') == model.STAGES and model_name(model) == name
        np.testing.assert_allclose(embedding, pooled, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(logits, np.asarray(pooled) @ kernels.pop(0) + 1, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(again, logits, rtol=1e-5, atol=1e-5)
        # It has no parameters of the stages behind, and copies of it end at the same stage.
        shapes = jax.eval_shape(model.clone().init, jax.random.key(0), x)
        assert set(shapes['params']) == set(model.STAGES)


def test_options_that_cannot_be():
    for options, words in (
        ({'stop_after': 'stage9'}, 'stage1, stage2, stage3, stage4, fc1, fc2, embedding'),
        ({'stop_after': 'head'}, '`stop_after`=head'),
        ({'stop_after': 'stage1', 'pool': 'sum'}, 'bands, global'),
        ({'stop_after': 'stage1', 'pool_axis': 2}, '`pool_axis`=2'),
        ({'pool': 'global'}, 'goes with `stop_after`'),
        ({'stop_before': 'stage1'}, 'no option stop_before'),
    ):
        with pytest.raises(ConfigError, match=words):
            create_model('vggish', 3, **options)
    assert type(create_model('vggish', 3, stop_after='')) is type(create_model('vggish', 3))
