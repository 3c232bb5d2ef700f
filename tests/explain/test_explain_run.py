"""Explanations of whole runs: windows of datasets and files, the page, the section of the report."""

from __future__ import annotations

import functools
import json
import re

import numpy as np
import pytest
import scipy.io

from fdx.data.pipeline import ArrayExamples
from fdx.evaluate.explanation_domains import domain_map
from fdx.evaluate.explanation_examples import MAX_PASSES, _cells_along_an_axis, explanation_examples
from fdx.evaluate.explanation_page import write_explanations
from fdx.evaluate.explanation_run import WindowExplainer
from fdx.evaluate.scoring import score_run
from fdx.explain import explanation
from fdx.explain.baseline import baseline_input
from fdx.explain.explanation import Explainer
from fdx.explain.occlusion import cells_of
from fdx.predict.load import load_predictor
from fdx.types import ConfigError, DataError


@pytest.fixture(scope='module')
def predictor(run):
    return load_predictor(run)


@pytest.fixture(scope='module')
def by(predictor) -> WindowExplainer:
    return WindowExplainer(Explainer(predictor))


@pytest.fixture(scope='module')
def written(by, predictor, tmp_path_factory):
    """(folder, windows, explanation.json, page) of one window per class, with a map of another machine."""
    folder = tmp_path_factory.mktemp('explained')
    with pytest.MonkeyPatch.context() as patch:
        # A coarse occlusion and one random order: the passes of a window, not its meaning, are fewer.
        patch.setattr(explanation, 'occlusion', functools.partial(explanation.occlusion, count=4))
        patch.setattr(explanation, 'random_curves', functools.partial(explanation.random_curves, count=1))
        windows = by.of_dataset(None, 'all', windows=1)
    domains = domain_map(predictor, None, 'bearing_rig/rig_a_small', None)
    page, _ = write_explanations(folder, windows, by, domains=domains, known_orders=(23,))
    return folder, windows, json.loads((folder / 'explanation.json').read_text()), page.read_text()


def test_each_class_has_a_window_with_all_methods(written, rig):
    _, windows, told, _ = written
    assert [w.label for w in windows] == rig.CLASSES
    for window, found in zip(windows, told['windows']):
        methods = found['methods']
        assert sorted(methods) == ['grad_cam', 'integrated_gradients', 'occlusion']
        assert np.shape(methods['occlusion']['values']) == (96, 64, 1) == window.explanation.x.shape
        whole = methods['integrated_gradients']['completeness']
        assert whole['gap'] == abs(whole['sum'] - whole['difference']) < 0.02
        assert found['explained'] == found['predicted']
        assert 'wider than the distance' in methods['occlusion']['orders']['reason']


def test_the_nearest_recordings_are_of_training_and_a_training_window_finds_itself(written, predictor):
    _, _, told, _ = written
    known = set(predictor.meta['train_recordings'])
    for found in told['windows']:
        names = [row['recording'] for row in found['nearest']]
        assert len(set(names)) == len(names) > 1 and set(names) <= known
        distances = [row['distance'] for row in found['nearest']]
        assert distances == sorted(distances)
    quick = WindowExplainer(Explainer(predictor, ['grad_cam']))
    own = quick.of_dataset(None, 'train', windows=1)[0]
    assert own.nearest[0]['recording'] == own.source and own.nearest[0]['distance'] == pytest.approx(0, abs=1e-4)


def test_the_page_stands_alone(written):
    folder, windows, told, page = written
    assert page.count('data:image/png;base64,') == 2 * len(windows) + 1
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert {p.name for p in folder.iterdir()} == {
        'explanation.json',
        'report.html',
        'domains.png',
        *(f'{name}_{i}.png' for name in ('window', 'curves') for i in range(3)),
    }
    assert told['baseline'] in page and told['domains']['target'] == 'bearing_rig/rig_a_small'
    assert 0 <= told['domains']['same_class']['after'] <= 1


