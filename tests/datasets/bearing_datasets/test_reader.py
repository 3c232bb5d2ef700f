"""One recording of a built dataset: its samples, rate, unit and channels, and damage of every kind."""

from __future__ import annotations

import importlib.util
import pathlib

import numpy as np
import pyarrow.parquet as pq
import pytest

from fdx.data.raw.files import raw_length, read_raw_file
from fdx.types import DataError

from .conftest import with_values, without_column

GOLDEN = pathlib.Path(__file__).parents[2] / 'golden'


@pytest.fixture(scope='module')
def simulated(tmp_path_factory):
    """The arrays that the package was given: they are simulated anew."""
    spec = importlib.util.spec_from_file_location('make_built', GOLDEN / 'make_bearing_datasets.py')
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    folder = tmp_path_factory.mktemp('simulated') / 'files'
    made.write_files(folder)
    return {path.stem: dict(np.load(path)) for path in folder.glob('*.npz')}


def read(folder, recording, **options):
    return read_raw_file(folder / 'metadata.parquet', variable=recording, **options)


def test_samples_are_those_that_the_package_was_given(golden, simulated):
    assert len(simulated) == 6
    for name, arrays in simulated.items():
        found = read(golden, name)
        np.testing.assert_array_equal(found.samples, np.stack([arrays['DE'], arrays['FE']], axis=1))
        assert (found.sample_rate_hz, found.unit, found.channel_names) == (4000.0, 'g', ('DE', 'FE'))
        assert found.speed_rpm == float(arrays['speed_rpm']) and found.load == float(arrays['load'])
        assert found.notes == ()


def test_channels_by_name_number_and_signal_id(golden, simulated):
    current = read(golden, 'inner_1', channel='current')
    np.testing.assert_array_equal(current.samples[:, 0], simulated['inner_1']['current'].astype(np.float32))
    assert (current.sample_rate_hz, current.unit) == (500.0, 'A')
    both = read(golden, 'inner_1', channel='FE,DE').samples
    np.testing.assert_array_equal(both[:, ::-1], read(golden, 'inner_1').samples)
    for channel in (1, 'FE', 'inner_1/FE'):
        np.testing.assert_array_equal(read(golden, 'inner_1', channel=channel).samples, both[:, :1])


def test_a_piece_and_the_length_without_reading(golden, monkeypatch):
    whole = read(golden, 'outer_2').samples
    np.testing.assert_array_equal(read(golden, 'outer_2', start_s=0.5, stop_s=0.75).samples, whole[2000:3000])
    monkeypatch.setattr('fdx.data.raw.built._few_samples', None)
    length = raw_length(golden / 'metadata.parquet', variable='outer_2')
    assert (length.num_samples, length.sample_rate_hz, length.num_channels) == (8000, 4000.0, 2)
    assert length.channel_names == ('DE', 'FE') and not length.seekable


def test_which_recording_must_be_said(golden):
    with pytest.raises(DataError, match=r'has several recordings; pass `variable` with one of its 6, e\.g\. inner_1'):
        read(golden, None)
    with pytest.raises(DataError, match=r"no recording 'inner_3'.*inner_[12]"):
        read(golden, 'inner_3')


def test_other_files_beside_take_no_variable(golden):
    with pytest.raises(DataError, match='`variable` inner_1 chooses in'):
        read_raw_file(golden / 'signals' / 'part-float32.parquet', variable='inner_1')


def test_channels_that_do_not_fit_together(golden, changed):
    with pytest.raises(DataError, match=r'recording inner_1 has channels of different sampling rates \(DE: 4000 Hz, '):
        read(golden, 'inner_1', channel='DE,current')
    mixed = changed(with_values('inner_2', 'FE', fs=8000.0))
    with pytest.raises(DataError, match=r'inner_2 .*different sampling rates \(DE: 4000 Hz, FE: 8000 Hz\).*`channel`'):
        read(mixed, 'inner_2')
    assert read(mixed, 'inner_2', channel='FE').sample_rate_hz == 8000.0
    with pytest.raises(DataError, match="normal_1 has no channel 'current'; .*DE, FE"):
        read(golden, 'normal_1', channel='current')


