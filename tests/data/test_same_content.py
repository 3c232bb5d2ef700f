"""Copies under other names are found; what is of one machine at one speed, or periodic, is not taken for a copy."""

from __future__ import annotations

import dataclasses
import functools
import time
import types

import numpy as np
import pytest
import scipy.io

from fdx.data.blocks import Windowing, cut_windows
from fdx.data.fingerprint import fingerprint
from fdx.data.protocols.guard import guard_splits
from fdx.data.protocols.same_content import Windows, find_same_content
from fdx.data.protocols.splits import PROTOCOLS, split_rows
from fdx.data.table import Table
from fdx.datasets.bearing_rig.bearing_rig_dataset_builder import SEED as RIG_SEED
from fdx.datasets.bearing_rig.machines import SPEEDS_RPM
from fdx.datasets.bearing_rig.simulator import SAMPLE_RATE_HZ, recordings
from fdx.datasets.motor_rig import motor_rig_dataset_builder as motor
from fdx.types import SplitError

RATE_HZ, WINDOW = 12000, 11700


def windows_of(signals: dict[str, np.ndarray], window: int, hop: int, runs=None) -> tuple[Windows, list[str]]:
    """Windows of signals [T] or [T, C] by name; `runs`: name -> acquisition."""
    names, rows = list(signals), []
    for i, x in enumerate(signals.values()):
        rows += [(i, s, fingerprint(x[s : s + window])) for s in range(0, len(x) - window + 1, hop)]
    number, starts = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    ids = sorted({(runs or {}).get(n, n) for n in names})
    run = np.array([ids.index((runs or {}).get(n, n)) for n in names])[number]
    landmarks = np.array([r[2] for r in rows])
    return Windows(number, run, starts, np.full(len(rows), window), landmarks), names


def copies(signals: dict[str, np.ndarray], window: int = WINDOW, hop: int = WINDOW, runs=None) -> set[tuple[str, str]]:
    windows, names = windows_of(signals, window, hop, runs)
    return {tuple(names[i] for i in s.recordings) for s in find_same_content(windows)}


def machine(seed: int, seconds: float = 8.0) -> np.ndarray:
    """Noise of a bearing and lines of its shaft, the same lines for every seed."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ + rng.uniform()
    return (np.sin(2 * np.pi * 29.95 * t) + 0.5 * rng.normal(size=len(t))).astype(np.float32)


def int16(x: np.ndarray) -> np.ndarray:
    return np.rint(x / np.abs(x).max() * 32767).astype(np.int16).astype(np.float32)


@pytest.mark.parametrize(
    'change',
    [
        lambda x: x,
        lambda x: 3 * x[1000:],
        lambda x: x[1000:] + np.float32(2.5),
        lambda x: int16(x[5850:]),
        lambda x: -x[777:],
        lambda x: x[3001 : 3001 + 3 * WINDOW],
        lambda x: x[1000:] + np.linspace(0, 5, len(x) - 1000, dtype=np.float32),
    ],
    ids=['copy', 'gain', 'offset', 'int16, half a window off', 'sign', 'a piece', 'drift'],
)
@pytest.mark.parametrize(('window', 'hop'), [(WINDOW, WINDOW), (WINDOW, 1200), (1024, 1024)])
def test_a_copy_under_another_name_is_found(change, window, hop):
    a, b = machine(0), machine(1)
    assert copies({'a': a, 'b': b, 'copy': change(a)}, window, hop) == {('a', 'copy')}


def test_every_copy_of_many_is_found():
    a = machine(0)
    signals = {f'copy{i:02d}': a[i * 500 :] for i in range(12)}
    found = copies(signals)
    assert {name for pair in found for name in pair} == set(signals)


def test_channels_of_one_run_are_not_compared():
    a = machine(0)
    assert copies({'de': a, 'fe': a.copy()}) == {('de', 'fe')}
    assert copies({'de': a, 'fe': a.copy()}, runs={'de': '105', 'fe': '105'}) == set()


def gear(seed: int, noise: float) -> np.ndarray:
    """A tooth mesh modulated by its shaft: every revolution is like the last one but for the noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(5 * RATE_HZ) / RATE_HZ + rng.uniform()
    shaft = 2 * np.pi * 29.95 * t
    x = (1 + 0.5 * np.cos(shaft) + 0.3 * np.cos(3 * shaft + 1)) * np.cos(25 * shaft + 0.4 * np.sin(shaft))
    return (x + 0.3 * np.sin(shaft) + noise * rng.normal(size=len(t))).astype(np.float32)


