"""Part of a file under another header, as a file."""

from __future__ import annotations

import io
import os
import pathlib
from typing import Any


class Under(io.RawIOBase):
    """A file of `head` and then of `size` bytes of another file from `start` on, for libsndfile."""

    def __init__(self, head: bytes, file: pathlib.Path, start: int, size: int):
        super().__init__()
        self._head, self._start, self._length, self._at = head, start, len(head) + size, 0
        self._stream = file.open('rb')

    def close(self) -> None:
        """Closes the other file."""
        self._stream.close()
        super().close()

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be moved in."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer as far as there are bytes."""
        view = memoryview(buffer).cast('B')
        wanted = max(0, min(len(view), self._length - self._at))
        of_head = self._head[self._at : self._at + wanted]
        data = of_head
        if wanted > len(of_head):
            self._stream.seek(self._start + max(0, self._at - len(self._head)))
            data = of_head + self._stream.read(wanted - len(of_head))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
