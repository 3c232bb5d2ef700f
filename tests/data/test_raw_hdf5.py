"""HDF5 files as h5py writes them, and MATLAB 7.3's layout in them: signals, facts, pieces, damage."""

from __future__ import annotations

import resource
import zlib

import h5py
import numpy as np
import pytest

from fdx.data.raw.files import raw_length, read_raw_file
from fdx.types import DataError
from tests.data.raw_file_checks import refuse

X = np.sin(np.arange(3000) * 0.1)


def hdf5(path, content, attributes=None):
    """Data sets by path; attributes as {path: {name: value}}."""
    with h5py.File(path, 'w') as file:
        for name, value in content.items():
            file[name] = value
        for name, facts in (attributes or {}).items():
            (file[name] if name else file).attrs.update(facts)
    return path


def test_the_only_signal_its_rate_and_unit(tmp_path):
    path = hdf5(
        tmp_path / 'a.h5',
        {'run/acc': X, 'run/rpm': 1797.0, 'run/time': np.arange(3000) / 5.0, 'note': 'a bench'},
        {'run/acc': {'units': 'm/s2', 'sample_rate': 25600}},
    )
    r = read_raw_file(path)
    assert (r.sample_rate_hz, r.unit, r.speed_rpm) == (25600.0, 'm/s2', 1797.0)
    np.testing.assert_array_equal(r.samples[:, 0], X.astype(np.float32))
    assert read_raw_file(path, variable='/run/acc').samples.shape == (3000, 1)
    assert read_raw_file(path, sample_rate_hz=100).notes == (
        '`sample_rate_hz` 100 Hz wins over the 25600 Hz of run/acc/sample_rate',
    )


@pytest.mark.parametrize(
    ('content', 'attributes', 'rate_hz'),
    [
        ({'x': X}, {'': {'fs': 12000.0}}, 12000.0),
        ({'x': X}, {'x': {'dt': 1e-4}}, 10000.0),
        ({'x': X}, {'x': {'fs': np.array([51200])}}, 51200.0),
        ({'x': X, 'fs': 8000}, {'x': {'fs_khz': 48.0}}, 48000.0),
        ({'x': X, 'Fs': np.array([[8000]])}, {}, 8000.0),
        ({'x': X, 'sample_rate': '8000'}, {}, 8000.0),
        ({'x': X, 'time_ms': np.arange(3000) / 2.0}, {}, 2000.0),
        ({'x': X, 'time': np.arange(3000) / 2.0}, {'time': {'units': 'ms'}}, 2000.0),
        ({'g/x': X, 'g/fs': 4000.0, 'fs': 1.0}, {}, 4000.0),
    ],
)
def test_where_a_rate_may_stand(tmp_path, content, attributes, rate_hz):
    assert read_raw_file(hdf5(tmp_path / 'a.h5', content, attributes)).sample_rate_hz == rate_hz


def test_no_rate_or_several(tmp_path):
    refuse(hdf5(tmp_path / 'a.h5', {'x': X}), 'does not tell its sampling rate')
    refuse(hdf5(tmp_path / 'b.h5', {'x': X, 'fs': 1000.0, 'sr': 2000.0}), 'several sampling rates', 'fs = 1000')


def test_layouts_types_and_names(tmp_path):
    both = np.stack([X, 2 * X], axis=1)
    for array in (both, both.T.copy(), both.astype('>f4'), np.asfortranarray(both)):
        path = hdf5(tmp_path / 'a.hdf5', {'x': array}, {'x': {'fs': 100, 'channel_names': ['AccX', 'größe']}})
        r = read_raw_file(path, sample_rate_hz=1000)
        np.testing.assert_allclose(r.samples, both, rtol=1e-6)
        assert r.channel_names == ('AccX', 'größe')
        assert read_raw_file(path, sample_rate_hz=1000, channel='größe').samples.shape == (3000, 1)
    r = read_raw_file(hdf5(tmp_path / 'i.h5', {'x': np.arange(3000, dtype='i2')}), sample_rate_hz=1)
    assert (r.unit, r.samples[-1, 0]) == ('counts', 2999.0)
    nan = X.copy()
    nan[7] = np.nan
    assert np.isnan(read_raw_file(hdf5(tmp_path / 'n.h5', {'x': nan}), sample_rate_hz=1).samples[7, 0])


