"""One pass over a source for several readers: order, memory, and what happens when it fails half-way."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.one_pass import OnePass


def source(read, count=9, fails_at=None):
    for i in range(count):
        if i == fails_at:
            raise ValueError(f'recording {i} is damaged')
        read.append(i)
        yield ('train', 'validation', 'test')[i % 3], np.full(1000, i)


def numbers(items):
    return [int(item[0]) for item in items]


@pytest.mark.parametrize('memory_bytes', [2**20, 1])
def test_each_reader_gets_its_items_in_order_and_the_source_is_read_once(tmp_path, memory_bytes):
    read = []
    dealt = OnePass(source(read), ('train', 'validation', 'test'), tmp_path, memory_bytes)
    assert read == []
    assert dealt.has('test') and read == [0, 1, 2]
    assert numbers(dealt.items('train')) == [0, 3, 6]
    assert numbers(dealt.items('validation')) == [1, 4, 7]
    assert numbers(dealt.items('test')) == [2, 5, 8]
    assert read == list(range(9))
    assert list(tmp_path.iterdir()) == []


def test_what_waits_is_on_disk_beyond_the_memory_and_its_room_is_used_again():
    dealt = OnePass(source([], 300), ('train', 'validation', 'test'), memory_bytes=20_000)
    train = dealt.items('train')
    sizes = []
    for _ in train:
        sizes.append(dealt._waiting['train']._file.tell())
    assert len(sizes) == 100 and max(sizes) < 20_000  # its items were taken at once
    waiting = dealt._waiting['test']
    assert len(waiting) == 100 and waiting._file._rolled
    assert numbers(dealt.items('test')) == list(range(2, 300, 3))
    assert waiting._file.closed and not dealt.has('test')


def test_a_reader_without_items_has_none():
    dealt = OnePass([('train', 1)], ('train', 'test'))
    assert not dealt.has('test')
    assert list(dealt.items('train')) == [1] and list(dealt.items('test')) == []


def test_a_source_that_fails_leaves_no_reader_with_half_of_its_items():
    dealt = OnePass(source([], 9, fails_at=5), ('train', 'validation', 'test'))
    train = dealt.items('train')
    assert numbers([next(train), next(train)]) == [0, 3]
    with pytest.raises(ValueError, match='recording 5 is damaged'):
        next(train)
    # A generator that has raised would seem to be at its end.
    with pytest.raises(RuntimeError, match=r'failed before \(recording 5 is damaged\)'):
        list(dealt.items('validation'))
    assert all(queue._file.closed for queue in dealt._waiting.values())


def test_a_reader_that_leaves_early_does_not_disturb_the_others():
    dealt = OnePass(source([]), ('train', 'validation', 'test'))
    train = dealt.items('train')
    next(train)
    train.close()
    assert numbers(dealt.items('validation')) == [1, 4, 7]
