"""Torch files that are out to do harm: calls, memory that the file does not have, paths that lead outside."""

from __future__ import annotations

import resource

import numpy as np
import pytest

from fdx.types import WeightsError
from fdx.weights.readers.torch_file import read_torch_file


def write(layout: str, t, body: bytes) -> bytes:
    return t.zip_file(body, {}) if layout == 'zip' else t.stream_file(body, {})


@pytest.mark.parametrize('layout', ['zip', 'stream'])
@pytest.mark.parametrize(
    ('module', 'name'),
    [
        ('os', 'system'),
        ('builtins', 'eval'),
        ('torch', 'load'),
        ('numpy', 'load'),
        ('collections', 'OrderedDict.__init__'),
        ('torch.hub', 'load'),
    ],
)
def test_a_pickle_that_calls_a_function_is_refused(layout, module, name, read, torch_bytes, tmp_path):
    t, trace = torch_bytes, tmp_path / 'trace'
    body = {'a': t.call(t.glob(module, name), f'touch {trace}')}
    with pytest.raises(WeightsError, match=rf'given\.pth: the file asks for {module}\.{name}'):
        read(write(layout, t, body))
    assert not trace.exists()


def test_a_pickle_in_place_of_the_magic_number_is_not_called(read, torch_bytes):
    raw = torch_bytes.document(torch_bytes.call(torch_bytes.glob('posix', 'system'), 'true'))
    with pytest.raises(WeightsError, match='asks for posix.system'):
        read(raw)


@pytest.mark.parametrize('admitted', [('torch', 'FloatStorage'), ('torch._utils', '_rebuild_tensor_v2')])
def test_a_pickle_cannot_alter_what_it_is_given(admitted, read, torch_bytes):
    """BUILD writes attributes into an object: a later file must not be read by altered rules."""
    t = torch_bytes
    for state in ({'code': 'i1', 'function': 'x'}, (None, {'code': 'i1', 'function': 'x'})):
        with pytest.raises(WeightsError, match='truncated or damaged'):
            read(t.zip_file({'a': t.glob(*admitted) + t.put(state) + b'b'}, {}))
    found = read(t.state_file({'a': np.array([1.5, 2.5], np.float32)}))
    assert found['a'].tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ('opcodes', 'words'),
    [
        (b'Nr\xff\xff\xff\xff', 'memo slot 4294967295'),
        (b'Np99999999999\n', 'memo slot 99999999999'),
        (b'\x96' + b'\xff' * 7 + b'\x0f', 'truncated or damaged'),
        (b'\x96' + bytes(8), 'BYTEARRAY8'),
        (b'\x82\x01', 'EXT1'),
    ],
)
def test_a_pickle_cannot_ask_for_memory_that_the_file_does_not_have(opcodes, words, read, torch_bytes):
    with pytest.raises(WeightsError, match=words):
        read(torch_bytes.zip_file(opcodes, {}))


def test_attributes_of_an_ordered_dict_are_left_aside(read, torch_bytes):
    t = torch_bytes
    ordered = t.call(t.glob('collections', 'OrderedDict')) + t.put({'items': 'x', '_metadata': 1}) + b'b'
    pair = t.put('a') + t.tensor(t.storage('0', 1), 0, (1,), (1,)) + b's'
    assert read(t.zip_file(ordered + pair, {'0': np.float32(4).tobytes()}))['a'].tolist() == [4.0]


@pytest.mark.parametrize(
    'name', ['../evil', '/etc/evil', 'archive/../../evil', 'c:/evil', 'archive\\evil', 'archive//x']
)
def test_an_archive_that_leads_outside_is_refused(name, read, torch_bytes, tmp_path):
    t = torch_bytes
    body = {'a': t.tensor(t.storage('0', 1), 0, (1,), (1,))}
    with pytest.raises(WeightsError, match='leads outside'):
        read(t.zip_file(body, {'0': bytes(4)}, extra={name: b'x'}))
    assert [p.name for p in tmp_path.iterdir()] == ['given.pth']


@pytest.mark.filterwarnings('ignore:Duplicate name')
def test_an_archive_with_a_name_twice_is_refused(read, torch_bytes):
    t = torch_bytes
    body = {'a': t.tensor(t.storage('0', 1), 0, (1,), (1,))}
    with pytest.raises(WeightsError, match="two entries named 'archive/data/0'"):
        read(t.zip_file(body, {'0': bytes(4)}, extra={'archive/data/0': b'1234'}))


@pytest.mark.parametrize('key', ['../version', 'x/y', '', '.', 'a\\b'])
def test_a_storage_key_that_is_a_path_is_refused(key, read, torch_bytes):
    t = torch_bytes
    body = {'a': t.tensor(t.storage(key, 1), 0, (1,), (1,))}
    with pytest.raises(WeightsError, match='is not a plain name'):
        read(t.zip_file(body, {}, extra={'archive/data/x/y': bytes(4)}))


@pytest.mark.parametrize('size', [20, 28])
def test_a_storage_of_another_size_is_refused(size, read, torch_bytes):
    t = torch_bytes
    body = {'a': t.tensor(t.storage('0', 6), 0, (2,), (1,))}
    with pytest.raises(WeightsError, match=f'has {size} bytes, its tensors need 24'):
        read(t.zip_file(body, {'0': bytes(size)}))
    with pytest.raises(WeightsError, match='has 5 elements, its tensors need 6'):
        read(t.stream_file(body, {'0': (5, bytes(size))}))


def test_a_storage_with_two_descriptions_is_refused(read, torch_bytes):
    t = torch_bytes
    body = {'a': t.tensor(t.storage('0', 6), 0, (2,), (1,)), 'b': t.tensor(t.storage('0', 3, 'f8'), 0, (2,), (1,))}
    with pytest.raises(WeightsError, match='described in two ways'):
        read(t.zip_file(body, {'0': bytes(24)}))


@pytest.mark.parametrize('opcode', [b'\x8d', b'\x8e', b'B', b'X', b'\x8b'])
def test_a_length_in_a_pickle_takes_no_memory_before_it_is_read(tmp_path, opcode):
    """BINUNICODE8, BINBYTES8, BINBYTES, BINUNICODE and LONG4 that claim 2 GB and more of a file of 200 bytes."""
    size = (2**40).to_bytes(8, 'little') if opcode in (b'\x8d', b'\x8e') else (2**31 - 1).to_bytes(4, 'little')
    (tmp_path / 'a.pth').write_bytes(b'\x80\x02' + opcode + size + bytes(200))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match='truncated or damaged') as caught:
        read_torch_file(tmp_path / 'a.pth')
    assert not isinstance(caught.value.__cause__, MemoryError)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_an_unknown_name_with_line_ends_stays_on_one_line(tmp_path):
    (tmp_path / 'a.pth').write_bytes(b'\x80\x02ccollec\x0btions\nOrdered\rDict\n)R.')
    with pytest.raises(WeightsError, match='the file asks for') as caught:
        read_torch_file(tmp_path / 'a.pth')
    assert len(str(caught.value).splitlines()) == 1
