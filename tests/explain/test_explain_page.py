"""The published page says what its file holds, and the truth that it is measured against is that of the simulator."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

from benchmarks.explain_page import KIND
from benchmarks.explain_truth import cells_of_lines, fault_energy, own_channel, resonance_bands
from fdx.datasets.bearing_rig.impacts import force
from fdx.datasets.bearing_rig.machines import MACHINES
from fdx.datasets.bearing_rig.responses import sensor_response, structure_response
from fdx.signal.front_ends import create_front_end

FOLDER = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'benchmarks'
RIG = MACHINES['rig_b']


def test_the_page_is_made_of_its_file():
    data = json.loads((FOLDER / 'explain.json').read_text(encoding='utf-8'))
    assert (FOLDER / 'explain.md').read_text(encoding='utf-8') == KIND.markdown(data)


def test_fault_orders_hold_what_was_asked_for():
    """At least 80 % of the attribution of a right faulty verdict, for both faults and every seed."""
    data = json.loads((FOLDER / 'explain.json').read_text(encoding='utf-8'))
    cells = [cell for cell in data['cells'] if cell['network'].endswith('fault_orders')]
    named = {'method': 'integrated_gradients', 'score': 'class', 'baseline': 'own'}
    rows = [row for cell in cells for row in cell['rows'] if all(row[k] == v for k, v in named.items())]
    assert len(rows) == 2 * len(cells) > 0
    assert min(row['share'] for row in rows) >= 0.8


@pytest.mark.parametrize('state', ['inner_race', 'outer_race'])
def test_the_energy_is_that_of_a_simulated_strike(state):
    rate, length = 81920.0, 81920
    width_s = RIG.impact_s * (RIG.inner_impact_ratio if state == 'inner_race' else 1.0)
    strike = force(np.array([0.1]), np.array([1.0]), width_s, rate, length)
    hz = np.arange(100.0, 8000.0, 10.0)
    response = structure_response(RIG.modes, hz) * sensor_response(RIG.sensor, hz)
    spectrum = np.abs(np.fft.rfft(strike)[hz.astype(int)] / rate * response) ** 2
    np.testing.assert_allclose(fault_energy(RIG, state, hz), spectrum, rtol=0.05, atol=1e-3 * spectrum.max())


def test_the_resonance_band_holds_the_modes_and_little_else():
    front_end = create_front_end('vggish')
    found = resonance_bands(front_end, RIG, 'outer_race')
    centres = front_end.centre_frequencies_hz()
    for mode in RIG.modes[:2]:
        assert found[np.abs(centres - mode.frequency_hz).argmin()]
    assert not found[np.abs(centres - 1700).argmin()] and not found[-1]
    assert 0.2 < found.mean() < 0.5


def test_lines_of_a_fault_fall_into_its_own_cells_and_a_few_others():
    front_end = create_front_end('fault_orders', 20480.0)
    inner, outer = (cells_of_lines(front_end, RIG, state) for state in ('inner_race', 'outer_race'))
    for state, cells in (('inner_race', inner), ('outer_race', outer)):
        assert (cells & own_channel(front_end, state) == own_channel(front_end, state)).all()
    # 2 BPFI + 1 of this bearing lies at three times the order of its ball, and 4 BPFO at the edge of 3 BPFI.
    np.testing.assert_array_equal(inner[:, 2], [False] * 4 + [True] * 2)
    np.testing.assert_array_equal(outer[:, 0], [False] * 5 + [True])
    assert not inner[:, 1].any() and not outer[:, 2].any()
