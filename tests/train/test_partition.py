"""Freezing rules (law 8), and that frozen means frozen (law 7)."""

from __future__ import annotations

import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.optimiser import make_optimiser
from fdx.train.partition import freezing_rules, frozen_prefix, log_table, trainable_mask
from fdx.train.steps import TrainState, make_train_step
from fdx.types import ConfigError

BATCH = 8


def network(width=1 / 32):
    return create_model(
        'vggish', 3, width_multiplier=width, dropout_rate=0.0, head_input='embedding_linear', axis_name=parallel.AXIS
    )


def shapes_of(model):
    plain = model.clone(axis_name=None)
    return jax.eval_shape(plain.init, jax.random.key(0), jnp.zeros((1, 96, 64, 1)))['params']


@pytest.fixture(scope='module')
def shapes():
    return shapes_of(network())


def trained_paths(shapes, freeze):
    mask = trainable_mask(shapes, freezing_rules(freeze, network()))
    assert jax.tree.structure(mask) == jax.tree.structure(shapes)
    return {path for path, train in flax.traverse_util.flatten_dict(mask, sep='/').items() if train}, mask


def test_none_trains_everything(shapes):
    trained, mask = trained_paths(shapes, 'none')
    assert len(trained) == 20
    assert frozen_prefix(network(), mask) == 0


def test_head_trains_the_classifier_alone(shapes):
    trained, mask = trained_paths(shapes, 'head')
    assert trained == {'head/kernel', 'head/bias'}
    assert frozen_prefix(network(), mask) == 7
    assert log_table(shapes, mask) == 4 * 3 + 3


def test_first_last_trains_the_stem_and_the_classifier(shapes):
    trained, mask = trained_paths(shapes, 'first_last')
    assert trained == {'stage1/conv1/kernel', 'stage1/conv1/bias', 'head/kernel', 'head/bias'}
    assert frozen_prefix(network(), mask) == 0


@pytest.mark.parametrize(
    ('model', 'count', 'frozen'),
    [
        ('vggish', 2, ('stage1', 'stage2')),
        ('resnet50', 1, ('stem', 'stage1')),
        ('efficientnet_lite0', 7, ('stem', *(f'stage{i}' for i in range(1, 8)))),
        ('cnn1d', 1, ('conv1',)),
        ('vgg16', 3, ('block1', 'block2', 'block3')),
    ],
)
def test_first_blocks_freezes_blocks_and_what_stands_before_them(model, count, frozen):
    network = create_model(model, 3)
    params = {stage: {'kernel': 0, 'bias': 0} for stage in network.STAGES}
    mask = trainable_mask(params, freezing_rules(f'first_blocks:{count}', network))
    assert {stage for stage, leaves in mask.items() if not any(leaves.values())} == set(frozen)
    assert all(all(leaves.values()) for stage, leaves in mask.items() if stage not in frozen)
    assert frozen_prefix(network, mask) == len(frozen)


def test_first_blocks_can_train_the_norms_of_frozen_blocks():
    network = create_model('resnet50', 3, depths=(1, 1, 1, 1))
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, 33, 33, 3)))['params']
    mask = trainable_mask(shapes, freezing_rules('first_blocks:4', network, train_norms=True))
    trained = {path for path, train in flax.traverse_util.flatten_dict(mask, sep='/').items() if train}
    assert {path for path in trained if '/bn' not in path and 'shortcut_bn' not in path} == {'head/kernel', 'head/bias'}
    assert 'stem/bn/scale' in trained and 'stage4/block1/bn3/bias' in trained


@pytest.mark.parametrize(
    ('model', 'freeze', 'words'),
    [
        ('vgg16', 'first_blocks:6', 'vgg16 has the blocks block1, .*block5, so give first_blocks:1 to first_blocks:5'),
        ('vgg16', 'first_blocks:0', '.*so give first_blocks:1 to first_blocks:5'),
        ('vggish', 'first_blocks:two', 'vggish has the blocks stage1, .*first_blocks:4'),
        ('band_mlp', 'first_blocks:1', 'band_mlp has no numbered blocks; its stages are hidden'),
    ],
)
def test_blocks_that_a_network_does_not_have(model, freeze, words):
    with pytest.raises(ConfigError, match=f'`freeze`={freeze}: {words}'):
        freezing_rules(freeze, create_model(model, 3))


@pytest.mark.parametrize(('freeze', 'trained'), [('none', 4), ('first_last', 2), ('first_blocks:1', 2)])
def test_constants_of_a_network_rest_in_every_preset_and_not_against_a_rule(freeze, trained, tmp_path):
    network = create_model('vgg16', 3)
    params = {'block1': {'mean': 0, 'scale': 0, 'conv1': {'kernel': 0}, 'conv2': {'kernel': 0}}, 'fc1': {'kernel': 0}}
    params['head'] = {'kernel': 0}
    flat = flax.traverse_util.flatten_dict(trainable_mask(params, freezing_rules(freeze, network)), sep='/')
    assert not flat['block1/mean'] and not flat['block1/scale']
    assert sum(flat.values()) == trained
    (tmp_path / 'rules').write_text('train .*')
    assert trainable_mask(params, freezing_rules(str(tmp_path / 'rules'), network))['block1']['mean']


def test_a_file_of_rules_with_comments(shapes, tmp_path):
    rules = tmp_path / 'rules.txt'
    rules.write_text('# fine-tuning\n\nfreeze  stage[1-4]/.*   # convolutions\ntrain (fc1|fc2|embedding|head)/.*\n')
    trained, mask = trained_paths(shapes, str(rules))
    assert trained == {f'{s}/{p}' for s in ('fc1', 'fc2', 'embedding', 'head') for p in ('kernel', 'bias')}
    assert frozen_prefix(network(), mask) == 4


