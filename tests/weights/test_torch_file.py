"""Both layouts of .pth, from files that torch wrote and from bytes that the test writes."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from fdx.types import WeightsError
from fdx.weights.readers.torch_file import read_torch_file


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
    with pytest.raises(WeightsError, match="'view' cannot be built: .*element 5 .*storage of 5"):
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
    with pytest.raises(WeightsError, match=r"given\.pth: .*'w' cannot be built: .*element \d+"):
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


@pytest.mark.parametrize('layout', ['zip', 'legacy'])
def test_every_cut_of_a_file_is_an_error(layout, golden_folder, read):
    raw = (golden_folder / f'torch_{layout}.pth').read_bytes()
    # Every byte at both ends. Between them every second of the older layout; the zip archive is mostly padding.
    step, ends = {'legacy': (2, 300), 'zip': (10, 120)}[layout]
    for size in [*range(ends), *range(ends, len(raw) - ends, step), *range(len(raw) - ends, len(raw))]:
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
    with pytest.raises(WeightsError, match=r'given\.pth: .*zip archive'):
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
