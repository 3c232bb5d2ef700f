"""What a network has learned from, in a checkpoint's JSON, and how it is found again in another table."""

from __future__ import annotations

import json
import types

import numpy as np
import pytest

from fdx.data.table import Table
from fdx.train.landmarks import MAX_LANDMARKS, Sketch
from fdx.train.learned_from import learned_from, rows_learned, whole_recordings
from tests.data.test_same_content import RATE_HZ, WINDOW, gear, int16, machine, table_of_recordings

CONFIG = types.SimpleNamespace(protocol='time_blocks', fold=0, seed=3)
NAME = 'rig/small:1.0.0'


def table_of(signals: dict[str, np.ndarray], hop: int = WINDOW, runs=None) -> Table:
    one = {'bearing': 'b', 'domain': 'd', 'label': 'ball'}
    return table_of_recordings(
        [
            types.SimpleNamespace(samples=x[:, None], recording=n, acquisition=(runs or {}).get(n, ''), **one)
            for n, x in signals.items()
        ],
        WINDOW,
        hop,
    )


def entry_of(table: Table, rows=None, name: str = NAME) -> dict:
    rows = np.arange(len(table)) if rows is None else rows
    # As a checkpoint holds it.
    return json.loads(json.dumps(learned_from(CONFIG, name, table, rows, RATE_HZ)))


def learned(entry, table, protocol='time_blocks', name=NAME):
    return rows_learned([entry], name, table, np.arange(len(table)), RATE_HZ, protocol)


@pytest.fixture(scope='module')
def table() -> Table:
    return table_of({'a': machine(0), 'b': machine(1)}, hop=WINDOW // 3)


def test_time_is_kept_as_joined_spans_in_seconds(table):
    entry = entry_of(table, np.flatnonzero(np.isin(table['block'], (0, 1, 3))))
    assert (entry['dataset'], entry['protocol'], entry['fold'], entry['seed']) == (NAME, 'time_blocks', 0, 3)
    assert sorted(entry['spans']) == ['a', 'b']
    for name in 'ab':
        mine = table['recording'] == name
        starts = [table['window_start'][mine & (table['block'] == b)] for b in (0, 1, 3)]
        wanted = [[s.min() / RATE_HZ, (s.max() + WINDOW) / RATE_HZ] for s in starts]
        np.testing.assert_allclose(entry['spans'][name], wanted)


@pytest.mark.parametrize(('protocol', 'whole'), [('time_blocks', False), ('by_recording', True), ('by_domain', True)])
def test_blocks_are_told_apart_unless_the_protocol_is_of_whole_recordings(table, protocol, whole):
    entry = entry_of(table, np.flatnonzero((table['recording'] == 'a') & (table['block'] < 3)))
    wanted = (table['recording'] == 'a') & ((table['block'] < 3) | whole)
    np.testing.assert_array_equal(learned(entry, table, protocol), wanted)


def test_recordings_of_other_builders_may_have_the_same_names(table):
    other = table_of({'a': machine(10), 'b': machine(11)})
    assert not learned(entry_of(other, name='bench/x:1.0.0'), table, 'by_recording').any()
    assert learned(entry_of(other, name='rig/x:2.0.0'), table, 'by_recording').all()


def test_bearings_count_where_the_protocol_splits_by_them(table):
    other = table_of({'c': machine(12)})
    assert learned(entry_of(other), table, 'by_bearing').all()
    assert not learned(entry_of(other), table, 'by_recording').any()


def test_another_channel_of_the_run_is_found(table):
    channel = table_of({'a_fe': machine(13)}, runs={'a_fe': 'a'})
    np.testing.assert_array_equal(learned(entry_of(channel), table, 'by_recording'), table['recording'] == 'a')
    # And the other way round.
    channel = table_of({'a_fe': machine(13)}, runs={'a_fe': 'run'})
    of_run = table_of({'a_de': machine(14)}, runs={'a_de': 'run'})
    assert learned(entry_of(channel), of_run).all()


@pytest.mark.parametrize('name', [NAME, 'bench/x:1.0.0'])
@pytest.mark.parametrize('hop', [WINDOW, WINDOW // 5])
def test_copies_under_other_names_are_found(table, name, hop):
    copies = table_of({'new': machine(15), 'again': int16(3 * machine(0)[1000:])}, hop=hop)
    np.testing.assert_array_equal(learned(entry_of(table, name=name), copies), copies['recording'] == 'again')


@pytest.mark.parametrize('noise', [0.003, 0.03, 0.1, 0.3])
def test_other_recordings_of_a_periodic_machine_are_not(noise):
    before = table_of({f'a{i}': gear(i, noise) for i in range(12)})
    after = table_of({f'b{i}': gear(100 + i, noise) for i in range(4)})
    assert not learned(entry_of(before), after).any()


def test_the_sketch_is_small_and_still_finds():
    rng = np.random.default_rng(0)
    marks = np.sort(rng.integers(1, 2**62, (2000, 32)), axis=1)
    number = np.arange(2000) // 20
    columns = {
        'recording': np.array([f'r{n:03d}' for n in number]),
        'label': np.zeros(2000, np.int64),
        'bearing': np.full(2000, 'b'),
        'window_start': np.arange(2000) % 20 * WINDOW,
        'fingerprint': marks,
    }
    table = Table(columns, WINDOW)
    entry = entry_of(table)
    assert len(Sketch.from_json(entry['landmarks']).marks) == pytest.approx(MAX_LANDMARKS, abs=2)
    assert len(json.dumps(entry['landmarks'])) < 50_000
    renamed = Table({**columns, 'recording': np.array([f'new{n:03d}' for n in number])}, WINDOW)
    assert learned(entry, renamed).all()
    others = Table({**renamed.columns, 'fingerprint': np.sort(rng.integers(1, 2**62, (2000, 32)), axis=1)}, WINDOW)
    assert not learned(entry, others).any()


def readings(ids) -> Table:
    names = np.array([f'reading_{i:016x}' for i in ids])
    n = len(names)
    return Table({'recording': names, 'bearing': np.full(n, ''), 'window_start': np.zeros(n, np.int64)}, 1)


def test_readings_are_kept_as_hashes_and_found():
    ids = np.random.default_rng(0).integers(0, 2**63, 3000, np.uint64)
    before, after = readings(ids[:2000]), readings(ids[1500:])
    entry = json.loads(json.dumps(learned_from(CONFIG, 'motor/x:1.0.0', before, np.arange(2000), 0.0)))
    assert entry['spans'] == {}
    got = rows_learned([entry], 'motor/x:1.0.0', after, np.arange(1500), 0.0, 'stratified')
    np.testing.assert_array_equal(got, np.arange(1500) < 500)
    # Two logs of one machine may meet in a reading by chance.
    few = readings(np.r_[ids[:20], ids[2000:]])
    assert not rows_learned([entry], 'motor/y:1.0.0', few, np.arange(1020), 0.0, 'stratified').any()


@pytest.mark.parametrize('same_split', [False, True])
def test_a_checkpoint_of_before_counts_with_all_of_its_recordings(table, same_split):
    config = {'protocol': 'time_blocks', 'fold': 0, 'seed': 3}
    meta = {'config': config, 'dataset': {'name': NAME}, 'train_recordings': ['a']}
    got = learned(whole_recordings(meta, same_split), table)
    np.testing.assert_array_equal(got, (table['recording'] == 'a') & (not same_split))
