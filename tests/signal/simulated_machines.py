"""Machines whose shaft speed is known, one function per kind, for the tests of the estimated speed.

Every kind is a case in which something else than the shaft makes lines, or in which the shaft makes few. Amplitudes are
levels in dB of a line over the noise within 1 Hz around it; a shaft is seen from about 0 dB on in some seconds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from tests.signal.machine_bench import Bench

RATES_HZ = (5000.0, 8192.0, 12000.0, 20000.0, 25600.0, 51200.0)
HARMONICS = range(1, 9)


@dataclasses.dataclass(frozen=True)
class SimulatedMachine:
    """One recording: samples float64 [T], its rate, the true speed, the range its user states, a second shaft."""

    kind: str
    samples: np.ndarray
    rate_hz: float
    speed_rpm: float
    range_rpm: tuple[float, float]
    other_rpm: float = np.nan


def _shaft(m: Bench, top_db: tuple[float, float] = (8, 25)) -> None:
    m.orders(HARMONICS, top_db)


def plain(m: Bench) -> None:
    """Unbalance and misalignment: 1x, 2x, 3x ..."""
    _shaft(m)


def misaligned(m: Bench) -> None:
    """2x and 4x over weak odd harmonics."""
    m.orders((2, 4, 6), (12, 28))
    m.orders((1, 3, 5), (-4, 8))


def belt(m: Bench) -> None:
    """One line at half the speed beside the shaft's."""
    _shaft(m)
    m.order(0.5, m.rng.uniform(10, 30))


def belt_harmonics(m: Bench) -> None:
    """A belt that turns at some fraction of the shaft, with harmonics as strong as the shaft's."""
    _shaft(m, (5, 20))
    turns = m.rng.uniform(0.3, 0.75)
    m.orders(turns * np.arange(1, 9), (8, 25))


def whirl(m: Bench) -> None:
    """Oil whirl: 0.42 to 0.48x, its second harmonic, and the sidebands that it makes of the shaft's lines."""
    _shaft(m, (5, 20))
    w = m.rng.uniform(0.42, 0.48)
    m.orders((w, 1 - w, 1 + w, 2 * w, 2 - w, 3 * w), (12, 30), 3)


def loose(m: Bench) -> None:
    """Half orders 0.5, 1.5, 2.5 ... about as strong as the whole ones."""
    m.orders(HARMONICS, (8, 22))
    m.orders(np.arange(0.5, 8), (4, 22))


def loose_thirds(m: Bench) -> None:
    """A rub: thirds of the orders."""
    m.orders(HARMONICS, (8, 22))
    m.orders([k / 3 for k in range(1, 18) if k % 3], (3, 18), 1)


def fan(m: Bench, blades: int) -> None:
    """Multiples of the blades' rate, and a weak 1x, or none."""
    m.orders(blades * np.arange(1, 6), (12, 30))
    if m.rng.uniform() < 0.75:
        m.order(1, m.rng.uniform(-3, 12))


def fan_3(m: Bench) -> None:
    """Three blades: 3x, 6x, 9x."""
    fan(m, 3)


def fan_2(m: Bench) -> None:
    """Two blades or lobes: 2x, 4x, 6x."""
    fan(m, 2)


def fan_4(m: Bench) -> None:
    """Four blades: 4x, 8x."""
    fan(m, 4)


def fan_5(m: Bench) -> None:
    """Five to seven blades."""
    fan(m, int(m.rng.integers(5, 8)))


def hum(m: Bench, hz: float) -> None:
    """The mains and its multiples, every one or the even ones above the others, beside a shaft."""
    _shaft(m, (0, 20))
    top, even = m.rng.uniform(10, 30), m.rng.uniform(0, 12)
    exact = hz * (1 + m.rng.normal(0, 4e-4))
    for k in range(1, 13):
        m.tone(k * exact, top - 2 * k - (even if k % 2 else 0) + m.rng.uniform(-3, 3))


def hum_16(m: Bench) -> None:
    """Railway mains: 16.7 or 16 2/3 Hz, which is 1000 rpm."""
    hum(m, m.rng.choice([16.7, 50 / 3]))


def hum_50(m: Bench) -> None:
    """50 Hz."""
    hum(m, 50.0)


def hum_60(m: Bench) -> None:
    """60 Hz."""
    hum(m, 60.0)


def hum_alone(m: Bench) -> None:
    """Mains of any kind, and a shaft that is not heard."""
    exact = m.rng.choice([16.7, 50 / 3, 50.0, 60.0]) * (1 + m.rng.normal(0, 4e-4))
    top = m.rng.uniform(5, 30)
    for k in range(1, 13):
        m.tone(k * exact, top - 2 * k + m.rng.uniform(-3, 3))


def inverter(m: Bench) -> None:
    """The supply of an induction motor, two to six poles, with harmonics, beside its shaft."""
    _shaft(m, (2, 18))
    pairs, slip = m.rng.integers(1, 4), m.rng.uniform(0.01, 0.06)
    supply = float(pairs * m.shaft_hz / (1 - slip))
    for k in (1, 2, 4, 5, 6, 7, 8, 10, 12):
        m.tone(k * supply, m.rng.uniform(0, 22))


def pole_slip(m: Bench) -> None:
    """Broken bars: sidebands at the poles' slip around every harmonic."""
    m.orders(range(1, 6), (8, 25))
    slip = m.rng.uniform(0.01, 0.05) * m.rng.integers(1, 3) * 2
    below = m.rng.uniform(-6, 3)
    for k in range(1, 6):
        for side in (-2, -1, 1, 2):
            m.order(k + side * slip, 14 + below - 2 * k - 3 * abs(side) + m.rng.uniform(-3, 3))


