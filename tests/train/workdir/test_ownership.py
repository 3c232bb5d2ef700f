"""What of a workdir fdx removes, refuses and leaves: only its own goes."""

from __future__ import annotations

import shutil

import pytest

from fdx.train import manifest
from fdx.train.checkpoints import Checkpoints
from fdx.types import CheckpointError
from tests.train.workdir.saved import refused, save, tree


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
