"""Baselines of real machines in good order: their faults are found, also without the level, and lives end in alarms."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import pytest

from fdx.data.collection.entry import Collection
from fdx.data.collection.read import read_entry
from fdx.data.raw.files import read_raw_file
from fdx.data.raw.format import TextFormat
from fdx.datasets.adi_cbm.files import PUBLISHED, entries
from fdx.health.feature_plan import plan_features
from fdx.health.features import features_of
from fdx.health.learn import Settings, learn
from fdx.health.recordings import read_healthy
from fdx.health.sample import Sample
from fdx.health.sensor_fault import sensor_fault

pytestmark = pytest.mark.real_data
FEMTO_FORMAT = TextFormat(header='no', time_column='none', columns=('5', '6'))
# Of each life the first recordings that are here.
HEALTHY = 20


@pytest.fixture(scope='module')
def adi(raw_data):
    """The files at two speeds, three axes."""
    return [e for e in entries(str(raw_data), 3) if e.speed_rpm in (1200.0, 3000.0)]


@pytest.mark.parametrize('sets', [None, ('shape', 'impacts')], ids=['by default', 'without level'])
def test_adi_faults_are_found_and_its_own_pieces_are_not(adi, sets):
    normal = [e for e in adi if e.label == 'normal']
    collection = Collection(pathlib.Path('adi'), pathlib.Path('adi'), tuple(normal), PUBLISHED.shared)
    healthy = read_healthy(collection, sets=sets, piece_s=0.1)
    baseline = learn(healthy.sample, plan=healthy.plan)
    assert baseline.by_pieces and all(check['holds'] for check in baseline.about['checks'])
    faulty = [e for e in adi if e.label != 'normal']
    rows = [features_of(read_entry(e, PUBLISHED.shared), healthy.plan) for e in faulty]
    scored = baseline.scored(
        Sample.of(rows, [e.recording for e in faulty], [e.speed_rpm for e in faulty], [e.load for e in faulty])
    )
    assert [s.recording for s in scored if not s.p_value <= 0.01] == []


@pytest.mark.parametrize('life', ['Learning_set/Bearing2_1', 'Full_Test_Set/Bearing1_4'])
def test_a_life_ends_in_alarm_and_does_not_begin_in_one(raw_data, life):
    files = sorted((raw_data / 'femto' / life).glob('acc_*.csv'))
    read = [read_raw_file(file, sample_rate_hz=25600.0, text_format=FEMTO_FORMAT) for file in files]
    plan = plan_features(shortest_s=0.1, lowest_rate_hz=25600.0, channels=('h', 'v'))
    rows = [features_of(recording, plan) for recording in read]
    baseline = learn(Sample.of(rows[:HEALTHY]), Settings(), plan=plan)
    scores = np.array([s.score for s in baseline.scored(Sample.of(rows))])
    alarms = np.flatnonzero(baseline.rule.strengths(scores) >= baseline.alarm_limit)
    alarms = alarms[alarms >= HEALTHY]
    assert len(alarms) and alarms[0] > len(files) / 3 and alarms[-1] == len(files) - 1
    assert all(sensor_fault(recording) is None for recording in read[:HEALTHY:5])


def test_a_changed_unit_moves_the_level_and_not_the_shape(adi):
    entry = next(e for e in adi if e.label == 'normal')
    recording = read_entry(entry, PUBLISHED.shared)
    louder = dataclasses.replace(recording, samples=recording.samples * np.float32(9.81))
    for sets, moved in ((('bands', 'impacts'), True), (('shape', 'impacts'), False)):
        plan = plan_features(shortest_s=2.0, lowest_rate_hz=20000.0, channels=('x', 'y', 'z'), sets=sets, piece_s=0.1)
        baseline = learn(Sample.of([features_of(recording, plan)]), plan=plan)
        p = baseline.scored(Sample.of([features_of(louder, plan)]))[0].p_value
        assert (p < 0.01) == moved
