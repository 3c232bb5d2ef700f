"""One training run as a program: tests start it where a run needs its own process (devices, hosts, being killed).

    python program.py SPEC.json

SPEC: config (fields of TrainConfig), workdir, and where wanted:
  distributed: [coordinator, number of processes, process id]
  signal: [name, epoch counted from 1, step of that epoch counted from 0, process id]: sent to itself before that step
  stages: [[number of devices, signal], ...]: the run goes on in the same process, on the first devices
  eval_batch: size of the batches of evaluation
  output: JSON file of what came out: history, best_step, error; how many processes and devices there were; which rows
    of the dataset this process has read inputs of
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import sys
import time
from unittest import mock


def main() -> None:
    spec = json.loads(pathlib.Path(sys.argv[1]).read_text())
    import jax

    if 'distributed' in spec:
        jax.distributed.initialize(*spec['distributed'])
    from fdx.data.source import Dataset
    from fdx.train import forward
    from fdx.train.config import TrainConfig
    from fdx.train.run import train
    from fdx.types import FdxError

    forward.EVAL_BATCH = spec.get('eval_batch', forward.EVAL_BATCH)
    rows: list[int] = []
    inputs = Dataset.inputs
    # A test of several processes counts what each of them reads.
    Dataset.inputs = lambda self, row: rows.append(row) or inputs(self, row)  # type: ignore[method-assign, func-returns-value]
    out = {'processes': jax.process_count(), 'devices': jax.device_count(), 'stopped': []}
    for count, when in spec.get('stages', [(jax.device_count(), spec.get('signal'))]):
        try:
            with on_first(jax, count):
                result = train(TrainConfig.from_json(spec['config']), spec['workdir'], progress=_progress(when))
            out |= {'history': result.history, 'best_step': result.best_step}
        except FdxError as e:
            out['error'] = f'{type(e).__name__}: {e}'
            out['stopped'].append(out['error'])
    if 'output' in spec:
        pathlib.Path(spec['output']).write_text(json.dumps(out | {'rows': rows}))


def on_first(jax, count: int):
    """Lets fdx see the first `count` devices alone."""
    if count == jax.device_count():
        return contextlib.nullcontext()
    return mock.patch.multiple(jax, device_count=lambda: count, local_device_count=lambda: count)


def _progress(when):
    """A progress bar that sends this process a signal."""

    pause_s = 0.0

    def progress(iterable, desc='', **_):
        nonlocal pause_s
        for i, item in enumerate(iterable):
            if when and desc.startswith(f'epoch {when[1]}/') and i == when[2]:
                import jax

                if jax.process_index() == when[3]:
                    os.kill(os.getpid(), getattr(signal, when[0]))
                # The others hear of it by messages: no step is to be faster than those.
                pause_s = 0.5
            time.sleep(pause_s)
            yield item

    return progress


if __name__ == '__main__':
    main()
