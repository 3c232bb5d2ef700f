"""TFDS's writer with bounded memory: it sorts the records of a split by their keys in buckets on disk.

With keys that are numbers from 0 on, as it counts them itself, all records fall into its first bucket, which it then
reads as a whole: a split of 20 GB would need 20 GB of memory. Spread over the range of keys, the records fill one
bucket after the other, in the same order.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from tensorflow_datasets.core import shuffle

# TFDS keeps this much of a split in memory before it uses its buckets; by default 1 GB.
MEMORY_BYTES = 256 * 2**20
# Each bucket that holds something is an open file. The first hundred get so many records (some 50 MB with the waveforms
# of windows of one second at 51.2 kHz), the next hundred twice as many, and so on.
BUCKET_RECORDS = 512
BUCKETS = 500


def spread_keys(examples: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """(key, example) with ascending keys that spread over TFDS's buckets; the last of BUCKETS takes what follows."""
    step, number = 2**shuffle.HKEY_SIZE // shuffle.BUCKETS_NUMBER, 0
    source = iter(examples)
    for bucket in range(BUCKETS):
        last = bucket == BUCKETS - 1
        for example in source if last else itertools.islice(source, BUCKET_RECORDS * 2 ** (bucket // 100)):
            # In the middle of a bucket, because TFDS finds it by a division of floats.
            yield bucket * step + step // 2 + number, example
            number += 1


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """TFDS's writer keeps at most MEMORY_BYTES of a split in memory."""
    before = shuffle.MAX_MEM_BUFFER_SIZE
    shuffle.MAX_MEM_BUFFER_SIZE = min(before, MEMORY_BYTES)
    try:
        yield
    finally:
        shuffle.MAX_MEM_BUFFER_SIZE = before
