"""The whole of a comparison, from outcomes that no training made: numbers, statements, page and figures."""

import dataclasses
import json
import re

import numpy as np
import pytest

from fdx.benchmarks.compare_outcome import compare
from fdx.benchmarks.compare_plots import plot_confusions, plot_losses
from fdx.benchmarks.compare_report import norms_statement, render, statements, write_comparison
from fdx.evaluate.canvas import new_figure
from fdx.evaluate.spread import spread_text as cell
from fdx.files import FileWriteError
from fdx.types import CheckpointError
from tests.benchmarks.compare_outcomes import BASE, NAMES, TRAINED, outcomes


@pytest.fixture(scope='module')
def results():
    return compare(outcomes(), 0.5)


def test_numbers_by_protocol_and_strategy(results):
    assert [p['protocol'] for p in results['protocols']] == ['time_blocks', 'random_windows']
    honest, leaky = results['protocols']
    assert (honest['leaks'], leaky['leaks'], leaky['leak_share']) == (False, True, 0.75)
    assert (honest['seed_deals_windows'], leaky['seed_deals_windows']) == (False, True)
    row = honest['strategies']['first_last']
    # Three of eight wrong with seed 0, four with seed 1, the whole recording a.
    assert row['accuracy']['values'] == [5 / 8, 4 / 8]
    assert row['accuracy']['standard_deviation'] == pytest.approx((1 / 8) / 2**0.5)
    assert row['confusion_matrix'] == [[1, 7], [0, 8]]
    assert row['recording_vote_accuracy']['values'] == [0.5, 0.5]
    assert (row['seconds']['mean'], row['seconds_an_epoch']['mean']) == (13.0, 2.0)
    assert [run['epochs_chosen'] for run in row['runs']] == [[2], [2]]
    assert [d['difference'] for d in honest['differences']] == [3 / 8, 1 / 8, -2 / 8]
    assert {s['name']: s['trained_values'] for s in results['strategies']} == TRAINED
    assert results['weights'] == 'imagenet v2'


def test_folds_of_a_seed_are_pooled():
    (part,) = compare(outcomes(seeds=[1], folds={'time_blocks': [0, 1]}), 0.5)['protocols']
    row = part['strategies']['full']
    assert (part['windows'], part['folds'], part['train_windows']) == (16, [0, 1], [40, 40])
    assert row['accuracy'] == {'mean': 14 / 16, 'standard_deviation': None, 'values': [14 / 16]}
    assert (row['seconds']['mean'], row['runs'][0]['epochs_chosen']) == (26.0, [2, 2])


def test_runs_from_different_weights_are_refused():
    mixed = [*outcomes(seeds=[0]), *outcomes(seeds=[1], origin='imagenet v1')]
    with pytest.raises(CheckpointError, match='different weights .*seed 0.*imagenet v2.*seed 1.*imagenet v1'):
        compare(mixed, 0.5)


def test_statements_tell_the_budget_and_what_chose_the_step(results):
    text = ' '.join(statements(results))
    assert '3 epochs of batches of 16, Adam with a learning rate of 0.001 (constant)' in text
    assert 'chosen by validation loss among the checkpoints (every epoch)' in text
    assert 'Seeds: 0, 1.' in text and 'Pretrained weights: imagenet v2.' in text
    assert 'Mind' not in text
    seen = ' '.join(statements({**results, 'seen_recordings': ['a', 'b']}))
    assert 'trained on 2 recordings of this dataset' in seen
    base = dataclasses.replace(BASE, select_by='last', save_every=2, halve_every=4, labels_per_class=6)
    other = ' '.join(statements(compare(outcomes(base=base), 0.5)))
    assert 'The last step is scored' in other
    assert 'halved every 4 epochs' in other and 'labelled training windows: 6 a class' in other


