"""Batches: every example once an epoch, shuffled by seed, resumable; and drawing few labels."""

from __future__ import annotations

import dataclasses
import itertools

import grain
import numpy as np
import pytest

from fdx.data.few_labels import few_labels
from fdx.data.pipeline import ArrayExamples, RecordExamples, eval_batches, steps_per_epoch, train_batches
from fdx.data.protocols.splits import split_rows


def array_examples(n=23):
    return ArrayExamples(np.arange(n, dtype=np.float32)[:, None] * np.ones(3, np.float32), np.arange(n, dtype=np.int32))


@pytest.fixture(scope='module')
def record_examples(tiny):
    return RecordExamples(tiny, split_rows(tiny.table, 'time_blocks').train, 'label')


@dataclasses.dataclass
class Noting:
    """Examples that note which of them are read."""

    examples: RecordExamples
    read: list

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, i):
        self.read.append(int(i))
        return self.examples[i]


def epoch_of(batches, steps):
    """Identities of the examples of one epoch, batch by batch: their label, or a sum that tells spectrograms apart."""
    return [[float(x.sum()) for x in batch['inputs']] for batch in itertools.islice(batches, steps)]


@pytest.mark.parametrize('kind', ['array', 'record'])
def test_every_example_once_an_epoch_in_another_order_each_time(kind, record_examples):
    examples = array_examples() if kind == 'array' else record_examples
    n, size = len(examples), 8
    steps = steps_per_epoch(n, size)
    wanted = sorted(float(examples[i]['inputs'].sum()) for i in range(n))
    assert len(set(wanted)) == n
    batches = train_batches(examples, size, seed=4)
    epochs = [epoch_of(batches, steps) for _ in range(3)]
    for epoch in epochs:
        assert [len(b) for b in epoch] == [size] * (n // size) + [n % size]
        assert sorted(itertools.chain(*epoch)) == wanted
    orders = [list(itertools.chain(*epoch)) for epoch in epochs]
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert orders[0] != [float(examples[i]['inputs'].sum()) for i in range(n)]


def test_inputs_and_labels_stay_together(tiny, record_examples):
    label_of = {float(e['inputs'].sum()): int(e['labels']) for e in (record_examples[i] for i in range(54))}
    for batch in itertools.islice(train_batches(record_examples, 16, seed=0), 4):
        assert (batch['inputs'].dtype, batch['labels'].dtype) == (np.float32, np.int32)
        assert [label_of[float(x.sum())] for x in batch['inputs']] == batch['labels'].tolist()
    rows = record_examples.rows
    assert record_examples.labels().tolist() == tiny.table['label'][rows].tolist()
    coarse = RecordExamples(tiny, rows, 'fault_type')
    assert [int(coarse[i]['labels']) for i in range(54)] == tiny.table['fault_type'][rows].tolist()


def test_same_seed_same_order_and_another_seed_another_one():
    def orders(seed):
        return epoch_of(train_batches(array_examples(), 8, seed), 9)

    assert orders(1) == orders(1)
    assert orders(1) != orders(2)


@pytest.mark.parametrize('kind', ['array', 'record'])
@pytest.mark.parametrize('taken', [0, 1, 3, 7, 10])
def test_a_state_resumes_exactly_within_and_across_epochs(kind, taken, record_examples):
    examples = array_examples() if kind == 'array' else record_examples
    batches = train_batches(examples, 8, seed=2)
    for _ in range(taken):
        next(batches)
    state = batches.get_state()
    wanted = epoch_of(batches, 9)
    fresh = train_batches(examples, 8, seed=2)
    next(fresh)
    fresh.set_state(state)
    assert epoch_of(fresh, 9) == wanted


def test_whole_batches_are_those_of_rows_fetched_one_by_one():
    """Inputs in memory and inputs on disk are dealt alike, and runs of before see the same batches."""
    examples = array_examples()
    rows = grain.MapDataset.source(examples).seed(3).shuffle().batch(5, drop_remainder=False).repeat()
    expected, batches = iter(rows.to_iter_dataset()), train_batches(examples, 5, seed=3)
    for _ in range(12):
        batch, wanted = next(batches), next(expected)
        assert set(batch) == set(wanted)
        for name, values in wanted.items():
            np.testing.assert_array_equal(batch[name], values)
            assert batch[name].dtype == values.dtype


def test_a_batch_larger_than_the_data_is_the_whole_data():
    batches = train_batches(array_examples(5), 8, seed=0)
    for _ in range(3):
        assert sorted(next(batches)['labels'].tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize('kind', ['array', 'record'])
def test_eval_batches_give_all_once_in_order_with_the_short_last_one(kind, record_examples):
    examples = array_examples() if kind == 'array' else record_examples
    batches = list(eval_batches(examples, 10))
    sizes = [len(b['labels']) for b in batches]
    assert sizes == [10] * (len(examples) // 10) + [len(examples) % 10]
    assert len(batches) == steps_per_epoch(len(examples), 10)
    got = np.concatenate([b['inputs'] for b in batches])
    np.testing.assert_array_equal(got, np.stack([examples[i]['inputs'] for i in range(len(examples))]))
    assert np.concatenate([b['labels'] for b in batches]).tolist() == examples.labels().tolist()


def test_steps_per_epoch_counts_the_short_batch():
    assert [steps_per_epoch(n, 8) for n in (1, 7, 8, 9, 16, 17)] == [1, 1, 1, 2, 2, 3]


def test_a_gain_reaches_the_inputs(tiny_gain):
    rows = np.arange(3)
    plain, gained = (RecordExamples(tiny_gain, rows, 'label', gain=g)[1]['inputs'] for g in (1.0, 0.25))
    np.testing.assert_array_equal(plain, tiny_gain.record(1, ('spectrogram',))['spectrogram'])
    np.testing.assert_allclose(gained, np.log(0.25 * (np.exp(plain.astype(np.float64)) - 0.01) + 0.01), atol=1e-6)


def test_few_labels_draws_from_the_recordings_in_turn(tiny):
    table = tiny.table
    rows = split_rows(table, 'time_blocks').train
    for per_class in (1, 3, 4, 7):
        kept = few_labels(table, rows, per_class, 'label', seed=1)
        assert (kept.dtype, sorted(set(kept) & set(rows))) == (np.int64, kept.tolist())
        for label in range(3):
            mine = kept[table['label'][kept] == label]
            counts = [int((table['recording'][mine] == r).sum()) for r in np.unique(table['recording'])]
            counts = sorted(c for c, r in zip(counts, np.unique(table['recording'])) if r in _recordings(table, label))
            assert sum(counts) == per_class
            assert counts[-1] - counts[0] <= 1, 'no recording gives a second row before each has given one'


def _recordings(table, label):
    return set(table['recording'][table['label'] == label])


def test_few_labels_keeps_all_at_zero_takes_what_there_is_and_hangs_on_the_seed(tiny):
    table = tiny.table
    rows = split_rows(table, 'time_blocks').train
    np.testing.assert_array_equal(few_labels(table, rows, 0, 'label', seed=1), rows)
    np.testing.assert_array_equal(few_labels(table, rows, 1000, 'label', seed=1), rows)
    draws = [few_labels(table, rows, 2, 'label', seed=s).tolist() for s in range(4)]
    assert draws[0] == few_labels(table, rows, 2, 'label', seed=0).tolist()
    assert len({tuple(d) for d in draws}) > 1
    kept = few_labels(table, rows, 5, 'fault_type', seed=0)
    assert np.bincount(table['fault_type'][kept]).tolist() == [5, 5]


@pytest.mark.parametrize('size', [5, 16])
def test_parts_are_cut_before_they_are_read(size, record_examples):
    """Two processes together read each record of an epoch once; what they take of a batch is what one process takes."""
    examples = Noting(record_examples, [])
    half = -(-size // 2)
    steps = steps_per_epoch(len(examples), size)
    whole = list(itertools.islice(train_batches(record_examples, size, seed=3), steps))
    for part in (slice(0, half), slice(half, 2 * half)):
        batches = train_batches(examples, size, seed=3, part=part)
        for wanted, got in zip(whole, [next(batches) for _ in range(steps)], strict=True):
            for name, values in wanted.items():
                assert got[name].dtype == values.dtype
                assert got[name].shape == values.shape
                np.testing.assert_array_equal(got[name][part], values[part])
    evaluated = [Noting(record_examples, []) for _ in range(2)]
    parts = [
        list(eval_batches(one, size, part))
        for one, part in zip(evaluated, (slice(0, half), slice(half, 2 * half)), strict=True)
    ]
    for wanted, *got in zip(eval_batches(record_examples, size), *parts, strict=True):
        np.testing.assert_array_equal(sum(batch['inputs'] for batch in got), wanted['inputs'])
    read = [sorted(one.read) for one in evaluated]
    assert len(set(read[0])) == len(read[0])
    assert set(read[0]) | set(read[1]) == set(range(len(examples)))
    assert len(set(read[0]) & set(read[1])) <= 1  # A record that told a part behind a short batch its shapes.


def test_a_state_goes_on_with_another_number_of_processes(record_examples):
    """Two processes -> one: the state does not say how many there were."""
    batches = train_batches(record_examples, 8, seed=2, part=slice(4, 8))
    for _ in range(3):
        next(batches)
    alone = train_batches(record_examples, 8, seed=2)
    alone.set_state(batches.get_state())
    for wanted, got in zip(itertools.islice(alone, 5), batches, strict=False):
        np.testing.assert_array_equal(got['labels'][4:], wanted['labels'][4:])
        np.testing.assert_array_equal(got['inputs'][4:], wanted['inputs'][4:])
        assert not got['inputs'][:4].any()
