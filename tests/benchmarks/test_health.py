"""The benchmark `health`: methods, cells that are run once, and the page."""

from __future__ import annotations

import dataclasses
import functools
import pathlib

import numpy as np
import pytest

from fdx.benchmarks import health_run, health_suite
from fdx.benchmarks.grid import Call
from fdx.benchmarks.health_data import MACHINES, Machine, Material
from fdx.benchmarks.health_measure import Judged, held_out_p, measure, units_of
from fdx.benchmarks.health_methods import LIMIT, METHODS, get_methods, learned
from fdx.benchmarks.health_page import KIND, merged
from fdx.benchmarks.health_rows import columns_of, rows_of
from fdx.benchmarks.health_suite import cells, get_tasks, tasks
from fdx.benchmarks.page import publish, read_page
from fdx.health import choice
from fdx.health.detectors import DETECTORS
from fdx.health.feature_plan import Feature
from fdx.health.learn import WORSE, Settings
from fdx.health.sample import Sample
from fdx.types import ConfigError, DataError, Recording

RATE_HZ = 4000.0
OWN_AND_LIMITS = ['default:auto', 'rms:limit', 'kurtosis:limit']
QUICK = ['default:gaussian', 'level_free:gaussian', 'rms:limit', 'kurtosis:limit']


def wave(name: str, seed: int, gain: float = 1.0, clicks: float = 0.0) -> Recording:
    """Noise of 0.5 s; with clicks, decaying oscillations at 40 Hz, it is impulsive."""
    noise = np.random.default_rng([seed, len(name)]).standard_normal(2000)
    t = np.arange(2000) % 100
    noise += clicks * np.exp(-t / 6) * np.sin(1.2 * t)
    return Recording((gain * noise[:, None]).astype(np.float32), RATE_HZ, name, 'x', 'x', 'x', 'here')


@pytest.fixture(scope='module')
def sample():
    rng = np.random.default_rng(1)
    return Sample.of(list(rng.standard_normal((60, 1, 4))))


@pytest.mark.parametrize('detector', ['gaussian', LIMIT])
def test_a_limit_promises_as_the_detectors_do(sample, detector):
    features = [Feature('levels', '0', str(i)) for i in range(4)]
    baseline = dataclasses.replace(learned(sample, features, detector, Settings()), inflation=1.5)
    strange = Sample.of([np.full((1, 4), 6.0), np.full((1, 4), -6.0), np.zeros((1, 4))])
    found = Judged.by(baseline, strange)
    told = baseline.scored(strange)
    np.testing.assert_allclose(found.scores, [s.score for s in told])
    np.testing.assert_allclose(found.p_values, [s.p_value for s in told])
    # What is low is unusual for a detector, and no reason for an alarm by an upper limit.
    assert found.p_values[0] < 0.01 and (found.p_values[1] < 0.01) == (detector != LIMIT) and found.p_values[2] > 0.1
    p, rise_p = held_out_p(sample, features, detector, Settings(alarm_on=WORSE))
    assert len(p) == 60 and 0.2 < np.mean(p <= 0.5) < 0.8
    # Limits ask for nothing else than that they are passed.
    assert (rise_p == 0).all() if detector == LIMIT else 0.2 < np.mean(rise_p <= 0.5) < 0.8
    assert held_out_p(sample.rows(np.arange(20)), features, detector, Settings()).shape == (2, 0)
    with pytest.raises(DataError, match='more are needed'):
        learned(sample.rows(np.arange(10)), features, detector, Settings())


def test_pieces_can_stand_for_recordings():
    two = Sample.of([np.zeros((3, 2)), np.ones((2, 2))], ['a', 'b'])
    assert units_of(two).names == ('0', '1', '2', '3', '4') and len(units_of(two).per_recording(np.arange(5))) == 5
    assert columns_of(two, np.array([1])).values.shape == (5, 1)


