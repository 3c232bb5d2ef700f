"""What drives the machine or is driven by it: gears, belts, mains and inverters."""

from __future__ import annotations

import dataclasses
import math

from fdx.simulate.ingredients import Lines, Modulation, Part, Train
from fdx.simulate.scene import Scene, knocks, swell, tones


def _mesh(scene: Scene, teeth: int, unit: int, order: float, level_db: float) -> Lines:
    """Mesh harmonics with sidebands at multiples of `order`, where a tooth mesh is `teeth * unit` of them."""
    d = scene.dice
    depth, meshes, sides = d.uniform(0.05, 0.6), d.whole(1, 4), d.whole(1, 4)
    shares = [(h * teeth * unit + k, abs(k)) for h in range(1, meshes + 1) for k in range(-sides, sides + 1)]
    strength = [d.log_normal(0.6) for _ in range(meshes)]
    amplitudes = [strength[i // (2 * sides + 1)] * depth**k * d.log_normal(0.3) for i, (_, k) in enumerate(shares)]
    kept = [(n, a) for (n, _), a in zip(shares, amplitudes) if n > 0]
    return Lines('shaft', order, tuple(n for n, _ in kept), tuple(a for _, a in kept), d.phases(len(kept)), level_db)


def gear_mesh(scene: Scene) -> Part:
    """A pair of gears, 11 to 80 teeth each: mesh harmonics, sidebands of both shafts, the hunting tooth.

    McFadden, "Detecting fatigue cracks in gears by amplitude and phase demodulation", ASME J. Vib. Acoust. 108, 1986.
    The same teeth meet again after lcm(z1, z2) meshes, z1 / gcd(z1, z2) turns of the other shaft.
    """
    d = scene.dice
    own, other = d.whole(11, 80), d.whole(11, 80)
    level = d.uniform(-5, 25)
    lines = [_mesh(scene, own, 1, 1.0, level)]
    if d.chance(0.6):
        # In units of the other shaft's order, own / other, a mesh is its number of teeth.
        lines.append(_mesh(scene, other, 1, own / other, level - d.uniform(0, 12)))
        lines.append(tones(d, 'shaft', own / other, (1, 2, 3), 0.5, level - d.uniform(5, 25)))
    if d.chance(0.3):
        hunting = math.gcd(own, other) / other
        lines.append(tones(d, 'shaft', hunting, (1, 2, 3, 4), 0.7, level - d.uniform(10, 30)))
    trains: tuple[Train, ...] = ()
    if d.chance(0.3):
        order = d.pick((1.0, own / other))
        if order == 1.0 or scene.is_apart(order):
            trains = (knocks(d, 'shaft', order, d.uniform(-5, 20), jitter=0.002, spread=d.uniform(0.1, 0.4)),)
    swells = (swell(d, 1.0, d.log_uniform(0.01, 0.3)),) if d.chance(0.5) else ()
    return Part('gear_mesh', trains=trains, lines=tuple(lines), modulations=swells)


def belt(scene: Scene) -> Part:
    """A belt that is longer than its pulley's circumference: an order below 1 and its harmonics, the second strongest.

    A seam passes two pulleys per run of the belt, so it knocks twice (Randall, "Vibration-based Condition Monitoring",
    2011).
    """
    d = scene.dice
    order = d.uniform(0.12, 0.65)
    lines = tones(d, 'shaft', order, range(1, 9), 0.75, d.uniform(-8, 18))
    amplitudes = (lines.amplitudes[0], 1.5 * lines.amplitudes[1], *lines.amplitudes[2:])
    trains = (knocks(d, 'shaft', 2 * order, d.uniform(-8, 12), jitter=0.01),) if d.chance(0.3) else ()
    return Part('belt', trains=trains, lines=(dataclasses.replace(lines, amplitudes=amplitudes),))


def mains(scene: Scene) -> Part:
    """Hum: multiples of 50 or 60 Hz, those of twice the line strongest, with sidebands of the rotor's slip.

    The magnetic pull acts at twice the line; a broken bar modulates it at poles times slip (Nandi, Toliyat & Li, IEEE
    Trans. Energy Conversion 20(4), 2005). Where the shaft turns near line / pole pairs, that is its slip; else it is
    drawn.
    """
    d = scene.dice
    line = d.pick((50.0, 60.0)) * (1 + d.uniform(-0.002, 0.002))
    level = d.uniform(-10, 22)
    lines = [tones(d, 'time', line, range(1, d.whole(3, 16)), 0.8, level)]
    lines.append(tones(d, 'time', 2 * line, range(1, d.whole(2, 8)), 0.7, level + d.uniform(-5, 10)))
    if d.chance(0.5):
        pairs = max(1, round(line / scene.shaft_hz))
        slip = 1 - scene.shaft_hz * pairs / line
        if not 0 < slip < 0.1:
            slip = d.uniform(0.002, 0.06)
        side = 2 * pairs * slip * line
        side_db = level - d.uniform(5, 20)
        lines += [tones(d, 'time', 2 * line + k * side, (1,), 1.0, side_db) for k in (-2, -1, 1, 2) if side < line / 2]
    # Rectifiers and magnets of the stator also knock, two or six times per period of the line.
    order = line * d.pick((2, 6))
    trains: tuple[Train, ...] = ()
    if d.chance(0.25) and scene.is_apart(order / scene.shaft_hz):
        trains = (knocks(d, 'time', order, d.uniform(-8, 15), spread=d.uniform(0.05, 0.3)),)
    return Part('mains', trains=trains, lines=tuple(lines))


def inverter(scene: Scene) -> Part:
    """An inverter: its carrier with sidebands of the supply, and noise that pulsates at six times the supply.

    Carrier groups at fc +- 2 f, fc +- 4 f, 2 fc +- f (Holmes & Lipo, "Pulse Width Modulation for Power Converters",
    2003); a six-pulse rectifier or stator current ripples the torque at 6 f.
    """
    d = scene.dice
    pairs = d.whole(1, 4)
    supply = scene.shaft_hz * pairs * (1 + d.uniform(0.001, 0.05)) if d.chance(0.7) else d.uniform(20, 90)
    carrier = d.pick((2000.0, 3000.0, 4000.0, 5000.0, 8000.0, d.uniform(1000, 12000)))
    level = d.uniform(-10, 20)
    groups = [(1, k) for k in (-4, -2, 2, 4)] + [(2, k) for k in (-1, 1)]
    lines = [
        tones(d, 'time', n * carrier + k * supply, (1,), 1.0, level - 5 * abs(k) / 2 + 3 * d.rng.standard_normal())
        for n, k in groups
    ]
    lines.append(tones(d, 'time', 6 * supply, (1, 2, 3), 0.5, level - d.uniform(0, 15)))
    depth = d.log_uniform(0.02, 0.3)
    ripple = Modulation('time', 6 * supply, (depth, depth * d.uniform(0, 0.5)), d.phases(2))
    return Part('inverter', lines=tuple(lines), modulations=(ripple,) if d.chance(0.7) else ())


def induction_motor(scene: Scene) -> Part:
    """An induction motor: lines and noise at n turns of the shaft plus or minus m times its pole passes.

    The rotor lags behind the field of the supply by its slip. Uneven bars, joints and gaps modulate torque and pull at
    poles times the slip frequency, around every harmonic of the shaft and of the supply (Thomson and Fenger, "Current
    signature analysis to detect induction motor faults", IEEE Ind. Appl. Mag. 7(4), 2001; Nandi et al., 2005). So a
    healthy bearing sees pairs of lines beside whole orders, where BPFO 3.05 and BPFI 4.95 lie, too.
    """
    d = scene.dice
    pairs, slip = d.whole(1, 4), d.log_uniform(0.002, 0.06)
    supply = pairs / (1 - slip)
    side = 2 * slip * supply
    level, fall, depth = d.uniform(-10, 18), d.uniform(0.5, 0.95), d.log_uniform(0.02, 0.4)
    turns, sides = d.whole(2, 10), d.whole(1, 3)
    orders = [(n + m * side, n, abs(m)) for n in range(turns + 1) for m in range(-sides, sides + 1)]
    orders = [of for of in orders if of[0] > 0.01]
    share = d.uniform(0.2, 1.0)
    lines = [
        tones(d, 'shaft', order, (1,), 1.0, level + 20 * math.log10(fall**n * share**m) - 5)
        for order, n, m in orders
        if d.chance(0.5)
    ]
    lines.append(tones(d, 'shaft', supply, (1, 2, 4, 6, 12)[: d.whole(1, 5)], 0.8, level - d.uniform(0, 15)))
    swells = [
        Modulation('shaft', order, (depth * fall**n * share**m * d.log_normal(0.4),), d.phases(1))
        for order, n, m in orders
        if d.chance(0.5)
    ]
    if d.chance(0.4):
        swells.append(swell(d, supply * d.pick((1, 2, 6)), depth))
    return Part('induction_motor', lines=tuple(lines), modulations=tuple(swells) if d.chance(0.8) else ())
