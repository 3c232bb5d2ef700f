"""What every network promises, whatever it computes: stages, features, freezing, padding, dropout, refused options."""

from __future__ import annotations

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import MODELS, create_model
from fdx.train.partition import freezing_rules, frozen_norms, frozen_prefix, split_variables, trainable_mask
from fdx.types import ConfigError
from fdx.weights.trees import flatten_tree

# Shape of an example, and options that make the network slim.
NETWORKS = {
    'band_linear': ((5, 7, 2), {}),
    'band_mlp': ((5, 7, 2), {'width_multiplier': 1 / 8}),
    'cnn1d': ((71, 1, 2), {'width_multiplier': 1 / 8}),
    'cnn_small': ((19, 9, 2), {'width_multiplier': 1 / 8}),
    'efficientnet_lite0': ((33, 20, 3), {'width_multiplier': 1 / 8, 'depths': (1, 2, 1, 1, 1, 1, 1)}),
    'evidence_judge': ((5, 4, 5), {'width_multiplier': 1 / 8, 'bands': 3}),
    'mlp': ((4,), {'size': 'large'}),
    'musicnn_vgg': ((70, 96, 1), {'width_multiplier': 1 / 32}),
    'resnet50': ((33, 20, 3), {'width_multiplier': 1 / 16, 'depths': (2, 1, 1, 1)}),
    'vgg16': ((35, 33, 3), {'width_multiplier': 1 / 16, 'fc_width': 512, 'cells': 2}),
    'vggish': ((96, 64, 1), {'width_multiplier': 1 / 16}),
    'yamnet': ((65, 40, 1), {'width_multiplier': 1 / 16}),
}
WITH_NORMS = [name for name in NETWORKS if MODELS[name].module.HAS_STATISTICS]
FIRST_LAYER = {
    'band_linear': ('bands/bn', ('scale', 'bias')),
    'band_mlp': ('hidden/dense', ('kernel', 'bias')),
    'cnn1d': ('conv1/conv', ('kernel', 'bias')),
    'cnn_small': ('stage1/conv', ('kernel', 'bias')),
    'efficientnet_lite0': ('stem/conv', ('kernel',)),
    'evidence_judge': (
        'read',
        ('bands1/kernel', 'bands1/bias', 'rest1/kernel', 'rest1/bias', 'target', 'band'),
    ),
    'mlp': ('hidden1', ('kernel', 'bias')),
    'musicnn_vgg': ('stage1/conv', ('kernel', 'bias')),
    'resnet50': ('stem/conv', ('kernel',)),
    'vgg16': ('block1/conv1', ('kernel', 'bias')),
    'vggish': ('stage1/conv1', ('kernel', 'bias')),
    'yamnet': ('stem/conv', ('kernel',)),
}
# These drop values of other layers than the classifier's, too; their own tests say where.
DROPS_EARLIER = {'cnn1d', 'evidence_judge', 'mlp', 'vgg16'}
# Those of the others take long to compile; a norm's are tested in test_batch_norm.py, ResNet's on devices.
WITH_GRADIENTS = {'band_mlp', 'cnn1d', 'cnn_small'}
each_network = pytest.mark.parametrize('name', NETWORKS)
each_with_norms = pytest.mark.parametrize('name', WITH_NORMS)


def example(name):
    return jax.ShapeDtypeStruct((1, *NETWORKS[name][0]), np.float32)


def slim(name, **options):
    return create_model(name, 3, **{'dropout_rate': 0.0, **NETWORKS[name][1], **options})


@functools.cache
def shapes_of(name):
    return jax.eval_shape(slim(name).init, jax.random.key(0), example(name))


@functools.cache
def drawn(name):
    """(variables, three examples): random by NumPy, and far from those of an initialisation, where norms do nothing."""
    rng = np.random.default_rng(0)

    def draw(path, s):
        if path[-1].key == 'kernel':
            return (rng.standard_normal(s.shape) * np.sqrt(2 / np.prod(s.shape[:-1]))).astype(s.dtype)
        low, high = (0.5, 1.5) if path[-1].key in ('scale', 'var') else (-0.3, 0.3)
        return rng.uniform(low, high, s.shape).astype(s.dtype)

    variables = jax.tree_util.tree_map_with_path(draw, shapes_of(name))
    return variables, rng.standard_normal((3, *NETWORKS[name][0])).astype(np.float32)


