"""The evidence of a recording without what lies at whole orders of its shaft.

Vanes, blades, gear wheels and pole passes modulate a sound machine at whole orders. Where such an order lies within the
slip of a fault's (5 vanes and a BPFI of 4.95), its lines look like those of the fault with another slip. A fault leaves
more than these lines: its order is not whole, so that most of its harmonics lie apart from whole orders.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal.fault_evidence import FaultEvidence, evidence_in
from fdx.signal.order_spectra import LINE_BINS

# How far a speed may be off that is stated for the load of the day, relative.
TOLERANCE = 2e-3


def without_whole_orders(evidence: FaultEvidence) -> FaultEvidence:
    """The same searches with the bins around whole orders left out, as if nobody knew them.

    Orders count turns of the stated speed; of the speed that was used, where the stated one was given up.
    """
    speed, spectra = evidence.speed, evidence.spectra
    shaft_hz = (speed.speed_rpm if speed.corrected else speed.stated_rpm) / 60
    gone = spectra.near_multiples(shaft_hz, LINE_BINS / spectra.segment_s, TOLERANCE)
    gone[: int(shaft_hz / 2 / spectra.df_hz)] = False
    rest = dataclasses.replace(spectra, excess=np.where(gone, np.float32(np.nan), spectra.excess))
    return evidence_in(rest, speed, evidence.geometry, evidence.turns)
