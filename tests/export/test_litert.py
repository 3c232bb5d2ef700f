"""Every network of fdx as a TensorFlow Lite model: float as JAX, 8-bit in integers only, ranges from min to max."""

from __future__ import annotations

import dataclasses
import functools
import sys

import jax
import numpy as np
import pytest

from fdx.export.graph import identity, inference
from fdx.export.litert import INPUT, OUTPUT, SIGNATURE, quantise_dynamic, quantise_static, to_flatbuffer
from fdx.models.conv import on_cpu
from fdx.models.registry import create_model, model_names
from fdx.predict.backends.litert import LitertModel
from fdx.predict.backends.quantize import fit
from fdx.predict.backends.tflite_file import model_info
from fdx.types import DataError

# Shape of an example, options that make the network slim, and how far an 8-bit probability may lie from JAX's where the
# logits have a standard deviation of 1 (1.5 times what was measured). Deep networks with random weights keep little of
# what tells their inputs apart, so that rounding weighs more; 8-bit weights alone (dynamic) move them as far.
NETWORKS = {
    'band_linear': ((7, 9, 2), {}, 0.04),
    'band_mlp': ((7, 9, 2), {'width_multiplier': 1 / 8}, 0.04),
    'cnn1d': ((71, 1, 2), {'width_multiplier': 1 / 4}, 0.04),
    'cnn_small': ((19, 17, 2), {'width_multiplier': 1 / 4}, 0.06),
    'efficientnet_lite0': ((33, 32, 3), {'width_multiplier': 1 / 8, 'depths': (1,) * 7}, 0.36),
    'evidence_judge': ((5, 4, 5), {'width_multiplier': 1 / 4, 'bands': 3}, 0.06),
    'mlp': ((4,), {}, 0.02),
    'musicnn_vgg': ((45, 96, 1), {'width_multiplier': 1 / 16, 'depth': 3}, 0.06),
    'resnet50': ((33, 32, 3), {'width_multiplier': 1 / 8, 'depths': (1,) * 4}, 0.1),
    'vgg16': ((35, 33, 3), {'width_multiplier': 1 / 16, 'fc_width': 512, 'cells': 1}, 0.3),
    'vggish': ((96, 64, 1), {'width_multiplier': 1 / 16}, 0.23),
    'yamnet': ((64, 48, 1), {'width_multiplier': 1 / 8}, 0.19),
}
# Between the probabilities of all samples and classes; measured 0.965 (efficientnet_lite0) to 0.9999.
CORRELATION = 0.95
SAMPLES, CLASSES = 24, 3
# Its REDUCE_MAX over bands is computed as floats, between a DEQUANTIZE and a QUANTIZE.
MAXIMUM_OF_JUDGE = pytest.mark.xfail(strict=True, reason='the int8 model of evidence_judge holds a float REDUCE_MAX')
each_network = pytest.mark.parametrize('name', model_names())


@dataclasses.dataclass(frozen=True)
class Network:
    """A network with random weights: what JAX says about samples [N, 1, ...], and its models."""

    samples: np.ndarray
    probabilities: np.ndarray
    flatbuffer: bytes
    int8: bytes


def draw(rng, path, s):
    """Weights far from those of an initialisation: norms with statistics that do something."""
    if path[-1].key == 'kernel':
        return (rng.standard_normal(s.shape) * np.sqrt(2 / np.prod(s.shape[:-1]))).astype(s.dtype)
    low, high = (0.5, 1.5) if path[-1].key in ('scale', 'var') else (-0.3, 0.3)
    return rng.uniform(low, high, s.shape).astype(s.dtype)


