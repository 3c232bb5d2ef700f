"""Cells on the disk: found again for the same question, and for no other."""

from __future__ import annotations

import contextlib

from fdx.benchmarks.grid import Cell, fill, pack, read_cell, run_cells, write_cell

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


def test_a_cell_is_run_once_and_again_where_its_settings_changed(tmp_path):
    runs = []

    def run():
        runs.append(1)
        return {'accuracy': 0.25 * len(runs)}

    cell = Cell('loads', 'load0 -> load1', 'mel', 'dann', 3)
    path = cell.path(tmp_path)
    assert path == tmp_path / 'cells/loads/mel/dann/load0_to_load1/seed_3.json'
    assert [fill(path, ASKED, run)[0]['accuracy'] for _ in range(2)] == [0.25, 0.25]
    assert fill(path, ASKED, run)[1] is True
    assert fill(path, {**ASKED, 'seed': 1}, run) == (
        {'accuracy': 0.5, 'asked': {**ASKED, 'shots': [1, 5], 'seed': 1}},
        False,
    )
    assert len(runs) == 2


def test_a_stopped_study_goes_on_and_says_what_it_ran(tmp_path):
    cells, said = [Cell('loads', 'a/b 1:20', 'mel', 'none', seed) for seed in range(3)], []

    def one(cell, stop=None):
        if cell.seed == stop:
            raise KeyboardInterrupt
        return fill(cell.path(tmp_path), {'seed': cell.seed}, lambda: {'found': cell.seed})

    with contextlib.suppress(KeyboardInterrupt):
        run_cells(cells, lambda cell: one(cell, stop=2), lambda found: 'first', said.append)
    found = run_cells(cells, one, lambda results: f'found {results["found"]}', said.append)
    assert [results['found'] for results in found] == [0, 1, 2]
    assert [line.partition(',')[0] for line in said] == ['[1/3] loads', '[2/3] loads', '[3/3] loads']
    assert said[2] == '[3/3] loads, mel, a/b 1:20, none, seed 2: found 2, 0 s'


def test_rows_hold_lists_over_seeds():
    records = [
        {'method': m, 'seed': s, 'accuracy': {'last': 0.1 * s, 'best': 0.5}, 'seconds': s}
        for s in (0, 1)
        for m in ('none', 'gan')
    ]
    rows = pack(records, {'seed': 'seeds', 'accuracy': 'accuracy', 'seconds': 'seconds'})
    assert rows == [
        {'method': m, 'seeds': [0, 1], 'accuracy': {'last': [0.0, 0.1], 'best': [0.5, 0.5]}, 'seconds': [0, 1]}
        for m in ('none', 'gan')
    ]
