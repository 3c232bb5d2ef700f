"""Every confounder puts its lines, knocks or noise where its physics says, measured on the reading."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from fdx.simulate import CONFOUNDERS, NOISE_ONLY, draw_machine, simulate
from fdx.simulate.ingredients import Lines, Part
from tests.simulate.bench import RATE_HZ, envelope_spectrum, part_of, prominence, spectrum, steady_machine

SHAFT_HZ = 25.0
SECOND_HZ = 1.37 * SHAFT_HZ


def louder(part: Part) -> Part:
    """The same part with every level well over the floor."""
    return dataclasses.replace(
        part,
        trains=tuple(dataclasses.replace(t, snr_db=18.0) for t in part.trains),
        noises=tuple(dataclasses.replace(n, snr_db=15.0) for n in part.noises),
        lines=tuple(dataclasses.replace(one, level_db=max(one.level_db, 0.0)) for one in part.lines),
        modulations=tuple(
            dataclasses.replace(m, depths=tuple(max(d, 0.3 * 0.5**h) for h, d in enumerate(m.depths)))
            for m in part.modulations
        ),
    )


def read(*parts: Part, **options) -> np.ndarray:
    return simulate(steady_machine(parts=parts, **options)).samples[:, 0].astype(float)


def line(samples: np.ndarray, hz: float) -> float:
    return prominence(*spectrum(samples, RATE_HZ), hz)


def envelope_line(samples: np.ndarray, hz: float) -> float:
    return prominence(*envelope_spectrum(samples, RATE_HZ), hz)


def some(name: str, count: int = 3) -> list[Part]:
    return [louder(part_of(name, index)) for index in range(count)]


def test_every_confounder_has_its_own_name():
    for name in CONFOUNDERS:
        assert part_of(name, 0).name == name
        assert CONFOUNDERS[name].__doc__


def test_lines_have_their_frequency_and_level():
    lines = Lines('shaft', 0.5, (2, 5, 40), (1.0, 0.5, 0.25), (0.1, 0.7, 0.3), 20.0)
    hz, amplitude = spectrum(read(Part('rub', lines=(lines,))), RATE_HZ)
    expected = 10 * np.array([1.0, 0.5, 0.25]) * math.sqrt(2 / (1 + 0.25 + 0.0625))
    found = [amplitude[np.abs(hz - h * 0.5 * SHAFT_HZ) < 0.6].max() for h in (2, 5, 40)]
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_knocks_are_on_whole_orders_of_the_envelope():
    for part in some('knocks_once_per_turn'):
        samples = read(part)
        assert min(envelope_line(samples, h * SHAFT_HZ) for h in (1, 2)) > 5
        assert envelope_line(samples, 3.58 * SHAFT_HZ) < 5


def test_strokes_are_on_a_whole_order_and_its_turn():
    for part in some('strokes'):
        (train,) = part.trains
        assert train.order == len(train.pattern) and 2 <= train.order <= 12
        assert envelope_line(read(part), train.order * SHAFT_HZ) > 5


def test_rub_is_on_halves_or_thirds():
    assert {round(1 / part.lines[0].order, 9) for part in some('rub', 20)} == {2, 3}
    for part in some('rub'):
        assert line(read(part), part.lines[0].order * SHAFT_HZ) > 6


def test_looseness_has_half_orders_and_many_harmonics():
    for part in some('looseness'):
        samples = read(part)
        assert sum(line(samples, h * SHAFT_HZ) > 5 for h in range(1, 8)) >= 5
        assert line(samples, 0.5 * SHAFT_HZ) > 5 or line(samples, 1.5 * SHAFT_HZ) > 5


def test_vanes_swell_the_noise_a_whole_number_of_times_per_turn():
    for part in some('vanes', 6):
        samples = read(part)
        found = {n: envelope_line(samples, n * SHAFT_HZ) for n in range(3, 13)}
        best = max(found, key=found.get)
        (source,) = (*part.modulations, *part.noises)
        assert found[best] > 5 and best % source.order == 0 and 3 <= source.order <= 12
        assert line(samples, best * SHAFT_HZ) < 6


def test_blades_are_tones_at_a_whole_order():
    for part in some('blades'):
        (lines,) = part.lines
        count = lines.harmonics[1]
        assert 3 <= count <= 15 and line(read(part), count * SHAFT_HZ) > 8


def test_gears_mesh_teeth_times_per_turn_with_sidebands():
    for part in some('gear_mesh'):
        lines = part.lines[0]
        strongest = lines.harmonics[int(np.argmax(lines.amplitudes))]
        samples = read(part)
        assert line(samples, strongest * SHAFT_HZ) > 10
        # Meshes are h * teeth, sidebands within four of them.
        assert lines.order == 1.0 and min(lines.harmonics) >= 11 - 4
        assert {strongest - 1, strongest + 1} & set(lines.harmonics)
        for other in part.lines[1:]:
            assert other.order < 8


def test_belt_is_below_the_shaft_and_twice_that():
    for part in some('belt'):
        order = part.lines[0].order
        assert 0.12 <= order <= 0.65
        samples = read(part, seconds=8.0)
        assert max(line(samples, h * order * SHAFT_HZ) for h in (1, 2)) > 6


def test_mains_hum_at_multiples_of_50_or_60_hz_at_any_speed():
    for part in some('mains'):
        base = part.lines[0].order
        assert min(abs(base / 50 - 1), abs(base / 60 - 1)) <= 0.002
        for shaft_hz in (17.0, 25.0):
            samples = read(part, shaft_hz=shaft_hz)
            assert line(samples, 2 * base) > 8


def test_inverter_has_a_carrier_with_sidebands_and_ripple():
    for part in some('inverter', 6):
        samples = read(part)
        lower, upper = part.lines[1].order, part.lines[2].order
        supply = (upper - lower) / 4
        assert 1000 <= (lower + upper) / 2 <= 12000
        if upper < 0.45 * RATE_HZ:
            assert max(line(samples, lower), line(samples, upper)) > 8
        for ripple in part.modulations:
            assert ripple.order == pytest.approx(6 * supply)
            assert envelope_line(samples, 6 * supply) > 5


def test_induction_motor_has_sidebands_of_its_pole_passes_and_its_supply():
    for part in some('induction_motor', 4):
        supply = part.lines[-1].order
        # Synchronous turns are a whole number of pole pairs, and the shaft lags by the slip.
        pairs = round(supply * (1 - 0.03))
        slip = 1 - pairs / supply
        assert 1 <= pairs <= 4 and 0.002 <= slip <= 0.06
        passes = 2 * slip * supply
        whole = np.arange(11)[:, None] + passes * np.arange(-3, 4)
        for one in (*part.lines[:-1], *part.modulations):
            away = min(np.abs(whole - one.order).min(), *(abs(supply * k - one.order) for k in (1, 2, 6)))
            assert away < 1e-9
        samples = read(part)
        assert max(line(samples, h * supply * SHAFT_HZ) for h in (1, 2)) > 8


def test_faint_marks_have_the_orders_of_this_bearing():
    for index in range(6):
        machine = draw_machine(9, index, 'normal', ('faint_marks',))
        (part,) = machine.parts
        (order,) = {one.order for one in (*part.trains, *part.noises)}
        orders = machine.true_orders()
        assert min(abs(order / (k * orders[name]) - 1) for name in orders for k in (1, 2)) < 1e-6
        assert {one.path for one in (*part.trains, *part.noises)} == {0} and machine.faults == ()
        samples = read(louder(part))
        assert max(envelope_line(samples, h * order * SHAFT_HZ) for h in (1, 2, 3)) > 4


def test_coloured_noise_falls_with_frequency():
    for part in some('coloured_noise'):
        loud = dataclasses.replace(part, colours=tuple(dataclasses.replace(c, level_db=30.0) for c in part.colours))
        power = np.abs(np.fft.rfft(read(loud))) ** 2
        hz = np.arange(len(power)) * RATE_HZ / (2 * (len(power) - 1))
        levels = [power[(hz > f) & (hz < 1.5 * f)].mean() for f in (10, 40)]
        # The sensor's high pass and the flat part below 5 Hz do not reach these bands.
        assert math.log(levels[0] / levels[1], 4) == pytest.approx(part.colours[0].exponent, abs=0.4)


def test_modulated_noise_is_slow_or_turns_with_the_shaft():
    kinds = set()
    for part in some('modulated_noise', 8):
        samples = read(part)
        for modulation in part.modulations:
            if modulation.order:
                kinds.add('turning')
                assert modulation.order in (0.5, 1.0, 2.0)
                # A slow factor fills the envelope's spectrum around low orders.
                assert len(part.modulations) == 2 or envelope_line(samples, modulation.order * SHAFT_HZ) > 4
            else:
                kinds.add('slow')
                assert 0.5 <= modulation.corner_hz <= 30
    assert kinds == {'turning', 'slow'}


def test_other_bearing_is_on_orders_of_its_own():
    for index in range(4):
        part = louder(part_of('other_bearing', index))
        (order,) = {one.order for one in (*part.trains, *part.noises)}
        samples = read(part)
        assert max(envelope_line(samples, h * order * SHAFT_HZ) for h in (1, 2)) > 5


def test_second_shaft_has_a_speed_of_its_own():
    for part in some('second_shaft'):
        samples = read(part)
        assert line(samples, SECOND_HZ) > 8 and line(samples, SHAFT_HZ) < 5
        if part.trains:
            assert envelope_line(samples, SECOND_HZ) > 5


def test_random_impacts_are_frequent_and_without_lines():
    for part in some('random_impacts'):
        (train,) = part.trains
        assert train.random and 0.5 <= train.order <= 100
        samples = read(dataclasses.replace(part, trains=(dataclasses.replace(train, order=20.0, snr_db=30.0),)))
        kurtosis = np.mean(samples**4) / np.mean(samples**2) ** 2
        assert kurtosis > 6
        assert max(envelope_line(samples, n * SHAFT_HZ) for n in (1, 2, 3)) < 5


@pytest.mark.parametrize(('name', 'orders'), [('imbalance', (1,)), ('misalignment', (1, 2, 3)), ('bent_shaft', (1, 2))])
def test_rotor_faults_are_on_the_first_orders(name, orders):
    for part in some(name):
        samples = read(part)
        assert sum(line(samples, h * SHAFT_HZ) > 5 for h in orders) >= max(1, len(orders) - 1)


def test_dead_time_is_one_to_ten_percent():
    for index in range(4):
        machine = draw_machine(9, index, 'normal', ('dead_time',))
        share = np.mean(simulate(machine).samples == 0)
        assert 0.009 < share < 0.3
        stretches = machine.parts[0].dead
        assert 0.01 <= sum(length for _, length in stretches) / machine.duration_s <= 0.1
        assert all(start >= 0 and start + length <= machine.duration_s for start, length in stretches)


def test_quantisation_leaves_few_steps():
    for index in range(4):
        machine = draw_machine(9, index, 'normal', ('quantisation',))
        samples = simulate(machine).samples[:, 0]
        assert len(np.unique(samples)) < 400


def test_two_resonances_stand_side_by_side():
    for part in some('two_resonances'):
        first, second = (mode.frequency_hz for mode in part.modes)
        assert 0.003 <= abs(second / first - 1) <= 0.1
        assert all(0.001 <= mode.damping_ratio <= 0.004 for mode in part.modes)
    mode = dataclasses.replace(part.modes[0], frequency_hz=3000.0)
    pair = dataclasses.replace(part, modes=(mode, dataclasses.replace(mode, frequency_hz=3120.0)))
    power = np.abs(np.fft.rfft(read(pair))) ** 2
    hz = np.arange(len(power)) * RATE_HZ / (2 * (len(power) - 1))
    levels = [power[np.abs(hz - f) < 5].mean() for f in (3000, 3060, 3120)]
    assert min(levels[0], levels[2]) > 3 * levels[1]


def test_cavitation_is_bursty():
    for part in some('cavitation'):
        samples = read(part)
        power = np.mean((samples[: len(samples) // 400 * 400] ** 2).reshape(-1, 400), axis=1)
        still = read()
        calm = np.mean((still[: len(still) // 400 * 400] ** 2).reshape(-1, 400), axis=1)
        assert power.std() / power.mean() > 2 * calm.std() / calm.mean()


def test_noise_without_a_machine_is_white_pink_or_brown():
    exponents = {round(draw_machine(4, i, 'normal', (NOISE_ONLY,)).floor.exponent, 3) for i in range(40)}
    assert {0.0, 1.0, 2.0} < exponents
    machine = draw_machine(4, 0, 'normal', (NOISE_ONLY,))
    assert machine.parts == machine.faults == machine.floor.lines == ()
    assert simulate(machine).label == 'normal'
