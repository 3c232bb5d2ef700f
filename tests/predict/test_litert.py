"""Models in LiteRT: codes in and out, rows that sum to 1, what is refused, and silence."""

from __future__ import annotations

import os

import jax
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from fdx.export.litert import quantise_static, to_flatbuffer
from fdx.predict.backends.litert import LitertModel, quantization_of
from fdx.predict.backends.quantize import Quantization
from fdx.predict.backends.quiet import quiet_stderr
from fdx.predict.backends.tflite_file import TensorInfo
from fdx.types import CheckpointError, DataError

RNG = np.random.default_rng(0)
KERNEL, SAMPLES = RNG.standard_normal((4, 3)).astype(np.float32), RNG.standard_normal((9, 4)).astype(np.float32)


@pytest.fixture(scope='module')
def flatbuffer() -> bytes:
    return to_flatbuffer(lambda x: jax.nn.softmax(x @ KERNEL), (1, 4))


@pytest.fixture(scope='module')
def float_model(flatbuffer) -> LitertModel:
    return LitertModel(flatbuffer)


@pytest.fixture(scope='module')
def int8_model(flatbuffer) -> LitertModel:
    return LitertModel(quantise_static(flatbuffer, SAMPLES[:, None]))


def test_a_float_model_takes_and_gives_floats(float_model):
    encoded = float_model.encode(SAMPLES[0].astype(np.float64))
    assert (encoded.dtype, encoded.shape) == (np.float32, (1, 4))
    np.testing.assert_array_equal(encoded[0], SAMPLES[0])
    found = float_model.run(SAMPLES[0])
    assert (found.dtype, found.shape) == (np.float32, (3,))
    np.testing.assert_allclose(found, jax.nn.softmax(SAMPLES[0] @ KERNEL), atol=1e-6)


def test_an_int8_model_takes_the_nearest_codes_and_gives_reals(int8_model):
    tensor, extreme = int8_model.info.input, np.array([1e6, -1e6, 0, SAMPLES.max()], np.float32)
    for sample in (*SAMPLES, extreme):
        nearest = np.clip(np.rint(sample.astype(np.float64) / tensor.scale) + tensor.zero_point, -128, 127)
        encoded = int8_model.encode(sample)
        assert (encoded.dtype, encoded.shape) == (np.int8, (1, 4))
        np.testing.assert_array_equal(encoded[0], nearest)
    codes = int8_model.invoke(int8_model.encode(SAMPLES[0]))
    assert (codes.dtype, codes.shape) == (np.int8, (1, 3))
    found = int8_model.run(SAMPLES[0])
    assert found.dtype == np.float32
    # Softmax has the scale 1 / 256 and the zero point -128.
    np.testing.assert_array_equal(found, (codes[0].astype(np.float32) + 128) / 256)
    np.testing.assert_allclose(found, jax.nn.softmax(SAMPLES[0] @ KERNEL), atol=0.03)


def test_rows_of_probabilities_sum_to_1_though_codes_do_not(int8_model):
    sums = np.array([int8_model.run(sample).sum() for sample in SAMPLES])
    assert np.abs(sums - 1).max() > 1e-3
    found = int8_model.probabilities(list(SAMPLES))
    assert (found.dtype, found.shape) == (np.float32, (9, 3))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    for row, sample, total in zip(found, SAMPLES, sums):
        np.testing.assert_allclose(row, int8_model.run(sample) / total, rtol=1e-6)


def test_an_iterator_of_examples_keeps_its_order(float_model):
    found = float_model.probabilities(iter(SAMPLES))
    np.testing.assert_allclose(found, jax.nn.softmax(SAMPLES @ KERNEL), atol=1e-6)
    assert np.abs(np.diff(found, axis=0)).max(axis=1).min() > 1e-3


@pytest.mark.parametrize('shape', [(3,), (4, 1), ()])
def test_examples_of_another_shape_are_refused(says, float_model, shape):
    with pytest.raises(DataError) as caught:
        float_model.probabilities([SAMPLES[0], np.zeros(shape, np.float32)])
    assert says(str(caught.value), f'examples of (4,), not {shape}')


def test_a_reading_that_is_not_finite_has_no_code(int8_model):
    with pytest.raises(DataError, match='not finite'):
        int8_model.run(np.array([0, np.nan, 0, 0], np.float32))


def test_a_model_that_the_runtime_refuses_is_named(says, flatbuffer):
    tree = flatbuffer_utils.read_model_from_bytearray(bytearray(flatbuffer))
    for code in tree.operatorCodes:
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = 'nobody_has_it'
    content = bytes(flatbuffer_utils.convert_object_to_bytearray(tree))
    with pytest.raises(CheckpointError) as caught:
        LitertModel(content, source='strange.tflite')
    assert says(str(caught.value), 'strange.tflite: LiteRT ... nobody_has_it ... export it again')


def test_quantization_of():
    assert quantization_of(TensorInfo((1, 4), 'float32', 0.0, 0)) is None
    assert quantization_of(TensorInfo((1, 4), 'float16', 0.0, 0)) is None
    q = quantization_of(TensorInfo((1, 4), 'int8', 0.25, -3))
    assert isinstance(q, Quantization)
    assert (float(q.scale), int(q.zero_point), q.dtype, q.axis) == (0.25, -3, 'int8', None)


def test_standard_error_is_lost_inside_and_back_afterwards(capfd):
    with quiet_stderr():
        os.write(2, b'a delegate was made')
    os.write(2, b'one ')
    with pytest.raises(ValueError, match='broken'), quiet_stderr():
        os.write(2, b'a delegate was made')
        raise ValueError('broken')
    os.write(2, b'two')
    assert capfd.readouterr().err == 'one two'
