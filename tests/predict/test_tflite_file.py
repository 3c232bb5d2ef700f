"""What a TensorFlow Lite file says about itself, and that a damaged or foreign one is refused before it is loaded."""

from __future__ import annotations

import json
import zlib

import jax
import numpy as np
import pytest

from fdx.export.litert import quantise_dynamic, quantise_static, to_flatbuffer
from fdx.predict.backends.litert import LitertModel
from fdx.predict.backends.tflite_file import METADATA_NAME, model_info, read_model, with_description
from fdx.predict.load import load_predictor
from fdx.types import CheckpointError

RNG = np.random.default_rng(0)
KERNEL, BIAS, SAMPLES = (RNG.standard_normal(s).astype(np.float32) for s in ((4, 3), 3, (9, 1, 4)))
DESCRIPTION = {'format': 'tflite_int8', 'meta': {'names': ['Ä', 'b'], 'gain': [0.1, 1e-30]}, 'threshold': None}


@pytest.fixture(scope='module')
def flatbuffer() -> bytes:
    """Softmax of a product and a sum: the smallest network."""
    return to_flatbuffer(lambda x: jax.nn.softmax(x @ KERNEL + BIAS), (1, 4))


@pytest.fixture(scope='module')
def int8(flatbuffer) -> bytes:
    return quantise_static(flatbuffer, SAMPLES)


@pytest.fixture(scope='module')
def described(int8) -> bytes:
    return with_description(int8, DESCRIPTION)


@pytest.fixture
def stored(tmp_path):
    """Function bytes -> a file with them."""

    def write(content: bytes):
        path = tmp_path / 'model.tflite'
        path.write_bytes(content)
        return path

    return write


def refusal(path) -> str:
    """The message with which both ways to read a file refuse it."""
    with pytest.raises(CheckpointError) as caught:
        read_model(path)
    with pytest.raises(CheckpointError) as again:
        load_predictor(path)
    assert str(caught.value) == str(again.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def block_of(content: bytes) -> slice:
    """Where the description lies: digest and compressed JSON."""
    packed = zlib.compress(json.dumps(DESCRIPTION).encode(), 9)
    start = content.index(packed)
    return slice(start - 32, start + len(packed))


def test_info_of_a_float_model(flatbuffer):
    info = model_info(flatbuffer)
    assert info.num_bytes == len(flatbuffer)
    assert info.operators == {'FULLY_CONNECTED float32': 1, 'SOFTMAX float32': 1}
    assert (set(info.tensors), info.full_integer) == ({'float32'}, False)
    assert (info.input.shape, info.input.dtype, info.input.scale, info.input.zero_point) == ((1, 4), 'float32', 0.0, 0)
    assert (info.output.shape, info.output.dtype) == ((1, 3), 'float32')


def test_info_of_integer_models(flatbuffer, int8):
    info = model_info(int8)
    assert info.operators == {'FULLY_CONNECTED int8': 1, 'SOFTMAX int8': 1}
    assert (set(info.tensors), info.full_integer) == ({'int8', 'int32'}, True)
    dynamic = model_info(quantise_dynamic(flatbuffer))
    assert (dynamic.tensors['int8'], dynamic.full_integer) == (1, False)


def test_a_description_comes_back_and_the_model_is_the_same(int8, described, stored):
    content, description = read_model(stored(described))
    assert description == DESCRIPTION
    assert content == described
    before, after = LitertModel(int8), LitertModel(content)
    for sample in SAMPLES[:, 0]:
        np.testing.assert_array_equal(before.invoke(before.encode(sample)), after.invoke(after.encode(sample)))
    assert {**vars(model_info(content)), 'num_bytes': 0} == {**vars(model_info(int8)), 'num_bytes': 0}


def test_a_description_is_replaced_and_not_doubled(int8, described, stored):
    other = {**DESCRIPTION, 'format': 'tflite_float'}
    again = with_description(described, other)
    assert read_model(stored(again))[1] == other
    assert again.count(METADATA_NAME.encode() + b'\0') == described.count(METADATA_NAME.encode() + b'\0') == 1
    # Nothing of the first one is left: the file is as large as if it had never been there.
    assert len(again) == len(with_description(int8, other))
    assert with_description(again, DESCRIPTION) == with_description(described, DESCRIPTION)


def test_a_description_must_be_json(int8):
    with pytest.raises(ValueError, match='not JSON compliant'):
        with_description(int8, {'threshold': float('nan')})


def test_a_missing_file(tmp_path):
    words = refusal(tmp_path / 'gone.tflite')
    assert words == f'{tmp_path}/gone.tflite does not exist: write it with launch.export --out={tmp_path}/gone.tflite'
    assert 'does not exist' in refusal(tmp_path / 'folder.tflite')


@pytest.mark.parametrize('content', [b'', b'TFL3', b'rpm,temperature_c\n1200,25\n', bytes(64), b'ONNX' * 100])
def test_what_is_no_tensorflow_lite_file(stored, content):
    assert f"is not a TensorFlow Lite model: bytes 4 to 8 are {content[4:8]!r}, not b'TFL3'" in refusal(stored(content))


def test_a_model_of_somebody_else(int8, stored):
    assert 'holds no description by fdx, so its classes and its front end are unknown' in refusal(stored(int8))


def test_a_file_cut_anywhere_is_refused(described, stored):
    for length in (*range(8, len(described), 37), len(described) - 1):
        words = refusal(stored(described[:length]))
        assert 'is damaged' in words or 'holds no description by fdx' in words, length
    for length in (len(described) - 1, len(described) // 2):
        assert 'is damaged' in refusal(stored(described[:length]))


def test_bytes_behind_the_end_are_noticed(described, stored):
    assert 'its SHA-256 is not the one that it was written with' in refusal(stored(described + b'\0'))


def test_a_changed_byte_anywhere_is_refused(described, stored):
    """Weights too: to LiteRT they are as good as any."""
    rng = np.random.default_rng(0)
    for at in (*range(8, 64), *rng.integers(64, len(described), 150).tolist()):
        content = bytearray(described)
        content[at] ^= int(rng.integers(1, 256))
        words = refusal(stored(bytes(content)))
        assert 'is damaged' in words or 'holds no description by fdx' in words, at


@pytest.mark.parametrize('within', [0, 31, 32, 40, -1])
def test_a_changed_byte_of_the_description_is_refused(described, stored, within):
    block, content = block_of(described), bytearray(described)
    content[range(len(content))[block][within]] ^= 1
    words = refusal(stored(bytes(content)))
    assert words.endswith(
        'is damaged (ValueError: its SHA-256 is not the one that it was written with): export it again'
    )


def test_zeros_in_place_of_the_digest_are_refused(described, stored):
    """They are what the digest was computed over."""
    block, content = block_of(described), bytearray(described)
    content[block.start : block.start + 32] = bytes(32)
    assert 'its SHA-256' in refusal(stored(bytes(content)))
