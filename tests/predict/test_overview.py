"""The overview of many files: what counts as a fault or a doubt, and how text, CSV and the page show it."""

from __future__ import annotations

import csv
import io
import re

import pytest

from fdx.predict.listing import (
    CSV_COLUMNS,
    TextTable,
    common_folder,
    csv_text,
    printable,
    shortened,
    telling_head,
)
from fdx.predict.overview import in_order_of_urgency, is_healthy, lines_of, shared_warnings, verdict_counts
from fdx.predict.page import MOST_LINES, render_page

EVIL = '/m/<script>alert(1)</script>\n\x1b[31m.npy'


def recording(file, predicted, probability=None, **more):
    mean = None if probability is None else {predicted: probability, 'other': 1 - probability}
    return {'kind': 'recording', 'file': file, 'windows': 4, 'predicted': predicted, 'mean_probabilities': mean, **more}


ROWS = [
    {'kind': 'window', 'file': '/m/a.wav', 'predicted': 'normal'},
    recording('/m/a.wav', 'normal', 0.9),
    recording('/m/b.wav', 'ball', 0.6, predicted_vote='normal'),
    recording('/m/c.wav', None, reason='0 of 4 windows can be used', unusable_windows={'dead': 4}),
    {'kind': 'error', 'file': '/m/d.wav', 'error': '/m/d.wav is empty (0 bytes)'},
    recording('/m/e.wav', 'normal', 0.8, outside_training=['level 9 x', 'speed'], notes=['a note']),
    recording(EVIL, 'ball', 0.7, unusable_windows={'lost_time': 1}, wild_samples=3),
    recording('/m/f.wav', 'normal', 0.4),
]


def test_faults_and_doubts_come_first():
    ordered = in_order_of_urgency(lines_of(ROWS))
    assert [(line.file[3], line.state) for line in ordered] == [
        ('<', 'fault'),
        ('b', 'fault'),
        ('c', 'doubt'),
        ('e', 'doubt'),
        ('f', 'doubt'),
        ('d', 'error'),
        ('a', 'healthy'),
    ]
    assert verdict_counts(ordered) == {'normal': 3, 'ball': 2, 'error': 1, 'no verdict': 1}
    by_name = {line.file[3]: line for line in ordered}
    assert by_name['b'].warnings == ('the windows disagree: most of them say normal',)
    assert by_name['c'].warnings == ('0 of 4 windows can be used',)
    assert by_name['e'].warnings == ('unlike the training data: level 9 x; speed', 'a note')
    assert by_name['<'].warnings == (
        '1 of 4 windows have no vote (1 lost time)',
        'wild samples that were replaced: 3',
    )
    assert (by_name['a'].score, by_name['c'].score) == (0.9, None)


def test_healthy_classes_are_known_by_their_names():
    assert all(map(is_healthy, ('normal', 'Healthy pump', 'GOOD', 'gesund', 'no_fault', 'Normal_0')))
    assert not any(
        map(is_healthy, ('not normal', 'unhealthy', 'H crack', 'abnormal', 'ball', 'good bearing, bent shaft'))
    )


def test_scores_of_fault_orders_are_z_scores():
    """A healthy verdict shows the order that comes nearest to a fault."""
    z = {'outer_race': 2.5, 'inner_race': -1.0, 'ball': None}
    row = {'kind': 'recording', 'file': 'a', 'windows': 1, 'predicted': 'normal', 'z_scores': z}
    (line,) = lines_of([row])
    assert (line.score, line.score_kind, line.state) == (2.5, 'z score', 'healthy')
    (line,) = lines_of([{**row, 'predicted': 'outer_race', 'z_scores': {'outer_race': 12.25}}])
    assert (line.score, line.state) == (12.25, 'fault')
    assert csv_text([line]).splitlines()[1] == 'a,,outer_race,,12.25,fault,1,,,outer_race=12.25'


def test_a_table_has_a_line_per_reading_or_its_counts():
    whole = {'kind': 'table', 'file': 't.csv', 'readings': 3, 'predicted': {'normal': 2, 'failure': 1}}
    (line,) = lines_of([whole])
    assert (line.said, line.state) == ('2 normal, 1 failure', 'fault')
    reading = {'kind': 'reading', 'file': 't.csv', 'row': 1, 'predicted': 'normal', 'probabilities': {'normal': 0.75}}
    (line,) = lines_of([reading, whole])
    assert (line.row, line.said, line.score, line.state) == (1, 'normal', 0.75, 'healthy')


def test_csv_is_read_back_with_one_line_per_file():
    rows = list(csv.DictReader(io.StringIO(csv_text(lines_of(ROWS)))))
    assert list(rows[0]) == list(CSV_COLUMNS)
    assert [row['file'] for row in rows] == [row['file'] for row in ROWS[1:]]
    assert rows[0]['probability'] == '0.9' and rows[0]['scores'] == 'normal=0.9; other=0.1'
    assert (rows[2]['verdict'], rows[2]['state'], rows[2]['probability']) == ('', 'doubt', '')
    assert rows[4]['warnings'] == 'unlike the training data: level 9 x; speed; a note'


