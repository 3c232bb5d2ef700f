"""Silence for C++ libraries that write to standard error what nobody has to know."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Inside this context, output to file descriptor 2 is lost; exceptions are not.

    LiteRT names the delegate that it makes, once per process, and has no setting to prevent that.
    """
    kept = os.dup(2)
    try:
        with open(os.devnull, 'wb') as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
