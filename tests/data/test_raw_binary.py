"""Files of bare numbers: what must be said of them, and that it is taken literally."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.raw.binary import DTYPES, BinaryFormat
from fdx.data.raw.files import raw_length, read_raw_file
from fdx.types import ConfigError
from tests.data.raw_file_checks import refuse

VALUES = np.array([[1, 100], [2, 0], [3, 50], [4, 7]])


def packed(values, dtype, byte_order):
    """Bytes of numbers, 24 bits too."""
    order = '<' if byte_order == 'little' else '>'
    if dtype.endswith('24'):
        wide = np.asarray(values).astype(f'{order}i4').reshape(-1).view(np.uint8).reshape(-1, 4)
        return (wide[:, :3] if order == '<' else wide[:, 1:]).tobytes()
    return np.asarray(values).astype(np.dtype(dtype).newbyteorder(order)).tobytes()


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('byte_order', ['little', 'big'])
@pytest.mark.parametrize('suffix', ['.bin', '.raw', '.DAT', '.pcm'])
def test_types_orders_and_channels(tmp_path, dtype, byte_order, suffix):
    values = VALUES if dtype.startswith('u') else np.concatenate([VALUES, -VALUES])
    path = tmp_path / f'a{suffix}'
    path.write_bytes(b'a header' + packed(values, dtype, byte_order))
    form = BinaryFormat(dtype, 2, byte_order, 8)
    r = read_raw_file(path, sample_rate_hz=1000, binary_format=form)
    np.testing.assert_array_equal(r.samples, values)
    assert (r.unit, r.notes) == ('' if dtype.startswith('float') else 'counts', ())
    piece = read_raw_file(path, sample_rate_hz=1000, binary_format=form, channel=1, start_s=0.001, stop_s=0.003)
    np.testing.assert_array_equal(piece.samples, values[1:3, 1:])


def test_extremes_of_24_bits(tmp_path):
    (tmp_path / 'a.raw').write_bytes(b'\xff\xff\x7f\x00\x00\x80\xff\xff\xff')
    signed, unsigned = (
        read_raw_file(tmp_path / 'a.raw', sample_rate_hz=1, binary_format=BinaryFormat(d)).samples[:, 0].tolist()
        for d in ('int24', 'uint24')
    )
    assert signed == [2**23 - 1, -(2**23), -1]
    assert unsigned == [2**23 - 1, 2**23, 2**24 - 1]


def test_nothing_is_guessed(tmp_path):
    for suffix in ('.bin', '.raw', '.dat', '.pcm'):
        (tmp_path / f'a{suffix}').write_bytes(np.arange(300, dtype='i2').tobytes())
        refuse(tmp_path / f'a{suffix}', '`dtype`', '`num_channels`', '`byte_order`', '`offset_bytes`', sample_rate_hz=1)
    (tmp_path / 'a.dat').write_text('time,acc\n0.0,1.5\n0.1,1.6\n')
    refuse(tmp_path / 'a.dat', 'looks like a text table', '.csv', sample_rate_hz=1)
    refuse(tmp_path / 'a.bin', 'does not tell its sampling rate', binary_format=BinaryFormat('int16'))
    np.save(tmp_path / 'a.npy', VALUES)
    refuse(tmp_path / 'a.npy', '`dtype`', sample_rate_hz=1, binary_format=BinaryFormat('int16'))


def test_what_is_noticed(tmp_path):
    (tmp_path / 'a.bin').write_bytes(np.arange(10, dtype='<i2').tobytes() + b'x')
    r = read_raw_file(tmp_path / 'a.bin', sample_rate_hz=1, binary_format=BinaryFormat('int16', 3))
    assert (r.samples.shape, r.notes) == ((3, 3), ('its last 3 bytes are not a whole sample and were left out',))
    (tmp_path / 'b.bin').write_bytes(np.linspace(1, 2, 100).astype('>f8').tobytes())
    r = read_raw_file(tmp_path / 'b.bin', sample_rate_hz=1, binary_format=BinaryFormat('float64'))
    assert 'check `dtype`' in r.notes[0]
    (tmp_path / 'c.bin').write_bytes(np.array([0.0, np.nan, 1.0, np.inf], '<f4').tobytes())
    r = read_raw_file(tmp_path / 'c.bin', sample_rate_hz=1, binary_format=BinaryFormat('float32'))
    np.testing.assert_array_equal(r.samples[:, 0], [0, np.nan, 1, np.inf])


def test_no_sample_behind_the_offset(tmp_path):
    (tmp_path / 'a.bin').write_bytes(bytes(10))
    for form in (
        BinaryFormat('int16', offset_bytes=9),
        BinaryFormat('int16', offset_bytes=2**62),
        BinaryFormat('int64', 4096),
    ):
        refuse(tmp_path / 'a.bin', '`offset_bytes`', sample_rate_hz=1, binary_format=form)


@pytest.mark.parametrize(
    ('values', 'word'),
    [
        (('int12',), '`dtype`'),
        (('<i2',), '`dtype`'),
        (('int16', 0), '`num_channels`'),
        (('int16', 2.0), '`num_channels`'),
        (('int16', 10**9), '`num_channels`'),
        (('int16', 1, 'middle'), '`byte_order`'),
        (('int16', 1, 'big', -1), '`offset_bytes`'),
    ],
)
def test_impossible_formats(values, word):
    with pytest.raises(ConfigError, match=word):
        BinaryFormat(*values)


def test_a_day_is_never_in_memory(tmp_path):
    """A sparse file of 16 GB: 24 h of 4 channels at 25.6 kHz in 16 bits; a second of it from the middle."""
    path = tmp_path / 'day.pcm'
    form = BinaryFormat('int16', 4)
    with path.open('wb') as file:
        file.truncate(24 * 3600 * 25600 * 8)
        file.seek(12 * 3600 * 25600 * 8)
        file.write(np.arange(80, dtype='<i2').tobytes())
    length = raw_length(path, sample_rate_hz=25600, binary_format=form)
    assert (length.duration_s, length.num_channels, length.seekable) == (86400.0, 4, True)
    r = read_raw_file(path, sample_rate_hz=25600, binary_format=form, start_s=43200, stop_s=43201)
    assert r.samples.shape == (25600, 4)
    np.testing.assert_array_equal(r.samples[:20].ravel(), np.arange(80))
