"""The top of a report: what a run adds to results.json, and what the page says of it."""

from __future__ import annotations

import html
import json
import re
import types

import numpy as np
import pytest

from fdx.data.pipeline import RecordExamples
from fdx.data.prepare import prepare_if_missing
from fdx.data.protocols.splits import folds_of, split_rows
from fdx.data.source import open_dataset
from fdx.datasets.bearing_rig import bearing_rig_dataset_builder
from fdx.datasets.bearing_rig.simulator import recordings as simulate
from fdx.evaluate import evaluate as evaluate_module
from fdx.evaluate.data_figures import worst_spectrograms
from fdx.evaluate.evaluate import evaluate
from fdx.evaluate.for_a_person import findings_of, for_a_person
from fdx.evaluate.metrics import summarise
from fdx.evaluate.predictions import Predictions, load_predictions
from fdx.evaluate.recordings import per_recording
from fdx.evaluate.report import ReportContext, render_report
from fdx.evaluate.scoring import score_run
from fdx.train.config import TrainConfig
from tests.evaluate.person_tables import NAMES, called, facts, of_class, results_of

HEADINGS = [
    'What the score means', 'What would help most', 'What the data are', 'Which class was taken for which',
    'The worst recordings', 'The numbers',
]  # fmt: skip


def prose(page: str) -> str:
    """The text of a page."""
    page = re.sub(r'<style>.*?</style>', '', page, flags=re.DOTALL)
    return re.sub(r'\s+', ' ', html.unescape(re.sub(r'<[^>]*>', ' ', page)))


@pytest.fixture(scope='module')
def scored(run, tmp_path_factory):
    """(folder, results, text of the page) of fold 0 of time_blocks; figures of the old part are not drawn."""
    out = tmp_path_factory.mktemp('evaluation')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate_module, '_figures', lambda scored, results: {})
        results = evaluate(run, out)
    return out, results, (out / 'report.html').read_text()


def test_the_page_says_what_results_json_holds(scored):
    out, results, page = scored
    assert json.loads((out / 'results.json').read_text())['score_in_words'] == results['score_in_words']
    text = prose(page)
    verdicts = per_recording(load_predictions(out / 'predictions.npz'))
    right = sum(row['predicted_mean'] == row['label'] for row in verdicts)
    assert f'{right} of 6 recordings were diagnosed rightly.' in text
    for sentence in (*results['score_in_words'], *results['what_helps']):
        assert sentence['text'] in text
    assert np.trace(np.array(results['recording_confusion_matrix'])) == right
    low, high = results['recording_accuracy']['mean_probability_interval']
    assert f'between {round(100 * low)} and {round(100 * high)} would be diagnosed rightly' in text
    assert 'of which it has learned another part' in text
    assert re.findall(r'<h2>(.*?)</h2>', page)[:2] == HEADINGS[:2]
    assert [h for h in re.findall(r'<h2>(.*?)</h2>', page) if h in HEADINGS] == HEADINGS
    assert (results['guess']['of'], results['guess']['right'], results['data']['recordings']) == (6, 2, 6)
    assert results['what_helps'] and len(results['what_helps']) <= 4
    assert 'few_recordings' in {advice['rule'] for advice in results['what_helps']}


def test_the_page_stands_alone_and_fits_a_phone(scored):
    page = scored[2]
    assert '<script' not in page and 'name="viewport" content="width=device-width, initial-scale=1"' in page
    # Two matrices, five recordings and the training curves.
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 8 and all(s.startswith('data:image/png;base64,') for s in sources)


def test_the_worst_recordings_are_shown_with_time_and_frequency(run, scored):
    results, page = scored[1], scored[2]
    worst = results['worst_recordings']
    assert len(worst) == 5
    shown = re.findall(r'<p class="id">(.*?)</p>', page)
    assert shown == [row['recording'] for row in worst]
    of_run = score_run(run)
    figures = worst_spectrograms(of_run, worst)
    data = of_run.examples[0].dataset
    for figure, row in zip(figures, worst):
        (cell,) = [axes for axes in figure.axes if axes.images and axes.get_label() != '<colorbar>']
        assert (cell.get_xlabel(), cell.get_ylabel()) == ('time (s)', 'frequency (Hz)')
        record = int(of_run.examples[0].rows[row['row']])
        assert data.table['recording'][record] == row['recording']
        np.testing.assert_allclose(cell.images[0].get_array(), data.inputs(record)[..., 0].T)
    assert len({figure.axes[0].images[0].get_clim() for figure in figures}) == 1


