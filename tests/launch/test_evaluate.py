"""launch.evaluate from the command line: what it writes, prints and refuses."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import statistics

import numpy as np
import pytest

from fdx.evaluate import evaluate
from fdx.evaluate.intervals import clustered_interval, wilson_interval
from fdx.evaluate.predictions import load_predictions
from fdx.train import manifest

PNG = b'\x89PNG\r\n\x1a\n'


def results_of(folder: pathlib.Path) -> dict:
    return json.loads((folder / 'results.json').read_text())


@pytest.fixture(scope='module')
def clean(call, all_folds):
    """(folder of results, what the program left) of the pooled folds; no flag but --checkpoint."""
    workdir = all_folds[0]
    done = call('evaluate', f'--checkpoint={workdir}')
    assert done.code == 0, done.err
    return workdir / 'evaluation', done


@pytest.fixture(scope='module')
def leaky(call, leaking):
    """The same of the protocol random_windows, without figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, '_figures', lambda scored, results: {})
        done = call('evaluate', f'--checkpoint={leaking}')
    assert done.code == 0, done.err
    return leaking / 'evaluation', done


def test_results_json_holds_every_number_of_the_pooled_folds(clean, rig):
    results = results_of(clean[0])
    predictions = load_predictions(clean[0] / 'predictions.npz')
    assert (results['windows'], results['recordings'], results['folds']) == (30, 6, [0, 1, 2, 3, 4])
    assert len(set(zip(predictions.recordings, predictions.window_starts.tolist()))) == 30
    assert results['class_names'] == rig.CLASSES
    matrix = np.array(results['confusion_matrix'])
    hits = int(np.trace(matrix))
    assert matrix.sum(axis=1).tolist() == [10, 10, 10]
    assert hits == int((predictions.probabilities.argmax(axis=1) == predictions.labels).sum())
    assert results['accuracy'] == pytest.approx(hits / 30)
    correct, recordings = predictions.predicted == predictions.labels, np.array(predictions.recordings)
    assert results['accuracy_interval'] == pytest.approx(clustered_interval(correct, recordings))
    assert (results['interval_unit'], results['units'], results['bearings']) == ('recording', 6, 3)
    assert results['accuracy_interval_windows'] == pytest.approx(wilson_interval(hits, 30))
    low, high = results['accuracy_interval_bearings']
    assert high - low > results['accuracy_interval_windows'][1] - results['accuracy_interval_windows'][0]
    f1 = []
    for i, row in enumerate(results['per_class']):
        predicted = matrix[:, i].sum()
        assert row['class'] == rig.CLASSES[i]
        assert row['recall'] == pytest.approx(matrix[i, i] / 10)
        assert row['precision'] == pytest.approx(matrix[i, i] / predicted if predicted else 0)
        mine = predictions.labels == i
        assert row['recall_interval'] == pytest.approx(clustered_interval(correct[mine], recordings[mine]))
        assert row['units'] == 2
        f1.append(2 * matrix[i, i] / (10 + predicted))
    assert results['macro_f1'] == pytest.approx(np.mean(f1))
    assert (results['seed'], results['protocol'], results['split']) == (0, 'time_blocks', 'test')
    assert results['dataset'] == results['trained_on'] == 'bearing_rig/rig_b_small:2.0.0'
    assert results['selection_criterion'] == 'validation loss'
    assert len(results['steps']) == 5
    assert results['config']['model_options'] == {'width_multiplier': rig.WIDTH}


def test_standard_output_is_the_table_and_the_place_of_the_report(clean):
    folder, done = clean
    results, lines = results_of(folder), done.out.splitlines()
    assert lines[0].split() == ['class', 'precision', '%', 'recall', '%', 'windows']
    assert [line.split()[0] for line in lines[2:5]] == results['class_names']
    assert lines[5].startswith(f'accuracy {100 * results["accuracy"]:.2f}% (95% interval ')
    assert '% by recording (6), ' in lines[5] and '% by bearing (3), ' in lines[5]
    assert '% if windows were independent), macro F1' in lines[5]
    assert f'macro F1 {results["macro_f1"]:.4f}, 30 windows of 6 recordings' in lines[5]
    assert lines[6:] == [f'report: {folder / "report.html"}']


def test_pngs_are_pngs(clean):
    names = {'confusion', 'per_class', 'history', 'reliability', 'samples', 'embedding', 'embedding_profile'}
    names.add('explanations')
    assert {p.stem for p in clean[0].glob('*.png')} == names
    for path in clean[0].glob('*.png'):
        content = path.read_bytes()
        assert content.startswith(PNG) and len(content) > 2000, path.name
        assert content.rstrip().endswith(b'IEND\xaeB`\x82')


def test_the_report_is_one_file_that_names_how_it_was_made(clean):
    page = (clean[0] / 'report.html').read_text()
    for words in ('bearing_rig/rig_b_small:2.0.0', 'time_blocks', 'validation loss', 'normal, inner_race, outer_race'):
        assert words in page, words
    references = re.findall(r'(?:src|href)="([^"]*)"|url\(([^)]*)\)', page)
    uris = [a or b for a, b in references]
    assert len(uris) >= 6
    assert all(uri.startswith('data:image/png;base64,') for uri in uris)
    assert '<script src' not in page and '<link' not in page and '@import' not in page


