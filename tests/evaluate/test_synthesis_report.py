"""The judgement as files and as a page, from a result that is written down here."""

from __future__ import annotations

import json
import re

import pytest

from fdx.evaluate.canvas import new_figure
from fdx.evaluate.synthesis_report import CAPTIONS, HEADER, class_rows, score_rows, write_judgement
from fdx.files import FileWriteError

NAN = float('nan')


def class_result(name: str, **changes) -> dict:
    """A row of a judgement."""
    return {
        'name': name,
        'train_rows': 12,
        'reference_rows': 120,
        'generated': 64,
        'frechet': 1.236,
        'frechet_other_class': 24.72,
        'other_class': 'ball',
        'frechet_ratio': 20.04,
        'precision': 0.914,
        'recall': 0.5,
        'nearest_generated': 0.75,
        'nearest_real': 0.6,
        'near_copies': 0.0469,
        **changes,
    }


@pytest.fixture
def result() -> dict:
    return {
        'dataset': 'cwru/four<rare>',
        'checkpoint': 'gan@400:0123456789ab',
        'step': 400,
        'protocol': 'time_blocks',
        'fold': 2,
        'seed': 7,
        'imbalance': '1:20',
        'judge': 'cnn_small, 150 updates on the 240 windows',
        'classes': [
            class_result('normal'),
            class_result('ball', train_rows=1, other_class='normal', near_copies=NAN, nearest_real=NAN),
        ],
        'frechet_ratio': 20.06,
        'train_real_test_real': {'accuracy': 0.97, 'macro_f1': 0.965},
        'train_synthetic_test_real': {'accuracy': 0.8123, 'macro_f1': 0.7},
        'train_real_test_synthetic': {'accuracy': 1.0, 'macro_f1': 0.99},
        'config': {'steps': 999},
        'history': [{'step': 10, 'train_wasserstein': 1.5}],
        'versions': {'jax': '0.10.2'},
        'backend': 'cpu',
    }


@pytest.fixture
def figures() -> dict:
    return {name: new_figure(2, 1) for name in CAPTIONS}


def prose(page: str) -> str:
    """The text of the page without styles, pictures and markup."""
    page = re.sub(r'<style>.*?</style>', '', page, flags=re.DOTALL)
    return re.sub(r'\s+', ' ', re.sub(r'<[^>]*>', ' ', page))


def test_rows_of_the_table(result):
    normal, ball = class_rows(result)
    assert dict(zip(HEADER, normal, strict=True)) == {
        'class': 'normal',
        'windows learned from': '12',
        'Frechet distance': '1.24',
        'of the nearest other class': '24.72 (ball)',
        'ratio': '20.0',
        'precision': '0.91',
        'recall': '0.50',
        'to the nearest window learned from: generated': '0.75',
        'new real': '0.60',
        'near copies, %': '5',
    }
    # A class with one window has no distance among its own, and here no new real window either.
    assert ball[-2:] == ('–', '–')


def test_scores_name_what_was_learned_from_and_what_was_tested(result):
    assert score_rows(result) == [
        ('real', 'real', '97.0', '96.5'),
        ('generated', 'real', '81.2', '70.0'),
        ('real', 'generated', '100.0', '99.0'),
    ]


def test_files(result, figures, tmp_path):
    page = write_judgement(tmp_path / 'new' / 'judgement', result, figures)
    folder = tmp_path / 'new' / 'judgement'
    assert page == folder / 'report.html'
    assert sorted(path.name for path in folder.iterdir()) == [
        *('health.png', 'mean_spectra.png', 'real_and_generated.png', 'report.html', 'results.json')
    ]
    assert all(path.read_bytes().startswith(b'\x89PNG') for path in folder.glob('*.png'))
    stored = json.loads((folder / 'results.json').read_text())
    assert stored['classes'][0] == result['classes'][0]
    assert stored['classes'][1]['near_copies'] is None  # JSON has no NaN.
    assert stored['history'] == [{'step': 10, 'train_wasserstein': 1.5}]


def test_the_page_stands_alone_and_says_what_it_shows(result, figures, tmp_path):
    text = write_judgement(tmp_path, result, figures).read_text()
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(sources) == len(set(CAPTIONS)) == 3
    assert all(source.startswith('data:image/png;base64,') for source in sources)
    assert re.findall(r'<figcaption>(.*?)</figcaption>', text) == list(CAPTIONS.values())
    assert 'four&lt;rare&gt;' in text and 'four<rare>' not in text
    words = prose(text)
    assert 'gan@400:0123456789ab; protocol time_blocks, fold 2, seed 7, imbalance 1:20; 400 updates.' in words
    assert 'Ratio on average over classes: 20.1.' in words
    assert 'normal 12 1.24 24.72 (ball) 20.0 0.91 0.50 0.75 0.60 5' in words
    assert 'generated real 81.2 70.0' in words
    assert 'jax 0.10.2; cpu.' in words
    # Each figure has its sentence.
    for beginning in ('Frechet distance:', 'Precision:', 'Copies:', 'Trained on generated, tested on real:'):
        assert f' {beginning} ' in words
    assert 'that knows the whole training part: cnn_small, 150 updates on the 240 windows.' in words


def test_no_imbalance_is_not_spoken_of_and_notes_are_added(result, figures, tmp_path):
    result |= {'imbalance': '', 'notes': ['The rare class has <one> window.']}
    text = write_judgement(tmp_path, result, figures).read_text()
    assert 'seed 7; 400 updates.' in prose(text)
    assert '<li>The rare class has &lt;one&gt; window.</li>' in text
    assert 'one&gt;' not in write_judgement(tmp_path, {**result, 'notes': []}, figures).read_text()


def test_a_figure_that_was_not_made_is_left_out(result, figures, tmp_path):
    text = write_judgement(tmp_path, result, {'health': figures['health']}).read_text()
    assert re.findall(r'<figcaption>(.*?)</figcaption>', text) == [CAPTIONS['health']]
    assert [path.name for path in tmp_path.glob('*.png')] == ['health.png']


def test_a_folder_that_cannot_be_written(result, figures, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(FileWriteError, match='cannot write'):
        write_judgement(tmp_path / 'file' / 'judgement', result, figures)
