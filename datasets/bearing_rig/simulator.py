"""A physical simulator of the bearing test rig: what its accelerometer reads.

    impacts + rolling noise -> structure -+-> sensor -> reading
       ambient noise, shaft harmonics ----+

The study whose layout it follows (Di Maggio, Sensors 23(1):211, 2023) keeps its recordings private. The model is that
of McFadden & Smith (J. Sound Vib. 96(1):69-82, 1984) with the random slip of Antoni & Randall (ASME J. Vib. Acoust.
125(3):282-289, 2003): a defect is struck at its fault order, every strike rings the structure's resonances, and the
load zone modulates the strikes. The chain after the forces is linear, so it is one product in the frequency domain.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Iterable, Iterator

import numpy as np
import scipy.fft

from fdx.types import ConfigError, Recording

from . import impacts, sources
from .machines import LOAD_CASES, MACHINES, SPEEDS_RPM, STATES, Machine, get_machine
from .responses import response_grid_hz, sensor_response, structure_response

SAMPLE_RATE_HZ = 20480.0
# Below this, the force of an impact would be narrower than two samples and its arrival time would be lost.
MIN_SAMPLE_RATE_HZ = 16000.0
# This time is cut off at the start, so that resonances and sensor are in their steady state and no end wraps around.
SETTLING_S = 0.25

# Bound of the relative deviation of the shaft speed.
SPEED_WANDER = 0.004


@dataclasses.dataclass(frozen=True)
class Nuisance:
    """What differs between two recordings of one state: mounting, temperature, the damage itself.

    Attributes:
      gain: of the whole reading, within 1.5 dB of 1.
      resonance: factor on every natural frequency, within 2% of 1.
      severity: factor on the defect, within 20% of 1.
      ambient: factor on the ambient noise, within 2 dB of 1.
    """

    gain: float
    resonance: float
    severity: float
    ambient: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Nuisance:
        """Draws random values."""
        gain_db, resonance, severity, ambient_db = rng.uniform((-1.5, 0.98, 0.8, -2.0), (1.5, 1.02, 1.2, 2.0))
        return cls(10 ** (gain_db / 20), resonance, severity, 10 ** (ambient_db / 20))


def _check(
    machine: str,
    state: str,
    speed_rpm: float,
    load_case: int,
    duration_s: float,
    sample_rate_hz: float,
    seed: int,
) -> Machine:
    found = get_machine(machine)
    if state not in STATES:
        raise ConfigError(f'state {state!r} is unknown; the states are {", ".join(STATES)}')
    found.loads_kn(load_case)
    for name, value in (('speed_rpm', speed_rpm), ('duration_s', duration_s)):
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(f'{name} is {value}; it must be positive and finite')
    if not (math.isfinite(sample_rate_hz) and sample_rate_hz >= MIN_SAMPLE_RATE_HZ):
        raise ConfigError(f'sample_rate_hz is {sample_rate_hz}; the simulator needs {MIN_SAMPLE_RATE_HZ:.0f} or more')
    if round(duration_s * sample_rate_hz) < 1:
        raise ConfigError(f'duration_s is {duration_s}: less than one sample at {sample_rate_hz} Hz')
    if not isinstance(seed, numbers.Integral) or seed < 0:
        raise ConfigError(f'seed is {seed!r}; it must be a whole number, 0 or more')
    return found


def simulate(
    machine: str,
    state: str,
    speed_rpm: float,
    load_case: int,
    *,
    duration_s: float,
    sample_rate_hz: float = SAMPLE_RATE_HZ,
    seed: int,
) -> np.ndarray:
    """Simulates one recording.

    The same arguments give the same samples: the random numbers depend on the seed and on the condition.

    Args:
      machine: key of MACHINES.
      state: normal, inner_race or outer_race.
      speed_rpm: mean shaft speed; it wanders by less than 0.5%.
      load_case: index into LOAD_CASES.
      duration_s: length; more than one sample.
      sample_rate_hz: 16 kHz or more.
      seed: 0 or more.

    Returns:
      float32 [T] acceleration in g, T = round(duration_s * sample_rate_hz).

    Raises:
      ConfigError: an argument is unknown or out of range.
    """
    rig = _check(machine, state, speed_rpm, load_case, duration_s, sample_rate_hz, seed)
    entropy = [seed, list(MACHINES).index(machine), STATES.index(state), round(speed_rpm), load_case]
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
    nuisance = Nuisance.draw(rng)
    shaft = impacts.Shaft(speed_rpm / 60, impacts.Wander.draw(rng, SPEED_WANDER))

    wanted = round(duration_s * sample_rate_hz)
    total = sources.BLOCK * scipy.fft.next_fast_len(
        math.ceil((wanted + SETTLING_S * sample_rate_hz) / sources.BLOCK), real=True
    )
    frequency_hz = np.arange(total // 2 + 1) * (sample_rate_hz / total)
    grid_hz = response_grid_hz(sample_rate_hz)

    response = structure_response(rig.modes, grid_hz, nuisance.resonance) * sensor_response(rig.sensor, grid_hz)
    spectrum = scipy.fft.rfft(
        sources.forces(rig, state, load_case, shaft, nuisance.severity, rng, sample_rate_hz, total)
    )
    spectrum *= np.interp(frequency_hz, grid_hz, rig.path_gain * response)
    density = sources.stationary_density(rig, load_case, speed_rpm, nuisance.ambient, grid_hz)
    density = np.interp(frequency_hz, grid_hz, density * math.sqrt(total * sample_rate_hz) / 2)
    noise = rng.standard_normal(2 * frequency_hz.size, np.float32).view(np.complex64)
    spectrum += noise * density.astype(np.float32)

    reading = scipy.fft.irfft(spectrum, total)
    reading += sources.harmonics(rig, load_case, shaft, rng, sample_rate_hz, total)
    return reading[total - wanted :] * np.float32(nuisance.gain)


def simulate_recording(
    machine: str,
    state: str,
    speed_rpm: float,
    load_case: int,
    *,
    duration_s: float,
    sample_rate_hz: float = SAMPLE_RATE_HZ,
    seed: int,
) -> Recording:
    """`simulate` with its labels: samples [T, 1] in g; the label and the fault type are the state; load in kN.

    Raises:
      ConfigError: as `simulate`.
    """
    samples = simulate(
        machine, state, speed_rpm, load_case, duration_s=duration_s, sample_rate_hz=sample_rate_hz, seed=seed
    )
    return Recording(
        samples=samples[:, None],
        sample_rate_hz=float(sample_rate_hz),
        recording=f'{machine}-{state}-{round(speed_rpm):04d}rpm-load{load_case}',
        label=state,
        fault_type=state,
        bearing=f'{machine}-{state}',
        domain=f'load{load_case}',
        speed_rpm=float(speed_rpm),
        load=MACHINES[machine].loads_kn(load_case)[0],
        source='simulated',
        geometry=MACHINES[machine].geometry,
    )


def recordings(
    machine_names: Iterable[str],
    *,
    speeds: Iterable[float] = SPEEDS_RPM,
    load_cases: Iterable[int] = tuple(range(len(LOAD_CASES))),
    duration_s: float = 30.0,
    sample_rate_hz: float = SAMPLE_RATE_HZ,
    seed: int,
) -> Iterator[Recording]:
    """Every state at every speed and load case of every machine, one at a time: 120 per machine by default.

    Raises:
      ConfigError: as `simulate`, or two recordings would have the same id (speeds that round to the same rpm).
    """
    machine_names, speeds, load_cases = tuple(machine_names), tuple(speeds), tuple(load_cases)
    whole_rpm = tuple(round(s) for s in speeds)
    for name, values in (('machines', machine_names), ('speeds in whole rpm', whole_rpm), ('load cases', load_cases)):
        if len(set(values)) < len(values):
            raise ConfigError(f'{name} {values}: one is there twice, so two recordings would have the same id')
    for machine in machine_names:
        for state in STATES:
            for speed_rpm in speeds:
                for load_case in load_cases:
                    yield simulate_recording(
                        machine,
                        state,
                        speed_rpm,
                        load_case,
                        duration_s=duration_s,
                        sample_rate_hz=sample_rate_hz,
                        seed=seed,
                    )
