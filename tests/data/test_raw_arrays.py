"""Recordings in .npy files: what is read, what is refused, and in which words."""

from __future__ import annotations

import io
import resource

import numpy as np
import pytest

from fdx.data.raw.files import read_raw_file
from tests.data.raw_file_checks import refuse


def test_npy(tmp_path, caplog):
    path = tmp_path / 'a.npy'
    np.save(path, np.arange(5, dtype='>i2'))
    refuse(path, 'sample_rate_hz')
    r = read_raw_file(path, sample_rate_hz=100)
    assert r.samples.tolist() == [[0], [1], [2], [3], [4]]
    assert r.samples.dtype == np.float32
    np.save(path, np.arange(6.0).reshape(3, 2))
    assert read_raw_file(path, sample_rate_hz=100, channel=1).samples.tolist() == [[1], [3], [5]]
    assert not caplog.records
    np.save(path, np.arange(6.0).reshape(2, 3))
    assert read_raw_file(path, sample_rate_hz=100).samples.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert 'transposed' in caplog.text


def test_npy_refusals(tmp_path):
    path = tmp_path / 'a.npy'
    for array, word in (
        (np.zeros(3, complex), 'complex'),
        (np.zeros((2, 2, 2)), '(2, 2, 2)'),
        (np.float64(1), 'shape ()'),
        (np.zeros((0, 2)), '(0, 2)'),
        (np.array(['a']), '<U1'),
        (np.zeros(3, bool), 'bool'),
        (np.array([{}], object), 'Python objects'),
    ):
        np.save(path, array)
        refuse(path, word, sample_rate_hz=1)
    np.save(path, np.arange(100.0))
    content = path.read_bytes()
    for size in (8, 20, 128, 500):
        path.write_bytes(content[:size])
        refuse(path, 'cut off', sample_rate_hz=1)
    path.write_bytes(b'\x80\x04K\x01.')
    refuse(path, 'not a .npy array', sample_rate_hz=1)


FLOATS = ['<f2', '>f2', '<f4', '>f4', '<f8', '>f8', 'longdouble']
INTEGERS = ['i1', 'u1', '<i2', '>i2', '>u2', 'i4', '>u4', 'i8', 'u8']


@pytest.mark.parametrize('dtype', FLOATS + INTEGERS)
@pytest.mark.parametrize('layout', ['vector', 'row', 'column', 'fortran', 'fortran_row'])
def test_npy_of_any_number_type_and_memory_order(tmp_path, dtype, layout):
    values = np.arange(1, 100)
    array = values.astype(dtype)
    array = {
        'vector': array,
        'row': array[None],
        'column': array[:, None],
        'fortran': np.asfortranarray(np.stack([array, array], axis=1)),
        'fortran_row': np.asfortranarray(np.stack([array, array])),
    }[layout]
    np.save(tmp_path / 'a.npy', array)
    r = read_raw_file(tmp_path / 'a.npy', sample_rate_hz=100)
    assert r.samples.dtype == np.float32
    assert r.samples.shape == (99, 2 if 'fortran' in layout else 1)
    np.testing.assert_array_equal(r.samples, np.repeat(values[:, None], r.samples.shape[1], axis=1))
    assert r.unit == ('' if dtype in FLOATS else 'counts')


def test_npy_table_of_fields_names_them(tmp_path):
    table = np.zeros(1500, dtype=[('t', 'f8'), ('acc', 'f4')])
    np.save(tmp_path / 'a.npy', table)
    refuse(tmp_path / 'a.npy', "the fields 't', 'acc'", 'save the one', sample_rate_hz=1)
    np.save(tmp_path / 'a.npy', np.zeros(9, 'M8[s]'))
    refuse(tmp_path / 'a.npy', 'datetime64', sample_rate_hz=1)


def header(descr: str, shape: str, version: bytes = b'\x01\x00') -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b'\x93NUMPY' + version + len(text).to_bytes(2 if version[0] == 1 else 4, 'little') + text


@pytest.mark.parametrize(
    ('content', 'word'),
    [
        (header("'<f8'", '(1000000000000,)'), 'its header announces 1000000000000 numbers'),
        (header("'<f8'", '(10000000000, 100000000000, 10)'), '80000000000000000000000 bytes'),
        (header("'<f8'", '(-5,)'), 'damaged'),
        (header("'<f8'", '(True,)'), 'damaged'),
        (header("'<f8'", '(' + '(' * 3000 + ')' * 3000 + ',)'), 'damaged'),
        (header("'<f8'", '(' + '-' * 9000 + '1,)'), 'damaged'),
        (header("'(100000000,)f8'", '(5,)'), 'numbers'),
        (header("'V0'", '(1000000000000,)'), 'numbers'),
        (header("'O'", '(5,)'), 'Python objects'),
        (header("'<f8'", '(5,)', b'\x09\x00'), 'version'),
        (b'\x93NUMPY\x02\x00\xff\xff\xff\xff{', 'cut off'),
    ],
)
def test_npy_headers_that_claim_nonsense_cost_no_memory(tmp_path, content, word):
    (tmp_path / 'a.npy').write_bytes(content + bytes(400))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refuse(tmp_path / 'a.npy', word, sample_rate_hz=1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_npy_with_more_behind_it_says_so(tmp_path, caplog):
    both = io.BytesIO()
    np.save(both, np.arange(100.0))
    np.save(both, np.arange(50.0))
    (tmp_path / 'a.npy').write_bytes(both.getvalue())
    r = read_raw_file(tmp_path / 'a.npy', sample_rate_hz=1)
    assert r.samples[:, 0].tolist() == list(range(100))
    assert r.notes == ('528 bytes after its first array were not read',)
    assert '528 bytes' in caplog.text


def test_an_offset_that_single_precision_cannot_hold_is_subtracted(tmp_path):
    """1 g of vibration on a level of 2**31: as float32 its steps would be 256."""
    counts = np.round(100 * np.sin(np.arange(4096) * 2 * np.pi / 64)).astype(np.int64)
    for offset, dtype, subtracted in ((2**31, 'u4', True), (1e9, 'f8', True), (2**15, 'u2', False), (0, 'i4', False)):
        np.save(tmp_path / 'a.npy', (counts + offset).astype(dtype))
        r = read_raw_file(tmp_path / 'a.npy', sample_rate_hz=1000)
        np.testing.assert_allclose(r.samples[:, 0] - r.samples[:, 0].mean(), counts, atol=0.01)
        assert bool(r.notes) == subtracted
        assert not subtracted or 'single precision' in r.notes[0]
