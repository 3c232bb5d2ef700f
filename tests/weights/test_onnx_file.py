"""Initialisers of ONNX files: inside and outside the file, and files that no weights are read from."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from fdx.types import WeightsError
from fdx.weights.readers.onnx_file import read_onnx

HERE = pathlib.Path(__file__).resolve().parent
KERNEL = np.arange(24, dtype=np.float32).reshape(2, 3, 4) - 7


@pytest.fixture(scope='module')
def made():
    spec = importlib.util.spec_from_file_location('onnx_bytes', HERE / 'onnx_bytes.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def read(tmp_path):
    """Function bytes -> arrays of an ONNX file of them; `data` is the content of model.data beside it."""

    def read_bytes(content: bytes, data: bytes | None = None):
        (tmp_path / 'model.onnx').write_bytes(content)
        if data is not None:
            (tmp_path / 'model.data').write_bytes(data)
        return read_onnx(tmp_path / 'model.onnx')

    return read_bytes


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


@pytest.mark.parametrize('dtype', ['f4', 'f8', 'f2', 'i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8'])
def test_raw_elements_of_every_type(made, read, dtype):
    arrays = {'onnx::Conv_1': KERNEL.astype('i1').astype(dtype), 'b': np.zeros((0, 5), dtype), 's': np.ones((), dtype)}
    found = read(made.model(*(made.raw(name, a) for name, a in arrays.items())))
    assert_same(found, arrays)
    assert found['onnx::Conv_1'].flags.writeable


def test_elements_in_the_field_of_their_type_packed_or_not(made, read):
    packed_dims = made.message((1, made.varint(2) + made.varint(2)), (2, 1), (8, b'p'), (4, np.ones(4, 'f4').tobytes()))
    single = b''.join(made.varint(4 << 3 | 5) + x.tobytes() for x in np.float32([3, 4]))
    tensors = (
        packed_dims,
        made.tensor('f', (2,), 1) + single,
        made.tensor('d', (2,), 11, (10, np.float64([1, 2]).tobytes())),
        made.tensor('i', (2,), 6, (5, made.varint(-3) + made.varint(7))),
        made.tensor('l', (2,), 7, (7, -5), (7, 2**40)),
    )
    expected = {'p': np.ones((2, 2), 'f4'), 'f': np.float32([3, 4]), 'd': np.float64([1, 2])}
    assert_same(read(made.model(*tensors)), {**expected, 'i': np.int32([-3, 7]), 'l': np.int64([-5, 2**40])})


def test_external_data_at_their_offsets(made, read):
    data = b'head' + KERNEL.tobytes() + np.float32([1, 2]).tobytes()
    first = made.external('k', (2, 3, 4), location='model.data', offset='4', length='96')
    second = made.external('b', (2,), location='model.data', offset='100')
    assert_same(read(made.model(first, second), data), {'k': KERNEL, 'b': np.float32([1, 2])})


@pytest.mark.parametrize(
    ('entries', 'text'),
    [
        ({'location': '../model.data'}, "'../model.data'; fdx reads plain files of the same folder"),
        ({'location': '/etc/passwd'}, "'/etc/passwd'; fdx reads plain files"),
        ({'location': 'c:x'}, 'plain files'),
        ({'location': '..'}, 'plain files'),
        ({}, "lie in ''; fdx reads plain files"),
        ({'location': 'link.data'}, 'plain files'),
        ({'location': 'other.data'}, r'other\.data: cannot be read \(No such file'),
        (
            {'location': 'model.data', 'offset': '92'},
            r"model\.data: the tensor 'k' .* ends at byte 188, the file at 100",
        ),
        ({'location': 'model.data', 'offset': '-4'}, "the offset of the external data of 'k' is '-4'"),
        ({'location': 'model.data', 'offset': '9' * 30}, "the offset of the external data of 'k'"),
        ({'location': 'model.data', 'length': '95'}, 'needs 96 bytes and its external data have 95'),
    ],
)
def test_external_data_elsewhere_or_beyond_the_end_are_refused(made, read, tmp_path, entries, text):
    (tmp_path / 'link.data').symlink_to(tmp_path / 'model.data')
    with pytest.raises(WeightsError, match=text) as e:
        read(made.model(made.external('k', (2, 3, 4), **entries)), bytes(100))
    assert str(tmp_path) in str(e.value)


def test_other_contents_are_refused_by_name(made, read):
    cases = {
        'data type 16; fdx reads float32': made.tensor('k', (1,), 16, (9, b'ab')),
        'data type 8; ': made.tensor('k', (1,), 8, (6, b'text')),
        "'k' holds its elements in a form": made.tensor('k', (1,), 2, (5, 7)),
        r"'k' of shape \[2, 3\] needs 24 bytes and has 4": made.tensor('k', (2, 3), 1, (9, bytes(4))),
        "'k' of shape .* needs .* bytes and has 0": made.tensor('k', (2**40, 2**40), 1),
        'has 40 axes': made.tensor('k', (1,) * 40, 1, (9, bytes(4))),
        "two tensors have the name 'k'": made.raw('k', KERNEL),
        'codec': made.message((1, 1), (2, 1), (8, b'\xff\xfe'), (9, bytes(4))),
    }
    for text, tensor in cases.items():
        twice = (tensor, made.raw('k', KERNEL)) if text.startswith('two') else (tensor,)
        with pytest.raises(WeightsError, match=rf'model\.onnx: .*{text}'):
            read(made.model(*twice))


def test_files_of_another_kind_are_refused(made, read, tmp_path):
    for content in (b'', b'PK\x03\x04 a zip file', bytes(100), made.message((7, made.message((2, b'graph'))))):
        with pytest.raises(WeightsError, match=r'model\.onnx: not a whole ONNX file'):
            read(content)
    with pytest.raises(WeightsError, match='has no initialisers'):
        read(made.model())
    with pytest.raises(WeightsError, match=r'none\.onnx: cannot be read'):
        read_onnx(tmp_path / 'none.onnx')


def test_a_small_file_that_names_a_large_one_again_and_again_ends(made, read):
    tensors = (made.external(f'k{i}', (2**18,), location='model.data') for i in range(50))
    with pytest.raises(WeightsError, match=r'5 tensors claim 5242880 bytes of the 10\d{5} bytes that there are'):
        read(made.model(*tensors), bytes(2**20))


def test_damaged_and_cut_files_give_arrays_or_an_error_and_nothing_else(made, read):
    content = made.model(made.raw('k', KERNEL), made.external('b', (2,), location='model.data', offset='4'))
    for end in range(len(content)):
        with pytest.raises(WeightsError):
            read(content[:end], bytes(12))
    rng, refused = np.random.default_rng(0), 0
    for place in range(len(content)):
        data = bytearray(content)
        data[place] ^= int(rng.integers(1, 256))
        try:
            read(bytes(data))
        except WeightsError:
            refused += 1
    assert refused > 50


def test_files_of_the_package_onnx(tmp_path):
    named = os.environ.get('FDX_ONNX_PYTHON')
    if named is None and importlib.util.find_spec('onnx') is None:
        pytest.skip('onnx is not installed (requirements-onnx.txt): name a python that has it in FDX_ONNX_PYTHON')
    python = named or sys.executable
    subprocess.run([python, HERE / 'onnx_samples.py', tmp_path], check=True, capture_output=True, timeout=120)
    for name in ('inside', 'typed', 'outside'):
        with np.load(tmp_path / f'{name}.npz') as file:
            assert_same(read_onnx(tmp_path / f'{name}.onnx'), {k.replace('|', '/'): file[k] for k in file.files})
