"""musicnn's checkpoints: their names and places, their conversion, and what becomes of stages and classifier."""

from __future__ import annotations

import json
import logging

import jax
import numpy as np
import pytest
import safetensors.numpy

from fdx.models import create_model
from fdx.types import WeightsError
from fdx.weights.files import file_sha256, load_weights, manifest_path
from fdx.weights.musicnn import TABLE, convert_musicnn
from fdx.weights.names import LAYOUTS
from fdx.weights.pretrained import load_pretrained, read_pretrained
from fdx.weights.structure import file_tree, init_head, variable_shapes
from fdx.weights.trees import flatten_tree

SLIM, CLASSES = 1 / 16, 50
KEPT = "the file's classifier of 50 classes is kept"


def model(classes=CLASSES, **options):
    return create_model('musicnn_vgg', classes, **{'width_multiplier': SLIM, **options})


@pytest.fixture(scope='session')
def _checkpoint(make_musicnn):
    """A slim network with the optimiser's state, by TensorFlow's names."""
    state = make_musicnn.seeded_state(8, CLASSES)
    trained = [name for name in state if 'moving' not in name]
    slots = {f'{name}/{slot}': np.zeros_like(state[name]) for name in trained for slot in ('Adam', 'Adam_1')}
    return state | slots | {f'beta{i}_power': np.array(0.5, np.float32) for i in (1, 2)}


@pytest.fixture
def checkpoint(_checkpoint):
    return dict(_checkpoint)


@pytest.fixture
def index(tmp_path, checkpoint, tf_bundle_bytes):
    (tmp_path / 'SLIM_vgg').mkdir()
    return tf_bundle_bytes.write(f'{tmp_path}/SLIM_vgg/', checkpoint)


@pytest.fixture
def own(tmp_path, index):
    convert_musicnn(index, tmp_path / 'own.safetensors', licence='ISC', width_multiplier=SLIM)
    return tmp_path / 'own.safetensors'


def test_the_table_has_the_names_of_the_graph_and_the_models_places(make_musicnn):
    shapes = make_musicnn.shapes(128, 50)
    assert {e.source for e in TABLE.entries} == set(shapes)
    places = flatten_tree(file_tree(variable_shapes(create_model('musicnn_vgg', 50, head_input='flatten'))))
    assert {e.target: shapes[e.source] for e in TABLE.entries} == {name: s.shape for name, s in places.items()}
    for e in TABLE.entries:
        assert LAYOUTS[e.layout] == tuple(range(len(shapes[e.source]))), 'TensorFlow has the layouts of Flax'


def test_the_converted_file_holds_every_array_and_says_where_it_came_from(tmp_path, index, checkpoint, caplog):
    with caplog.at_level(logging.INFO, logger='fdx.weights.names'):
        manifest = convert_musicnn(
            index, tmp_path / 'w.safetensors', licence='ISC', extra={'trained_on': 'noise'}, width_multiplier=SLIM
        )
    (message,) = caplog.messages
    assert message.startswith('left out on purpose, fdx does not use them: 1CNN/bias/Adam, 1CNN/bias/Adam_1, ')
    tree, stored = load_weights(tmp_path / 'w.safetensors')
    flat = flatten_tree(tree)
    assert set(flat) == {e.target for e in TABLE.entries}
    for e in TABLE.entries:
        np.testing.assert_array_equal(flat[e.target], checkpoint[e.source], err_msg=e.source)
    assert stored == manifest == json.loads(manifest_path(tmp_path / 'w.safetensors').read_text())
    wanted = {
        'model': 'musicnn_vgg',
        'origin': 'SLIM_vgg/.index',
        'licence': 'ISC',
        'trained_on': 'noise',
        'num_classes': CLASSES,
        'options': {'head_input': 'flatten', 'width_multiplier': SLIM},
        'source_sha256': file_sha256(index.parent / '.data-00000-of-00001'),
        'index_sha256': file_sha256(index),
        'arrays': 36,
    }
    assert {key: manifest[key] for key in wanted} == wanted


def test_the_published_network_gets_everything(own, checkpoint):
    variables, notes = read_pretrained(own, model(head_input='flatten'))[:2]
    assert notes == (KEPT,)
    flat = flatten_tree(file_tree(variables))
    assert all(np.array_equal(flat[e.target], checkpoint[e.source]) for e in TABLE.entries)


