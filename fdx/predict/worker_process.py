"""A worker process of fdx.predict.workers, seen from inside."""

from __future__ import annotations

import logging
import os
import signal
import traceback
from multiprocessing.connection import Connection
from typing import Any

from fdx.predict.asking import Asked, attempt
from fdx.types import FdxError

# Kinds of messages: it has loaded the run; it cannot, by an error of fdx or by a defect; the outcome of a task.
READY, REFUSED, BROKEN, DONE = 'ready', 'refused', 'broken', 'done'


class _Kept(logging.Handler):
    """Keeps log records, in a form that can be sent, for the process that shows them."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = record.getMessage(), None
        if record.exc_info:
            record.msg += '\n' + ''.join(traceback.format_exception(*record.exc_info))
            record.exc_info = record.exc_text = None
        self.records.append(record)

    def taken(self) -> list[logging.LogRecord]:
        """The records since the last call."""
        records, self.records = self.records, []
        return records


def work(connection: Connection, asked: Asked, levels: dict[str, int]) -> None:
    """The whole life of a worker process.

    Args:
      connection: gives (number, task), takes (kind, content, log records).
      asked: who diagnoses.
      levels: {name of a logger: level} of the process that shows the records.
    """
    # Ctrl-C and service managers signal all processes of a group. The first process decides when this one ends.
    for name in ('SIGINT', 'SIGTERM', 'SIGHUP'):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    # Several processes share one accelerator, and none may take all of its memory.
    os.environ.setdefault('XLA_PYTHON_CLIENT_PREALLOCATE', 'false')
    kept = _Kept()
    logging.getLogger().addHandler(kept)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)

    def say(kind: str, content: Any) -> None:
        connection.send((kind, content, kept.taken()))

    try:
        try:
            diagnose = asked.load()
        except FdxError as e:
            return say(REFUSED, e)
        except Exception:
            return say(BROKEN, traceback.format_exc())
        say(READY, None)
        while True:
            _, task = connection.recv()
            say(DONE, attempt(diagnose, task))
    except (EOFError, OSError):
        return None  # The first process has ended.
