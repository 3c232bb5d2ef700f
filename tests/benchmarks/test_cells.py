"""Cells on the disk: found again for the same question, and for no other."""

from __future__ import annotations

from fdx.benchmarks.cells import read_cell, write_cell

ASKED = {'shots': (1, 5), 'model': 'mlp'}


def test_a_cell_is_found_again_as_it_was_returned(tmp_path):
    path = tmp_path / 'suite' / 'cell.json'
    assert read_cell(path, ASKED) is None
    written = write_cell(path, ASKED, {'accuracy': 0.5, 'pair': (1, 2)})
    assert written == {'accuracy': 0.5, 'pair': [1, 2], 'asked': {'shots': [1, 5], 'model': 'mlp'}}
    assert read_cell(path, ASKED) == written


def test_another_question_has_no_answer_yet(tmp_path):
    write_cell(tmp_path / 'cell.json', ASKED, {'accuracy': 0.5})
    for asked in ({**ASKED, 'shots': (1,)}, {**ASKED, 'seed': 0}, {'model': 'mlp'}):
        assert read_cell(tmp_path / 'cell.json', asked) is None
