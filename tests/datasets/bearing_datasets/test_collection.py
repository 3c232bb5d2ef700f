"""The recordings of a built dataset: classes, bearings, conditions, geometry, and tables that say too little."""

from __future__ import annotations

import logging
import math
import shutil

import pytest

from fdx.data.collection.built import fault_type_of_built
from fdx.data.collection.collect import open_collection
from fdx.data.collection.entry import Shared
from fdx.data.collection.orders import geometry_of_orders
from fdx.data.collection.own import OwnRecordings, look_at
from fdx.data.collection.read import read_entry
from fdx.data.collection.spec import CollectionSpec
from fdx.data.collection.survey import survey
from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.built import _few_samples
from fdx.data.raw.format import TextFormat
from fdx.signal.bearings import BEARINGS
from fdx.types import ConfigError, DataError

from .conftest import with_values, without_column


def of(folder, *, channel='', **fields):
    return open_collection(CollectionSpec(str(folder), shared=Shared(channel=channel), **fields))


def test_what_the_table_says_is_taken_over(golden):
    found = of(golden)
    assert [e.recording for e in found.entries] == [f'{f}_{n}' for f in ('inner', 'normal', 'outer') for n in (1, 2)]
    entry = found.entries[1]
    assert (entry.label, entry.fault_type, entry.bearing_id) == ('inner_race', 'inner_race', 'bearing_inner_2')
    assert (entry.speed_rpm, entry.load, entry.domain) == (1800.0, 2.0, '1800 rpm, load 2')
    assert (entry.run, entry.variable, entry.sample_rate_hz) == ('inner_2', 'inner_2', None)
    assert found.labels() == ['normal', 'inner_race', 'outer_race']
    known = survey(found)
    assert (known.rates_hz, known.durations_s) == ((4000.0,) * 6, (2.0,) * 6)
    assert (known.channels, known.channel_names, known.unit) == (2, ('DE', 'FE'), 'g')


def test_orders_become_the_bearing_of_these_orders(golden):
    geometry = of(golden).entries[0].geometry
    assert geometry.num_balls == 9 and geometry.bpfo == pytest.approx(3.5848) and geometry.bpfi == pytest.approx(5.4152)
    assert geometry.bsf == pytest.approx(2.3568, rel=1e-3)


def test_recordings_stay_in_the_order_in_which_their_signals_lie(changed):
    found = of(changed(lambda rows: rows[::-1]))
    assert [e.recording for e in found.entries] == [f'{f}_{n}' for f in ('outer', 'normal', 'inner') for n in (2, 1)]
    unpacked = _few_samples.cache_info().misses
    for entry in found.entries:
        read_entry(entry)
    assert _few_samples.cache_info().misses == unpacked + 1  # They share a group of rows.


@pytest.mark.parametrize('name', BEARINGS)
def test_geometry_of_orders_inverts_the_orders(name):
    bearing = BEARINGS[name]
    found = geometry_of_orders(*(round(v, 5) for v in (bearing.bpfo, bearing.bpfi, bearing.bsf, bearing.ftf)))
    for order in ('bpfo', 'bpfi', 'bsf', 'ftf'):
        assert getattr(found, order) == pytest.approx(getattr(bearing, order), rel=1e-4)
    assert found.num_balls == bearing.num_balls
    assert found.contact_angle_deg == pytest.approx(bearing.contact_angle_deg, abs=0.3)


@pytest.mark.parametrize(
    'orders',
    [
        (math.nan, 5.4, 2.3, 0.4),
        (5.4152, 3.5848, 2.3568, 0.398),  # exchanged
        (3.58, 5.8, 2.3568, 0.398),  # 9.38 balls
        (3.5848, 5.4152, 2.3568, 0.602),  # the outer ring turns
        (3.5848, 5.4152, 4.7135, 0.398),  # twice the spin
        (3.5848, 5.4152, 0.0, 0.398),
        (0.0, 0.0, 0.0, 0.0),
    ],
)
def test_orders_that_no_bearing_has(orders):
    assert geometry_of_orders(*orders) is None


def test_words_for_faults():
    assert fault_type_of_built('rolling_element') == 'ball'
    assert fault_type_of_built('inner+unbalance') == 'inner_race+imbalance'
    assert fault_type_of_built('gear') == 'gear' and fault_type_of_built('') == ''


def test_classes_by_other_columns(golden):
    found = of(golden, label_column='native_label', labels=(('inner*', 'worn'),))
    assert found.labels() == ['normal1', 'normal2', 'outer1', 'outer2', 'worn']
    assert {e.fault_type for e in found.entries if e.label == 'worn'} == {'inner_race'}
    assert of(golden, label_column='fault_type, bearing_model').labels()[1] == 'inner_race 6205'
    with pytest.raises(DataError, match=r'no column severity, .*choose `label_column` among dataset, signal_id'):
        of(golden, label_column='severity')


