"""Checkpoints of small trees: what is kept, what is refused, what an interrupted save leaves."""

from __future__ import annotations

import json
import shutil

import jax.numpy as jnp
import numpy as np
import pytest

from fdx.train.checkpoints import Checkpoints
from fdx.train.manifest import MANIFEST, find_damage, read_manifest, write_manifest
from fdx.train.ownership import begin_change
from fdx.types import CheckpointError

PARAMS = {'head': {'kernel': jnp.arange(6.0).reshape(2, 3), 'bias': jnp.array([-0.0, 1.0, np.pi])}}
NORM = {'bn': {'mean': jnp.array([0.5, -0.0]), 'var': jnp.array([1.0, 2.0])}}
VARIABLES = {'params': PARAMS, 'batch_stats': {'head': NORM}}
PREFIX = {'params': {'stage1': {'kernel': jnp.full((4, 5), 0.1)}}, 'batch_stats': {'stage1': NORM}}
OPT = (jnp.int32(7), {'mu': jnp.ones(3)})


def meta(score, frozen=1):
    return {'selection': {'criterion': 'loss', 'score': score}, 'frozen_stages': frozen}


def fill(workdir, scores, frozen=1):
    """Saves one step a score: 10, 20, ..."""
    checkpoints = Checkpoints(workdir)
    if frozen:
        checkpoints.save_prefix(PREFIX)
    for i, score in enumerate(scores, 1):
        params = {'head': {**PARAMS['head'], 'kernel': PARAMS['head']['kernel'] + i}}
        checkpoints.save(10 * i, {**VARIABLES, 'params': params}, OPT, meta(score, frozen))
    checkpoints.close()
    return checkpoints


@pytest.fixture(scope='module')
def original(tmp_path_factory):
    """Steps 10 (best), 20 and 30 with a frozen prefix."""
    workdir = tmp_path_factory.mktemp('original')
    fill(workdir, [-0.1, -0.5, -0.3])
    return workdir


@pytest.fixture
def workdir(original, tmp_path):
    shutil.copytree(original, tmp_path / 'run')
    return tmp_path / 'run'


def step_folder(workdir, step):
    return workdir / 'checkpoints' / str(step)


def flip(path, at=None):
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ('scores', 'kept', 'best'),
    [
        ([-0.1, -0.2, -0.3, -0.4, -0.5], [10, 40, 50], 10),
        ([-0.5, -0.1, -0.3, -0.4], [20, 30, 40], 20),
        ([-0.3, -0.2, -0.1], [20, 30], 30),
        ([-0.1, -0.3, -0.1, -0.4], [10, 30, 40], 10),
        ([-0.2, None, None, None], [10, 30, 40], 10),
    ],
)
def test_two_newest_and_the_best_are_kept(tmp_path, scores, kept, best):
    checkpoints = fill(tmp_path, scores, frozen=0)
    assert checkpoints.steps() == kept
    assert sorted(int(p.name) for p in (tmp_path / 'checkpoints').iterdir() if p.is_dir()) == kept
    assert checkpoints.best_step() == best
    assert (checkpoints.resolve('best'), checkpoints.resolve('last')) == (best, kept[-1])
    assert not (tmp_path / 'frozen').exists()


def test_no_step_is_best_where_none_has_a_score(tmp_path):
    checkpoints = fill(tmp_path, [None, None, None], frozen=0)
    assert (checkpoints.steps(), checkpoints.resolve('last'), checkpoints.resolve(20)) == ([20, 30], 30, 20)
    for asked in (checkpoints.best_step, lambda: checkpoints.resolve('best')):
        with pytest.raises(CheckpointError, match=r'best step.* finite .*`learning_rate`.*`step`=30'):
            asked()


def test_a_later_process_knows_the_best_of_an_earlier_one(workdir):
    again = Checkpoints(workdir)
    again.save(40, VARIABLES, OPT, meta(-0.4))
    again.close()
    assert (again.steps(), again.best_step()) == ([10, 30, 40], 10)


def test_everything_comes_back_bit_for_bit(workdir, assert_same_trees):
    checkpoints = Checkpoints(workdir)
    checkpoints.verify(20)
    variables, prefix = checkpoints.restore_variables(20, VARIABLES, PREFIX)
    head = {**PARAMS['head'], 'kernel': PARAMS['head']['kernel'] + 2}
    assert_same_trees(variables, {'params': {'head': head}, 'batch_stats': {'head': NORM}})
    assert np.signbit(variables['params']['head']['bias'][0])
    assert_same_trees(prefix, PREFIX)
    assert_same_trees(checkpoints.restore_optimiser(20, OPT), OPT)


