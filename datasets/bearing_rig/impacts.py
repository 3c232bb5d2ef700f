"""The excitation part of the simulator: when a damaged race is struck, and how hard."""

from __future__ import annotations

import dataclasses

import numpy as np

from .machines import LOAD_CASES, REFERENCE_SPEED_RPM, Machine

# Spread of the interval between two impacts, as a fraction of it; Randall & Antoni 2011 put slip at 1 to 2%.
INTERVAL_JITTER = 0.01
# Spread of the strength of an impact around its mean (log-normal, natural log).
STRENGTH_SCATTER = 0.25
# Weight of the rotor, which loads the bearing even if the rig does not, as a fraction of the greatest radial load.
DEAD_LOAD = 0.06
# How far the greatest axial load widens the load zone (it pushes every element against its race).
AXIAL_WIDENING = 0.3

# These exponents are choices, not laws. Load: the deflection of a Hertzian point contact, which an element loses at the
# edge of the defect, grows with load^(2/3). Speed: the element meets the far edge with a velocity proportional to the
# shaft's (the step and impulse of Sawalha & Randall, MSSP 25(3):846-870, 2011; the step at the near edge is not
# modelled).
IMPACT_LOAD_EXPONENT = 2 / 3
IMPACT_SPEED_EXPONENT = 1.0


@dataclasses.dataclass(frozen=True)
class Wander:
    """A slow random function of time, a sum of sinusoids: w(t) = sum_k a_k cos(2 pi f_k t + p_k).

    Attributes:
      amplitudes: a_k; |w| never exceeds their sum.
      frequencies_hz: f_k.
      phases: p_k in radians.
    """

    amplitudes: np.ndarray
    frequencies_hz: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, bound: float, terms: int = 4) -> Wander:
        """Draws one with frequencies from 0.03 to 0.6 Hz and |w| <= `bound`."""
        amplitudes = rng.uniform(0.5, 1.0, terms)
        frequencies_hz = np.exp(rng.uniform(np.log(0.03), np.log(0.6), terms))
        return cls(amplitudes * (bound / amplitudes.sum()), frequencies_hz, rng.uniform(0, 2 * np.pi, terms))

    def value(self, t_s: np.ndarray) -> np.ndarray:
        """Its value w at the times [N]."""
        angle = 2 * np.pi * self.frequencies_hz * t_s[:, None] + self.phases
        return np.cos(angle) @ self.amplitudes

    def integral(self, t_s: np.ndarray) -> np.ndarray:
        """Integral of w from 0 to the times [N]."""
        angle = 2 * np.pi * self.frequencies_hz * t_s[:, None] + self.phases
        return (np.sin(angle) - np.sin(self.phases)) @ (self.amplitudes / (2 * np.pi * self.frequencies_hz))


@dataclasses.dataclass(frozen=True)
class Shaft:
    """A shaft whose speed wanders a little: turns(t) = rate (t + integral of w).

    Attributes:
      rate_hz: mean turns per second.
      wander: relative deviation of the speed.
    """

    rate_hz: float
    wander: Wander

    def turns(self, t_s: np.ndarray) -> np.ndarray:
        """Turns made until the times [N]."""
        return self.rate_hz * (t_s + self.wander.integral(t_s))

    def times(self, turns: np.ndarray) -> np.ndarray:
        """Times [N] at which that many turns are made: the inverse of `turns`."""
        # The wander is below 0.5%, so each step leaves less than 0.5% of the previous error; after 3 steps it is
        # nanoseconds.
        t_s = turns / self.rate_hz
        for _ in range(3):
            t_s = turns / self.rate_hz - self.wander.integral(t_s)
        return t_s


def relative_load(machine: Machine, load_case: int) -> float:
    """Load of the bearing over its greatest radial load; never 0, because of the rotor's weight."""
    radial_kn, axial_kn = machine.loads_kn(load_case)
    return max(DEAD_LOAD, float(np.hypot(radial_kn, axial_kn)) / machine.max_radial_kn)


