"""`make demo`, slim: three trainings, one table, a report, and commands that say what was done."""

import json
import shlex

import pytest

from fdx.train.checkpoints import Checkpoints


@pytest.fixture(scope='module')
def demo(call, data_dir, tmp_path_factory):
    """The demo where no package index is to be had."""
    workdir = tmp_path_factory.mktemp('runs') / 'demo'
    args = [f'--workdir={workdir}', f'--data_dir={data_dir}', '--width_multiplier=0.03125']
    args += ['--pretrain_epochs=2', '--labels_per_class=2']
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
    assert set(summary) == {'pretrain', 'transfer', 'scratch', 'music'}
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


def test_without_an_index_the_music_is_left_out_and_the_reason_told(demo):
    workdir, done, _ = demo
    assert json.loads((workdir / 'summary.json').read_text())['music'] == {}
    lines = [line for line in done.out.splitlines() if 'trained on music is left out' in line]
    assert len(lines) == 2
    assert 'musicnn==0.1.0: pip cannot get it' in lines[0]
    assert '`pip download --no-deps musicnn==0.1.0` and put musicnn-0.1.0-py3-none-any.whl into' in lines[0]


def test_a_second_call_finds_its_work_done_and_hears_the_music(call, demo, music_cache, monkeypatch):
    workdir, first, args = demo
    monkeypatch.setenv('FDX_CACHE', str(music_cache))
    again = call('demo', *args)
    assert again.code == 0, again.err
    assert 'epoch' in first.out
    assert 'epoch  ' not in again.out
    rows = [[r for r in done.out.splitlines() if r.startswith(('rig_a ->', 'rig_b from'))] for done in (first, again)]
    assert rows[0] == rows[1]
    summary = json.loads((workdir / 'summary.json').read_text())['music']
    assert set(summary) == {'trained on music', 'untrained', 'no network'}
    for words, name in (('musicnn_vgg trained on music, frozen', 'trained on music'), ('no network', 'no network')):
        line = next(row for row in again.out.splitlines() if row.startswith(words))
        for shots in ('1', '2'):
            found = summary[name][shots]
            assert f'{100 * found["mean"]:.1f} ± {100 * found["standard_deviation"]:.1f}' in line
    assert (workdir / 'music' / 'report.html').exists()
