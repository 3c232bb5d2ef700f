"""The reading of a simulated machine.

    rolling noise, strikes, noise bands -> path 0 or 1 -+-> sensor -> + lines -> converter -> recording
                      ambient and own noise ------------+

The chain after the forces is linear, so that it is one product in the frequency domain (McFadden & Smith 1984).
"""

from __future__ import annotations

import math

import numpy as np
import scipy.fft

from fdx.simulate import converter, lines
from fdx.simulate.forces import Forces
from fdx.simulate.machine import SimulatedMachine
from fdx.simulate.motion import BLOCK, Clock, block_edges_s, shaft_clock
from fdx.simulate.response import on_bins
from fdx.simulate.spectra import Spectra
from fdx.types import Recording

# This time is cut off at the start, where the circular convolution wraps around.
SETTLING_S = 0.25


def simulate(machine: SimulatedMachine) -> Recording:
    """The machine's recording: the same machine gives the same samples, bit for bit, in any order of calls.

    Returns:
      samples float32 [T, 1] in an arbitrary unit; label and fault type are the state; bearing, domain and acquisition
      are the machine; geometry by the catalogue and the true mean speed.
    """
    return Recording(
        samples=reading(machine)[:, None],
        sample_rate_hz=machine.sample_rate_hz,
        recording=machine.name,
        label=machine.state,
        fault_type=machine.state,
        bearing=machine.name,
        domain=machine.name,
        speed_rpm=machine.speed_rpm,
        source='simulated',
        geometry=machine.geometry,
    )


def reading(machine: SimulatedMachine) -> np.ndarray:
    """Samples, float32 [T], of the machine's sensor."""
    rate_hz = machine.sample_rate_hz
    wanted = round(machine.duration_s * rate_hz)
    total = BLOCK * scipy.fft.next_fast_len(math.ceil((wanted + SETTLING_S * rate_hz) / BLOCK), real=True)
    start_s = (total - wanted) / rate_hz
    edges_s = block_edges_s(total, rate_hz)
    clocks = {
        'shaft': shaft_clock(machine.motion, edges_s, start_s, machine.duration_s),
        'second': shaft_clock(machine.second, edges_s, start_s, machine.duration_s),
        'time': Clock(edges_s, edges_s),
    }
    spectra = Spectra(machine, total)
    forces = Forces(machine, clocks, spectra, total)
    spectrum = np.zeros(total // 2 + 1, np.complex64)
    for path in (0, 1):
        force = forces.on_path(path)
        if force is not None:
            product = scipy.fft.rfft(force)
            product *= on_bins(spectra.paths[path], spectra.step, len(spectrum))
            spectrum += product
    spectrum += spectra.stationary_noise()
    vibration = scipy.fft.irfft(spectrum, total)
    for one in (*machine.floor.lines, *(one for part in machine.parts for one in part.lines)):
        lines.add_lines(vibration, one, clocks[one.clock], machine.sensor, rate_hz)
    return converter.read(machine, vibration[total - wanted :])