def gears(m: Bench) -> None:
    """A mesh with sidebands of both its shafts."""
    m.orders(range(1, 4), (0, 15))
    teeth, ratio = int(m.rng.integers(7, 40)), m.rng.uniform(0.2, 3.0)
    for h in (1, 2, 3):
        for side in range(-3, 4):
            m.order(h * teeth + side, m.rng.uniform(10, 30) - 4 * abs(side))
            m.order(h * teeth + side * ratio, m.rng.uniform(5, 25) - 4 * abs(side))
    m.orders(ratio * np.arange(1, 4), (0, 15))


def two_shafts(m: Bench) -> None:
    """A second shaft at 0.4 to 2.5 times the speed, heard as well as the first."""
    _shaft(m, (5, 20))
    m.other = float(np.exp(m.rng.uniform(np.log(0.4), np.log(2.5))))
    m.orders(m.other * np.arange(1, 9), (5, 20))


def geared_shafts(m: Bench) -> None:
    """A second shaft at a simple ratio."""
    _shaft(m, (5, 20))
    m.orders(m.rng.choice([1 / 2, 2 / 3, 3 / 4, 4 / 3, 3 / 2, 2, 3, 1 / 3]) * np.arange(1, 9), (5, 20))


def twins(m: Bench) -> None:
    """Two motors of one kind on one frame, 1.3 to 4 % apart."""
    _shaft(m, (5, 20))
    m.orders((1 + m.rng.choice([-1, 1]) * m.rng.uniform(0.013, 0.04)) * np.arange(1, 9), (5, 20))


def piston(m: Bench) -> None:
    """An engine or compressor: half orders with strong firing orders."""
    m.orders((2, 4, 6, 8), (12, 28))
    m.orders((0.5, 1, 1.5, 2.5, 3, 3.5, 4.5), (0, 20), 1)


def inner_race(m: Bench) -> None:
    """Impacts of an inner-race fault, modulated by the shaft, whose own lines are weak."""
    m.orders(range(1, 5), (-4, 10))
    m.impacts(m.rng.uniform(4.2, 8.3), m.rng.uniform(1.5, 8), m.rng.uniform(0.3, 0.9))


def outer_race(m: Bench) -> None:
    """Impacts of an outer-race fault that no shaft modulates."""
    m.orders(range(1, 5), (-6, 8))
    m.impacts(m.rng.uniform(2.3, 5.8), m.rng.uniform(1.5, 8))


def vanes(m: Bench) -> None:
    """Flow noise modulated by five to nine vanes, and by the cage at 0.4x."""
    m.orders(range(1, 4), (-4, 12))
    count = int(m.rng.integers(5, 10))
    for order, depth in ((count, 0.4), (2 * count, 0.2), (0.4, 0.3), (0.8, 0.15)):
        m.x += 0.5 * depth * np.cos(2 * np.pi * order * m.turns) * m.carrier()


def knocks(m: Bench) -> None:
    """One impact per turn, or per two turns."""
    m.impacts(m.rng.choice([1.0, 0.5]), m.rng.uniform(2, 15))


def ramp(m: Bench) -> None:
    """The speed rises or falls by up to a quarter."""
    m.follow(np.linspace(1, 1 + m.rng.uniform(-0.25, 0.25), len(m.t)))
    _shaft(m)


def step(m: Bench) -> None:
    """The speed changes once, anywhere, by 2 to 40 %."""
    m.follow(
        np.where(m.t < m.rng.uniform(0.1, 0.9) * m.t[-1], 1, np.exp(m.rng.choice([-1, 1]) * m.rng.uniform(0.02, 0.34)))
    )
    _shaft(m)


def quiet(m: Bench) -> None:
    """Healthy: a line or two, hardly over the noise."""
    m.orders(m.rng.choice([1, 2, 3, 4], 2, replace=False), (-5, 6))


def noise(m: Bench) -> None:
    """Nothing of the shaft."""


def lines(m: Bench) -> None:
    """Eight strong lines at any frequencies, and nothing of the shaft."""
    for hz in m.rng.uniform(5, 250, 8):
        m.tone(hz, m.rng.uniform(5, 30))


KINDS: dict[str, Callable[[Bench], None]] = {
    f.__name__: f
    for f in (
        plain, misaligned, belt, belt_harmonics, whirl, loose, loose_thirds, fan_2, fan_3, fan_4, fan_5, hum_16, hum_50,
        hum_60, hum_alone, inverter, pole_slip, gears, two_shafts, geared_shafts, twins, piston, inner_race, outer_race,
        vanes, knocks, ramp, step, quiet, noise, lines,
    )
}  # fmt: skip


def simulate_machine(kind: str, seed: int, *, seconds: float | None = None) -> SimulatedMachine:
    """One machine: speed, range, rate, length and levels follow from the kind and the seed."""
    rng = np.random.default_rng([seed, *map(ord, kind)])
    if rng.uniform() < 0.5:
        low, high = 900.0, 2200.0
    else:
        low = float(np.exp(rng.uniform(np.log(300), np.log(2000))))
        high = low * rng.uniform(1.3, 2.5)
    speed = float(rng.uniform(1.01 * low, 0.99 * high))
    rate_hz = float(rng.choice([r for r in RATES_HZ if r > high / 60 * 20]))
    bench = Bench(rng, speed / 60, rate_hz, rng.uniform(2.05, 10) if seconds is None else seconds)
    KINDS[kind](bench)
    gain = 10 ** rng.uniform(-3, 3)
    return SimulatedMachine(kind, gain * bench.x, rate_hz, speed, (low, high), bench.other * speed)
