"""TensorFlow's checkpoints without TensorFlow: against files that it wrote, and damaged in every way."""

from __future__ import annotations

import pathlib
import shutil

import numpy as np
import pytest

from fdx.types import WeightsError
from fdx.weights.readers.tf_bundle import read_tf_bundle
from fdx.weights.readers.tf_table import read_table

DATA = '.data-00000-of-00001'
ARRAYS = {'a/kernel': np.arange(6, dtype=np.float32).reshape(2, 3), 'a/step': np.array(7, np.int64)}


@pytest.fixture(scope='module')
def golden(golden_folder):
    with np.load(golden_folder / 'tf_bundle.npz') as file:
        return {str(name): file[str(i)] for i, name in enumerate(file['names'])}


def copied(golden_folder, name, folder):
    """The files of a golden bundle in `folder`; the path of the index."""
    for path in golden_folder.glob(f'{name}.*'):
        shutil.copy(path, folder)
    return folder / f'{name}.index'


@pytest.mark.parametrize('name', ['tf_bundle', 'tf_shards'])
def test_tensors_are_those_that_tensorflow_reads(name, golden_folder, golden):
    found = read_tf_bundle(golden_folder / f'{name}.index')
    assert list(found) == sorted(golden, key=str.encode)
    assert len(found) > 16
    for key, expected in golden.items():
        assert (found[key].dtype, found[key].shape) == (expected.dtype, expected.shape), key
        assert found[key].tobytes() == expected.tobytes(), key
        assert found[key].flags.writeable
    assert {a.dtype.name for a in found.values()} == {'float32', 'float64', 'int32', 'int64'}


def test_the_golden_bundle_shares_prefixes_and_has_two_data_files_where_it_says_so(golden_folder):
    index = (golden_folder / 'tf_bundle.index').read_bytes()
    assert b'block_1/conv/bias' in index and index.count(b'block_1') == 1
    assert len(list(golden_folder.glob('tf_shards.data-*-of-00002'))) == 2
    assert sum(p.stat().st_size for p in golden_folder.glob('tf_*')) < 20_000


def test_the_index_the_prefix_and_a_folder_name_the_same_bundle(golden_folder, golden, tmp_path):
    copied(golden_folder, 'tf_bundle', tmp_path)
    (tmp_path / 'bare').mkdir()
    for suffix in ('.index', DATA):
        shutil.copy(tmp_path / f'tf_bundle{suffix}', tmp_path / 'bare' / suffix)
    bare = tmp_path / 'bare'
    for path in (tmp_path / 'tf_bundle', f'{tmp_path}/tf_bundle.index', bare, f'{bare}/', bare / '.index'):
        assert list(read_tf_bundle(path)) == sorted(golden, key=str.encode), path


def test_a_flipped_byte_anywhere_in_the_index_is_refused(golden_folder, tmp_path):
    path = copied(golden_folder, 'tf_bundle', tmp_path)
    raw = path.read_bytes()
    for i in range(len(raw)):
        path.write_bytes(raw[:i] + bytes([raw[i] ^ (1 << i % 8)]) + raw[i + 1 :])
        with pytest.raises(WeightsError, match=r'tf_bundle\.(index|data)'):
            read_tf_bundle(path)


def test_any_byte_in_the_place_of_another_in_the_footer_is_refused(tf_bundle_bytes, tmp_path):
    raw = tf_bundle_bytes.write(tmp_path / 'm', ARRAYS, per_block=2).read_bytes()
    assert set(read_table(raw)) == {b'', *map(str.encode, ARRAYS)}
    for i in range(len(raw) - 48, len(raw)):
        for byte in set(range(256)) - {raw[i]}:
            with pytest.raises(ValueError, match='.'):
                read_table(raw[:i] + bytes([byte]) + raw[i + 1 :])


def test_a_flipped_byte_anywhere_in_the_data_is_refused(golden_folder, tmp_path):
    path = copied(golden_folder, 'tf_bundle', tmp_path)
    data = tmp_path / f'tf_bundle{DATA}'
    raw = data.read_bytes()
    for i in range(len(raw)):
        data.write_bytes(raw[:i] + bytes([raw[i] ^ (1 << i % 8)]) + raw[i + 1 :])
        with pytest.raises(WeightsError, match=r'data-00000-of-00001: .*checksum .* wrong'):
            read_tf_bundle(path)


@pytest.mark.parametrize('suffix', ['.index', DATA])
def test_a_file_that_was_cut_off_is_refused(suffix, golden_folder, tmp_path):
    path = copied(golden_folder, 'tf_bundle', tmp_path)
    file = tmp_path / f'tf_bundle{suffix}'
    raw = file.read_bytes()
    for n in range(len(raw)):
        file.write_bytes(raw[:n])
        with pytest.raises(WeightsError, match='truncated'):
            read_tf_bundle(path)


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('tf_partitioned', r"tf_partitioned\.index: .*'.*embedding.*' .*parts"),
        (
            'tf_text',
            r"tf_text\.index: .*'words' .*dtype 7; .*float32, float64, int32",
        ),
        ('tf_nowhere', r'tf_nowhere\.index: .*No such file'),
    ],
)
def test_what_tensorflow_writes_and_fdx_does_not_read(name, words, golden_folder):
    with pytest.raises(WeightsError, match=words):
        read_tf_bundle(golden_folder / name)


