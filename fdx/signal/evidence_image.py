"""The evidence of a recording as one image, whose axes mean the same on every machine: what the universal judge reads.

Channels are the orders of `TARGETS` (inner race, outer race, ball, cage, shaft). The first rows are demodulation bands,
the widest first; their columns are HARMONICS times POSITIONS. A value is an excess over the background, in standard
deviations of the same cell at the recording's own control orders. Three rows follow: the level at each deviation within
the slip, with and without explained lines, likewise in deviations of the controls; and single numbers (`_facts`).
"""

from __future__ import annotations

import numpy as np

from fdx.signal.control_orders import FAULTS
from fdx.signal.envelope import band_edges
from fdx.signal.fault_evidence import (
    HARMONICS,
    LOWEST,
    POSITIONS,
    SLIP,
    STEPS,
    TARGETS,
    FaultEvidence,
    Found,
    centre_and_spread,
)
from fdx.signal.order_spectra import LINE_BINS, MAX_SEGMENTS

BANDS = len(band_edges())
# As many as STEPS, so that a profile fills a row.
COLUMNS = HARMONICS * len(POSITIONS)
PROFILE, PROFILE_APART, FACTS = BANDS, BANDS + 1, BANDS + 2
SHAPE = (BANDS + 3, COLUMNS, len(TARGETS))
LOW, HIGH = -4.0, 12.0
# Added to standard deviations of cells, in nepers: a cell that hardly varies is not blown up.
FLOOR = 0.1


def evidence_image(evidence: FaultEvidence) -> np.ndarray:
    """The image of a recording's evidence: float32 SHAPE, all finite."""
    image = np.zeros(SHAPE)
    controls = np.stack([found.cells for found in evidence.controls])
    with np.errstate(invalid='ignore', divide='ignore'):
        known = np.isfinite(controls)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, controls, 0.0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (controls - mean) ** 2, 0.0).sum(axis=0) / count) + FLOOR
    levels = [centre_and_spread(np.array([p.max() for p in profiles])) for profiles in _profiles(evidence)]
    for c, found in enumerate(evidence.targets):
        image[:BANDS, :, c] = ((found.cells - mean) / spread).reshape(BANDS, COLUMNS)
        for row, profile, (middle, scale) in zip(
            (PROFILE, PROFILE_APART), (found.profile, found.profile_apart), levels
        ):
            image[row, :, c] = (profile - middle) / scale
        facts = _facts(evidence, c, levels)
        image[FACTS, : len(facts), c] = facts
    return np.clip(np.nan_to_num(image, nan=0.0, posinf=HIGH, neginf=LOW), LOW, HIGH).astype(np.float32)


def _profiles(evidence: FaultEvidence) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return [f.profile for f in evidence.controls], [f.profile_apart for f in evidence.controls]


def _facts(evidence: FaultEvidence, channel: int, levels: list[tuple[float, float]]) -> list[float]:
    """Single numbers about one target and the recording, each of the order of 1."""
    found, spectra, speed = evidence.targets[channel], evidence.spectra, evidence.speed
    facts = []
    twins = evidence.twins[channel] if channel < len(FAULTS) else ()
    for profiles, own, (middle, scale), pick in zip(
        _profiles(evidence), (found.profile, found.profile_apart), levels, (_whole, _apart)
    ):
        heights = np.array([p.max() for p in profiles])
        beside = np.array([pick(t).max() for t in twins]) if twins else heights
        z = (own.max() - middle) / scale
        facts += [
            z / 4,
            float((heights < own.max()).mean()),
            (own.max() - beside.max()) / scale / 4,
            (own.max() - float(np.median(beside))) / scale / 4,
            (heights.max() - middle) / scale / 4,
            float(own.argmax()) / STEPS - 0.5,
            scale,
            middle,
        ]
    whole = np.arange(1, HARMONICS + 1) * found.order * (1 + found.deviation)
    resolved = np.abs(whole - np.round(whole)) * speed.speed_rpm / 60 * spectra.segment_s / LINE_BINS
    facts += list(np.minimum(resolved, 4) / 2)
    facts += [
        found.deviation / SLIP,
        found.order / 8,
        float((found.profile_apart <= LOWEST).mean()),
        np.log(evidence.turns / 50),
        np.log(_averages(evidence)),
        float(np.isfinite(found.cells[:, :, 0]).mean()),
        (speed.speed_rpm / speed.stated_rpm - 1) * 20,
        speed.score / 2,
        speed.stated_score / 2,
        speed.rival_score / 2,
        float(evidence.explained.mean()) * 4,
        found.level,
    ]
    return facts


def _averages(evidence: FaultEvidence) -> float:
    """How many segments that overlap by half the recording holds, at least 1; it changes smoothly with the length."""
    turns = evidence.spectra.segment_s * evidence.speed.stated_rpm / 60
    return float(np.clip(2 * evidence.turns / turns - 1, 1, MAX_SEGMENTS))


def _whole(found: Found) -> np.ndarray:
    return found.profile


def _apart(found: Found) -> np.ndarray:
    return found.profile_apart
