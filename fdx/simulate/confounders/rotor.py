"""What a rotor does to its machine: imbalance, misalignment, a bent shaft, looseness, rubs and knocks.

Which orders belong to which state: Randall, "Vibration-based Condition Monitoring", 2011; Bently & Hatch, "Fundamentals
of Rotating Machinery Diagnostics", 2002; rubs: Goldman & Muszynska, Chaos, Solitons & Fractals 5(9):1579-1601, 1995.
"""

from __future__ import annotations

from fdx.simulate.ingredients import Gate, NoiseBand, Part, Pulse, Train
from fdx.simulate.scene import Scene, knocks, swell, tones


def knocks_once_per_turn(scene: Scene) -> Part:
    """A key, a nick or a coupling that knocks once per turn: lines of the envelope at all whole orders."""
    d = scene.dice
    options = {'jitter': d.uniform(0, 0.003), 'spread': d.uniform(0.05, 0.5)}
    return Part('knocks_once_per_turn', trains=(knocks(d, 'shaft', 1.0, d.uniform(0, 30), **options),))


def strokes(scene: Scene) -> Part:
    """2 to 12 knocks per turn, all a little different: pistons, lobes of a coupling or blower, slots, a nut's flats."""
    d = scene.dice
    count, differing = d.whole(2, 12), d.uniform(0.0, 0.5)
    pattern = tuple(d.log_normal(differing) for _ in range(count))
    options = {'jitter': d.uniform(0, 0.005), 'spread': d.uniform(0.05, 0.4), 'pattern': pattern}
    return Part('strokes', trains=(knocks(d, 'shaft', float(count), d.uniform(-5, 25), **options),))


def rub(scene: Scene) -> Part:
    """A partial rub: rough noise in one arc of each turn, lines at multiples of a half or a third of the order."""
    d = scene.dice
    part = d.pick((2, 3))
    lines = tones(d, 'shaft', 1 / part, range(1, 4 * part + 1), 0.85, d.uniform(-10, 15))
    scrape = NoiseBand(1, 'shaft', d.pick((1.0, 1 / part)), d.log_uniform(1, 8), d.uniform(-3, 15), d.phase())
    return Part('rub', lines=(lines,), noises=(scrape,))


def looseness(scene: Scene) -> Part:
    """A loose foot or cap: many harmonics of the shaft, half orders, and knocks as the parts separate and meet."""
    d = scene.dice
    whole = tones(d, 'shaft', 1.0, range(1, d.whole(8, 16)), 0.9, d.uniform(-5, 20))
    half = tones(d, 'shaft', 0.5, range(1, d.whole(6, 20), 2), 0.9, whole.level_db - d.uniform(0, 15))
    order = d.pick((0.5, 1.0, 2.0))
    strikes = knocks(d, 'shaft', order, d.uniform(-5, 20), jitter=d.uniform(0.005, 0.05), spread=d.uniform(0.3, 1.0))
    return Part('looseness', trains=(strikes,), lines=(whole, half))


def imbalance(scene: Scene) -> Part:
    """A rotor out of balance: a force that turns with the shaft, so a strong first order; it also loads the rolling."""
    d = scene.dice
    lines = tones(d, 'shaft', 1.0, range(1, 5), 0.25, d.uniform(0, 25))
    return Part('imbalance', lines=(lines,), modulations=(swell(d, 1.0, d.log_uniform(0.01, 0.2)),))


def misalignment(scene: Scene) -> Part:
    """A coupling out of line: orders 2 and 3 beside the first, and a load on the bearing that pulsates at both."""
    d = scene.dice
    lines = tones(d, 'shaft', 1.0, range(1, 9), 0.7, d.uniform(0, 22), spread=0.8)
    return Part(
        'misalignment',
        lines=(lines,),
        modulations=(swell(d, d.pick((1.0, 2.0)), d.log_uniform(0.02, 0.3), harmonics=3),),
    )


def bent_shaft(scene: Scene) -> Part:
    """A bent shaft: first and second order, and a load that passes round once per turn."""
    d = scene.dice
    lines = tones(d, 'shaft', 1.0, (1, 2, 3), 0.6, d.uniform(0, 25))
    # One touch per turn of the bearing's rings, which tilt against each other.
    touch = Train(
        0,
        'shaft',
        1.0,
        (Pulse(0.0, 1.0, d.log_uniform(2e-4, 3e-3)),),
        d.uniform(-12, 8),
        phase=d.phase(),
        jitter=0.01,
        spread=0.4,
        gates=(Gate(0.5, 'cosine', d.uniform(0, 0.2), d.phase()),),
    )
    return Part('bent_shaft', trains=(touch,), lines=(lines,), modulations=(swell(d, 1.0, d.log_uniform(0.02, 0.3)),))
