"""PRONOSTIA's lives: thirds by the number of the file, both separators, and windows that stay in their file."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import pytest

from fdx.data.prepare import prepare
from fdx.data.protocols.splits import folds_of, split_rows
from fdx.datasets.femto import femto_dataset_builder as femto
from fdx.datasets.femto.files import CLASSES, LAST_FILE, PUBLISHED, entries, third_of
from fdx.signal.front_ends import create_front_end
from fdx.types import DataError


def signal(bearing, number):
    return np.random.default_rng([LAST_FILE[bearing], number]).normal(size=(2560, 2)).round(3)


def write(folder, numbers, delimiter=',', rows=2560):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        x = signal(folder.name, number)[:rows]
        times = [[9, 39, 39, f'{39.0664 * i:.4e}' if delimiter == ';' else round(39.0664 * i)] for i in range(rows)]
        lines = [delimiter.join(map(str, [*t, *row])) for t, row in zip(times, x)]
        (folder / f'acc_{number:05d}.csv').write_text('\n'.join(lines) + '\n')
    (folder / 'temp_00001.csv').write_text('9,39,39,1,70.0\n')


def test_configs_have_front_ends_that_fit_into_a_file(tmp_path):
    names = [c.name for c in femto.Builder.BUILDER_CONFIGS]
    assert {'lives-waveform', 'lives-snippet_mel', 'lives_xy-snippet_mel_train'} < set(names)
    assert not any('vggish' in n or 'orders' in n for n in names)
    for name in names:
        spec = femto.Builder(config=name, data_dir=tmp_path).record_spec()
        patch = create_front_end(name.partition('-')[2], 25600.0).patch_samples(25600.0)
        assert spec.windowing.window_length == patch <= 2560
        assert femto.Builder(config=name, data_dir=tmp_path).class_names() == CLASSES


def test_thirds_of_a_life_do_not_depend_on_which_files_are_there(tmp_path):
    assert [third_of('Bearing2_7', n) for n in (1, 77, 78, 154, 155, 230)] == [0, 0, 1, 1, 2, 2]
    assert all(third_of(b, last) == 2 and third_of(b, 1) == 0 for b, last in LAST_FILE.items())
    write(tmp_path / 'femto' / 'Full_Test_Set' / 'Bearing2_7', (1, 80, 230))
    found = entries(tmp_path, 1)
    assert [(e.recording, len(e.files)) for e in found] == [(f'bearing2_7_{c}', 1) for c in CLASSES]
    assert {(e.bearing_id, e.domain, e.load) for e in found} == {('Bearing2_7', 'Bearing2_7_1650rpm_4200N', 4200.0)}
    assert [e.files for e in entries(tmp_path / 'femto' / 'Full_Test_Set', 1)] == [e.files for e in found]


def test_lives_that_cannot_be_used(tmp_path, says):
    with pytest.raises(DataError) as e:
        entries(tmp_path, 1)
    assert says(str(e.value), 'Bearing1_1 ... github.com ... `manual_dir`')
    write(tmp_path / 'Bearing2_7', (1, 80))
    with pytest.raises(DataError) as e:
        entries(tmp_path, 1)
    assert says(str(e.value), 'Bearing2_7 ... last_third')
    write(tmp_path / 'Bearing2_7', (231,))
    with pytest.raises(DataError) as e:
        entries(tmp_path, 1)
    assert says(str(e.value), 'acc_00231.csv ... 230')


@pytest.mark.parametrize('delimiter', [',', ';'])
def test_both_separators_and_a_file_cut_short(tmp_path, delimiter, says):
    write(tmp_path / 'Bearing2_7', (1, 80, 230), delimiter)
    entry = entries(tmp_path, 2)[1]
    recording = PUBLISHED.read(entry)
    np.testing.assert_allclose(recording.samples, signal('Bearing2_7', 80), rtol=1e-6)
    assert (recording.sample_rate_hz, recording.speed_rpm, recording.notes) == (25600.0, 1650.0, ())
    assert PUBLISHED.read(dataclasses.replace(entry, channel='0')).samples.shape == (2560, 1)
    write(tmp_path / 'Bearing2_7', (80,), delimiter, rows=2000)
    with pytest.raises(DataError) as e:
        PUBLISHED.read(entry)
    assert says(str(e.value), 'acc_00080.csv ... 2000 samples ... 2560 samples')


def test_windows_stay_in_their_file_and_another_bearing_can_be_left_out(tmp_path):
    for bearing, delimiter in (('Bearing2_7', ','), ('Bearing3_3', ';'), ('Bearing2_6', ',')):
        last = LAST_FILE[bearing]
        parts = [range(first, first + 5) for first in (1, last // 2, last - 4)]
        write(tmp_path / 'in' / bearing, [n for part in parts for n in part], delimiter)
    data = prepare('femto/lives-waveform', tmp_path / 'data', manual_dir=tmp_path / 'in')
    table = data.table
    assert data.class_names() == list(CLASSES) and collections.Counter(table['label'].tolist()) == {0: 45, 1: 45, 2: 45}
    starts = table['window_start']
    assert np.all(starts // 2560 == (starts + 1023) // 2560)
    # Three windows in each of five files, of which every block has one.
    np.testing.assert_array_equal(table['block'], starts // 2560)
    assert data.metadata['files'] == {f'bearing{b}_{c}': 5 for b in ('2_6', '2_7', '3_3') for c in CLASSES}
    assert folds_of('by_domain', table) == [0, 1, 2]
    both = prepare('femto/lives_xy-snippet_mel', tmp_path / 'data', manual_dir=tmp_path / 'in')
    assert both.input_shape == (16, 64, 2) and set(both.table['window_start']) == {2560 * i for i in range(5)}
    splits = split_rows(table, 'by_domain')
    assert len(set(table['bearing'][splits.test])) == 1 and splits.leak.shared == 0


@pytest.mark.real_data
def test_real_lives(raw_data):
    if not (raw_data / 'femto').is_dir():
        pytest.skip('femto is absent')
    found = entries(raw_data, 2)
    assert {e.bearing_id for e in found} >= {'Bearing1_1', 'Bearing1_4', 'Bearing2_1', 'Bearing3_1'}
    levels = {}
    for entry in found:
        # The last files of each third.
        recording = PUBLISHED.read(dataclasses.replace(entry, files=entry.files[-2:]))
        assert recording.samples.shape == (5120, 2) and recording.time_breaks == (2560,)
        levels[entry.recording] = recording.samples.std()
    # The end of every life is louder than its first third.
    assert all(
        levels[f'{b.lower()}_last_third'] > levels[f'{b.lower()}_first_third'] for b in ('Bearing1_1', 'Bearing2_1')
    )