def test_a_file_is_explained_by_its_surest_windows(predictor, rig, tmp_path):
    recording = next(r for r in rig.recordings(['rig_b']) if r.label == 'outer_race')
    path = tmp_path / 'motor.mat'
    scipy.io.savemat(path, {'DE_time': recording.samples})
    by = WindowExplainer(Explainer(predictor, ['grad_cam']))
    windows = by.of_file(path, windows=2, sample_rate_hz=rig.RATE_HZ, speed_rpm=997.0, bearing='skf_22240')
    assert [w.label for w in windows] == ['', ''] and windows[0].start_s < windows[1].start_s
    assert windows[0].explanation.condition.speed_rpm == 997.0
    assert windows[0].explanation.condition.geometry.num_balls == 19
    np.testing.assert_allclose(windows[0].explanation.probabilities.sum(), 1)


def test_another_class_can_be_asked_for(table_run):
    predictor = load_predictor(table_run)
    other = predictor.class_names[1]
    by = WindowExplainer(Explainer(predictor, ['occlusion']), explained_class=other)
    window = by.of_dataset(None, 'test', windows=1)[0]
    assert window.label == predictor.class_names[0] and window.explanation.explained == other
    with pytest.raises(ConfigError, match='`class_name`=gear: the run has the classes .*' + other):
        WindowExplainer(Explainer(predictor), explained_class='gear')


def test_what_cannot_be_explained_is_refused(predictor):
    with pytest.raises(ConfigError, match='`methods`=lime: some of integrated_gradients'):
        Explainer(predictor, ['lime'])
    with pytest.raises(ConfigError, match='`baseline`=noise: .* have typical, silence, zero'):
        Explainer(predictor, baseline='noise')
    with pytest.raises(DataError, match='not prepared'):
        WindowExplainer(Explainer(predictor, ['occlusion'])).of_dataset('bearing_rig/rig_c_small', 'test')


def test_without_its_dataset_a_run_still_explains_files(predictor, tmp_path):
    by = WindowExplainer(Explainer(predictor), data_dir=str(tmp_path))
    assert by.training is None and 'cannot be read here' in by.without_training


def test_baselines(predictor):
    typical, words = baseline_input(predictor)
    assert typical.shape == (96, 64, 1) and words.startswith('the mean spectrum')
    assert np.ptp(typical, axis=0).max() == 0 < np.ptp(typical[0])
    silence, _ = baseline_input(predictor, 'silence')
    np.testing.assert_allclose(silence, np.log(0.01), atol=1e-3)


def test_tables_are_explained_column_by_column(table_run):
    predictor = load_predictor(table_run)
    by = WindowExplainer(Explainer(predictor))
    window = by.of_dataset(None, 'test', windows=1)[0]
    e = window.explanation
    assert list(e.attributions) == ['integrated_gradients', 'occlusion'] and 'grad_cam' in e.skipped
    assert e.attributions['occlusion'].values.shape == (len(predictor.front_end.columns),)
    assert e.attributions['integrated_gradients'].completeness['gap'] < 0.1
    with pytest.raises(ConfigError, match='`speed_rpm`: the model reads tables'):
        by.of_file('readings.csv', speed_rpm=600.0)


def test_reports_have_one_picture_per_class_from_few_passes(run, table_run, monkeypatch):
    for folder in (run, table_run):
        scored = score_run(folder)
        passes = []
        real = type(scored.predictors[0]).log_odds

        def counted(self, examples, which, passes=passes, real=real):
            passes.append(len(examples))
            return real(self, examples, which)

        monkeypatch.setattr(type(scored.predictors[0]), 'log_odds', counted)
        figure = explanation_examples(scored)['explanations']
        assert 0 < sum(passes) <= MAX_PASSES
        assert len([a for a in figure.axes if a.get_title(loc='left')]) == len(passes)
        monkeypatch.undo()


@pytest.mark.parametrize('shape', [(96, 64, 1), (24, 6, 3), (1024, 1, 1), (128, 24, 3)])
@pytest.mark.parametrize('budget', [255, 84, 41])
def test_the_budget_is_kept(shape, budget):
    assert len(cells_of(shape, _cells_along_an_axis(shape, budget))) <= budget


def test_log_odds_do_not_end_where_probabilities_do(predictor):
    images = np.stack([k * np.ones((96, 64, 1), np.float32) for k in (0.1, 1.0)])
    examples = ArrayExamples(images, np.zeros(2, np.int32))
    p = predictor.probabilities(examples)[:, 1].astype(np.float64)
    np.testing.assert_allclose(predictor.log_odds(examples, 1), np.log(p / (1 - p)), rtol=1e-3, atol=1e-3)