@pytest.mark.parametrize('line', ['freeze', 'train head/.* more', 'thaw head/.*'])
def test_a_line_that_is_no_rule_is_named(tmp_path, line):
    rules = tmp_path / 'rules.txt'
    rules.write_text(f'train .*\n{line}  # why\n')
    with pytest.raises(ConfigError, match=r'rules\.txt, line 2: .*train REGEX.*freeze REGEX') as e:
        freezing_rules(str(rules), network())
    assert line in str(e.value)


def test_neither_preset_nor_file():
    with pytest.raises(ConfigError, match='`freeze`=heads .* none, head, first_last, first_blocks:N .*file'):
        freezing_rules('heads', network())


def test_an_uncovered_parameter_is_named(shapes):
    with pytest.raises(ConfigError, match='exactly one freezing rule') as e:
        trainable_mask(shapes, [('train', 'head/.*'), ('freeze', r'stage\d/.*|fc\d/.*|embedding/bias')])
    assert 'embedding/kernel: no rule' in str(e.value)
    assert 'embedding/bias' not in str(e.value)


def test_a_doubly_covered_parameter_is_named_with_its_rules(shapes):
    with pytest.raises(ConfigError, match='head/bias: freeze .*bias and train head/.*') as e:
        trainable_mask(shapes, [('freeze', r'head/bias'), ('train', 'head/.*'), ('freeze', '(?!head/).*')])
    assert 'head/kernel' not in str(e.value)


def test_a_regex_must_match_the_whole_path(shapes):
    with pytest.raises(ConfigError, match='head/kernel: no rule'):
        trainable_mask(shapes, [('train', 'head'), ('freeze', '(?!head/).*')])


def test_a_regex_that_does_not_compile_is_named(shapes):
    with pytest.raises(ConfigError, match=r"'head/\(' is not a regular expression"):
        trainable_mask(shapes, [('train', 'head/(')])


def test_nothing_to_train_is_an_error(shapes):
    with pytest.raises(ConfigError, match='no parameter to train'):
        trainable_mask(shapes, [('freeze', '.*')])


def draw(shapes):
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda s: np.asarray(rng.standard_normal(s.shape) * 0.1, np.float32), shapes)


def setting(freeze, width, **options):
    """(compiled step, abstract or concrete state, batch, mask) of a run without a feature cache."""
    config = TrainConfig(dataset='x', freeze=freeze, l2=1e-2, learning_rate=1e-2, **options)
    model = network(width)
    params = draw(shapes_of(model))
    mask = trainable_mask(params, freezing_rules(freeze, model))
    optimiser = make_optimiser(config, mask, 3)
    state = TrainState(np.int32(0), np.int32(0), params, {}, {'params': {}}, optimiser.init(params))
    step = parallel.compile_step(make_train_step(model, optimiser, mask, start=0))
    rng = np.random.default_rng(1)
    batch = {
        'inputs': rng.standard_normal((BATCH, 96, 64, 1)).astype(np.float32),
        'labels': (np.arange(BATCH) % 3).astype(np.int32),
    }
    return step, state, parallel.shard(batch, BATCH), mask


def test_frozen_parameters_stay_bit_for_bit(assert_same_trees):
    step, state, batch, mask = setting('first_last', 1 / 32, clip_norm=0.5)
    # An update of +0.0 would turn -0.0 into 0.0, the L2 penalty would shrink the rest.
    for kernel in (state.params['stage2']['conv1']['kernel'], state.params['head']['kernel']):
        kernel.flat[0] = -0.0
    before = jax.tree.map(np.copy, state.params)
    state = parallel.replicate(state)
    for _ in range(2):
        state, _ = step(state, batch)
    after = jax.device_get(state.params)
    for name in before:
        if name == 'stage1':
            assert not np.array_equal(after[name]['conv1']['kernel'], before[name]['conv1']['kernel'])
        elif name == 'head':
            assert (after[name]['kernel'] != before[name]['kernel']).all()
        else:
            assert_same_trees(after[name], before[name])
    assert np.signbit(after['stage2']['conv1']['kernel'].flat[0])


def test_frozen_parameters_have_no_optimiser_state(shapes):
    params = draw(shapes)
    for freeze, trained in (('head', ['head']), ('none', list(params))):
        mask = trainable_mask(params, freezing_rules(freeze, network()))
        state = make_optimiser(TrainConfig(dataset='x', freeze=freeze), mask, 3).init(params)
        trained_bytes = sum(x.nbytes for name in trained for x in jax.tree.leaves(params[name]))
        arrays = [x for x in jax.tree.leaves(state) if np.ndim(x)]
        counters = [x for x in jax.tree.leaves(state) if not np.ndim(x)]
        # Adam: a first and a second moment of every trained array; one counter for it and one for the schedule.
        assert sum(x.nbytes for x in arrays) == 2 * trained_bytes
        assert len(arrays) == 2 * sum(len(jax.tree.leaves(params[name])) for name in trained)
        assert len(counters) == 2


@pytest.fixture(scope='module')
def flops():
    """FLOPs of compiled steps at a quarter of VGGish's width."""

    def count(freeze, **options):
        step, state, batch, _ = setting(freeze, 1 / 4, **options)
        return step.lower(state, batch).compile().cost_analysis()['flops']

    return {
        'all': count('none'),
        'head': count('head'),
        'clipped head': count('head', clip_norm=1.0),
    }


def test_frozen_layers_cost_no_gradient_work(flops):
    assert flops['head'] < 0.45 * flops['all']


def test_clipping_does_not_bring_frozen_gradients_back(flops):
    assert flops['clipped head'] == pytest.approx(flops['head'], rel=0.02)