@pytest.mark.parametrize('shape', [(61, 96, 1), None])
def test_a_smaller_depth_leaves_stages_out_and_says_so(shape, own, checkpoint, caplog):
    network = model(7, depth=3)
    with caplog.at_level(logging.INFO, logger='fdx.weights.pretrained'):
        variables, notes = read_pretrained(own, network, seed=4, input_shape=shape)[:2]
    assert notes == (
        "the file's classifier of 50 classes is replaced by a new one of 7 classes (seed 4): it was made for "
        'head_input=flatten, depth=5, the model has head_input=pooled, depth=3',
        'stage4, stage5 of the file are left out, the model ends before them',
    )
    assert caplog.messages == [f'{own}: 22 arrays loaded (origin: SLIM_vgg/.index); {"; ".join(notes)}']
    assert set(variables['params']) == {'stage1', 'stage2', 'stage3', 'head'}
    assert set(variables['batch_stats']) == {'stage1', 'stage2', 'stage3'}
    np.testing.assert_array_equal(variables['params']['stage3']['conv']['kernel'], checkpoint['3CNN/kernel'])
    np.testing.assert_array_equal(
        variables['batch_stats']['stage1']['input_bn']['var'], checkpoint['batch_normalization/moving_variance']
    )
    head = init_head(network, 4, (61, 96, 1))
    assert jax.tree.all(jax.tree.map(np.array_equal, dict(variables['params']['head']), dict(head)))


def test_a_classifier_for_another_input_is_replaced_although_its_shape_fits(own):
    """Two times 128 values, pooled or flattened: the shape does not tell."""
    network = model(depth=5)
    variables, notes = read_pretrained(own, network)[:2]
    saved = load_weights(own)[0]['head']['kernel']
    assert saved.shape == variables['params']['head']['kernel'].shape
    assert np.abs(variables['params']['head']['kernel'] - saved).max() > 0.01
    assert notes == (
        "the file's classifier of 50 classes is replaced by a new one of 50 classes (seed 0): it was made for "
        'head_input=flatten, the model has head_input=pooled',
    )


def test_a_file_without_manifest_is_taken_for_the_published_one(own):
    manifest_path(own).unlink()
    assert read_pretrained(own, model(head_input='flatten')).notes == (KEPT,)
    (note,) = read_pretrained(own, model()).notes
    assert 'replaced' in note and 'made for head_input=flatten' in note


def test_strictness_holds_for_what_belongs_to_no_stage_and_for_stages_that_are_wanted(tmp_path, own):
    flat = flatten_tree(load_weights(own)[0])

    def lines(tree, network):
        safetensors.numpy.save_file(tree, tmp_path / 'odd.safetensors')
        with pytest.raises(WeightsError) as e:
            load_pretrained(tmp_path / 'odd.safetensors', network)
        return str(e.value).splitlines()[1:]

    one = np.ones(1, np.float32)
    assert lines({**flat, 'stage6/bias': one}, model(depth=3)) == ['+ stage6/bias [1]']
    assert lines({**flat, 'stage2/more': one}, model(depth=3)) == ['+ stage2/more [1]']
    few = {name: array for name, array in flat.items() if 'stage3/bn' not in name}
    assert lines(few, model(depth=3)) == [
        *(f'- batch_stats/stage3/bn/{name} [8]' for name in ('mean', 'var')),
        *(f'- stage3/bn/{name} [8]' for name in ('bias', 'scale')),
    ]
    assert len(lines({k: v for k, v in flat.items() if 'stage5' not in k}, model())) == 6
    assert '+ stage1/conv/bias [8]' in lines(flat, model(depth=2, width_multiplier=1 / 8))


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'5CNN/kernel': None}, r"musicnn's vgg .*:\n- 5CNN/kernel \[3, 3, 8, 8\]$"),
        ({'6CNN/bias': np.ones(2, np.float32)}, r'in the file\):\n\+ 6CNN/bias \[2\]$'),
        ({'dense/bias': None}, r'- dense/bias \[1\]\n- dense/kernel \[16, 1\]\n\+ dense/kernel \[16, 50\]$'),
        ({'1CNN/bias': np.full(8, np.nan, np.float32)}, '1CNN/bias: 8 of 8 values are not finite'),
        ({'1CNN/bias': np.ones(8, np.int32)}, '1CNN/bias: .* int32, the model .*float32'),
    ],
)
def test_other_checkpoints_are_refused_by_name(change, words, tmp_path, checkpoint, tf_bundle_bytes):
    changed = {name: array for name, array in (checkpoint | change).items() if array is not None}
    source = tf_bundle_bytes.write(tmp_path / 'm', changed)
    with pytest.raises(WeightsError, match=r'(?s)m\.index: ' + f'.*{words}'):
        convert_musicnn(source, tmp_path / 'w.safetensors', licence='ISC', width_multiplier=SLIM)
    assert not list(tmp_path.glob('w.safetensors*'))


def test_a_target_of_another_name_and_a_damaged_source(tmp_path, index):
    with pytest.raises(WeightsError, match=r'w\.npz: .* ends in \.safetensors'):
        convert_musicnn(index, tmp_path / 'w.npz', licence='ISC', width_multiplier=SLIM)
    data = index.parent / '.data-00000-of-00001'
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(WeightsError, match=r'SLIM_vgg/\.data-00000-of-00001: .*byte \d+.* truncated .*fetch it again'):
        convert_musicnn(index, tmp_path / 'w.safetensors', licence='ISC', width_multiplier=SLIM)