def test_channels_are_chosen_for_all_and_recordings_without_them_left_out(golden, changed, caplog):
    assert survey(of(golden, channel='DE')).channels == 1
    with caplog.at_level(logging.WARNING):
        found = of(golden, channel='current')
    assert found.ignored == tuple((f'normal_{n}', 'has none of the wanted channels') for n in (1, 2))
    assert len(found.entries) == 4 and survey(found).common_rate_hz == 500.0
    assert '2 of 6 recordings, e.g. normal_1, lack the channel current and are left out' in caplog.text
    with pytest.raises(DataError, match="has no channel 'Z'; .*DE, FE"):
        of(golden, channel='Z')
    fewer = changed(lambda rows: [r for r in rows if (r['recording_id'], r['channel']) != ('normal_1', 'FE')])
    with pytest.raises(ConfigError, match=r'1 and 2 channels \(normal_1, inner_1\): choose the same .* `channel`'):
        survey(of(fewer))


def test_recordings_of_currents_alone_are_left_out(changed, caplog):
    folder = changed(with_values('inner_1', quantity='current'))
    with caplog.at_level(logging.WARNING):
        assert [e.recording for e in of(folder).entries][:2] == ['inner_2', 'normal_1']
    assert 'e.g. inner_1, lack the channel of an acceleration' in caplog.text


def test_rates_that_differ_between_recordings_are_kept(changed):
    known = survey(of(changed(with_values('inner_1', fs=8000.0))))
    assert known.rates_hz[:2] == (8000.0, 4000.0) and known.durations_s[:2] == (1.0, 2.0)
    assert known.common_rate_hz == 4000.0


def test_condition_machine_and_run_of_other_columns(changed):
    def edit(rows):
        rows = without_column('bearing_id')(rows)
        return [{**r, 'operating_condition': 'A', 'rig': 'self_built', 'run_id': r['recording_id'][:3]} for r in rows]

    entry = of(changed(edit)).entries[0]
    assert (entry.domain, entry.machine, entry.bearing_id) == ('A', 'self_built', 'inn')


def test_measured_speeds_of_one_condition_are_one_domain(changed):
    speeds = iter([1772.0, 1774.0, math.nan, 1748.0, 1750.0, 1754.0])
    of_recording: dict[str, float] = {}

    def edit(rows):
        for row in rows:
            if row['recording_id'] not in of_recording:
                of_recording[row['recording_id']] = next(speeds)
        return [{**r, 'load': 1.0, 'speed_rpm': of_recording[r['recording_id']]} for r in rows]

    found = [e.domain for e in of(changed(edit)).entries]
    assert found == ['1772 to 1774 rpm'] * 2 + ['unknown rpm'] + ['1748 to 1754 rpm'] * 3


def test_unknown_faults_are_no_class(golden, changed):
    folder = changed(with_values('inner_1', fault_type='unknown'))
    assert [e.label for e in of(folder).entries][:2] == ['', 'inner_race']
    with pytest.raises(DataError, match=r'recording inner_1: inner_1 has no class; choose a `label_column`, or let'):
        look_at(OwnRecordings.of(str(folder)))
    with pytest.raises(DataError, match='holds the class normal alone'):
        look_at(OwnRecordings.of(str(changed(with_values(fault_type='normal'), 'one'))))


def test_tables_without_faults(changed):
    with pytest.raises(DataError, match=r'no column fault_type.*before 0\.2.*native_label'):
        of(changed(without_column('fault_type')))


def test_missing_values_are_unknown(changed):
    nothing = {'bearing_id': None, 'bpfo': None, 'load': math.nan, 'speed_rpm': None, 'unit': None}
    entry = of(changed(with_values(**nothing))).entries[0]
    assert entry.bearing_id == '' and entry.geometry is None
    assert math.isnan(entry.load) and math.isnan(entry.speed_rpm)


def test_the_hash_follows_the_content_and_not_the_place(golden, changed):
    first = survey(of(golden)).sha256
    assert survey(of(changed())).sha256 != first  # The table was written by another program.
    moved = changed(name='moved')
    shutil.copyfile(golden / 'metadata.parquet', moved / 'metadata.parquet')
    assert survey(of(moved)).sha256 == first
    assert survey(of(golden, channel='DE')).sha256 != first
    part = moved / 'signals' / 'part-float32.parquet'
    part.write_bytes(part.read_bytes() + b'x')
    assert survey(of(moved)).sha256 != first


def test_options_of_other_sources_are_refused(golden, tmp_path):
    with pytest.raises(ConfigError, match='`pattern`={label} is for files, but .*tiny_rig is a built dataset'):
        of(golden, pattern='{label}')
    for shared in (Shared(variable='x'), Shared(binary_format=BinaryFormat('int16', 1, 'little'))):
        with pytest.raises(ConfigError, match='`(variable|dtype)`=(x|int16) is for files, .* leave it out'):
            open_collection(CollectionSpec(str(golden), shared=shared))
    text = CollectionSpec(str(golden), shared=Shared(text_format=TextFormat(delimiter=';')))
    with pytest.raises(DataError, match='`delimiter` says how a text file is written; leave it out'):
        survey(open_collection(text))
    with pytest.raises(ConfigError, match='`label_column`=x is for datasets built by bearing-datasets'):
        of(tmp_path, label_column='x')
