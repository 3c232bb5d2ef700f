"""One training run as a program: tests start it where a run needs its own process (devices, hosts, being killed).

    python program.py SPEC.json

SPEC: config (fields of TrainConfig), workdir, and where wanted:
  distributed: [coordinator, number of processes, process id]
  signal: [name, epoch counted from 1, step of that epoch counted from 0, process id]: sent to itself before that step
  output: JSON file of what came out: history, best_step, error; how many processes and devices there were
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import time


def main() -> None:
    spec = json.loads(pathlib.Path(sys.argv[1]).read_text())
    import jax

    if 'distributed' in spec:
        jax.distributed.initialize(*spec['distributed'])
    from fdx.train.config import TrainConfig
    from fdx.train.run import train
    from fdx.types import FdxError

    out = {'processes': jax.process_count(), 'devices': jax.device_count()}
    try:
        result = train(TrainConfig.from_json(spec['config']), spec['workdir'], progress=_progress(spec.get('signal')))
        out |= {'history': result.history, 'best_step': result.best_step}
    except FdxError as e:
        out['error'] = f'{type(e).__name__}: {e}'
    if 'output' in spec:
        pathlib.Path(spec['output']).write_text(json.dumps(out))


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
