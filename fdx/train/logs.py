"""metrics.jsonl and TensorBoard event files of a run."""

from __future__ import annotations

import contextlib
import json
import pathlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import jax

from fdx.files import FileWriteError, atomic_write_text, boundary, to_jsonable

REMEDY = 'check that the folder is writable and the disk has room, then run the same command again'


def _line(row: dict) -> str:
    return json.dumps(to_jsonable(row)) + '\n'


@contextlib.contextmanager
def _without_torch() -> Iterator[None]:
    """While it lasts, `import torch` fails: tensorboardX would import it where it is installed, which takes seconds."""
    if 'torch' in sys.modules:  # The user's own program has it.
        yield
        return
    sys.modules['torch'] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules['torch']


class MetricsLog:
    """Appends one JSON line per epoch to metrics.jsonl, and the same numbers to TensorBoard event files.

    A resumed run first writes the lines of its checkpoint again, so that no epoch occurs twice and none is missing.
    With several processes, only the first one writes.
    """

    def __init__(self, workdir: pathlib.Path, history: list[dict]):
        """Starts the log with the history of the checkpoint that the run resumes from; [] for a new run."""
        self._path = workdir / 'metrics.jsonl'
        self._writer: Any = None
        if jax.process_index() != 0:
            return
        # Not at the top, where every program that reads a checkpoint would wait for it.
        with _without_torch():
            from tensorboardX.event_file_writer import EventsWriter  # noqa: PLC0415
            from tensorboardX.proto.event_pb2 import Event, SessionLog  # noqa: PLC0415

        with self._writing():
            atomic_write_text(self._path, ''.join(_line(row) for row in history))
            folder = workdir / 'tensorboard'
            folder.mkdir(parents=True, exist_ok=True)
            # Not SummaryWriter: a full disk kills its thread, and the run would then wait for it for ever.
            self._writer = EventsWriter(str(folder / 'events'))
            # TensorBoard drops what older files say from this step on, so the whole history is written again.
            self._writer.write_event(
                Event(wall_time=time.time(), step=0, session_log=SessionLog(status=SessionLog.START))
            )
            for row in history:
                self._add_scalars(row)

    def write(self, row: dict) -> None:
        """Writes the numbers of an epoch; `row` has `step`.

        Raises:
          FileWriteError: the disk is full, or the folder cannot be written.
        """
        if self._writer is None:
            return
        with self._writing():
            with self._path.open('a') as f:
                f.write(_line(row))
            self._add_scalars(row)

    def _writing(self):
        return boundary('cannot write the log', self._path, REMEDY, FileWriteError)

    def _add_scalars(self, row: dict) -> None:
        if self._writer is None:
            return
        from tensorboardX.proto.event_pb2 import Event  # noqa: PLC0415 (as above)
        from tensorboardX.proto.summary_pb2 import Summary  # noqa: PLC0415

        numbers = {k: v for k, v in row.items() if isinstance(v, int | float) and k != 'step'}
        values = [Summary.Value(tag=name, simple_value=float(value)) for name, value in numbers.items()]
        self._writer.write_event(Event(wall_time=time.time(), step=row['step'], summary=Summary(value=values)))
        self._writer.flush()

    def close(self) -> None:
        """Flushes and closes the event file."""
        if self._writer is not None:
            # The numbers are in metrics.jsonl too, and an error here would hide the error that ended the run.
            with contextlib.suppress(OSError):
                self._writer.close()
            self._writer = None
