"""launch.predict on many files: formats of output, folders in folders, processes and --watch."""

from __future__ import annotations

import csv
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ('predict', '--zero_shot', '--bearing=skf_6205', '--speed_rpm=1772', '--sample_rate=12000')
EVIL = 'a\n\x1b[31m<b>,"q".npy'


@pytest.fixture
def plant(tmp_path) -> pathlib.Path:
    """A folder as it comes from a plant: healthy, dead, broken, empty, with NaN, with an odd name, and deeper ones."""
    folder = tmp_path / 'plant'
    (folder / 'deeper').mkdir(parents=True)
    x = np.random.default_rng(0).normal(size=24000).astype(np.float32)
    np.save(folder / 'good.npy', x)
    np.save(folder / EVIL, x)
    np.save(folder / 'deeper' / 'good.npy', x)
    np.save(folder / 'dead.npy', np.where(np.arange(24000) < 3000, x, x[3000]))
    np.save(folder / 'nan.npy', np.where(np.arange(24000) == 5, np.nan, x))
    (folder / 'empty.csv').touch()
    (folder / 'broken.mat').write_text('no matrix')
    (folder / 'notes.docx').write_text('no recording')
    (folder / 'deeper' / 'loop').symlink_to(folder)
    return folder


def verdicts(rows) -> dict[str, str | None]:
    return {pathlib.Path(r['file']).name: r.get('predicted', 'error') for r in rows if r['kind'] != 'window'}


def test_a_table_and_all_files(call, plant, tmp_path):
    out = [tmp_path / 'o' / name for name in ('all.jsonl', 'all.csv', 'all.html')]
    done = call(*FLAGS, '--format=table', '--recursive', f'--out={out[0]},{out[1]}', f'--out={out[2]}', plant)
    assert (done.code, '\x1b' in done.out) == (1, False)
    lines = done.out.splitlines()
    assert lines[0].split() == ['file', 'verdict', 'probability', 'warnings']
    assert any(line.startswith('deeper/good.npy  ') and ' normal ' in line for line in lines)
    assert any(line.startswith('empty.csv ') and 'is empty (0 bytes)' in line for line in lines)
    assert lines[-1] == '7 files: 3 error, 3 normal, 1 no verdict'
    rows = [json.loads(line) for line in out[0].read_text().splitlines()]
    assert {r['kind'] for r in rows} == {'recording', 'error'}
    table = list(csv.DictReader(io.StringIO(out[1].read_text())))
    assert [r['file'] for r in table] == [r['file'] for r in rows if r['kind'] != 'window']
    assert {r['file']: r['verdict'] for r in table}[str(plant / EVIL)] == 'normal'
    page = out[2].read_text()
    assert '&lt;b&gt;,&#34;q&#34;.npy' in page and '<script' not in page and '<b>3</b>error' in page


def test_without_a_terminal_json_lines_stay_the_default(call, plant, tmp_path):
    done = call(*FLAGS, '--nowindows', plant)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert verdicts(rows) == {
        EVIL: 'normal',
        'broken.mat': 'error',
        'dead.npy': None,
        'empty.csv': 'error',
        'good.npy': 'normal',
        'nan.npy': 'error',
    }
    table = list(csv.DictReader(io.StringIO(call(*FLAGS, '--format=csv', plant).out)))
    assert [(r['file'], r['verdict']) for r in table] == [(r['file'], r.get('predicted') or '') for r in rows]
    assert '1 of 6 files have no verdict' in done.err
    # Two processes: the same bytes.
    two = call(*FLAGS, '--nowindows', '--workers=2', plant)
    assert (two.code, two.out, two.err) == (done.code, done.out, done.err)


def test_what_fdx_wrote_into_the_folder_is_no_recording(call, plant):
    out = plant / 'results.csv'
    first = call(*FLAGS, f'--out={out}', plant)
    again = call(*FLAGS, f'--out={out}', plant)
    assert again.out == first.out and 'results.csv' not in again.out


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--out=a.xlsx'], '--out=a.xlsx: results are written as .jsonl, .csv or .html'),
        (['--out=a.csv,a.csv'], 'named twice'),
        (['--workers=0'], '--workers=0'),
        (['--once'], '--once goes with --watch'),
        (['--watch'], '--watch needs --workdir'),
        (['--watch', '--workdir=w', '--out=a.csv'], '--out: --watch writes'),
        (['--watch', '--workdir=w', '--settle_s=-1'], '--settle_s=-1.0'),
    ],
)
def test_flags_that_do_not_go_together(call, plant, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    assert words in call(*FLAGS, *flags, plant).error
    assert not (tmp_path / 'w').exists()


def test_a_folder_of_folders_asks_for_recursive(call, tmp_path):
    (tmp_path / 'a' / 'b').mkdir(parents=True)
    assert '; --recursive searches its folders, too' in call(*FLAGS, tmp_path / 'a').error


def test_a_watch_in_one_go_and_again(call, plant, tmp_path, caplog):
    watch = (*FLAGS, '--nowindows', '--watch', '--once', '--settle_s=0.05', f'--workdir={tmp_path / "w"}')
    done = call(*watch, plant)
    assert (done.code, len(done.out.splitlines())) == (1, 6)
    assert 'notes.docx: skipped (another suffix)' in caplog.text
    assert (call(*watch, plant).out, (tmp_path / 'w' / 'predictions.jsonl').read_text().count('\n')) == ('', 6)
    np.save(plant / 'new.npy', np.random.default_rng(1).normal(size=24000).astype(np.float32))
    done = call(*watch, '--format=table', plant)
    assert done.code == 0
    assert done.out.splitlines()[2].split()[1] == 'normal'
    assert len(list(csv.reader(io.StringIO((tmp_path / 'w' / 'predictions.csv').read_text())))) == 1 + 7
    other = call(*watch, '--known_orders=7', plant)
    said = "holds results of another diagnosis (known_orders: None then, '(7.0,)' now): choose another --workdir"
    assert said in other.error


@pytest.mark.skipif(os.name == 'nt', reason='signals of POSIX')
def test_sigterm_ends_a_watch_with_its_results_written(plant, tmp_path):
    watch = ('--watch', '--settle_s=0.05', '--poll_s=0.05', '--nowindows', f'--workdir={tmp_path / "w"}')
    command = [sys.executable, '-m', 'launch.predict', *FLAGS[1:], *watch, str(plant)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, '') and 'Traceback' not in err
    assert (tmp_path / 'w' / 'predictions.jsonl').read_text() == ''.join(lines)
    assert len(lines) == 6 and not list((tmp_path / 'w').glob('.*'))


# A shell lets what it starts in the background ignore Ctrl-C: the tests, and what they start.
HEEDING_CTRL_C = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module('launch.predict', run_name='__main__', alter_sys=True)
"""


@pytest.mark.skipif(os.name == 'nt', reason='signals of POSIX')
def test_ctrl_c_ends_all_processes(plant):
    for i in range(40):
        np.save(plant / f'more{i}.npy', np.random.default_rng(i).normal(size=48000).astype(np.float32))
    command = [sys.executable, '-c', HEEDING_CTRL_C, *FLAGS[1:], '--workers=2', str(plant)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and 'error: interrupted' in err and 'Traceback' not in err, err
    for _ in range(100):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    else:
        raise AssertionError('a process is left')
