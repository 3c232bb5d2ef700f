"""Checks a stated shaft speed against the recording and corrects it where the recording clearly says another one.

A name plate states the speed at the rated load, and the real one differs by the slip of the motor or by the setting of
a drive. Harmonics of the shaft in the spectrum and in the envelope spectra tell it, except that lines of a fault beside
a whole order (BPFO 3.05, BPFI 4.95) look like harmonics of another speed. So both are searched for together: a speed is
good if the shaft's own harmonics and the lines of one fault stand out at it.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import scipy.fft
import scipy.ndimage

from fdx.signal.control_orders import fault_orders_of
from fdx.signal.order_spectra import LINE_BINS, OrderSpectra, segments
from fdx.types import BearingGeometry

# Relative reach of the search, and within which a stated speed counts as right.
REACH, SAME = 0.085, 0.004
# How much better another speed must score, in nepers. Chosen on simulated machines (docs/decisions/zero_shot.md).
NEEDED = 0.8
# Harmonics of the shaft that may take part, how many do, and their distance from lines of the bearing.
MAX_HARMONIC, HARMONICS, APART = 12, 8, 0.025
# The first ones always do: no fault imitates them.
ALWAYS = 2
CAP = 3.0
FAULT_HARMONICS, FAULT_SLIP = 4, 0.008
WIDE_BANDS = 10


@dataclasses.dataclass(frozen=True)
class CheckedSpeed:
    """What the recording says about a stated speed.

    Attributes:
      stated_rpm: what was stated.
      speed_rpm: what to use: the stated speed, refined within SAME, or another one that stands out more.
      score: of `speed_rpm`, in nepers of the lines over their background.
      stated_score: the best score within SAME of the stated speed.
      rival_rpm: the best speed elsewhere.
      rival_score: its score.
    """

    stated_rpm: float
    speed_rpm: float
    score: float
    stated_score: float
    rival_rpm: float
    rival_score: float

    @property
    def corrected(self) -> bool:
        """Whether the stated speed was given up."""
        return abs(self.speed_rpm / self.stated_rpm - 1) > SAME

    def words(self) -> tuple[str, ...]:
        """A warning where the stated speed was given up."""
        if not self.corrected:
            return ()
        return (
            f'the recording shows a speed of {self.speed_rpm:.1f} rpm in place of the stated {self.stated_rpm:g} rpm '
            f'(its lines stand out by {self.score:.2f} nepers, those of the stated one by {self.stated_score:.2f})',
        )


@functools.lru_cache(maxsize=256)
def own_harmonics(geometry: BearingGeometry) -> np.ndarray:
    """Harmonics of the shaft that lie apart from the lines of the bearing's faults: int [N], at most HARMONICS."""
    inner, outer, ball = fault_orders_of(geometry)
    lines = [inner * k + s for k in (1, 2, 3) for s in (-2, -1, 0, 1, 2)]
    lines += [outer * k for k in (1, 2, 3, 4)]
    lines += [ball * k + s * geometry.ftf for k in (1, 2, 3) for s in (-1, 0, 1)]
    near = np.array(lines)
    own = [h for h in range(1, MAX_HARMONIC + 1) if h <= ALWAYS or (np.abs(near / h - 1) > APART).all()]
    return np.array(own[:HARMONICS])


