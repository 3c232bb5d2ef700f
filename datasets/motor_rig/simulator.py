"""A simulator of the motor bench: what its accelerometer reads, and when.

    imbalance of m1, torque ripple --> motor's modes --+
    imbalance of m2 -----------------> bench's modes --+--> sensor --> counts at the logger's uneven instants
    tones, broadband noise ----------------------------+

The bench is that of Iantovics, Gligor et al., "Electric Motor Vibrations Dataset" (doi 10.5281/zenodo.6473455;
doi 10.2478/amset-2022-0012). The chain after the forces is linear. Everything is a function of time and is
sampled at the instants of the logger (clock.py), not on a grid.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import zlib

import numpy as np

from fdx.types import ConfigError, Recording

from . import clock, sources
from .conditions import Condition
from .electric import Operation, operate
from .motors import MOTORS, Motor, get_motor
from .nuisance import Nuisance
from .sensor import Sensor, rotation

# Bound of the wander of the shaft's speed within a recording. File 01, without load, shows 0.1%. The torque of a
# friction brake varies, and the slip with it.
SPEED_WANDER, SPEED_WANDER_LOADED = 0.002, 0.006
# Bounds of the slow swing of amplitudes. In stretches of 8 s of file 01 that of 1x stays within 8%, of the tone that
# stands still within 5%, of the strongest bearing tone within 25%.
SWING_FORCE, SWING_STILL, SWING_TONE = 0.08, 0.05, 0.3
# How the sensor of the `rotated` recording is turned is not published; here it is turned about the shaft.
ROTATED_DEG = 90.0
# Other effects of the brake: more noise of bearings and belt, and a stiffer shaft.
LOAD_NOISE = 1.15
LOAD_DAMPING = 0.9
# m2 shakes not only by its imbalance.
BACKGROUND_NOISE = 1.08


@dataclasses.dataclass(frozen=True)
class Reading:
    """The logger's output.

    Attributes:
      timestamps_us: int64 [T], rising.
      counts: int16 [T, 3], gravity included.
      shaft_hz: mean speed of m1.
    """

    timestamps_us: np.ndarray
    counts: np.ndarray
    shaft_hz: float


def simulate(
    motor: str, condition: Condition, *, duration_s: float, seed: int, take: int = 1, nuisance: Nuisance | None = None
) -> Reading:
    """Simulates one recording; the same arguments give the same reading.

    Args:
      motor: key of MOTORS.
      condition: state of the bench.
      duration_s: length, 0.1 s or more; the result may be a few percent longer, because the clock is uneven.
      seed: 0 or more.
      take: number of the recording among those of one condition, 1 or more.
      nuisance: the differences between recordings; None draws them.

    Raises:
      ConfigError: an argument is unknown or out of range.
    """
    bench = get_motor(motor)
    if not (math.isfinite(duration_s) and duration_s >= 0.1):
        raise ConfigError(f'duration_s is {duration_s}; it must be 0.1 or more')
    for name, value, least in (('seed', seed, 0), ('take', take, 1)):
        if not isinstance(value, numbers.Integral) or value < least:
            raise ConfigError(f'{name} is {value!r}; it must be a whole number, {least} or more')
    entropy = [seed, list(MOTORS).index(motor), zlib.crc32(condition.name.encode()), take]
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
    drawn = Nuisance.draw(rng)
    nuisance = drawn if nuisance is None else nuisance

    timestamps_us = clock.draw_timestamps_us(math.ceil(duration_s * clock.GRID_RATE_HZ * 1.03), rng)
    t_s = (timestamps_us - timestamps_us[0]) * 1e-6
    kept = t_s <= duration_s + 0.01
    timestamps_us, t_s = timestamps_us[kept], t_s[kept]
    circuit = dataclasses.replace(bench.circuit, supply_hz=bench.circuit.supply_hz * nuisance.speed)
    bench = dataclasses.replace(bench, circuit=circuit)
    operation = operate(circuit, condition.resistance_ohm, condition.load_nm)

    acceleration = _motor(bench, condition, operation, nuisance, t_s, rng)
    acceleration += _background(bench, condition, nuisance, t_s, rng)
    noise = nuisance.noise * (LOAD_NOISE if condition.load_nm else 1.0)
    noise = noise * (1.0 if condition.background == 'none' else BACKGROUND_NOISE)
    acceleration += sources.broadband(bench.floor, t_s, noise, nuisance.detune, rng)

    turned = rotation('y', ROTATED_DEG) if condition.rotated else np.eye(3)
    sensor = Sensor.mounted(rng, turned @ bench.mount)
    counts = sensor.read(acceleration * nuisance.gain, rng, clock.GRID_RATE_HZ)
    return Reading(timestamps_us, counts, operation.shaft_hz)


def _motor(
    bench: Motor,
    condition: Condition,
    operation: Operation,
    nuisance: Nuisance,
    t_s: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Lines of m1, float64 [T, 3]: imbalance, harmonics, torque ripple and the tones of the bench."""
    wander = sources.Wander.draw(rng, SPEED_WANDER_LOADED if condition.load_nm else SPEED_WANDER)
    turns = sources.Shaft(operation.shaft_hz, wander).turns(t_s)
    force = bench.residual * nuisance.residual
    if condition.imbalanced:
        force = force + bench.added * np.exp(1j * nuisance.added_rad)
    if condition.load_nm:
        force *= LOAD_DAMPING
    angle = np.exp(2j * np.pi * rng.uniform())
    first = sources.imbalance(bench.modes, force * angle, operation.shaft_hz, bench.reference_hz, nuisance.detune)
    total = _swinging(sources.vibration(first, turns), SWING_FORCE, t_s, rng)
    supply = bench.circuit.supply_hz * t_s
    electric_phase = rng.uniform(size=3)
    for (of_supply, of_shaft, line), phase in zip(
        sources.ripple_lines(bench, operation, nuisance.detune), electric_phase, strict=True
    ):
        cycles = of_supply * supply + of_shaft * turns + phase
        total += _swinging(sources.vibration(line * nuisance.ripple, cycles), SWING_FORCE, t_s, rng)
    for tone in (*bench.harmonics, *bench.tones):
        gain = 10 ** (nuisance.tone_db * (rng.standard_normal() + 0.4 * rng.standard_normal(3)) / 20)
        if tone.order:
            # A force of inertia: it grows with the square of the speed, as the imbalance does.
            gain = gain * (operation.shaft_hz / bench.reference_hz) ** 2
        own = sources.Wander.draw(rng, tone.slip)
        frequency_hz = tone.order * operation.shaft_hz
        cycles = tone.order * turns + tone.frequency_hz * t_s + frequency_hz * own.integral(t_s)
        line = sources.vibration(sources.tone_amplitude(tone, gain, 2 * np.pi * rng.uniform()), cycles)
        total += _swinging(line, SWING_TONE if tone.order else SWING_STILL, t_s, rng)
    return total


