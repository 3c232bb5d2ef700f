"""The recordings of Analog Devices: their table, the traps of their files, and records of real ones."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import pytest

from fdx.data.prepare import prepare
from fdx.data.protocols.splits import folds_of
from fdx.datasets.adi_cbm import adi_cbm_dataset_builder as adi
from fdx.datasets.adi_cbm import files as table
from fdx.datasets.adi_cbm.files import CLASSES, FILES, PUBLISHED, entries
from fdx.signal.front_ends import front_end_names, reads_orders
from fdx.types import DataError

WITHOUT_LOAD = [file.name for file in FILES if not file.load_lbs]
SHORT = dataclasses.replace(PUBLISHED, num_samples=200)


def touch(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def write(path, samples):
    """As the files are: no header, blanks at the ends, the means behind the first row."""
    rows = [f'{i / 20000:g};' + ' ;'.join(f'{v:.8f}' for v in row) + ' ' for i, row in enumerate(samples)]
    rows[0] += ';0.891 ;0.9085 ;0.8905'
    path.write_text('\r\n'.join(rows) + '\r\n')


def test_configs_are_one_axis_or_three_with_the_front_ends_that_take_them(tmp_path):
    names = [c.name for c in adi.Builder.BUILDER_CONFIGS]
    assert names == [f'{s}-{f}' for s, axes in (('all', 1), ('all_xyz', 3)) for f in front_end_names(axes)]
    assert {'all-vggish', 'all-band_mel', 'all-fault_orders', 'all_xyz-band_mel', 'all_xyz-triaxial_mel'} < set(names)
    for name in ('all-fault_orders', 'all-envelope_spectrum', 'all-vggish', 'all_xyz-band_mel'):
        spec = adi.Builder(config=name, data_dir=tmp_path).record_spec()
        assert (spec.common_rate_hz, spec.channels) == (20000.0, 3 if 'xyz' in name else 1)
        # Ten turns of the shaft at 600 rpm.
        assert not reads_orders(name.partition('-')[2]) or spec.windowing.window_length == 20000


def test_table():
    assert len({file.name for file in FILES}) == len(FILES) == 130
    assert CLASSES == ('normal', 'imbalance', 'misalignment', 'bent_shaft', 'inner_race', 'outer_race', 'ball')
    counts = collections.Counter(file.label for file in FILES if not file.load_lbs)
    assert list(counts.values()) == [5, 20, 5, 5, 10, 10, 10]


@pytest.mark.parametrize(
    'below', ['', 'adi_cbm', 'SampleMotorDataLimerick/SpectraQuest_Rig_Data_Voyager_3/Data_ADXL356C']
)
def test_files_with_load_are_taken_where_they_are_there(tmp_path, below):
    folder = touch(tmp_path / below, WITHOUT_LOAD)
    found = entries(tmp_path, 1)
    assert len(found) == 65 and {e.load for e in found} == {0.0} and {e.channel for e in found} == {'0'}
    touch(folder, [file.name for file in FILES])
    found = entries(tmp_path, 3)
    assert len(found) == 130 and {e.load for e in found} == {0.0, 11.0} and {e.channel for e in found} == {'0,1,2'}
    light = next(e for e in found if e.recording == 'adi_0600_LIR_GS_BaLo_WA_11lb')
    assert (light.label, light.bearing_id, light.domain) == ('inner_race', 'LIR_GS_BaLo_WA', '600rpm')


def test_missing_files_are_named(tmp_path, says):
    with pytest.raises(DataError) as e:
        entries(None, 1)
    assert says(str(e.value), '0600_GoB_GS_BaLo_WA_00lb.Wfm.csv ... 60 more ... github.com ... `manual_dir`')
    touch(tmp_path / 'adi_cbm', [*WITHOUT_LOAD[:-1], FILES[-2].name])
    with pytest.raises(DataError) as e:
        entries(tmp_path, 1)
    # One file with load, so that all must be there.
    assert says(str(e.value), f'{WITHOUT_LOAD[-1]} ... more ... {tmp_path} ... adi_cbm/')


def test_traps_of_the_format(tmp_path, says):
    samples = 0.9 + np.random.default_rng(0).normal(0, 0.01, (200, 3)).round(8)
    touch(tmp_path, WITHOUT_LOAD)
    write(tmp_path / WITHOUT_LOAD[0], samples)
    entry = entries(tmp_path, 3)[0]
    recording = SHORT.read(entry)
    np.testing.assert_allclose(recording.samples, samples, atol=1e-7)
    assert (recording.sample_rate_hz, recording.notes) == (20000.0, ())
    np.testing.assert_allclose(SHORT.read(entries(tmp_path, 1)[0]).samples, samples[:, :1], atol=1e-7)
    for wrong, words in ((samples[:150], '150 samples ... 200 samples'), (samples[:, :2], '')):
        write(tmp_path / WITHOUT_LOAD[0], wrong)
        with pytest.raises(DataError) as e:
            SHORT.read(entry)
        assert says(str(e.value), f'{WITHOUT_LOAD[0]} ... {words}' if words else WITHOUT_LOAD[0])


@pytest.mark.real_data
def test_records_of_the_slowest_speed(raw_data, tmp_path, monkeypatch):
    if not (raw_data / 'adi_cbm').is_dir():
        pytest.skip('adi_cbm is absent')
    chosen = ('GoB_GS_BaLo_WA', 'GoB_GS_VHIL_WA', 'LIR_GS_BaLo_WA', 'HIR_GS_BaLo_WA')
    slow = tuple(f for f in FILES if f.speed_rpm == 600 and f.condition in chosen)
    monkeypatch.setattr(table, 'FILES', slow)
    data = prepare('adi_cbm/all-fault_orders', tmp_path, manual_dir=raw_data)
    assert data.class_names() == data.class_names('fault_type') == list(CLASSES)
    # Files of 2 s in windows of 1 s every 0.1 s.
    assert np.bincount(data.table['label'], minlength=7).tolist() == [11, 11, 0, 0, 22, 0, 0]
    assert (set(data.table['domain']), set(data.table['load'])) == ({'600rpm'}, {0.0})
    assert set(data.table['bearing']) == set(chosen)
    assert data.metadata['loads_lbs'] == [0] and data.metadata['unit'] == 'V'
    np.testing.assert_allclose(data.read([0], 'geometry')[0], [33.48, 7.94, 8, 0], rtol=1e-6)


@pytest.mark.real_data
def test_all_three_axes_have_time_blocks(raw_data, tmp_path, monkeypatch):
    if not (raw_data / 'adi_cbm').is_dir():
        pytest.skip('adi_cbm is absent')
    chosen = [f for f in FILES if f.condition in ('GoB_GS_BaLo_WA', 'HOR_GS_BaLo_WA')]
    monkeypatch.setattr(table, 'FILES', tuple(f for f in chosen if f.speed_rpm in (1800, 2400) and not f.load_lbs))
    data = prepare('adi_cbm/all_xyz-band_mel', tmp_path, manual_dir=raw_data / 'adi_cbm')
    assert data.input_shape == (16, 64, 3) and data.table['rms'].shape == (len(data), 3)
    assert set(data.table['block']) == {0, 1, 2, 3, 4}
    assert folds_of('by_domain', data.table) == [0, 1]
    # The offset of 0.9 V is gone.
    assert data.table['rms'].max() < 0.5