def test_a_lost_data_file_is_named(golden_folder, tmp_path):
    path = copied(golden_folder, 'tf_shards', tmp_path)
    (tmp_path / 'tf_shards.data-00001-of-00002').unlink()
    with pytest.raises(WeightsError, match=r'tf_shards\.data-00001-of-00002: .*No such file'):
        read_tf_bundle(path)


@pytest.mark.parametrize('per_block', [1, 2, 5])
def test_an_index_of_several_blocks(per_block, tf_bundle_bytes, tmp_path):
    arrays = {f'layer_{i:02d}/w': np.full((i % 3, 2), i, np.float32) for i in range(23)}
    found = read_tf_bundle(tf_bundle_bytes.write(tmp_path / 'm', arrays, per_block=per_block))
    assert list(found) == sorted(arrays)
    assert all(np.array_equal(found[name], array) for name, array in arrays.items())


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'kind': 1}, r'm\.index: .*byte \d+ .*Snappy'),
        ({'kind': 9}, 'has the unknown compression 9'),
        ({'gap': b'\0'}, r'a block is expected at byte \d+, not at'),
        ({'metaindex': [(b'filter', b'')]}, 'the metaindex is not empty'),
    ],
)
def test_tables_of_other_kinds(options, words, tf_bundle_bytes, tmp_path):
    with pytest.raises(WeightsError, match=words):
        read_tf_bundle(tf_bundle_bytes.write(tmp_path / 'm', ARRAYS, per_block=2, **options))


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'dtype': 14}, "'w' .*dtype 14; .*float32"),
        ({'dtype': 2}, r"the tensor 'w' of shape \[2, 2\] has 16 bytes"),
        ({'shape': b'\x18\x01'}, "the tensor 'w' has no shape"),
        ({'shard': 1}, "the tensor 'w' lies in data file 1 of 1"),
        ({'offset': 1}, r"'w' .*byte 17, .* 16; .*truncated .*again"),
        ({'offset': 2**63}, r'ends at byte 9223372036854775824'),
        ({'size': 2**64 - 16}, 'has 18446744073709551600 bytes'),
        ({'crc': 5}, "the checksum of the tensor 'w' is wrong"),
        ({'slices': b''}, "the variable 'w' is stored in parts"),
        ({'offset': b'xy'}, 'field 4 of a message is of another kind'),
        ({'shape': 3}, 'field 2 of a message is of another kind'),
    ],
)
def test_entries_that_cannot_be(changes, words, tf_bundle_bytes, tmp_path):
    array = np.ones((2, 2), np.float32)
    entries = [tf_bundle_bytes.header(), (b'w', tf_bundle_bytes.entry(array, **changes))]
    with pytest.raises(WeightsError, match=words):
        read_tf_bundle(tf_bundle_bytes.write_raw(tmp_path / 'm', entries, array.tobytes()))


def test_more_axes_than_an_array_can_have(tf_bundle_bytes, tmp_path):
    array = np.ones((1,), np.float32)
    shape = tf_bundle_bytes.message((2, tf_bundle_bytes.message((1, 1)))) * 70
    entries = [tf_bundle_bytes.header(), (b'w', tf_bundle_bytes.entry(array, shape=shape))]
    with pytest.raises(WeightsError, match=r"data-00000-of-00001: .*'w' of shape .* cannot be built"):
        read_tf_bundle(tf_bundle_bytes.write_raw(tmp_path / 'm', entries, array.tobytes()))


@pytest.mark.parametrize(
    ('more', 'words'),
    [
        (((2, 1),), 'big-endian'),
        (((3, b'\x10\x02'),), 'version 2, .*version 1'),
        (((1, 0),), 'it names 0 data files'),
        (((1, 10**6),), 'it names 1000000 data files'),
    ],
)
def test_headers_that_fdx_does_not_know(more, words, tf_bundle_bytes, tmp_path):
    with pytest.raises(WeightsError, match=words):
        read_tf_bundle(tf_bundle_bytes.write_raw(tmp_path / 'm', [tf_bundle_bytes.header(1, *more)], b''))


def test_keys_out_of_order_and_a_table_without_header(tf_bundle_bytes, tmp_path):
    header, entry = tf_bundle_bytes.header(), tf_bundle_bytes.entry(np.ones(1, np.float32))
    for entries, per_block, words in (
        ([header, (b'b', entry), (b'a', entry)], 3, "the key b'a' is not in order"),
        ([header, (b'b', entry), (b'b', entry)], 3, "the key b'b' is not in order"),
        ([header, (b'a', entry), (b'c', entry), (b'b', entry), (b'd', entry)], 3, 'the blocks are not in order'),
        ([(b'a', entry)], 1, r'not the index of a checkpoint \(it has no header\)'),
    ):
        path = tf_bundle_bytes.write_raw(tmp_path / 'm', entries, np.ones(1, np.float32).tobytes(), per_block=per_block)
        with pytest.raises(WeightsError, match=words):
            read_tf_bundle(path)


def test_a_file_of_another_kind(tmp_path):
    for raw, words in ((b'', '0 bytes are not a table'), (b'x' * 500, 'does not end in the magic number')):
        pathlib.Path(tmp_path / 'm.index').write_bytes(raw)
        with pytest.raises(WeightsError, match=words):
            read_tf_bundle(tmp_path / 'm')
