"""Draws a random machine from a seed and an index."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Sequence

from fdx.simulate.confounders import CONFOUNDERS, NOISE_ONLY
from fdx.simulate.confounders.surroundings import FAINT_DB
from fdx.simulate.dice import Dice
from fdx.simulate.draw_path import EMPTY_FLOOR, draw_floor, draw_sensor, draw_structure, noise_floor
from fdx.simulate.faults import draw_faults, strongest_db
from fdx.simulate.geometry import draw_geometry, true_angle_deg
from fdx.simulate.machine import STATES, Motion, SimulatedMachine
from fdx.simulate.scene import Scene
from fdx.types import ConfigError

STATE_WEIGHTS = (0.40, 0.17, 0.17, 0.17, 0.09)
# How many confounders a machine has: the same for healthy and damaged ones, so that their number tells nothing.
COUNT_WEIGHTS = (0.12, 0.25, 0.28, 0.21, 0.14)
NOISE_ONLY_SHARE = 0.06
# Machines whose bearing has faint marks beside what else was drawn.
FAINT_SHARE = 0.35
# A defect that is weaker than this is no more than the marks of a sound bearing: a judge need not see it.
VISIBLE_DB = FAINT_DB
RATES_HZ = (8000.0, 10000.0, 12000.0, 16000.0, 20000.0, 25600.0, 48000.0, 51200.0)
RANDOM_RATE_SHARE = 0.2
SPEED_RPM = (300.0, 6000.0)
DURATION_S = (1.5, 12.0)
MIN_TURNS = 25
# Streams of random numbers of one machine; confounder k has stream FIRST_CONFOUNDER + k.
BASICS, STRUCTURE, SENSOR, FLOOR, FAULTS, FIRST_CONFOUNDER = 0, 1, 2, 3, 4, 10


def draw_machine(
    seed: int, index: int, state: str | None = None, confounders: Sequence[str] | None = None
) -> SimulatedMachine:
    """The machine of that seed and index.

    Speed, bearing, structure and sensor are the same whatever `state` and `confounders` are, so that one machine can be
    had healthy and damaged, with and without a confounder.

    Args:
      seed: 0 or more.
      index: 0 or more.
      state: one of STATES; None: drawn (normal 40 %, combined 9 %, the others 17 % each).
      confounders: names of CONFOUNDERS, or ('noise_only',) for a healthy one; None: drawn, 0 to 4.

    Raises:
      ConfigError: a state or confounder is unknown, a number is negative, or noise alone is asked for with a fault.
    """
    seed, index = _whole('seed', seed), _whole('index', index)
    dice = Dice(seed, index, BASICS)
    drawn_state = dice.pick(STATES, STATE_WEIGHTS)
    state = drawn_state if state is None else state
    if state not in STATES:
        raise ConfigError(f'state {state!r} is unknown; the states are {", ".join(STATES)}')
    names = _confounders(dice, state, confounders)

    geometry, roller = draw_geometry(dice)
    angle_deg = true_angle_deg(dice, geometry)
    slips = dice.log_uniform(2e-4, 2e-2), dice.log_uniform(2e-4, 2e-2)
    speed_rpm = dice.log_uniform(*SPEED_RPM)
    off = dice.uniform(-0.003, 0.003) if dice.chance(0.6) else dice.uniform(-0.08, 0.08)
    duration_s = max(dice.log_uniform(*DURATION_S), MIN_TURNS * 60 / speed_rpm)
    rate_hz = dice.log_uniform(7000, 60000) if dice.chance(RANDOM_RATE_SHARE) else dice.pick(RATES_HZ)
    wander = dice.uniform(0, 0.01) * dice.uniform(0, 1)
    motion = _motion(dice, speed_rpm / 60, wander)
    second = _motion(dice, speed_rpm / 60 * dice.log_uniform(0.15, 6), dice.uniform(0, 0.01))

    bare = SimulatedMachine(
        seed=seed,
        index=index,
        state=state,
        geometry=geometry,
        roller=roller,
        contact_angle_deg=angle_deg,
        cage_slip=slips[0],
        spin_slip=slips[1],
        speed_rpm=speed_rpm,
        name_plate_rpm=speed_rpm * (1 + off),
        speed_wander=wander,
        sample_rate_hz=rate_hz,
        duration_s=round(duration_s * rate_hz) / rate_hz,
        snr_db=None,
        confounders=names,
        motion=motion,
        second=second,
        structure=draw_structure(Dice(seed, index, STRUCTURE)),
        sensor=draw_sensor(Dice(seed, index, SENSOR), rate_hz),
        floor=noise_floor(Dice(seed, index, FLOOR)) if names == (NOISE_ONLY,) else EMPTY_FLOOR,
        faults=(),
        parts=(),
    )
    return bare if names == (NOISE_ONLY,) else _with_parts(bare)


def _whole(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 0:
        raise ConfigError(f'`{name}` is {value!r}; it must be a whole number, 0 or more')
    return int(value)


def _with_parts(bare: SimulatedMachine) -> SimulatedMachine:
    """The machine with its floor, defects and confounders, each drawn by a stream of its own."""

    def scene(part: int) -> Scene:
        return Scene(
            dice=Dice(bare.seed, bare.index, part),
            geometry=bare.geometry,
            orders=bare.true_orders(),
            shaft_hz=bare.motion.mean_hz,
            second_hz=bare.second.mean_hz,
            sample_rate_hz=bare.sample_rate_hz,
            duration_s=bare.duration_s,
            roller=bare.roller,
        )

    faults = draw_faults(scene(FAULTS), bare.state)
    places = {name: place for place, name in enumerate(CONFOUNDERS)}
    parts = tuple(CONFOUNDERS[name](scene(FIRST_CONFOUNDER + places[name])) for name in bare.confounders)
    return dataclasses.replace(
        bare, floor=draw_floor(scene(FLOOR)), faults=faults, parts=parts, snr_db=strongest_db(faults)
    )


def _confounders(dice: Dice, state: str, asked: Sequence[str] | None) -> tuple[str, ...]:
    """The confounders that were asked for, or drawn ones, in the order of CONFOUNDERS."""
    # Drawn even if not used, so that what is drawn next does not depend on what was asked for.
    alone = dice.chance(NOISE_ONLY_SHARE)
    count = dice.pick(range(len(COUNT_WEIGHTS)), COUNT_WEIGHTS)
    drawn = {list(CONFOUNDERS)[int(place)] for place in dice.rng.permutation(len(CONFOUNDERS))[:count]}
    drawn |= {'faint_marks'} if dice.chance(FAINT_SHARE) else set()
    if asked is None:
        names = {NOISE_ONLY} if alone and state == 'normal' else drawn
    else:
        names = set(asked)
    unknown = sorted(names - set(CONFOUNDERS) - {NOISE_ONLY})
    if unknown:
        raise ConfigError(
            f'confounders {", ".join(unknown)} are unknown; known are {", ".join(CONFOUNDERS)}, {NOISE_ONLY}'
        )
    if NOISE_ONLY in names and (len(names) > 1 or state != 'normal'):
        raise ConfigError(f'{NOISE_ONLY} is no machine: it has neither the state {state!r} nor other confounders')
    return (NOISE_ONLY,) if NOISE_ONLY in names else tuple(name for name in CONFOUNDERS if name in names)


def _motion(dice: Dice, mean_hz: float, bound: float) -> Motion:
    """A shaft's speed: a slow wander of four sinusoids (0.03 to 0.6 Hz), and in one of ten a ramp of up to 3 %."""
    shares = dice.rng.uniform(0.5, 1.0, 4)
    return Motion(
        mean_hz=mean_hz,
        amplitudes=tuple(float(a) for a in shares / shares.sum() * bound),
        frequencies_hz=tuple(dice.log_uniform(0.03, 0.6) for _ in range(4)),
        phases=tuple(dice.uniform(0, 2 * math.pi) for _ in range(4)),
        ramp=dice.uniform(-0.03, 0.03) if dice.chance(0.1) else 0.0,
    )
