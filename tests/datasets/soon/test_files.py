"""The table of the 30 files against what a reader of the names writes down."""

from __future__ import annotations

import hashlib
import pathlib

import pytest

from fdx.datasets.soon.files import FAULT_TYPES, FILES, NAMES, parse_name
from fdx.datasets.soon.subsets import SUBSETS
from fdx.types import DataError

# number: (fault type of m1, ohm, Nm, motor m2, turned sensor, class name), written down by hand from the list of names.
BY_HAND = {
    1: ('healthy', 0, 0.0, 'none', False, '01_healthy'),
    2: ('healthy', 0, 0.5, 'none', False, '02_healthy_load0.5'),
    3: ('mechanical', 0, 0.0, 'none', False, '03_imbalanced'),
    4: ('mechanical', 0, 0.0, 'none', False, '04_imbalanced'),
    5: ('mechanical', 0, 0.5, 'none', False, '05_imbalanced_load0.5'),
    6: ('electrical', 50, 0.0, 'none', False, '06_electrical50'),
    7: ('electrical', 100, 0.0, 'none', False, '07_electrical100'),
    8: ('electrical', 150, 0.0, 'none', False, '08_electrical150'),
    9: ('electrical', 50, 0.5, 'none', False, '09_electrical50_load0.5'),
    10: ('electrical', 100, 0.5, 'none', False, '10_electrical100_load0.5'),
    11: ('combined', 50, 0.0, 'none', False, '11_imbalanced_electrical50'),
    12: ('combined', 100, 0.0, 'none', False, '12_imbalanced_electrical100'),
    13: ('combined', 150, 0.0, 'none', False, '13_imbalanced_electrical150'),
    14: ('combined', 50, 0.5, 'none', False, '14_imbalanced_electrical50_load0.5'),
    15: ('healthy', 0, 0.0, 'imbalanced', False, '15_healthy_m2imbalanced'),
    16: ('mechanical', 0, 0.0, 'normal', False, '16_imbalanced_m2normal'),
    17: ('mechanical', 0, 0.0, 'imbalanced', False, '17_imbalanced_m2imbalanced'),
    18: ('healthy', 0, 0.5, 'imbalanced', False, '18_healthy_load0.5_m2imbalanced'),
    19: ('mechanical', 0, 0.5, 'imbalanced', False, '19_imbalanced_load0.5_m2imbalanced'),
    20: ('electrical', 50, 0.0, 'imbalanced', False, '20_electrical50_m2imbalanced'),
    21: ('electrical', 50, 0.5, 'imbalanced', False, '21_electrical50_load0.5_m2imbalanced'),
    22: ('electrical', 100, 0.0, 'imbalanced', False, '22_electrical100_m2imbalanced'),
    23: ('electrical', 100, 0.5, 'imbalanced', False, '23_electrical100_load0.5_m2imbalanced'),
    24: ('electrical', 150, 0.0, 'imbalanced', False, '24_electrical150_m2imbalanced'),
    25: ('combined', 50, 0.0, 'imbalanced', False, '25_imbalanced_electrical50_m2imbalanced'),
    26: ('combined', 50, 0.5, 'imbalanced', False, '26_imbalanced_electrical50_load0.5_m2imbalanced'),
    27: ('combined', 100, 0.0, 'imbalanced', False, '27_imbalanced_electrical100_m2imbalanced'),
    28: ('combined', 100, 0.5, 'imbalanced', False, '28_imbalanced_electrical100_load0.5_m2imbalanced'),
    29: ('combined', 150, 0.0, 'imbalanced', False, '29_imbalanced_electrical150_m2imbalanced'),
    30: ('combined', 150, 0.0, 'imbalanced', True, '30_imbalanced_electrical150_m2imbalanced_rotated'),
}


@pytest.mark.parametrize('number', sorted(BY_HAND))
def test_every_name_is_read_as_by_hand(number):
    file = FILES[number]
    assert BY_HAND[number] == (
        file.fault_type, file.resistance_ohm, file.load_nm, file.background, file.rotated, file.scenario
    )  # fmt: skip
    assert file.number == number
    assert file.recording == f'soon_{number:02d}'
    assert file.name.startswith(f'{number:02d} - m1_')
    assert file.name.endswith('_half_speed.csv') or number == 1
    load = 'load0.5' if file.load_nm else 'load0'
    assert file.domain == f'{load}_m2{file.background}' + ('_rotated' if number == 30 else '')


def test_the_names_are_those_of_the_published_list():
    digest = 'c80af341b80679d62482f813b626089a8cf82c5fa062b8c03dd31401ccc14e11'
    assert hashlib.sha256('\n'.join(NAMES).encode()).hexdigest() == digest


def test_names_are_unique_and_in_order():
    assert list(FILES) == list(range(1, 31)) == sorted(BY_HAND)
    assert len({file.name for file in FILES.values()}) == 30
    counts = {fault: sum(file.fault_type == fault for file in FILES.values()) for fault in FAULT_TYPES}
    assert counts == {'healthy': 4, 'mechanical': 6, 'electrical': 10, 'combined': 10}


def test_only_03_and_04_share_a_condition():
    conditions = [file.condition for file in FILES.values()]
    assert len(set(conditions)) == 29
    assert FILES[3].condition == FILES[4].condition == 'imbalanced'


def test_the_background_motor_says_nothing_about_m1():
    file = parse_name('31 - m1_load_0.5Nm_m2_mechanicaly_umbalanced_electrically_50_ohm_load_0.7Nm')
    assert (file.fault_type, file.resistance_ohm, file.load_nm, file.background) == ('healthy', 0, 0.5, 'imbalanced')


@pytest.mark.parametrize('name', ['m1_half_speed', '1 - m1_half_speed', '01 - m2_half_speed', '01-m1_half_speed'])
def test_other_names_are_refused(name):
    with pytest.raises(DataError, match=f"'{name}' is not the name of a SOON file"):
        parse_name(name)


def test_address_is_quoted():
    assert FILES[2].url == ('https://zenodo.org/records/6473455/files/02%20-%20m1_load_0.5Nm_half_speed.csv?download=1')
    assert pathlib.PurePosixPath(FILES[2].name).suffix == '.csv'


def test_subsets():
    assert list(SUBSETS) == ['all', 'conditions', 'm1_alone']
    assert SUBSETS['all'].classes == tuple(row[-1] for row in BY_HAND.values())
    conditions = SUBSETS['conditions']
    assert len(conditions.classes) == 29
    assert conditions.classes[:4] == ('healthy', 'healthy_load0.5', 'imbalanced', 'imbalanced_load0.5')
    assert conditions.label(FILES[4]) == 'imbalanced'
    assert [file.number for file in SUBSETS['m1_alone'].files] == list(range(1, 15))
    assert {file.background for file in SUBSETS['m1_alone'].files} == {'none'}
    assert {subset.fault_types for subset in SUBSETS.values()} == {FAULT_TYPES}