def test_windows_of_later_folds_are_found(two_folds):
    of_run = score_run(two_folds)
    ends = np.cumsum([len(e) for e in of_run.examples])
    rows = [0, int(ends[0]), int(ends[1]) - 1]
    figures = worst_spectrograms(of_run, [{'row': row, 'label': 'x'} for row in rows])
    for row, figure in zip(rows, figures):
        fold = int(row >= ends[0])
        examples = of_run.examples[fold]
        expected = examples[row - fold * int(ends[0])]['inputs'][..., 0].T
        np.testing.assert_allclose(figure.axes[0].images[0].get_array(), expected)
    assert worst_spectrograms(of_run, []) == []


def test_pooled_folds_and_single_ones(run, two_folds):
    done = {s['kind']: s['text'] for s in for_a_person(score_run(run), _provenance(run))['score_in_words']}
    assert done['protocol'].endswith('diagnosed another one of the same recording.')
    two = score_run(two_folds)
    # Two folds of five are not all: nothing was left out in turn.
    assert 'in turn' not in for_a_person(two, _provenance(two_folds))['score_in_words'][1]['text']


def _provenance(workdir) -> dict:
    of_run = score_run(workdir)
    return {**summarise(of_run.predictions), **evaluate_module.provenance(of_run, 'test')}


def test_findings_of_the_inspection_are_repeated_once():
    one, other = {'kind': 'shortcut', 'text': 'The level tells the classes apart.'}, {'kind': 'x', 'text': ' Clipped. '}
    found = findings_of({'findings': [one]}, {'findings': [other], 'dataset': {'findings': [one]}})
    assert found == [one, {'kind': 'x', 'text': 'Clipped.'}]
    assert findings_of({}, {}) == findings_of({'findings': None}, {'findings': [{'kind': 'x'}]}) == []


def page_of(predictions, data, **changes) -> str:
    results, _ = results_of(predictions, data, **changes)
    more = {'score_in_words': [], 'what_helps': [], 'findings': []}
    return render_report(ReportContext({**more, **results}))


@pytest.fixture
def written_data():
    more = {'unnamed': 0, 'seconds': 120.0, 'rate_hz': 100.0, 'channels': 1, 'channel_names': [], 'unit': 'g'}
    return facts([of_class(name, 20) for name in NAMES], **more)


def test_the_page_repeats_findings_as_text(written_data):
    finding = {'kind': 'shortcut', 'text': 'The <b>level</b> tells the classes apart.'}
    page = page_of(called({(n, n): 2 for n in NAMES}), written_data, findings=[finding])
    assert '<h2>What the data cannot show</h2>' in page
    assert finding['text'] in prose(page) and '<b>level' not in page
    assert 'cannot show' not in page_of(called({(n, n): 2 for n in NAMES}), written_data)


def test_a_page_without_pictures_of_the_worst_recordings(written_data):
    row = {'recording': 'a<b>.csv', 'label': 'ball', 'predicted': 'ball', 'right': True, 'probability': 0.6}
    row |= {'label_probability': 0.6, 'margin': 0.25, 'windows': 1, 'row': 0}
    page = page_of(called({(n, n): 2 for n in NAMES}), written_data, worst_recordings=[row])
    text = prose(page)
    assert 'a&lt;b&gt;.csv' in page and 'No recording was wrong.' in text
    assert '<h2>The recordings nearest to a mistake</h2>' in page
    assert 'with a probability of 60 %, 25 % above the next class. 1 window.' in text
    wrong = {**row, 'right': False, 'predicted': 'normal', 'probability': 0.7, 'label_probability': 0.2}
    text = prose(page_of(called({('ball', 'normal'): 2}), written_data, worst_recordings=[wrong]))
    assert 'It is ball , the network said normal with a probability of 70 % (ball: 20 %). 1 window.' in text