def check_speed(
    samples: np.ndarray,
    rate_hz: float,
    speed_rpm: float,
    geometry: BearingGeometry,
    spectra: OrderSpectra,
    *,
    trusts_whole_orders: bool = False,
) -> CheckedSpeed:
    """Compares speeds within REACH of a stated one.

    Args:
      samples: float [T].
      rate_hz: sampling rate.
      speed_rpm: the stated speed.
      geometry: of the bearing.
      spectra: of the same recording.
      trusts_whole_orders: whether lines of envelopes at whole orders of the stated speed (vanes, blades, gears) are no
        lines of a fault at another speed. Seven vanes at 1772 rpm look like the second and fourth harmonic of a BPFO
        of 3.585 at 1730 rpm.
    """
    stated_hz = speed_rpm / 60
    harmonics = own_harmonics(geometry)
    step = max(2e-4, 0.2 / (spectra.segment_s * harmonics.max() * stated_hz))
    ratio = np.arange(1 - REACH, 1 + REACH, step)
    wide = _mean_of_known(spectra.excess[:WIDE_BANDS])
    envelope_hz = np.arange(len(wide)) * spectra.df_hz
    slow_hz, slow = _slow_excess(samples, rate_hz, stated_hz)
    lines_hz = ratio[:, None] * harmonics * stated_hz
    score = _without_strongest(np.minimum(np.interp(lines_hz, slow_hz, slow), CAP))
    score += np.clip(np.interp(lines_hz, envelope_hz, wide), -1, 1.5).mean(axis=1)
    near = np.abs(ratio - 1) <= SAME
    faults = _best_fault(ratio, step, stated_hz, geometry, envelope_hz, wide)
    if trusts_whole_orders:
        whole = spectra.near_multiples(stated_hz, LINE_BINS / spectra.segment_s, SAME)
        apart = np.where(whole, np.minimum(wide, 0), wide)
        faults = np.where(near, faults, _best_fault(ratio, step, stated_hz, geometry, envelope_hz, apart))
    score += faults
    best_near = int(np.where(near, score, -np.inf).argmax())
    best_far = int(np.where(near, -np.inf, score).argmax())
    chosen = best_far if score[best_far] - score[best_near] > NEEDED else best_near
    rival = np.where(np.abs(ratio / ratio[chosen] - 1) > 2 * SAME, score, -np.inf)
    return CheckedSpeed(
        stated_rpm=speed_rpm,
        speed_rpm=float(ratio[chosen] * speed_rpm),
        score=float(score[chosen]),
        stated_score=float(score[best_near]),
        rival_rpm=float(ratio[rival.argmax()] * speed_rpm),
        rival_score=float(rival.max()),
    )


def _mean_of_known(excess: np.ndarray) -> np.ndarray:
    """Mean over bands [bands, F] that reach a frequency; 0 where none does."""
    known = np.isfinite(excess)
    return np.where(known, excess, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _slow_excess(samples: np.ndarray, rate_hz: float, shaft_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """(frequencies, log magnitudes over their local median) of the spectrum up to the highest harmonic."""
    parts = segments(samples, rate_hz, shaft_hz)
    length = scipy.fft.next_fast_len(2 * len(parts[0]), real=True)
    df = rate_hz / length
    bins = int(MAX_HARMONIC * (1 + 2 * REACH) * shaft_hz / df) + 2
    taper = np.hanning(len(parts[0]))
    power = sum(np.abs(scipy.fft.rfft((part - part.mean()) * taper, length)[:bins]) ** 2 for part in parts)
    power = np.asarray(power)
    log = 0.5 * np.log(power + 1e-24 * power.max() + 1e-60)
    block = max(16, int(shaft_hz / df))
    blocks = max(1, len(log) // block)
    medians = np.median(log[: blocks * block].reshape(blocks, -1), axis=1)
    places = np.arange(len(log))
    return places * df, log - np.interp(places, (np.arange(blocks) + 0.5) * block, medians)


def _without_strongest(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without the largest value: one line is no shaft. Of two values, both count."""
    if values.shape[-1] <= 2:
        return values.mean(axis=-1)
    return (values.sum(axis=-1) - values.max(axis=-1)) / (values.shape[-1] - 1)


def _best_fault(
    ratio: np.ndarray,
    step: float,
    stated_hz: float,
    geometry: BearingGeometry,
    envelope_hz: np.ndarray,
    wide: np.ndarray,
) -> np.ndarray:
    """How far the lines of the best fault stand out at each ratio, within its slip; at least 0."""
    fine = np.arange(ratio[0] * (1 - FAULT_SLIP), ratio[-1] * (1 + FAULT_SLIP) + step, step / 2)
    best = np.zeros(len(ratio))
    for order in fault_orders_of(geometry):
        lines_hz = fine[:, None] * np.arange(1, FAULT_HARMONICS + 1) * order * stated_hz
        comb = _without_strongest(np.clip(np.interp(lines_hz, envelope_hz, wide), -1, CAP))
        reach = 2 * int(FAULT_SLIP / (step / 2)) + 1
        best = np.maximum(best, np.interp(ratio, fine, scipy.ndimage.maximum_filter1d(comb, reach)))
    return best
