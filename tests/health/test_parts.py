"""Files that hold several recordings: signals, channels and stretches of time, each with a row of its own."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import sqlite3

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.io.wavfile

import fdx
from fdx.data.collection.entry import Entry, Shared
from fdx.health.history import HISTORY, History
from fdx.health.history_rows import Content, Finding, name_of, short_name
from fdx.health.known import Known
from fdx.health.monitor import Monitor
from fdx.health.parts import PartReader, cut, part_of
from fdx.health.states import ALARM, NORMAL, UNUSABLE, WATCH
from fdx.health.watch import watch
from fdx.predict.watch_settings import Settings
from fdx.types import ConfigError, DataError

STATES = [NORMAL, NORMAL, WATCH, ALARM]


@pytest.fixture
def own(pump, tmp_path) -> pathlib.Path:
    """A copy of the workdir."""
    shutil.copytree(pump, tmp_path / 'pump')
    return tmp_path / 'pump'


@pytest.fixture(scope='module')
def seconds(machine) -> list[np.ndarray]:
    """Two healthy seconds and two with impacts."""
    return [machine.samples(s, impacts=i) / 16 for s, i in ((100, 0.0), (101, 0.0), (200, 6.0), (201, 6.0))]


def write(folder: pathlib.Path, kind: str, seconds: list[np.ndarray]) -> pathlib.Path:
    """A file that holds the seconds one after the other, beside each other, or under names of their own."""
    file = folder / f'day{kind}'
    if kind == '.wav':
        scipy.io.wavfile.write(file, 8000, np.concatenate(seconds))
    elif kind == '.csv':
        np.savetxt(file, np.concatenate(seconds), header='acc', comments='', fmt='%.9g')
    elif kind == '.npy':
        np.save(file, np.stack(seconds, axis=1))
    elif kind == '.mat':
        scipy.io.savemat(file, {f'run{i}': x for i, x in enumerate(seconds)})
    else:
        with h5py.File(file, 'w') as opened:
            for i, x in enumerate(seconds):
                opened[f'run{i}/acc'] = x
    return file


def test_what_tells_a_part_from_others():
    entry = Entry('x', (pathlib.Path('x.h5'),), channel='x')
    shared = Shared(channel='x', variable='acc')
    assert part_of(entry, shared) == ''
    assert part_of(dataclasses.replace(entry, variable='run/acc', channel='y'), shared) == 'run/acc#y'
    assert part_of(dataclasses.replace(entry, start_s=86400.5, stop_s=86401.25), shared) == '@86400.5-86401.25s'
    assert part_of(dataclasses.replace(entry, start_s=60), shared) == '@60-s'
    row = {'file': '/data/new.h5', 'part': 'run/acc'}
    assert (name_of(row), short_name(row)) == ('/data/new.h5:run/acc', 'new.h5:run/acc')
    assert name_of({**row, 'part': ''}) == '/data/new.h5'


@pytest.mark.parametrize(('cut_s', 'lengths'), [(1.0, [1, 1, 1, 1]), (1.7, [1.7, 2.3]), (2.7, [4]), (9.0, [4])])
def test_a_file_is_cut_into_stretches_and_none_is_a_rest(tmp_path, seconds, cut_s, lengths):
    entry = Entry('x', (write(tmp_path, '.wav', seconds),))
    found = [(e.start_s, e.stop_s) for e in cut(entry, Shared(), cut_s)]
    ends = np.cumsum([0, *lengths])
    expected = [(0.0, None)] if len(lengths) == 1 else list(zip(ends, ends[1:]))
    assert found == [pytest.approx(pair) for pair in expected]


@pytest.mark.parametrize('kind', ['.wav', '.csv'])
def test_a_stretch_is_read_alike_from_files_that_can_be_read_in_pieces_and_from_others(tmp_path, seconds, kind):
    file = write(tmp_path, kind, seconds)
    shared = Shared(sample_rate_hz=8000)
    entry = Entry('x', (file,), sample_rate_hz=8000, start_s=1.0, stop_s=2.5)
    reader = PartReader(shared)
    found = reader.read(entry)
    np.testing.assert_allclose(found.samples[:, 0], np.concatenate(seconds)[8000:20000], rtol=1e-6)
    assert (reader._whole is None) == (kind == '.wav')
    # Another content of the same file is read anew.
    write(tmp_path, kind, seconds[::-1])
    np.testing.assert_allclose(reader.read(entry).samples[:8000, 0], seconds[2], rtol=1e-6)
    with pytest.raises(DataError, match='`stop_s`'):
        reader.read(dataclasses.replace(entry, stop_s=99.0))


@pytest.mark.parametrize(
    ('kind', 'column', 'cells', 'parts'),
    [
        ('.h5', 'variable', [f'run{i}/acc' for i in range(4)], ['run{}/acc']),
        ('.mat', 'variable', [f'run{i}' for i in range(4)], ['run{}']),
        ('.npy', 'channel', ['0', '1', '2', '3'], ['#{}']),
        ('.wav', 'start_s,stop_s', [f'{i},{i + 1}' for i in range(4)], ['@{}-{}s']),
    ],
)
def test_a_manifest_names_parts_of_a_file(own, tmp_path, seconds, kind, column, cells, parts):
    file = write(tmp_path, kind, seconds)
    lines = [f'file,sample_rate_hz,{column}', *(f'{file.name},8000,{cell}' for cell in cells)]
    (tmp_path / 'm.csv').write_text('\n'.join(lines))
    rows = fdx.monitor(own, manifest=tmp_path / 'm.csv')
    assert [row['state'] for row in rows] == STATES and {row['file'] for row in rows} == {str(file)}
    assert [row['part'] for row in rows] == [parts[0].format(i, i + 1) for i in range(4)]
    again = fdx.monitor(own, manifest=tmp_path / 'm.csv')
    assert [row['id'] for row in again] == [row['id'] for row in rows]


def test_a_file_with_several_signals_says_which_there_are(own, tmp_path, seconds, says):
    file = write(tmp_path, '.h5', seconds)
    (row,) = fdx.monitor(own, [file], sample_rate_hz=8000)
    assert row['state'] == UNUSABLE and says(row['reason'], '4 variables ... `variable` ... run0/acc')
    (row,) = fdx.monitor(own, [file], variable='run2/acc', sample_rate_hz=8000)
    assert (row['state'], row['part']) == (WATCH, 'run2/acc')
    (other,) = fdx.monitor(own, [file], variable='run3/acc', sample_rate_hz=8000)
    assert (other['state'], other['id']) == (ALARM, row['id'] + 1)


def test_a_long_file_is_cut_and_its_rows_follow_each_other_in_time(own, tmp_path, seconds):
    file = write(tmp_path, '.wav', seconds)
    rows = fdx.monitor(own, [file], cut_s=1.0)
    assert [row['state'] for row in rows] == STATES
    times = np.array([row['recorded_at'] for row in rows])
    assert np.diff(times).tolist() == [1, 1, 1] and times[0] == pytest.approx(file.stat().st_mtime)
    assert len({row['sha256'] for row in rows}) == 1
    # The whole is another recording.
    assert fdx.monitor(own, [file])[0]['part'] == ''


def test_a_watch_that_was_stopped_amid_a_long_file_goes_on(own, tmp_path, seconds):
    folder = tmp_path / 'in'
    folder.mkdir()
    write(folder, '.wav', seconds)
    settings = Settings((str(folder),), str(own), settle_s=0.02, once=True)
    shown: list[tuple[str, bool]] = []
    for most in (2, 99, 99):
        with Monitor(own, Known(cut_s=1.0)) as monitor:
            watch(
                monitor,
                settings,
                lambda row, new: shown.append((row['part'], new)),
                lambda most=most: len(shown) >= most,
            )
    assert [part for part, new in shown if new] == ['@0-1s', '@1-2s', '@2-3s', '@3-4s']
    # The third run has nothing to do: the last stretch is there.
    assert len(shown) == 6


def test_what_cannot_be_cut_or_monitored(own, tmp_path, says):
    with pytest.raises(ConfigError) as e:
        Monitor(own, Known(cut_s=0.1))
    assert says(str(e.value), '`cut_s`=0.1 ... 0.5 s')
    (tmp_path / 'm.csv').write_text('file,group\na.wav,g\nb.wav,g\n')
    for name in ('a.wav', 'b.wav'):
        (tmp_path / name).write_bytes(b'')
    with pytest.raises(ConfigError) as e:
        fdx.monitor(own, manifest=tmp_path / 'm.csv')
    assert says(str(e.value), '2 files of one group ... group')
    with pytest.raises(ConfigError, match='`manifest`'):
        fdx.monitor(own, ['a.wav'], manifest=tmp_path / 'm.csv')
    # A file that cannot be read is one row that says why, and is not read again and again.
    with Monitor(own, Known(cut_s=1.0)) as monitor:
        assert monitor.incoming.recordings(tmp_path / 'a.wav') == [None]
        assert monitor.file(tmp_path / 'a.wav')[0]['state'] == UNUSABLE


def test_a_folder_with_one_file_of_many_signals_is_told_apart_from_too_few_recordings(tmp_path, seconds, says):
    write(tmp_path, '.mat', seconds)
    with pytest.raises(DataError) as e:
        fdx.baseline(tmp_path, tmp_path / 'pump')
    assert says(str(e.value), '4 variables ... `variable` ... manifest ... variable')


def test_a_history_of_the_first_format_is_carried_over(tmp_path):
    """As fdx of before parts wrote it: one row per content of a path."""
    with History(tmp_path) as history:
        for i in range(3):
            content = Content(f'/data/{i}.wav', f'sha{i}', 10, 20)
            history.add(content, Finding(i, 0.5, '', {'moved': []}, np.ones((1, 2))), 1, 2, lambda *_: NORMAL)
        new = history.rows()
    old_columns = (
        'id INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL, '
        'mtime_ns INTEGER NOT NULL, recorded_at REAL, scored_at REAL NOT NULL, baseline INTEGER NOT NULL, '
        'state TEXT NOT NULL, score REAL, p_value REAL, speed_rpm REAL, load REAL, said TEXT NOT NULL, rows BLOB, '
        'pieces INTEGER NOT NULL, UNIQUE (file, sha256)'
    )
    names = [c.split()[0] for c in old_columns.split(', UNIQUE')[0].split(', ')]
    db = sqlite3.connect(tmp_path / HISTORY)
    db.executescript(
        f'CREATE TABLE old ({old_columns}); INSERT INTO old SELECT {", ".join(names)} FROM recordings; '
        'DROP TABLE recordings; ALTER TABLE old RENAME TO recordings; UPDATE about SET format = 1; '
        'CREATE INDEX by_baseline ON recordings (baseline, id); '
        'CREATE INDEX by_look ON recordings (file, size, mtime_ns);'
    )
    db.close()
    for _ in range(2):
        with History(tmp_path) as history:
            found = history.rows()
            assert [{**row, 'rows': None} for row in found] == [{**row, 'rows': None} for row in new]
            np.testing.assert_array_equal(found[2]['rows'], new[2]['rows'])
            assert history.knows('/data/1.wav', 10, 20) and not history.knows('/data/1.wav', 10, 20, '@0-1s')
    with History(tmp_path) as history:
        part = Content('/data/1.wav', 'sha1', 10, 20, '@0-1s')
        row, fresh = history.add(part, Finding(9.0, 0.5, '', {}), 1, 2, lambda *_: NORMAL)
        assert fresh and row['id'] == 4 and history.row_of('/data/1.wav', 'sha1')['id'] == 2