@functools.cache
def evaluated(name):
    """(whole, in pieces, in training with all norms frozen or None): three ways to the same numbers.

    One program: what they have in common is compiled once, and compiled one by one the stages take ten times as long.
    """
    model, added = slim(name), []

    def whole(variables, x):
        return model.apply(variables, x)

    def all_frozen(variables, x):
        if name in WITH_NORMS:
            frozen = slim(name, frozen_norms=model.known_norms())
            return frozen.apply(variables, x, train=True, mutable=['batch_stats'])
        return None

    def in_pieces(variables, y):
        found = {}
        for i, stage in enumerate(model.STAGES):
            own = {kind: {k: v for k, v in tree.items() if k == stage} for kind, tree in variables.items()}
            y, features = model.apply(own, y, start=i, stop=i + 1)
            added.append(set(features))
            found |= features
        head, last = {'params': {'head': variables['params']['head']}}, len(model.STAGES) - 1
        inputs = (found[model.STAGES[last - 1]], found['embedding'])
        return (y, found), [model.apply(head, given, start=last)[0] for given in inputs]

    one, ((logits, features), heads), frozen = jax.jit(lambda v, x: (whole(v, x), in_pieces(v, x), all_frozen(v, x)))(
        *drawn(name)
    )
    return one, ((logits, features, added), heads), frozen


def whole(name):
    """(logits, features) of the evaluation in one piece."""
    return evaluated(name)[0]


def in_pieces(name):
    """What the stages give one by one, each with its own variables alone; what the head gives for both its inputs.

    ((logits, features, [names of the features that each stage adds]), [logits, logits]).
    """
    return evaluated(name)[1]


def norms_of(name):
    return {path.rpartition('/')[0] for path in flatten_tree(shapes_of(name).get('batch_stats', {}))}


def test_every_network_of_the_table_is_here():
    assert list(NETWORKS) == list(MODELS)
    assert all(name == spec.module.NAME for name, spec in MODELS.items())


@each_network
def test_features_are_the_stages_and_the_embedding(name):
    model, (logits, features) = slim(name), whole(name)
    assert set(features) - {'embedding_linear'} == {*model.STAGES, 'embedding'}
    assert set(shapes_of(name)['params']) == set(model.STAGES)
    assert logits.shape == (3, 3) and logits.dtype == jnp.float32
    np.testing.assert_array_equal(features['head'], logits)
    assert features['embedding'].ndim == 2 and np.std(np.asarray(features['embedding'])) > 1e-3
    # A copy, as training and evaluation make them, has the stages of its own options.
    assert model.clone(axis_name='devices').STAGES == model.STAGES


@each_network
def test_stages_one_by_one_are_the_whole(name):
    """Each with its own variables alone, so that the frozen stages at the start can be computed once."""
    (logits, features), ((y, found, added), _) = whole(name), in_pieces(name)
    assert sum(map(len, added)) == len(found) and set(found) == set(features)
    np.testing.assert_allclose(y, logits, rtol=1e-4, atol=1e-4)
    for key, value in features.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-4, atol=1e-4, err_msg=key)


