"""The page, the rows and the plot of an adaptation benchmark, from accuracies that are written down here."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from matplotlib.container import BarContainer

from fdx.benchmarks import adaptation_page, adaptation_suite
from fdx.benchmarks.adaptation_page import KIND, assemble, by_seed, plot, summary
from fdx.benchmarks.adaptation_suite import SUITES, Pair, Suite
from fdx.benchmarks.page import write_page
from fdx.evaluate.intervals import wilson_interval
from fdx.types import DataError

SUITE = Suite(
    'tiny',
    'Two tasks in small',
    'label',
    (Pair('a -> b', 'x/y{}:a', 'x/y{}:b'), Pair('b -> a', 'x/y{}:b', 'x/y{}:a'), Pair('a -> c', '', '')),
    ('mel', 'time'),
    ('mel',),
    epochs=77,
)
SELECTIONS = ('source_risk', 'dev', 'snd', 'entropy', 'infomax', 'nuclear_norm', 'last', 'oracle')
WINDOWS = 40
# (input, method) -> task -> right windows of 40 by source risk, for seeds 0 and 1.
RIGHT = {
    ('mel', 'mcc'): {'a -> b': (36, 40), 'b -> a': (20, 28)},
    ('mel', 'source_only'): {'a -> b': (10, 10), 'b -> a': (30, 30)},
    ('time', 'source_only'): {'a -> b': (8, 8), 'b -> a': (8, 8)},
}


def cell(name: str, method: str, task: str, seed: int, right: int) -> dict:
    """The oracle is right two windows more often than the default criterion, the others one less."""
    more = {'source_risk': 0, 'oracle': 2 if right <= WINDOWS - 2 else 0}
    return {
        'input': name,
        'model': 'any',
        'method': method,
        'task': task,
        'protocol': f'the protocol of {method}',
        'records': '2.0.0',
        'seed': seed,
        'fold': 0,
        'windows': WINDOWS,
        'units': float(WINDOWS),
        'seconds': 3.0 + seed,
        'epochs': 40 + seed,
        'settled': seed == 0,
        'accuracy': {selection: (right + more.get(selection, -1)) / WINDOWS for selection in SELECTIONS},
        'macro_f1': dict.fromkeys(SELECTIONS, 0.25),
    }


CELLS = [
    cell(name, method, task, seed, of_seeds[seed])
    for seed in (0, 1)
    for (name, method), of_tasks in RIGHT.items()
    for task, of_seeds in of_tasks.items()
]


@pytest.fixture(autouse=True)
def tiny_suite(monkeypatch):
    monkeypatch.setitem(adaptation_suite.SUITES, 'tiny', SUITE)


def markdown(suite, cells, command) -> str:
    return adaptation_page.markdown(assemble(suite, cells, command))


def chosen(cells=CELLS, **fields) -> list[dict]:
    """Rows of the page."""
    found = [one for one in cells if all(one[k] == v for k, v in fields.items())]
    return assemble(SUITE, found, '')['rows']


def sections(page: str) -> dict[str, str]:
    """Heading of an input -> its text."""
    parts = re.split(r'^## (\w+): .*$', page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def tables(text: str) -> list[list[list[str]]]:
    """Tables of Markdown: rows of cells, the ruler left out."""
    found = re.findall(r'(?:^\|.*\|\n)+', text + '\n', flags=re.MULTILINE)
    return [
        [line.strip('| ').split(' | ') for line in lines.splitlines() if not line.startswith('|---')] for lines in found
    ]


def test_means_of_seeds_by_hand():
    rows = chosen(input='mel', method='mcc')
    # Seed 0: (36 + 20) / 80, seed 1: (40 + 28) / 80.
    assert by_seed(rows, 'source_risk') == pytest.approx([0.7, 0.85])
    # Rows in another order are the same means.
    assert by_seed(rows[::-1], 'source_risk') == pytest.approx([0.7, 0.85])


def test_a_mean_over_tasks_of_different_seeds_is_refused():
    rows = chosen([one for one in CELLS if (one['task'], one['seed']) != ('a -> b', 1)], input='mel', method='mcc')
    with pytest.raises(DataError, match='same seeds'):
        by_seed(rows, 'source_risk')


def test_summary_by_hand():
    rows = chosen(input='mel', method='mcc')
    # Seeds 70 and 85: spread 15 / sqrt(2); tasks 95 and 60: spread 35 / sqrt(2).
    assert summary(rows, 'source_risk') == '77.5 ± 10.6 / 24.7'
    assert summary(chosen(input='mel', method='mcc', seed=0), 'source_risk') == '70.0 / 28.3'
    assert summary(chosen(input='mel', method='mcc', task='a -> b'), 'source_risk') == '95.0 ± 7.1'
    assert summary(chosen(input='mel', method='mcc', task='a -> b', seed=0), 'source_risk') == '90.0'
    assert summary([], 'source_risk') == '–'


def test_the_table_of_selections():
    first = tables(sections(markdown(SUITE, CELLS, 'command'))['mel'])[0]
    assert first[0] == [
        'method',
        'source_risk',
        'dev',
        'snd',
        'entropy',
        'infomax',
        'nuclear_norm',
        'last',
        'seconds per run',
        'oracle (not usable)',
    ]
    lines = {line[0]: line[1:] for line in first[1:]}
    # METHODS' order, not that of the cells.
    assert list(lines) == ['source_only', 'mcc']
    # One window of 40 less: 2.5 points lower. Seconds: 3 and 4.
    assert lines['mcc'][:7] == ['77.5 ± 10.6 / 24.7', *['75.0 ± 10.6 / 24.7'] * 6]
    assert lines['mcc'][7] in ('3', '4')
    # 40 of 40 cannot be bettered: the oracle adds two windows to three cells of four.
    assert lines['mcc'][8] == summary(chosen(input='mel', method='mcc'), 'oracle')
    assert lines['mcc'][8].startswith('81.2 ± ')
    assert lines['source_only'][0] == '50.0 ± 0.0 / 35.4'


def test_the_oracle_is_said_to_be_no_choice():
    page = markdown(SUITE, CELLS, 'command')
    assert 'None reads a label of the target, but **oracle**, which is not usable' in page
    for text in sections(page).values():
        assert tables(text)[0][0][-1] == 'oracle (not usable)'
        assert 'oracle' not in ''.join(tables(text)[1][0])


def test_the_table_of_tasks_has_the_interval_of_one_seeds_recordings():
    second = tables(sections(markdown(SUITE, CELLS, 'command'))['mel'])[1]
    assert second[0] == ['task', 'source_only', 'mcc']
    lines = {line[0]: line[1:] for line in second[1:]}
    assert list(lines) == ['a -> b', 'b -> a', 'a -> c']
    # 38 of 40, the mean of 36 and 40. Wilson's ends are the roots of (p - share)^2 = z^2 p (1 - p) / n.
    z, share = 1.959964, 38 / 40
    low, high = np.sort(np.roots([1 + z**2 / 40, -2 * share - z**2 / 40, share**2]))
    assert (f'{100 * low:.0f}', f'{100 * high:.0f}') == ('83', '99')
    assert lines['a -> b'] == ['25.0 (14–40)', '95.0 (83–99)']
    assert lines['b -> a'][1].startswith('60.0 (')
    # Of a task that nobody ran.
    assert lines['a -> c'] == ['–', '–']


def test_fewer_recordings_widen_the_interval():
    few = [{**one, 'units': 10.0} for one in CELLS]
    line = tables(sections(markdown(SUITE, few, 'command'))['mel'])[1][2]
    # 7.5 of 10: the number of hits is a mean over seeds and need not be whole.
    low, high = wilson_interval(7.5, 10)
    assert line == ['b -> a', f'75.0 ({100 * low:.0f}–{100 * high:.0f})', '60.0 (31–83)']


def test_the_page_says_what_its_intervals_count():
    data = assemble(SUITE, CELLS, 'command')
    assert 'with the 95 % interval of its recordings' in adaptation_page.markdown(data)
    older = adaptation_page.markdown({**data, 'interval_of': 'windows'})
    assert 'over its windows, as if they were independent, which they are not' in older


def test_the_first_line_says_what_labels_of_the_target_were_read_for():
    lines = markdown(SUITE, CELLS, 'command').splitlines()
    assert lines[2].startswith('Labels of the target are read for scores, and before that for the classes')


def test_the_page_has_every_input_method_task_and_the_command():
    page = markdown(SUITE, CELLS, 'python -m launch.benchmark --suite=tiny')
    assert page.startswith('# Two tasks in small\n')
    assert list(sections(page)) == ['mel', 'time']
    for name, text in sections(page).items():
        methods = {method for of_input, method in RIGHT if of_input == name}
        assert {line[0] for line in tables(text)[0][1:]} == methods
        assert {line[0] for line in tables(text)[1][1:]} == {pair.name for pair in SUITE.pairs}
    assert 'Made by `python -m launch.benchmark --suite=tiny`; values of every seed: [tiny.json](tiny.json).' in page
    assert '![Accuracy of every method](tiny.png)' in page
    assert 'mean over tasks and seeds (0, 1)' in page
    assert 'Protocols: the protocol of mcc; the protocol of source_only. ' in page
    assert 'at most 77 epochs (40 on average; 6 of 12 runs were cut there, before' in page
    few = markdown(SUITES['machines'], CELLS, '')
    assert ', 200 source windows of each class; ' in few
    assert 'Windows of the target are seen without labels' in few and 'What each criterion costs' in few
    assert '32 windows of each domain per step' in few


def test_the_page_of_generalisation_says_that_the_target_is_not_seen():
    page = markdown(SUITES['generalise'], CELLS, '')
    assert 'Training sees no window of the target, and `source_risk` and `last` choose' in page
    assert '32 windows of all sources together per step' in page
    assert 'What each criterion costs' not in page


def test_files_of_the_page(tmp_path):
    data = assemble(SUITE, CELLS, 'command')
    page = write_page(tmp_path / 'docs', 'tiny', data, KIND)
    assert page == tmp_path / 'docs' / 'tiny.md'
    assert page.read_text(encoding='utf-8') == adaptation_page.markdown(data)
    assert json.loads((tmp_path / 'docs' / 'tiny.json').read_text()) == data
    assert (tmp_path / 'docs' / 'tiny.png').read_bytes().startswith(b'\x89PNG')
    assert len(list((tmp_path / 'docs').iterdir())) == 3
    row = next(row for row in data['rows'] if (row['method'], row['task']) == ('mcc', 'a -> b'))
    assert (row['seeds'], row['accuracy']['source_risk'], row['seconds']) == ([0, 1], [0.9, 1.0], [3.0, 4.0])


def test_the_plot_has_a_bar_a_method_and_the_oracle_dotted():
    figure = plot(assemble(SUITE, CELLS, ''))
    assert [axes.get_title(loc='left') for axes in figure.axes] == ['mel', 'time']
    mel, time = figure.axes
    assert [bar.get_height() for bar in mel.patches] == pytest.approx([50.0, 77.5])
    assert [bar.get_height() for bar in time.patches] == pytest.approx([20.0])
    assert [label.get_text() for label in mel.get_xticklabels()] == ['source_only', 'mcc']
    dotted = [line.get_ydata() for line in mel.lines if line.get_linestyle() == ':']
    assert np.ravel(dotted) == pytest.approx([55.0, 55.0, 81.25, 81.25])
    assert 'dotted: oracle' in mel.get_ylabel()
    # Whiskers: one standard deviation of the seeds' means to either side.
    spread = 15 / np.sqrt(2)
    bars = [c.errorbar for c in mel.containers if isinstance(c, BarContainer)]
    ends = [segment[:, 1] for bar in bars for segment in bar.lines[2][0].get_segments()]
    assert np.ravel(ends) == pytest.approx([50.0, 50.0, 77.5 - spread, 77.5 + spread])


def test_more_right_windows_than_windows_are_an_error():
    broken = [{**one, 'accuracy': dict.fromkeys(SELECTIONS, 1.5)} for one in CELLS]
    with pytest.raises(DataError, match='60 successes of 40 trials'):
        markdown(SUITE, broken, '')
