"""metrics.jsonl and TensorBoard event files of a run."""

from __future__ import annotations

import json
import pathlib

import jax
import tensorboardX

from fdx.files import atomic_write_text, to_jsonable


def _line(row: dict) -> str:
    return json.dumps(to_jsonable(row)) + '\n'


class MetricsLog:
    """Appends one JSON line an epoch to metrics.jsonl, and the same numbers to TensorBoard event files.

    A resumed run first writes the lines of its checkpoint anew, so that no epoch stands there twice and none is
    missing. Of several processes the first one writes.
    """

    def __init__(self, workdir: pathlib.Path, history: list[dict]):
        """Starts the log with the history of the checkpoint that the run resumes from ([]: a new run)."""
        self._path = workdir / 'metrics.jsonl'
        self._writer = None
        if jax.process_index() != 0:
            return
        atomic_write_text(self._path, ''.join(_line(row) for row in history))
        # TensorBoard drops what older files say from this step on: all that the history has is written again.
        self._writer = tensorboardX.SummaryWriter(str(workdir / 'tensorboard'), purge_step=0)
        for row in history:
            self._add_scalars(row)

    def write(self, row: dict) -> None:
        """Writes the numbers of an epoch; `row` has `step`."""
        if self._writer is None:
            return
        with self._path.open('a') as f:
            f.write(_line(row))
        self._add_scalars(row)

    def _add_scalars(self, row: dict) -> None:
        for name, value in row.items():
            if isinstance(value, int | float) and name != 'step':
                self._writer.add_scalar(name, value, row['step'])
        self._writer.flush()

    def close(self) -> None:
        """Flushes and closes the event file."""
        if self._writer is not None:
            self._writer.close()