def test_a_model_without_statistics_has_none(tmp_path, assert_same_trees):
    checkpoints = Checkpoints(tmp_path)
    prefix = {'params': PREFIX['params']}
    checkpoints.save_prefix(prefix)
    checkpoints.save(1, {'params': PARAMS}, OPT, meta(0.0))
    checkpoints.close()
    variables, stored = checkpoints.restore_variables(1, {'params': PARAMS}, prefix)
    assert_same_trees(variables, {'params': PARAMS})
    assert_same_trees(stored, prefix)


def test_an_optimiser_without_arrays(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, VARIABLES, (), meta(0.0, 0))
    checkpoints.close()
    checkpoints.verify(1)
    assert checkpoints.restore_optimiser(1, ()) == ()


def test_steps_by_name(workdir):
    checkpoints = Checkpoints(workdir)
    assert checkpoints.resolve(20) == checkpoints.resolve('20') == 20
    for wrong in ('21', 'newest', '-10'):
        with pytest.raises(CheckpointError, match=f"step '{wrong}'.* 10, 20, 30"):
            checkpoints.resolve(wrong)
    with pytest.raises(CheckpointError, match='holds no finished checkpoint.*: train first'):
        Checkpoints(workdir / 'elsewhere').resolve('best')


FILES = ('meta/metadata', 'params/manifest.ocdbt', 'opt/_METADATA')


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('damage', ['flip', 'truncate', 'remove'])
def test_damage_names_the_file_and_the_newest_intact_step(says, workdir, name, damage):
    path = step_folder(workdir, 30) / name
    words = {'flip': 'differs from its SHA-256', 'truncate': 'truncated', 'remove': 'is missing'}[damage]
    if damage == 'flip':
        flip(path)
    elif damage == 'truncate':
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    with pytest.raises(CheckpointError, match=words) as e:
        Checkpoints(workdir).verify(30)
    assert str(path) in str(e.value)
    assert says(str(e.value), 'newest intact step ... `step`=20')
    Checkpoints(workdir).verify(20)


def test_every_file_of_a_step_is_guarded(workdir):
    folder = step_folder(workdir, 20)
    files = [p for p in folder.rglob('*') if p.is_file() and p.name != MANIFEST and p.stat().st_size]
    assert len(files) > 10
    for path in files:
        flip(path)
        assert str(path) in find_damage(folder)
        flip(path)
    assert find_damage(folder) is None


def test_damage_elsewhere_is_not_offered(workdir):
    for step in (20, 30):
        flip(step_folder(workdir, step) / 'params' / '_METADATA')
    with pytest.raises(CheckpointError, match='newest intact step is 10'):
        Checkpoints(workdir).verify(30)
    flip(step_folder(workdir, 10) / 'params' / '_METADATA')
    with pytest.raises(CheckpointError, match='is damaged: .*no other step .*train again in a new workdir'):
        Checkpoints(workdir).verify(30)


def test_a_damaged_json_cannot_change_which_step_is_best(workdir):
    path = step_folder(workdir, 10) / 'meta' / 'metadata'
    path.write_text(path.read_text().replace('-0.1', '-0.9'))
    assert json.loads(path.read_text())['selection']['score'] == -0.9
    with pytest.raises(CheckpointError, match='step 10 is damaged: .*intact.* 30') as e:
        Checkpoints(workdir).resolve('best')
    assert str(path) in str(e.value)
    assert Checkpoints(workdir).resolve('last') == 30


@pytest.mark.parametrize('content', [b'{', b'\xff\xfe', b'', b'[1]', b'{"a": 1}', b'{"a": {"bytes": 1}}', b'{}'])
def test_a_damaged_manifest_is_a_checkpoint_error(says, workdir, content):
    path = step_folder(workdir, 10) / MANIFEST
    path.write_bytes(content)
    for ask in (lambda c: c.verify(10), lambda c: c.resolve('best')):
        with pytest.raises(CheckpointError, match='step 10 is damaged') as e:
            ask(Checkpoints(workdir))
        assert str(path) in str(e.value)
        assert says(str(e.value), 'intact ... 30')


