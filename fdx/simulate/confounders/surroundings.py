"""Other parts of the machine: a damaged bearing that is not this one, and a shaft of another speed."""

from __future__ import annotations

import dataclasses

from fdx.simulate.faults import RACES, defect
from fdx.simulate.geometry import draw_geometry
from fdx.simulate.ingredients import Part, Train
from fdx.simulate.scene import Scene, knocks, tones

# A geometry whose orders are apart is found within a few draws; the last resort is to have no such part.
TRIES = 50
# Strongest marks of a sound bearing, as signal-to-noise ratio of the best band.
FAINT_DB = -3.0


def other_bearing(scene: Scene) -> Part:
    """Another bearing on the same shaft is damaged. Its orders and harmonics lie apart from those of this one."""
    d = scene.dice
    kind = d.pick(RACES)
    for _ in range(TRIES):
        geometry, roller = draw_geometry(d)
        cage = geometry.ftf * (1 - d.log_uniform(2e-4, 2e-2))
        orders = {
            'cage': cage,
            'outer_race': geometry.num_balls * cage,
            'inner_race': geometry.num_balls * (1 - cage),
            'ball': 2 * geometry.bsf,
        }
        if scene.is_apart(orders[kind]):
            there = dataclasses.replace(scene, geometry=geometry, orders=orders, roller=roller)
            part = defect(there, kind, path=1, snr_db=d.uniform(-10, 20))
            return dataclasses.replace(part, name='other_bearing')
    return Part('other_bearing')


def faint_marks(scene: Scene) -> Part:
    """Marks of this bearing that are no damage: waviness, grinding marks, light indentations of a sound bearing.

    They leave the same lines as a defect, but weaker: every real bearing shows its element passes faintly (Wardle,
    "Vibration forces produced by waviness of the rolling surfaces of thrust loaded ball bearings", Proc. IMechE
    202(C5), 1988). What is called damage begins where these end (`draw.VISIBLE_DB`).
    """
    d = scene.dice
    part = defect(scene, d.pick(RACES), path=0, snr_db=d.uniform(-20, FAINT_DB))
    return dataclasses.replace(part, name='faint_marks')


def second_shaft(scene: Scene) -> Part:
    """Another shaft at its own speed, which wanders by itself: harmonics, and knocks once per turn of it."""
    d = scene.dice
    lines = tones(d, 'second', 1.0, range(1, d.whole(3, 10)), 0.7, d.uniform(-5, 22))
    ratio = scene.second_hz / scene.shaft_hz
    trains: tuple[Train, ...] = ()
    if d.chance(0.6) and scene.is_apart(ratio, (1, 2, 3, 4, 5, 6)):
        trains = (knocks(d, 'second', 1.0, d.uniform(-5, 25), jitter=d.uniform(0, 0.003), spread=d.uniform(0.05, 0.5)),)
    return Part('second_shaft', trains=trains, lines=(lines,))
