"""launch.predict on what command lines really name: folders, links, pipes, `~`, and files that break a library."""

from __future__ import annotations

import json
import os
import pathlib
import socket

import numpy as np
import pytest
import scipy.io.wavfile

from fdx.types import ConfigError
from launch.raw_paths import recordings_of

FLAGS = ('predict', '--zero_shot', '--bearing=skf_6205', '--speed_rpm=1772', '--sample_rate=12000', '--nowindows')


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
    """A folder as a logger, a Mac and a user leave it: b.wav and c.npy are recordings."""
    made = tmp_path / 'plant'
    made.mkdir()
    x = np.random.default_rng(0).normal(size=24000).astype(np.float32)
    scipy.io.wavfile.write(made / 'b.wav', 12000, x)
    np.save(made / 'c.npy', x)
    for name in ('._b.wav', '.hidden.wav', '.DS_Store', 'notes.md', 'Thumbs.db'):
        (made / name).write_bytes(b'junk')
    (made / 'deeper.wav').mkdir()
    os.mkfifo(made / 'pipe.wav')
    return made


def rows_of(done) -> list[dict]:
    return [json.loads(line) for line in done.out.splitlines()]


def test_of_a_folder_recordings_are_read_and_the_rest_is_named_in_one_line(call, folder, caplog):
    done = call(*FLAGS, folder)
    assert done.code == 0
    assert [(r['kind'], pathlib.Path(r['file']).name) for r in rows_of(done)] == [
        ('recording', 'b.wav'),
        ('recording', 'c.npy'),
    ]
    (record,) = [r for r in caplog.records if 'skipped' in r.getMessage()]
    assert record.getMessage() == (
        f'{folder}: skipped .DS_Store (hidden), ._b.wav (hidden), .hidden.wav (hidden), Thumbs.db (another suffix), '
        'deeper.wav (a folder), notes.md (another suffix), pipe.wav (no regular file)'
    )


def test_many_skipped_files_are_counted(tmp_path, caplog):
    for i in range(30):
        (tmp_path / f'{i:02}.log').touch()
    (tmp_path / 'a.wav').touch()
    assert recordings_of([str(tmp_path)]) == [(str(tmp_path / 'a.wav'), '')]
    assert '07.log (another suffix) and 22 more' in caplog.text
    assert '08.log' not in caplog.text