def test_leaks_are_marked_everywhere_and_only_where_they_are(clean, leaky):
    results = results_of(clean[0])
    assert (results['leaks'], results['leak_share'], results['leak_reason']) == (False, 0.0, '')
    assert 'LEAKS' not in clean[1].out
    assert '<section class="mark leak"' not in (clean[0] / 'report.html').read_text()
    results = results_of(leaky[0])
    assert (results['leaks'], results['leak_share'], results['protocol']) == (True, 1.0, 'random_windows')
    assert 'random_windows' in results['leak_reason']
    assert results['seed'] == 3
    assert 'LEAKS: protocol random_windows deals windows of the same recordings' in leaky[1].out
    assert '(100% of the scored windows)' in leaky[1].out
    assert '<section class="mark leak"' in (leaky[0] / 'report.html').read_text()


@pytest.fixture
def no_figures(monkeypatch):
    """Drawing takes seconds and is tested above."""
    monkeypatch.setattr(evaluate, '_figures', lambda scored, results: {})


def test_a_moved_data_folder_is_named_by_a_flag(call, all_folds, data_dir, rig, tmp_path, no_figures):
    (tmp_path / 'runs').mkdir()
    moved = tmp_path / 'moved'
    shutil.copytree(data_dir, moved)
    shutil.copytree(all_folds[0] / 'fold_0', tmp_path / 'runs' / 'one')
    workdir = tmp_path / 'runs' / 'one'
    for path in workdir.rglob('metadata'):
        if path.parent.name == 'meta':
            text = path.read_text().replace(json.dumps(str(data_dir)), json.dumps(str(tmp_path / 'gone')))
            path.write_text(text)
    for step in (workdir / 'checkpoints').iterdir():
        if step.name.isdigit():
            manifest.write_manifest(step)
    done = call('evaluate', f'--checkpoint={workdir}')
    assert done.code == 1
    assert str(tmp_path / 'gone') in done.error and '--data_dir' in done.error.partition('or, if')[2]
    assert not (workdir / 'evaluation').exists()
    done = call('evaluate', f'--checkpoint={workdir}', f'--data_dir={moved}')
    assert done.code == 0
    assert results_of(workdir / 'evaluation')['windows'] == 6


def test_another_dataset_is_scored_whole_with_no_leak(call, all_folds, tmp_path, no_figures):
    workdir = all_folds[0] / 'fold_0'
    done = call('evaluate', f'--checkpoint={workdir}', '--dataset=bearing_rig/rig_a_small', '--split=all')
    assert done.code == 0, done.err
    results = results_of(workdir / 'evaluation_all_bearing_rig-rig_a_small')
    assert (results['dataset'], results['windows']) == ('bearing_rig/rig_a_small:2.0.0', 30)
    assert results['trained_on'] == 'bearing_rig/rig_b_small:2.0.0'
    assert results['leaks'] is False
    out = tmp_path / 'own'
    done = call('evaluate', f'--checkpoint={workdir}', '--split=all', f'--out={out}')
    assert 'LEAKS: recordings of this dataset were trained on (100% of the scored windows)' in done.out
    assert results_of(out)['leaks'] is True


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--dataset=bearing_rig/rig_b_small-vggish_none'], 'front end vggish_none, ... checkpoint ... vggish'),
        (['--dataset=bearing_rig/rig_z'], "'bearing_rig/rig_z' is not prepared"),
        (['--split=best'], '--split=best: ... train, validation, test, all'),
        (['--step=3'], "step '3' ... 5, 10"),
        (['--data_dir=nowhere'], 'not prepared in nowhere'),
    ],
)
def test_what_does_not_fit_is_one_line(says, call, all_folds, tmp_path, flags, words):
    done = call('evaluate', f'--checkpoint={all_folds[0] / "fold_0"}', *flags, f'--out={tmp_path / "out"}')
    assert done.code == 1
    assert says(done.error, words)
    assert not (tmp_path / 'out').exists()


def test_no_run_there(call, tmp_path):
    done = call('evaluate', f'--checkpoint={tmp_path}')
    assert 'holds no checkpoints, neither its own nor in fold_0' in done.error
    assert '--checkpoint is empty' in call('evaluate', '--checkpoint=').error


def test_several_runs_are_scored_apart_with_mean_and_deviation(call, all_folds, leaking, tmp_path, no_figures):
    runs = [all_folds[0], leaking, all_folds[0] / 'fold_2']
    done = call('evaluate', f'--checkpoint={",".join(map(str, runs))}', f'--out={tmp_path}')
    assert done.code == 0, done.err
    assert done.out.count('report: ') == 3
    scored = [results_of(tmp_path / run.name) for run in runs]
    spread = json.loads((tmp_path / 'spread.json').read_text())
    for name in ('accuracy', 'macro_f1'):
        values = [r[name] for r in scored]
        mean, deviation = statistics.mean(values), statistics.stdev(values)
        assert f'{name}: mean {mean:.4f}, standard deviation {deviation:.4f}, 3 runs' in done.out.splitlines()
        assert spread[name] == pytest.approx({'mean': mean, 'standard_deviation': deviation})


def test_runs_of_the_same_name_do_not_overwrite_each_other(call, all_folds, tmp_path, no_figures):
    for parent in ('a', 'b'):
        shutil.copytree(all_folds[0] / 'fold_1', tmp_path / parent / 'run')
    runs = f'{tmp_path / "a" / "run"},{tmp_path / "b" / "run"}'
    done = call('evaluate', f'--checkpoint={runs}', f'--out={tmp_path / "out"}')
    assert done.code == 0
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == ['0_run', '1_run', 'spread.json']
    assert 'standard deviation 0.0000, 2 runs' in done.out