def impacts(seed: int, noise: float) -> np.ndarray:
    """A ring that is struck at even times."""
    rng = np.random.default_rng(seed)
    struck = np.zeros(5 * RATE_HZ)
    struck[(rng.uniform(0, 111) + np.arange(0, len(struck) - 200, 111.37)).astype(int)] = 1
    k = np.arange(400)
    ring = np.exp(-k / 60) * np.sin(1.5 * k) + 0.5 * np.exp(-k / 90) * np.sin(0.44 * k)
    return (np.convolve(struck, ring)[: len(struck)] + noise * rng.normal(size=len(struck))).astype(np.float32)


def tone(seed: int, noise: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(5 * RATE_HZ) / RATE_HZ
    return (np.sin(2 * np.pi * 749.3 * t + rng.uniform(0, 6)) + noise * rng.normal(size=len(t))).astype(np.float32)


@pytest.mark.parametrize('noise', [0, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3])
@pytest.mark.parametrize('kind', [gear, impacts, tone])
def test_recordings_of_a_periodic_machine_are_no_copies(kind, noise):
    """Whether windows overlap or not: of those that do, every fourth is one of those that do not."""
    windows, _ = windows_of({str(seed): kind(seed, noise) for seed in range(10)}, WINDOW, WINDOW // 4)
    apart = windows.starts % WINDOW == 0
    those = Windows(*(getattr(windows, column.name)[apart] for column in dataclasses.fields(windows)))
    assert find_same_content(windows) == find_same_content(those) == []


def table_of_recordings(found, window: int, hop: int) -> Table:
    """A table of the windows of each Recording, in five blocks."""
    rows = []
    for number, r in enumerate(found):
        for start, block in zip(*cut_windows(len(r.samples), Windowing(window, hop, window // 10), r.recording)):
            rows.append((number, start, block, fingerprint(r.samples[start : start + window])))
    label = sorted({r.label for r in found})
    of = [found[n] for n, *_ in rows]
    columns = {
        'label': np.array([label.index(r.label) for r in of]),
        'recording': np.array([r.recording for r in of]),
        'acquisition': np.array([r.acquisition or r.recording for r in of]),
        'bearing': np.array([r.bearing for r in of]),
        'domain': np.array([r.domain for r in of]),
        'window_start': np.array([r[1] for r in rows]),
        'block': np.array([r[2] for r in rows]),
        'fingerprint': np.array([r[3] for r in rows]),
    }
    return Table(columns, window)


@pytest.fixture(scope='module')
def rigs() -> dict[str, Table]:
    """Recordings of simulated machines, many of one machine at one speed."""
    slow, fast = SPEEDS_RPM[:2], SPEEDS_RPM[-1:]
    rig = list(recordings(['rig_b', 'rig_c'], speeds=(*slow, *fast), duration_s=6.0, seed=RIG_SEED))
    bench = [
        motor.simulate_recording('motor_a', c, duration_s=11.05, seed=motor.SEED, take=t, label=label)
        for c, t, label in motor.plan('medium')
        if t < 3
    ]
    window = round(0.975 * SAMPLE_RATE_HZ)
    return {
        'bearing_rig': table_of_recordings(rig, window, window),
        'motor_rig': table_of_recordings(bench, 1000, 500),
    }


@pytest.mark.parametrize('name', ['bearing_rig', 'motor_rig'])
@pytest.mark.parametrize('protocol', ['time_blocks', 'by_recording'])
def test_simulated_datasets_are_not_refused(rigs, name, protocol):
    splits = split_rows(rigs[name], protocol)
    assert (splits.leak.copies, splits.leak.shared) == ('', 0.0)


def test_three_machines_at_one_speed_share_no_window(rigs):
    marks = rigs['bearing_rig']['fingerprint']
    assert (marks > 0).sum(axis=1).min() >= 20


def of_cwru(path) -> np.ndarray:
    return next(v[:, 0].astype(np.float32) for k, v in scipy.io.loadmat(path).items() if k.endswith('_DE_time'))


def of_mfpt(path) -> np.ndarray:
    return np.asarray(scipy.io.loadmat(path)['bearing']['gs'][0, 0], np.float32).reshape(-1)


def of_adi(path) -> np.ndarray:
    return np.loadtxt(path, delimiter=';', usecols=(1, 2, 3), dtype=np.float32)


# Family -> (window, every which of its files is read, and how).
REAL = {'cwru': (11700, 1, of_cwru), 'mfpt': (47600, 1, of_mfpt), 'adi_cbm': (19500, 2, of_adi)}


@functools.cache
def real_signals(folder, family: str) -> dict[str, np.ndarray]:
    """Signals by name of the real recordings that are there."""
    _, step, read = REAL[family]
    suffix = 'csv' if family == 'adi_cbm' else 'mat'
    return {path.stem: read(path) for path in sorted((folder / family).glob(f'*.{suffix}'))[::step]}


@pytest.mark.parametrize('family', REAL)
def test_real_recordings_of_one_machine_are_no_copies(raw_data, family):
    window, signals = REAL[family][0], real_signals(raw_data, family)
    if not signals:
        pytest.skip(f'no {family} in {raw_data}')
    assert copies(signals, window, window // 2) == set()


def test_one_real_recording_under_two_names_is_found(raw_data):
    for name, x in list(real_signals(raw_data, 'cwru').items())[::9]:
        copy = {name: x, 'copy': int16(2 * x[1000:])}
        assert copies(copy) == {(name, 'copy')}, name


def two_names(trimmed: int = 1000, **columns) -> Table:
    a, b = machine(0), machine(1)
    one = {'bearing': 'b', 'domain': 'd', 'acquisition': ''}
    found = [
        types.SimpleNamespace(samples=x[:, None], recording=n, label=label, **one)
        for n, x, label in (
            ('a', a, 'ball'),
            ('f', machine(5), 'ball'),
            ('a_again', a[trimmed:], 'ball'),
            ('c', machine(2), 'ball'),
            ('b', b, 'normal'),
            ('d', machine(3), 'normal'),
            ('e', machine(4), 'normal'),
        )
    ]
    table = table_of_recordings(found, WINDOW, 3000)
    return Table({**table.columns, **columns}, table.window_length)


@pytest.mark.parametrize('protocol', ['time_blocks', 'by_recording'])
def test_split_rows_refuses_copies_by_name_and_with_the_remedy(protocol):
    table = two_names()
    with pytest.raises(SplitError, match=r'a and a_again .*the same samples .*exclude_recordings.*a_again'):
        split_rows(table, protocol)
    if protocol == 'time_blocks':
        splits = split_rows(table, protocol, exclude_recordings=('a_again',))
        assert splits.leak.copies == ''


def test_a_protocol_that_leaks_measures_copies():
    splits = split_rows(two_names(), 'random_windows')
    assert PROTOCOLS['random_windows'].leaks
    assert splits.leak.copies.startswith('recordings a and a_again hold the same samples')


def test_windows_of_copies_count_as_shared():
    table = two_names()
    train = np.flatnonzero(np.isin(table['recording'], ['a', 'b']))
    test = np.flatnonzero(np.isin(table['recording'], ['a_again', 'd']))
    leak = guard_splits(table, {'train': train, 'test': test}, may_leak=True)
    assert leak.shared == pytest.approx((table['recording'][test] == 'a_again').mean())
    assert (leak.same_recording, leak.example) == (0.0, '')


def test_two_channels_of_a_run_in_two_splits_are_refused_by_name():
    table = two_names()
    runs = np.where(np.isin(table['recording'], ['b', 'd']), 'run_7', table['recording'])
    channels = Table({**table.columns, 'acquisition': runs}, table.window_length)
    keep = ('a_again',)
    with pytest.raises(SplitError, match=r'(b and d|d and b) .*run_7'):
        for fold in range(3):
            split_rows(channels, 'by_recording', fold=fold, exclude_recordings=keep)


def test_channels_of_a_run_in_blocks_of_the_same_time_are_fine():
    table = two_names()
    runs = np.where(np.isin(table['recording'], ['b', 'd']), 'run_7', table['recording'])
    channels = Table({**table.columns, 'acquisition': runs}, table.window_length)
    assert split_rows(channels, 'time_blocks', exclude_recordings=('a_again',)).leak.example == ''


@pytest.mark.parametrize('missing', [('fingerprint',), ('acquisition',), ('fingerprint', 'acquisition')])
def test_datasets_prepared_before_are_guarded_by_what_they_have(missing):
    table = two_names()
    older = Table({k: v for k, v in table.columns.items() if k not in missing}, table.window_length)
    if 'fingerprint' in missing:
        assert split_rows(older, 'time_blocks').leak.copies == ''
    else:
        with pytest.raises(SplitError, match='a_again'):
            split_rows(older, 'time_blocks')


@pytest.mark.parametrize('copied', [0, 40, 2000])
def test_five_thousand_rows_take_less_than_a_second(copied):
    rng = np.random.default_rng(0)
    marks = np.sort(rng.integers(1, 2**62, (5000, 32)), axis=1)
    if copied:
        marks[2500 : 2500 + copied] = marks[:copied]
    number = np.arange(5000) // 40
    windows = Windows(number, number, np.arange(5000) % 40 * 1000, np.full(5000, 10000), marks)
    began = time.perf_counter()
    found = find_same_content(windows)
    assert time.perf_counter() - began < 1.0
    assert len(found) == {0: 0, 40: 2, 2000: 100}[copied]  # 2500 is no multiple of 40.
