"""A pretrained body under a new classifier."""

from __future__ import annotations

import logging

import flax.linen as nn
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from fdx.models import create_model
from fdx.models.registry import MODELS, ModelSpec
from fdx.types import WeightsError
from fdx.weights import tables
from fdx.weights.convert import convert_file
from fdx.weights.files import load_weights
from fdx.weights.names import Entry, NameTable, module_entries
from fdx.weights.pretrained import load_pretrained
from fdx.weights.vggish import convert_vggish


@pytest.fixture
def files(tmp_path, slim_pth, slim_state, slim_width):
    """The same weights in the three forms that a user may have."""
    named = tmp_path / 'torch_names.safetensors'
    safetensors.numpy.save_file(slim_state, named)
    own = tmp_path / 'own.safetensors'
    convert_file('vggish', slim_pth, own, licence='Apache-2.0', width_multiplier=slim_width)
    return {'pth': slim_pth, 'torch_names': named, 'own': own}


def test_every_form_gives_the_body_of_the_file(files, slim_state, slim_width):
    body = convert_vggish(slim_state, width_multiplier=slim_width)
    model = create_model('vggish', 5, width_multiplier=slim_width)
    for path in files.values():
        params = dict(load_pretrained(path, model)['params'])
        assert params.pop('head')['kernel'].shape == (2, 5)
        assert jax.tree.structure(params) == jax.tree.structure(body)
        assert jax.tree.all(jax.tree.map(np.array_equal, params, body)), path


class TwoLayers(nn.Module):
    """A network whose whole initialisation takes no time, unlike VGGish's (its kernels compile for seconds)."""

    num_classes: int
    STAGES = ('stem', 'head')

    def setup(self):
        self.stem = nn.Dense(2)
        self.head = nn.Dense(self.num_classes)

    def __call__(self, x, *, train=False, start=0, stop=None):
        for name in self.STAGES[start:stop]:
            x = getattr(self, name)(x)
        return x, {}


@pytest.mark.parametrize(('classes', 'seed'), [(5, 0), (10, 3)])
def test_the_head_is_that_of_a_whole_initialisation(classes, seed, tmp_path, monkeypatch):
    monkeypatch.setitem(MODELS, 'two_layers', ModelSpec(TwoLayers, (3,), 'none'))
    stem = {'stem/kernel': np.ones((3, 2), np.float32), 'stem/bias': np.ones(2, np.float32)}
    safetensors.numpy.save_file(stem, tmp_path / 'w.safetensors')
    fresh = TwoLayers(classes).init(jax.random.key(seed), jnp.zeros((1, 3)))
    variables = load_pretrained(tmp_path / 'w.safetensors', TwoLayers(classes), seed=seed)
    np.testing.assert_array_equal(variables['params']['head']['kernel'], fresh['params']['head']['kernel'])
    assert jax.tree.structure(variables) == jax.tree.structure(fresh)
    assert variables['params']['stem']['kernel'].tolist() == [[1, 1]] * 3


@pytest.mark.parametrize('classes', [4, 10])
def test_the_head_fits_any_number_of_classes(classes, files, slim_width):
    model = create_model('vggish', classes, width_multiplier=slim_width)
    variables = load_pretrained(files['own'], model)
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 96, 64, 1)))
    assert jax.tree.map(lambda v: (v.shape, v.dtype), variables) == jax.tree.map(lambda v: (v.shape, v.dtype), shapes)
    assert 0.1 < np.std(variables['params']['head']['kernel']) < 2.0
    logits = jax.eval_shape(lambda v, x: model.apply(v, x)[0], variables, jnp.ones((2, 96, 64, 1)))
    assert logits.shape == (2, classes)


