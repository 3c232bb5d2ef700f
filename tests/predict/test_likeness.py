"""Recordings that are unlike anything in training: foreign ones are not diagnosed, other loads of the machine are."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from fdx.data.familiar import Familiar
from fdx.datasets.bearing_rig.simulator import recordings as simulated
from fdx.predict.asking import Asked
from fdx.predict.backends.checkpoint import Predictor
from fdx.predict.diagnose import diagnose_recording
from fdx.predict.likeness import UNLIKE, Likeness
from fdx.types import CheckpointError


@pytest.fixture(scope='module')
def predictor(run) -> Predictor:
    return Predictor(run)


@pytest.fixture(scope='module')
def own(rig) -> list:
    return list(rig.recordings(['rig_b']))


def noise_like(recording, seed=0):
    """White noise of the same level, length and rate."""
    noise = np.random.default_rng(seed).normal(0, recording.samples.std(), recording.samples.shape)
    return dataclasses.replace(recording, samples=noise.astype(np.float32), label='')


def tones_like(recording):
    """A chord of the same level."""
    t = np.arange(len(recording.samples)) / recording.sample_rate_hz
    chord = sum(np.sin(2 * np.pi * f * t) for f in (261.6, 329.6, 392.0, 523.3, 1046.5))
    samples = chord / chord.std() * recording.samples.std()
    return dataclasses.replace(recording, samples=samples[:, None].astype(np.float32))


@pytest.mark.parametrize('foreign', [noise_like, tones_like])
def test_what_is_foreign_has_no_verdict(predictor, own, foreign):
    recording = next(r for r in own if r.label == 'inner_race')
    rows = diagnose_recording(predictor, foreign(recording)).rows()
    windows, summary = rows[:-1], rows[-1]
    assert all(w['unlike_training'] and w['distance'] > 1 and w['predicted'] is None for w in windows)
    assert summary['unlike_training'] and summary['unlike_share'] == 1 and summary['distance'] > 1
    assert summary['predicted'] is None and summary['reason'].startswith('unlike anything in training: the spectra of')
    assert summary['unusable_windows'] == {UNLIKE: len(windows)}


def test_the_networks_answer_can_be_had_with_a_warning(predictor, own):
    recording = noise_like(own[0])
    rows = diagnose_recording(predictor, recording, abstain=False).rows()
    assert all(w['unlike_training'] and w['predicted'] in predictor.class_names for w in rows[:-1])
    assert rows[-1]['predicted'] in predictor.class_names and rows[-1]['unlike_training']
    assert any('further from all training windows' in words for words in rows[-1]['outside_training'])
    assert predictor.diagnose(recording).label is None
    assert predictor.diagnose(recording, abstain=False).label == rows[-1]['predicted']


def test_the_machines_own_recordings_are_not_foreign(predictor, own):
    for recording in own:
        summary = diagnose_recording(predictor, recording).rows()[-1]
        assert summary['unlike_training'] is False and summary['predicted'] is not None


def test_another_load_of_the_machine_is_not_foreign(predictor, rig):
    options = {'speeds': (457.0, 997.0), 'duration_s': rig.DURATION_S, 'sample_rate_hz': rig.RATE_HZ}
    others = list(simulated(['rig_b'], seed=2023, load_cases=(1,), **options))
    found = [diagnose_recording(predictor, r).rows()[-1] for r in others]
    assert len(found) == 6 and not any(row['unlike_training'] for row in found)


def test_a_checkpoint_without_windows_to_compare_with_claims_nothing(predictor, own):
    old = dataclasses.replace(Likeness(), reason='')
    assert old.of_window(0) == {} and old.of_recording() == {} and old.refusal() is None
    before = Predictor(predictor.workdir)
    del before.meta['familiar']
    rows = diagnose_recording(before, noise_like(own[0])).rows()
    assert not any('unlike_training' in row for row in rows) and rows[-1]['predicted'] is not None
    before.meta['familiar'] = Familiar.nothing('one recording only').to_json()
    summary = diagnose_recording(before, noise_like(own[0])).rows()[-1]
    assert summary['unlike_training'] is None and summary['unlike_reason'] == 'one recording only'


def test_unlike_windows_have_no_vote_but_the_others_have():
    familiar = Familiar(np.zeros(1), np.ones(1), np.zeros((1, 1)), 1.0)
    faults = ['', '', 'dead', '']
    found = Likeness.of(familiar, np.array([0.5, 1.5, np.nan, np.nan]), faults, abstain=True)
    assert found.marked(faults) == ('', UNLIKE, 'dead', '')
    assert not found.unlike and found.of_recording() == {'unlike_training': False, 'unlike_share': 0.5, 'distance': 1.0}
    assert found.of_window(1) == {'unlike_training': True, 'distance': 1.5} and found.of_window(2) == {}
    kept = dataclasses.replace(found, abstain=False)
    assert kept.marked(faults) == tuple(faults) and kept.warnings() == ()


def test_a_damaged_text_is_named():
    stored = Familiar(np.zeros(2), np.ones(2), np.zeros((3, 2)), 1.0).to_json()
    assert Familiar.from_json(json.loads(json.dumps(stored))).windows.shape == (3, 2)
    for damage in ({'windows': 'not base 64!'}, {'windows': stored['windows'][:4]}, {'limit': None}):
        with pytest.raises(CheckpointError, match='damaged'):
            Familiar.from_json({**stored, **damage})


def test_journals_tell_answers_that_abstain_from_others(run):
    assert 'abstain' not in Asked(str(run)).identity()
    assert Asked(str(run), abstain=False).identity()['abstain'] is False
