"""Parquet files as pyarrow writes them: columns, clock, metadata, pieces, damage."""

from __future__ import annotations

import datetime
import decimal
import json
import resource

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fdx.data.raw import parquet as raw_parquet
from fdx.data.raw.files import raw_length, read_raw_file
from fdx.data.raw.format import TextFormat
from fdx.types import DataError
from tests.data.raw_file_checks import refuse

N = 600
X = np.sin(np.arange(N) * 0.7)


def parquet(path, columns, metadata=None, units=None, **options):
    fields = []
    for name, values in columns.items():
        array = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values)
        unit = (units or {}).get(name)
        fields.append((pa.field(name, array.type, metadata={'unit': unit} if unit else None), array))
    schema = pa.schema([field for field, _ in fields], metadata=metadata)
    pq.write_table(pa.Table.from_arrays([array for _, array in fields], schema=schema), path, **options)
    return path


def test_time_column_channels_and_unit(tmp_path):
    path = parquet(tmp_path / 'a.parquet', {'time_ms': np.arange(N) / 2, 'acc x (g)': X, 'acc y (g)': 2 * X})
    r = read_raw_file(path)
    assert (r.sample_rate_hz, r.unit, r.channel_names) == (2000.0, 'g', ('acc x (g)', 'acc y (g)'))
    np.testing.assert_array_equal(r.samples, np.stack([X, 2 * X], 1).astype(np.float32))
    for options in ({'channel': 1}, {'channel': 'acc y (g)'}, {'columns': ['acc y (g)']}):
        np.testing.assert_array_equal(read_raw_file(path, **options).samples, r.samples[:, 1:])
    settled = TextFormat(time_column='time_ms', time_unit='s')
    assert read_raw_file(path, text_format=settled).sample_rate_hz == 2.0
    refuse(path, '`delimiter`', text_format=TextFormat(delimiter=';'))
    refuse(path, "no column 'z'", columns=['z'])


def test_the_same_as_the_text_file(tmp_path):
    """A gap, a counter, a repeated time: what text says of them."""
    times = np.arange(N) / 1000
    times[300:] += 0.5
    path = parquet(tmp_path / 'a.parquet', {'time': times, 'packet': np.arange(N), 'acc': X})
    (tmp_path / 'a.csv').write_text(
        'time,packet,acc\n' + ''.join(f'{t!r},{i},{x!r}\n' for i, (t, x) in enumerate(zip(times.tolist(), X.tolist())))
    )
    a, b = read_raw_file(path), read_raw_file(tmp_path / 'a.csv')
    assert (a.sample_rate_hz, a.time_breaks, a.channel_names) == (b.sample_rate_hz, b.time_breaks, b.channel_names)
    assert (a.time_breaks, a.channel_names) == ((300,), ('acc',))
    np.testing.assert_array_equal(a.samples, b.samples)
    piece = read_raw_file(path, start_s=0.25, stop_s=0.35)
    assert piece.time_breaks == (50,)
    np.testing.assert_array_equal(piece.samples, a.samples[250:350])


@pytest.mark.parametrize(
    ('metadata', 'rate_hz'),
    [
        ({'sample_rate': '25600'}, 25600.0),
        ({'Fs_kHz': '51.2'}, 51200.0),
        ({'dt': '0.0001'}, 10000.0),
        ({'PANDAS_ATTRS': json.dumps({'fs': 12000, 'rpm': 1797})}, 12000.0),
    ],
)
def test_rate_of_the_metadata(tmp_path, metadata, rate_hz):
    path = parquet(tmp_path / 'a.parquet', {'acc': X}, metadata, {'acc': 'm/s2'})
    r = read_raw_file(path)
    assert (r.sample_rate_hz, r.unit) == (rate_hz, 'm/s2')
    assert r.speed_rpm == 1797.0 or 'PANDAS_ATTRS' not in metadata


def test_no_rate_and_two_that_differ(tmp_path):
    refuse(parquet(tmp_path / 'a.parquet', {'acc': X}), 'does not tell its sampling rate')
    path = parquet(tmp_path / 'b.parquet', {'time': np.arange(N) / 1000, 'acc': X}, {'fs': '2000'})
    r = read_raw_file(path)
    assert r.sample_rate_hz == 2000.0
    assert r.notes == ('its fs says 2000 Hz, its column time 1000 Hz',)