def small(folder, seed):
    healthy = tuple(wave(f'healthy{i}', i) for i in range(3))
    tested = tuple(wave(f'clicks{i}', 50 + i, clicks=12.0) for i in range(3))
    loud = tuple(wave(f'loud{i}', 80 + i, gain=5.0) for i in range(2))
    return Material(healthy, (*tested, *loud), ('ball, light',) * 3 + ('louder',) * 2)


def aging(folder, seed):
    ages = np.linspace(0.13, 1.0, 24)
    tested = [wave(f'file{i:02d}', 200 + i, clicks=12.0 * (age > 0.8)) for i, age in enumerate(ages)]
    return Material(tuple(wave(f'first{i}', 300 + i) for i in range(6)), tuple(tested), ('',) * 24, ages=ages)


def drawn(folder, seed):
    healthy = [wave(f'h{i}', 1000 * seed + i) for i in range(34)]
    faulty = tuple(wave(f'f{i}', 1000 * seed + 90 + i, clicks=12.0) for i in range(3))
    return Material(tuple(healthy[:22]), faulty, ('outer_race',) * 3, fresh=tuple(healthy[22:]))


def gone(folder, seed):
    raise DataError(f'no file of it is in {folder}')


SMALL = (
    Machine('adi_cbm', 'words of a test', small, 0.05),
    Machine('rig_a', 'words of a test', drawn, draws=True),
    Machine('femto_1_1', 'words of a test', aging, 0.1, life=True),
    Machine('hit_mfs', 'words of a test', gone, 0.1),
)


def test_a_machine_is_measured_by_what_is_held_out():
    rows = made(SMALL[0], 0)
    assert rows.by_pieces and rows.default == ('bands', 'impacts') and len(rows.digest()) == 16
    assert dataclasses.replace(rows, kinds=('x',) * 5).digest() != rows.digest()
    found = {name: measure(rows, get_methods([name])[0], 0) for name in QUICK}
    assert found['default:gaussian']['by_kind'] == {'ball, light': [3, 3], 'louder': [2, 2]}
    assert found['level_free:gaussian']['by_kind']['louder'] == [0, 2]
    assert found['kurtosis:limit']['by_kind'] == {'ball, light': [3, 3], 'louder': [0, 2]}
    own = found['default:gaussian']
    assert own['baseline_units'] == 30 == own['rates'][0]['units'] and own['rates'][0]['measured'] < 0.3
    assert own['roc_auc'] == pytest.approx(1.0, abs=0.01) and own['lead_share'] is None
    life_of = measure(made(SMALL[2], 0), get_methods(['kurtosis:limit'])[0], 0)
    assert life_of['false_third'] == 0 and 0.1 < life_of['lead_share'] < 0.2
    assert len(life_of['later']) == 3 and life_of['roc_auc'] == 1.0


@functools.cache
def made(machine, seed):
    """Rows of a machine of SMALL, made once, however many calls of the study ask for them."""
    return rows_of(machine, '', seed)


def rows_in(machine, folder, seed):
    return rows_of(machine, folder, seed) if machine.read is gone else made(machine, seed)


@pytest.fixture
def suite(monkeypatch):
    """Four machines, one of them absent, in place of the suite's; two detectors to choose from; no clock."""
    monkeypatch.setattr(choice, 'DETECTORS', {name: DETECTORS[name] for name in ('gaussian', 'nearest_neighbours')})
    monkeypatch.setattr(health_suite, 'MACHINES', SMALL)
    timing = {'files': 100, 'seconds': 2.0, 'baseline_cpu_s': 9.0, 'monitor_cpu_s': 0.1, 'faulty_cpu_s': 0.5}
    monkeypatch.setattr(health_run, 'measure_timing', lambda: timing)
    monkeypatch.setattr(health_run, 'rows_of', rows_in)


