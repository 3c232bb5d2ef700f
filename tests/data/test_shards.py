"""TFDS's writer takes records in their order, with bounded memory and without TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest
from tensorflow_datasets.core import shuffle

from fdx.data import shards
from fdx.data.shards import InOrder, written_in_order
from fdx.data.source import open_dataset


def test_records_come_back_in_order_also_from_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, 'MEMORY_BYTES', 1000)
    records = [bytes([i % 256]) * (i % 50) for i in range(400)]
    kept = InOrder(tmp_path)
    for key, record in enumerate(records):
        kept.add(key, record)
    assert kept._file._rolled
    assert (kept.num_examples, kept.bucket_lengths, kept.size) == (400, [400], sum(map(len, records)))
    assert list(kept) == list(enumerate(records))
    assert kept._file.closed and list(tmp_path.iterdir()) == []


def test_only_records_in_order_are_taken(tmp_path):
    with pytest.raises(ValueError, match='record 0 has the key 7'):
        InOrder(tmp_path).add(7, b'')
    with pytest.raises(ValueError, match='in their order'):
        InOrder(tmp_path, disable_shuffling=False)


def test_tfds_has_its_own_again_afterwards():
    before = shuffle.Shuffler
    with pytest.raises(KeyError), written_in_order():
        assert shuffle.Shuffler is InOrder
        raise KeyError
    assert shuffle.Shuffler is before


def test_a_dataset_larger_than_the_memory_is_written(builder_of, recording_of, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, 'MEMORY_BYTES', 10_000)
    builder_of([recording_of(label, 0, 6.0) for label in ('normal', 'ball')]).download_and_prepare()
    data = open_dataset('changed/six_s', tmp_path)
    train = data.table['block'] <= 2
    assert data.table['recording'][train].tolist() == ['normal_0'] * 6 + ['ball_0'] * 6
    starts = data.table['window_start'][train]
    assert np.all(np.diff(starts[:6]) > 0) and np.all(starts[:6] == starts[6:])
