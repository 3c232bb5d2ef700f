"""The page of the study: what is merged, what counts as measured, and the study's figures beside those of fdx."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

from fdx.benchmarks.page import json_text, read_page
from fdx.benchmarks.study_figures import PUBLISHED, STATES
from fdx.benchmarks.study_models import MODELS
from fdx.benchmarks.study_page import KIND, markdown
from fdx.benchmarks.study_plots import plot
from fdx.benchmarks.study_results import assemble, measured, merged
from fdx.benchmarks.study_rows import table_of
from fdx.benchmarks.study_suite import TASKS
from fdx.types import DataError

PAGES = pathlib.Path(__file__).parents[2] / 'docs' / 'benchmarks'
BUDGET = {'head': 2700, 'scratch': 54, 'vgg16': 216}


def cell(model: str, protocol: str, seed: int, test: float, dataset: str = 'bearing_rig/medium') -> dict:
    """A cell of 20 windows per state."""
    right = round(20 * test)
    matrix = (right * np.eye(3, dtype=int) + (20 - right) * np.roll(np.eye(3, dtype=int), 1, 1)).tolist()
    facts = {'dataset': dataset, 'protocol': protocol, 'model': model, 'init': 'random', 'seed': seed, 'folds': [seed]}
    row = {**facts, 'train': 1.0, 'validation': 0.9, 'test': test, 'macro_f1': test, 'seconds': 10.0 + seed}
    row |= {'precision': dict.fromkeys(STATES, test), 'recall': dict.fromkeys(STATES, test)}
    row |= {'windows': 60, 'recordings': 12, 'recordings_right': 1.0, 'classes': list(STATES), 'confusion': matrix}
    lines = {f'{kind}_{what}': [0.5, 0.25] for kind in ('train', 'validation') for what in ('loss', 'accuracy')}
    return {'rows': [{**row, 'leaks': True}], 'curves': {**facts, 'steps': 108, 'epochs': [1, 2], **lines}}


def page_of(*found: dict, builder: str = 'bearing_rig', left_out=None, command='fdx study') -> dict:
    return assemble(found, TASKS[builder][:2], MODELS, BUDGET, command, left_out or {})


@pytest.fixture
def two_seeds():
    return page_of(*(cell(m.name, 'random windows', seed, 0.9 + 0.05 * seed) for seed in range(2) for m in MODELS))


def test_the_table_has_both_sides(two_seeds):
    text = markdown(two_seeds)
    for model in MODELS:
        p = PUBLISHED[model.name]
        own = f'| {model.title} | 100.0 ± 0.0 | 90.0 ± 0.0 | 92.5 ± 3.5 | 92.5 ± 3.5 | 100.0 ± 0.0 | 10 |'
        assert f'{own} {p.train:.2f} | {p.validation:.2f} | {p.test:.2f} | {p.seconds} | {p.hardware} |' in text
    assert '73.6' in text and 'random windows (**leaks**)' in text
    # A question that no cell answers has a dash.
    assert text.count('| 92.5 ± 3.5 | – |') == len(MODELS)


def test_figures_of_the_study_agree_with_each_other():
    """Its test set is balanced, so accuracy is the mean recall, as far as the digits of its tables reach."""
    for name, row in PUBLISHED.items():
        assert np.mean(row.recall) == pytest.approx(row.test, abs=0.06 if name == 'vggish_transfer' else 0.05), name


def test_rows_of_two_seeds_are_lists(two_seeds):
    assert [row['seeds'] for row in two_seeds['rows']] == [[0, 1]] * len(MODELS)
    assert two_seeds['rows'][0]['recall']['normal'] == pytest.approx([0.9, 0.95])
    assert {c['seed'] for c in two_seeds['curves']} == {0}
    assert ('bearing_rig/medium', 'random windows', 'vgg16', 'seed 1') in measured(two_seeds)


def test_a_dataset_measured_anew_takes_the_place_of_the_old_one(two_seeds):
    cwru = page_of(cell('yamnet', 'random windows', 0, 0.5, 'cwru/load0_12k'), builder='cwru')
    both = merged(cwru, two_seeds)
    assert [s['dataset'] for s in both['sections']] == ['bearing_rig/medium', 'cwru/load0_12k']
    assert measured(both) == measured(cwru) | measured(two_seeds)
    left_out = {'vgg16': 'VGG16: no index', 'unseen loads': 'unseen loads: one load'}
    again = merged(
        both, page_of(cell('yamnet', 'random windows', 0, 0.7), left_out=left_out, command='fdx study --models=yamnet')
    )
    assert [row['test'] for row in again['rows'] if row['model'] == 'yamnet'] == [[0.7], [0.5]]
    assert 'Made by `fdx study; fdx study --models=yamnet`' in markdown(merged(again, again))
    # The other networks stay with their two seeds, and what is there is not left out.
    assert measured(again) == measured(both) - {('bearing_rig/medium', 'random windows', 'yamnet', 'seed 1')}
    assert again['sections'][0]['left_out'] == {'unseen loads': 'unseen loads: one load'}
    text = markdown(again)
    assert '- unseen loads: one load.' in text and '| YAMNet, transfer (1 seed): frozen' in text
    assert 'VGGish, from scratch 54, YAMNet, transfer 2,700' in text
    assert text.count('Not measured: ') == 1 and 'Not measured: VGGish, transfer, VGGish, from scratch, VGG16' in text
    ((title, header, rows),) = [t for t in table_of(again, 'cwru/load0_12k') if t[2]]
    assert title.startswith('random windows (LEAKS)') and header[-1] == 'seconds' and rows[0][4] == '50.0'


def test_the_picture_has_a_row_per_network(two_seeds):
    axes = plot(two_seeds).axes
    assert len(axes) == 3 * len(MODELS)
    assert [a.get_title(loc='left') for a in axes[:3]] == [
        f'VGGish, transfer: {w}' for w in ('loss', 'accuracy', 'test')
    ]
    assert axes[0].lines[1].get_ydata().tolist() == [0.5, 0.25]
    # Both seeds: 18 + 19 windows of the first state.
    assert axes[2].texts[0].get_text() == '37'


def test_a_file_of_another_kind_is_refused_by_name(tmp_path):
    (tmp_path / 'study.json').write_text('{"rows": []}')
    with pytest.raises(DataError, match=r'study.json: not what `launch.study` writes'):
        read_page(tmp_path, 'study', KIND)


@pytest.mark.skipif(not (PAGES / 'study.json').exists(), reason='not published')
def test_the_published_page_is_what_its_file_says():
    data = json.loads((PAGES / 'study.json').read_text(encoding='utf-8'))
    assert (PAGES / 'study.md').read_text(encoding='utf-8') == markdown(data)
    assert (PAGES / 'study.json').read_text(encoding='utf-8') == json_text(data)
    assert KIND.measured(data)