def load_zone(machine: Machine, load_case: int, angle_rad: np.ndarray) -> np.ndarray:
    """Share of the greatest element load at an angle from the middle of the load zone, in [0, 1].

    Stribeck's distribution q(a) = (1 - (1 - cos a) / (2 e))^n, zero outside of the zone. It modulates impacts as in
    McFadden & Smith, "Model for the vibration produced by a single point defect", J. Sound Vib. 96(1):69-82, 1984.
    """
    factor = machine.load_zone + AXIAL_WIDENING * LOAD_CASES[load_case][1]
    return np.maximum(0.0, 1 - (1 - np.cos(angle_rad)) / (2 * factor)) ** machine.contact_exponent


def impact_times(machine: Machine, state: str, shaft: Shaft, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Times [N] in seconds, within the duration, at which a rolling element strikes the damaged race.

    Intervals are drawn independently, so the error of the instants accumulates like a random walk: bearing signals
    are cyclostationary only in a wider sense (Randall & Antoni, MSSP 25(2):485-520, 2011; Antoni & Randall,
    ASME J. Vib. Acoust. 125(3):282-289, 2003). A slipping cage lowers BPFO and raises BPFI.
    """
    ftf = machine.geometry.ftf * (1 - machine.slip * rng.uniform(0.5, 1.5))
    order = machine.geometry.num_balls * (ftf if state == 'outer_race' else 1 - ftf)
    turns_total = shaft.turns(np.array([duration_s]))[0]
    count = int(order * turns_total * 1.1) + 20
    intervals = np.maximum(0.2, 1 + INTERVAL_JITTER * rng.standard_normal(count))
    turns = (np.cumsum(intervals) - rng.uniform()) / order
    return shaft.times(turns[(turns > 0) & (turns < turns_total)])


def impact_strengths(
    machine: Machine, state: str, load_case: int, shaft: Shaft, times_s: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Strengths [N] in g of the impacts at those times.

    The defect of the inner race turns with the shaft and is struck hard only while it passes the load zone; that of
    the outer race stays where it is.
    """
    if state == 'inner_race':
        angle = 2 * np.pi * (shaft.turns(times_s) + rng.uniform())
        gain = machine.inner_path_gain
    else:
        angle = np.full(times_s.shape, np.radians(machine.outer_defect_deg))
        gain = 1.0
    speed = shaft.rate_hz * 60 / REFERENCE_SPEED_RPM
    level = machine.severity_g * gain * speed**IMPACT_SPEED_EXPONENT
    level *= relative_load(machine, load_case) ** IMPACT_LOAD_EXPONENT
    scatter = np.exp(STRENGTH_SCATTER * rng.standard_normal(times_s.shape))
    return level * load_zone(machine, load_case, angle) * scatter


def force(times_s: np.ndarray, strengths: np.ndarray, width_s: float, rate_hz: float, num_samples: int) -> np.ndarray:
    """Force of the impacts, float32 [num_samples]: a raised-cosine pulse each, of area `strength` (g s).

    The pulse is sampled around its true instant, which may lie between samples. Arrival times are not rounded, because
    the jitter of an impact is smaller than a sample. Pulses are narrow: `width_s` is a few samples.
    """
    width = width_s * rate_hz
    taps = np.arange(int(np.ceil(width)) + 1)
    centre = times_s * rate_hz
    first = np.ceil(centre - width / 2).astype(np.int64)
    index = first[:, None] + taps
    offset = (index - centre[:, None]) / width
    pulse = np.where(np.abs(offset) < 0.5, 1 + np.cos(2 * np.pi * offset), 0.0) / width
    weight = pulse * strengths[:, None] * rate_hz
    inside = (index >= 0) & (index < num_samples)
    return np.bincount(index[inside], weight[inside], minlength=num_samples).astype(np.float32)