def test_units_that_differ_are_a_note_and_unknown_ones_are_no_unit(changed):
    folder = changed(with_values('inner_1', 'FE', unit='m/s^2'))
    found = read(folder, 'inner_1')
    assert found.unit == '' and found.notes == ('its channels have different units: DE: g, FE: m/s^2',)
    assert read(changed(with_values(unit='unknown'), 'other'), 'inner_1').unit == ''


def test_without_quantities_every_channel_is_read(changed):
    folder = changed(without_column('quantity'))
    assert read(folder, 'normal_1').samples.shape == (8000, 2)
    with pytest.raises(DataError, match='different sampling rates'):
        read(folder, 'inner_1')


def test_a_recording_without_accelerations(changed):
    folder = changed(lambda rows: [r for r in rows if r['recording_id'] != 'inner_1' or r['channel'] == 'current'])
    with pytest.raises(DataError, match='inner_1: none of its channels is an acceleration; choose with `channel`'):
        read(folder, 'inner_1')
    assert read(folder, 'inner_1', channel='current').sample_rate_hz == 500.0


@pytest.mark.parametrize(
    ('edit', 'text'),
    [
        (without_column('fs'), 'has no column fs; build the dataset again: bearing-datasets build NAME --force'),
        (without_column('signal_row'), 'has no column signal_row'),
        (lambda rows: [], 'has no rows: the dataset holds no signals'),
        (lambda rows: [*rows, rows[0]], 'names the signal inner_1/DE 2 times'),
        (with_values('inner_1', 'DE', fs=None), 'inner_1/DE has fs None and n_samples 8000'),
        (with_values('inner_1', 'DE', fs=0.0), 'inner_1/DE has fs 0.0'),
        (with_values('inner_1', 'DE', n_samples=8001), 'different lengths'),
        (with_values('inner_1', n_samples=8001), 'inner_1/DE has 8000 samples where 8001 are announced'),
        (with_values('inner_1', n_samples=0), 'channel DE, FE holds no samples'),
        (with_values('inner_1', 'DE', signal_row=99), 'no signal lies where metadata.parquet has inner_1/DE'),
        (with_values('inner_1', 'DE', signal_row=2), 'inner_2/DE lies where metadata.parquet has inner_1/DE'),
        (with_values('inner_1', 'DE', signal_row_group=9), 'cannot read .*part-float32.parquet'),
        (with_values('inner_1', 'DE', signal_file='part-x.parquet'), 'part-x.parquet does not exist'),
        (with_values('inner_1', 'DE', signal_file='../metadata.parquet'), 'no name of a file'),
        (with_values('inner_1', 'DE', signal_file=None), 'None does not exist'),
    ],
)
def test_damaged_tables(changed, edit, text):
    with pytest.raises(DataError, match=text):
        read(changed(edit), 'inner_1')


@pytest.mark.parametrize('file', ['metadata.parquet', 'signals/part-float32.parquet'])
def test_cut_off_files(changed, file):
    folder = changed()
    whole = (folder / file).read_bytes()
    for content in (whole[: len(whole) // 2], whole[:4] + b'\0' * 200 + whole[204:], b'PAR1', b''):
        (folder / file).write_bytes(content)
        with pytest.raises(DataError, match=r'(cannot read|is empty|lies where|announced).*(again|--force)'):
            read(folder, 'inner_1')


def test_signals_that_are_no_lists_of_numbers(changed, golden):
    folder = changed()
    part = folder / 'signals' / 'part-float32.parquet'
    table = pq.read_table(part)
    pq.write_table(table.set_column(1, 'signal', table.column('signal_id')), part)
    with pytest.raises(DataError, match='part-float32.parquet'):
        read(folder, 'inner_1')


def test_a_table_that_changes_is_read_again(changed):
    folder = changed()
    assert read(folder, 'inner_1').speed_rpm == 1500.0
    table = pq.read_table(folder / 'metadata.parquet').to_pylist()
    pq.write_table(type(pq.read_table(folder / 'metadata.parquet')).from_pylist(with_values(speed_rpm=-900.0)(table)),
                   folder / 'metadata.parquet')  # fmt: skip
    assert read(folder, 'inner_1').speed_rpm == 900.0
