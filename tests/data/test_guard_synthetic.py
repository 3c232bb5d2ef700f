"""The guard and generated records: trained on perhaps, validated on and tested on never."""

from __future__ import annotations

import copy
import itertools
import re
import types

import numpy as np
import pytest

from fdx.data.blocks import NO_BLOCK, Windowing
from fdx.data.protocols.conditions import CONDITIONS
from fdx.data.protocols.guard import guard_splits, refuse_synthetic
from fdx.data.protocols.splits import PROTOCOLS, folds_of, split_rows
from fdx.data.readings import GROUP, ROW
from fdx.data.table import SYNTHETIC, Table
from fdx.evaluate import scored_rows, scoring
from fdx.train.config import TrainConfig
from fdx.types import SplitError

SPLITS = ('train', 'validation', 'test')
REASON = 'records are synthetic.* training only.*`balance=gan` `synthetic=NAME`'


@pytest.fixture(scope='module')
def recordings(table_of):
    """3 classes x 4 domains x 2 bearings, a window a block."""
    kinds = itertools.product(range(3), range(4), range(2))
    return table_of(
        [
            {'samples': 62, 'recording': f'r{c}{d}{b}', 'label': c, 'domain': f'd{d}', 'bearing': f'b{c}{d % 2}{b}'}
            for c, d, b in kinds
        ],
        Windowing(10, 10, 3),
    )


