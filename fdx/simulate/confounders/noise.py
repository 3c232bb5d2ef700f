"""Noise that is no fault: coloured, modulated, with random impacts, or through resonances that ring for long."""

from __future__ import annotations

from fdx.simulate.ingredients import Colour, Mode, Modulation, Part
from fdx.simulate.scene import Scene, knocks, swell


def coloured_noise(scene: Scene) -> Part:
    """Noise from elsewhere whose power falls as f^-1 to f^-3 (turbulence, the floor, a cable that moves)."""
    d = scene.dice
    return Part('coloured_noise', colours=(Colour(d.uniform(1, 3), d.uniform(0, 30)),))


def modulated_noise(scene: Scene) -> Part:
    """Rolling noise that is not steady: a random slow factor, or a swell once (or half, or twice) per turn.

    A load that turns with the shaft, or a lubricant film that comes and goes, does this to a healthy bearing.
    """
    d = scene.dice
    slow = Modulation('time', 0.0, (d.uniform(0.1, 0.8),), (d.phase(),), corner_hz=d.log_uniform(0.5, 30))
    turning = swell(d, d.pick((0.5, 1.0, 2.0), (1, 6, 2)), d.log_uniform(0.05, 0.6), harmonics=d.whole(1, 4))
    which = d.whole(0, 2)
    return Part('modulated_noise', modulations=((slow,), (turning,), (slow, turning))[which])


def random_impacts(scene: Scene) -> Part:
    """Impacts that come at random, 0.5 to 100 per second: process noise, chips, people, steps (a Poisson process)."""
    d = scene.dice
    options = {'random': True, 'spread': d.uniform(0.2, 1.5)}
    return Part('random_impacts', trains=(knocks(d, 'time', d.log_uniform(0.5, 100), d.uniform(0, 35), **options),))


def two_resonances(scene: Scene) -> Part:
    """Two lightly damped resonances close to each other: their sum beats, so that envelopes have lines of their own."""
    d = scene.dice
    highest = 0.45 * scene.sample_rate_hz
    first = d.log_uniform(1000, highest)
    second = first * (1 + d.pick((-1, 1)) * d.log_uniform(0.003, 0.1))
    gains = [(d.log_uniform(0.3, 3), d.log_uniform(0.3, 3)) for _ in range(2)]
    modes = tuple(Mode(f, d.log_uniform(0.001, 0.004), g) for f, g in zip((first, second), gains))
    return Part('two_resonances', modes=modes)
