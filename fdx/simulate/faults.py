"""Defects of the bearing: when a spall is struck, by what, and how the strikes are modulated.

McFadden & Smith, J. Sound Vib. 96(1):69-82, 1984 (load zone); Antoni & Randall, ASME J. Vib. Acoust. 125(3):282-289,
2003, and Randall & Antoni, MSSP 25(2):485-520, 2011 (slip, modulations, extended defects as modulated noise); Sawalhi &
Randall, MSSP 25(3):846-870, 2011 (a step at the entry into the spall, an impulse at its exit).
"""

from __future__ import annotations

import dataclasses

from fdx.simulate.dice import Dice
from fdx.simulate.ingredients import BALL_CONTACT, ROLLER_CONTACT, Gate, NoiseBand, Part, Pulse, Train
from fdx.simulate.scene import Scene

RACES = ('inner_race', 'outer_race', 'ball')
KINDS = ('impulsive', 'mixed', 'smooth')
KIND_WEIGHTS = (0.6, 0.22, 0.18)
# Share of the machines whose load turns with the shaft.
TURNING_LOAD_SHARE = 0.12
SNR_DB = (-15.0, 25.0)
# Modulated noise of less than this is below the faint modulation of a healthy bearing in a few seconds.
SMOOTH_SNR_DB = (-7.0, 20.0)


def _pulses(dice: Dice) -> tuple[Pulse, ...]:
    """Exit impulse, and in most spalls the softer step of the entry before it; the spall's length is their distance."""
    width_s = dice.log_uniform(2e-5, 4e-4)
    exit_impulse = Pulse(0.0, 1.0, width_s)
    if dice.chance(0.35):
        return (exit_impulse,)
    length = dice.log_uniform(0.02, 0.5)
    sign = dice.pick((-1.0, 1.0))
    entry = Pulse(0.0, sign * dice.uniform(0.1, 1.0), width_s * dice.log_uniform(2, 8))
    return entry, dataclasses.replace(exit_impulse, delay=length)


def _zone(scene: Scene, order: float) -> Gate:
    """Stribeck's load zone, passed `order` times per turn: radial loads load up to half, axial ones all of it."""
    d = scene.dice
    factor = d.uniform(0.3, 0.8) if d.chance(0.6) else d.log_uniform(0.8, 4)
    return Gate(order, 'load_zone', factor, d.phase(), ROLLER_CONTACT if scene.roller else BALL_CONTACT)


def _modulation(scene: Scene, kind: str) -> tuple[Gate, ...]:
    """Gates of a defect: the inner race turns through the load zone with the shaft, a rolling element with the cage.

    The outer race stays where it is; imbalance modulates it weakly once per turn, the cage's run-out at its own order.
    Where imbalance outweighs the static load, the load zone turns with the shaft (Su & Lin, J. Sound Vib. 155(1):75-84,
    1992): then it passes the outer race once per turn and stays where it is on the inner race. Slow changes of the load
    act on all.
    """
    d = scene.dice
    turning = d.chance(TURNING_LOAD_SHARE)
    orders = {'inner_race': 1.0, 'ball': scene.orders['cage'], 'outer_race': 0.0}
    zone = _zone(scene, abs(orders[kind] - turning))
    cage = Gate(scene.orders['cage'], 'cosine', d.uniform(0, 0.3), d.phase())
    shaft = Gate(1.0, 'cosine', d.uniform(0, 0.3), d.phase())
    slow = Gate(d.log_uniform(0.005, 0.1), 'cosine', d.uniform(0, 0.4) * d.uniform(0, 1), d.phase())
    # A defect that does not pass the zone would only be scaled by it.
    passing = (zone,) if zone.order else ()
    other = {'inner_race': (cage,), 'ball': (shaft,), 'outer_race': (shaft, cage)}[kind]
    return (*passing, *other, slow)


def _pattern(scene: Scene, kind: str) -> tuple[float, ...]:
    """Strengths that repeat: rolling elements differ by a little; a damaged one strikes both races in turn."""
    d = scene.dice
    if kind == 'ball':
        return 1.0, d.uniform(0.2, 1.0)
    spread = d.uniform(0, 0.25)
    return tuple(d.log_normal(spread) for _ in range(scene.geometry.num_balls))


def defect(scene: Scene, kind: str, path: int, snr_db: float) -> Part:
    """One defect of a race or of a rolling element.

    Args:
      scene: the machine; its `orders` are those of the damaged bearing.
      kind: one of RACES.
      path: of its forces.
      snr_db: of its strikes; the noise of an extended (smooth) defect has at least SMOOTH_SNR_DB[0].
    """
    d = scene.dice
    shape = d.pick(KINDS, KIND_WEIGHTS)
    order, gates = scene.orders[kind], _modulation(scene, kind)
    jitter, walked = d.log_uniform(0.003, 0.02), d.uniform(0, 1)
    strikes = Train(
        path,
        'shaft',
        order,
        _pulses(d),
        snr_db,
        phase=d.phase(),
        jitter=jitter * (1 - walked) ** 0.5,
        walk=jitter * walked**0.5,
        spread=d.uniform(0.05, 0.5),
        missing=d.uniform(0, 0.3) if kind == 'ball' and d.chance(0.5) else 0.0,
        pattern=_pattern(scene, kind),
        gates=gates,
    )
    rough = NoiseBand(
        path,
        'shaft',
        order,
        d.log_uniform(0.4, 10),
        min(max(snr_db, SMOOTH_SNR_DB[0]), SMOOTH_SNR_DB[1]),
        d.phase(),
        walk=strikes.walk,
        gates=gates,
    )
    return Part(kind, trains=(strikes,) if shape != 'smooth' else (), noises=(rough,) if shape != 'impulsive' else ())


def draw_faults(scene: Scene, state: str) -> tuple[Part, ...]:
    """The defects of a state: none, one, or two of the three (the second within 8 dB of the first)."""
    d = scene.dice
    # Drawn for every state, so that what follows does not depend on it.
    first, second = (RACES[int(i)] for i in d.rng.permutation(3)[:2])
    snr_db, second_db = d.uniform(*SNR_DB), d.uniform(-8, 0)
    if state == 'normal':
        return ()
    if state == 'combined':
        return defect(scene, first, 0, snr_db), defect(scene, second, 0, max(snr_db + second_db, SNR_DB[0]))
    return (defect(scene, state, 0, snr_db),)


def strongest_db(faults: tuple[Part, ...]) -> float | None:
    """The largest signal-to-noise ratio of the defects' trains and noises; None without any."""
    levels = [train.snr_db for part in faults for train in part.trains]
    levels += [band.snr_db for part in faults for band in part.noises]
    return max(levels, default=None)
