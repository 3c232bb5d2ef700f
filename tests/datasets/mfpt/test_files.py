"""The table of the 20 recordings and the two subsets."""

from __future__ import annotations

import collections
import urllib.parse

import pytest

from fdx.datasets.mfpt.files import ARCHIVE_URL, FILES, SUBSETS

INNER_LBS = [0, 50, 100, 150, 200, 250, 300]
OUTER_LBS = [25, 50, 100, 150, 200, 250, 300]


def test_twenty_files_with_unique_names_and_ids():
    assert len(FILES) == 20
    assert len({file.recording for file in FILES.values()}) == 20
    assert all(stem == file.stem and file.name == f'{stem}.mat' for stem, file in FILES.items())
    assert collections.Counter(f.fault for f in FILES.values()) == {'normal': 3, 'inner_race': 7, 'outer_race': 10}
    assert {f.bearing for f in FILES.values()} == {'normal', 'inner_race', 'outer_race'}


@pytest.mark.parametrize('stem', ['baseline', 'OuterRaceFault'])
def test_steady_recordings(stem):
    files = [FILES[f'{stem}_{i}'] for i in (1, 2, 3)]
    assert {(f.rate_hz, f.length, f.duration_s, f.load_lbs, f.domain) for f in files} == {
        (97656, 585936, 6.0, 270, 'load270')
    }


def test_recordings_by_load():
    for stem, fault, loads in (
        ('InnerRaceFault', 'inner_race', INNER_LBS),
        ('OuterRaceFault', 'outer_race', OUTER_LBS),
    ):
        files = [FILES[f'{stem}_vload_{i}'] for i in range(1, 8)]
        assert [f.load_lbs for f in files] == loads
        assert [f.domain for f in files] == [f'load{lbs}' for lbs in loads]
        assert [f.recording for f in files] == [f'mfpt_{fault}_{i}' for i in range(1, 8)]
        assert {(f.fault, f.rate_hz, f.length) for f in files} == {(fault, 48828, 146484)}


def test_ids_tell_the_two_series_of_outer_race_faults_apart():
    assert FILES['baseline_2'].recording == 'mfpt_normal_2'
    assert FILES['OuterRaceFault_2'].recording == 'mfpt_outer_race_270lbs_2'
    assert FILES['OuterRaceFault_vload_2'].recording == 'mfpt_outer_race_2'


def test_subsets():
    assert list(SUBSETS) == ['faults', 'all']
    faults, everything = SUBSETS['faults'], SUBSETS['all']
    assert faults.classes == ('inner_race', 'outer_race')
    assert everything.classes == ('normal', 'inner_race', 'outer_race')
    assert (len(faults.files), len(everything.files)) == (14, 20)
    assert {f.rate_hz for f in faults.files} == {48828}
    assert {f.rate_hz for f in everything.files if f.fault == 'normal'} == {97656}
    assert faults.lowest_rate_hz == everything.lowest_rate_hz == 48828
    for subset in SUBSETS.values():
        keys = [(subset.classes.index(f.fault), f.load_lbs) for f in subset.files if '270lbs' not in f.recording]
        assert keys == sorted(keys)
        assert subset.description.endswith('.')


def test_the_archive_is_one_zip():
    url = urllib.parse.urlparse(ARCHIVE_URL)
    assert (url.scheme, url.netloc) == ('https', 'mfpt.org')
    assert url.path.endswith('/MFPT-Fault-Data-Sets-20200227T131140Z-001.zip')
