"""Rows of numbers: what they read in decibels, what they refuse, and that a gain moves only the sets with a level."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.health.feature_plan import FEATURE_SETS, WITH_LEVEL, FeaturePlan, hz_words, plan_features
from fdx.health.features import features_of
from fdx.signal.bearings import BEARINGS
from fdx.types import ConfigError, DataError, Recording

RATE = 16000
SPEED = 1800.0
# What networks see is looked at in test_embeddings.
OWN_SETS = tuple(name for name in FEATURE_SETS if name not in ('judge', 'network'))


def recording(x: np.ndarray, rate: float = RATE, speed_rpm: float = SPEED) -> Recording:
    return Recording(x.astype(np.float32), rate, 'r', '', '', '', '', speed_rpm=speed_rpm)


def noise(seconds: float = 1.0, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((round(RATE * seconds), channels))


def everything(channels: int = 1, **more) -> FeaturePlan:
    names = [str(c) for c in range(channels)]
    return plan_features(
        shortest_s=1.0, lowest_rate_hz=RATE, channels=names, slowest_rpm=SPEED, geometry=BEARINGS['skf_6205'],
        sets=OWN_SETS, **more,
    )  # fmt: skip


def named(plan: FeaturePlan, row: np.ndarray, name: str) -> float:
    return float(row[[str(f) for f in plan.features()].index(name)])


def test_a_row_has_a_name_for_every_number():
    plan = everything(2)
    rows = features_of(recording(noise(channels=2)), plan)
    assert rows.shape == (1, len(plan.features())) and np.isfinite(rows).all()
    assert len({str(f) for f in plan.features()}) == rows.shape[1]


def test_a_sine_is_in_its_band_and_at_its_order():
    t = np.arange(RATE) / RATE
    x = np.sqrt(2) * np.sin(2 * np.pi * 30 * t) + 1e-4 * noise()[:, 0]
    plan = everything()
    row = features_of(recording(x[:, None]), plan)[0]
    assert named(plan, row, 'levels/0/rms') == pytest.approx(0.0, abs=0.1)
    assert named(plan, row, 'levels/0/crest factor') == pytest.approx(3.01, abs=0.1)
    # The window spreads the line beyond the edge of a band that is a few bins wide.
    assert named(plan, row, 'bands/0/31.5 Hz') == pytest.approx(0.0, abs=1.0)
    assert named(plan, row, 'shaft/0/1 x shaft') == pytest.approx(0.0, abs=0.2)
    assert named(plan, row, 'bands/0/1000 Hz') < -60
    assert named(plan, row, 'shaft/0/2 x shaft') < -60


def test_white_noise_rises_a_decibel_per_third_octave_and_has_no_impacts():
    plan = everything()
    row = np.mean([features_of(recording(noise(seed=s)), plan)[0] for s in range(20)], axis=0)
    steps = [named(plan, row, f'bands/0/{a}') - named(plan, row, f'bands/0/{b}') for a, b in (('2000 Hz', '1000 Hz'),)]
    assert steps[0] == pytest.approx(3.01, abs=0.2)
    whole = 10 * np.log10(2 * 1000 * (10**0.05 - 10**-0.05) / RATE)
    assert named(plan, row, 'bands/0/1000 Hz') == pytest.approx(whole, abs=0.2)
    assert [v for f, v in zip(plan.features(), row) if f.set == 'impacts'] == pytest.approx([0] * 7, abs=0.1)


def test_impacts_show_in_their_octave():
    x = noise()[:, 0] * 0.1
    decay = np.exp(-np.arange(200) / 20) * np.sin(2 * np.pi * 4000 / RATE * np.arange(200))
    for start in range(0, RATE - 200, 700):
        x[start : start + 200] += decay
    plan = everything()
    row = features_of(recording(x[:, None]), plan)[0]
    assert named(plan, row, 'impacts/0/4000 Hz') > 1.0 > abs(named(plan, row, 'impacts/0/500 Hz'))


def test_a_gain_moves_the_sets_with_a_level_and_no_other():
    plan = everything()
    x = noise()
    a, b = (features_of(recording(gain * x), plan)[0] for gain in (1.0, 7.0))
    for name in OWN_SETS:
        mine = np.array([f.set == name for f in plan.features()])
        moved = bool(np.abs(b - a)[mine].max() > 0.05)
        assert moved == (name in WITH_LEVEL), name


def test_pieces_are_rows_of_their_own():
    plan = plan_features(shortest_s=2.0, lowest_rate_hz=RATE, channels=['0'], piece_s=0.25)
    assert features_of(recording(noise(2.1)), plan).shape == (8, len(plan.features()))
    assert plan.frame_s == 0.25


def test_short_snapshots_work():
    plan = plan_features(shortest_s=0.1, lowest_rate_hz=25600, channels=['0'], slowest_rpm=1800)
    assert plan.sets == ('bands', 'impacts')
    row = features_of(recording(noise(0.16)[:2560], 25600), plan)
    assert np.isfinite(row).all() and row.shape[1] > 20


def test_dead_stretches_are_left_out_and_a_dead_recording_is_refused(says):
    plan = plan_features(shortest_s=2.0, lowest_rate_hz=RATE, channels=['0'])
    x = noise(4.0)
    whole = features_of(recording(x), plan)[0]
    half = x.copy()
    half[:RATE] = 0.0
    # A quarter of the recording is dead: frames within it would be 60 dB lower.
    assert np.abs(features_of(recording(half), plan)[0] - whole).max() < 4
    half[: 3 * RATE] = 0.0
    with pytest.raises(DataError) as e:
        features_of(recording(half), plan)
    assert says(str(e.value), 'windows can be used ... dead')


@pytest.mark.parametrize(
    ('x', 'rate', 'words'),
    [
        (np.full((RATE, 1), 1.0), RATE, 'constant'),
        (np.where(np.arange(RATE)[:, None] == 5, np.nan, noise()), RATE, 'NaN'),
        (noise(channels=2), RATE, '2 channels where the baseline has 1 ... `channel`'),
        (noise()[:100], RATE, '100 samples are shorter'),
        (noise(), RATE / 4, 'too few'),
    ],
    ids=['constant', 'nan', 'channels', 'short', 'rate'],
)
def test_what_cannot_be_read_is_refused(x, rate, words, says):
    plan = plan_features(shortest_s=1.0, lowest_rate_hz=RATE, channels=['0'])
    with pytest.raises(DataError) as e:
        features_of(recording(x, rate), plan)
    assert says(str(e.value), words)


@pytest.mark.parametrize(
    ('how', 'words'),
    [
        ({'sets': ('bands', 'colours')}, '`features`=bands,colours ... levels'),
        ({'sets': ('orders',), 'slowest_rpm': 1800.0}, '`features`'),
        ({'sets': ('shaft',)}, '`features`=shaft ... speed of every recording'),
        ({'shortest_s': 0.01, 'slowest_rpm': 1800.0, 'sets': ('shaft',)}, 'too short'),
    ],
)
def test_sets_that_the_recordings_do_not_allow(how, words, says):
    with pytest.raises(ConfigError) as e:
        plan_features(**{'shortest_s': 1.0, 'lowest_rate_hz': RATE, 'channels': ['0'], **how})
    assert says(str(e.value), words)


def test_orders_need_a_speed(says):
    with pytest.raises(DataError) as e:
        features_of(recording(noise(), speed_rpm=np.nan), everything())
    assert says(str(e.value), 'speed ... `speed_rpm`')


def test_bands_have_their_usual_names():
    assert [hz_words(1000 * 10 ** (k / 10)) for k in (-15, -13, 0, 1, 2, 5, 10)] == [
        *('31.5 Hz', '50 Hz', '1000 Hz', '1250 Hz', '1600 Hz', '3150 Hz', '10000 Hz')
    ]


def test_the_plan_survives_a_copy():
    plan = everything()
    assert dataclasses.replace(plan) == plan