@pytest.fixture(scope='module')
def readings():
    """A table: every row is a recording of one sample."""
    rng, n = np.random.default_rng(0), 200
    columns = {'label': rng.integers(0, 2, n), 'recording': np.arange(n).astype(str), ROW: np.arange(n)}
    columns |= {'peak': rng.standard_normal((n, 3)).astype(np.float32), GROUP: (np.arange(n) // 5).astype(str)}
    zeros = {'fault_type': np.int64, 'window_start': np.int64, 'domain': str, 'bearing': str}
    columns |= {name: np.zeros(n, dtype) for name, dtype in zeros.items()}
    return Table({**columns, 'block': np.full(n, NO_BLOCK)}, 1)


@pytest.fixture
def table_for(recordings, readings):
    def table(protocol):
        if protocol == 'given_split':
            parts = split_rows(recordings, 'by_recording', seed=1)
            given = np.full(len(recordings), '', 'U10')
            for name in SPLITS:
                given[np.isin(recordings['recording'], recordings['recording'][getattr(parts, name)])] = name
            return Table({**recordings.columns, 'given_split': given}, recordings.window_length)
        if protocol in CONDITIONS:
            number = np.array([int(name[1:]) for name in recordings['domain']], np.float32)
            columns = {**recordings.columns, 'speed_rpm': 1000 + 100 * number, 'load': number}
            return Table(columns, recordings.window_length)
        return readings if protocol in ('stratified', 'row_blocks', 'by_group') else recordings

    return table


def marked(table, rows):
    """The table with generated records in the given rows."""
    generated = np.isin(np.arange(len(table)), rows)
    return Table({**table.columns, SYNTHETIC: generated}, table.window_length)


def simple_table(*generated):
    """Four recordings of two windows."""
    columns = {'recording': np.repeat(['a', 'b', 'c', 'd'], 2), 'window_start': np.tile([0, 10], 4)}
    return marked(Table({**columns, 'label': np.zeros(8, int)}, 10), generated)


PARTS = {'train': np.array([0, 1, 2, 3]), 'validation': np.array([4, 5]), 'test': np.array([6, 7])}


@pytest.mark.parametrize('may_leak', [False, True])
@pytest.mark.parametrize(
    ('generated', 'refused'),
    [
        ((), ''),
        ((0,), ''),
        ((0, 1, 2, 3), ''),
        ((4,), '1 of 2 validation'),
        ((4, 5), '2 of 2 validation'),
        ((7,), '1 of 2 test'),
        ((0, 6, 7), '2 of 2 test'),
        ((5, 6), '1 of 2 validation'),
    ],
)
def test_generated_records_are_for_the_training_part(generated, refused, may_leak):
    table = simple_table(*generated)
    if refused:
        with pytest.raises(SplitError) as error:
            guard_splits(table, PARTS, may_leak=may_leak)
        assert re.match(f'{refused} {REASON}', str(error.value))
    else:
        assert guard_splits(table, PARTS, may_leak=may_leak).shared == 0


def test_a_protocol_that_may_leak_may_not_score_generated_records():
    """Windows 0 and 5 of a recording share samples: measured and no reason to refuse, which a generated record is."""
    leaking = {'train': np.array([0, 2]), 'test': np.array([1, 3])}
    table = simple_table()
    table['window_start'][1] = 5
    assert guard_splits(table, leaking, may_leak=True).shared == 0.5
    table[SYNTHETIC][3] = True
    with pytest.raises(SplitError, match='^1 of 2 test records are synthetic'):
        guard_splits(table, leaking, may_leak=True)


def test_tables_of_recordings_have_no_such_column(tiny):
    assert SYNTHETIC not in tiny.table.columns
    refuse_synthetic(tiny.table, np.arange(len(tiny)), 'test')
    generated = simple_table(2, 3)
    refuse_synthetic(generated, np.zeros(0, np.int64), 'test')
    refuse_synthetic(generated, np.array([0, 1, 7]), 'test')
    with pytest.raises(SplitError, match='^2 of 3 all records are synthetic'):
        refuse_synthetic(generated, np.array([3, 0, 2]), 'all')


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_every_protocol_refuses_generated_records_outside_of_training(table_for, protocol):
    """In each fold a single row of either part is enough, and all of the training rows are welcome."""
    table = table_for(protocol)
    for fold in folds_of(protocol, table):
        whole = split_rows(table, protocol, fold=fold, seed=1)
        for name in ('validation', 'test'):
            rows = getattr(whole, name)
            for row in rows[[0, -1]]:
                with pytest.raises(SplitError) as error:
                    split_rows(marked(table, [row]), protocol, fold=fold, seed=1)
                assert re.match(f'1 of {len(rows)} {name} {REASON}', str(error.value))
        trained = split_rows(marked(table, whole.train), protocol, fold=fold, seed=1)
        for name in SPLITS:
            np.testing.assert_array_equal(getattr(trained, name), getattr(whole, name))


def test_generated_recordings_that_are_left_out_are_no_reason_to_refuse(recordings):
    row = split_rows(recordings, 'by_recording', seed=1).test[0]
    name = str(recordings['recording'][row])
    table = marked(recordings, np.flatnonzero(recordings['recording'] == name))
    with pytest.raises(SplitError, match='test records are synthetic'):
        split_rows(table, 'by_recording', seed=1)
    left = split_rows(table, 'by_recording', seed=1, exclude_recordings=(name,))
    assert not table[SYNTHETIC][np.concatenate([left.train, left.validation, left.test])].any()


def as_written(count):
    """What launch.synthesize writes: every record a recording without blocks, all of one domain and no bearing."""
    texts = {'domain': 'synthetic', 'bearing': 'none'}
    columns = {name: np.full(count, text) for name, text in texts.items()}
    columns |= {'recording': np.array([f'synthetic-{i:06d}' for i in range(count)]), 'label': np.arange(count) % 3}
    columns |= {'window_start': np.zeros(count, int), 'fault_type': np.arange(count) % 3}
    return marked(Table({**columns, 'block': np.full(count, NO_BLOCK)}, 10), np.arange(count))


# Some are left to the guard; others have nothing by which they could tell such records apart.
NO_SPLIT = {
    'by_recording': 'records are synthetic',
    'random_windows': 'records are synthetic',
    'time_blocks': 'too short for time_blocks: synthetic-000000, ',
    'by_bearing': 'needs 2 bearings of every class, class number 0 of label has 1',
    'by_domain': 'needs 3 domains',
    'domain_pairs': 'needs 2 domains',
    'within_domain': 'too short for time blocks: synthetic-000000, ',
    'by_speed': 'the speed of synthetic-000000, .* is unknown',
    'by_load': 'the load of synthetic-000000, .* is unknown',
    'stratified': 'is for tables of readings',
    'row_blocks': 'is for tables of readings',
    'by_group': 'csv=FILE.*group_column=NAME',
    'given_split': 'no recording is marked train or test',
}


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_no_protocol_splits_a_dataset_of_generated_records(protocol):
    with pytest.raises(SplitError, match=f'{NO_SPLIT[protocol]}|records are synthetic'):
        split_rows(as_written(60), protocol)


@pytest.fixture
def scored_dataset(tiny, monkeypatch):
    """Function: the dataset that score_run scores has generated records in the given rows."""

    def score(rows):
        data = copy.copy(tiny)
        data.table = marked(tiny.table, rows)
        predictor = types.SimpleNamespace(
            workdir='runs/tiny',
            step=1,
            config=TrainConfig(dataset=tiny.name),
            meta={'dataset': {'name': tiny.name, **tiny.metadata}, 'train_recordings': []},
            class_names=tiny.class_names(),
            front_end=tiny.front_end,
            gain=1.0,
            threshold=None,
            probabilities=lambda examples, what: np.full((len(examples), 3), 1 / 3, np.float32),
        )
        monkeypatch.setattr(scoring, 'run_folders', lambda workdir: [workdir])
        monkeypatch.setattr(scoring, 'load_predictor', lambda *args: predictor)
        monkeypatch.setattr(scored_rows, 'open_dataset', lambda name, folder: data)
        return data

    return score


def test_a_run_is_not_scored_on_generated_records(tiny, scored_dataset):
    splits = split_rows(tiny.table, 'time_blocks')
    scored_dataset([])
    assert len(scoring.score_run('run').predictions) == len(splits.test)
    scored_dataset(splits.train[:2])
    for split in ('validation', 'test'):
        assert len(scoring.score_run('run', split=split).predictions) == len(getattr(splits, split))
    # The training rows and all rows of a dataset go around the guard of the splits, not around this one.
    for split, count in (('train', len(splits.train)), ('all', len(tiny))):
        with pytest.raises(SplitError) as error:
            scoring.score_run('run', split=split)
        assert re.match(f'2 of {count} {split} {REASON}', str(error.value))
    scored_dataset(splits.test[:1])
    with pytest.raises(SplitError, match=f'^1 of {len(splits.test)} test records are synthetic'):
        scoring.score_run('run')


def test_another_dataset_of_generated_records_is_not_scored_either(tiny, scored_dataset):
    scored_dataset(np.arange(len(tiny))).name = 'synthetic/tones:1.0.0'
    for split in scoring.SPLITS:
        with pytest.raises(SplitError, match=r"\d+ of \d+ (dataset's|all) records .*synthetic.*training only"):
            scoring.score_run('run', split=split, dataset='synthetic/tones')
