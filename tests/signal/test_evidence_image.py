"""The image of the evidence: its shape and numbers for any recording, where a fault shows, and its front end."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.control_orders import FAULTS
from fdx.signal.evidence_front_end import Evidence
from fdx.signal.evidence_image import BANDS, FACTS, FLOOR, HIGH, LOW, PROFILE, PROFILE_APART, SHAPE, evidence_image
from fdx.signal.fault_evidence import HARMONICS, POSITIONS, fault_evidence
from fdx.signal.front_ends import front_end_from_config
from fdx.signal.patch import Condition
from fdx.types import ConfigError, DataError
from tests.signal.evidence_bench import RPM, SKF_6205, swelling

RATE_HZ = 8000.0
OUTER = [k * SKF_6205.bpfo for k in (1, 2, 3, 4)]


def image_of(x, rate_hz=RATE_HZ, geometry=SKF_6205):
    evidence = fault_evidence(x, rate_hz, RPM, geometry)
    return evidence, evidence_image(evidence)


def cells_of(image, channel):
    return image[:BANDS, :, channel].reshape(BANDS, HARMONICS, len(POSITIONS))


@pytest.mark.parametrize(
    ('seconds', 'rate_hz'),
    [(0.4, 8000.0), (0.4, 51200.0), (0.4, 1000.0), (3.0, 600.0), (2.0, 250.0)],
    ids=['ten turns', 'ten turns, fast', 'ten turns, slow', 'bands end below the orders', 'no band reaches'],
)
def test_images_are_finite_whatever_the_recording(seconds, rate_hz):
    samples = round(seconds * rate_hz)
    rng = np.random.default_rng(0)
    for x in (rng.standard_normal(samples), np.sin(0.3 * np.arange(samples)), rng.integers(0, 2, samples) * 1.0):
        _, image = image_of(x, rate_hz)
        assert (image.shape, image.dtype) == (SHAPE, np.float32)
        assert np.isfinite(image).all() and image.min() >= LOW and image.max() <= HIGH


def test_a_fault_shows_in_its_channel_alone():
    _, image = image_of(swelling(OUTER, 0.25))
    centre = [cells_of(image, c)[:, :4, 0].mean() for c in range(SHAPE[2])]
    assert np.argmax(centre) == 1 and centre[1] > 1.5 and np.delete(centre, 1).max() < 0.5
    for row in (PROFILE, PROFILE_APART):
        assert image[row].max(axis=0)[:3].argmax() == 1 and image[row, :, 1].max() > 4
        assert image[row, :, 0].max() < 4
    # A quarter of the z score stands first among the facts.
    assert image[FACTS, 0, 1] > 2 and image[FACTS, 1, 1] == 1.0


def test_cells_are_deviations_of_the_controls():
    evidence, image = image_of(swelling(OUTER, 0.1, 2.0))
    for band, harmonic, position in ((0, 0, 0), (3, 1, 2), (7, 2, 6), (0, 5, 1)):
        known = np.array([c.cells[band, harmonic, position] for c in evidence.controls])
        known = known[np.isfinite(known)]
        for channel, found in enumerate(evidence.targets):
            value = (found.cells[band, harmonic, position] - known.mean()) / (known.std() + FLOOR)
            expected = 0.0 if np.isnan(value) else np.clip(value, LOW, HIGH)
            assert cells_of(image, channel)[band, harmonic, position] == pytest.approx(expected, abs=1e-4)
    z = evidence.z_scores()
    np.testing.assert_allclose(image[FACTS, 0, : len(FAULTS)], np.clip(z / 4, LOW, HIGH), rtol=1e-4)
    np.testing.assert_allclose(image[PROFILE, :, :3].max(axis=0), np.clip(z, LOW, HIGH), rtol=1e-4, atol=1e-4)


def test_the_front_end_makes_the_image_of_a_whole_chunk():
    x = swelling(OUTER, 0.1, 2.0).astype(np.float32)
    front_end = front_end_from_config(Evidence(rate_hz=RATE_HZ).config())
    assert front_end == Evidence(rate_hz=RATE_HZ) and front_end.output_shape() == SHAPE
    found = front_end(x[:, None], RATE_HZ, Condition(RPM, SKF_6205))
    np.testing.assert_allclose(found, image_of(x)[1], atol=1e-5)


@pytest.mark.parametrize(
    ('seconds', 'condition', 'words'),
    [
        (2.0, Condition(RPM), 'geometry.*`bearing`'),
        (2.0, Condition(float('nan'), SKF_6205), 'speed'),
        (0.3, Condition(RPM, SKF_6205), 'turns'),
    ],
)
def test_what_it_cannot_judge(seconds, condition, words):
    x = np.random.default_rng(0).standard_normal((round(seconds * RATE_HZ), 1)).astype(np.float32)
    with pytest.raises(DataError, match=words):
        Evidence()(x, RATE_HZ, condition)


def test_several_channels_are_refused():
    with pytest.raises(ConfigError, match='3'):
        Evidence().output_shape(3)
