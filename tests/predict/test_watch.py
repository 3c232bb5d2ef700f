"""A watch: each content of each path once, whatever ends the process, and never half a file."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import json
import os
import pathlib

import pytest

from fdx.locks import LOCK, LockedError, hold
from fdx.predict import watch as watch_module
from fdx.predict.arrivals import Arrivals
from fdx.predict.watch import WRITTEN, Watch
from fdx.predict.watch_settings import Settings
from fdx.types import CheckpointError, ConfigError
from tests.predict.by_level import ByLevel


class Killed(BaseException):
    """Stands for SIGKILL."""


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
    made = tmp_path / 'in'
    made.mkdir()
    return made


def watch(tmp_path, **options) -> Watch:
    given = {'folders': (str(tmp_path / 'in'),), 'workdir': str(tmp_path / 'out'), 'settle_s': 0.0, 'once': True}
    asked = options.pop('asked', ByLevel())
    settings = Settings(**{**given, **options})

    def rows_of(outcome):
        return list(outcome.rows) or [{'kind': 'error', 'file': outcome.file, 'error': outcome.error}]

    return Watch(settings, asked, lambda path: {}, options={}, model='levels', rows_of=rows_of)


def run(tmp_path, **options) -> list[str]:
    """Watches until nothing is left; the files that were diagnosed, by name."""
    shown = []
    watch(tmp_path, **options).run(lambda rows: shown.append(pathlib.Path(rows[-1]['file']).name), lambda: False)
    return shown


def results(tmp_path) -> list[dict]:
    return [json.loads(line) for line in (tmp_path / 'out' / WRITTEN[0]).read_text().splitlines()]


def test_each_content_of_each_path_once(tmp_path, folder):
    (folder / 'a.csv').write_text('0.5')
    (folder / 'b.csv').write_text('damaged')
    (folder / 'deeper').mkdir()
    (folder / 'deeper' / 'c.csv').write_text('3')
    assert run(tmp_path) == ['a.csv', 'b.csv']
    assert run(tmp_path) == []
    assert run(tmp_path, recursive=True, folders=(str(folder), str(folder / 'deeper'))) == ['c.csv']
    os.utime(folder / 'a.csv', ns=(1, 1))  # Written anew with the same content.
    assert run(tmp_path) == []
    (folder / 'a.csv').write_text('2')
    (folder / 'b.csv').rename(folder / 'd.csv')  # Another path.
    assert sorted(run(tmp_path)) == ['a.csv', 'd.csv']
    rows = results(tmp_path)
    assert [r['predicted'] for r in rows if r['kind'] == 'recording' and r['file'].endswith('a.csv')] == [
        'normal',
        'inner_race',
    ]
    assert [pathlib.Path(r['file']).name for r in rows if r['kind'] == 'error'] == ['b.csv', 'd.csv']
    assert sum(r['kind'] == 'window' for r in rows) == 3
    assert len((tmp_path / 'out' / WRITTEN[1]).read_text().splitlines()) == 1 + 5
    assert '<b>2</b>error' in (tmp_path / 'out' / WRITTEN[2]).read_text()


def test_killed_at_any_moment_it_loses_nothing_and_does_nothing_twice(tmp_path, folder, monkeypatch):
    """Dies before and after every step of every file; a result that was shown or recorded stays, and stays alone."""
    for i in range(4):
        (folder / f'{i}.csv').write_text(str(i))
    steps = ('look_at', 'sha256_of', 'write_json_lines', 'write_csv', 'write_page')
    shown, kills, left = [], 0, 0

    def dying(step, after):
        def call(*args):
            nonlocal left
            left -= 1
            if left == 0 and not after:
                raise Killed
            result = step(*args)
            if left == 0:
                raise Killed
            return result

        return call

    for moment in range(1, 30):
        for after in (False, True):
            left = moment
            with monkeypatch.context() as patch:
                for name in steps:
                    patch.setattr(watch_module, name, dying(getattr(watch_module, name), after))
                patch.setattr(watch_module.Journal, 'add', dying(watch_module.Journal.add, after))
                try:
                    watch(tmp_path).run(lambda rows: shown.append(rows[-1]['file']), lambda: False)
                except Killed:
                    kills += 1
        (folder / f'{moment % 4}.csv').write_text(f'{moment}.5')
    run(tmp_path)
    assert kills > 12
    recorded = [json.loads(line) for line in (tmp_path / 'out' / 'watch.jsonl').read_text().splitlines()[1:]]
    contents = [(entry['version']['path'], entry['version']['sha256']) for entry in recorded]
    assert len(contents) == len(set(contents)) > 20
    now = {(str(path), hashlib.sha256(path.read_bytes()).hexdigest()) for path in folder.iterdir()}
    assert len(now) == 4 and now <= set(contents)
    found = [r['file'] for r in results(tmp_path) if r['kind'] == 'recording']
    assert found == [path for path, _ in contents]
    assert not collections.Counter(shown) - collections.Counter(found)


def test_a_file_is_read_when_it_was_left_alone_for_a_while(folder):
    clock = [0.0]
    looks = Arrivals([str(folder)], recursive=False, settle_s=2.0, clock=lambda: clock[0])
    file = folder / 'a.csv'

    def look(at: float) -> list[str]:
        clock[0] = at
        return [a.file for a in looks.settled(lambda a: False)]

    file.write_text('1')
    assert look(0.0) == [] and look(1.9) == []
    file.write_text('12')
    assert look(2.0) == [] and looks.unsettled == 1
    os.utime(file, ns=(5, 5))  # Same size, another time.
    assert look(3.9) == [] and look(5.0) == []
    (folder / 'new').write_text('99')
    os.utime(folder / 'new', ns=(5, 5))
    (folder / 'new').replace(file)  # Same size and time, another file.
    assert look(5.9) == [] and look(7.8) == []
    assert look(7.9) == [str(file)] and looks.unsettled == 0
    (folder / 'gone.csv').symlink_to('nowhere')
    os.mkfifo(folder / 'pipe.csv')
    (folder / 'to_pipe.csv').symlink_to('pipe.csv')
    assert look(9.0) == [] and look(12.0) == [str(file)]


def test_what_is_written_to_while_it_is_read_has_no_result(tmp_path, folder, monkeypatch):
    (folder / 'a.csv').write_text('1')
    hashed, times = watch_module.sha256_of, []

    def grows(file):
        found = hashed(file)
        if not times:
            times.append(file)
            (folder / 'a.csv').write_text('0.5')
        return found

    monkeypatch.setattr(watch_module, 'sha256_of', grows)
    assert run(tmp_path) == []
    assert run(tmp_path) == ['a.csv']
    assert [r['predicted'] for r in results(tmp_path)] == ['normal', 'normal']


def test_two_watches_share_no_workdir(tmp_path, folder):
    (folder / 'a.csv').write_text('1')
    with contextlib.ExitStack() as stack:
        # Another process's lock: filelock lets one thread take its own again.
        import threading

        taken, done = threading.Event(), threading.Event()

        def other():
            with hold(tmp_path / 'out' / LOCK, 'x'):
                taken.set()
                done.wait(20)

        thread = threading.Thread(target=other)
        thread.start()
        stack.callback(thread.join)
        stack.callback(done.set)
        assert taken.wait(20)
        with pytest.raises(LockedError, match='is in use by process'):
            run(tmp_path)
    assert run(tmp_path) == ['a.csv']


def test_it_ends_when_it_is_told_and_writes_what_it_has(tmp_path, folder):
    for i in range(5):
        (folder / f'{i}.csv').write_text('1')
    shown = []
    one = watch(tmp_path, once=False, poll_s=0.01)
    one.run(shown.append, lambda: len(shown) == 2)
    assert (len(shown), one.done, one.failed) == (2, 2, 0)
    assert sum(r['kind'] == 'recording' for r in results(tmp_path)) == 2
    with pytest.raises(BrokenPipeError):
        watch(tmp_path).run(lambda rows: (_ for _ in ()).throw(BrokenPipeError()), lambda: False)
    assert sum(r['kind'] == 'recording' for r in results(tmp_path)) == 3
    again = watch(tmp_path, once=False, for_s=0.05, poll_s=0.01)
    again.run(shown.append, lambda: False)
    assert (len(shown), again.done) == (4, 2)


def test_processes_do_a_backlog(tmp_path, folder, monkeypatch):
    for i in range(6):
        (folder / f'{i}.csv').write_text('damaged' if i == 2 else 'killed' if i == 4 else str(i))
    assert run(tmp_path, workers=2) == [f'{i}.csv' for i in range(6)]
    monkeypatch.setattr(watch_module, 'default_workers', lambda files, asked: 2)
    assert run(tmp_path) == []
    (folder / 'new.csv').write_text('1')
    assert run(tmp_path) == ['new.csv']


def test_folders_and_workdirs_that_cannot_be_used(tmp_path, folder):
    for options, words in (
        ({'folders': ()}, 'needs a folder'),
        ({'folders': (str(tmp_path / 'absent'),)}, 'is no folder'),
        ({'workdir': str(folder)}, 'is a folder that is watched'),
        ({'settle_s': -1.0}, '`settle_s`=-1.0'),
        ({'poll_s': 0.0}, '`poll_s`=0.0'),
        ({'for_s': float('nan')}, '`watch_for_s`=nan'),
    ):
        with pytest.raises(ConfigError, match=words):
            watch(tmp_path, **options)
    with pytest.raises(CheckpointError, match='no such run'):
        run(tmp_path, asked=ByLevel(refused='no such run'))
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'predictions.csv').write_text('of somebody else')
    with pytest.raises(ConfigError, match='was not written by a watch'):
        run(tmp_path, workdir=str(other))
    assert (other / 'predictions.csv').read_text() == 'of somebody else'


def test_a_workdir_inside_the_folder_is_left_alone(tmp_path, folder):
    (folder / 'a.csv').write_text('1')
    inside = str(folder / 'results')
    assert run(tmp_path, recursive=True, workdir=inside) == ['a.csv']
    assert run(tmp_path, recursive=True, workdir=inside) == []
