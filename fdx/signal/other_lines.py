"""The evidence of a recording without what lies at whole orders of its shaft and at multiples of the mains.

Vanes, blades, gear wheels and pole passes modulate a sound machine at whole orders, motors and drives at multiples of
the mains. Where such a line lies within the slip of a fault's order (5 vanes and a BPFI of 4.95, or a BPFO of 3.585
whose rate is 100 Hz), it looks like that fault with another slip. A fault leaves more than these lines: its order is
not whole, so that most of its harmonics lie apart from them.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal.control_orders import FAULTS
from fdx.signal.fault_evidence import HARMONICS, MAINS_HZ, FaultEvidence, evidence_in
from fdx.signal.order_spectra import LINE_BINS

# How far a stated speed and the mains may be off, relative.
SPEED_TOLERANCE, MAINS_TOLERANCE = 2e-3, 1e-3


def lines_seen(evidence: FaultEvidence, rest: FaultEvidence, fault: str) -> int:
    """How many of the HARMONICS lines of a fault of FAULTS lie apart from what `without_other_lines` has left out.

    The lines are where the fault would have them without slip, not where the search has found some.
    """
    order = evidence.targets[FAULTS.index(fault)].order
    hz = np.arange(1, HARMONICS + 1) * order * evidence.speed.speed_rpm / 60
    return int(np.isfinite(rest.spectra.nearest(hz)).any(axis=0).sum())


def without_other_lines(evidence: FaultEvidence) -> FaultEvidence:
    """The same searches with the bins around these lines left out, as if nobody knew them.

    Orders count turns of the stated speed; of the speed that was used, where the stated one was given up.
    """
    speed, spectra = evidence.speed, evidence.spectra
    guard_hz = LINE_BINS / spectra.segment_s
    shaft_hz = (speed.speed_rpm if speed.corrected else speed.stated_rpm) / 60
    gone = spectra.near_multiples(shaft_hz, guard_hz, SPEED_TOLERANCE)
    for mains_hz in MAINS_HZ:
        gone |= spectra.near_multiples(mains_hz, guard_hz, MAINS_TOLERANCE)
    # The multiple 0 of each is no line.
    gone[: int(min(shaft_hz, *MAINS_HZ) / 2 / spectra.df_hz)] = False
    rest = dataclasses.replace(spectra, excess=np.where(gone, np.float32(np.nan), spectra.excess))
    return evidence_in(rest, speed, evidence.geometry, evidence.turns)
