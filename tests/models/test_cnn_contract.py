"""What band_mlp, cnn1d and cnn_small share: parts, frozen norms, padding, patterns of the freezing rules, options."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import band_mlp, cnn1d, cnn_small, create_model
from fdx.train.partition import freezing_rules, frozen_norms, frozen_prefix, split_variables, trainable_mask
from fdx.types import ConfigError
from fdx.weights.trees import flatten_tree

# Shape of an example and paths of the norms.
NETWORKS = {
    'band_mlp': ((5, 7, 2), ('hidden/bn', 'bottleneck/bn')),
    'cnn1d': ((71, 1, 2), ('conv1/bn', 'conv2/bn', 'conv3/bn', 'conv4/bn')),
    'cnn_small': ((19, 9, 2), ('stage1/bn', 'stage2/bn', 'stage3/bn')),
}
CUTS = (
    [('band_mlp', cut) for cut in range(1, 3)]
    + [('cnn1d', cut) for cut in range(1, 7)]
    + [('cnn_small', cut) for cut in range(1, 5)]
)
MODULES = {'band_mlp': band_mlp, 'cnn1d': cnn1d, 'cnn_small': cnn_small}
each_network = pytest.mark.parametrize('name', NETWORKS)


def slim(name, **options):
    return create_model(name, 3, **{'width_multiplier': 1 / 8, 'dropout_rate': 0.0, **options})


def shapes_of(name, **options):
    return jax.eval_shape(slim(name, **options).init, jax.random.key(0), jnp.zeros((1, *NETWORKS[name][0])))


@pytest.fixture(scope='module')
def drawn():
    """{name: (variables, three examples)}, random by NumPy and far from those of an initialisation."""
    rng = np.random.default_rng(0)

    def draw(path, s):
        if path[-1].key == 'kernel':
            return jnp.asarray(rng.standard_normal(s.shape) * np.sqrt(2 / np.prod(s.shape[:-1])), s.dtype)
        low, high = (0.5, 1.5) if path[-1].key in ('scale', 'var') else (-0.3, 0.3)
        return jnp.asarray(rng.uniform(low, high, s.shape), s.dtype)

    return {
        name: (
            jax.tree_util.tree_map_with_path(draw, shapes_of(name)),
            jnp.asarray(rng.standard_normal((3, *shape)), jnp.float32),
        )
        for name, (shape, _) in NETWORKS.items()
    }


@pytest.fixture(scope='module')
def whole(drawn):
    """{name: (logits, features)} of the evaluation in one piece."""
    return {name: slim(name).apply(variables, x) for name, (variables, x) in drawn.items()}


def run_train(model, variables, x):
    return jax.jit(lambda v, x: model.apply(v, x, train=True, mutable=['batch_stats']))(variables, x)


@pytest.mark.parametrize(('name', 'cut'), CUTS)
def test_two_parts_are_the_whole(name, cut, drawn, whole):
    variables, x = drawn[name]
    first, second = split_variables(slim(name), variables, cut)
    between, early = slim(name).apply(first, x, stop=cut)
    logits, late = slim(name).apply(second, between, start=cut)
    np.testing.assert_allclose(logits, whole[name][0], rtol=1e-5, atol=1e-5)
    assert set(early) | set(late) == set(whole[name][1]) == {*slim(name).STAGES, 'embedding'}
    assert not set(early) & set(late)


@each_network
def test_frozen_norms_rest_and_the_others_move(name, drawn):
    variables, x = drawn[name]
    frozen = NETWORKS[name][1][::2]
    _, new = run_train(slim(name, frozen_norms=frozen), variables, x)
    before, after = (flatten_tree(v['batch_stats']) for v in (variables, new))
    assert set(before) == set(after)
    for path, value in after.items():
        assert np.array_equal(value, before[path]) == (path.rpartition('/')[0] in frozen), path


@each_network
def test_all_norms_frozen_is_evaluation(name, drawn, whole):
    variables, x = drawn[name]
    (logits, _), new = run_train(slim(name, frozen_norms=NETWORKS[name][1]), variables, x)
    np.testing.assert_allclose(logits, whole[name][0], rtol=1e-5, atol=1e-6)
    jax.tree.map(np.testing.assert_array_equal, new['batch_stats'], variables['batch_stats'])


@each_network
def test_padding_has_no_part_in_statistics_outputs_nor_gradients(name, drawn):
    variables, x = drawn[name]

    def step(x, mask):
        def loss_fn(params):
            (logits, _), new = slim(name).apply(
                {**variables, 'params': params}, x, train=True, mask=mask, mutable=['batch_stats']
            )
            return (logits[:3] ** 2).sum(), (logits[:3], new)

        (_, kept), gradients = jax.jit(jax.value_and_grad(loss_fn, has_aux=True))(variables['params'])
        return kept, gradients

    alone = step(x, None)
    padded = step(jnp.concatenate([x, 100 * x[:1]]), jnp.asarray([1.0, 1.0, 1.0, 0.0]))
    for found, wanted in zip(jax.tree.leaves(padded), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@each_network
def test_stem_norms_and_frozen_prefix(name, drawn):
    variables, model, norms = drawn[name][0], slim(name), NETWORKS[name][1]
    paths, first = flatten_tree(variables['params']), model.STAGES[0]
    stem = {path for path in paths if re.fullmatch(model.STEM, path)}
    layer = 'dense' if name == 'band_mlp' else 'conv'
    assert stem == {f'{first}/{layer}/kernel', f'{first}/{layer}/bias'}
    found = {path.rpartition('/')[0] for path in paths if re.fullmatch(model.NORMS, path)}
    assert found == set(norms) == set(MODULES[name].norm_paths())
    mask = trainable_mask(variables['params'], freezing_rules('head', model))
    assert frozen_prefix(model, mask) == len(model.STAGES) - 1
    assert frozen_norms(variables['batch_stats'], mask) == tuple(sorted(norms))
    mask = trainable_mask(variables['params'], freezing_rules('first_last', model, train_norms=True))
    assert frozen_prefix(model, mask) == len(frozen_norms(variables['batch_stats'], mask)) == 0


@each_network
def test_unknown_norms_and_widths_are_refused(name):
    norms = NETWORKS[name][1]
    with pytest.raises(ConfigError, match=f'{name}: frozen_norms names other/bn; there are: {", ".join(norms)}'):
        shapes_of(name, frozen_norms=(norms[0], 'other/bn'))
    with pytest.raises(ConfigError, match=f'{name}: width_multiplier=-1 must be above 0'):
        shapes_of(name, width_multiplier=-1)
