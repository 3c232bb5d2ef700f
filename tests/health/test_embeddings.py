"""Networks as features: the same numbers for the same recording, refused once the network is another one."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest

from fdx.data.collection.entry import Shared
from fdx.data.collection.spec import CollectionSpec
from fdx.datasets.bearing_rig.machines import MACHINES
from fdx.health.baseline_file import load_baseline, save_baseline
from fdx.health.embeddings import check_networks, judge_digest, judge_numbers, network_numbers, network_of
from fdx.health.feature_plan import NUMBERS, FeaturePlan, plan_features
from fdx.health.features import features_of
from fdx.health.learn import learn
from fdx.health.learn_recordings import Options, learn_recordings
from fdx.health.monitor import Monitor
from fdx.health.sample import Sample
from fdx.types import CheckpointError, ConfigError, DataError


@pytest.fixture(scope='module')
def recordings(rig):
    """State -> a recording of the machine that the run was trained on."""
    return {r.label: r for r in rig.recordings(['rig_b'], seed=5)}


def test_a_run_sees_recordings_apart_and_its_numbers_stay(run, recordings):
    network = network_of(run)
    plan = plan_features(shortest_s=1.0, lowest_rate_hz=8000.0, channels=('0',), network=network)
    assert plan.sets == ('bands', 'impacts', 'network')
    names = [f for f in plan.features() if f.set == 'network']
    assert len(names) == NUMBERS and {f.channel for f in names} == {''}
    one = dataclasses.replace(recordings['normal'], samples=recordings['normal'].samples[:, :1], channel_names=())
    row = features_of(one, plan)[0]
    assert row.shape == (len(plan.features()),) and np.isfinite(row).all()
    np.testing.assert_allclose(row[-NUMBERS:], network_numbers(one, network), rtol=1e-4, atol=1e-5)
    other = network_numbers(dataclasses.replace(one, samples=recordings['outer_race'].samples[:, :1]), network)
    assert np.linalg.norm(other - row[-NUMBERS:]) > 1e-3
    with pytest.raises(DataError):
        network_numbers(dataclasses.replace(one, samples=one.samples[:100]), network)


def test_a_baseline_names_its_networks_and_refuses_others(run, tmp_path, says):
    shutil.copytree(run, tmp_path / 'run')
    network = network_of(tmp_path / 'run')
    rows = np.random.default_rng(0).standard_normal((30, NUMBERS))
    plan = FeaturePlan(('network',), ('0',), 0.5, 3600.0, network=network)
    save_baseline(tmp_path / 'pump', learn(Sample.of(list(rows)), plan=plan))
    saved = load_baseline(tmp_path / 'pump')
    assert saved.baseline.plan == plan and not saved.baseline.asks_worse
    with Monitor(tmp_path / 'pump'):
        pass
    for manifest in (tmp_path / 'run' / 'checkpoints').glob('*/sha256.json'):
        manifest.write_text(manifest.read_text() + ' ')
    with pytest.raises(CheckpointError) as e:
        Monitor(tmp_path / 'pump')
    assert says(str(e.value), 'has changed ... learn the baseline again')
    with pytest.raises(CheckpointError, match='judge'):
        check_networks(dataclasses.replace(plan, network=None, sets=('bands',), judge='another'))
    check_networks(dataclasses.replace(plan, network=None, sets=('bands',), judge=judge_digest()))


def test_the_judge_sees_a_fault_that_a_baseline_of_healthy_recordings_calls_unusual(machine, tmp_path):
    machine.write(tmp_path / 'healthy', range(22))
    spec = CollectionSpec(str(tmp_path / 'healthy'), shared=Shared(speed_rpm=machine.SPEED_RPM, bearing='skf_6205'))
    learned = learn_recordings(spec, tmp_path / 'pump', Options(sets=('judge',), detector='gaussian'))
    assert len(learned.saved.baseline.features) == NUMBERS
    healthy, faulty = (
        machine.write(tmp_path / 'new', range(50, 52)),
        machine.write(tmp_path / 'new', range(60, 61), impacts=6.0),
    )
    with Monitor(tmp_path / 'pump') as monitor:
        p = [monitor.file(file)[0]['p_value'] for file in [*healthy, *faulty]]
    assert p[2] < 0.02 < min(p[:2])


def test_what_cannot_be_seen(run, recordings, tmp_path, says):
    with pytest.raises(ConfigError, match='`checkpoint`'):
        FeaturePlan(('network',), ('0',), 0.5, 3600.0)
    with pytest.raises(ConfigError, match='judge needs the bearing'):
        FeaturePlan(('judge',), ('0',), 0.5, 3600.0)
    with pytest.raises(ConfigError) as e:
        plan_features(shortest_s=0.1, lowest_rate_hz=8000.0, channels=('0',), slowest_rpm=600.0,
                      geometry=MACHINES['rig_a'].geometry, sets=['judge'])  # fmt: skip
    assert says(str(e.value), '`features`=judge ... too short')
    with pytest.raises(CheckpointError):
        network_of(tmp_path)
    one = dataclasses.replace(recordings['normal'], samples=np.zeros((20000, 1), np.float32), channel_names=())
    with pytest.raises(DataError):
        judge_numbers(one, MACHINES['rig_a'].geometry)
