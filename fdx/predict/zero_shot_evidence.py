"""The evidence for each fault in the envelope spectra of a window: in full, and twice with a part left out.

A fault leaves lines at several harmonics of its order, at frequencies that nothing else explains. A single line can
come from an inverter, a pump or another bearing. A line at a multiple of the shaft's rate, within the resolution of the
window, can come from the shaft itself: from knocks once per turn, vanes or gears. So the evidence is computed again
without the strongest harmonic, and again without the neighbourhood of the shaft's multiples. A verdict must pass both.
"""

from __future__ import annotations

import numpy as np

from fdx.signal import envelope
from fdx.signal.fault_orders import CHANNELS, FaultOrders
from fdx.signal.order_picture import picture
from fdx.signal.patch import Condition, shaft_rate_hz
from fdx.types import DataError

# One per row of `measures` after the first: the reason that is given if only the first row stands out.
DOUBTS = (
    'only one harmonic of its order stands out: the line may be of an inverter, a pump or another machine',
    "its lines lie at multiples of the shaft's rate, as near as the windows resolve: they may be the shaft's own",
)
# Slightly more than the half width of a line under Hann's taper, in bins of 1 / (seconds of the window).
LINE_BINS = 2.2


def per_harmonic(image: np.ndarray, front_end: FaultOrders) -> np.ndarray:
    """Image [bands, harmonics * cells, faults] -> [harmonics, faults]: mean over bands of the largest cell."""
    bands, _, faults = image.shape
    return image.reshape(bands, front_end.harmonics, front_end.cells, faults).max(axis=2).mean(axis=0)


def measures(chunk: np.ndarray, rate_hz: float, condition: Condition, front_end: FaultOrders) -> np.ndarray:
    """The evidence in one window.

    Args:
      chunk: float32 [T, 1].
      rate_hz: its rate.
      condition: speed and geometry, both known.
      front_end: fault_orders, unstacked.

    Returns:
      float64 [3, faults]: means of `per_harmonic` over all harmonics, over all but the strongest, and over all without
      the neighbourhood of the shaft's multiples.
    """
    image, geometry = front_end(chunk, rate_hz, condition), condition.geometry
    if geometry is None:  # The front end has refused this already.
        raise DataError(f'front end {front_end.name} needs the geometry of the bearing: give `bearing`')
    found = per_harmonic(image, front_end)
    others = (found.sum(axis=0) - found.max(axis=0)) / max(front_end.harmonics - 1, 1)
    spectrum = envelope.prewhitened_spectrum(envelope.tapered(chunk[:, 0], front_end.taper))
    spectra = envelope.envelope_spectra(spectrum, len(chunk), rate_hz, envelope.band_edges())
    shaft_hz, guard_hz = shaft_rate_hz(condition, front_end.name), LINE_BINS * rate_hz / len(chunk)
    settings = (front_end.harmonics, front_end.cells, front_end.slip)
    apart = [
        picture(spectra, CHANNELS[name](geometry) * shaft_hz, *settings, avoid=(shaft_hz, guard_hz))
        for name in front_end.channels
    ]
    return np.stack([found.mean(axis=0), others, per_harmonic(np.stack(apart, -1), front_end).mean(axis=0)])
