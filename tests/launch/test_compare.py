"""launch.compare, slim: strategies by seeds by protocols, stopped and gone on with, one report; what it refuses."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, precision_score

from fdx.benchmarks import compare_runs as comparison_runs
from fdx.train.checkpoints import Checkpoints

STRATEGIES, SEEDS, PROTOCOLS = ('head', 'scratch'), (3, 4), ('time_blocks', 'random_windows')
RUNS = [(p, s, seed) for p in PROTOCOLS for seed in SEEDS for s in STRATEGIES]


def folder(workdir: pathlib.Path, protocol: str, strategy: str, seed: int) -> pathlib.Path:
    return workdir / protocol / strategy / f'seed_{seed}' / 'fold_0'


@pytest.fixture(scope='module')
def args(rig, data_dir):
    return [
        '--dataset=bearing_rig/rig_b_small',
        f'--data_dir={data_dir}',
        '--model=vggish',
        f'--model_option=width_multiplier={rig.WIDTH}',
        '--model_option=head_input=embedding_linear',
        '--strategies=head,scratch',
        '--seeds=2',
        '--seed=3',
        '--epochs=2',
        '--save_every=1',
        '--batch_size=4',
        '--learning_rate=0.02',
    ]


@pytest.fixture(scope='module')
def stopped_and_done(call, args, tmp_path_factory):
    """A comparison that SIGTERM stops in the first epoch of its third run, and the same command again."""
    workdir = tmp_path_factory.mktemp('runs') / 'compare'
    command = ('compare', *args, '--pretrain_dataset=bearing_rig/rig_a_small', f'--workdir={workdir}')
    trained = []

    def stopping(config, run_dir, *, on_epoch, **options):
        trained.append(run_dir)
        third = len(trained) == 4  # The pretraining comes first.
        return train(config, run_dir, on_epoch=lambda row: third and os.kill(os.getpid(), signal.SIGTERM), **options)

    train = comparison_runs.train
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison_runs, 'train', stopping)
        stopped = call(*command)
        assert not (workdir / 'comparison.json').exists()
        done = call(*command)
    assert done.code == 0, done.err
    return workdir, command, stopped, done, trained


@pytest.fixture(scope='module')
def results(stopped_and_done):
    return json.loads((stopped_and_done[0] / 'comparison.json').read_text())


def stored(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True classes, predicted classes and recordings of a run, without fdx."""
    with np.load(path / 'predictions.npz') as file:
        return file['labels'], file['probabilities'].argmax(axis=1), file['recordings']


def test_a_stopped_comparison_goes_on_in_the_middle_of_a_run(stopped_and_done):
    workdir, _, stopped, done, trained = stopped_and_done
    assert stopped.code == 143
    assert 'SIGTERM' in stopped.error
    in_order = [workdir / 'pretrain', *(folder(workdir, *run) for run in RUNS)]
    # The third run is called twice, all others once.
    assert trained == in_order[:4] + in_order[3:]
    assert done.out.count('finished before') == 3
    assert [line[:5] for line in done.out.splitlines() if line.startswith('[') and '/' in line[:4]] == [
        f'[{i}/8]' for i in range(1, 9)
    ]
    for run in RUNS:
        path = folder(workdir, *run)
        assert len(json.loads((path / 'score.json').read_text())['history']) == 2
        checkpoints = Checkpoints(path)
        assert len(checkpoints.steps()) == 1  # --keep_checkpoints=best
        checkpoints.verify(checkpoints.best_step())


def test_the_stopped_run_and_its_score_are_those_of_the_other_programs(call, stopped_and_done, args, tmp_path):
    workdir = stopped_and_done[0]
    own = [a for a in args if not a.startswith(('--strategies', '--seeds', '--seed='))]
    study = ['--halve_every=0', '--dropout_rate=0', '--l2=0']
    run = ('time_blocks', 'head', SEEDS[1])
    fresh = [*own, *study, f'--init={workdir / "pretrain"}', '--freeze=head', f'--seed={SEEDS[1]}']
    assert call('train', *fresh, f'--workdir={tmp_path}').code == 0
    assert call('evaluate', f'--checkpoint={tmp_path}').code == 0
    expected = json.loads((tmp_path / 'evaluation' / 'results.json').read_text())
    score = json.loads((folder(workdir, *run) / 'score.json').read_text())
    meta = Checkpoints(tmp_path).meta(Checkpoints(tmp_path).best_step())
    assert score['meta']['config'] == meta['config']
    assert [score['meta']['step']] == expected['steps']
    with np.load(folder(workdir, *run) / 'predictions.npz') as a, np.load(tmp_path / 'evaluation/predictions.npz') as b:
        np.testing.assert_array_equal(a['probabilities'], b['probabilities'])