def test_a_group_and_a_table_are_channels(tmp_path):
    path = hdf5(tmp_path / 'a.h5', {'run/x': X, 'run/y': 2 * X, 'run/time': np.arange(3000) / 1000, 'other': X})
    refuse(path, 'variables that could be the signal', 'run/x 3000', 'other 3000', sample_rate_hz=1)
    r = read_raw_file(path, variable='run')
    assert (r.channel_names, r.sample_rate_hz) == (('x', 'y'), 1000.0)
    assert read_raw_file(path, variable='run', channel='y').samples[1, 0] == np.float32(2 * X[1])
    table = np.zeros(3000, [('time_us', 'i8'), ('acc', 'f4'), ('label', 'S4')])
    table['time_us'], table['acc'] = np.arange(3000) * 50, X
    r = read_raw_file(hdf5(tmp_path / 't.h5', {'log/table': table}), variable='log/table')
    assert (r.channel_names, r.sample_rate_hz) == (('acc',), 20000.0)
    np.testing.assert_array_equal(r.samples[:, 0], X.astype(np.float32))


def test_a_vector_beside_a_matrix_of_its_length_is_not_chosen_silently(tmp_path):
    """A tachometer beside the accelerations."""
    both = np.stack([X, 2 * X], axis=1)
    path = hdf5(tmp_path / 'a.h5', {'acc': both, 'tacho': X, 'spectrum': np.zeros((1500, 2))})
    refuse(path, 'variables that could be the signal', 'acc 3000x2', 'tacho 3000', sample_rate_hz=1)
    assert read_raw_file(path, variable='acc', sample_rate_hz=1).samples.shape == (3000, 2)
    timed = hdf5(tmp_path / 'b.h5', {'acc': both, 'time': np.arange(3000) / 1000})
    assert read_raw_file(timed).samples.shape == (3000, 2)


def test_pieces_are_read_where_they_lie(tmp_path):
    path = tmp_path / 'a.h5'
    with h5py.File(path, 'w') as file:
        data = file.create_dataset('x', (4, 100_000), 'i2', chunks=(4, 1000), compression='gzip')
        data[...] = np.arange(400_000).reshape(4, -1) % 30000
    length = raw_length(path, sample_rate_hz=1000)
    assert (length.num_samples, length.num_channels, length.duration_s, length.seekable) == (100_000, 4, 100.0, True)
    assert raw_length(path).sample_rate_hz is None
    whole = read_raw_file(path, sample_rate_hz=1000).samples
    piece = read_raw_file(path, sample_rate_hz=1000, start_s=99.5, channel=[3, 1]).samples
    np.testing.assert_array_equal(piece, whole[99_500:, [3, 1]])
    for start_s, stop_s, word in ((100, None, '`start_s` is 100'), (0, 100.001, '`stop_s` is 100.001'), (5, 5, 'no')):
        refuse(path, word, '100000 samples', sample_rate_hz=1000, start_s=start_s, stop_s=stop_s)
    for start_s in (-1, np.nan, np.inf):
        refuse(path, f'`start_s` is {start_s}', sample_rate_hz=1000, start_s=start_s)


def matlab(path, make):
    """A file as MATLAB's save -v7.3 lays it out: 512 bytes of its own, arrays with their axes in reverse."""
    with h5py.File(path, 'w', userblock_size=512) as file:

        def put(group, name, value, kind=None, **attributes):
            group[name] = np.asarray(value).T
            group[name].attrs['MATLAB_class'] = np.bytes_(
                kind or str(np.asarray(value).dtype).replace('float64', 'double')
            )
            group[name].attrs.update(attributes)

        make(file, put)
    with path.open('r+b') as stream:
        stream.write(
            b'MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Sat Nov 28 2026 HDF5 schema 1.00 .'.ljust(116)
        )
        stream.write(bytes(8) + b'\x00\x02IM')
    return path


def codes(text):
    return np.array([[ord(c) for c in text]], np.uint16)


