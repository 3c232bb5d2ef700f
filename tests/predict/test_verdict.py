"""From probabilities to a verdict, and how stable it is against a few samples."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from fdx.benchmarks.unseen_machines import HEALTHY_BEARINGS
from fdx.datasets.adi_cbm import files as adi
from fdx.predict.evidence_of import ENOUGH_SEGMENTS, VIEWS, Knowledge, evidence_of, good_part, views_of
from fdx.predict.universal.judge import load_judge
from fdx.predict.universal.verdict import DOUBT, UNCLEAR, call
from fdx.predict.zero_shot import diagnose_zero_shot
from fdx.signal.evidence_image import SHAPE, evidence_image
from fdx.signal.fault_evidence import fault_evidence
from fdx.simulate.draw import draw_machine
from fdx.simulate.signal import simulate

STATES = ('normal', 'inner_race', 'outer_race', 'ball')


def state_of(*probabilities, doubt=DOUBT):
    return call(STATES, np.array(probabilities), doubt).state


@pytest.mark.parametrize(
    ('probabilities', 'state'),
    [
        ((0.7, 0.3, 0.0, 0.0), 'normal'),
        # Both sound and damaged are more probable than the doubt.
        ((0.55, 0.45, 0.0, 0.0), None),
        ((0.45, 0.0, 0.55, 0.0), None),
        # Sound although no single fault is likely: damaged in one way or another has 0.45.
        ((0.55, 0.15, 0.15, 0.15), None),
        ((0.1, 0.8, 0.1, 0.0), 'inner_race'),
        # Damaged, and either race.
        ((0.1, 0.45, 0.45, 0.0), UNCLEAR),
        ((0.35, 0.05, 0.55, 0.05), 'outer_race'),
    ],
)
def test_verdicts(probabilities, state):
    assert state_of(*probabilities) == state


def test_with_half_a_doubt_there_is_always_a_verdict_and_with_less_fewer():
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(4, 0.5), 200)
    given = [np.mean([call(STATES, row, doubt).state is not None for row in rows]) for doubt in (0.1, 0.3, 0.4, 0.5)]
    assert given == sorted(given) and given[0] < given[-1] == 1


def test_reasons_name_what_is_left_open():
    none = call(STATES, np.array([0.5, 0.5, 0.0, 0.0]))
    assert none.reason == 'cannot tell: normal 0.50, inner_race 0.50'
    unclear = call(STATES, np.array([0.1, 0.4, 0.05, 0.45]))
    assert unclear.state == UNCLEAR and unclear.reason == 'a fault, kind unclear: ball 0.45, inner_race 0.40'
    assert call(STATES, np.array([0.9, 0.1, 0.0, 0.0])).reason == ''


@pytest.fixture(scope='module')
def recording():
    """A short recording, of 20 to 120 turns."""
    for index in range(100):
        found = simulate(draw_machine(5, index))
        turns = len(found.samples) / found.sample_rate_hz * found.speed_rpm / 60
        if 20 < turns < 120 and len(found.samples) < 60_000:
            return found
    raise AssertionError('no machine of the first hundred has a short recording')


def test_short_recordings_are_looked_at_several_times_and_long_ones_once(recording):
    part = good_part(recording).recording
    evidence, images = views_of(part, Knowledge())
    assert len(images) == 1 + len(VIEWS)
    np.testing.assert_array_equal(images[0], evidence_image(evidence))
    # So long that its slow part is filtered: to fit polynomials to a recording of half the length takes longer.
    long = dataclasses.replace(part, samples=np.tile(part.samples, (30, 1)))
    evidence, images = views_of(long, Knowledge())
    assert evidence.spectra.segments >= ENOUGH_SEGMENTS and len(images) == 1


def test_views_hold_the_first_and_last_samples_in_turn(recording):
    part = good_part(recording).recording
    n = len(part.samples)
    _, images = views_of(part, Knowledge(), fixed_speed=True)
    for image, (first, end) in zip(images[1:], VIEWS):
        cut = dataclasses.replace(part, samples=part.samples[int(first * n) : int(end * n)])
        np.testing.assert_array_equal(image, evidence_image(evidence_of(cut, Knowledge(), fixed_speed=True)))


def test_the_judge_averages_the_logits_of_the_views():
    judge = load_judge()
    images = np.random.default_rng(1).normal(size=(3, *SHAPE)).astype(np.float32)
    logits, _ = judge.outputs(images)
    scaled = logits.mean(axis=0) / judge.card['temperature']
    wanted = np.exp(scaled - scaled.max())
    np.testing.assert_allclose(judge.opinion(images).probabilities, wanted / wanted.sum(), rtol=1e-6)


def test_evidence_moves_little_with_one_sample(recording):
    """A length that an FFT likes and the one below it gave images that were half a deviation apart."""
    part = good_part(recording).recording
    x, rate, speed = part.samples[:40_000, 0].astype(float), part.sample_rate_hz, part.speed_rpm
    images = [
        evidence_image(fault_evidence(x[: len(x) - cut], rate, speed, part.geometry, fixed_speed=True))
        for cut in (0, 1)
    ]
    assert np.abs(images[0] - images[1]).mean() < 0.2


@pytest.fixture(scope='module')
def adi_sound(raw_data):
    """Five sound recordings of ADI's bench, of 40,000 samples each, a length that an FFT likes."""
    found = (adi.PUBLISHED.read(entry) for entry in adi.entries(raw_data, axes=1))
    # With another trouble of the machine the bearing is sound as well.
    return list(itertools.islice((r for r in found if r.fault_type in HEALTHY_BEARINGS), 5))


def test_a_few_samples_change_no_verdict_of_sound_bearings(adi_sound):
    cuts = (slice(None), slice(1, None), slice(None, -400))
    # All recordings of one length after another: what is made for a length is kept for the next few calls.
    found = [[diagnose_zero_shot(dataclasses.replace(r, samples=r.samples[cut])) for r in adi_sound] for cut in cuts]
    sound = np.array([[one.probabilities['normal'] for one in row] for row in found])
    moved = np.abs(sound[1:] - sound[0])
    assert moved.mean() < 0.06 and moved.max() < 0.25
