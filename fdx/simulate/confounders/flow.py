"""Fluids: vanes, blades and cavitation (Brennen, "Hydrodynamics of Pumps", 2011; Randall & Antoni 2011, section 2)."""

from __future__ import annotations

import dataclasses

from fdx.simulate.ingredients import Gate, NoiseBand, Part
from fdx.simulate.scene import Scene, swell, tones


def vanes(scene: Scene) -> Part:
    """An impeller of 3 to 12 vanes: turbulent noise that swells as each vane passes the cutwater."""
    d = scene.dice
    count = d.whole(3, 12)
    if d.chance(0.5):
        return Part('vanes', modulations=(swell(d, count, d.log_uniform(0.05, 0.6), harmonics=d.whole(1, 4)),))
    gates = (Gate(1.0, 'cosine', d.uniform(0, 0.4), d.phase()),)
    band = NoiseBand(1, 'shaft', count, d.log_uniform(0.3, 6), d.uniform(-6, 18), d.phase(), gates=gates)
    return Part('vanes', noises=(band,))


def blades(scene: Scene) -> Part:
    """A fan of 3 to 15 blades: tones at the blade order and its harmonics, with sidebands of the turn."""
    d = scene.dice
    count = d.whole(3, 15)
    harmonics = tuple(h * count + k for h in range(1, d.whole(2, 6)) for k in (-1, 0, 1))
    lines = tones(d, 'shaft', 1.0, harmonics, 0.85, d.uniform(-5, 22), spread=0.3)
    side = d.uniform(0, 0.4)
    amplitudes = tuple(a * (side if i % 3 != 1 else 1) for i, a in enumerate(lines.amplitudes))
    return Part('blades', lines=(dataclasses.replace(lines, amplitudes=amplitudes),))


def cavitation(scene: Scene) -> Part:
    """Bubbles that collapse in clouds: bursts of broadband noise, at random or more so as each vane passes."""
    d = scene.dice
    gates = (Gate(d.whole(3, 9), 'cosine', d.uniform(0.1, 0.8), d.phase()),) if d.chance(0.5) else ()
    bursts = NoiseBand(
        1, 'shaft', 0.0, d.uniform(0.5, 2.0), d.uniform(-3, 20), burst_s=d.log_uniform(4e-3, 1e-1), gates=gates
    )
    return Part('cavitation', noises=(bursts,))
