"""torchvision's names and layouts of ResNet-50, and the strictness of their conversion."""

from __future__ import annotations

import hashlib
import logging

import jax
import numpy as np
import pytest
import safetensors.numpy

from fdx.models import create_model
from fdx.types import WeightsError
from fdx.weights.convert import convert_arrays, convert_file
from fdx.weights.files import load_weights
from fdx.weights.pretrained import load_pretrained
from fdx.weights.resnet50 import resnet_table
from fdx.weights.structure import file_tree, variable_shapes
from fdx.weights.trees import flatten_tree

# SHA-256 of the lines 'name [shape]' of torchvision 0.29.1's resnet50().state_dict() and resnet101().state_dict().
PUBLISHED = {
    (3, 4, 6, 3): (320, '614cd53ddf84966979ca9f6b3cf723cba0ad398675e7d0db3550943789819c17'),
    (3, 4, 23, 3): (626, '593b3bde446ee9039879438487d99c04df1fc6161488fb2f5c1bde280073e79d'),
}


@pytest.mark.parametrize('depths', PUBLISHED)
def test_the_table_has_torchvisions_names_and_the_models_places(depths, resnet_names):
    shapes = resnet_names.state_shapes(depths)
    lines = '\n'.join(f'{name} {list(shape)}' for name, shape in shapes.items())
    assert (len(shapes), hashlib.sha256(lines.encode()).hexdigest()) == PUBLISHED[depths]
    entries = resnet_table(depths).entries
    assert [e.source for e in entries] == [name for name in shapes if 'num_batches_tracked' not in name]
    model = flatten_tree(file_tree(variable_shapes(create_model('resnet50', 1000, depths=depths))))
    assert {e.target for e in entries} == set(model)
    assert all(np.prod(shapes[e.source]) == model[e.target].size for e in entries)


def test_arrays_arrive_in_their_places_and_layouts(resnet_state, slim_resnet):
    flat = flatten_tree(convert_arrays(resnet_state, create_model('resnet50', 7, **slim_resnet)))
    assert len(flat) == sum('num_batches_tracked' not in name for name in resnet_state) == 102
    pairs = {
        'conv1.weight': 'stem/conv/kernel',
        'bn1.weight': 'stem/bn/scale',
        'bn1.running_mean': 'batch_stats/stem/bn/mean',
        'layer1.0.conv2.weight': 'stage1/block1/conv2/kernel',
        'layer1.0.downsample.0.weight': 'stage1/block1/shortcut_conv/kernel',
        'layer2.0.downsample.1.bias': 'stage2/block1/shortcut_bn/bias',
        'layer2.0.downsample.1.running_var': 'batch_stats/stage2/block1/shortcut_bn/var',
        'layer2.1.bn3.running_mean': 'batch_stats/stage2/block2/bn3/mean',
        'layer4.0.conv1.weight': 'stage4/block1/conv1/kernel',
        'fc.weight': 'head/kernel',
        'fc.bias': 'head/bias',
    }
    axes = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}
    for source, target in pairs.items():
        found = flat[target]
        np.testing.assert_array_equal(found.transpose(axes[found.ndim]), resnet_state[source], err_msg=source)
        assert found.flags.c_contiguous and found.dtype == np.float32


def test_every_form_gives_the_same_variables(tmp_path, resnet_pth, resnet_state, slim_resnet):
    """The .pth file, timm's .safetensors with and without the counts of batches, and fdx's own file."""
    model = create_model('resnet50', 7, **slim_resnet)
    safetensors.numpy.save_file(resnet_state, tmp_path / 'timm.safetensors')
    few = {name: array for name, array in resnet_state.items() if not name.endswith('num_batches_tracked')}
    safetensors.numpy.save_file(few, tmp_path / 'few.safetensors')
    manifest = convert_file('resnet50', resnet_pth, tmp_path / 'own.safetensors', licence='x', **slim_resnet)
    assert (manifest['num_classes'], manifest['arrays']) == (7, 102)
    assert manifest['options'] == slim_resnet
    expected = convert_arrays(resnet_state, model)
    own, _ = load_weights(tmp_path / 'own.safetensors')
    assert jax.tree.structure(own) == jax.tree.structure(expected)
    for path in (resnet_pth, *(tmp_path / f'{name}.safetensors' for name in ('timm', 'few', 'own'))):
        variables = load_pretrained(path, model, input_shape=(128, 2, 3))
        assert sorted(variables) == ['batch_stats', 'params']
        shapes = variable_shapes(model, (128, 2, 3))
        assert jax.tree.map(lambda v: (v.shape, v.dtype), variables) == jax.tree.map(
            lambda v: (v.shape, v.dtype), shapes
        )
        assert jax.tree.all(jax.tree.map(np.array_equal, file_tree(variables), expected)), path


def test_counts_of_batches_are_left_out_and_logged(resnet_state, slim_resnet, caplog):
    with caplog.at_level(logging.INFO, logger='fdx.weights.names'):
        convert_arrays(resnet_state, create_model('resnet50', 7, **slim_resnet))
    assert caplog.messages == [
        'left out on purpose, fdx does not use them: bn1.num_batches_tracked, layer1.0.bn1.num_batches_tracked, '
        'layer1.0.bn2.num_batches_tracked, layer1.0.bn3.num_batches_tracked and 16 more'
    ]


def test_the_whole_difference_is_listed(says, resnet_state, slim_resnet):
    model = create_model('resnet50', 7, **slim_resnet)
    del resnet_state['bn1.running_var']
    resnet_state['layer2.1.conv2.weight'] = resnet_state['layer2.1.conv2.weight'][:, :, :1]
    resnet_state['layer1.0.conv1.bias'] = np.zeros(4, np.float32)
    with pytest.raises(WeightsError) as e:
        convert_arrays(resnet_state, model)
    head, *lines = str(e.value).splitlines()
    assert says(head, 'torchvision ... 1-2-1-1 ... - expected, + in the file')
    assert lines == [
        '- bn1.running_var [4]',
        '+ layer1.0.conv1.bias [4]',
        '- layer2.1.conv2.weight [8, 8, 3, 3]',
        '+ layer2.1.conv2.weight [8, 8, 1, 3]',
    ]


def test_other_depths_and_a_lost_classifier_are_errors(resnet_state, slim_resnet):
    with pytest.raises(WeightsError) as e:
        convert_arrays(resnet_state, create_model('resnet50', 7, **{**slim_resnet, 'depths': (1, 1, 1, 1)}))
    lines = str(e.value).splitlines()[1:]
    assert len(lines) == 15 and all(line.startswith('+ layer2.1.') for line in lines)
    del resnet_state['fc.bias']
    with pytest.raises(WeightsError, match=r'in the file\):\n- fc\.bias \[7\]$'):
        convert_arrays(resnet_state, create_model('resnet50', 3, **slim_resnet))


def test_values_that_are_not_finite_are_an_error(resnet_state, slim_resnet):
    resnet_state['layer1.0.bn1.running_var'] = np.full(4, np.inf, np.float32)
    with pytest.raises(WeightsError, match=r'layer1\.0\.bn1\.running_var: 4 of 4 .*not finite'):
        convert_arrays(resnet_state, create_model('resnet50', 7, **slim_resnet))