def test_matlab_arrays_structs_and_text(tmp_path):
    """MFPT's struct, whose load is text."""

    def make(file, put):
        struct = file.create_group('bearing')
        struct.attrs['MATLAB_class'] = np.bytes_('struct')
        put(struct, 'gs', X[:, None])
        put(struct, 'sr', [[97656.0]])
        put(struct, 'rate', [[25.0]])
        put(struct, 'load', codes('270'), 'char', MATLAB_int_decode=np.int32(2))
        put(file, 'quiet', np.zeros((5, 1)), MATLAB_empty=np.uint8(1))

    r = read_raw_file(matlab(tmp_path / 'a.mat', make))
    assert (r.sample_rate_hz, r.speed_rpm, r.load, r.unit) == (97656.0, 1500.0, 270.0, '')
    np.testing.assert_array_equal(r.samples[:, 0], X.astype(np.float32))
    piece = read_raw_file(tmp_path / 'a.mat', start_s=1000 / 97656, stop_s=1010 / 97656)
    np.testing.assert_array_equal(piece.samples, r.samples[1000:1010])
    assert raw_length(tmp_path / 'a.mat').seekable


def test_matlab_matrices_keep_their_orientation(tmp_path):
    both = np.stack([X, -X], axis=1)
    for array in (both, both.T):
        path = matlab(tmp_path / 'a.mat', lambda file, put, array=array: put(file, 'x', array))
        np.testing.assert_allclose(read_raw_file(path, sample_rate_hz=1).samples, both, rtol=1e-6)
        r = read_raw_file(path, sample_rate_hz=1, channel=1, start_s=5, stop_s=9)
        np.testing.assert_allclose(r.samples[:, 0], -X[5:9], rtol=1e-6)
    counts = matlab(tmp_path / 'c.mat', lambda file, put: put(file, 'x', np.arange(2000, dtype='i2')[None]))
    assert read_raw_file(counts, sample_rate_hz=1).unit == 'counts'


def test_matlab_cells_and_arrays_of_structs(tmp_path):
    """Paderborn's Y(2).Data."""

    def make(file, put):
        refs = file.create_group('#refs#')
        for i in range(2):
            put(refs, f'd{i}', (X + i)[None])
            put(refs, f'n{i}', codes(f'name {i}'), 'char', MATLAB_int_decode=np.int32(2))
        y = file.create_group('Y')
        y.attrs['MATLAB_class'] = np.bytes_('struct')
        for field in 'dn':
            y[field] = np.array([[refs[f'{field}{i}'].ref for i in range(2)]], h5py.ref_dtype)
        file['cells'] = np.array([[refs['d0'].ref], [refs['n1'].ref]], h5py.ref_dtype)
        file['cells'].attrs['MATLAB_class'] = np.bytes_('cell')

    path = matlab(tmp_path / 'a.mat', make)
    refuse(path, 'Y(1).d 1x3000', 'Y(2).d 1x3000', 'cells(1) 1x3000', sample_rate_hz=1)
    np.testing.assert_allclose(read_raw_file(path, sample_rate_hz=1, variable='Y(2).d').samples[:, 0], X + 1, rtol=1e-6)
    assert read_raw_file(path, sample_rate_hz=1, variable='cells(1)').samples[1, 0] == np.float32(X[1])


def test_matlab_complex_and_sparse_are_no_signals(tmp_path):
    def make(file, put):
        value = np.zeros((1, 2000), [('real', 'f8'), ('imag', 'f8')])
        file['z'] = value
        file['z'].attrs['MATLAB_class'] = np.bytes_('double')

    refuse(matlab(tmp_path / 'a.mat', make), 'complex', sample_rate_hz=1)


