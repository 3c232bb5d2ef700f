"""Figures of README.md and docs/results.md are those of docs/benchmarks, and no file there is large."""

from __future__ import annotations

import json
import pathlib

import pytest

from fdx.benchmarks.bound_figures import passages
from fdx.benchmarks.published import FOLDER, PAGES, File, Passage, complaints, plain_text, read_pages
from fdx.types import DataError

ROOT = pathlib.Path(__file__).resolve().parents[1]
LARGEST = 300_000  # bytes
PAGE = """
# Results

| task | protocol | accuracy, % |
|---|---|---|
| [loads](benchmarks/loads.md) | `time_blocks` | **97.0 ± 1.3** (9 windows) |
| rigs | `time_blocks` | 43.1 +- 2.8 (120 windows) |

Adapted, the loads have
97.5 +- 0.5 %, in words: 12 of 13.
"""
BOUND = [
    Passage('| loads | time_blocks | 97.0 +- 1.3 (9 windows) |', 'loads.json'),
    Passage('| rigs | ... | 43.1 +- 2.8 (120 windows) |', 'rigs.json'),
    Passage('the loads have 97.5 +- 0.5 %, in words: 12 of 13', 'loads.json'),
]


def test_every_figure_of_the_pages_is_bound_to_a_file_and_says_what_it_says():
    pages = read_pages(ROOT)
    assert set(pages) == set(PAGES)
    assert complaints(pages, passages(ROOT)) == []


def test_no_published_file_is_large():
    sizes = {path.name: path.stat().st_size for path in (ROOT / FOLDER).iterdir()}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    # Rows of windows are what made them large: pages hold one value per seed or draw.
    for path in (ROOT / FOLDER).glob('*.json'):
        assert 'window_start' not in path.read_text(encoding='utf-8'), path


def test_hand_entered_figures_say_how_they_were_measured():
    entries = json.loads((ROOT / FOLDER / 'readme.json').read_text(encoding='utf-8'))['entries']
    for name, entry in entries.items():
        assert set(entry) >= {'what', 'command', 'protocol', 'seeds', 'records', 'date', 'rows'}, name
        assert entry['rows'] and all(isinstance(cell, str) for row in entry['rows'].values() for cell in row), name


def test_a_page_that_says_what_the_files_say_has_no_complaint():
    assert complaints({'page': PAGE}, BOUND) == []
    # Passages may move, and a line may wrap elsewhere.
    moved = '\n'.join(reversed(PAGE.split('\n\n'))).replace('in words', 'in\nwords')
    assert complaints({'page': moved}, BOUND) == []


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('97.0', '97.1'),
        ('1.3', '1.4'),
        ('9 windows', '8 windows'),
        ('120', '1200'),
        ('97.5', '197.5'),
        ('of 13', 'of 14'),
    ],
)
def test_a_changed_figure_is_found_with_both_readings(old, new):
    (found,) = [line for line in complaints({'page': PAGE.replace(old, new)}, BOUND) if 'gives' in line]
    assert new in found and old in found and '.json' in found
    # Elsewhere the passage is still right: the changed copy is found all the same.
    both = complaints({'page': PAGE.replace(old, new), 'other': PAGE}, BOUND)
    assert [line for line in both if 'gives' in line] == [found]


def test_changed_words_unbound_figures_and_unbound_numbers_of_a_row_are_found():
    (lost,) = complaints({'page': PAGE.replace('in words', 'spelled out')}, BOUND)[:1]
    assert lost.startswith('no page has') and 'in words: 12 of 13' in lost
    (unbound,) = complaints({'page': PAGE + '\nA new figure: 3.5 ± 0.1 %.\n'}, BOUND)
    assert "'3.5 +- 0.1'" in unbound and 'no file' in unbound
    row = PAGE.replace('| rigs | `time_blocks` |', '| rigs | 88 |')
    part = Passage('43.1 +- 2.8 (120 windows) |', 'rigs.json')
    assert any('88 in | rigs' in line for line in complaints({'page': row}, [BOUND[0], BOUND[2], part]))


def test_plain_text_keeps_figures_and_drops_marks():
    assert plain_text('[a](b/c.md): **1.0 ± 0.5**\n`x` |\n| y – 3') == 'a: 1.0 +- 0.5 x |\n| y - 3'


@pytest.mark.parametrize(('key', 'value'), [('seeds', [0, 1]), ('protocol', 'random_windows')])
def test_figures_of_another_protocol_or_other_seeds_are_refused(tmp_path, key, value):
    row = {'method': 'none', 'protocol': 'time_blocks', 'seeds': [0, 1, 2], 'accuracy': [0.5, 0.75, 1.0]}
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (folder / 'page.json').write_text(json.dumps({'rows': [row]}))
    file = File(tmp_path, 'page.json', (0, 1, 2), ['time_blocks'])
    assert file.values('accuracy', method='none') == [0.5, 0.75, 1.0]
    with pytest.raises(DataError, match='no row of'):
        file.values('accuracy', method='gan')
    (folder / 'page.json').write_text(json.dumps({'rows': [{**row, key: value}]}))
    with pytest.raises(DataError, match=r'page\.json.*change the words'):
        File(tmp_path, 'page.json', (0, 1, 2), ['time_blocks']).values('accuracy', method='none')
