"""The file's classifier: taken where the class count fits, else replaced, and said so."""

from __future__ import annotations

import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from fdx.models import create_model
from fdx.types import WeightsError
from fdx.weights.convert import convert_file
from fdx.weights.files import load_weights
from fdx.weights.pretrained import load_pretrained, read_pretrained
from fdx.weights.structure import init_head, variable_shapes
from fdx.weights.trees import flatten_tree

SHAPE = (32, 16, 3)
WIDTHS = 128  # of the embedding of the small ResNet


@pytest.fixture
def files(tmp_path, resnet_pth, slim_resnet):
    own = tmp_path / 'own.safetensors'
    convert_file('resnet50', resnet_pth, own, licence='BSD-3-Clause', **slim_resnet)
    return {'pth': resnet_pth, 'own': own}


@pytest.mark.parametrize('form', ['pth', 'own'])
def test_as_many_classes_keep_the_classifier(form, files, resnet_state, slim_resnet, caplog):
    with caplog.at_level(logging.INFO, logger='fdx.weights.pretrained'):
        variables, notes = read_pretrained(files[form], create_model('resnet50', 7, **slim_resnet), input_shape=SHAPE)[
            :2
        ]
    np.testing.assert_array_equal(variables['params']['head']['kernel'], resnet_state['fc.weight'].T)
    np.testing.assert_array_equal(variables['params']['head']['bias'], resnet_state['fc.bias'])
    assert notes == ("the file's classifier of 7 classes is kept",)
    origin = 'resnet50-tiny.pth' if form == 'own' else 'unknown'
    assert caplog.messages[-1] == f'{files[form]}: 102 arrays loaded (origin: {origin}); {notes[0]}'


@pytest.mark.parametrize('form', ['pth', 'own'])
def test_another_number_of_classes_replaces_it(form, files, resnet_state, slim_resnet, caplog):
    model = create_model('resnet50', 4, **slim_resnet)
    with caplog.at_level(logging.INFO, logger='fdx.weights.pretrained'):
        variables, notes = read_pretrained(files[form], model, seed=5, input_shape=SHAPE)[:2]
    assert notes == ("the file's classifier of 7 classes is replaced by a new one of 4 classes (seed 5)",)
    assert caplog.messages[-1].startswith(f'{files[form]}: 100 arrays loaded')
    assert caplog.messages[-1].endswith(notes[0])
    assert variables['params']['head']['kernel'].shape == (WIDTHS, 4)
    np.testing.assert_array_equal(variables['params']['stem']['bn']['bias'], resnet_state['bn1.bias'])
    np.testing.assert_array_equal(variables['batch_stats']['stem']['bn']['var'], resnet_state['bn1.running_var'])


def test_the_new_classifier_is_that_of_a_whole_initialisation(slim_resnet):
    """Exactly, although the stages before it are traced only, and whatever the size of the examples."""
    model = create_model('resnet50', 4, **{**slim_resnet, 'depths': (1, 1, 1, 1)})
    # The compiler drops what the head's values do not need, and so the seconds that drawing the kernels takes.
    whole = jax.jit(lambda key, x: model.init(key, x)['params']['head'])(jax.random.key(5), jnp.zeros((1, *SHAPE)))
    for shape in (SHAPE, (128, 2, 1), None):
        head = init_head(model, 5, shape)
        assert sorted(head) == ['bias', 'kernel']
        np.testing.assert_array_equal(head['kernel'], whole['kernel'])
        np.testing.assert_array_equal(head['bias'], whole['bias'])
    assert np.abs(init_head(model, 6)['kernel'] - whole['kernel']).max() > 0.01


def write(path, tree):
    safetensors.numpy.save_file(flatten_tree(tree), path)
    return path


def test_a_network_is_traced_once_and_what_it_gives_may_be_changed(slim_resnet, monkeypatch):
    model, asked = create_model('resnet50', 5, **slim_resnet), []
    trace = jax.eval_shape
    monkeypatch.setattr(jax, 'eval_shape', lambda *args: asked.append(args) or trace(*args))
    first = variable_shapes(model, (40, 24, 3))
    wanted = trace(model.init, jax.random.key(0), jax.ShapeDtypeStruct((1, 40, 24, 3), np.float32))
    assert first == wanted and len(asked) == 1
    del first['params']['stem']['conv']
    # The same options are the same network, and its classifier needs no other trace.
    again = create_model('resnet50', 5, **slim_resnet)
    assert variable_shapes(again, (40, 24, 3)) == wanted and init_head(again, 0, (40, 24, 3))['kernel'].shape == (
        128,
        5,
    )
    assert len(asked) == 1
    assert variable_shapes(again, (40, 24, 1)) != wanted and len(asked) == 2
    # Options with a list, as JSON has them, cannot be looked up; they give the same.
    listed = create_model('resnet50', 5, **{**slim_resnet, 'depths': list(slim_resnet['depths'])})
    assert variable_shapes(listed, (40, 24, 3)) == wanted


def test_a_file_without_classifier_gets_a_new_one(tmp_path, files, slim_resnet):
    tree, _ = load_weights(files['own'])
    del tree['head']
    path = write(tmp_path / 'body.safetensors', tree)
    variables, notes = read_pretrained(path, create_model('resnet50', 7, **slim_resnet), input_shape=SHAPE)[:2]
    assert notes == ('the file has no classifier, a new one of 7 classes is drawn (seed 0)',)
    assert variables['params']['head']['bias'].tolist() == [0.0] * 7


@pytest.mark.parametrize(
    ('head', 'lines'),
    [
        (
            {'kernel': np.ones((64, 7), np.float32)},
            ['- head/bias [7]', '- head/kernel [128, 7]', '+ head/kernel [64, 7]'],
        ),
        (
            {'bias': np.ones(7, np.float32), 'kernel': np.ones((64, 7), np.float32)},
            ['- head/kernel [128, 7]', '+ head/kernel [64, 7]'],
        ),
        (np.ones(3, np.float32), ['+ head [3]', '- head/bias [7]', '- head/kernel [128, 7]']),
    ],
)
def test_a_classifier_that_is_none_is_an_error(head, lines, tmp_path, files, slim_resnet):
    tree, _ = load_weights(files['own'])
    path = write(tmp_path / 'odd.safetensors', {**tree, 'head': head})
    with pytest.raises(WeightsError) as e:
        load_pretrained(path, create_model('resnet50', 7, **slim_resnet), input_shape=SHAPE)
    assert str(e.value).splitlines()[1:] == lines


def test_lost_statistics_are_an_error(tmp_path, files, slim_resnet):
    tree, _ = load_weights(files['own'])
    del tree['batch_stats']['stem'], tree['stage1']['block1']['bn1']['bias']
    path = write(tmp_path / 'half.safetensors', tree)
    with pytest.raises(WeightsError) as e:
        load_pretrained(path, create_model('resnet50', 4, **slim_resnet), input_shape=SHAPE)
    assert str(e.value).splitlines()[1:] == [
        '- batch_stats/stem/bn/mean [4]',
        '- batch_stats/stem/bn/var [4]',
        '- stage1/block1/bn1/bias [4]',
    ]
