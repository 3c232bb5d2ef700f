"""Datasets of a user's own recordings: many files, groups, mixed formats, several channels, versions, processes."""

from __future__ import annotations

import logging
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import fdx
from fdx.data.collection import reading
from fdx.data.collection.entry import Shared
from fdx.data.collection.own import OwnRecordings
from fdx.data.collection.spec import CollectionSpec
from fdx.types import ConfigError, DataError

FIELDS = ('spectrogram', 'waveform', 'waveform_scale', 'fingerprint', 'recording', 'window_start', 'block', 'rms')


def write_wavs(folder, per_class=3, seconds=1.0, rate_hz=12000):
    """Noise per class and file; as small as a window allows."""
    for c, label in enumerate(('normal', 'outer_race')):
        for i in range(per_class):
            rng = np.random.default_rng(10 * c + i)
            x = 0.1 * rng.standard_normal(round(seconds * rate_hz))
            (folder / label).mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / label / f'{i:03d}.wav', x, rate_hz, 'PCM_16')
    return folder


def told(caplog):
    return [r.getMessage() for r in caplog.records if r.name.startswith('fdx') and r.levelno == logging.WARNING]


def same_records(a, b):
    assert len(a) == len(b)
    for row in range(len(a)):
        first, second = a.record(row, FIELDS), b.record(row, FIELDS)
        for name in FIELDS:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_short_files_are_one_warning_and_all_train(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        data = fdx.prepare('recordings/mine', tmp_path / 'data', recordings=write_wavs(tmp_path / 'in', 4))
    assert told(caplog) == [
        '8 of 8 recordings, e.g. normal/000.wav lasts 1.00 s: too short for blocks, block -1',
    ]
    assert data.table['recording'].tolist() == [f'{c}/{i:03d}.wav' for c in ('normal', 'outer_race') for i in range(4)]
    assert set(data.table['block']) == {-1}


def test_processes_give_the_same_dataset(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(reading, 'TASK_VALUES', 30_000)
    source = write_wavs(tmp_path / 'in', 6)
    with caplog.at_level(logging.WARNING):
        one = fdx.prepare('recordings/mine', tmp_path / 'one', recordings=source, workers=1)
        said = told(caplog)
        caplog.clear()
        two = fdx.prepare('recordings/mine', tmp_path / 'two', recordings=source, workers=2)
    assert told(caplog) == said and len(said) == 1
    same_records(one, two)
    infos = [
        pathlib.Path(tmp_path, n, 'recordings/mine-vggish/1.0.0/metadata.json').read_text() for n in ('one', 'two')
    ]
    assert infos[0] == infos[1]


def test_an_error_in_a_process_is_the_users_error_and_leaves_nothing(tmp_path):
    source = write_wavs(tmp_path / 'in', 2)
    soundfile.write(source / 'normal' / '001.wav', np.zeros(12000), 12000, 'PCM_16')
    with pytest.raises(DataError, match=r'001\.wav: channel 0 is constant'):
        fdx.prepare('recordings/mine', tmp_path / 'data', recordings=source, workers=1)
    with pytest.raises(DataError, match=r'001\.wav: channel 0 is constant'):
        fdx.prepare('recordings/mine', tmp_path / 'data', recordings=source, workers=2)
    assert not list((tmp_path / 'data').rglob('*.array_record*'))
    assert not list((tmp_path / 'data').rglob('1.0.*'))


def test_workers_must_make_sense(tmp_path):
    source = write_wavs(tmp_path / 'in', 1)
    with pytest.raises(ConfigError, match='`workers`=0: .*1 or more'):
        fdx.prepare('recordings/mine', tmp_path / 'data', recordings=source, workers=0)
    with pytest.raises(ConfigError, match='`workers` goes with `recordings`'):
        fdx.prepare('bearing_rig/small', tmp_path / 'data', workers=2)


def test_mixed_rates_and_formats_come_to_the_lowest_rate(tmp_path):
    source = write_wavs(tmp_path / 'in', 1, seconds=6.0)
    x = np.random.default_rng(3).standard_normal(6 * 20000)
    soundfile.write(source / 'normal' / 'b.flac', 0.1 * x, 20000)
    np.savetxt(source / 'outer_race' / 'c.csv', np.stack([np.arange(len(x)) / 20000, x], 1), '%.6g', ',', header='t,a')
    data = fdx.prepare('recordings/mixed', tmp_path / 'data', recordings=source)
    assert set(data.table['sample_rate_hz']) == {12000.0}
    counts = {str(r): int((data.table['recording'] == r).sum()) for r in set(data.table['recording'])}
    assert set(counts) == {'normal/000.wav', 'normal/b.flac', 'outer_race/000.wav', 'outer_race/c.csv'}
    assert len(set(counts.values())) == 1  # as many windows, since all last 6 s
    assert set(data.table['block']) == {0, 1, 2, 3, 4}


def test_snippets_of_a_group_are_one_recording_and_no_window_spans_two(raw_data, tmp_path):
    rows = ['file,label,group']
    for bearing in ('Bearing1_1', 'Bearing2_1'):
        files = sorted((raw_data / 'femto' / 'Learning_set' / bearing).glob('acc_*.csv'))[:9]
        thirds = zip(('healthy', 'worn', 'failing'), (files[:3], files[3:6], files[6:]))
        rows += [f'{f},{label},{bearing}_{label}' for label, part in thirds for f in part]
    (tmp_path / 'm.csv').write_text('\n'.join(rows) + '\n')
    spec = CollectionSpec(str(tmp_path / 'm.csv'), shared=Shared(sample_rate_hz=25600.0, channel='0'))
    own = OwnRecordings(spec, window_s=0.05, hop_s=0.01)
    data = fdx.prepare('recordings/femto-waveform', tmp_path / 'data', recordings=own)
    assert len(set(data.table['recording'])) == 6
    starts, length = data.table['window_start'], 1280
    assert np.all(starts // 2560 == (starts + length - 1) // 2560)
    assert len(starts) == 18 * 6 and data.metadata['left_out_windows'] == {}
    whole = fdx.prepare('recordings/femto-waveform', tmp_path / 'data', recordings=OwnRecordings(spec, 0.1, 0.02))
    assert sorted(whole.table['window_start']) == sorted([0, 2560, 5120] * 6)
    assert set(whole.table['block']) == {-1}  # three files have no five blocks, and each is too short for its own


def test_nine_files_of_a_group_are_dealt_to_five_blocks_in_their_order(tmp_path):
    rows = ['file,label,group,fs']
    for k, label in enumerate(('good', 'worn')):
        for i in range(9):
            samples = np.random.default_rng([k, i]).standard_normal(1100).astype(np.float32)
            np.save(tmp_path / f'{label}{i}.npy', samples)
            rows.append(f'{label}{i}.npy,{label},{label},10000')
    (tmp_path / 'm.csv').write_text('\n'.join(rows) + '\n')
    data = fdx.prepare('recordings/lives-waveform', tmp_path / 'data', recordings=tmp_path / 'm.csv')
    files = data.table['window_start'] // 1100
    assert sorted(files[data.table['recording'] == 'good']) == list(range(9))
    np.testing.assert_array_equal(data.table['block'], files * 5 // 9)


def test_several_channels_of_real_files(raw_data, tmp_path, caplog):
    for label, pattern in (('normal', '*_GoB_GS_BaLo_WA_*'), ('imbalance', '*_GoB_GS_HImL_WA_*')):
        (tmp_path / 'in' / label).mkdir(parents=True)
        for file in sorted((raw_data / 'adi_cbm').glob(pattern))[:2]:
            shutil.copyfile(file, tmp_path / 'in' / label / file.name)
    spec = CollectionSpec(str(tmp_path / 'in'), shared=Shared(sample_rate_hz=20000.0, channel='0,1,2'))
    with caplog.at_level(logging.WARNING):
        data = fdx.prepare('recordings/adi', tmp_path / 'data', recordings=OwnRecordings(spec))
    assert data.name.startswith('recordings/adi-triaxial_mel:')
    assert data.table['rms'].shape == (len(data), 3)
    texts = told(caplog)
    assert len(texts) <= 3 and all(' of 4 recordings, e.g. ' in text for text in texts)


def test_a_changed_file_is_a_new_version_and_the_old_content_the_old_one(tmp_path):
    source, file = write_wavs(tmp_path / 'in', 1), tmp_path / 'in' / 'normal' / '000.wav'
    prepared = [fdx.prepare('recordings/mine', tmp_path / 'data', recordings=source)]
    before = file.read_bytes()
    file.write_bytes(before[:-2] + b'\x01\x02')
    prepared.append(fdx.prepare('recordings/mine', tmp_path / 'data', recordings=source))
    file.write_bytes(before)
    notes = []
    again = fdx.prepare('recordings/mine', tmp_path / 'data', recordings=source, notify=notes.append)
    assert [d.name.rpartition(':')[2] for d in (*prepared, again)] == ['1.0.0', '1.0.1', '1.0.0']
    assert notes == []  # nothing was done
    same_records(prepared[0], again)


SCRIPT = """
import sys, fdx
data = fdx.prepare('recordings/mine', sys.argv[2], recordings=sys.argv[1], workers=2)
print(data.name, len(data))
"""


def test_two_programs_at_once_and_scripts_without_a_main_guard(tmp_path):
    source = write_wavs(tmp_path / 'in', 2)
    (tmp_path / 'script.py').write_text(SCRIPT)
    environment = {**os.environ, 'PYTHONPATH': str(pathlib.Path(fdx.__file__).parents[1])}
    command = [sys.executable, str(tmp_path / 'script.py'), str(source), str(tmp_path / 'data')]
    programs = [subprocess.Popen(command, env=environment, stdout=-1, stderr=-1, text=True) for _ in range(2)]
    results = [(*p.communicate(), p.returncode) for p in programs]
    assert [(out, code) for out, _, code in results] == [('recordings/mine-vggish:1.0.0 4\n', 0)] * 2, results
