"""Smith and Randall's grades: the lists of the paper, counts of the audits, and nothing invented beside them."""

from __future__ import annotations

import collections
import re

import pytest

from fdx.datasets.cwru.files import FILES, select_files
from fdx.datasets.cwru.grades import GRADES, grade
from fdx.types import DataError

# Their table 6 as the paper prints it: what no method diagnoses; a number alone means every sensor of the file.
TABLE_6 = """
3001 3002 3003 3004 118 119 120DE 120BA 121BA 187FE 224DE 224BA 225DE 225FE 197FE 197BA 198FE 198BA 199FE 200
174 122 123 124 125 192 228DE 229DE 202FE 204FE
282FE 285FE 290DE 290FE 292FE 293DE 298BA 302 305FE 306 307
"""


def test_table_6_and_nothing_else_is_not_diagnosable():
    expected = set()
    for word in TABLE_6.split():
        number, channel = re.fullmatch(r'(\d+)(\w*)', word).groups()
        expected |= {(int(number), c) for c in ([channel] if channel else FILES[int(number)].channels)}
    found = {(n, c) for n, file in FILES.items() for c in file.channels if grade(n, c) == 'not'}
    assert found == expected


def test_all_drive_end_files_at_12_khz_have_the_grades_of_table_b2():
    files = select_files('drive_end_12k')
    by_fault = collections.Counter((f.fault, grade(f.number)) for f in files)
    assert by_fault == {
        ('ball', 'diagnosable'): 7,
        ('ball', 'partly'): 4,
        ('ball', 'not'): 5,
        ('inner_race', 'diagnosable'): 12,
        ('inner_race', 'not'): 4,
        ('outer_race', 'diagnosable'): 25,
        ('outer_race', 'partly'): 2,
        ('outer_race', 'not'): 1,
    }
    assert [n for n in (f.number for f in files) if grade(n) == 'partly'] == [185, 186, 187, 188, 198, 199]
    # These need the third method (121, 197) or the second (171, 222), and count as diagnosed.
    assert {grade(n) for n in (121, 197, 171, 222, 3005)} == {'diagnosable'}


def test_what_the_paper_was_not_read_for_says_so():
    assert grade(97) == grade(97, 'FE') == 'healthy'
    assert {grade(n) for n in (109, 135, 270)} == {grade(105, 'FE')} == {'not_read'}
    assert {grade(n, c) for n, file in FILES.items() for c in file.channels} == set(GRADES)


def test_unknown_files_and_channels():
    with pytest.raises(DataError, match=r'no file 173\.mat'):
        grade(173)
    with pytest.raises(DataError, match=r"3001\.mat has no channel 'FE'"):
        grade(3001, 'FE')


def test_every_file_that_is_here_has_a_grade(raw_data):
    numbers = [int(path.stem) for path in (raw_data / 'cwru').glob('*.mat')]
    counts = collections.Counter(grade(number) for number in numbers)
    assert sum(counts.values()) == len(numbers) and set(counts) <= set(GRADES)
    assert all(FILES[n].group in ('drive_end_48k', 'fan_end_12k') for n in numbers if grade(n) == 'not_read')
