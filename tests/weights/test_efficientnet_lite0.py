"""Names and layouts of the torch port of EfficientNet-Lite0, and its ImageNet weights where they are in the cache."""

from __future__ import annotations

import hashlib
import importlib.util
import logging

import jax
import numpy as np
import pytest

from fdx.models import create_model
from fdx.types import WeightsError
from fdx.weights.cache import cache_folder
from fdx.weights.convert import convert_arrays, convert_file
from fdx.weights.efficientnet_lite0 import TABLE, efficientnet_table
from fdx.weights.files import load_weights
from fdx.weights.names import LAYOUTS
from fdx.weights.pretrained import load_pretrained, read_pretrained
from fdx.weights.structure import file_template, file_tree, variable_shapes
from fdx.weights.tables import name_table
from fdx.weights.trees import flatten_tree

SLIM = {'width_multiplier': 1 / 8, 'depths': (1, 2, 1, 1, 1, 1, 1)}
CLASSES = 7
ARRAYS = 5 + 10 + 15 * 7 + 5 + 2  # of the slim network: stem, the block without expansion, the others, top, head
# SHA-256 of the lines 'name [shape]' of the published file efficientnet-lite0-57934424.pth.
PUBLISHED = '9dd4d4545d9de551b5967884846a83ea0dbbe0f75167af20477dc72b3ab542cd'


@pytest.fixture(scope='module')
def made(golden_folder):
    path = golden_folder / 'make_efficientnet_lite0.py'
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def _state():
    model = create_model('efficientnet_lite0', CLASSES, **SLIM)
    shapes = flatten_tree(file_template(model, (64, 64, 3), classes=CLASSES))
    rng = np.random.default_rng(4)
    state = {}
    for e in efficientnet_table(SLIM['depths']).entries:
        shape = np.array(shapes[e.target].shape)[np.argsort(LAYOUTS[e.layout])]
        values = rng.standard_normal(shape, dtype=np.float32)
        state[e.source] = np.abs(values) + np.float32(0.5) if e.source.endswith('running_var') else values
        if e.source.endswith('running_var'):
            state[e.source.replace('running_var', 'num_batches_tracked')] = np.array(9, np.int64)
    return state


@pytest.fixture
def state(_state):
    """Name -> array of a slim network under the port's names; only the dict may be changed."""
    return dict(_state)


@pytest.fixture
def pth(tmp_path, state, torch_bytes):
    path = tmp_path / 'efficientnet-tiny.pth'
    path.write_bytes(torch_bytes.state_file(state))
    return path


def test_the_table_has_the_published_names_and_the_models_places(made):
    shapes = made.shapes(1000)
    lines = '\n'.join(f'{name} {list(shape)}' for name, shape in shapes.items())
    assert (len(shapes), hashlib.sha256(lines.encode()).hexdigest()) == (296, PUBLISHED)
    network = create_model('efficientnet_lite0', 1000)
    entries = name_table(network).entries
    assert entries == TABLE.entries
    assert [e.source for e in entries] == [name for name in shapes if 'num_batches_tracked' not in name]
    model = flatten_tree(file_tree(variable_shapes(network)))
    assert {e.target for e in entries} == set(model)
    for e in entries:
        assert tuple(shapes[e.source][i] for i in LAYOUTS[e.layout]) == model[e.target].shape, e.source


def test_arrays_arrive_in_their_places_and_layouts(state):
    flat = flatten_tree(convert_arrays(state, create_model('efficientnet_lite0', CLASSES, **SLIM)))
    assert len(flat) == sum('num_batches_tracked' not in name for name in state) == ARRAYS
    pairs = {
        '_conv_stem.weight': 'stem/conv/kernel',
        '_bn0.running_mean': 'batch_stats/stem/bn/mean',
        '_blocks.0._bn1.weight': 'stage1/block1/depthwise_bn/scale',
        '_blocks.0._project_conv.weight': 'stage1/block1/project_conv/kernel',
        '_blocks.2._expand_conv.weight': 'stage2/block2/expand_conv/kernel',
        '_blocks.2._bn0.running_var': 'batch_stats/stage2/block2/expand_bn/var',
        '_blocks.3._bn2.bias': 'stage3/block1/project_bn/bias',
        '_blocks.7._bn1.running_mean': 'batch_stats/stage7/block1/depthwise_bn/mean',
        '_conv_head.weight': 'top/conv/kernel',
        '_bn1.running_var': 'batch_stats/top/bn/var',
        '_fc.weight': 'head/kernel',
        '_fc.bias': 'head/bias',
    }
    axes = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}
    for source, target in pairs.items():
        found = flat[target]
        np.testing.assert_array_equal(found.transpose(axes[found.ndim]), state[source], err_msg=source)
        assert found.flags.c_contiguous and found.dtype == np.float32


