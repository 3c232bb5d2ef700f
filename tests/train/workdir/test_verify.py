"""A step is bound to its folder and run: extra, damaged, renamed and foreign ones are found."""

from __future__ import annotations

import json
import shutil

import pytest

from fdx.train import manifest, run_ids
from fdx.train.checkpoints import Checkpoints
from fdx.types import CheckpointError
from tests.train.workdir.saved import save


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
