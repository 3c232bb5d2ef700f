"""Where the simulator of bearing_rig put the energy of a fault: what explanations of its networks are held against."""

from __future__ import annotations

import numpy as np

from fdx.datasets.bearing_rig.impacts import INTERVAL_JITTER
from fdx.datasets.bearing_rig.machines import Machine
from fdx.datasets.bearing_rig.responses import sensor_response, structure_response
from fdx.explain.spectral import frequencies_hz
from fdx.signal.fault_orders import CHANNELS, FaultOrders
from fdx.signal.patch import FrontEnd
from fdx.signal.waveform import Waveform

# The resonance band: the fewest bands that hold this share of the fault's energy.
ENERGY = 0.9
GRID = 20000
# Strikes on the inner race pass the load zone once per turn: their lines have sidebands of the shaft.
SIDEBANDS = {'inner_race': 2, 'outer_race': 0}
LINES = 4  # harmonics of a fault that the simulator's narrow impacts reach with full strength


def fault_energy(machine: Machine, state: str, hz: np.ndarray) -> np.ndarray:
    """Power of a fault's strikes over frequency, in any unit: float64 [F].

    A strike is a raised cosine (impacts.force) that rings the structure and is read by the sensor.
    """
    width_s = machine.impact_s * (machine.inner_impact_ratio if state == 'inner_race' else 1.0)
    u = hz * width_s
    with np.errstate(divide='ignore', invalid='ignore'):
        pulse = np.where(np.isclose(u, 1.0), 0.5, np.sinc(u) / (1 - u**2))
    response = structure_response(machine.modes, hz) * sensor_response(machine.sensor, hz)
    return np.abs(pulse * response) ** 2


def centres_hz(front_end: FrontEnd) -> np.ndarray:
    """Frequencies of the bins in which attributions are counted: mel bands, or those of a waveform's spectrum."""
    if isinstance(front_end, Waveform):
        return frequencies_hz(front_end.patch_length, front_end.rate_hz)
    return front_end.centre_frequencies_hz()


def resonance_bands(front_end: FrontEnd, machine: Machine, state: str, share: float = ENERGY) -> np.ndarray:
    """The fewest bins that hold `share` of the fault's energy among those that the front end sees: bool [F]."""
    centres = centres_hz(front_end)
    hz = np.linspace(1.0, front_end.rate_hz / 2, GRID)
    middles = (centres[1:] + centres[:-1]) / 2
    seen = (hz >= 2 * centres[0] - middles[0]) & (hz <= 2 * centres[-1] - middles[-1])
    energy = np.bincount(
        np.searchsorted(middles, hz[seen]), fault_energy(machine, state, hz[seen]), minlength=len(centres)
    )
    order = np.argsort(-energy, kind='stable')
    count = int(np.searchsorted(np.cumsum(energy[order]), share * energy.sum())) + 1
    found = np.zeros(len(centres), bool)
    found[order[:count]] = True
    return found


def own_channel(front_end: FaultOrders, state: str) -> np.ndarray:
    """Cells of the fault's own channel: bool [columns, channels]."""
    found = np.zeros((front_end.harmonics * front_end.cells, len(front_end.channels)), bool)
    found[:, front_end.channels.index(state)] = True
    return found


def cells_of_lines(front_end: FaultOrders, machine: Machine, state: str) -> np.ndarray:
    """Cells that a line of the fault falls into, in whatever channel: bool [columns, channels].

    The lines are the harmonics of the fault's order with the sidebands of SIDEBANDS, as wide as the simulator's slip
    and jitter make them. Some fall into cells of other faults: 2 BPFI + 1 of rig_b lies 0.6 % beside three times the
    order of its ball.
    """
    own = CHANNELS[state](machine.geometry)
    sides = range(-SIDEBANDS[state], SIDEBANDS[state] + 1)
    lines = np.array([h * own + side for h in range(1, LINES + 1) for side in sides])
    width = machine.slip + INTERVAL_JITTER / 2
    found = own_channel(front_end, state)
    for c, name in enumerate(front_end.channels):
        order = CHANNELS[name](machine.geometry)
        for h in range(front_end.harmonics):
            edges = (h + 1) * order * (1 + np.linspace(-front_end.slip, front_end.slip, front_end.cells + 1))
            for cell, (low, high) in enumerate(zip(edges[:-1], edges[1:])):
                hit = (lines * (1 + width) >= low) & (lines * (1 - width) <= high)
                found[h * front_end.cells + cell, c] |= bool(hit.any())
    return found
