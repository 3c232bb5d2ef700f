"""launch.adapt: from one simulated machine to another, a table, a page; seeds; resuming."""

from __future__ import annotations

import json
import os
import pathlib
import signal

import numpy as np
import pytest

from fdx.train.checkpoints import Checkpoints
from fdx.train.model_setup import load_run
from launch import display

SELECTIONS = ['last', 'source_risk', 'dev', 'snd', 'entropy', 'infomax', 'nuclear_norm', 'oracle']
FROM_TO = ('--source=bearing_rig/machines_small:rig_a', '--target=bearing_rig/machines_small:rig_b')
# Another criterion than the default one.
MCC = ('--method=mcc', '--select_by=snd')


@pytest.fixture(scope='module')
def machines(rig, tmp_path_factory) -> pathlib.Path:
    """Three machines, each a domain, in small."""
    folder = tmp_path_factory.mktemp('machines')
    rig.prepare(folder, 'machines_small')
    return folder


@pytest.fixture(scope='module')
def args(machines) -> list[str]:
    """Flags of a run that takes seconds."""
    options = ['--model_option=width_multiplier=0.25', '--epochs=2', '--batch_size=8']
    return [*FROM_TO, f'--data_dir={machines}', *options]


@pytest.fixture(scope='module')
def mcc(call, args, tmp_path_factory):
    """(workdir, what the program left) of a run."""
    workdir = tmp_path_factory.mktemp('runs') / 'mcc'
    done = call('adapt', *args, *MCC, f'--workdir={workdir}')
    assert done.code == 0, done.err
    return workdir, done


def results(workdir: pathlib.Path) -> dict:
    return json.loads((workdir / 'results.json').read_text())


def history(workdir: pathlib.Path) -> list[dict]:
    """The epochs of a run, without their seconds."""
    checkpoints = Checkpoints(workdir)
    rows = checkpoints.meta(checkpoints.resolve('last'))['history']
    return [{k: v for k, v in row.items() if k != 'seconds'} for row in rows]


def test_a_table_a_page_and_what_they_stand_on(mcc):
    workdir, done = mcc
    found = results(workdir)
    # Three blocks of every recording of the source train and a fourth one, its test part, is learned from, too.
    assert found['windows'] == {'source_train': 24, 'source_validation': 6, 'target_train': 18, 'target_test': 6}
    assert found['classes'] == ['normal', 'inner_race', 'outer_race']
    assert (found['method'], found['model'], found['seed'], found['criterion']) == ('mcc', 'cnn_small', 0, 'snd')
    lines = done.out.splitlines()
    assert sum(line.startswith('epoch ') for line in lines) == 2
    assert not any('target' in line for line in lines if line.startswith('epoch '))
    rows = {row['selection']: row for row in found['selections']}
    assert list(rows) == SELECTIONS
    for name, row in rows.items():
        line = next(text for text in lines if text.startswith(f'{name} '))
        assert f'{100 * row["accuracy"]:.1f}' in line
        assert ('not usable: reads target labels' in line) == (name == 'oracle')
        assert ('select_by' in line) == (name == 'snd')
    assert lines[-1] == f'report: {workdir / "report.html"}'
    for name in ('report.html', 'history.png', 'confusion.png', 'domains.png', 'metrics.jsonl'):
        assert (workdir / name).is_file()


def test_the_kept_network_is_the_one_that_the_criterion_chose(mcc):
    found = results(mcc[0])
    rows = history(mcc[0])
    chosen = min(reversed(rows), key=lambda row: row['snd'])
    kept = found['kept']
    assert (kept['step'], kept['epoch']) == (chosen['step'], chosen['epoch'])
    # Scored anew from the checkpoint: the same windows have the same score.
    assert kept['accuracy'] == pytest.approx(chosen['oracle_target_accuracy'])
    assert kept['macro_f1'] == pytest.approx(chosen['oracle_target_macro_f1'])
    assert np.sum(kept['confusion_matrix']) == kept['windows'] == 6
    assert np.trace(kept['confusion_matrix']) == round(6 * kept['accuracy'])
    assert 0 <= found['a_distance']['after'] <= 2
    assert found['plan']['source'] == 'bearing_rig/machines_small:rig_a'
    assert found['config']['dataset'] == 'bearing_rig/machines_small'


