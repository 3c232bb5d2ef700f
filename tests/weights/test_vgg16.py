"""VGG16's published weights: torchvision's names, HED's convolutions, and which file a name means."""

from __future__ import annotations

import hashlib
import importlib.util
import logging

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.models.conv import plain_conv
from fdx.models.vgg16 import BLOCK_WIDTHS
from fdx.train.config import TrainConfig
from fdx.train.model_setup import set_up_model
from fdx.types import ConfigError, WeightsError
from fdx.weights.convert import convert_arrays, convert_file
from fdx.weights.files import load_weights
from fdx.weights.imagenet import fetch_imagenet_vgg16
from fdx.weights.pretrained import read_pretrained
from fdx.weights.published import fetch_published, published_name
from fdx.weights.structure import file_tree, variable_shapes
from fdx.weights.trees import flatten_tree
from fdx.weights.vgg16 import HED_MEAN_BGR, TORCHVISION

# SHA-256 of the lines 'name [shape]' of torchvision 0.29.1's vgg16().state_dict() (tests/golden/make_vgg16.py --names).
PUBLISHED = '8a41c838cadbc3e01174745e10f81f82d58a11a7fee29cb5e5d4192c5457ca89'
SLIM = {'width_multiplier': 1 / 32, 'fc_width': 64, 'cells': 2}
SHAPE = (40, 36, 3)


