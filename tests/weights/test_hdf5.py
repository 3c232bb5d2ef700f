"""Arrays of HDF5 files by their paths, and files that no weights are read from."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from fdx.types import WeightsError
from fdx.weights.readers import hdf5
from fdx.weights.readers.hdf5 import read_hdf5

KERNEL = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.fixture
def keras_file(tmp_path):
    path = tmp_path / 'net.weights.h5'
    with h5py.File(path, 'w') as file:
        file['block1/layers/conv2d/vars/0'] = KERNEL
        file.create_dataset('block1/layers/conv2d/vars/1', data=np.arange(3.0), dtype='>f8')
        file.create_dataset('head/kernel:0', data=np.ones((4, 5), np.float16), chunks=(2, 5), compression='gzip')
        file['optimizer/iterations'] = np.int64(7)
        file['note'] = 'trained at night'
        file.create_group('top')
        file.attrs['layer_names'] = ['block1', 'head']
    return path


def test_arrays_come_by_path_with_their_values(keras_file):
    arrays = read_hdf5(keras_file)
    names = ['block1/layers/conv2d/vars/0', 'block1/layers/conv2d/vars/1', 'head/kernel:0', 'optimizer/iterations']
    assert sorted(arrays) == names
    np.testing.assert_array_equal(arrays['block1/layers/conv2d/vars/0'], KERNEL)
    assert arrays['block1/layers/conv2d/vars/1'].dtype == np.dtype('=f8')
    assert arrays['block1/layers/conv2d/vars/1'].tolist() == [0, 1, 2]
    assert (arrays['head/kernel:0'].shape, arrays['head/kernel:0'].dtype) == ((4, 5), np.float16)
    assert arrays['optimizer/iterations'] == 7


def test_links_and_arrays_in_other_files_are_refused(keras_file, tmp_path):
    for name, link in {'soft': h5py.SoftLink('/head'), 'other': h5py.ExternalLink('x.h5', '/head')}.items():
        path = tmp_path / f'{name}.h5'
        with h5py.File(path, 'w') as file:
            file['kernel'] = link
        with pytest.raises(WeightsError, match="'kernel' is a link and not an array"):
            read_hdf5(path)
    outside = tmp_path / 'outside.h5'
    (tmp_path / 'raw').write_bytes(bytes(16))
    with h5py.File(outside, 'w') as file:
        file.create_dataset('kernel', (4,), 'f4', external=[(str(tmp_path / 'raw'), 0, 16)])
    with pytest.raises(WeightsError, match="'kernel' lie in other files"):
        read_hdf5(outside)


def test_claims_beyond_the_size_of_the_file_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / 'claims.h5'
    with h5py.File(path, 'w') as file:
        file.create_dataset('kernel', (2**20, 2**10), 'f4', chunks=(1024, 1024), compression='gzip')[0, 0] = 1
    with pytest.raises(WeightsError, match="'kernel' claims 1048576 x 1024 numbers, more than the size"):
        read_hdf5(path)
    with h5py.File(path, 'w') as file:
        file.create_dataset('kernel', (8,), 'f4')
    with pytest.raises(WeightsError, match="'kernel' claims 8 numbers, but none was ever written"):
        read_hdf5(path)


def test_a_group_inside_itself_and_too_many_objects_end(tmp_path, monkeypatch):
    path = tmp_path / 'loop.h5'
    with h5py.File(path, 'w') as file:
        file['group/kernel'] = KERNEL
        file['group/again'] = file['group']
    with pytest.raises(WeightsError, match='nested more than 32 deep'):
        read_hdf5(path)
    monkeypatch.setattr(hdf5, 'MAX_OBJECTS', 2)
    with h5py.File(path, 'w') as file:
        for i in range(3):
            file[f'k{i}'] = KERNEL
    with pytest.raises(WeightsError, match='more than 2 objects'):
        read_hdf5(path)


def test_other_and_damaged_files_are_named(keras_file, tmp_path):
    content = keras_file.read_bytes()
    other = tmp_path / 'other.h5'
    for data in (b'', b'PK\x03\x04 a zip file', content[: len(content) // 2], content[:600]):
        other.write_bytes(data)
        with pytest.raises(WeightsError, match=r'other\.h5: not a whole HDF5 file'):
            read_hdf5(other)
    with pytest.raises(WeightsError, match='no such file'):
        read_hdf5(tmp_path / 'none.h5')
    with h5py.File(other, 'w') as file:
        file['note'] = 'no numbers'
    with pytest.raises(WeightsError, match='holds no array of numbers'):
        read_hdf5(other)


def test_damaged_bytes_give_arrays_or_an_error_and_nothing_else(keras_file, tmp_path):
    content, rng, path = keras_file.read_bytes(), np.random.default_rng(0), tmp_path / 'damaged.h5'
    refused = 0
    for _ in range(60):
        data = bytearray(content)
        for place in rng.integers(0, len(data), 8):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        try:
            read_hdf5(path)
        except WeightsError as e:
            refused += 1
            assert str(path) in str(e)
    assert refused > 5
