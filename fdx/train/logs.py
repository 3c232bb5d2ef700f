"""metrics.jsonl and TensorBoard event files of a run."""

from __future__ import annotations

import json
import pathlib

import tensorboardX

from fdx.files import atomic_write_text


class MetricsLog:
    """Appends one JSON line an epoch to metrics.jsonl, and the same numbers to TensorBoard event files.

    A resumed run first drops the lines behind its checkpoint, so that no epoch stands there twice.
    """

    def __init__(self, workdir: pathlib.Path, history: list[dict]):
        """Starts the log with the history of the checkpoint that the run resumes from ([]: a new run)."""
        self._path = workdir / 'metrics.jsonl'
        atomic_write_text(self._path, ''.join(json.dumps(row) + '\n' for row in history))
        purge = history[-1]['step'] + 1 if history else None
        self._writer = tensorboardX.SummaryWriter(str(workdir / 'tensorboard'), purge_step=purge)

    def write(self, row: dict) -> None:
        """Writes the numbers of an epoch; `row` has `step`."""
        with self._path.open('a') as f:
            f.write(json.dumps(row) + '\n')
        for name, value in row.items():
            if isinstance(value, int | float) and name != 'step':
                self._writer.add_scalar(name, value, row['step'])
        self._writer.flush()

    def close(self) -> None:
        """Flushes and closes the event file."""
        self._writer.close()
