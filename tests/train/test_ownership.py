"""What of a workdir fdx removes, refuses and leaves: only its own goes, and a step is bound to its folder and run."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys

import jax.numpy as jnp
import pytest

from fdx.files import FileWriteError
from fdx.locks import LOCK, LockedError
from fdx.train import manifest, ownership, run_ids, workdir
from fdx.train.checkpoints import Checkpoints
from fdx.types import CheckpointError

VARIABLES = {'params': {'head': {'kernel': jnp.arange(6.0).reshape(2, 3)}}}
PREFIX = {'params': {'stage1': {'kernel': jnp.full((4, 5), 0.1)}}}
OPT = (jnp.int32(7),)


def save(folder, *steps, prefix=True):
    with Checkpoints(folder).writing() as checkpoints:
        if prefix:
            checkpoints.save_prefix(PREFIX)
        for step in steps:
            score = {'selection': {'criterion': 'loss', 'score': -step / 100}, 'frozen_stages': int(prefix)}
            checkpoints.save(step, VARIABLES, OPT, score)


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """Two runs with the steps 10 (best), 20 and 30."""
    folder = tmp_path_factory.mktemp('made')
    for name in ('a', 'b'):
        save(folder / name, 10, 20, 30)
    return folder


@pytest.fixture
def run(made, tmp_path):
    shutil.copytree(made / 'a', tmp_path / 'run')
    return tmp_path / 'run'


def tree(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob('*') if p.name != LOCK)


def refused(folder, match):
    """Writing there is refused, and nothing is changed."""
    before = tree(folder)
    with pytest.raises(CheckpointError, match=match) as e, Checkpoints(folder).writing():
        pytest.fail('was let in')
    assert '\n' not in str(e.value)
    assert tree(folder) == before
    assert not (folder / LOCK).exists()


@pytest.mark.parametrize('name', ['notes', '010', '１０', '10.bak', '-1', '7.orbax-checkpoint-tmp', 'best'])
@pytest.mark.parametrize('kind', ['folder', 'file'])
def test_foreign_entries_of_checkpoints_are_refused_by_name(run, name, kind):
    path = run / 'checkpoints' / name
    if kind == 'folder':
        path.mkdir()
        (path / 'thesis.txt').write_text('mine')
    else:
        path.write_text('mine')
    refused(run, f'fdx did not make .*checkpoints/{name}: move what is yours elsewhere')


def test_foreign_entries_are_refused_where_a_run_begins(tmp_path):
    (tmp_path / 'checkpoints' / '10' / 'deep').mkdir(parents=True)
    (tmp_path / 'checkpoints' / '10' / 'deep' / 'thesis.txt').write_text('mine')
    refused(tmp_path, r'checkpoints/10 has no sha256\.json.*or fdx did not make it')
    shutil.move(tmp_path / 'checkpoints', tmp_path / 'frozen')
    refused(tmp_path, 'fdx did not make .*frozen: move')
    shutil.rmtree(tmp_path / 'frozen')
    (tmp_path / 'frozen').write_text('mine')
    refused(tmp_path, 'fdx did not make .*frozen: move')
    (tmp_path / 'frozen').unlink()
    (tmp_path / 'checkpoints').write_text('mine')
    refused(tmp_path, 'checkpoints is not a folder')


def test_a_users_run_json_is_not_taken_for_the_runs_id(run):
    for text in ('{"lr": 0.1}', '[]', 'NaN', '"x"', '', '[' * 100_000, '{"run": 5}'):
        (run / 'checkpoints' / 'run.json').write_text(text)
        refused(run, r'fdx did not make .*run\.json')
        with pytest.raises(CheckpointError, match=r'run\.json cannot be read: remove it'):
            Checkpoints(run).verify(20)


@pytest.mark.parametrize('text', ['my notes', 'my notes\n', '[1]\n', '{"loss": 1}\n', '5\n', '[' * 70_000])
def test_a_users_log_is_not_written_over(run, text):
    (run / 'metrics.jsonl').write_text(text)
    refused(run, r'fdx did not make .*metrics\.jsonl')
    for own in ('', '{"epoch": 1, "step": 5}\n', '{"epoch": 1, "st'):
        (run / 'metrics.jsonl').write_text(own)
        with Checkpoints(run).writing():
            pass
    (run / 'metrics.jsonl').unlink()
    (run / 'metrics.jsonl').mkdir()
    refused(run, r'fdx did not make .*metrics\.jsonl')


def test_files_of_desktops_are_no_ones(run):
    for folder in (run / 'checkpoints', run / 'checkpoints' / '20', run / 'frozen'):
        for name in ('.DS_Store', '._x', 'Thumbs.db', '.nfs000000001'):
            (folder / name).write_text('junk')
    with Checkpoints(run).writing() as checkpoints:
        checkpoints.verify(20)


@pytest.mark.parametrize('step', [10, 20, 30])
def test_a_step_that_lost_its_manifest_is_named_and_kept(run, step):
    (run / 'checkpoints' / str(step) / manifest.MANIFEST).unlink()
    refused(run, rf'checkpoints/{step} has no sha256\.json: the file was deleted')
    for ask in ('best', 'last'):
        with pytest.raises(CheckpointError, match=rf'checkpoints/{step} has no sha256.*or pass `step`='):
            Checkpoints(run).resolve(ask)
    others = [s for s in (10, 20, 30) if s != step]
    assert Checkpoints(run).resolve(others[0]) == others[0]


def test_what_kills_leave_is_removed_at_the_next_start(run):
    root = run / 'checkpoints'
    # Killed while Orbax wrote 40, before the manifest of 50, while 20 was removed, and before the mark of 30 went.
    for step in (20, 30, 40, 50):
        ownership.begin_change(root / str(step), 'saving')
    (root / '40.orbax-checkpoint-tmp' / 'params').mkdir(parents=True)
    (root / '50' / 'params').mkdir(parents=True)
    (root / '20' / manifest.MANIFEST).unlink()
    hexadecimal = '0123456789abcdef' * 2
    for folder, name in ((run, '.metrics.jsonl.{}.tmp'), (root, '.run.json.{}.tmp')):
        (folder / name.format(hexadecimal)).write_text('half')
        (folder / name.format('short')).write_text('mine') if folder == run else None
    with Checkpoints(run).writing() as checkpoints:
        assert sorted(p.name for p in root.iterdir()) == ['10', '30', 'run.json']
        checkpoints.verify(30)
    assert sorted(p.name for p in run.iterdir()) == ['.metrics.jsonl.short.tmp', 'checkpoints', 'frozen']


def test_a_temporary_file_that_a_living_process_writes_is_left(run):
    path = run / f'.report.json.{"0" * 32}.tmp'
    path.write_text('half')
    with path.open('rb') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with Checkpoints(run).writing():
            assert path.exists()
    with Checkpoints(run).writing():
        assert not path.exists()


def test_symlinked_steps_survive_pruning_and_are_read(run, tmp_path):
    shutil.move(run / 'checkpoints' / '20', tmp_path / 'archive')
    (run / 'checkpoints' / '20').symlink_to(tmp_path / 'archive')
    before = tree(tmp_path / 'archive')
    Checkpoints(run).verify(20)
    save(run, 40, 50)
    assert Checkpoints(run).steps() == [10, 20, 40, 50]
    assert tree(tmp_path / 'archive') == before
    with pytest.raises(CheckpointError, match=r'checkpoints/20 .* link: move it away, .*`workdir`'):
        Checkpoints(run).discard_after(10)
    assert tree(tmp_path / 'archive') == before
    assert Checkpoints(run).steps() == [10, 20, 40, 50]


def test_checkpoints_on_another_disk(run, tmp_path):
    shutil.move(run / 'checkpoints', tmp_path / 'disk')
    (run / 'checkpoints').symlink_to(tmp_path / 'disk')
    save(run, 40)
    assert sorted(p.name for p in (tmp_path / 'disk').iterdir()) == ['10', '30', '40', 'run.json']


def test_a_step_with_a_users_file_in_it_is_not_removed(run):
    note = run / 'checkpoints' / '20' / 'note.txt'
    note.write_text('mine')
    save(run, 40)
    assert note.read_text() == 'mine'
    with pytest.raises(CheckpointError, match=r'checkpoints/20 .* note\.txt .*: move it away, .*`workdir`'):
        Checkpoints(run).discard_after(10)
    assert note.read_text() == 'mine'


def test_extra_files_are_found(run):
    for name in ('note.txt', 'params/deep/x', 'meta/more'):
        path = run / 'checkpoints' / '30' / name
        path.parent.mkdir(exist_ok=True)
        path.write_text('x')
        with pytest.raises(CheckpointError, match=f'{name} is not one of its files.*`step`=20'):
            Checkpoints(run).verify(30)
        path.unlink()
    (run / 'checkpoints' / '30' / 'link').symlink_to(run / 'frozen')
    with pytest.raises(CheckpointError, match='30/link is not one of its files'):
        Checkpoints(run).verify(30)
    (run / 'frozen' / 'x').write_text('x')
    with pytest.raises(CheckpointError, match='frozen/x is not one of its files'):
        Checkpoints(run).verify(20)


def test_a_renamed_a_copied_and_swapped_steps_are_found(run):
    root = run / 'checkpoints'
    shutil.copytree(root / '10', root / '40')
    with pytest.raises(CheckpointError, match='40 holds step 10: .*`step`=30'):
        Checkpoints(run).verify(Checkpoints(run).resolve('last'))
    with pytest.raises(CheckpointError, match='40 holds step 10'):
        Checkpoints(run).best_step()
    shutil.rmtree(root / '40')
    (root / '30').rename(root / '35')
    with pytest.raises(CheckpointError, match='35 holds step 30'):
        Checkpoints(run).verify(35)
    (root / '35').rename(root / '30')
    for old, new in (('10', 'x'), ('20', '10'), ('x', '20')):
        (root / old).rename(root / new)
    for step, other in ((10, 20), (20, 10)):
        with pytest.raises(CheckpointError, match=f'{step} holds step {other}.*`step`=30'):
            Checkpoints(run).verify(step)
    Checkpoints(run).verify(30)
    shutil.copytree(root / '10', root / '30' / '10')
    with pytest.raises(CheckpointError, match='is not one of its files'):
        Checkpoints(run).verify(30)


def test_steps_and_prefixes_of_another_run_are_found(run, made):
    root, other = run / 'checkpoints', made / 'b'
    shutil.copytree(other / 'checkpoints' / '30', root / '40')
    (root / '40').rename(root / 'x')
    shutil.rmtree(root / '30')
    (root / 'x').rename(root / '30')
    with pytest.raises(CheckpointError, match='30 .*another run .*`step`=20'):
        Checkpoints(run).verify(30)
    (root / 'run.json').unlink()
    with pytest.raises(CheckpointError, match=r'several runs \(10, 20 of \w{8}; 30 of \w{8}\): move'):
        Checkpoints(run).verify(20)
    shutil.rmtree(root / '30')
    Checkpoints(run).verify(20)
    shutil.rmtree(run / 'frozen')
    shutil.copytree(other / 'frozen', run / 'frozen')
    with pytest.raises(CheckpointError, match='frozen is of another run'):
        Checkpoints(run).verify(20)


def test_a_run_keeps_its_id_when_it_goes_on_and_when_it_is_copied(run, tmp_path):
    before = run_ids.run_id(run / 'checkpoints')
    (run / 'checkpoints' / 'run.json').unlink()
    save(run, 40)
    assert run_ids.run_id(run / 'checkpoints') == before
    shutil.copytree(run, tmp_path / 'again')
    for step in Checkpoints(tmp_path / 'again').steps():
        Checkpoints(tmp_path / 'again').verify(step)


def test_manifests_of_before_are_read_with_what_they_have(run):
    (run / 'checkpoints' / 'run.json').unlink()
    for folder in (*(run / 'checkpoints').iterdir(), run / 'frozen'):
        path = folder / manifest.MANIFEST
        path.write_text(json.dumps(json.loads(path.read_text())['files']))
    for step in (10, 20, 30):
        Checkpoints(run).verify(step)
    save(run, 40)
    Checkpoints(run).verify(40)


@pytest.mark.parametrize(
    'content',
    ['7', 'null', '[NaN]', '{"format": 2}', '{"format": 2, "files": [], "run": "a", "step": 30}', '[' * 100_000,
     '{"format": 2, "files": {"../../x": {"bytes": 1, "sha256": "' + 'a' * 64 + '"}}, "run": "a", "step": 30}',
     '{"format": 2, "files": {"a": {"bytes": NaN, "sha256": "' + 'a' * 64 + '"}}, "run": "a", "step": 30}',
     '{"format": 2, "files": {"a": {"bytes": 1, "sha256": 5}}, "run": "a", "step": 30}',
     '{"format": 2, "files": {}, "run": {"a": NaN}, "step": [30]}'],
)  # fmt: skip
def test_nonsense_in_a_manifest_is_one_line(run, content):
    (run / 'checkpoints' / '30' / manifest.MANIFEST).write_text(content)
    with pytest.raises(CheckpointError, match='step 30 is damaged.*`step`=20') as e:
        Checkpoints(run).verify(30)
    assert '\n' not in str(e.value)
    assert (run / 'checkpoints' / '30').is_dir()


@pytest.mark.parametrize('meta', ['[1]', '7', '{}', '{"frozen_stages": 0, "selection": [NaN]}', '{'])
def test_a_description_that_is_none_is_one_line(run, meta):
    folder = run / 'checkpoints' / '30'
    (folder / 'meta' / 'metadata').write_text(meta)
    manifest.write_manifest(folder, run_ids.run_id(run / 'checkpoints'), 30)
    with pytest.raises(CheckpointError, match='cannot read .*30/meta/metadata: '):
        Checkpoints(run).verify(30)


HOLDER = """
import sys, time
from fdx.train.ownership import workdir_lock
with workdir_lock(sys.argv[1]):
    print('held', flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def another_program(folder):
    process = subprocess.Popen([sys.executable, '-c', HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == 'held\n'
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_second_program_is_refused_in_one_line_and_readers_are_not(run):
    with another_program(run) as process:
        with pytest.raises(LockedError) as e, Checkpoints(run).writing():
            pytest.fail('was let in')
        assert f'{run} is in use by process {process.pid} since ' in str(e.value)
        assert 'choose another `workdir`' in str(e.value)
        assert '\n' not in str(e.value)
        Checkpoints(run).verify(Checkpoints(run).best_step())
        process.kill()
        process.wait()
        assert (run / LOCK).exists()
        with Checkpoints(run).writing():
            pass
    assert not (run / LOCK).exists()


def test_one_program_may_hold_its_workdir_twice_and_several_workdirs(tmp_path):
    with ownership.workdir_lock(tmp_path):
        for fold in range(3):
            with ownership.workdir_lock(tmp_path / f'fold_{fold}'), ownership.workdir_lock(tmp_path):
                assert (tmp_path / LOCK).exists()
        assert [p.name for p in tmp_path.iterdir()] == [LOCK]
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_nothing_and_says_why(run, monkeypatch):
    before = tree(run)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(workdir.manifest, 'write_manifest', full)
    with pytest.raises(CheckpointError, match='checkpoints/40: No space left .*check'):
        save(run, 40)
    assert tree(run) == before
    with pytest.raises(CheckpointError, match='frozen: No space left .*check'):
        save(run.with_name('new'), 1)
    assert tree(run.with_name('new')) == []


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / 'file').write_text('mine')
    for path in (tmp_path / 'file', tmp_path / 'file' / 'run'):
        with pytest.raises(FileWriteError, match='write the workdir .*check.* writable folder'):
            save(path, 1)
    assert (tmp_path / 'file').read_text() == 'mine'
