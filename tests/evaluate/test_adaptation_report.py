"""Results and page of a run of adaptation, from outputs that are written down in adaptation_outcomes.py."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from fdx.adapt.config import DEFAULT_CRITERION
from fdx.adapt.run import Outputs
from fdx.evaluate.adaptation_report import (
    adaptation_statements,
    render_adaptation,
    selection_cells,
    target_label_words,
    write_adaptation,
)
from fdx.evaluate.adaptation_results import Networks, adaptation_results, selection_table
from fdx.evaluate.intervals import clustered_interval, wilson_interval
from tests.evaluate.adaptation_outcomes import HISTORY, LABELS, NETWORKS, PREDICTED, SIZES, parts, run

# Of the kept network 11 of 15 windows are right: 4, 5 and 2 of the five of each recording.
OF_KEPT = [
    100 * v
    for v in clustered_interval(np.array([1] * 4 + [0] + [1] * 5 + [1] * 2 + [0] * 3, bool), np.repeat([0, 1, 2], 5))
]


@pytest.fixture(scope='module')
def results() -> dict:
    return adaptation_results(*run(), NETWORKS)


def test_the_kept_step_is_scored_on_the_windows_of_the_target(results):
    kept = results['kept']
    matrix = np.zeros((3, 3), int)
    np.add.at(matrix, (LABELS, PREDICTED), 1)
    assert (kept['epoch'], kept['step'], kept['windows']) == (2, 8, 15)
    assert kept['confusion_matrix'] == matrix.tolist() == [[4, 1, 0], [0, 5, 0], [3, 0, 2]]
    assert [row['recall'] for row in kept['per_class']] == [0.8, 1.0, 0.4]
    assert [row['support'] for row in kept['per_class']] == [5, 5, 5]
    assert kept['accuracy'] == pytest.approx(11 / 15)
    assert kept['recordings'] == 3


def test_every_selection_has_its_epoch_its_score_and_its_interval():
    # Three recordings of five windows; that of the kept network, of step 8, is known from its windows.
    kept = {'step': 8, 'accuracy_interval': [0.3, 0.9]}
    table = selection_table(HISTORY, kept, ['a'] * 5 + ['b'] * 5 + ['c'] * 5)
    assert [row['selection'] for row in table] == ['last', 'source_risk', 'dev', 'snd', 'entropy', 'oracle']
    assert [row['usable'] for row in table] == [True] * 5 + [False]
    # Entropy is the same in all epochs: the first.
    assert [row['epoch'] for row in table] == [3, 2, 3, 2, 1, 1]
    assert [row['step'] for row in table] == [12, 8, 12, 8, 4, 4]
    assert [row['macro_f1'] for row in table] == [0.41, 0.71, 0.41, 0.71, 0.81, 0.81]
    z, n = 1.959964, 3
    for row, hits in zip(table, [6, 11, 6, 11, 12, 12]):
        # The ends of Wilson's interval are the roots of (p - share)^2 = z^2 p (1 - p) / n.
        share = hits / 15
        roots = np.sort(np.roots([1 + z**2 / n, -2 * share - z**2 / n, share**2]))
        assert row['accuracy'] == pytest.approx(share)
        of_kept = row['step'] == 8
        assert row['accuracy_interval'] == pytest.approx([0.3, 0.9] if of_kept else roots.tolist())


def test_distances_before_and_after(results):
    # Shifted by nine standard deviations a linear classifier makes no error; unshifted, about every second one.
    assert results['a_distance']['before'] == 2.0
    assert results['a_distance']['after'] < 1.0
    few = {name: Outputs(p.logits[:3], p.features[:3], p.labels[:3]) for name, p in parts(0.0).items()}
    few['target_test'] = NETWORKS.after['target_test']
    lone = adaptation_results(*run(), Networks(few, few, 'random'))
    assert lone['a_distance'] == {'before': None, 'after': None}
    assert 'too few windows for the proxy A-distance' in ' '.join(adaptation_statements(lone))


def test_what_the_run_was(results):
    assert (results['source'], results['target'], results['method']) == ('cwru/a:load0', 'mfpt/b', 'mcc')
    assert (results['criterion'], results['default_criterion'], results['seed']) == ('snd', DEFAULT_CRITERION, 7)
    assert results['windows'] == SIZES
    assert (results['seconds'], results['train_seconds']) == (6.5, 6.0)
    assert results['versions']['jax']
    assert results['protocols'] == {
        'source': {'protocol': 'time_blocks', 'fold': 0, 'leaks': False},
        'target': {'protocol': 'time_blocks', 'fold': 0, 'leaks': False},
    }
    other = adaptation_results(
        *run({'protocol': 'random_windows', 'fold': 0}, {'target_protocol': 'by_recording', 'target_fold': 2}), NETWORKS
    )
    assert other['protocols'] == {
        'source': {'protocol': 'random_windows', 'fold': 0, 'leaks': True},
        'target': {'protocol': 'by_recording', 'fold': 2, 'leaks': False},
    }


def prose(page: str) -> str:
    """The text of the page without styles, pictures and markup."""
    page = re.sub(r'<style>.*?</style>', '', page, flags=re.DOTALL)
    return re.sub(r'\s+', ' ', re.sub(r'<[^>]*>', ' ', page))


def test_the_page_stands_alone_and_marks_what_is_not_usable(results, tmp_path):
    page = write_adaptation(tmp_path, results, NETWORKS)
    assert page == tmp_path / 'report.html'
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *('confusion.png', 'domains.png', 'history.png', 'report.html', 'results.json')
    ]
    stored = json.loads((tmp_path / 'results.json').read_text())
    assert stored['kept']['confusion_matrix'] == [[4, 1, 0], [0, 5, 0], [3, 0, 2]]
    assert stored['history'][2]['snd'] is None  # JSON has no infinity.
    text = page.read_text()
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(sources) == 3
    assert all(source.startswith('data:image/png;base64,') for source in sources)
    assert 'inner&lt;race&gt;' in text and 'inner<race>' not in text
    marked = re.findall(r'<tr><td class="bad">(\w+)</td>.*?<td class="bad">([^<]*)</td></tr>', text)
    assert marked == [('oracle', 'not usable: reads target labels')]
    # The oracle's row stands in a body of its own, behind the choices that one may make.
    bodies = re.findall(r'<tbody>.*?</tbody>', text, flags=re.DOTALL)
    assert [('oracle' in body, 'source_risk' in body) for body in bodies[:2]] == [(False, True), (True, False)]
    assert re.findall(r'<strong>(.*?)</strong>', bodies[0]) == [
        'snd',
        '2',
        '73.3',
        '{:.1f} to {:.1f}'.format(*OF_KEPT),
        '0.710',
        'select_by',
    ]
    words = prose(text)
    assert 'No target label took part in the steps of training or in choosing the epoch.' in words
    assert 'protocol time_blocks, fold 0' in words
    assert 'leaks' not in words


def test_a_protocol_that_leaks_is_told_on_top(results, tmp_path):
    leaking = adaptation_results(*run({'protocol': 'random_windows'}), NETWORKS)
    words = prose(write_adaptation(tmp_path, leaking, NETWORKS).read_text())
    assert 'Protocol random_windows of the source leaks: do not trust these numbers' in words
    assert 'Protocol random_windows of the target leaks: do not trust these numbers' in words


def test_statements():
    dropped = adaptation_results(*run(dropped=(('ball',), ())), NETWORKS)
    words = ' '.join(adaptation_statements(dropped))
    assert 'Left out, as the other side lacks them: of the source ball.' in words
    assert 'of the target ' not in words.split('Left out')[1].split('.')[0]
    assert '18 windows are trained on without labels; 15 other windows are scored' in words
    assert (
        'Kept is epoch 2 (step 8), the lowest snd: target accuracy 73.3 % ({:.1f} to {:.1f}), macro F1'.format(*OF_KEPT)
        in words
    )
    assert f'{OF_KEPT[0]:.1f}-{OF_KEPT[1]:.1f}% by recording (3), 48.0-89.1% if windows were independent' in words
    assert '2.00 before (weights: random)' in words
    both = ' '.join(adaptation_statements(adaptation_results(*run(dropped=(('ball',), ('cage', 'gear'))), NETWORKS)))
    assert 'of the source ball; of the target cage, gear.' in both


@pytest.mark.parametrize(
    ('config', 'plan', 'expected'),
    [
        ({}, {'method': 'source_only'}, 'no window is trained on; criteria look at 18, without labels; 15 other'),
        ({}, {'method': 'adabn'}, 'batch statistics are measured on 18 windows, without labels; 15 other windows'),
        ({}, {'method': 'source_only', 'score_all_target': True}, 'that criteria look at among them'),
        ({'epochs': 60}, {}, 'the lowest snd among the stored ones (every 3 epochs and the last)'),
        ({}, {'select_by': 'last'}, 'Kept is epoch 2 (step 8), the last one'),
    ],
)
def test_statements_follow_the_method_and_the_choice(config, plan, expected):
    assert expected in ' '.join(adaptation_statements(adaptation_results(*run(config, plan), NETWORKS)))


def test_cells(results):
    usable, oracle = selection_cells(results, usable=True), selection_cells(results, usable=False)
    assert [row[0] for row in usable] == ['last', 'source_risk', 'dev', 'snd', 'entropy']
    assert [row[-1] for row in usable] == ['', '', '', 'select_by', '']
    # 80 % of three recordings.
    low, high = (100 * v for v in wilson_interval(2.4, 3))
    assert oracle == [('oracle', '1', '80.0', f'{low:.1f} to {high:.1f}', '0.810', 'not usable: reads target labels')]


def test_the_first_line_says_what_labels_of_the_target_were_read_for(results):
    page = render_adaptation(results, {})
    first = page[page.index('<h1>') :].split('<p>')[1]
    assert first.startswith('<strong>Labels of the target were read before training: they say which classes both')
    words = target_label_words(results)
    assert 'classes=A,B' in words and 'class by class' not in words
    dealt = {**results, 'protocols': {**results['protocols'], 'target': {'protocol': 'by_recording', 'fold': 0}}}
    assert 'by_recording dealt it to training and test class by class' in target_label_words(dealt)
    given = target_label_words({**results, 'classes_given': ['normal', 'ball']})
    assert given.startswith('Labels of the target were read for scores alone: the classes were given (classes=normal')
