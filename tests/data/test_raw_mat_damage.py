"""MATLAB files whose tags, dimensions or compressed parts lie: one line each, without the memory that they ask for."""

from __future__ import annotations

import io
import resource
import struct
import time
import zlib

import numpy as np
import pytest
import scipy.io

from fdx.data.raw.files import read_raw_file
from fdx.data.raw.mat_v4 import is_v4, read_v4
from fdx.data.raw.mat_v5 import read_v5
from fdx.data.raw.mat_values import Budget, MatArray, leaves
from fdx.types import DataError
from tests.data.raw_file_checks import refuse

HEADER = b'MATLAB 5.0 MAT-file'.ljust(124) + b'\x00\x01IM'


def element(kind: int, content: bytes, size: int | None = None) -> bytes:
    return struct.pack('<II', kind, len(content) if size is None else size) + content + bytes(-len(content) % 8)


def matrix(mx_class: int, shape, *parts: bytes, name: bytes = b'x', flags: int = 0) -> bytes:
    head = element(6, struct.pack('<II', mx_class | flags, 0)), element(5, struct.pack(f'<{len(shape)}i', *shape))
    return element(14, b''.join([*head, element(1, name), *parts]))


def compressed(content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    return struct.pack('<II', 15, len(packed)) + packed


DOUBLES = element(9, np.arange(2000.0).tobytes())
FIELDS = element(5, struct.pack('<i', 8)), element(1, b'gs\0\0\0\0\0\0')


def test_the_byte_that_killed_the_process(tmp_path):
    """scipy.io.loadmat 1.17.1 dies of it (SIGSEGV): 9, miDOUBLE, has become 0xff09."""
    stream = io.BytesIO()
    scipy.io.savemat(stream, {'x': np.arange(1000.0)})
    content = bytearray(stream.getvalue())
    content[content.find(bytes([9, 0, 0, 0, 0x40, 0x1F, 0, 0])) + 1] = 0xFF
    (tmp_path / 'a.mat').write_bytes(content)
    refuse(tmp_path / 'a.mat', 'variable x has the unknown type 65289', 'damaged', sample_rate_hz=1)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (matrix(6, (2**31 - 1, 2**31 - 1), DOUBLES), ['dimensions 2147483647x2147483647', '2000 numbers']),
        (matrix(6, (1, -2000), DOUBLES), ['dimensions (1, -2000)']),
        (matrix(6, (2000,), DOUBLES), ['dimensions (2000,)']),
        (matrix(6, (1,) * 40, DOUBLES), ['dimensions']),
        (matrix(6, (1, 2000), element(9, bytes(800), 2**32 - 1)), ['claims 4294967295 bytes']),
        (matrix(6, (1, 2000), element(99, bytes(16000))), ['unknown type 99']),
        (matrix(6, (1, 1), element(9, bytes(7))), ['7 bytes']),
        (matrix(6, (1, 1), struct.pack('<I4s', 9 | 200 << 16, bytes(4))), ['claims 200 bytes in 4']),
        (matrix(0, (1, 2000), DOUBLES), ['unknown class 0']),
        (matrix(1, (10**9, 1), matrix(6, (1, 1), element(9, bytes(8)))), ['x claims 1000000000 elements']),
        (matrix(2, (10**9, 1), *FIELDS), ['x claims 1000000000 elements']),
        (matrix(2, (1, 1), element(5, struct.pack('<i', 0)), FIELDS[1]), ['names of the fields']),
        (matrix(2, (1, 1), element(5, struct.pack('<i', 3)), FIELDS[1]), ['names of the fields']),
        (matrix(1, (1, 1), DOUBLES), ['an element of x has the type 9']),
        (element(14, element(6, b'')), ['flags']),
        (element(77, bytes(80)), ['type 77']),
        (compressed(b'\1'), ['it ends at byte 1']),
        (struct.pack('<II', 15, 9) + b'no zlib!!', ['compressed data are damaged']),
        (compressed(matrix(6, (1, 2000), DOUBLES))[:-9], ['a variable at byte 136 claims', 'are there']),
        (bytes(5000) + b'x', ['type 0']),
    ],
)
def test_lies_are_found_before_memory_is_taken(tmp_path, content, words):
    (tmp_path / 'a.mat').write_bytes(HEADER + content)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    refuse(tmp_path / 'a.mat', 'cannot be read as a MATLAB file', *words, sample_rate_hz=1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB
    assert time.perf_counter() - began < 5


def test_a_damaged_name_keeps_the_error_on_one_line(tmp_path):
    for name in (b'a\nb', b'a\r\x85', 'a\u2028b'.encode(), b'\xff\x1c'):
        (tmp_path / 'a.mat').write_bytes(HEADER + matrix(6, (1, 2000), element(99, bytes(16000)), name=name))
        with pytest.raises(DataError) as caught:
            read_raw_file(tmp_path / 'a.mat', sample_rate_hz=1)
        assert len(str(caught.value).splitlines()) == 1


def nested(depth: int) -> bytes:
    inner = matrix(6, (1, 2000), DOUBLES)
    for _ in range(depth):
        inner = matrix(1, (1, 1), inner)
    return inner


def test_structs_in_structs_have_an_end(tmp_path):
    (tmp_path / 'a.mat').write_bytes(HEADER + nested(60))
    assert read_raw_file(tmp_path / 'a.mat', sample_rate_hz=1).samples.shape == (2000, 1)
    (tmp_path / 'a.mat').write_bytes(HEADER + nested(3000))
    refuse(tmp_path / 'a.mat', 'more than 64 deep', sample_rate_hz=1)


def test_four_megabytes_do_not_become_four_gigabytes(tmp_path):
    """Bombs: one says what it holds, one denies it. The limit lets a recording of silence pass."""
    path = tmp_path / 'a.mat'
    head = matrix(6, (1, 2**29 - 100), element(9, b'', 2**32 - 800))[8:]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for size, word in ((2**32 - 8, 'unpacks to more than'), (2000, 'longer than the 2008 bytes that they claim')):
        path.write_bytes(HEADER + compressed(struct.pack('<II', 14, size) + head + bytes(2**27)))
        assert path.stat().st_size < 2**19
        refuse(path, word, sample_rate_hz=1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # KiB; the test itself takes 256 MB
    silence = np.zeros(10**6)
    silence[::1000] = 1
    scipy.io.savemat(path, {'x': silence}, do_compression=True)
    assert path.stat().st_size < 2**15
    np.testing.assert_array_equal(read_raw_file(path, sample_rate_hz=1).samples[:, 0], silence)


def test_many_empty_elements_have_an_end(tmp_path):
    cells = matrix(1, (300_000, 1), element(14, b'') * 300_000)
    (tmp_path / 'a.mat').write_bytes(HEADER + compressed(cells))
    refuse(tmp_path / 'a.mat', 'more than 200000 arrays', sample_rate_hz=1)


@pytest.mark.parametrize(
    ('head', 'word'),
    [
        ((0, 2**31 - 1, 2**31 - 1, 0, 2), 'needs 36893488113059364872 bytes'),
        ((0, -1, 5, 0, 2), 'header is damaged'),
        ((0, 5, 5, 7, 2), 'header is damaged'),
        ((0, 5, 5, 0, 2**31 - 1), 'header is damaged'),
        ((60, 5, 5, 0, 2), 'unknown type 60'),
        ((2000, 5, 5, 0, 2), 'unknown type 2000'),
    ],
)
def test_version_4_headers_that_lie(tmp_path, head, word):
    (tmp_path / 'a.mat').write_bytes(struct.pack('<5i', *head) + b'x\0' + bytes(400))
    refuse(tmp_path / 'a.mat', 'cannot be read as a MATLAB file', word, sample_rate_hz=1)


def read_all(content: bytes) -> dict:
    variables = (read_v4 if is_v4(content) else read_v5)(content, Budget(len(content)))
    return {name: leaf for key, value in variables.items() for name, leaf in leaves(key, value)}


def make_content() -> dict:
    rng = np.random.default_rng(0)
    cell = np.empty((2, 2), object)
    cell[0, 0], cell[0, 1], cell[1, 0], cell[1, 1] = rng.normal(size=5), 'text', rng.integers(9, size=(2, 3)), 1.0
    numbers = {
        f'n_{t}': rng.integers(0, 99, (3, 4)).astype(t) for t in ('i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8')
    }
    return {
        **numbers,
        'single': rng.normal(size=(4, 1)).astype('f4'),
        'double': rng.normal(size=(2, 3, 4)),
        'complex': rng.normal(size=7) + 1j,
        'empty': np.zeros((0, 5)),
        'whole': np.arange(300.0),
        's': {'a': 1.5, 'inner': {'b': rng.normal(size=3), 'name': 'grün'}},
        'cell': cell,
    }


@pytest.mark.parametrize('compress', [False, True])
def test_the_same_as_scipy_on_sound_files(compress):
    stream = io.BytesIO()
    scipy.io.savemat(stream, make_content(), do_compression=compress)
    found, expected = read_all(stream.getvalue()), scipy.io.loadmat(stream)
    flat = {k: v for k, v in expected.items() if not k.startswith('__') and k not in ('s', 'cell')}
    flat['s.a'], flat['s.inner.b'] = expected['s']['a'][0, 0], expected['s']['inner'][0, 0]['b'][0, 0]
    flat |= {f'cell({i})': expected['cell'].ravel(order='F')[i - 1] for i in (1, 2, 4)}
    texts = {name: value for name, value in found.items() if isinstance(value, str)}
    assert texts == {'s.inner.name': 'grün', 'cell(3)': 'text'}
    assert found.keys() - texts.keys() == flat.keys()
    for name, value in flat.items():
        assert isinstance(found[name], MatArray)
        assert found[name].values.dtype == value.dtype
        np.testing.assert_array_equal(found[name].values, value, err_msg=name)
        assert found[name].is_integer == (name.startswith('n_') or name == 'cell(2)')


def test_the_same_as_scipy_on_version_4():
    content = {k: v for k, v in make_content().items() if isinstance(v, np.ndarray) and v.ndim < 3 and k != 'cell'}
    content = {k: v for k, v in content.items() if k not in ('n_i1', 'n_u4', 'n_i8', 'n_u8', 'empty')}
    stream = io.BytesIO()
    scipy.io.savemat(stream, {**content, 'text': 'abc'}, format='4')
    found, expected = read_all(stream.getvalue()), scipy.io.loadmat(stream)
    assert found.pop('text') == 'abc'
    assert found.keys() == content.keys()
    for name, value in found.items():
        np.testing.assert_array_equal(value.values, expected[name], err_msg=name)


def test_big_endian_files(tmp_path):
    """Of a Sun or an old Mac: every number the other way round."""

    def element(kind, content):
        return struct.pack('>II', kind, len(content)) + content + bytes(-len(content) % 8)

    parts = element(6, struct.pack('>II', 10, 0)), element(5, struct.pack('>2i', 1500, 1)), element(1, b'x')
    counts = np.arange(-750, 750).astype('>i2')
    content = HEADER[:124] + b'\x01\x00MI' + element(14, b''.join([*parts, element(3, counts.tobytes())]))
    (tmp_path / 'a.mat').write_bytes(content)
    r = read_raw_file(tmp_path / 'a.mat', sample_rate_hz=1)
    np.testing.assert_array_equal(r.samples[:, 0], counts)
    assert r.unit == 'counts'
    np.testing.assert_array_equal(scipy.io.loadmat(tmp_path / 'a.mat')['x'][:, 0], counts)
    old = struct.pack('>5i', 1030, 1500, 1, 0, 2) + b'x\0' + counts.tobytes()
    (tmp_path / 'a.mat').write_bytes(old)
    np.testing.assert_array_equal(read_raw_file(tmp_path / 'a.mat', sample_rate_hz=1).samples[:, 0], counts)


def test_real_files_are_read_as_scipy_reads_them(raw_data):
    paths = sorted(p for folder in ('cwru', 'mfpt', 'hit_mfs') for p in (raw_data / folder).rglob('*.mat'))
    assert len(paths) > 70
    for path in paths:
        found = read_all(path.read_bytes())
        for name, value in scipy.io.loadmat(path).items():
            if isinstance(value, np.ndarray) and value.dtype.kind in 'iuf':
                np.testing.assert_array_equal(found[name].values, value, err_msg=f'{path} {name}')
