"""Random structures, sensors and noise floors."""

from __future__ import annotations

from fdx.simulate.dice import Dice
from fdx.simulate.ingredients import Mode, Modulation
from fdx.simulate.machine import Floor, Sensor, Structure
from fdx.simulate.scene import Scene, tones

MODES = (2, 8)
MODE_HZ = (300.0, 30000.0)
DAMPING = (0.005, 0.08)
# Depth of the modulations that every healthy bearing has: rolling elements and rings are never perfect.
FAINT = (0.0005, 0.02)
UNIT_SCALE = (1e-4, 1e3)
EMPTY_FLOOR = Floor(rolling_share=0.0, exponent=0.0, own_share=1.0, modulations=(), lines=())


def draw_structure(dice: Dice) -> Structure:
    """2 to 8 resonances between 300 Hz and beyond half of every rate, a direct path and a tilt of the response."""
    modes = tuple(
        Mode(
            dice.log_uniform(*MODE_HZ),
            dice.log_uniform(*DAMPING),
            (dice.log_uniform(0.1, 1) * dice.pick((-1, 1)), dice.log_uniform(0.1, 1) * dice.pick((-1, 1))),
        )
        for _ in range(dice.whole(*MODES))
    )
    return Structure(modes, (dice.log_uniform(0.01, 1), dice.log_uniform(0.01, 1)), dice.uniform(-12, 12))


def draw_sensor(dice: Dice, rate_hz: float) -> Sensor:
    """An accelerometer: four in five have a filter before the converter, one in 25 is clipped."""
    corner = 0.0
    if dice.chance(0.8):
        # One in six was recorded by a narrower band than its rate allows.
        corner = dice.uniform(0.38, 0.49) if dice.chance(0.84) else dice.uniform(0.12, 0.38)
    clipped = dice.chance(0.04)
    return Sensor(
        high_pass_hz=dice.log_uniform(0.05, 10),
        mounting_hz=dice.log_uniform(0.25 * rate_hz, 2 * rate_hz),
        mounting_damping=dice.log_uniform(0.03, 0.7),
        anti_alias=corner,
        bits=dice.pick((8, 10, 12, 14, 16, 24), (1, 1, 3, 2, 7, 4)),
        headroom=dice.uniform(0.4, 0.95) if clipped else dice.log_uniform(1.02, 50),
        offset=dice.pick((0.0, dice.uniform(-0.2, 0.2), dice.uniform(-20, 20)), (3, 5, 2)),
        unit_scale=dice.log_uniform(*UNIT_SCALE),
    )


def draw_floor(scene: Scene) -> Floor:
    """Rolling noise and ambient noise, with the faint modulations of a healthy bearing: turn, cage, element passes.

    The residual imbalance and misalignment of the rotor show as lines of one to seven orders.
    """
    d = scene.dice
    orders = (1.0, scene.orders['cage'], scene.orders['outer_race'], scene.orders['inner_race'])
    faint = tuple(Modulation('shaft', order, (d.log_uniform(*FAINT),), d.phases(1)) for order in orders)
    slow = Modulation('time', 0.0, (d.log_uniform(0.01, 0.15),), d.phases(1), corner_hz=d.log_uniform(0.1, 3))
    turn = tones(d, 'shaft', 1.0, range(1, d.whole(2, 8)), 0.6, d.uniform(-25, 5), spread=0.7)
    return Floor(d.uniform(0.3, 0.98), d.uniform(0, 2), d.log_uniform(1e-4, 0.1), (*faint, slow), (turn,))


def noise_floor(dice: Dice) -> Floor:
    """No machine: white, pink or brown noise, or of a colour between."""
    exponent = dice.pick((0.0, 1.0, 2.0, dice.uniform(0, 3)))
    return Floor(rolling_share=0.0, exponent=exponent, own_share=0.001, modulations=(), lines=())
