"""Simulated machines as a dataset: one record per visible machine, the same whatever the number of processes."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data import simulated
from fdx.data.protocols.splits import split_rows
from fdx.data.simulated import Machines, machine_records
from fdx.data.source import open_dataset
from fdx.data.table import Table
from fdx.datasets.bearing_machines import bearing_machines_dataset_builder as builder
from fdx.signal.evidence_front_end import EVIDENCE_VERSION, Evidence
from fdx.signal.evidence_image import SHAPE
from fdx.signal.patch import Condition, without_static_part
from fdx.signal.slow_part import without_slow_part
from fdx.simulate import SIMULATOR_VERSION, STATES, draw_machine, simulate

# Short recordings of all states, and an inner race of -7 dB, which is left out.
TINY = Machines(11, 0, 12)
LEFT_OUT = 7


def marks_db(machine) -> float:
    """The strongest faint mark of its bearing."""
    parts = [part for part in machine.to_dict()['parts'] if part['name'] == 'faint_marks']
    return max((one['snr_db'] for part in parts for one in part['trains'] + part['noises']), default=-100.0)


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp('machines')
    about = {'name': 'tiny-evidence', 'description': 'A dozen machines.', 'subset': 'tiny', 'front_end': 'evidence'}
    config = builder.MachinesConfig(**about, with_waveform=False, machines=TINY, workers=1)
    builder.Builder(config=config, data_dir=folder).download_and_prepare()
    return open_dataset('bearing_machines/tiny-evidence', folder)


def test_config_names_and_their_machines():
    configs = {c.name: c.machines for c in builder.Builder.BUILDER_CONFIGS}
    assert configs == {
        'universal-evidence': Machines(18_001, 0, 10_000),
        'calibration-evidence': Machines(18_002, 0, 2_000),
        'small-evidence': Machines(18_003, 0, 400),
    }
    assert f'1.{SIMULATOR_VERSION}.{EVIDENCE_VERSION}' == str(builder.Builder.VERSION)


def test_records_are_the_visible_machines(built):
    drawn = [draw_machine(TINY.seed, index) for index in range(TINY.count)]
    kept = [m for m in drawn if (m.state == 'normal' or m.snr_db >= -3) and marks_db(m) <= -7.5]
    assert drawn[LEFT_OUT] not in kept and any(marks_db(m) > -7.5 for m in drawn)
    assert {m.state for m in kept} == set(STATES) - {'ball'}
    table = built.table
    rows = {str(name): row for row, name in enumerate(table['recording'])}
    assert set(rows) == {m.name for m in kept}
    for m in kept:
        row = rows[m.name]
        assert built.class_names()[table['label'][row]] == m.state
        assert built.class_names('fault_type')[table['fault_type'][row]] == m.state
        assert table['speed_rpm'][row] == np.float32(m.speed_rpm)
        geometry = built.record(row, ('geometry',))['geometry']
        np.testing.assert_array_equal(geometry, np.float32(m.geometry.numbers()))
    np.testing.assert_allclose([table['sample_rate_hz'][rows[m.name]] for m in kept], [m.sample_rate_hz for m in kept])
    assert set(table['domain']) == {'simulated'} and len(set(table['bearing'])) == len(kept)
    assert np.isnan(table['load']).all()


def test_the_dataset_says_what_was_drawn(built):
    assert built.class_names() == list(STATES) and built.input_shape == SHAPE
    assert isinstance(built.front_end, Evidence)
    assert built.metadata['simulator_version'] == SIMULATOR_VERSION
    assert built.metadata['machines'] == {'seed': 11, 'first': 0, 'count': 12}


def test_an_image_is_that_of_the_name_plate_and_the_catalogue(built):
    machine = draw_machine(TINY.seed, 4)
    (row,) = np.flatnonzero(built.table['recording'] == machine.name)
    recording = simulate(machine)
    chunk = without_slow_part(without_static_part(recording.samples), recording.sample_rate_hz)
    condition = Condition(machine.name_plate_rpm, machine.geometry)
    expected = Evidence()(chunk, recording.sample_rate_hz, condition)
    np.testing.assert_allclose(built.read(np.array([row]), 'spectrogram')[0], expected, atol=1e-5)


def test_records_do_not_depend_on_the_processes(monkeypatch):
    monkeypatch.setattr(simulated, 'PIECE', 2)
    few = Machines(TINY.seed, 4, 4)
    alone, together = (list(machine_records(few, workers)) for workers in (1, 2))
    assert [key for key, _ in alone] == [key for key, _ in together] == ['machine-11-4', 'machine-11-5', 'machine-11-6']
    for (_, one), (_, other) in zip(alone, together):
        assert one.keys() == other.keys()
        for name, value in one.items():
            np.testing.assert_array_equal(value, other[name], err_msg=name)


def test_recordings_are_split(built):
    """Sound or damaged, as a dozen machines are too few for every state in every part."""
    table = Table(
        {**built.table.columns, 'label': (built.table['label'] > 0).astype(np.int64)}, built.table.window_length
    )
    splits = split_rows(table, 'by_recording')
    parts = [set(table['recording'][rows]) for rows in (splits.train, splits.validation, splits.test)]
    assert all(parts) and sum(map(len, parts)) == len(table) == len(set.union(*parts))
    assert splits.leak.shared == 0
