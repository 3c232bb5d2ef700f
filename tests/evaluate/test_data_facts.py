"""What the data are: numbers of the simulated rig, of a table of readings, and of tables that are written down."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.dataset import PreparedDataset
from fdx.data.prepare import prepare_if_missing
from fdx.data.source import open_dataset
from fdx.data.table import Table
from fdx.evaluate.data_facts import data_facts, one_speed
from fdx.evaluate.data_words import class_rows, data_rows


@pytest.fixture(scope='module')
def rig_data(data_dir):
    return open_dataset('bearing_rig/rig_b_small', data_dir)


class Written(PreparedDataset):
    """A dataset whose table is written down."""

    name = 'recordings/mine:1.0.0'
    channels = 2

    def class_names(self, label_key='label'):
        del label_key
        return ['sound', 'ball', 'cage']


def written(rows: list[tuple], metadata: dict | None = None) -> PreparedDataset:
    """Windows of 100 samples at 100 Hz: (recording, start, label, bearing, domain, speed, load) each."""
    names = ('recording', 'window_start', 'label', 'bearing', 'domain', 'speed_rpm', 'load')
    columns = {name: np.array(values) for name, values in zip(names, zip(*rows))}
    columns['fault_type'] = columns['label']
    data = Written()
    data.table = Table(columns, 100)
    data.metadata = {'common_rate_hz': 100.0, 'unit': 'g', **(metadata or {})}
    return data


def test_the_simulated_rig(rig_data, rig):
    facts = data_facts(rig_data)
    assert (facts['dataset'], facts['version']) == ('bearing_rig/rig_b_small', '2.0.0')
    assert (facts['recordings'], facts['windows'], facts['rate_hz']) == (6, 30, rig.RATE_HZ)
    assert facts['seconds'] == pytest.approx(30 * rig.WINDOW / rig.RATE_HZ)
    assert [(c['class'], c['recordings'], c['bearings']) for c in facts['classes']] == [
        (name, 2, [f'rig_b-{name}']) for name in rig.CLASSES
    ]
    assert (facts['speeds_rpm'], facts['domains'], facts['domain_kind']) == ([457.0, 997.0], ['load0'], 'domain')
    assert (facts['healthy_classes'], facts['content_hash'], facts['channels']) == (['normal'], None, 1)
    rows = dict(data_rows(facts))
    assert rows['Extent'] == '6 recordings, 29.2 s in all, cut into 30 windows'
    assert rows['Speeds'] == '457 and 997 rpm'
    assert rows['Samples'] == '20,480 per second, 1 channel, of unknown unit'
    assert class_rows(facts)[1][0] == ['normal', '2', '10', '9.75 s', '1']


def test_left_out_recordings_are_not_counted(rig_data):
    out = sorted(set(rig_data.table['recording']))[:1]
    facts = data_facts(rig_data, exclude_recordings=out)
    assert (facts['recordings'], facts['windows'], facts['excluded_recordings']) == (5, 25, 1)
    assert '5 recordings, 24.4 s in all, cut into 25 windows; 1 recording left out' in dict(data_rows(facts))['Extent']


def test_a_table_of_readings(tmp_path):
    prepare_if_missing('motor_maintenance/small', str(tmp_path), None)
    facts = data_facts(open_dataset('motor_maintenance/small', tmp_path))
    assert sum(c['windows'] for c in facts['classes']) == facts['windows'] == 1500
    assert 'recordings' not in facts and 'domain_kind' not in facts
    rows = dict(data_rows(facts))
    assert rows['Extent'] == f'1,500 rows of {len(facts["columns"])} columns'
    assert class_rows(facts)[0] == ['Class', 'Rows']


def test_overlapping_windows_cover_each_second_once():
    rows = [('a', start, 0, 'b', 'd', 600.0, 1.0) for start in (0, 50, 100)]
    rows += [('z', start, 1, '', 'd', np.nan, np.nan) for start in (0, 300)]
    facts = data_facts(written(rows))
    assert facts['seconds'] == 4.0
    assert [c['seconds'] for c in facts['classes']] == [2.0, 2.0, 0]
    assert [c['recordings'] for c in facts['classes']] == [1, 1, 0]
    assert (facts['bearings'], facts['unnamed'], facts['speeds_rpm'], facts['loads']) == (['b'], 1, [600.0], [1.0])
    assert [row[-1] for row in class_rows(facts)[1]] == ['1', 'not stated', '0']
    assert dict(data_rows(facts))['Bearings'] == '1: b; not stated for 1 recording'


@pytest.mark.parametrize(
    ('speeds', 'loads', 'kind'),
    [
        ((600.0, 1200.0), (1.0, 1.0), 'speed'),
        ((600.0, 600.0), (0.0, 1.0), 'load'),
        ((1797.0, 1750.0), (0.0, 1.0), 'load'),
        ((600.0, 1200.0), (0.0, 1.0), 'operating condition'),
        ((np.nan, np.nan), (np.nan, np.nan), 'domain'),
    ],
)
def test_what_tells_domains_apart(speeds, loads, kind):
    rows = [(f'r{i}', 0, 0, '', f'd{i}', s, x) for i, (s, x) in enumerate(zip(speeds, loads))]
    assert data_facts(written(rows))['domain_kind'] == kind


def test_what_the_metadata_say():
    rows = [('a', 0, 0, '', 'pump 1', 600.0, 1.0), ('b', 0, 1, '', 'pump 2', 600.0, 1.0)]
    stated = {
        'content_sha256': 'ab' * 32, 'machines': {'a': 'pump 1', 'b': 'pump 2', 'gone': 'pump 3'},
        'left_out_windows': {'lost_time': 3}, 'channel_names': ['x', 'y'],
    }  # fmt: skip
    facts = data_facts(written(rows, stated))
    assert (facts['machines'], facts['domain_kind']) == (['pump 1', 'pump 2'], 'machine')
    rows_of_page = dict(data_rows(facts))
    assert rows_of_page['Hash of the content'] == 'abababababababab (its first 16 signs)'
    assert rows_of_page['Domains'] == '2 (one per machine): pump 1 and pump 2'
    assert rows_of_page['Windows not used'] == 'lost time: 3'
    assert rows_of_page['Samples'] == '100 per second, 2 channels (x and y), in g'


def test_one_speed_is_one_within_the_slip_of_a_motor():
    assert one_speed([1797.0]) and one_speed([1721.0, 1797.0])
    assert not one_speed([1700.0, 1797.0]) and not one_speed([])