def test_damaged_and_foreign_files(tmp_path):
    good = hdf5(tmp_path / 'a.h5', {'x': X}).read_bytes()
    for content in (good[:100], good[: len(good) // 2], good[:-9], b'\x89HDF\r\n\x1a\n', b'garbage' * 100, bytes(5000)):
        for suffix in ('.h5', '.hdf5'):
            (tmp_path / f'b{suffix}').write_bytes(content)
            refuse(tmp_path / f'b{suffix}', 'cannot be read as an HDF5 file', sample_rate_hz=1)
    (tmp_path / 'b.mat').write_bytes(good[:100])
    refuse(tmp_path / 'b.mat', 'cannot be read as an HDF5 file', sample_rate_hz=1)
    refuse(hdf5(tmp_path / 'c.h5', {'x': X[:10]}), 'holds no signal', 'x 10', sample_rate_hz=1)
    refuse(hdf5(tmp_path / 'c.h5', {'x': np.zeros((20, 30, 40))}), 'holds no signal', 'x 20x30x40', sample_rate_hz=1)
    refuse(hdf5(tmp_path / 'c.h5', {'x': ['a', 'b']}), 'nothing numeric', sample_rate_hz=1)
    refuse(tmp_path / 'a.h5', "no numeric variable 'y'", 'x 3000', variable='y', sample_rate_hz=1)


def test_sizes_that_nothing_backs_cost_no_memory(tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, options in (
        ('never_written', {'shape': 10**12, 'chunks': (1000,)}),
        ('contiguous', {'shape': (10**9,)}),
        ('bomb', {'shape': (10**10,), 'chunks': (10**5,), 'compression': 'gzip'}),
    ):
        path = tmp_path / f'{name}.h5'
        with h5py.File(path, 'w') as file:
            data = file.create_dataset('x', dtype='f8', **options)
            if name == 'bomb':
                data[:10] = 1
        refuse(path, 'x', 'unpacks to' if name == 'bomb' else 'none was ever written', sample_rate_hz=1)
    assert read_raw_file(path, sample_rate_hz=1, start_s=5, stop_s=15).samples[:, 0].tolist() == [1] * 5 + [0] * 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_links_to_elsewhere_are_not_followed(tmp_path):
    hdf5(tmp_path / 'other.h5', {'x': X})
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file['far'] = h5py.ExternalLink('other.h5', 'x')
        file['soft'] = h5py.SoftLink('/nowhere')
        layout = h5py.VirtualLayout((3000,), 'f8')
        layout[:] = h5py.VirtualSource('other.h5', 'x', (3000,))
        file.create_virtual_dataset('virtual', layout)
        file['loop'] = file['/']
    refuse(tmp_path / 'a.h5', sample_rate_hz=1)


def test_names_with_strange_characters_keep_the_error_on_one_line(tmp_path):
    path = hdf5(tmp_path / 'a.h5', {'a\nb\x85c': X, 'ü\u2028': X, 'x.y': X}, {'x.y': {'fs': 500.0, 'unit': 'm\ns'}})
    with pytest.raises(DataError) as caught:
        read_raw_file(path, sample_rate_hz=1)
    assert len(str(caught.value).splitlines()) == 1
    r = read_raw_file(path, variable='x.y')
    assert (r.sample_rate_hz, r.unit) == (500.0, 'm s')


def test_a_byte_changed_anywhere_is_an_answer_or_an_error_of_one_line(tmp_path):
    """The HDF5 library itself follows the damage; 14,000 such files neither ended nor blocked the process."""
    hdf5(tmp_path / 'a.h5', {'run/acc': X[:1000], 'run/fs': 1000.0, 's': 'text'}, {'run/acc': {'unit': 'g'}})
    good = (tmp_path / 'a.h5').read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(150):
        content = bytearray(good)
        for place in rng.integers(0, 5000, rng.integers(1, 4)):
            content[place] = rng.choice([0, 0xFF, content[place] ^ 1])
        (tmp_path / 'b.h5').write_bytes(content)
        try:
            assert read_raw_file(tmp_path / 'b.h5').samples.size <= len(good)
        except DataError as e:
            assert len(str(e).splitlines()) == 1


def test_a_chunk_of_gigabytes_is_not_unpacked(tmp_path):
    path = tmp_path / 'a.h5'
    with h5py.File(path, 'w') as file:
        options = {'dtype': 'f8', 'maxshape': (None,), 'chunks': (2**27,), 'compression': 'gzip'}
        file.create_dataset('x', (3000,), **options).id.write_direct_chunk((0,), zlib.compress(bytes(2**20)))
        file.create_dataset('fs', (1,), **options).id.write_direct_chunk((0,), zlib.compress(bytes(2**20)))
    refuse(path, 'stored in pieces of 134217728')
