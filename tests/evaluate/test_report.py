import json
import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from fdx.evaluate.metrics import summarise
from fdx.evaluate.plots import plot_waveform
from fdx.evaluate.predictions import Predictions
from fdx.evaluate.recordings import confident_mistakes, per_recording
from fdx.evaluate.report import ReportContext, render_report, write_report, write_results
from fdx.types import DataError

CLEAN = {'leaks': False, 'share': 0.0, 'reason': 'A guard lies between blocks.'}
LEAKING = {'leaks': True, 'share': 0.8734, 'reason': 'Random windows overlap.'}
VOID = {'meta', 'img', 'br', 'hr', 'link', 'input'}


@pytest.fixture(scope='module')
def predictions():
    probabilities = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.9, 0.05, 0.05], [0.3, 0.4, 0.3]])
    return Predictions(
        probabilities,
        np.array([0, 0, 1, 1, 1]),
        ['r_good', 'r_good', 'r_mixed', 'r_bad', 'r_fine'],
        np.arange(5) * 1000,
        ['normal', 'inner<race>', 'ball & cage'],
        np.zeros(5, int),
    )


def context(predictions, **changes):
    return ReportContext(result=summarise(predictions), **changes)


class Checker(HTMLParser):
    """Collects tags and text, and checks that every element is closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.sources = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ('src', 'href', 'srcset', 'action')]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check(page):
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    return checker


def prose(page):
    """The text of the page without styles, pictures and markup."""
    page = re.sub(r'<style>.*?</style>', '', page, flags=re.DOTALL)
    return re.sub(r'\s+', ' ', re.sub(r'<[^>]*>', ' ', page))


def test_full_report_is_whole_and_self_contained(tmp_path, predictions):
    full = context(
        predictions,
        config={'learning_rate': 0.001, 'seed': 7, 'dataset': 'cwru', 'packages': {'jax': '0.10.2', 'flax': '0.12'}},
        history=[{'epoch': 1, 'train_loss': 1.0, 'selected': True}],
        figures={'samples': plot_waveform(np.ones(4), 2.0, ''), 'my_figure': plot_waveform(np.ones(4), 2.0, '')},
        per_recording=per_recording(predictions),
        notes=['The guard is 0.100 s.'],
        leak=CLEAN,
        mistakes=confident_mistakes(predictions),
        title='CWRU, VGGish',
    )
    write_report(tmp_path / 'report.html', full)
    assert os.listdir(tmp_path) == ['report.html']
    page = (tmp_path / 'report.html').read_text('utf-8')
    checker = check(page)
    assert 'script' not in checker.tags and 'link' not in checker.tags
    assert len(checker.sources) == 4
    assert all(source.startswith('data:image/png;base64,') for source in checker.sources)
    assert not re.search(r'https?:|//[a-z]|@import|url\(', re.sub(r'base64,[^"]*', '', page))
    text = prose(page)
    for expected in (
        'CWRU, VGGish',
        'Accuracy over windows 80.0 %',
        '95 % interval by recording: {:.1f} to {:.1f} %'.format(*(100 * v for v in full.result['accuracy_interval'])),
        'Were all windows independent, which they are not, it would be 37.6 to 96.4 %.',
        'windows of 4 recordings',
        'Dataset cwru Seed 7 Package versions jax 0.10.2, flax 0.12 learning_rate 0.001',
        'The guard is 0.100 s.',
        'My figure',
        'Most confident mistakes',
    ):
        assert expected in text, expected
    headings = re.findall(r'<h2>(.*?)</h2>', page)
    assert headings == [
        'Notes', 'How it was made', 'Classes', 'Confusion matrix', 'Training curves', 'A sample of each class',
        'My figure', 'Recordings', 'Most confident mistakes',
    ]  # fmt: skip


def test_bare_report_has_only_the_numbers(predictions):
    page = render_report(context(predictions))
    check(page)
    assert re.findall(r'<h2>(.*?)</h2>', page) == ['Classes', 'Confusion matrix']
    assert f'{summarise(predictions)["macro_f1"]:.3f}' in prose(page)


def test_names_are_escaped_and_all_there(predictions):
    page = render_report(context(predictions, notes=['<script>alert(1)</script>'], config={'model': '<b>'}, leak=CLEAN))
    for name in ('normal', 'inner&lt;race&gt;', 'ball &amp; cage'):
        assert f'<td>{name}</td>' in page
    assert 'inner<race>' not in page and '<script' not in page and '<b>' not in page
    check(page)


@pytest.mark.parametrize(
    'leak, mark, text',
    [
        (LEAKING, 'leak', 'This protocol leaks: do not trust these numbers 87.3 % of the test windows leak.'),
        ({**LEAKING, 'share': None}, 'leak', 'do not trust these numbers Random windows overlap.'),
        (CLEAN, 'clean', 'No leakage found A guard lies between blocks.'),
        (None, 'unknown', 'Leakage was not measured'),
    ],
)
def test_leak_mark(predictions, leak, mark, text):
    page = render_report(context(predictions, leak=leak))
    assert re.findall(r'<section class="mark (\w+)"', page) == [mark]
    assert text in prose(page)
    assert ('leaks' in prose(page)) == (mark == 'leak')


def test_absent_class_is_marked(predictions):
    rows = re.findall(r'<tr>(.*?)</tr>', render_report(context(predictions)), flags=re.DOTALL)
    (row,) = [prose(row) for row in rows if 'ball &amp; cage' in row]
    assert row.strip() == 'ball &amp; cage 0 – – – no windows –'


def test_recordings_in_trouble_come_first(predictions):
    rows = per_recording(predictions)
    split = {**rows[0], 'recording': 'r_split', 'predicted_vote': 'ball & cage', 'label': 'normal'}
    low = {**rows[0], 'recording': 'r_low', 'agreement': 0.4}
    page = render_report(context(predictions, per_recording=[*rows, low, split]))
    ids = re.findall(r'<td class="id">(.*?)</td>', page)
    assert ids == ['r_bad', 'r_split', 'r_low', 'r_fine', 'r_good', 'r_mixed']
    assert page.count('<tr class="wrong">') == 1
    assert page.count('<tr class="split">') == 1


def test_long_table_of_recordings_says_what_is_left_out(predictions):
    row = per_recording(predictions)[0]
    page = render_report(context(predictions, per_recording=[{**row, 'recording': f'r{i}'} for i in range(250)]))
    assert 'The first 200 of 250 are shown.' in prose(page)
    assert page.count('<td class="id">') == 200


def test_incomplete_input_is_named_and_nothing_is_written(tmp_path, predictions):
    result = summarise(predictions)
    del result['macro_f1']
    with pytest.raises(DataError, match='macro_f1'):
        write_report(tmp_path / 'r.html', ReportContext(result=result))
    with pytest.raises(DataError, match='reason'):
        write_report(tmp_path / 'r.html', context(predictions, leak={'leaks': False}))
    assert os.listdir(tmp_path) == []


def test_same_context_same_page(predictions):
    assert render_report(context(predictions, leak=CLEAN)) == render_report(context(predictions, leak=CLEAN))


def test_write_results(tmp_path, predictions):
    write_results(tmp_path / 'results.json', {**summarise(predictions), 'bad': np.float32('nan'), 'n': np.int64(2)})
    text = (tmp_path / 'results.json').read_text()
    loaded = json.loads(text)
    assert 'NaN' not in text and loaded['bad'] is None and loaded['n'] == 2
    assert list(loaded) == sorted(loaded)
    assert loaded['confusion_matrix'] == [[2, 0, 0], [1, 2, 0], [0, 0, 0]]
    with pytest.raises(DataError, match='dict'):
        write_results(tmp_path / 'x.json', [1])


def test_recordings_are_counted_by_mean_and_by_majority_vote():
    """Two weak votes against a strong one: the mean is right where the vote is wrong."""
    rows = [[0.9, 0.1], [0.45, 0.55], [0.45, 0.55], [0.2, 0.8]]
    table = Predictions(
        np.array(rows), np.array([0, 0, 0, 1]), ['a', 'a', 'a', 'b'], np.arange(4), ['x', 'y'], np.zeros(4, int)
    )
    text = prose(render_report(context(table)))
    assert 'Recordings diagnosed rightly 100.0 % by mean probability: 34.2 to 100.0 %' in text
    assert 'by majority vote: 50.0 % (9.5 to 90.5 %)' in text
