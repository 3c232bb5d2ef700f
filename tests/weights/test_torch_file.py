"""Both layouts of .pth, from files that torch wrote and from bytes that the test writes."""

from __future__ import annotations

import resource
import sys

import numpy as np
import pytest

from fdx.types import WeightsError
from fdx.weights.readers.torch_file import read_torch_file


@pytest.fixture
def read(tmp_path):
    def read_bytes(raw: bytes):
        path = tmp_path / 'given.pth'
        path.write_bytes(raw)
        return read_torch_file(path)

    return read_bytes


@pytest.mark.parametrize('layout', ['zip', 'legacy'])
def test_reads_what_torch_wrote(layout, golden_folder, make_torch_files):
    found = read_torch_file(golden_folder / f'torch_{layout}.pth')
    expected = make_torch_files.expected_arrays()
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    assert 'torch' not in sys.modules


def test_unwraps_a_nested_state_dict(golden_folder):
    found = read_torch_file(golden_folder / 'torch_nested.pth')
    assert found['0.weight'].tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert found['1.running_var'].tolist() == [1.0, 1.0, 1.0]
    assert found['1.num_batches_tracked'].shape == ()
    assert len(found) == 7


def test_refuses_a_pickled_module(golden_folder):
    with pytest.raises(WeightsError, match=r'torch_module\.pth: .*torch\.nn\.modules\.container\.Sequential'):
        read_torch_file(golden_folder / 'torch_module.pth')


@pytest.mark.parametrize('layout', ['zip', 'stream'])
def test_fabricated_files_agree_with_their_arrays(layout, read, torch_bytes):
    arrays = {'a': np.arange(6, dtype=np.float32).reshape(2, 3), 'b': np.array([1.5, -2.0], np.float16)}
    found = read(torch_bytes.state_file(arrays, layout))
    assert list(found) == ['a', 'b']
    assert all(found[k].dtype == arrays[k].dtype and np.array_equal(found[k], arrays[k]) for k in arrays)


def test_stream_views_start_where_they_say(read, torch_bytes):
    t = torch_bytes
    raw = np.arange(10, dtype=np.float32)
    body = {
        'root': t.tensor(t.storage('7', 10, view=None), 8, (2,), (1,)),
        'view': t.tensor(t.storage('7', 10, view=('9', 4, 5)), 1, (2, 2), (2, 1)),
    }
    found = read(t.stream_file(body, {'7': (10, raw.tobytes())}))
    assert found['root'].tolist() == [8.0, 9.0]
    assert found['view'].tolist() == [[5.0, 6.0], [7.0, 8.0]]
    body['view'] = t.tensor(t.storage('7', 10, view=('9', 4, 5)), 2, (2, 2), (2, 1))
    with pytest.raises(WeightsError, match="'view' cannot be built: it reaches element 5 of a storage of 5"):
        read(t.stream_file(body, {'7': (10, raw.tobytes())}))
    body['view'] = t.tensor(t.storage('7', 10, view=('9', 6, 5)), 0, (1,), (1,))
    with pytest.raises(WeightsError, match='ends at element 11 of 10'):
        read(t.stream_file(body, {'7': (10, raw.tobytes())}))


def test_zip_byte_order_is_honoured(read, torch_bytes):
    t = torch_bytes
    body = {'a': t.tensor(t.storage('0', 2), 0, (2,), (1,))}
    raw = np.array([1.0, -3.0], '>f4').tobytes()
    found = read(t.zip_file(body, {'0': raw}, extra={'archive/byteorder': b'big'}))
    assert found['a'].tolist() == [1.0, -3.0]
    assert found['a'].dtype.isnative
    with pytest.raises(WeightsError, match="byte order b'middle'"):
        read(t.zip_file(body, {'0': raw}, extra={'archive/byteorder': b'middle'}))


@pytest.mark.parametrize(
    ('offset', 'size', 'stride'),
    [(0, (7,), (1,)), (5, (2,), (1,)), (0, (2, 3), (4, 1)), (6, (), ()), (0, (2,), (2**62,)), (0, (2**40, 2), (0, 6))],
)
def test_a_tensor_outside_its_storage_is_refused(offset, size, stride, read, torch_bytes):
    t = torch_bytes
    body = {'w': t.tensor(t.storage('0', 6), offset, size, stride)}
    with pytest.raises(WeightsError, match=r"given\.pth: the tensor 'w' cannot be built: it reaches element \d+"):
        read(t.zip_file(body, {'0': bytes(24)}))