def test_a_table_of_readings_has_no_recordings(table_run, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate_module, '_figures', lambda scored, results: {})
    results = evaluate(table_run, tmp_path)
    assert 'worst_recordings' not in results and 'recording_confusion_matrix' not in results
    page = (tmp_path / 'report.html').read_text()
    headings = re.findall(r'<h2>(.*?)</h2>', page)
    assert headings[0] == 'What the score means' and 'What the data are' in headings
    assert not {'The worst recordings', 'Which class was taken for which'} & set(headings)
    said = ' '.join(s['text'] for s in (*results['score_in_words'], *results['what_helps']))
    right = round(results['accuracy'] * results['windows'])
    assert f'{right:,} of {results["windows"]:,} rows were called rightly.' in said
    assert 'recording' not in said and 'Rows were dealt' in said


@pytest.fixture(scope='module')
def big_rig(tmp_path_factory):
    """Three simulated machines with a bearing of each state, two speeds and two load cases: 36 recordings of 1 s."""
    folder = tmp_path_factory.mktemp('big')
    options = {'speeds': (457.0, 997.0), 'load_cases': (0, 2), 'duration_s': 1.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            bearing_rig_dataset_builder, 'recordings', lambda machines, *, duration_s, seed: simulate(
                machines, seed=seed, **options
            )
        )  # fmt: skip
        prepare_if_missing('bearing_rig/machines_small', str(folder), None)
    return open_dataset('bearing_rig/machines_small', folder)


def stand_in(data, share: float, train_accuracy: float = 1.0):
    """(scored, results) of a network that is right about `share` of the recordings of each class, all folds."""
    folds = folds_of('by_recording', data.table)
    parts = [split_rows(data.table, 'by_recording', fold=f).test for f in folds]
    rows, names = np.concatenate(parts), data.class_names()
    labels = data.table['label'][rows]
    said = labels.copy()
    for label in range(len(names)):
        mine = np.random.default_rng(0).permutation(np.unique(data.table['recording'][rows][labels == label]))
        wrong = mine[round(share * len(mine)) :]
        said[np.isin(data.table['recording'][rows], wrong)] = (label + 1) % len(names)
    probabilities = np.full((len(rows), len(names)), 0.05)
    probabilities[np.arange(len(rows)), said] = 0.9
    table = {k: list(data.table[k][rows]) for k in ('recording', 'domain', 'bearing')}
    predictions = Predictions(
        probabilities, labels, table['recording'], data.table['window_start'][rows], names,
        np.repeat(folds, [len(p) for p in parts]), table['domain'], bearings=table['bearing'],
    )  # fmt: skip
    meta = {'dataset': {'name': data.name}, 'history': [{'step': 1, 'train_accuracy': train_accuracy}]}
    configs = [TrainConfig(data.name, '', protocol='by_recording', fold=f) for f in folds]
    predictors = [types.SimpleNamespace(meta=meta, config=c, step=1) for c in configs]
    examples = [RecordExamples(data, part, 'label') for part in parts]
    scored = types.SimpleNamespace(predictions=predictions, predictors=predictors, examples=examples)
    origin = {'split': 'test', 'protocol': 'by_recording', 'leaks': False}
    origin |= {'dataset': data.name, 'trained_on': data.name}
    return scored, {**summarise(predictions), **origin}


def test_nothing_is_advised_for_a_large_and_healthy_rig(big_rig):
    found = for_a_person(*stand_in(big_rig, 1.0))
    assert found['what_helps'] == []
    assert found['data']['domain_kind'] == 'domain' and found['data']['domains'] == ['rig_a', 'rig_b', 'rig_c']
    said = {s['kind']: s['text'] for s in found['score_in_words']}
    assert said['score'].startswith('36 of 36 recordings were diagnosed rightly.')
    assert said['protocol'].startswith('Whole recordings were left out in turn')
    assert found['worst_recordings'][0]['right']


def test_a_large_rig_that_is_not_learned_gets_advice_about_the_network(big_rig):
    found = for_a_person(*stand_in(big_rig, 0.5, train_accuracy=0.99))
    assert [advice['rule'] for advice in found['what_helps']] == ['known_by_heart', 'wide_interval']
    assert [row['right'] for row in found['worst_recordings']] == [False] * 5
    one = found['worst_recordings'][0]
    assert (one['probability'], one['label_probability']) == pytest.approx((0.9, 0.05), abs=1e-6)
