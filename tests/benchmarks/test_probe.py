"""Probing: which stage is chosen, by what, and that test windows play no part in it."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.benchmarks.probe import CHOSEN, probe
from fdx.benchmarks.probe_heads import ALL_LABELS, ProbePlan
from fdx.benchmarks.probe_report import plot_probe, probe_header, probe_rows, write_probe
from fdx.benchmarks.stage_features import INPUT
from fdx.data.protocols.splits import split_rows
from fdx.data.source import open_dataset
from fdx.types import ConfigError

STAGES = ('knows', 'lies', 'noise')


@pytest.fixture(scope='module')
def dataset(data_dir):
    return open_dataset('bearing_rig/rig_b_small', data_dir)


@pytest.fixture(scope='module')
def features(dataset):
    """`knows` holds the class; `lies` holds it everywhere but on test windows of fold 0, where it holds the next."""
    labels, table = dataset.table['label'], dataset.table
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((len(table), 3)).astype(np.float32)
    eye = np.eye(3, dtype=np.float32)
    wrong = labels.copy()
    test = split_rows(table, 'time_blocks').test
    wrong[test] = (labels[test] + 1) % 3
    found = {
        INPUT: eye[labels] + 0.05 * noise,
        'knows': eye[labels] + 0.3 * noise,
        'lies': eye[wrong] + 0.01 * noise,
        'noise': noise,
    }
    return lambda gain: found


def rows_of(results, shots):
    (part,) = [p for p in results['shots'] if p['shots'] == shots]
    return {row['stage']: row for row in part['rows']}


def test_the_stage_is_chosen_on_validation_alone_even_where_that_misleads(dataset, features):
    results = probe(dataset, features, STAGES, ProbePlan(folds=(0,), shots=(1, ALL_LABELS), draws=4))
    for shots in (1, ALL_LABELS):
        rows = rows_of(results, shots)
        assert list(rows) == [INPUT, *STAGES, CHOSEN]
        # On validation `lies` is the clearest, on test windows always wrong: so must the choice be.
        assert rows['lies']['validation_accuracy']['mean'] == 1.0
        assert rows['lies']['accuracy']['mean'] == 0.0
        assert rows[CHOSEN]['accuracy']['mean'] == 0.0
        assert rows['lies']['chosen'] == rows[CHOSEN]['chosen'] == (4 if shots == 1 else 1)
        assert (rows['knows']['chosen'], rows[INPUT]['chosen']) == (0, None)
    assert rows_of(results, ALL_LABELS)['knows']['accuracy']['mean'] == 1.0
    assert (results['test_windows'], results['validation_windows'], results['train_windows']) == (6, 6, [18])


def test_draws_differ_are_repeatable_and_spread(dataset, features):
    plan = ProbePlan(folds=(0, 1, 2), shots=(1, ALL_LABELS), draws=6)
    first, again = (probe(dataset, features, STAGES, plan) for _ in range(2))
    assert first == again
    few, everything = rows_of(first, 1)['noise'], rows_of(first, ALL_LABELS)['noise']
    assert len(few['accuracy']['values']) == 6
    assert few['accuracy']['standard_deviation'] == pytest.approx(np.std(few['accuracy']['values'], ddof=1))
    assert few['accuracy']['standard_deviation'] > 0
    assert (len(everything['accuracy']['values']), everything['accuracy']['standard_deviation']) == (1, None)
    other = probe(dataset, features, STAGES, ProbePlan(folds=(0, 1, 2), shots=(1,), draws=6, seed=1))
    assert rows_of(other, 1)['noise']['accuracy']['values'] != few['accuracy']['values']


def test_folds_are_pooled_window_by_window(dataset, features):
    folds = range(5)
    pooled = probe(dataset, features, ('knows',), ProbePlan(folds=tuple(folds), shots=(ALL_LABELS,)))
    single = [probe(dataset, features, ('knows',), ProbePlan(folds=(f,), shots=(ALL_LABELS,))) for f in folds]
    accuracies = [rows_of(r, ALL_LABELS)['knows']['accuracy']['mean'] for r in single]
    assert rows_of(pooled, ALL_LABELS)['knows']['accuracy']['mean'] == pytest.approx(np.mean(accuracies))
    assert pooled['test_windows'] == 30 == len(dataset)


@pytest.mark.parametrize(
    'fields, message',
    [
        ({'shots': ()}, 'counts of labelled windows'),
        ({'shots': (1, 1)}, 'each once'),
        ({'shots': (-1,)}, 'counts of labelled'),
        ({'draws': 0}, '`draws`=0: from 1 to 999'),
    ],
)
def test_plans_that_cannot_be(fields, message):
    with pytest.raises(ConfigError, match=message):
        ProbePlan(**fields)


def test_the_report_holds_the_table_the_plot_and_how_to_read_it(dataset, features, tmp_path):
    results = probe(dataset, features, STAGES, ProbePlan(shots=(1, 2, ALL_LABELS), draws=3))
    results |= {'dataset': 'bearing_rig/x:1.0.0', 'front_end': 'vggish', 'model': 'vggish', 'init': '<random>'}
    results |= {'pool': 'bands'}
    results |= {'versions': {'fdx': '9.9'}, 'backend': 'cpu'}
    assert probe_header(results) == ('stage', 'values', '1 a class', '2 a class', 'all a class', 'chosen')
    rows = probe_rows(results)
    assert [row[0] for row in rows] == [INPUT, *STAGES, CHOSEN]
    assert rows[2] == ('lies', 3, '0.0 ± 0.0', '0.0 ± 0.0', '0.0', '3/3/1')
    assert rows[0][-1] == '-/-/-' and rows[4][1] == rows[4][-1] == ''
    page = write_probe(tmp_path, results).read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ['probe.json', 'probe.png', 'report.html']
    for text in (
        '&lt;random&gt;',
        'data:image/png;base64,',
        'No test window plays a part',
        '0.0 ± 0.0',
        'Few labels are',
    ):
        assert text in page, text
    axes = plot_probe(results).axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert labels == [f'{INPUT}, no network', *STAGES, CHOSEN]