@pytest.fixture(scope='module')
def made(golden_folder):
    spec = importlib.util.spec_from_file_location('make_vgg16', golden_folder / 'make_vgg16.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def hed_file(tmp_path):
    """An HDF5 file as Keras 3 writes HED, 1/32 of its width, and its arrays."""
    rng, arrays, channels = np.random.default_rng(2), {}, 3
    for block, widths in enumerate(BLOCK_WIDTHS, 1):
        for conv, width in enumerate(w // 32 for w in widths):
            name = f'block{block}/layers/conv2d' + (f'_{conv}' if conv else '')
            arrays[f'{name}/vars/0'] = rng.standard_normal((3, 3, channels, width)).astype(np.float32) / 5
            arrays[f'{name}/vars/1'] = rng.standard_normal(width).astype(np.float32)
            channels = width
    arrays |= {'dsn1/vars/0': np.ones((1, 1, 2, 1), np.float32), 'fuse/vars/1': np.ones(1, np.float32)}
    path = tmp_path / 'hed.weights.h5'
    with h5py.File(path, 'w') as file:
        for name, array in arrays.items():
            file[name] = array
    return path, arrays


def config(init, **options):
    options = {'model': 'vgg16', 'model_options': SLIM, **options}
    return TrainConfig(dataset='', init=str(init), **options)


def test_the_table_has_torchvisions_names_and_the_models_places():
    model = flatten_tree(file_tree(variable_shapes(create_model('vgg16', 1000), (224, 224, 3))))
    axes = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}
    shapes = {
        e.source: [model[e.target].shape[i] for i in axes[len(model[e.target].shape)]] for e in TORCHVISION.entries
    }
    lines = '\n'.join(f'{name} {shape}' for name, shape in shapes.items())
    assert hashlib.sha256(lines.encode()).hexdigest() == PUBLISHED
    constants = dict(TORCHVISION.constants)
    assert {e.target for e in TORCHVISION.entries} | set(constants) == set(model)
    assert constants['block1/mean'] == (0.485, 0.456, 0.406)
    assert constants['block1/scale'] == pytest.approx((1 / 0.229, 1 / 0.224, 1 / 0.225))


def test_a_state_dict_of_torchvision_is_loaded_by_every_way(made, torch_bytes, tmp_path):
    state = made.seeded_state_dict()
    (tmp_path / 'vgg16.pth').write_bytes(torch_bytes.state_file(state))
    network = create_model('vgg16', made.CLASSES, width_multiplier=1 / 16)
    manifest = convert_file(
        'vgg16', tmp_path / 'vgg16.pth', tmp_path / 'own.safetensors', licence='x', width_multiplier=1 / 16
    )
    assert (manifest['arrays'], manifest['num_classes'], manifest.get('without')) == (34, 5, None)
    wanted = convert_arrays(state, network)
    np.testing.assert_array_equal(wanted['fc1']['kernel'], state['classifier.0.weight'].T)
    np.testing.assert_array_equal(
        wanted['block3']['conv2']['kernel'].transpose(3, 2, 0, 1), state['features.12.weight']
    )
    for name in ('vgg16.pth', 'own.safetensors'):
        loaded = read_pretrained(tmp_path / name, network, input_shape=(64, 64, 3))
        assert loaded.fresh == () and 'classifier of 5 classes is kept' in loaded.notes[0]
        jax.tree.map(np.testing.assert_array_equal, loaded.variables['params'], wanted)
    # Grey images and a network that ends early read the same file.
    early = create_model('vgg16', 2, width_multiplier=1 / 16, stop_after='block2')
    loaded = read_pretrained(tmp_path / 'own.safetensors', early, input_shape=(64, 64, 1))
    assert 'block3, block4, block5, fc1, fc2 of the file are left out' in loaded.notes[1]


def test_hed_sees_blue_green_red_minus_its_mean(hed_file, tmp_path):
    path, arrays = hed_file
    manifest = convert_file('vgg16', path, tmp_path / 'hed.safetensors', licence='MIT', **SLIM)
    assert manifest['without'] == ['fc1', 'fc2', 'head'] and manifest['arrays'] == 28
    tree, _ = load_weights(tmp_path / 'hed.safetensors')
    kernel = arrays['block1/layers/conv2d/vars/0']
    np.testing.assert_array_equal(tree['block1']['conv1']['kernel'], kernel[:, :, ::-1])
    np.testing.assert_array_equal(tree['block5']['conv3']['kernel'], arrays['block5/layers/conv2d_2/vars/0'])
    x = np.random.default_rng(0).random((1, *SHAPE)).astype(np.float32)
    origin = 255 * x[..., ::-1] - np.float32(HED_MEAN_BGR)
    for block in ('block1', 'block2'):
        for conv in (0, 1):
            name = f'{block}/layers/conv2d' + ('_1' if conv else '') + '/vars'
            origin = jax.nn.relu(plain_conv(jnp.asarray(origin), arrays[f'{name}/0']) + arrays[f'{name}/1'])
        origin = origin.reshape(1, origin.shape[1] // 2, 2, origin.shape[2] // 2, 2, -1).max((2, 4))
    model = create_model('vgg16', 3, **SLIM)
    found, _ = model.apply({'params': {k: tree[k] for k in ('block1', 'block2')}}, jnp.asarray(x), stop=2)
    np.testing.assert_allclose(found, origin, rtol=1e-4, atol=1e-4 * float(origin.max()))


def test_what_hed_lacks_starts_at_random_and_is_not_frozen(hed_file, caplog):
    path, arrays = hed_file
    with caplog.at_level(logging.INFO):
        setup = set_up_model(config(path, freeze='first_blocks:3'), 3, SHAPE)
    assert 'fc1, fc2 are not in the file and start at random (seed 0)' in setup.origin
    assert any('26 arrays loaded' in m or '28 arrays loaded' in m for m in caplog.messages)
    assert (setup.start, sorted(setup.prefix['params'])) == (3, ['block1', 'block2', 'block3'])
    np.testing.assert_array_equal(
        setup.prefix['params']['block1']['conv1']['bias'], arrays['block1/layers/conv2d/vars/1']
    )
    drawn = [setup.params[stage]['kernel'] for stage in ('fc1', 'fc2', 'head')]
    assert [kernel.shape for kernel in drawn] == [(64, 2), (2, 2), (2, 3)] and all(np.std(k) > 0.1 for k in drawn)
    with pytest.raises(
        ConfigError, match='has no fc1, fc2, and `freeze`=head would leave fc1, fc2 at random: .*block5'
    ):
        set_up_model(config(path, freeze='head'), 3, SHAPE)
    ended = set_up_model(config(path, freeze='head', model_options={**SLIM, 'stop_after': 'block5'}), 3, SHAPE)
    assert (ended.start, set(ended.params)) == (5, {'head'})


def test_a_file_that_lacks_more_is_an_error(hed_file, tmp_path):
    path, _ = hed_file
    with h5py.File(path, 'a') as file:
        del file['block4/layers/conv2d_1/vars/1']
        file['block6/layers/conv2d/vars/0'] = np.ones(3, np.float32)
    with pytest.raises(WeightsError) as e:
        read_pretrained(path, create_model('vgg16', 3, **SLIM), input_shape=SHAPE)
    assert str(e.value).splitlines()[1:] == [
        '- block4/layers/conv2d_1/vars/1 [16]',
        '+ block6/layers/conv2d/vars/0 [3]',
    ]
    # Its own manifest says what a converted file lacks; without it, a lost stage is a difference.
    convert_file('vgg16', hed_source(tmp_path), tmp_path / 'own.safetensors', licence='MIT', **SLIM)
    (tmp_path / 'own.safetensors.json').unlink()
    with pytest.raises(WeightsError, match=r'- fc1/bias \[2\]'):
        read_pretrained(tmp_path / 'own.safetensors', create_model('vgg16', 3, **SLIM), input_shape=SHAPE)


def hed_source(tmp_path):
    """The file of `hed_file` after the test has damaged it, whole again."""
    path = tmp_path / 'hed.weights.h5'
    with h5py.File(path, 'a') as file:
        file['block4/layers/conv2d_1/vars/1'] = np.ones(16, np.float32)
        del file['block6']
    return path


def test_imagenet_means_the_weights_of_the_network(monkeypatch, tmp_path):
    assert published_name('imagenet', 'resnet50') == 'imagenet'
    assert published_name('imagenet', 'vgg16') == published_name('imagenet_vgg16', 'vgg16') == 'imagenet_vgg16'
    assert published_name('imagenet', 'efficientnet_lite0') == 'imagenet_lite0'
    with pytest.raises(
        ConfigError, match='`init`=imagenet has weights for resnet50, not for `model`=vggish; .*audioset'
    ):
        published_name('imagenet', 'vggish')
    with pytest.raises(
        ConfigError, match='vgg16_hed has weights for vgg16, not for `model`=resnet50; it has: imagenet'
    ):
        published_name('vgg16_hed', 'resnet50')
    with pytest.raises(ConfigError, match='`weights_version`=v1: imagenet_vgg16 come in one version'):
        fetch_published('imagenet_vgg16', tmp_path, version='v1')
    asked = []
    monkeypatch.setattr(
        'fdx.train.model_setup.fetch_published', lambda name, **_: asked.append(name) or tmp_path / 'no'
    )
    with pytest.raises(WeightsError):
        set_up_model(config('imagenet', weights_version='', freeze='first_blocks:3'), 3, SHAPE)
    assert asked == ['imagenet_vgg16']


def test_imagenet_is_downloaded_once_or_says_how_to_get_it(server, tmp_path, made, torch_bytes):
    raw = torch_bytes.state_file(made.seeded_state_dict())
    server.give('/vgg16-397923af.pth', raw)
    with pytest.raises(WeightsError, match=f'{hashlib.sha256(raw).hexdigest()}, it must begin with 397923af'):
        fetch_imagenet_vgg16(tmp_path, folder_url=server.base)
    options = {
        'folder_url': server.base,
        'sha256_prefix': hashlib.sha256(raw).hexdigest()[:8],
        'width_multiplier': 1 / 16,
    }
    path = fetch_imagenet_vgg16(tmp_path, **options)
    assert fetch_imagenet_vgg16(tmp_path, **options) == path == tmp_path / 'vgg16-397923af.safetensors'
    _, manifest = load_weights(path)
    assert [manifest[k] for k in ('model', 'licence', 'num_classes')] == ['vgg16', 'BSD-3-Clause', 5]
    server.http.socket.close()
    with pytest.raises(WeightsError, match=r'no connection (.|\n)*put it at .*vgg16-397923af\.pth'):
        fetch_imagenet_vgg16(tmp_path / 'empty', folder_url=server.base)
