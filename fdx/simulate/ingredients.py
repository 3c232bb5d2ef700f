"""What every source of vibration is made of: gates, trains of impacts, lines, noise bands and modulations.

A cycle is one turn of a clock. Clocks: 'shaft' (turns of the shaft), 'second' (turns of another shaft with its own
speed), 'time' (seconds). An `order` counts events per cycle of its clock, so that it is in hertz for 'time'. Paths: 0
leads from this bearing to the sensor, 1 from the rest of the machine. Levels are relative to the floor, the noise of
the healthy machine without confounders, whose root mean square is 1.
"""

from __future__ import annotations

import dataclasses

CLOCKS = ('shaft', 'second', 'time')
BALL_CONTACT, ROLLER_CONTACT = 3 / 2, 10 / 9


@dataclasses.dataclass(frozen=True)
class Gate:
    """A periodic factor on strengths.

    Attributes:
      order: cycles of the factor per cycle of the clock of what it multiplies.
      kind: 'cosine', 1 + amount cos; or 'load_zone', Stribeck's distribution (1 - (1 - cos) / (2 amount))^exponent,
        which is 0 outside of the zone (Harris & Kotzalas 2006; used as in McFadden & Smith, J. Sound Vib. 96, 1984).
      amount: depth below 1, or the load factor: below 0.5 half of the circumference is loaded, above 1 all of it.
      phase: share of a cycle.
      exponent: 3/2 for balls, 10/9 for rollers (Hertz).
    """

    order: float
    kind: str
    amount: float
    phase: float
    exponent: float = 1.0


@dataclasses.dataclass(frozen=True)
class Pulse:
    """The force of one strike: a raised cosine.

    Attributes:
      delay: share of the interval between two strikes after its beginning.
      gain: its area, with sign.
      width_s: its duration; shorter than two samples is made two samples.
    """

    delay: float
    gain: float
    width_s: float


@dataclasses.dataclass(frozen=True)
class Train:
    """Strikes that repeat.

    Attributes:
      path: 0 or 1.
      clock: one of CLOCKS.
      order: strikes per cycle.
      pulses: of one strike.
      snr_db: power of the response over that of the floor, in the band where this is largest (`levels.BANDS`).
      phase: of the first strike, as share of an interval.
      jitter: standard deviation of the instants around an even grid, as share of the interval.
      walk: standard deviation of the error that each interval adds to the next instants (a random walk), likewise.
      spread: standard deviation of the logarithm of the strengths.
      missing: share of the strikes that do not happen.
      pattern: strengths that repeat from strike to strike, e.g. one per rolling element.
      gates: periodic factors.
      random: strikes come at random (a Poisson process of this order) instead of periodically.
    """

    path: int
    clock: str
    order: float
    pulses: tuple[Pulse, ...]
    snr_db: float
    phase: float = 0.0
    jitter: float = 0.0
    walk: float = 0.0
    spread: float = 0.2
    missing: float = 0.0
    pattern: tuple[float, ...] = (1.0,)
    gates: tuple[Gate, ...] = ()
    random: bool = False


@dataclasses.dataclass(frozen=True)
class Lines:
    """Sinusoids at multiples of one order.

    Attributes:
      clock: one of CLOCKS.
      order: of the first harmonic.
      harmonics: whole multiples, from 1.
      amplitudes: relative, one per harmonic.
      phases: shares of a cycle, one per harmonic.
      level_db: root mean square of all of them over that of the floor.
    """

    clock: str
    order: float
    harmonics: tuple[int, ...]
    amplitudes: tuple[float, ...]
    phases: tuple[float, ...]
    level_db: float


@dataclasses.dataclass(frozen=True)
class NoiseBand:
    """Noise of its own whose power follows a periodic envelope, or random bursts.

    Attributes:
      path: 0 or 1.
      clock: one of CLOCKS.
      order: of the envelope; 0: random bursts.
      sharpness: k of the envelope exp(k (cos - 1)) of the power: 0.5 has a first harmonic only, 8 has many. For bursts
        the standard deviation of the logarithm of the power.
      snr_db: as in `Train`.
      phase: share of a cycle.
      walk: as in `Train`.
      burst_s: correlation time of the bursts.
      gates: periodic factors on the amplitude.
    """

    path: int
    clock: str
    order: float
    sharpness: float
    snr_db: float
    phase: float = 0.0
    walk: float = 0.0
    burst_s: float = 0.0
    gates: tuple[Gate, ...] = ()


@dataclasses.dataclass(frozen=True)
class Modulation:
    """A factor on the amplitude of the floor's rolling noise: 1 + sum of depths[h] cos(2 pi ((h + 1) cycle + phase)).

    Attributes:
      clock: one of CLOCKS.
      order: of the first harmonic; 0: a random slow factor, exp(depths[0] w) with w of unit variance below `corner_hz`.
      depths: one per harmonic.
      phases: shares of a cycle, one per harmonic.
      corner_hz: of the random factor.
    """

    clock: str
    order: float
    depths: tuple[float, ...]
    phases: tuple[float, ...]
    corner_hz: float = 0.0


@dataclasses.dataclass(frozen=True)
class Colour:
    """Stationary noise that does not come through the structure.

    Attributes:
      exponent: its power falls as frequency to minus this (0 white, 1 pink, 2 brown).
      level_db: power over that of the floor.
    """

    exponent: float
    level_db: float


@dataclasses.dataclass(frozen=True)
class Mode:
    """One resonance.

    Attributes:
      frequency_hz: natural frequency; it may lie beyond half of the rate.
      damping_ratio: fraction of critical damping.
      gains: for path 0 and path 1, with sign.
    """

    frequency_hz: float
    damping_ratio: float
    gains: tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Part:
    """One source: a defect of the bearing, or one confounder.

    Attributes:
      name: state or confounder.
      trains, lines, noises, modulations, colours, modes: what it is made of.
      dead: (start, length) in seconds of stretches that the recorder lost; they read zero.
      step: quantisation step over the root mean square of the reading; 0: the converter's own.
    """

    name: str
    trains: tuple[Train, ...] = ()
    lines: tuple[Lines, ...] = ()
    noises: tuple[NoiseBand, ...] = ()
    modulations: tuple[Modulation, ...] = ()
    colours: tuple[Colour, ...] = ()
    modes: tuple[Mode, ...] = ()
    dead: tuple[tuple[float, float], ...] = ()
    step: float = 0.0