def test_a_depthwise_kernel_keeps_channels_and_taps(state):
    """Torch's [C, 1, k, k] becomes [k, k, 1, C]."""
    flat = flatten_tree(convert_arrays(state, create_model('efficientnet_lite0', CLASSES, **SLIM)))
    kernel, source = flat['stage3/block1/depthwise_conv/kernel'], state['_blocks.3._depthwise_conv.weight']
    assert source.shape == (18, 1, 5, 5) and kernel.shape == (5, 5, 1, 18)
    for channel, row, column in ((0, 0, 4), (3, 2, 1), (17, 4, 0)):
        assert kernel[row, column, 0, channel] == source[channel, 0, row, column]


def test_converted_and_loaded(tmp_path, pth, state):
    """The classifier is kept where the classes fit; one channel gets the summed stem."""
    own = tmp_path / 'own.safetensors'
    manifest = convert_file('efficientnet_lite0', pth, own, licence='Apache-2.0', **SLIM)
    assert (manifest['num_classes'], manifest['arrays']) == (CLASSES, ARRAYS)
    kernel = state['_conv_stem.weight'].transpose(2, 3, 1, 0)
    for path in (pth, own):
        same, notes = read_pretrained(path, create_model('efficientnet_lite0', CLASSES, **SLIM))[:2]
        assert notes == (f"the file's classifier of {CLASSES} classes is kept",)
        np.testing.assert_array_equal(same['params']['head']['kernel'], state['_fc.weight'].T)
        other = create_model('efficientnet_lite0', 4, **SLIM)
        variables, notes = read_pretrained(path, other, seed=5, input_shape=(128, 96, 1))[:2]
        assert notes[0] == f"the file's classifier of {CLASSES} classes is replaced by a new one of 4 classes (seed 5)"
        assert notes[1] == 'the stem kernel is summed over its 3 input channels for 1 channel'
        assert variables['params']['head']['kernel'].shape == (160, 4)
        stem = variables['params']['stem']['conv']['kernel']
        np.testing.assert_allclose(stem, kernel.sum(2, keepdims=True), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(
            variables['batch_stats']['top']['bn']['mean'], state['_bn1.running_mean'], err_msg=path.name
        )
        assert jax.tree.map(np.shape, variables) == jax.tree.map(
            lambda s: s.shape, variable_shapes(other, (128, 96, 1))
        )


def test_counts_of_batches_are_left_out_and_logged(state, caplog):
    with caplog.at_level(logging.INFO, logger='fdx.weights.names'):
        convert_arrays(state, create_model('efficientnet_lite0', CLASSES, **SLIM))
    assert caplog.messages == [
        'left out on purpose, fdx does not use them: _blocks.0._bn1.num_batches_tracked, '
        '_blocks.0._bn2.num_batches_tracked, _blocks.1._bn0.num_batches_tracked, _blocks.1._bn1.num_batches_tracked '
        'and 21 more'
    ]


def test_the_whole_difference_is_listed(says, state):
    del state['_blocks.1._bn0.running_var']
    state['_blocks.0._expand_conv.weight'] = np.zeros((4, 4, 1, 1), np.float32)
    state['_blocks.3._depthwise_conv.weight'] = state['_blocks.3._depthwise_conv.weight'][:, :, 1:4, 1:4]
    with pytest.raises(WeightsError) as e:
        convert_arrays(state, create_model('efficientnet_lite0', CLASSES, **SLIM))
    head, *lines = str(e.value).splitlines()
    assert says(head, 'efficientnet-lite-pytorch ... 1-2-1-1-1-1-1 ... - expected, + in the file')
    assert lines == [
        '+ _blocks.0._expand_conv.weight [4, 4, 1, 1]',
        '- _blocks.1._bn0.running_var [12]',
        '- _blocks.3._depthwise_conv.weight [18, 1, 5, 5]',
        '+ _blocks.3._depthwise_conv.weight [18, 1, 3, 3]',
    ]


@pytest.fixture(scope='module')
def imagenet_file():
    path = cache_folder() / 'imagenet-lite0.safetensors'
    if not path.is_file():
        pytest.skip(
            f'the converted ImageNet weights are not there: {path.name} in the folder of FDX_CACHE or ~/.cache/fdx'
        )
    return path


def test_the_published_weights_give_the_logits_of_the_port(imagenet_file, made, golden_folder):
    """All 1000 logits of three pictures, by the weights as fdx converted them."""
    _, manifest = load_weights(imagenet_file)
    assert (manifest['model'], manifest['num_classes'], manifest['arrays']) == ('efficientnet_lite0', 1000, 247)
    assert manifest['source_sha256'].startswith('57934424')
    model = create_model('efficientnet_lite0', 1000)
    variables = load_pretrained(imagenet_file, model)
    forward = jax.jit(lambda v, x: model.apply(v, x)[0])
    with np.load(golden_folder / 'efficientnet_lite0_imagenet.npz') as expected:
        for i, shape in enumerate(made.PICTURES):
            wanted = expected[f'logits_{i}']
            logits = np.asarray(forward(variables, made.seeded_pictures(shape)))
            np.testing.assert_allclose(logits, wanted, rtol=0, atol=1e-4, err_msg=str(shape))
            np.testing.assert_array_equal(np.argsort(logits)[:, -5:], np.argsort(wanted)[:, -5:])
            assert np.ptp(wanted) > 2 and logits.shape == (shape[0], 1000)