def test_the_numbers_are_means_over_the_seeds_own_predictions(stopped_and_done, results):
    workdir, _, _, done, _ = stopped_and_done
    assert results['seeds'] == list(SEEDS)
    assert [p['protocol'] for p in results['protocols']] == list(PROTOCOLS)
    for part in results['protocols']:
        for name in STRATEGIES:
            row, of_seed = part['strategies'][name], []
            matrix = 0
            for seed in SEEDS:
                y, p, recordings = stored(folder(workdir, part['protocol'], name, seed))
                # One test window a recording in this rig: the vote is the window's own.
                assert len(set(recordings)) == len(recordings)
                options = {'labels': np.unique(y), 'zero_division': 0}
                of_seed.append(
                    {
                        'accuracy': (y == p).mean(),
                        'weighted_precision': precision_score(y, p, average='weighted', **options),
                        'weighted_recall': (y == p).mean(),
                        'weighted_f1': f1_score(y, p, average='weighted', **options),
                        'macro_precision': precision_score(y, p, average='macro', **options),
                        'macro_recall': balanced_accuracy_score(y, p),
                        'macro_f1': f1_score(y, p, average='macro', **options),
                        'recording_vote_accuracy': (y == p).mean(),
                    }
                )
                matrix = matrix + confusion_matrix(y, p, labels=range(3))
            for key in of_seed[0]:
                a, b = (values[key] for values in of_seed)
                assert row[key]['values'] == pytest.approx([a, b])
                assert row[key]['mean'] == pytest.approx((a + b) / 2)
                assert row[key]['standard_deviation'] == pytest.approx(abs(a - b) / 2**0.5)
            assert row['confusion_matrix'] == matrix.tolist()
            line = f'{100 * row["accuracy"]["mean"]:.1f} ± {100 * row["accuracy"]["standard_deviation"]:.1f}'
            at = done.out.index(f'\n{part["protocol"]} (')
            assert line in next(text for text in done.out[at:].splitlines() if text.startswith(name))


def test_strategies_start_train_and_leak_as_they_say(stopped_and_done, results):
    workdir = stopped_and_done[0]
    head, scratch = results['strategies']
    assert (head['trained_values'], head['frozen_stages']) == (4 * 3 + 3, 7)
    assert scratch['trained_values'] > 50_000
    step = Checkpoints(workdir / 'pretrain').best_step()
    assert head['origin'] == results['weights'] == f'{workdir}/pretrain step {step} (bearing_rig/rig_a_small:2.0.0)'
    assert scratch['origin'] == 'random'
    honest, leaky = results['protocols']
    assert (honest['leaks'], honest['leak_share'], honest['windows']) == (False, 0.0, 6)
    assert (leaky['leaks'], leaky['leak_share']) == (True, 1.0)
    assert 'random_windows' in leaky['leak_reason']
    assert 'random_windows (LEAKS, 100% of the scored windows)' in stopped_and_done[3].out
    assert results['seen_recordings'] == []


def test_the_report_stands_alone_and_the_figures_lie_beside_it(stopped_and_done, results):
    workdir = stopped_and_done[0]
    page = (workdir / 'report.html').read_text()
    assert page.count('src="data:image/png;base64,') == 4 == page.count('<img')
    assert 'http' not in page
    assert 'This protocol leaks' in page and 'No leakage found' in page
    assert 'chosen by validation loss' in page and 'One budget for every strategy: 2 epochs of batches of 4' in page
    assert str(workdir / 'pretrain') in page
    for name in ('loss_time_blocks', 'confusion_random_windows'):
        assert (workdir / f'{name}.png').read_bytes().startswith(b'\x89PNG')


def test_a_finished_comparison_trains_and_scores_nothing_and_gives_the_same(call, stopped_and_done, monkeypatch):
    workdir, command, _, _, _ = stopped_and_done
    before = (workdir / 'comparison.json').read_text()
    (workdir / 'report.html').unlink()
    monkeypatch.setattr(comparison_runs, 'train', None)
    monkeypatch.setattr(comparison_runs, 'score_run', None)
    again = call(*command)
    assert again.code == 0, again.err
    assert again.out.count('finished before') == 9
    assert (workdir / 'comparison.json').read_text() == before
    assert (workdir / 'report.html').is_file()


def test_a_run_that_lost_its_checkpoint_is_trained_again(call, stopped_and_done, monkeypatch, results, tmp_path):
    workdir, command, _, _, _ = stopped_and_done
    lost = folder(workdir, 'time_blocks', 'head', 4)
    kept = tmp_path / 'kept'
    shutil.copytree(lost, kept)
    shutil.rmtree(lost / 'checkpoints')
    again = call(*command)
    assert again.code == 0, again.err
    assert again.out.count('finished before') == 8
    np.testing.assert_array_equal(stored(lost)[1], stored(kept)[1])
    values = json.loads((workdir / 'comparison.json').read_text())['protocols'][0]['strategies']['head']['accuracy']
    assert values == results['protocols'][0]['strategies']['head']['accuracy']