def test_a_folder_named_with_a_tilde(call, folder, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    done = call(*FLAGS, '--out=~/results/lines.jsonl', '~/plant')
    assert done.code == 0
    assert (tmp_path / 'results' / 'lines.jsonl').read_text() == done.out
    assert rows_of(done)[0]['file'] == str(folder / 'b.wav')
    assert f'{tmp_path}/nowhere' in call('predict', '--checkpoint=~/nowhere', folder / 'b.wav').error


def test_names_that_are_no_files_cost_one_line_each(call, folder, tmp_path):
    """And none of them waits: a pipe without a writer would for ever."""
    (tmp_path / 'broken.wav').symlink_to('nowhere.wav')
    (tmp_path / 'loop.wav').symlink_to('loop.wav')
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.bind(str(tmp_path / 's.wav'))
        except OSError:
            pytest.skip('the path of the temporary folder is too long for a socket')
        words = {
            str(tmp_path / ('x' * 300 + '.wav')): 'File name too long',
            str(folder / 'pipe.wav'): 'is a pipe, socket or device',
            str(tmp_path / 's.wav'): 'is a pipe, socket or device',
            '/dev/zero': 'is a pipe, socket or device',
            str(tmp_path / 'broken.wav'): 'is a link to nowhere.wav, which does not exist',
            str(tmp_path / 'loop.wav'): 'symbolic links',
            str(folder / 'b.wav' / 'c.wav'): 'Not a directory',
            str(folder / 'notes.md'): "unknown suffix '.md'",
            str(tmp_path / 'absent.wav'): 'does not exist',
        }
        done = call(*FLAGS, *words, folder / 'b.wav')
    *errors, last = rows_of(done)
    assert done.code == 1
    assert last['kind'] == 'recording'
    for row, (name, text) in zip(errors, words.items(), strict=True):
        assert (row['kind'], row['file']) == ('error', name)
        assert text in row['error'] and '\n' not in row['error']


def test_a_folder_that_cannot_be_listed_is_one_error(call, folder, tmp_path, monkeypatch):
    closed = tmp_path / 'closed'
    closed.mkdir()
    listing = pathlib.Path.iterdir

    def refuse(self):
        if self == closed:
            raise PermissionError(13, 'Permission denied', str(self))
        return listing(self)

    monkeypatch.setattr(pathlib.Path, 'iterdir', refuse)
    done = call(*FLAGS, closed, folder / 'b.wav')
    error, recording = rows_of(done)
    assert (done.code, recording['kind']) == (1, 'recording')
    assert error['error'] == f'{closed} cannot be listed: Permission denied; check its permissions'


@pytest.mark.parametrize(
    'error', [ZeroDivisionError('a\ndefect'), MemoryError(), RecursionError('deep'), UnboundLocalError("local 'fs'")]
)
def test_what_a_library_raises_on_one_file_is_that_files_error(call, folder, tmp_path, monkeypatch, error):
    """While it is read, and while it is diagnosed; the others are done and --out is written."""
    from fdx.data.raw import open as raw_open
    from fdx.predict import zero_shot

    def breaks(*args, **kwargs):
        raise error

    out, kind = tmp_path / 'out.jsonl', type(error).__name__
    with monkeypatch.context() as patch:
        patch.setattr(raw_open, 'open_wav', breaks)
        done = call(*FLAGS, f'--out={out}', folder / 'b.wav', folder / 'c.npy')
    first, second = rows_of(done)
    assert (done.code, first['kind'], second['kind']) == (1, 'error', 'recording')
    assert f'b.wav cannot be read ({kind}: ' in first['error']
    assert '\n' not in first['error']
    assert out.read_text() == done.out
    monkeypatch.setattr(zero_shot, 'diagnose_zero_shot', breaks)
    done = call(*FLAGS, f'--out={out}', folder / 'b.wav', folder / 'c.npy')
    assert done.code == 1
    for row, name in zip(rows_of(done), ('b.wav', 'c.npy'), strict=True):
        assert f'{name} cannot be diagnosed ({kind}' in row['error']
    assert out.read_text() == done.out
    assert 'Traceback' not in done.err


def test_a_defect_shows_its_traceback_to_who_asks(caplog, folder, monkeypatch):
    from fdx.data.raw import files as raw_files
    from fdx.data.raw import open as raw_open
    from fdx.types import DataError

    monkeypatch.setattr(raw_open, 'open_wav', lambda path: 1 / 0)
    with caplog.at_level('DEBUG', 'fdx'), pytest.raises(DataError, match='ZeroDivisionError: division by zero') as e:
        raw_files.read_raw_file(folder / 'b.wav')
    assert isinstance(e.value.__cause__, ZeroDivisionError)
    assert 'Traceback' in caplog.text


def test_ctrl_c_ends_the_batch(call, folder, monkeypatch):
    from fdx.data.raw import open as raw_open

    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(raw_open, 'open_wav', interrupt)
    assert call(*FLAGS, folder / 'b.wav', folder / 'c.npy').code == 130


def test_contradictions_of_rate_and_speed_are_warned_of(call, tmp_path, caplog):
    import scipy.io

    x = np.random.default_rng(0).normal(size=24000)
    scipy.io.savemat(tmp_path / 'a.mat', {'bearing': {'gs': x, 'sr': 12000.0, 'rate': 25.0, 'load': 0}})
    assert call(*FLAGS, tmp_path / 'a.mat').code == 0
    assert '--speed_rpm 1772 wins over the 1500 rpm of the file' in caplog.text
    assert 'wins over the 12000' not in caplog.text
    caplog.clear()
    assert call(*FLAGS[:3], '--speed_rpm=1501', '--sample_rate=24000', tmp_path / 'a.mat').code == 0
    assert '--sample_rate 24000 Hz wins over the 12000 Hz of bearing.sr' in caplog.text
    assert 'rpm of the file' not in caplog.text


def test_no_arguments_and_empty_ones():
    with pytest.raises(ConfigError, match='no files: name recordings'):
        recordings_of([])
    with pytest.raises(ConfigError, match='an argument is empty'):
        recordings_of(['a.wav', ''])


def test_a_folder_without_recordings_is_an_error(tmp_path):
    (tmp_path / '.a.wav').touch()
    with pytest.raises(ConfigError, match=r'holds no file ending in \.mat'):
        recordings_of([str(tmp_path)])