def test_a_finished_command_given_again_trains_nothing_and_another_is_refused(call, args, mcc):
    workdir, _ = mcc
    before, step = history(workdir), results(workdir)['kept']
    done = call('adapt', *args, *MCC, f'--workdir={workdir}')
    assert (done.code, 'epoch ' in done.out.partition('chosen by')[0]) == (0, False)
    assert history(workdir) == before
    assert results(workdir)['kept'] == step
    other = call('adapt', *args, '--method=dann', f'--workdir={workdir}')
    assert 'the workdir holds another adaptation' in other.error


def test_sigterm_saves_and_the_same_command_ends_with_the_same_numbers(call, args, mcc, tmp_path, monkeypatch):
    command = ('adapt', *args, *MCC, f'--workdir={tmp_path}')
    asked = []

    def stop_once(iterable, *, desc='', total=None):
        del total
        if desc.startswith('epoch 2/') and not asked:
            asked.append(desc)
            os.kill(os.getpid(), signal.SIGTERM)
        return iterable

    monkeypatch.setattr(display, 'progress', stop_once)
    stopped = call(*command)
    assert (stopped.code, 'run the same command' in stopped.error) == (143, True)
    assert len(history(tmp_path)) == 1
    monkeypatch.undo()
    assert call(*command).code == 0
    # The terms are the same to rounding: their sums are added up in two pieces.
    for one, other in zip(history(tmp_path), history(mcc[0]), strict=True):
        assert one == pytest.approx(other)


@pytest.fixture(scope='module')
def two_seeds(call, args, tmp_path_factory):
    """(workdir, what the program left) of seeds 3 and 4, without adaptation."""
    workdir = tmp_path_factory.mktemp('runs') / 'seeds'
    done = call('adapt', *args, '--method=source_only', '--seeds=2', '--seed=3', f'--workdir={workdir}')
    assert done.code == 0, done.err
    return workdir, done


def test_seeds_have_a_folder_each_and_their_spread_is_shown(two_seeds):
    workdir, done = two_seeds
    assert sorted(p.name for p in workdir.iterdir()) == ['seed_3', 'seed_4']
    found = [results(workdir / f'seed_{seed}') for seed in (3, 4)]
    assert [r['seed'] for r in found] == [3, 4]
    spread = done.out.partition('2 seeds, mean ± standard deviation:')[2]
    for i, name in enumerate(SELECTIONS):
        one, other = (100 * r['selections'][i]['accuracy'] for r in found)
        line = next(text for text in spread.splitlines() if text.startswith(f'{name} '))
        assert f'{(one + other) / 2:.1f} ± {abs(one - other) / 2**0.5:.1f} ' in line
        assert ('not usable: reads target labels' in line) == (name == 'oracle')


def test_a_frozen_network_is_cached_and_its_features_stay_where_they_were(call, args, tmp_path):
    done = call('adapt', *args, '--method=mcc', '--freeze=head', '--cache_features=on', f'--workdir={tmp_path}')
    assert done.code == 0, done.err
    found = results(tmp_path)
    assert (found['freeze'], found['a_distance']['before']) == ('head', found['a_distance']['after'])
    # Frozen stages and a trained head together give, from the checkpoint, what the run had in its last epochs.
    row = next(r for r in found['history'] if r['step'] == found['kept']['step'])
    assert found['kept']['accuracy'] == pytest.approx(row['oracle_target_accuracy'])
    before, kept = (load_run(tmp_path, step)[0]['params'] for step in (3, 6))
    np.testing.assert_array_equal(before['bottleneck']['kernel'], kept['bottleneck']['kernel'])
    assert np.abs(before['head']['kernel'] - kept['head']['kernel']).max() > 1e-4


def test_target_statistics_are_those_of_the_kept_network(call, args, two_seeds, tmp_path):
    done = call('adapt', *args, '--method=adabn', '--seed=3', f'--workdir={tmp_path}')
    assert done.code == 0, done.err
    (source, _, _), (adapted, _, _) = (load_run(folder, 'last') for folder in (two_seeds[0] / 'seed_3', tmp_path))
    kernels, means = (
        [np.asarray(v[tree]['stage1'][layer][name]) for v in (source, adapted)]
        for tree, layer, name in (('params', 'conv', 'kernel'), ('batch_stats', 'bn', 'mean'))
    )
    np.testing.assert_array_equal(*kernels)
    assert np.abs(means[0] - means[1]).max() > 1e-3
    assert 'batch statistics are measured on 18 windows' in (tmp_path / 'report.html').read_text()