def test_a_saved_head_gives_way_to_the_new_one(tmp_path, files, slim_width):
    body, _ = load_weights(files['own'])
    body['head'] = {'kernel': np.full((2, 9), 7.0, np.float32), 'bias': np.full(9, 7.0, np.float32)}
    flat = {'/'.join(str(k.key) for k in path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(body)}
    safetensors.numpy.save_file(flat, tmp_path / 'trained.safetensors')
    variables = load_pretrained(
        tmp_path / 'trained.safetensors', create_model('vggish', 4, width_multiplier=slim_width)
    )
    assert variables['params']['head']['bias'].tolist() == [0.0] * 4


def test_it_says_that_the_classifier_is_new(files, slim_width, caplog):
    with caplog.at_level(logging.INFO, logger='fdx.weights.pretrained'):
        load_pretrained(files['own'], create_model('vggish', 4, width_multiplier=slim_width), seed=2)
    assert len(caplog.messages) == 1
    words = 'the file has no classifier, a new one of 4 classes is drawn (seed 2)'
    assert f'18 arrays loaded (origin: slim.pth); {words}' in caplog.messages[0]


@pytest.mark.parametrize('form', ['pth', 'torch_names', 'own'])
def test_a_file_of_another_width_is_an_error(form, files, slim_width):
    with pytest.raises(WeightsError) as e:
        load_pretrained(files[form], create_model('vggish', 4, width_multiplier=2 * slim_width))
    lines = str(e.value).splitlines()
    assert lines[0].startswith(f'{files[form]}: ')
    assert lines[1:5] == (
        ['- embedding/bias [4]', '+ embedding/bias [2]', '- embedding/kernel [128, 4]', '+ embedding/kernel [64, 2]']
        if form == 'own'
        else [
            '- embeddings.0.bias [128]',
            '+ embeddings.0.bias [64]',
            '- embeddings.0.weight [128, 384]',
            '+ embeddings.0.weight [64, 192]',
        ]
    )


def test_another_input_shape_is_honoured(files, slim_width):
    model = create_model('vggish', 4, width_multiplier=slim_width)
    with pytest.raises(WeightsError, match=r'- fc1/kernel \[96, 64\]\n\+ fc1/kernel \[192, 64\]'):
        load_pretrained(files['own'], model, input_shape=(48, 64, 1))


def test_a_changed_file_is_refused(files, slim_width):
    raw = bytearray(files['own'].read_bytes())
    raw[-1] ^= 1
    files['own'].write_bytes(raw)
    with pytest.raises(WeightsError, match='SHA-256'):
        load_pretrained(files['own'], create_model('vggish', 4, width_multiplier=slim_width))


def test_other_files_are_refused(tmp_path, files, slim_width):
    model = create_model('vggish', 4, width_multiplier=slim_width)
    with pytest.raises(WeightsError, match=r'w\.npz: .* \.pth, \.pt, \.h5, \.hdf5, \.onnx and \.safetensors'):
        load_pretrained(tmp_path / 'w.npz', model)
    with h5py.File(tmp_path / 'w.h5', 'w') as file:
        file['stage1/kernel'] = np.ones(3, np.float32)
    with pytest.raises(WeightsError, match=r"w\.h5: .*'vggish' in HDF5 files; it has: .*vgg16"):
        load_pretrained(tmp_path / 'w.h5', model)
    with pytest.raises(WeightsError, match=r'Dense .*, musicnn_vgg, resnet50, .*vggish'):
        load_pretrained(files['own'], nn.Dense(3))


def test_a_model_without_a_name_table_is_an_error(monkeypatch, files):
    monkeypatch.setitem(MODELS, 'two_layers', ModelSpec(TwoLayers, (3,), 'none'))
    with pytest.raises(WeightsError, match=r"slim\.pth: .*'two_layers'; .*resnet50, .*vggish"):
        load_pretrained(files['pth'], TwoLayers(2))


class Normed(nn.Module):
    """A network with batch statistics, as a later ResNet has."""

    num_classes: int
    STAGES = ('stem', 'head')

    def setup(self):
        self.stem = nn.BatchNorm(use_running_average=True)
        self.head = nn.Dense(self.num_classes)

    def __call__(self, x, *, train=False, start=0, stop=None):
        for name in self.STAGES[start:stop]:
            x = getattr(self, name)(x)
        return x, {}


def test_batch_statistics_are_loaded_too(tmp_path, monkeypatch):
    statistics = (
        Entry('bn.running_mean', 'batch_stats/stem/mean', 'vector'),
        Entry('bn.running_var', 'batch_stats/stem/var', 'vector'),
    )
    scale = (Entry('bn.weight', 'stem/scale', 'vector'), module_entries('bn', 'stem', 'vector')[1])
    monkeypatch.setitem(MODELS, 'normed', ModelSpec(Normed, (3,), 'none'))
    table = NameTable('a test', statistics + scale, dropped=r'.*\.num_batches')
    monkeypatch.setitem(tables.TABLES, 'normed', lambda model: table)
    names = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches')
    state = {f'bn.{name}': np.arange(3, dtype=np.float32) + i for i, name in enumerate(names)}
    safetensors.numpy.save_file(state, tmp_path / 'torch.safetensors')
    convert_file('normed', tmp_path / 'torch.safetensors', tmp_path / 'own.safetensors', licence='none')
    for name in ('torch', 'own'):
        variables = load_pretrained(tmp_path / f'{name}.safetensors', Normed(4))
        assert variables['batch_stats']['stem']['mean'].tolist() == [2, 3, 4]
        assert variables['batch_stats']['stem']['var'].tolist() == [3, 4, 5]
        assert variables['params']['stem']['scale'].tolist() == [0, 1, 2]
    loaded, _ = load_weights(tmp_path / 'own.safetensors')
    flat = {'stem/scale': loaded['stem']['scale'], 'stem/bias': loaded['stem']['bias']}
    safetensors.numpy.save_file(flat, tmp_path / 'half.safetensors')
    with pytest.raises(WeightsError, match=r'- batch_stats/stem/mean \[3\]\n- batch_stats/stem/var \[3\]$'):
        load_pretrained(tmp_path / 'half.safetensors', Normed(4))
