"""What the recorder makes of a vibration: lost stretches, an offset, clipping, steps and a unit."""

from __future__ import annotations

import numpy as np

from fdx.simulate.machine import SimulatedMachine

# The converter's own step is never coarser than this share of the reading; a coarse one is the confounder quantisation.
COARSEST = 0.1


def read(machine: SimulatedMachine, vibration: np.ndarray) -> np.ndarray:
    """Samples, float32 [T], of a vibration [T] in units of the floor.

    The full scale is `headroom` times the largest magnitude, so that a headroom below 1 clips.
    """
    sensor = machine.sensor
    rms = float(np.sqrt(np.mean(np.square(vibration, dtype=np.float64))))
    largest = float(np.abs(vibration).max())
    full_scale = sensor.headroom * largest
    step = min(2 * full_scale / 2**sensor.bits, COARSEST * rms)
    step = max([step, *(part.step * rms for part in machine.parts)])
    offset = sensor.offset * rms
    seen = vibration
    if sensor.headroom < 1:
        seen = np.clip(seen, -full_scale, full_scale)
    if step > 0:
        seen = np.rint(seen * (1 / step)) * step
    seen = seen + np.float32(np.rint(offset / step) * step if step > 0 else offset)
    for start_s, length_s in (dead for part in machine.parts for dead in part.dead):
        first = round(start_s * machine.sample_rate_hz)
        seen[first : first + round(length_s * machine.sample_rate_hz)] = 0.0
    return (seen * sensor.unit_scale).astype(np.float32)
