"""What the recorder does to a recording: stretches that it lost, and a converter that is too coarse."""

from __future__ import annotations

from fdx.simulate.ingredients import Part
from fdx.simulate.scene import Scene


def dead_time(scene: Scene) -> Part:
    """One to three stretches of 1 to 10 % of the recording in all that read zero (a buffer that ran over)."""
    d = scene.dice
    count = d.whole(1, 3)
    length = scene.duration_s * d.log_uniform(0.01, 0.1) / count
    # One stretch in each equal part of the recording, so that they never overlap.
    room = scene.duration_s / count
    return Part('dead_time', dead=tuple((i * room + d.uniform(0, room - length), length) for i in range(count)))


def quantisation(scene: Scene) -> Part:
    """A converter whose step is 0.2 to 1.5 of the reading's root mean square (8 bits, or far too wide a range)."""
    return Part('quantisation', step=scene.dice.log_uniform(0.2, 1.5))
