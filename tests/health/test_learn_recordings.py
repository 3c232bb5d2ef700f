"""From a folder to a baseline: who is left out and why, and which detector is chosen."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.io.wavfile

import fdx
from fdx.data.collection.entry import Shared
from fdx.data.collection.spec import CollectionSpec
from fdx.health.baseline_file import numbers_of
from fdx.health.learn_recordings import Options, learn_recordings
from fdx.health.pseudo_faults import KINDS, with_fault
from fdx.signal.bearings import BEARINGS
from fdx.types import ConfigError, DataError


@pytest.fixture(scope='module')
def folder(machine, tmp_path_factory):
    """36 healthy recordings, two faulty ones among them, and two files that cannot be used."""
    root = tmp_path_factory.mktemp('mixed')
    machine.write(root, range(36))
    machine.write(root, range(100, 102), impacts=5.0)
    (root / '200.wav').write_bytes(b'RIFF')
    scipy.io.wavfile.write(root / '201.wav', 8000, np.zeros(8000, np.float32))
    return root


def test_the_front_door_learns_and_monitors(folder, machine, tmp_path):
    learned = fdx.baseline(folder, tmp_path / 'pump')
    baseline = learned.saved.baseline
    why = dict(learned.left_out)
    assert set(why) == {'100.wav', '101.wav', '200.wav', '201.wav'}
    assert 'times farther' in why['100.wav'] and 'constant' in why['201.wav']
    assert len(baseline.sample.names) == 36 and len(learned.judged) == 5
    worth = {j.detector: (j.roc_auc + j.detected) / 2 for j in learned.judged}
    assert worth[baseline.detector] >= max(worth.values()) - 0.05 and worth[baseline.detector] > 0.5
    files = machine.write(tmp_path / 'new', range(300, 302), impacts=5.0)
    rows = fdx.monitor(tmp_path / 'pump', files)
    assert [row['state'] for row in rows] == ['watch', 'alarm']


def test_too_few_and_too_mixed_folders_are_refused_and_leave_nothing(machine, tmp_path, says):
    machine.write(tmp_path / 'few', range(7))
    with pytest.raises(DataError) as e:
        learn_recordings(str(tmp_path / 'few'), tmp_path / 'pump')
    assert says(str(e.value), '7 healthy recordings ... 13 more')
    machine.write(tmp_path / 'mixed', range(24))
    machine.write(tmp_path / 'mixed', range(100, 108), impacts=8.0)
    with pytest.raises(DataError) as e:
        learn_recordings(str(tmp_path / 'mixed'), tmp_path / 'pump')
    assert says(str(e.value), '8 of 32 recordings ... `keep_odd`')
    assert not (tmp_path / 'pump').exists()
    kept = learn_recordings(str(tmp_path / 'mixed'), tmp_path / 'pump', Options(keep_odd=True, detector='gaussian'))
    assert len(kept.saved.baseline.sample.names) == 32 and numbers_of(tmp_path / 'pump') == [1]


def test_copies_count_once(machine, tmp_path, says):
    machine.write(tmp_path / 'h', range(22))
    for i in range(5):
        (tmp_path / 'h' / f'copy{i}.wav').write_bytes((tmp_path / 'h' / '003.wav').read_bytes())
    learned = learn_recordings(str(tmp_path / 'h'), tmp_path / 'pump', Options(detector='gaussian'))
    assert len(learned.saved.baseline.sample.names) == 22
    assert dict(learned.left_out)['copy4.wav'] == 'it is a copy of 003.wav'


def test_only_what_is_labelled_normal_is_learned(machine, tmp_path):
    machine.write(tmp_path / 'all' / 'normal', range(24))
    machine.write(tmp_path / 'all' / 'outer_race', range(3), impacts=5.0)
    learned = learn_recordings(str(tmp_path / 'all'), tmp_path / 'pump', Options(detector='gaussian'))
    assert len(learned.saved.baseline.sample.names) == 24
    assert [why for _, why in learned.left_out] == ['it is labelled outer_race'] * 3


def test_pieces_make_a_baseline_of_few_recordings(machine, tmp_path):
    machine.write(tmp_path / 'few', range(4))
    spec = CollectionSpec(str(tmp_path / 'few'), shared=Shared(speed_rpm=1500.0))
    learned = learn_recordings(spec, tmp_path / 'pump', Options(piece_s=0.1, detector='gaussian'))
    baseline = learned.saved.baseline
    assert baseline.by_pieces and len(baseline.sample) == 40 and baseline.layout.words() == '1500 rpm'
    row = fdx.monitor(tmp_path / 'pump', machine.write(tmp_path / 'new', range(9, 10)))[0]
    assert row['rows'].shape[0] == 10 and row['p_value'] > 0.05


@pytest.mark.parametrize('kind', KINDS)
def test_faults_that_are_put_in_are_as_strong_as_they_say(machine, kind):
    healthy = machine.recording(0)
    for strength in KINDS[kind]:
        made = with_fault(healthy, kind, strength, np.random.default_rng(0), BEARINGS['skf_6205'])
        added = made.samples.astype(float) - healthy.samples
        level = healthy.samples.std()
        if kind == 'level':
            assert 20 * math.log10(made.samples.std() / level) == pytest.approx(strength, abs=0.01)
        else:
            assert np.sqrt(np.mean(added**2)) / level == pytest.approx(strength, rel=0.01)


def test_impacts_come_at_the_outer_races_order(machine):
    healthy = machine.recording(0)
    made = with_fault(healthy, 'impacts', 1.0, np.random.default_rng(0), BEARINGS['skf_6205'])
    envelope = np.abs(made.samples[:, 0] - healthy.samples[:, 0])
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean()))[:200]
    assert abs(spectrum.argmax() - BEARINGS['skf_6205'].bpfo * 25) < 4


@pytest.mark.parametrize(
    ('how', 'words'),
    [
        ({'detector': 'oracle'}, '`detector`=oracle'),
        ({'features': ('orders',)}, '`features`'),
        ({'alarm_after': 'soon'}, '`alarm_after`=soon'),
        ({'false_alarm_every_days': 0.0}, '`false_alarm_every_days`=0.0'),
    ],
)
def test_options_that_cannot_be_used(folder, tmp_path, how, words, says):
    with pytest.raises(ConfigError) as e:
        fdx.baseline(folder, tmp_path / 'pump', **how)
    assert says(str(e.value), words)
