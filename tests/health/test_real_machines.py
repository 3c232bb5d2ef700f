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
from fdx.health.learn import WORSE, Settings, learn
from fdx.health.recordings import read_healthy
from fdx.health.sample import Sample
from fdx.health.sensor_fault import sensor_fault

pytestmark = pytest.mark.real_data
FEMTO_FORMAT = TextFormat(header='no', time_column='none', columns=('5', '6'))


@pytest.fixture(scope='module')
def adi(raw_data):
    """The files at two speeds, three axes."""
    return [e for e in entries(str(raw_data), 3) if e.speed_rpm in (1200.0, 3000.0)]


@pytest.fixture(scope='module')
def adi_rows(adi):
    """(healthy recordings, rows of faulty ones, their entries) with the numbers of both sets, made once."""
    normal = [e for e in adi if e.label == 'normal']
    collection = Collection(pathlib.Path('adi'), pathlib.Path('adi'), tuple(normal), PUBLISHED.shared)
    healthy = read_healthy(collection, sets=('bands', 'impacts', 'shape'), piece_s=0.1)
    faulty = [e for e in adi if e.label != 'normal']
    return healthy, [features_of(read_entry(e, PUBLISHED.shared), healthy.plan) for e in faulty], faulty


@pytest.mark.parametrize('sets', [('bands', 'impacts'), ('shape', 'impacts')], ids=['by default', 'without level'])
def test_adi_faults_are_found_and_its_own_pieces_are_not(adi_rows, sets):
    healthy, rows, faulty = adi_rows
    features = healthy.plan.features()
    mine = [i for i, f in enumerate(features) if f.set in sets]
    sample = dataclasses.replace(healthy.sample, values=healthy.sample.values[:, mine])
    baseline = learn(sample, Settings(alarm_on=WORSE), features=[features[i] for i in mine])
    # So few recordings cannot be seen to drift: without `alarm_on` everything unusual would alarm.
    assert baseline.about['drift'] is None
    assert baseline.by_pieces and all(check['holds'] for check in baseline.about['checks'])
    names, speeds, loads = zip(*((e.recording, e.speed_rpm, e.load) for e in faulty))
    scored = baseline.scored(Sample.of([row[:, mine] for row in rows], names, speeds, loads))
    assert [s.recording for s in scored if not s.p_value <= 0.01] == []
    heavy = [s.rise_p <= 0.01 for s, e in zip(scored, faulty) if e.bearing_id.startswith(('HIR', 'HOR', 'HBF'))]
    # Heavy damage is worse, too, and not only otherwise; without levels that shows less.
    assert len(heavy) == 6 and (all(heavy) if 'bands' in sets else any(heavy))


@pytest.mark.parametrize(
    ('life', 'last', 'drifts'),
    [
        ('Learning_set/Bearing1_1', 2803, True),
        ('Learning_set/Bearing2_1', 911, True),
        ('Full_Test_Set/Bearing1_4', 1428, False),
    ],
)
def test_a_life_ends_in_alarm_and_does_not_begin_in_one(raw_data, life, last, drifts):
    """Learned from the first tenth of a life, in which two of the bearings still run in."""
    files = sorted((raw_data / 'femto' / life).glob('acc_*.csv'))
    ages = np.array([int(file.stem[4:]) / last for file in files])
    kept = np.flatnonzero((ages <= 1 / 3) | (ages > 0.9))
    files, ages = [files[i] for i in kept], ages[kept]
    read = [read_raw_file(file, sample_rate_hz=25600.0, text_format=FEMTO_FORMAT) for file in files]
    plan = plan_features(shortest_s=0.1, lowest_rate_hz=25600.0, channels=('h', 'v'), piece_s=0.02)
    sample = Sample.of([features_of(recording, plan) for recording in read])
    first = int((ages <= 0.1).sum())
    baseline = learn(sample.rows(sample.recording < first), Settings(), plan=plan)
    assert any('drift' in note for note in baseline.about['notes']) == baseline.asks_worse == drifts
    later = sample.rows(sample.recording >= first)
    (scores, p), (rises, _) = baseline.unusual(later), baseline.risen(later)
    alarm = baseline.rule.strengths(baseline.beyond(scores, rises).astype(float)) > 0
    early = ages[first:] <= 1 / 3
    assert not alarm[early].any() and alarm[-1]
    # Running in is unusual all the same, and is watched.
    assert (np.mean(p[early] <= 0.1) > 0.3) == drifts
    assert all(sensor_fault(recording) is None for recording in read[:first:3])


def test_a_changed_unit_moves_the_level_and_not_the_shape(adi):
    entry = next(e for e in adi if e.label == 'normal')
    recording = read_entry(entry, PUBLISHED.shared)
    louder = dataclasses.replace(recording, samples=recording.samples * np.float32(9.81))
    for sets, moved in ((('bands', 'impacts'), True), (('shape', 'impacts'), False)):
        plan = plan_features(shortest_s=2.0, lowest_rate_hz=20000.0, channels=('x', 'y', 'z'), sets=sets, piece_s=0.1)
        baseline = learn(Sample.of([features_of(recording, plan)]), plan=plan)
        p = baseline.scored(Sample.of([features_of(louder, plan)]))[0].p_value
        assert (p < 0.01) == moved