def test_a_table_of_text_fits_the_terminal_and_cannot_steer_it():
    lines = lines_of(ROWS)
    files = [line.file for line in lines]
    table = TextTable(files, 80, [line.said for line in lines], common_folder(files[:-2]))
    text = '\n'.join([table.head(), *map(table.lines, lines)])
    assert all(len(part) <= 80 for part in text.splitlines())
    assert '\x1b' not in text and r'\n\x1b[31m' in text
    assert re.search(r'^a\.wav +normal +0\.90$', text, re.MULTILINE)
    assert re.search(r'^d\.wav +error +is empty \(0 bytes\)$', text, re.MULTILINE)
    assert re.search(r'^e\.wav +normal +0\.80  unlike the training data:\n +level 9 x; speed\n +a note$', text, re.M)


@pytest.mark.parametrize(
    ('files', 'folder'),
    [(['/a/b/c.wav', '/a/d.wav'], '/a/'), (['c.wav', 'd/e.wav'], ''), (['/a/b.wav', 'c.wav'], ''), ([], '')],
)
def test_the_folder_that_files_have_in_common(files, folder):
    assert common_folder(files) == folder


def test_names_that_differ_stay_apart_on_a_narrow_terminal():
    # As ADI writes them: they differ at places that a third of 80 characters would leave out.
    states = ('BaLo', 'HImL', 'VImL', 'VLIL')
    names = [f'1800_{kind}_GS_{state}_WA_00lb.Wfm.csv' for kind in ('GoB', 'HIR', 'LBF') for state in states]
    assert len({shortened(name, 26) for name in names}) == 3
    head = telling_head(names, 26)
    assert len({shortened(name, 26, head) for name in names}) == len(names)
    table = TextTable([f'/m/{name}' for name in names], 80, ['normal'], '/m/')
    firsts = [table.lines(lines_of([recording(f'/m/{name}', 'normal', 0.9)])[0]).split()[0] for name in names]
    assert len(set(firsts)) == len(names) and firsts[0] == '1800_GoB_GS_Ba…0lb.Wfm.csv'
    # Names that fit stay whole; of names that no way keeps apart, most are.
    assert telling_head(['a', 'b'], 10) == telling_head([], 10) == 3
    twins = ['a' * 30 + tail for tail in ('x', 'y')] + ['b' + 'a' * 29 + 'x']
    assert len({shortened(name, 10, telling_head(twins, 10)) for name in twins}) == 3


def test_what_all_files_share_is_said_once():
    notes = [['row 1 has 3 cells more (0.1, 0.2)', 'no rate'], ['no rate', 'row 1 has 3 cells more (0.3)', 'alone']]
    rows = [recording(f'/m/{i}.csv', 'normal', 0.9, notes=note) for i, note in enumerate(notes)]
    lines, shared = shared_warnings(lines_of(rows))
    assert [line.warnings for line in lines] == [(), ('alone',)]
    assert shared == [
        'in all 2 files, here of the first: row 1 has 3 cells more (0.1, 0.2)',
        'in all 2 files: no rate',
    ]
    # A file with an error says nothing else, and one file alone says what it has.
    broken = {'kind': 'error', 'file': '/m/x.csv', 'error': 'empty'}
    lines, shared = shared_warnings(lines_of([*rows, broken]))
    assert shared[1] == 'in all 2 files that were read: no rate' and lines[2].error == 'empty'
    assert shared_warnings(lines_of([rows[0], broken]))[1] == []
    # Other figures outside of parentheses are another sentence.
    levels = [recording(f'/m/{i}.csv', 'normal', 0.9, notes=[f'level {i} x']) for i in range(2)]
    assert shared_warnings(lines_of(levels))[1] == []


def test_names_are_shortened_in_their_middle_and_escaped():
    assert shortened('abcdefghij', 10) == 'abcdefghij'
    assert shortened('abcdefghijk', 10) == 'abc…fghijk'
    assert [shortened('abcdefghijk', 10, head) for head in (0, 9)] == ['…cdefghijk', 'abcdefghi…']
    assert printable('a\tb\udce9ü') == 'a\\tb\\udce9ü'


def test_the_page_needs_nothing_and_escapes_names():
    page = render_page(ROWS, 'runs/mine (step best)', written_at=0.0)
    assert '<script' not in page and '&lt;script&gt;alert(1)' in page
    assert not re.search(r'https?://|src=|@import|url\(', page)
    assert '<li class="fault"><b>2</b>fault</li>' in page and '<li class="healthy"><b>1</b>healthy</li>' in page
    names = re.findall(r'<td class="id">(.*?)</td>', page)
    assert [name[0] for name in names] == ['&', 'b', 'c', 'e', 'f', 'd', 'a']
    assert 'aria-label="normal 0.90, other 0.10"' in page
    assert 'style="width:90.0%;background:#2f9e6e"' in page
    assert '<li>unlike the training data: level 9 x; speed</li><li>a note</li>' in page


def test_a_page_of_very_many_files_says_what_it_leaves_out():
    rows = [recording(f'/m/{i}.wav', 'normal', 0.9) for i in range(MOST_LINES + 5)] + [ROWS[2]]
    page = render_page(rows, 'x')
    assert page.count('<td class="id">') == MOST_LINES
    assert 'The 6 least urgent lines are not on this page' in page and '<td class="id">b.wav</td>' in page
    assert 'Diagnosis of 0 files' in render_page([], 'x')