def _swinging(x: np.ndarray, bound: float, t_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vibration x [T, 3] with an amplitude that swings slowly by up to `bound`."""
    return x * (1 + sources.Wander.draw(rng, bound).value(t_s))[:, None]


def _background(
    bench: Motor, condition: Condition, nuisance: Nuisance, t_s: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Vibration of m2, float64 [T, 3]: 1x and a weak 2x of a speed slightly other than m1's, through the bench."""
    if condition.background == 'none':
        return np.zeros((t_s.size, 3))
    idle_hz = operate(bench.circuit, 0.0, 0.0).shaft_hz
    rate_hz = idle_hz * bench.background_speed * rng.uniform(0.99, 1.01)
    turns = sources.Shaft(rate_hz, sources.Wander.draw(rng, SPEED_WANDER)).turns(t_s)
    force = bench.background_residual
    if condition.background == 'imbalanced':
        force += bench.background_added
    force *= nuisance.background * np.exp(2j * np.pi * rng.uniform())
    first = sources.imbalance(bench.bench_modes, force, rate_hz, bench.reference_hz, nuisance.detune)
    return sources.vibration(first, turns) + sources.vibration(0.15 * first, 2 * turns + rng.uniform())


def simulate_recording(
    motor: str, condition: Condition, *, duration_s: float, seed: int, take: int = 1, label: str | None = None
) -> Recording:
    """`simulate` as a recording: samples float32 [N, 3] in counts on the even grid of 528 Hz, gravity included.

    The label is the state of m1 unless one is given; the load is in Nm, the speed is m1's.

    Raises:
      ConfigError: as `simulate`.
    """
    reading = simulate(motor, condition, duration_s=duration_s, seed=seed, take=take)
    return Recording(
        samples=clock.on_even_grid(reading.timestamps_us, reading.counts),
        sample_rate_hz=clock.GRID_RATE_HZ,
        recording=f'{motor}_{condition.name}_take{take}',
        label=condition.state if label is None else label,
        fault_type=condition.fault_type,
        bearing=motor,
        domain=condition.domain,
        speed_rpm=60 * reading.shaft_hz,
        load=condition.load_nm,
        source='simulated',
    )
