"""Raw recordings through a checkpoint: the same windows, band and spectrograms as the dataset's."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import scipy.io.wavfile

from fdx.data.source import open_dataset
from fdx.predict.backends.checkpoint import Predictor
from fdx.predict.diagnose import diagnose_recording
from fdx.predict.diagnosis import Diagnosis
from fdx.predict.verdicts import says_nothing
from fdx.types import DataError


@pytest.fixture(scope='module')
def predictor(run) -> Predictor:
    return Predictor(run)


@pytest.fixture(scope='module')
def recordings(rig) -> dict:
    return {r.recording: r for r in rig.recordings(['rig_b'])}


@pytest.fixture(scope='module')
def data(data_dir):
    return open_dataset('bearing_rig/rig_b_small', data_dir)


def patches_seen(predictor, recording, monkeypatch, **options) -> np.ndarray:
    """What diagnosis feeds into the network."""
    seen = []

    def remember(patches):
        seen.append(patches)
        return np.full((len(patches), 3), 1 / 3, np.float32)

    monkeypatch.setattr(predictor, 'patch_probabilities', remember)
    diagnose_recording(predictor, recording, **options)
    return seen[0]


@pytest.mark.parametrize('state', ['normal', 'inner_race', 'outer_race'])
def test_a_raw_recording_gives_the_spectrograms_of_the_records(predictor, recordings, data, rig, state, monkeypatch):
    """The normal ones come at 48 kHz and must be brought to the band of 20,480 Hz first (law 3)."""
    name = f'rig_b-{state}-0997rpm-load0'
    rows = np.flatnonzero(data.table['recording'] == name)
    rows = rows[np.argsort(data.table['window_start'][rows])]
    patches = patches_seen(predictor, recordings[name], monkeypatch, hop_s=rig.HOP_S)
    np.testing.assert_allclose(patches, data.read(rows, 'spectrogram'), rtol=0, atol=1e-5)


def test_windows_follow_each_other_unless_a_hop_is_given(predictor, recordings, rig):
    raw = recordings['rig_b-normal-0457rpm-load0']
    window_s = rig.WINDOW / rig.RATE_HZ
    diagnosis = diagnose_recording(predictor, raw)
    np.testing.assert_allclose(diagnosis.window_starts_s, window_s * np.arange(5), rtol=1e-12)
    assert diagnosis.window_s == window_s
    close = diagnose_recording(predictor, raw, hop_s=0.5)
    np.testing.assert_allclose(
        close.window_starts_s, 0.5 * np.arange(math.floor((rig.DURATION_S - window_s) / 0.5) + 1)
    )
    np.testing.assert_allclose(close.window_probabilities[0], diagnosis.window_probabilities[0], rtol=1e-5)


def test_a_recording_of_one_window_is_enough_and_a_sample_less_is_not(predictor, recordings, rig):
    raw = recordings['rig_b-inner_race-0457rpm-load0']
    one = dataclasses.replace(raw, samples=raw.samples[: rig.WINDOW], source='one.wav')
    assert len(diagnose_recording(predictor, one).window_probabilities) == 1
    short = dataclasses.replace(raw, samples=raw.samples[: rig.WINDOW - 1], source='short.wav')
    with pytest.raises(DataError, match=f'short.wav: {rig.WINDOW - 1} samples are shorter'):
        diagnose_recording(predictor, short)


@pytest.mark.parametrize(
    ('change', 'options', 'words'),
    [
        ({'sample_rate_hz': 12000.0}, {}, '12000 Hz, ... model ... 20480 Hz'),
        ({'samples': np.ones((40000, 2), np.float32)}, {}, '2 channels, ... takes 1; ... `channel`'),
        ({'samples': np.ones((40000, 1), np.float32)}, {}, 'channel 0 is constant'),
        ({}, {'hop_s': 1e-6}, '`hop_s`=1e-06: ... 20480 Hz ... at least 0.000049 s'),
    ],
)
def test_what_cannot_be_diagnosed_is_refused_with_its_name(says, predictor, recordings, change, options, words):
    raw = dataclasses.replace(recordings['rig_b-outer_race-0457rpm-load0'], source='bad.wav', **change)
    with pytest.raises(DataError) as caught:
        diagnose_recording(predictor, raw, **options)
    assert says(str(caught.value), words)
    assert 'bad.wav' in str(caught.value) or 'hop_s' in options


def test_int16_files_lose_only_their_rounding(predictor, recordings, tmp_path):
    raw = recordings['rig_b-outer_race-0997rpm-load0']
    x = raw.samples[:, 0]
    scipy.io.wavfile.write(tmp_path / 'a.wav', 20480, np.rint(x / np.abs(x).max() * 32767).astype(np.int16))
    exact = diagnose_recording(predictor, raw)
    rounded = predictor.diagnose(tmp_path / 'a.wav')
    np.testing.assert_allclose(rounded.window_probabilities, exact.window_probabilities, atol=0.01)
    assert rounded.file == str(tmp_path / 'a.wav')


def test_rows_sum_up_windows_in_both_ways():
    """Two of three windows vote for b, the mean is for a: the two verdicts differ."""
    probabilities = np.array([[0.98, 0.02], [0.4, 0.6], [0.45, 0.55]], np.float32)
    diagnosis = Diagnosis('x.wav', np.array([0.0, 1 / 3, 2 / 3]), 1 / 3, probabilities, ['a', 'b'])
    *windows, summary = diagnosis.rows()
    assert [w['predicted'] for w in windows] == ['a', 'b', 'b']
    assert [w['start_s'] for w in windows] == [0.0, 0.333333, 0.666667]
    assert windows[0]['probabilities'] == pytest.approx({'a': 0.98, 'b': 0.02})
    assert (summary['predicted_mean'], summary['predicted_vote']) == ('a', 'b')
    assert summary['agreement'] == pytest.approx(2 / 3)
    assert summary['mean_probabilities'] == pytest.approx({'a': 0.61, 'b': 0.39})
    assert {row['file'] for row in (*windows, summary)} == {'x.wav'}


def test_dead_windows_have_no_vote_and_too_few_live_ones_no_verdict(predictor, recordings, rig):
    raw = recordings['rig_b-outer_race-0997rpm-load0']
    whole = diagnose_recording(predictor, raw).rows()
    silent = raw.samples.copy()
    silent[3 * rig.WINDOW + 5000 : 3 * rig.WINDOW + 6000] = silent[0]
    *windows, summary = diagnose_recording(predictor, dataclasses.replace(raw, samples=silent)).rows()
    assert [w['predicted'] is None for w in windows] == [False, False, False, True, False]
    assert windows[3]['reason'].startswith('the sensor is silent')
    assert windows[3]['probabilities'] is None
    assert (summary['windows'], summary['unusable_windows']) == (5, {'dead': 1})
    assert summary['predicted'] == whole[-1]['predicted'] == summary['predicted_mean']
    for i in (0, 1, 4):
        assert windows[i]['probabilities'] == pytest.approx(whole[i]['probabilities'], abs=1e-4)
    silent[rig.WINDOW + 3000 :] = 0
    *windows, summary = diagnose_recording(predictor, dataclasses.replace(raw, samples=silent)).rows()
    assert windows[0]['predicted'] is not None
    keys = ('predicted', 'predicted_mean', 'predicted_vote', 'agreement', 'mean_probabilities')
    assert [summary[key] for key in keys] == [None] * 5
    assert summary['reason'].startswith('1 of 5 windows can be used, and at least half are needed (4 dead: ')


def test_lost_time_wild_samples_and_an_offset(predictor, recordings, rig):
    raw = recordings['rig_b-outer_race-0997rpm-load0']
    whole = diagnose_recording(predictor, raw)
    bad = raw.samples + 10
    bad[7777] += 1000
    raw = dataclasses.replace(raw, samples=bad, time_breaks=(rig.WINDOW + 5000,), notes=('a note',))
    found = diagnose_recording(predictor, raw)
    *_, summary = found.rows()
    assert summary['unusable_windows'] == {'lost_time': 1}
    assert summary['wild_samples'] == 1
    assert summary['notes'][0] == 'a note' and summary['notes'][1].startswith('1 wild samples')
    live = [0, 2, 3, 4]
    np.testing.assert_allclose(found.window_probabilities[live], whole.window_probabilities[live], atol=0.01)


def test_numbers_that_are_not_finite_are_no_verdict(predictor, recordings, monkeypatch):
    raw = recordings['rig_b-outer_race-0997rpm-load0']
    monkeypatch.setattr(
        predictor, 'patch_probabilities', lambda patches: np.full((len(patches), 3), np.nan, np.float32)
    )
    *windows, summary = diagnose_recording(predictor, raw).rows()
    assert says_nothing(windows)
    assert summary['predicted'] is None
    assert summary['unusable_windows'] == {'not_finite': 5}


def test_what_is_unlike_the_training_data_is_said_of_windows_and_recording(predictor, recordings):
    raw = recordings['rig_b-outer_race-0997rpm-load0']
    assert all('outside_training' not in row for row in diagnose_recording(predictor, raw).rows())
    loud = dataclasses.replace(raw, samples=1000 * raw.samples, speed_rpm=5000.0)
    *windows, summary = diagnose_recording(predictor, loud).rows()
    assert all("x training's maximum" in window['outside_training'][0] for window in windows)
    assert "x training's maximum" in summary['outside_training'][0]
    assert summary['outside_training'][1].startswith('speed 5000 rpm')
