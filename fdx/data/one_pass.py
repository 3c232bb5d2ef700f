"""Deals a stream to several readers that come one after the other, going through its source only once."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# What waits for its reader is in memory up to this size, beyond it in a temporary file that the system removes.
MEMORY_BYTES = 64 * 2**20


class OnePass:
    """Items of a source, each of which belongs to one of several readers.

        dealt = OnePass(((name_of(item), item) for item in source), ('train', 'test'))
        for item in dealt.items('train'): ...
        for item in dealt.items('test'): ...   # these waited in the meantime

    TFDS writes the splits of a dataset one after the other. Reading and preparing every recording once per split would
    take three times as long.
    """

    def __init__(
        self,
        source: Iterable[tuple[str, Any]],
        names: Iterable[str],
        folder: str | os.PathLike | None = None,
        memory_bytes: int = MEMORY_BYTES,
    ):
        """Nothing is read yet.

        Args:
          source: pairs (name of the reader, item that pickle can store).
          names: of the readers.
          folder: where to put what does not fit into memory, on a disk with enough room; None: the system's folder.
          memory_bytes: how much may wait in memory, per reader.
        """
        self._source = iter(source)
        self._waiting: Mapping[str, _Queue] = {name: _Queue(folder, memory_bytes) for name in names}
        self._failed: BaseException | None = None

    def has(self, name: str) -> bool:
        """Whether there is an item for that reader; goes through the source until there is one."""
        return bool(self._waiting[name]) or self._advance(name)

    def items(self, name: str) -> Iterator[Any]:
        """The items of a reader, in the order of the source; its temporary file is closed at the end.

        Raises:
          RuntimeError: the source has failed for another reader, so that items would be missing.
        """
        queue = self._waiting[name]
        try:
            while queue or self._advance(name):
                yield queue.take()
        finally:
            queue.close()

    def _advance(self, name: str) -> bool:
        """Reads the source until an item of that reader has come; False at the end."""
        if self._failed is not None:
            raise RuntimeError(f'the source has failed before ({self._failed})') from self._failed
        try:
            for owner, item in self._source:
                self._waiting[owner].put(item)
                if owner == name:
                    return True
        except BaseException as e:
            self._failed = e
            for queue in self._waiting.values():
                queue.close()
            raise
        return False


class _Queue:
    """First in, first out; what exceeds the memory is on disk."""

    def __init__(self, folder: str | os.PathLike | None, memory_bytes: int) -> None:
        self._file = tempfile.SpooledTemporaryFile(memory_bytes, dir=None if folder is None else os.fspath(folder))  # noqa: SIM115  (see `close`)
        self._count, self._read_at = 0, 0

    def __len__(self) -> int:
        return self._count

    def put(self, item: Any) -> None:
        if self._file.closed:
            return  # Its reader has left before the end.
        self._file.seek(0, 2)
        pickle.dump(item, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self._count += 1

    def take(self) -> Any:
        self._file.seek(self._read_at)
        item = pickle.load(self._file)
        self._count -= 1
        # Once everything is read, the room is used again.
        self._read_at = self._file.tell() if self._count else 0
        if not self._count:
            self._file.truncate(0)
        return item

    def close(self) -> None:
        self._file.close()
        self._count = 0