def examples_of(rng, shape):
    """Noise on slopes of another steepness and height each, so that means over an image differ, too."""
    slope = np.linspace(-1, 1, shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    steep, height = rng.normal(0, 1.5, (2, SAMPLES, *[1] * len(shape)))
    return (steep * slope + height + rng.standard_normal((SAMPLES, *shape))).astype(np.float32)


@functools.cache
def network(name) -> Network:
    shape, options, _ = NETWORKS[name]
    model, rng = create_model(name, CLASSES, **options), np.random.default_rng(0)
    x = examples_of(rng, shape)
    shapes = jax.eval_shape(model.init, jax.random.key(0), x[:1])
    variables = jax.tree_util.tree_map_with_path(functools.partial(draw, rng), shapes)
    forward = jax.jit(lambda v, x: model.apply(v, x, train=False)[0])
    logits = np.asarray(forward(variables, x))
    # Logits of mean 0 and deviation 1: a saturated softmax would agree with anything.
    head = variables['params']['head']
    head['kernel'] = head['kernel'] / logits.std(0)
    head['bias'] = (head['bias'] - logits.mean(0)) / logits.std(0)
    probabilities = np.asarray(jax.nn.softmax(forward(variables, x)))
    flatbuffer = to_flatbuffer(inference(model, variables, identity), (1, *shape))
    return Network(x[:, None], probabilities, flatbuffer, quantise_static(flatbuffer, x[:, None]))


def test_every_model_of_the_table_is_here():
    assert sorted(NETWORKS) == model_names()


@each_network
def test_a_float_model_is_jax(name):
    made = network(name)
    found = LitertModel(made.flatbuffer).probabilities(made.samples[:, 0])
    assert made.probabilities.std(axis=0).min() > 0.1
    np.testing.assert_allclose(found, made.probabilities, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    'name', [pytest.param(n, marks=MAXIMUM_OF_JUDGE) if n == 'evidence_judge' else n for n in model_names()]
)
def test_an_int8_model_holds_no_float_and_is_near_the_float_one(name):
    made = network(name)
    model = LitertModel(made.int8)
    assert model.info.full_integer
    assert not [t for t in model.info.tensors if 'float' in t]
    assert (model.info.input.dtype, model.info.output.dtype) == ('int8', 'int8')
    assert model.invoke(model.encode(made.samples[0, 0])).dtype == np.int8
    found = model.probabilities(made.samples[:, 0])
    assert 0 < np.abs(found - made.probabilities).max() < NETWORKS[name][2]
    assert np.corrcoef(found.ravel(), made.probabilities.ravel())[0, 1] > CORRELATION


@each_network
def test_the_input_is_calibrated_from_its_smallest_to_its_largest_value(name):
    made = network(name)
    tensor, expected = model_info(made.int8).input, fit(made.samples)
    assert tensor.scale == pytest.approx(float(expected.scale), rel=1e-6)
    assert tensor.zero_point == int(expected.zero_point)
    assert tensor.shape == made.samples.shape[1:]


def test_an_extreme_is_not_forgotten():
    """A moving average over the samples after it would end at a third of its range."""
    made = network('mlp')
    samples = np.concatenate([made.samples[:1] * 40, made.samples, made.samples])
    tensor = model_info(quantise_static(made.flatbuffer, samples)).input
    expected = fit(samples)
    assert float(expected.scale) > 10 * float(fit(made.samples).scale)
    assert tensor.scale == pytest.approx(float(expected.scale), rel=1e-6)
    assert tensor.zero_point == int(expected.zero_point)


def test_probabilities_have_the_codes_of_the_specification():
    """Softmax: scale 1 / 256, zero point -128."""
    output = model_info(network('mlp').int8).output
    assert (output.scale, output.zero_point, output.shape) == (1 / 256, -128, (1, CLASSES))


def test_dynamic_models_have_8_bit_weights_and_float_ends():
    made = network('vggish')
    content = quantise_dynamic(made.flatbuffer)
    model = LitertModel(content)
    assert (model.info.input.dtype, model.info.output.dtype, model.info.input.scale) == ('float32', 'float32', 0.0)
    assert model.info.tensors['int8'] == 10  # 6 convolutions, 4 dense layers
    assert not model.info.full_integer
    assert len(content) < 0.3 * len(made.flatbuffer)
    difference = np.abs(model.probabilities(made.samples[:, 0]) - made.probabilities)
    assert 0 < difference.max() < NETWORKS['vggish'][2]


def test_names_of_signature_and_tensors():
    interpreter = LitertModel(network('mlp').int8)._interpreter
    assert interpreter.get_signature_list() == {SIGNATURE: {'inputs': [INPUT], 'outputs': [OUTPUT]}}


@pytest.mark.parametrize('samples', [np.zeros((0, 1, 4), np.float32), np.full((2, 1, 4), np.nan, np.float32)])
def test_samples_that_cannot_calibrate_are_refused(samples):
    with pytest.raises(DataError, match=f'^{len(samples)} representative samples: there must be some, all finite'):
        quantise_static(network('mlp').flatbuffer, samples)


def test_nothing_is_printed_and_networks_are_traced_for_cpu_again(capfd):
    made = network('mlp')
    to_flatbuffer(lambda x: x * 2, (1, 4))
    quantise_static(made.flatbuffer, made.samples)
    quantise_dynamic(made.flatbuffer)
    LitertModel(made.flatbuffer)
    assert capfd.readouterr() == ('', '')
    assert on_cpu()
    assert not {'tensorflow', 'torch'} & set(sys.modules)