def test_the_norms_of_freezing_strategies_are_stated(results):
    assert norms_statement(results) == (
        'Batch norms (train_norms) of first_last: all 53 frozen, running statistics untouched.'
    )
    trained = [{**s, 'norms': {'trained': 53, 'frozen': 0}} for s in results['strategies']]
    assert '53 of 53 train, with their running statistics' in norms_statement({**results, 'strategies': trained})
    none = [{**s, 'norms': {'trained': 0, 'frozen': 0}} for s in results['strategies']]
    assert norms_statement({**results, 'strategies': none}) == ''


def test_cells():
    spread = {'mean': 0.93214, 'standard_deviation': 0.0123}
    assert cell(spread, percent=True) == '93.2 ± 1.2'
    assert cell(spread) == '0.932 ± 0.012'
    assert cell({**spread, 'standard_deviation': None}, digits=2) == '0.93'


def test_everything_is_written_and_the_page_holds_its_numbers(results, tmp_path):
    report = write_comparison(tmp_path, results)
    page = report.read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        'comparison.json', 'confusion_random_windows.png', 'confusion_time_blocks.png',
        'loss_random_windows.png', 'loss_time_blocks.png', 'report.html',
    ]  # fmt: skip
    # A diverged epoch is null on the disk.
    curve = json.loads((tmp_path / 'comparison.json').read_text())['protocols'][0]['strategies']['scratch']['curves']
    assert curve['train_loss']['raw'] == [2.0, 1.5, None]
    text = re.sub(r'\s+', ' ', re.sub(r'<[^>]+>', ' ', page))
    assert 'first_last 56.2 ± 8.8' in text
    assert 'first_last 56.2 ± 8.8 0.518 ± 0.379 0.562 ± 0.088' in text
    assert '75.0 % of the test windows leak.' in text
    assert '1,234,567' in text
    assert 'full − first_last +37.5' in text
    assert 'a normal 2 of 2 0 of 2 : inner&lt;race&gt; (2) 2 of 2' in text
    assert page.count('<tr') == page.count('</tr>') and page.count('<td') == page.count('</td>')
    assert 'inner<race>' not in page


def test_many_classes_are_numbered_and_listed(results):
    figures = dict.fromkeys(
        (f'{kind}_{p["protocol"]}' for kind in ('loss', 'confusion') for p in results['protocols']), new_figure(1, 1)
    )
    page = render({**results, 'class_names': [f'scenario {i}' for i in range(30)]}, figures)
    assert '<li>scenario 29</li>' in page and 'Classes are numbered' in page
    assert '<ol' not in render(results, figures)


def test_the_plot_of_losses_shows_smoothed_and_raw_curves(results):
    of = {name: s['curves'] for name, s in results['protocols'][0]['strategies'].items()}
    left, right = plot_losses(of).axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ['full', 'first_last', 'scratch']
    thick = [line for line in left.lines if line.get_linewidth() == 2]
    faint = [line for line in left.lines if line.get_linewidth() == 1]
    np.testing.assert_allclose(thick[0].get_ydata(), of['full']['train_loss']['smoothed'])
    np.testing.assert_allclose(faint[0].get_ydata(), of['full']['train_loss']['raw'])
    assert len({line.get_color() for line in thick}) == 3
    # 0.01 to 2 spans a factor of 200.
    assert (left.get_yscale(), right.get_yscale()) == ('log', 'log')


def test_confusion_matrices_stand_side_by_side():
    matrices = {'x': np.array([[3, 1], [0, 4]]), 'y': np.array([[2, 2], [0, 0]])}
    figure = plot_confusions(matrices, NAMES)
    left, right = figure.axes[:2]
    np.testing.assert_allclose(left.images[0].get_array(), [[0.75, 0.25], [0, 1]])
    np.testing.assert_allclose(right.images[0].get_array(), [[0.5, 0.5], [0, 0]])
    assert [t.get_text() for t in left.texts] == ['3', '1', '4']
    assert [axes.get_title(loc='left') for axes in (left, right)] == ['x', 'y']
    assert left.get_position().y0 == pytest.approx(right.get_position().y0)


def test_a_folder_that_cannot_be_written_is_an_error(results, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(FileWriteError):
        write_comparison(tmp_path / 'file', results)
