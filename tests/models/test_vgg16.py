"""VGG16: torchvision's values, the mean of its input, cells of small maps, and what is refused."""

from __future__ import annotations

import importlib.util
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from fdx.models import create_model
from fdx.models.conv import plain_conv
from fdx.models.vgg16 import DEVIATION, MEAN, VGG16, Block, mean_of_cells
from fdx.types import ConfigError
from fdx.weights.convert import convert_arrays

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / 'golden'
SLIM = {'width_multiplier': 1 / 16}


@pytest.fixture(scope='module')
def made():
    spec = importlib.util.spec_from_file_location('make_vgg16', GOLDEN / 'make_vgg16.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def network(made):
    return create_model('vgg16', made.CLASSES, **SLIM)


@pytest.fixture(scope='module')
def params(made, network):
    return convert_arrays(made.seeded_state_dict(), network)


@pytest.fixture(scope='module')
def golden():
    with np.load(GOLDEN / 'vgg16.npz') as arrays:
        return dict(arrays)


@pytest.mark.parametrize('i', [0, 1, 2])
def test_logits_are_torchvisions_at_every_size(i, made, network, params, golden):
    logits, _ = jax.jit(network.apply)({'params': params}, jnp.asarray(made.seeded_images(made.SHAPES[i])))
    wanted = golden[f'logits_{i}']
    assert np.abs(wanted).max() > 5
    np.testing.assert_allclose(logits, wanted, atol=1e-5 * np.abs(wanted).max())


def test_gradients_are_torchvisions(made, network, params, golden):
    images, labels = made.seeded_images(made.SHAPES[made.TRAINED]), made.seeded_labels()

    @jax.jit
    @jax.grad
    def gradients(params):
        logits, _ = network.apply({'params': params}, jnp.asarray(images))
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    found = gradients(params)
    places = {
        'features.0.weight': np.asarray(found['block1']['conv1']['kernel']).transpose(3, 2, 0, 1),
        'features.0.bias': found['block1']['conv1']['bias'],
        'features.28.bias': found['block5']['conv3']['bias'],
        'classifier.3.bias': found['fc2']['bias'],
        'classifier.6.weight': np.asarray(found['head']['kernel']).T,
    }
    assert set(places) == set(made.GRADIENTS)
    for name, array in places.items():
        wanted = golden[f'gradient_{name}']
        np.testing.assert_allclose(array, wanted, atol=2e-5 * np.abs(wanted).max(), err_msg=name)


def test_published_shapes():
    shapes = jax.eval_shape(VGG16(1000).init, jax.random.key(0), jnp.zeros((1, 224, 224, 3)))['params']
    assert set(shapes) == set(VGG16.STAGES)
    assert [len(shapes[f'block{i}']) for i in range(1, 6)] == [4, 2, 3, 3, 3]  # the first has mean and scale
    assert shapes['fc1']['kernel'].shape == (25088, 4096)
    # 138,357,544 is the size of torchvision's network; mean and scale of the input come on top.
    assert sum(int(np.prod(s.shape)) for s in jax.tree.leaves(shapes)) == 138_357_544 + 6
    np.testing.assert_allclose(
        jax.jit(Block((4,), True).init)(jax.random.key(0), jnp.zeros((1, 4, 4, 3)))['params']['mean'], MEAN
    )


def test_the_mean_stays_beside_the_kernel_because_a_folded_bias_is_wrong_at_the_border():
    """The origin subtracts the mean and then pads with zeros; a folded mean is subtracted from the padding, too."""
    rng = np.random.default_rng(0)
    x, convolve = rng.random((1, 8, 9, 3)).astype(np.float32), jax.jit(plain_conv)
    kernel = rng.standard_normal((3, 3, 3, 5)).astype(np.float32)
    mean, scale = np.float32(MEAN), 1 / np.float32(DEVIATION)
    origin = np.asarray(convolve((x - mean) * scale, kernel))
    block = {'mean': mean, 'scale': scale, 'conv1': {'kernel': kernel, 'bias': np.zeros(5, np.float32)}}
    ours = jax.jit(Block((5,), True).apply)({'params': block}, x)
    pooled = np.maximum(origin, 0).reshape(1, 4, 2, 9, 5)[:, :, :, :8].reshape(1, 4, 2, 4, 2, 5).max((2, 4))
    np.testing.assert_allclose(ours, pooled, rtol=1e-5, atol=1e-5)
    folded_kernel = kernel * scale[:, None]
    folded = np.asarray(convolve(x, folded_kernel)) - (folded_kernel * mean[:, None]).sum((0, 1, 2))
    difference = np.abs(np.asarray(folded - origin)).max((0, 3))
    assert difference[1:-1, 1:-1].max() < 1e-4
    assert difference[0].min() > 1 and difference[:, -1].min() > 1


def test_a_grey_image_is_one_of_three_equal_channels(made, network, params):
    grey = np.asarray(made.seeded_images((2, 40, 36, 1)))
    run = jax.jit(network.apply)
    one, three = (run({'params': params}, x)[0] for x in (grey, np.repeat(grey, 3, axis=3)))
    np.testing.assert_allclose(one, three, rtol=1e-5, atol=1e-5)


def test_cells_are_means_as_torch_takes_them():
    x, means = np.arange(6, dtype=np.float32).reshape(1, 2, 3, 1), jax.jit(mean_of_cells, static_argnums=1)
    # Five values in three cells: [0, 2), [1, 4), [3, 5).
    row = np.float32([1, 2, 4, 8, 16]).reshape(1, 1, 5, 1)
    np.testing.assert_allclose(np.asarray(means(row, 3))[0, :, :, 0], np.tile([1.5, 14 / 3, 12], (3, 1)), rtol=1e-6)
    same = means(x[:, :, :2], 2)
    np.testing.assert_array_equal(same, x[:, :, :2])
    # Shorter than the cells: values repeat.
    np.testing.assert_allclose(np.asarray(means(x[:, :, :2], 4))[0, :, :, 0], x[0, :, :2, 0].repeat(2, 0).repeat(2, 1))


def test_dropout_in_front_of_fc2_belongs_to_fc2(made, params):
    network = create_model('vgg16', made.CLASSES, dropout_rate=0.5, **SLIM)

    @jax.jit
    def run(x, key):
        variables, rngs = {'params': {'fc2': params['fc2']}}, {'dropout': key}
        return network.apply(variables, x, train=True, start=6, stop=7, rngs=rngs)[0]

    x = np.random.default_rng(0).random((2, 256)).astype(np.float32)
    one, other = (np.asarray(run(x, jax.random.key(seed))) for seed in (0, 1))
    assert np.abs(one - other).max() > 0.1


@pytest.mark.parametrize(
    ('shape', 'options', 'text'),
    [
        ((31, 64, 3), {}, 'from 32 x 32 on, of 1 or 3 channels, not 31 x 64 x 3: .*scalogram'),
        ((64, 64, 2), {}, 'not 64 x 64 x 2'),
        ((32, 32, 1), {'cells': 0}, '`cells`=0 must be a whole number from 1 on'),
        ((32, 32, 1), {'fc_width': 0.5}, '`fc_width`=0.5'),
    ],
)
def test_images_and_options_that_cannot_be(shape, options, text):
    model = create_model('vgg16', 3, **SLIM, **options)
    with pytest.raises(ConfigError, match=f'vgg16.*{text}'):
        jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *shape)))