@pytest.mark.parametrize('unit', ['ms', 'us', 'ns'])
def test_timestamps_are_a_clock(tmp_path, unit):
    ticks = {'ms': 1, 'us': 1000, 'ns': 10**6}[unit]
    start = int(datetime.datetime(2026, 11, 28).timestamp()) * 1000 * ticks
    for kind, first in ((pa.timestamp(unit), start), (pa.timestamp(unit, 'UTC'), start), (pa.duration(unit), 0)):
        when = pa.array(first + np.arange(N) * ticks, pa.int64()).cast(kind)
        path = parquet(tmp_path / 'a.parquet', {'when': when, 'acc': X})
        r = read_raw_file(path)
        assert (r.sample_rate_hz, r.channel_names) == (1000.0, ('acc',))


def test_types_of_numbers_nulls_and_other_columns(tmp_path):
    nulls = pa.array([None if i == 5 else float(v) for i, v in enumerate(X)])
    r = read_raw_file(parquet(tmp_path / 'a.parquet', {'x': nulls, 'y': X, 'label': ['a'] * N}), sample_rate_hz=1)
    assert np.flatnonzero(np.isnan(r.samples)).tolist() == [10]
    assert r.notes == ('columns without numbers were left out: label (string)',)
    money = pa.array([decimal.Decimal(i % 7) for i in range(N)])
    counts = (np.arange(N) % 7).astype('i2')
    for values in (money, counts, counts.astype('f4'), pa.array(counts).dictionary_encode(), counts.astype('u8')):
        r = read_raw_file(parquet(tmp_path / 'b.parquet', {'x': values}), sample_rate_hz=1)
        np.testing.assert_array_equal(r.samples[:, 0], counts)
    refuse(
        parquet(tmp_path / 'c.parquet', {'x': [[1.0, 2.0]]}), 'no column of numbers', 'x (list', 'one row per sample'
    )
    refuse(parquet(tmp_path / 'd.parquet', {'x': pa.array([], pa.float64())}), 'has no rows')


def test_large_tables_are_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_parquet, 'SMALL_CELLS', 1000)
    monkeypatch.setattr(raw_parquet, 'HEAD_ROWS', 100)
    columns = {'time': np.arange(N) / 1000, 'x': X, 'y': -X}
    path = parquet(tmp_path / 'a.parquet', columns, row_group_size=70)
    length = raw_length(path)
    assert (length.num_samples, length.sample_rate_hz, length.seekable) == (N, 1000.0, True)
    r = read_raw_file(path)
    np.testing.assert_array_equal(r.samples, np.stack([X, -X], 1).astype(np.float32))
    assert 'behind row 100' in r.notes[0]
    for start, stop in ((0, 70), (69, 71), (70, 140), (333, 600), (599, 600)):
        piece = read_raw_file(path, start_s=start / 1000, stop_s=stop / 1000, channel='y')
        np.testing.assert_array_equal(piece.samples[:, 0], -X[start:stop].astype(np.float32))
    refuse(path, '`stop_s` is 0.601', '600 samples', stop_s=0.601)


def test_a_few_bytes_that_mean_gigabytes(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_parquet, 'FREE_BYTES', 2**20)
    path = tmp_path / 'a.parquet'
    silence = pa.table({'x': np.zeros(2**20, np.float32)})
    with pq.ParquetWriter(path, silence.schema) as writer:
        for _ in range(24):
            writer.write_table(silence)
    assert path.stat().st_size < 2**20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refuse(path, 'unpacks to', 'read it in pieces', sample_rate_hz=1000)
    assert read_raw_file(path, sample_rate_hz=1000, start_s=20_000, stop_s=20_001).samples.shape == (1000, 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_damage(tmp_path):
    good = parquet(tmp_path / 'a.parquet', {'x': X, 'y': X}).read_bytes()
    path = tmp_path / 'b.parquet'
    for content in (good[:4], good[:100], good[:-1], good[len(good) // 2 :], b'PAR1' * 9, b'garbage' * 99, bytes(4000)):
        path.write_bytes(content)
        refuse(path, 'cannot read', sample_rate_hz=1)
    rng = np.random.default_rng(0)
    for _ in range(300):
        content = bytearray(good)
        content[rng.integers(len(good))] = rng.integers(256)
        path.write_bytes(content)
        try:
            assert read_raw_file(path, sample_rate_hz=1).samples.size <= 2 * N
        except DataError as e:
            assert len(str(e).splitlines()) == 1


def test_strange_names(tmp_path):
    path = parquet(tmp_path / 'a.parquet', {'a.b': X, 'ü\n': X, '': X})
    assert read_raw_file(path, sample_rate_hz=1, channel='a.b').samples.shape == (N, 1)
    twice = pa.Table.from_arrays([pa.array(X), pa.array(X)], names=['x\u2028', 'x\u2028'])
    pq.write_table(twice, tmp_path / 'b.parquet')
    refuse(tmp_path / 'b.parquet', 'several columns', sample_rate_hz=1)
