"""Sources of vibration that are no fault of this bearing, one function per source, and their registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fdx.simulate.confounders import drive, flow, noise, recorder, rotor, surroundings
from fdx.simulate.ingredients import Part
from fdx.simulate.scene import Scene

# The order decides seeds, so that a new confounder goes to the end.
CONFOUNDERS: Mapping[str, Callable[[Scene], Part]] = MappingProxyType(
    {
        'knocks_once_per_turn': rotor.knocks_once_per_turn,
        'rub': rotor.rub,
        'looseness': rotor.looseness,
        'vanes': flow.vanes,
        'blades': flow.blades,
        'gear_mesh': drive.gear_mesh,
        'belt': drive.belt,
        'mains': drive.mains,
        'inverter': drive.inverter,
        'coloured_noise': noise.coloured_noise,
        'modulated_noise': noise.modulated_noise,
        'other_bearing': surroundings.other_bearing,
        'second_shaft': surroundings.second_shaft,
        'random_impacts': noise.random_impacts,
        'imbalance': rotor.imbalance,
        'misalignment': rotor.misalignment,
        'bent_shaft': rotor.bent_shaft,
        'dead_time': recorder.dead_time,
        'quantisation': recorder.quantisation,
        'two_resonances': noise.two_resonances,
        'cavitation': flow.cavitation,
        'strokes': rotor.strokes,
        'induction_motor': drive.induction_motor,
        'faint_marks': surroundings.faint_marks,
    }
)
# No machine at all: only noise of some colour. Only a healthy "machine" can be this.
NOISE_ONLY = 'noise_only'