def test_training_goes_on_beside_a_damaged_older_step(workdir):
    flip(step_folder(workdir, 10) / 'meta' / 'metadata')
    checkpoints = Checkpoints(workdir)
    checkpoints.save(40, VARIABLES, OPT, meta(-0.4))
    checkpoints.close()
    assert checkpoints.steps() == [10, 30, 40]
    with pytest.raises(CheckpointError, match='step 10 is damaged'):
        checkpoints.best_step()


@pytest.mark.parametrize('damage', ['flip', 'truncate', 'remove', 'folder'])
def test_damage_of_the_frozen_prefix(says, workdir, damage):
    path = workdir / 'frozen' / 'manifest.ocdbt'
    words = {'flip': 'differs', 'truncate': 'truncated', 'remove': 'is missing', 'folder': 'does not exist'}[damage]
    if damage == 'flip':
        flip(path)
    elif damage == 'truncate':
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == 'remove':
        path.unlink()
    else:
        shutil.rmtree(path.parent)
    with pytest.raises(CheckpointError, match=words) as e:
        Checkpoints(workdir).verify(30)
    assert str(path if damage != 'folder' else path.parent) in str(e.value)
    assert says(str(e.value), 'frozen ... train again')


def interrupt(workdir, step):
    """Leaves a step as a kill in the middle of its writing does."""
    (step_folder(workdir, step) / MANIFEST).unlink()
    begin_change(step_folder(workdir, step), 'saving')


def test_an_unfinished_step_is_not_seen(workdir):
    interrupt(workdir, 30)
    checkpoints = Checkpoints(workdir)
    assert (checkpoints.steps(), checkpoints.resolve('last')) == ([10, 20], 20)


def test_discarding_removes_later_and_unfinished_steps(workdir):
    interrupt(workdir, 10)
    begin_change(step_folder(workdir, 40), 'saving')
    (workdir / 'checkpoints' / '40.orbax-checkpoint-tmp-1').mkdir()
    Checkpoints(workdir).discard_after(20)
    assert sorted(p.name for p in (workdir / 'checkpoints').iterdir()) == ['20', 'run.json']
    assert find_damage(workdir / 'frozen') is None


def test_beginning_anew_removes_unfinished_steps_and_the_prefix_of_another_config(workdir):
    for step in (10, 20, 30):
        interrupt(workdir, step)
    before = read_manifest(workdir / 'frozen').run
    checkpoints = Checkpoints(workdir)
    assert checkpoints.steps() == []
    checkpoints.discard_after(None)
    assert list((workdir / 'checkpoints').iterdir()) == []
    other = {'params': {'stage1': {'kernel': jnp.full((4, 5), 0.2)}}}
    checkpoints.save_prefix(other)
    checkpoints.save(1, VARIABLES, OPT, meta(0.0))
    checkpoints.close()
    checkpoints.verify(1)
    stored = checkpoints.restore_variables(1, VARIABLES, other)[1]
    np.testing.assert_array_equal(stored['params']['stage1']['kernel'], np.float32(0.2))
    assert read_manifest(workdir / 'frozen').run == read_manifest(step_folder(workdir, 1)).run != before


def test_beginning_anew_in_a_new_folder(tmp_path):
    Checkpoints(tmp_path / 'new').discard_after(None)
    assert Checkpoints(tmp_path / 'new').steps() == []


def test_an_unfinished_prefix_is_written_again(tmp_path):
    begin_change(tmp_path / 'frozen', 'saving')
    (tmp_path / 'frozen').mkdir()
    (tmp_path / 'frozen' / 'half').touch()
    with Checkpoints(tmp_path).writing() as checkpoints:
        checkpoints.save_prefix(PREFIX)
    assert find_damage(tmp_path / 'frozen') is None
    assert not (tmp_path / 'frozen' / 'half').exists()


def test_a_manifest_of_part_of_a_folder(tmp_path):
    (tmp_path / 'meta').mkdir()
    for name in ('meta/a', 'b'):
        (tmp_path / name).write_text(name)
    write_manifest(tmp_path)
    flip(tmp_path / 'b', 0)
    assert find_damage(tmp_path, 'meta/') is None
    assert str(tmp_path / 'b') in find_damage(tmp_path)
    assert 'names no file other/' in find_damage(tmp_path, 'other/')