def test_cells_are_run_once_and_make_a_page(suite, tmp_path):
    said = []
    call = Call(tmp_path, 'data', str(tmp_path), seeds=2, command='the command', say=said.append)
    page = health_run.run(call, None, OWN_AND_LIMITS)
    assert 'hit_mfs: skipped, no file of it is in the folder' in said
    lines = [line for line in said if line.startswith('[')]
    assert len(lines) == 3 * 4 and sum('rig_a' in line for line in lines) == 6
    text = page.read_text()
    assert '| every bearing of PRONOSTIA alarms before its end | 1 of 1 | reached |' in text
    assert 'ADI found at 1 % false alarms: at least 95 % | 3 of 3 recordings; an upper bound' in text
    assert 'hit_mfs: no file of it is in the folder.' in text and 'the command' in text
    assert '9 s of the processor | reached |' in text and '| normal files only |' in text
    assert page.with_suffix('.png').read_bytes()[:4] == b'\x89PNG'
    said.clear()
    health_run.run(call, None, OWN_AND_LIMITS)
    assert [line for line in said if line.startswith('[')] == []
    data = read_page(page.parent, 'health', KIND)
    row = data['rows'][0]
    wanted = (
        'suite dataset features detector seed roc_auc partial_auc_10 promised_rate measured_rate detected lead_share'
    )
    assert set(wanted.split()) <= set(row) and 'asked' not in row and len(data['rows']) == 12
    publish(page.parent, 'health', KIND, tmp_path / 'out')
    health_run.run(call, ['rig_a'], ['rms:limit'])
    publish(page.parent, 'health', KIND, tmp_path / 'out')
    assert len(read_page(tmp_path / 'out', 'health', KIND)['rows']) == 12


def test_a_newer_page_takes_the_place_of_its_rows_alone():
    row = {'dataset': 'a', 'features': 'rms', 'detector': 'limit', 'seed': 0}
    older = {'rows': [row, {**row, 'dataset': 'b'}], 'missing': {'a': 'gone', 'c': 'gone'}, 'timing': {}}
    newer = {'rows': [{**row, 'roc_auc': 1.0}], 'missing': {}, 'timing': {'files': 1}, 'measured': {'on': ['today']}}
    both = merged(older, newer)
    assert both['rows'] == [{**row, 'dataset': 'b'}, {**row, 'roc_auc': 1.0}] and both['timing'] == {'files': 1}
    assert both['missing'] == {'c': 'gone'} and both['later'] == {'a rms:limit': 'today'}
    assert merged({**older, 'rows': [row]}, newer)['rows'] == newer['rows']


def test_the_published_page_is_what_its_file_says():
    folder = pathlib.Path(__file__).parents[2] / 'docs' / 'benchmarks'
    data = read_page(folder, 'health', KIND)
    assert (folder / 'health.md').read_text(encoding='utf-8') == KIND.markdown(data)


def test_what_cannot_be_asked(suite, tmp_path, monkeypatch):
    call = Call(tmp_path, 'data', str(tmp_path), seeds=1)
    with pytest.raises(ConfigError, match='`tasks`=moon'):
        health_run.run(call, ['moon'], None)
    with pytest.raises(ConfigError, match='default:auto'):
        health_run.run(call, None, ['moon'])
    with pytest.raises(ConfigError, match='no machine of `tasks` is there'):
        health_run.run(call, ['hit_mfs'], None)
    monkeypatch.delenv('FDX_RAW_DATA', raising=False)
    with pytest.raises(ConfigError, match='`manual_dir`'):
        health_run.run(Call(tmp_path, 'data'), None, None)


def test_a_seed_is_run_where_it_makes_a_difference():
    asked = get_tasks(['adi_cbm', 'rig_a'])
    methods = get_methods(['default:gaussian', 'default:isolation_forest'])
    found = [(cell.task.name, cell.method, cell.seed) for cell in cells(asked, methods, 2)]
    assert len(found) == 7 and ('adi_cbm', 'default:gaussian', 1) not in found
    assert len(METHODS) == len({m.name for m in METHODS}) and len(tasks()) == len(MACHINES) == 26