@pytest.mark.parametrize(
    ('offset', 'size', 'stride'), [(-1, (2,), (1,)), (0, (2,), (-1,)), (0, (2,), (1, 1)), (0, ('2',), (1,)), (0, 2, 1)]
)
def test_nonsense_geometry_is_refused(offset, size, stride, read, torch_bytes):
    t = torch_bytes
    with pytest.raises(WeightsError, match=r'given\.pth: truncated or damaged'):
        read(t.zip_file({'w': t.tensor(t.storage('0', 6), offset, size, stride)}, {'0': bytes(24)}))


def test_an_expanded_tensor_costs_no_memory(read, torch_bytes):
    t = torch_bytes
    found = read(t.zip_file({'w': t.tensor(t.storage('0', 1), 0, (10**6, 10**6), (0, 0))}, {'0': bytes(4)}))
    assert found['w'].shape == (10**6, 10**6)
    assert found['w'].strides == (0, 0)


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


@pytest.mark.parametrize('layout', ['zip', 'legacy'])
def test_every_cut_of_a_file_is_an_error(layout, golden_folder, read):
    raw = (golden_folder / f'torch_{layout}.pth').read_bytes()
    # Every byte of the older layout; the zip archive is mostly padding, so every fifth and all of its directory's end.
    for size in range(len(raw)) if layout == 'legacy' else [*range(0, len(raw), 5), *range(len(raw) - 120, len(raw))]:
        with pytest.raises(WeightsError, match=r'given\.pth: '):
            read(raw[:size])


@pytest.mark.parametrize('layout', ['zip', 'legacy'])
def test_damaged_bytes_give_arrays_or_a_weights_error(layout, golden_folder, read):
    raw = bytearray((golden_folder / f'torch_{layout}.pth').read_bytes())
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(200):
        damaged = bytearray(raw)
        damaged[rng.integers(len(raw) if layout == 'legacy' else len(raw) * 9 // 10)] ^= 1 << int(rng.integers(8))
        try:
            assert all(isinstance(a, np.ndarray) for a in read(bytes(damaged)).values())
        except WeightsError:
            refused += 1
    assert refused > 50


def test_an_archive_whose_directory_lies_beyond_any_file_is_an_error(golden_folder, read):
    raw = bytearray((golden_folder / 'torch_zip.pth').read_bytes())
    assert raw[-98:-94] == b'PK\x06\x06'  # the end record of a 64-bit archive; its offset of the directory is 8 bytes
    raw[-50:-42] = b'\xff' * 8
    with pytest.raises(WeightsError, match=r'given\.pth: the zip archive cannot be read'):
        read(bytes(raw))


@pytest.mark.parametrize(
    ('raw', 'words'),
    [
        (b'', 'not a torch file'),
        (b'<!DOCTYPE html><html>', 'not a torch file'),
        (b'PK\x05\x06' + bytes(18), 'not a torch file'),
        (b'\x80\x02}q\x00.', "first item is not torch's magic number"),
        (b'\x80\x02K\x01.', "first item is not torch's magic number"),
    ],
)
def test_other_files_are_named_as_such(raw, words, read):
    with pytest.raises(WeightsError, match=words):
        read(raw)


def test_other_files_of_the_same_layouts(read, torch_bytes, tmp_path):
    t = torch_bytes
    body = {'a': t.tensor(t.storage('0', 1), 0, (1,), (1,))}
    one = {'0': (1, bytes(4))}
    with pytest.raises(WeightsError, match='magic number'):
        read(t.stream_file(body, one, magic=t.MAGIC + 1))
    with pytest.raises(WeightsError, match='protocol 1002'):
        read(t.stream_file(body, one, protocol=1002))
    with pytest.raises(WeightsError, match='little-endian'):
        read(t.stream_file(body, one, little=False))
    with pytest.raises(WeightsError, match='its list of storages is not that of its tensors'):
        read(t.stream_file(body, {**one, '1': (1, bytes(4))}))
    with pytest.raises(WeightsError, match='TorchScript'):
        read(t.zip_file(body, {'0': bytes(4)}, extra={'archive/constants.pkl': b''}))
    with pytest.raises(WeightsError, match='data.pkl is not in it'):
        read(t.zip_file(body, {'0': bytes(4)}, root='a/b'))
    with pytest.raises(WeightsError, match="has no entry 'archive/data/0'"):
        read(t.zip_file(body, {}))
    with pytest.raises(WeightsError, match='holds a tuple'):
        read(t.zip_file(t.put((1, 2)), {}))
    with pytest.raises(WeightsError, match="the entry 'epoch' is a int"):
        read(t.zip_file({**body, 'epoch': 3}, {'0': bytes(4)}))
    with pytest.raises(WeightsError, match='absent.pth: cannot be read'):
        read_torch_file(tmp_path / 'absent.pth')


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
