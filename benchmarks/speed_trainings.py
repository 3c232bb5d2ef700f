"""What each of many trainings in one process leaves behind: memory maps and memory.

Linux grants a process 65,530 maps, and a compiled program takes some ten. Runs that differ in their data, seed or fold
share their programs, so that a long comparison or benchmark should leave nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import pathlib
import tempfile
from collections.abc import Sequence

from .speed_clock import Found

RUNS, SETTLED = 60, 10  # trainings, and those of them that may still fill caches
DATASET = 'bearing_rig/small'


def measure(parts: Sequence[str], side: str, folder: str, group: str) -> dict[str, Found]:
    """Maps and MB left by each training from the 11th to the 60th, and seconds of a training."""
    from fdx.data.prepare import prepare_if_missing
    from fdx.train.config import TrainConfig
    from fdx.train.run import train

    del side, group
    data_dir = pathlib.Path(folder) / 'data'
    prepare_if_missing(DATASET, data_dir)
    timing, left = Found(), []
    for seed in range(RUNS):
        config = TrainConfig(
            DATASET, data_dir=str(data_dir), model='band_mlp', epochs=1, seed=seed, fold=seed % 5, labels_per_class=32
        )
        with tempfile.TemporaryDirectory() as workdir, timing.timed():
            train(config, workdir)
        if seed + 1 in (SETTLED, RUNS):
            left.append((number_of_maps(), resident_mb()))
    rises = [(after - before) / (RUNS - SETTLED) for before, after in zip(*left)]
    counts = dict(zip(('maps', 'memory'), rises))
    return {part: Found(timing.seconds, timing.cpu_seconds, counts[part]) for part in parts}


def number_of_maps() -> int:
    """Memory maps of this process; 0 where the system does not say."""
    try:
        return pathlib.Path('/proc/self/maps').read_bytes().count(b'\n')
    except OSError:
        return 0


def resident_mb() -> float:
    """Memory of this process in MB, after unused memory has been given back; 0 where the system does not say."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # Another C library has no such function.
        # What the C library keeps for later is not lost.
        ctypes.CDLL(None).malloc_trim(0)
    try:
        status = pathlib.Path('/proc/self/status').read_text(encoding='utf-8')
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith('VmRSS')), 0.0)