@each_network
def test_two_parts_have_the_features_of_the_whole(name):
    """The shapes alone, as the values are those of the stages one by one: after the first, the middle, the last."""
    model, (variables, x), (logits, features) = slim(name), drawn(name), whole(name)
    for cut in sorted({1, len(model.STAGES) // 2, len(model.STAGES) - 1}):
        first, second = split_variables(model, variables, cut)
        between, early = jax.eval_shape(functools.partial(model.apply, stop=cut), first, x)
        last, late = jax.eval_shape(functools.partial(model.apply, start=cut), second, between)
        assert not set(early) & set(late)
        assert {k: v.shape for k, v in (early | late).items()} == {k: v.shape for k, v in features.items()}
        assert last.shape == logits.shape


@each_network
def test_the_head_takes_the_last_stages_output_too(name):
    """A map that the embedding is made of, or the embedding itself."""
    (logits, *_), heads = in_pieces(name)
    for found in heads:
        np.testing.assert_allclose(found, logits, rtol=1e-5, atol=1e-5)


@each_network
def test_dropout_takes_its_share_of_the_embedding_in_training_alone(name):
    model, last = slim(name, dropout_rate=0.25), len(slim(name).STAGES) - 1
    width = whole(name)[1]['embedding'].shape[1]
    picks = {'params': {'head': {'kernel': np.eye(width, 3, dtype=np.float32), 'bias': np.zeros(3, np.float32)}}}
    ones = np.ones((400, width), np.float32)

    @jax.jit
    def both(picks, ones):
        run = functools.partial(model.apply, picks, ones, start=last)
        return run(train=True, rngs={'dropout': jax.random.key(3)})[0], run()[0]

    dropped, plain = map(np.asarray, both(picks, ones))
    np.testing.assert_allclose(dropped[dropped != 0], 4 / 3, rtol=1e-5)
    assert (dropped == 0).mean() == pytest.approx(0.25, abs=0.05)
    np.testing.assert_array_equal(plain, 1.0)
    if name not in DROPS_EARLIER:  # else JAX would ask for a random stream
        run = functools.partial(model.apply, train=True, mutable=['batch_stats'], stop=last)
        jax.eval_shape(run, *drawn(name))


@each_network
def test_patterns_fit_the_parameters_and_a_frozen_backbone_is_all_but_the_head(name):
    variables, model, norms = drawn(name)[0], slim(name), norms_of(name)
    paths, (layer, leaves) = flatten_tree(variables['params']), FIRST_LAYER[name]
    assert {p for p in paths if re.fullmatch(model.STEM, p)} == {f'{layer}/{leaf}' for leaf in leaves}
    assert {p.rpartition('/')[0] for p in paths if re.fullmatch(model.NORMS, p)} == norms == set(model.known_norms())
    mask = trainable_mask(variables['params'], freezing_rules('head', model))
    assert frozen_prefix(model, mask) == len(model.STAGES) - 1
    assert {p for p, trains in flatten_tree(mask).items() if trains} == {'head/kernel', 'head/bias'}
    if norms:
        assert frozen_norms(variables['batch_stats'], mask) == tuple(sorted(norms))
        mask = trainable_mask(variables['params'], freezing_rules('first_last', model, train_norms=True))
        assert frozen_norms(variables['batch_stats'], mask) == ()
    else:
        mask = trainable_mask(variables['params'], freezing_rules('first_last', model))
    assert frozen_prefix(model, mask) == 0


@functools.cache
def steps(name):
    """Loss, logits, new statistics (and gradients) of three examples, alone and with a fourth that is masked.

    A third of the norms is frozen
    A third, so that each kind of norm of a block (there are one to four) is frozen in some blocks and free in others.
    """
    (variables, x), model = drawn(name), slim(name, frozen_norms=frozen_third(name))

    def step(x, mask):
        def loss_fn(params):
            (logits, _), new = model.apply(
                {**variables, 'params': params}, x, train=True, mask=mask, mutable=['batch_stats']
            )
            return (logits[:3] ** 2).sum(), (logits[:3], new['batch_stats'])

        run = jax.value_and_grad(loss_fn, has_aux=True) if name in WITH_GRADIENTS else loss_fn
        return jax.jit(run)(variables['params'])

    return step(x, None), step(np.concatenate([x, 100 * x[:1]]), np.float32([1, 1, 1, 0]))


def frozen_third(name):
    return slim(name).known_norms()[1::3]


@each_with_norms
def test_frozen_norms_rest_and_the_others_move(name):
    frozen, alone = frozen_third(name), steps(name)[0]
    new = alone[0][1][1] if name in WITH_GRADIENTS else alone[1][1]
    before, after = flatten_tree(drawn(name)[0]['batch_stats']), flatten_tree(new)
    assert set(before) == set(after)
    for path, value in after.items():
        assert np.array_equal(value, before[path]) == (path.rpartition('/')[0] in frozen), path


@each_with_norms
def test_all_norms_frozen_is_evaluation(name):
    variables, ((logits, _), new) = drawn(name)[0], evaluated(name)[2]
    np.testing.assert_allclose(logits, whole(name)[0], rtol=1e-5, atol=1e-5)
    jax.tree.map(np.testing.assert_array_equal, new['batch_stats'], variables['batch_stats'])


@each_with_norms
def test_padding_has_no_part_in_statistics_outputs_nor_gradients(name):
    alone, padded = steps(name)
    for found, wanted in zip(jax.tree.leaves(padded), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@each_network
def test_options_that_cannot_be_are_refused(name):
    fields = slim(name).__dataclass_fields__
    norms = slim(name).known_norms()
    count = len(NETWORKS[name][1].get('depths', ()))
    refused = [('width_multiplier', value, str(value)) for value in (-1, 0.0, float('nan'))]
    refused += [('depths', value, re.escape(str(value))) for value in ((1,) * (count - 1), (1,) * (count - 1) + (0,))]
    refused += [('frozen_norms', (*norms[:1], 'other/bn'), f'other/bn; there are: {", ".join(norms[:4])}')]
    for option, value, text in refused:
        if option in fields:
            with pytest.raises(ConfigError, match=f'{name}: .*{option}.*{text}'):
                model = slim(name, **{option: value})
                jax.eval_shape(model.init, jax.random.key(0), example(name))
