"""How long `fdx baseline` and `fdx monitor` take: seconds of the processor for files of two seconds."""

from __future__ import annotations

import pathlib
import tempfile
import time
from typing import Any

import numpy as np
import scipy.io.wavfile

from fdx.data.collection.entry import Shared
from fdx.data.collection.spec import CollectionSpec
from fdx.datasets.bearing_rig.simulator import simulate
from fdx.health.known import Known
from fdx.health.learn_recordings import learn_recordings
from fdx.health.monitor import Monitor

FILES, MONITORED, SECONDS, RATE_HZ, SPEED_RPM = 100, 20, 2.0, 20480.0, 997.0
MACHINE, LOAD_CASE = 'rig_a', 1


def measure_timing() -> dict[str, Any]:
    """Learns FILES files of one channel and monitors healthy and faulty ones.

    Returns:
      {'files', 'seconds', 'rate_hz', 'baseline_cpu_s', 'baseline_wall_s', 'monitored', 'monitor_cpu_s' and
      'monitor_wall_s' (of a file, after the start), 'faulty_cpu_s' (of a file that is not normal: the universal judge
      is asked as well)}.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for i in range(FILES):
            _write(folder / 'healthy' / f'{i:03d}.wav', 'normal', i)
        for i in range(MONITORED):
            _write(folder / 'later' / f'{i:03d}.wav', 'normal', FILES + i)
            _write(folder / 'faulty' / f'{i:03d}.wav', 'outer_race', i)
        shared = Shared(speed_rpm=SPEED_RPM, bearing='skf_6205')
        spec = CollectionSpec(str(folder / 'healthy'), shared=shared)
        cpu, wall = time.process_time(), time.perf_counter()
        learn_recordings(spec, folder / 'pump')
        learned = time.process_time() - cpu, time.perf_counter() - wall
        with Monitor(folder / 'pump', Known(speed_rpm=SPEED_RPM)) as monitor:
            # The first files cost imports and compiling, which a monitor pays once.
            monitor.file(folder / 'later' / '000.wav')
            monitor.file(folder / 'faulty' / '000.wav')
            cpu, wall = time.process_time(), time.perf_counter()
            for i in range(1, MONITORED):
                monitor.file(folder / 'later' / f'{i:03d}.wav')
            healthy = time.process_time() - cpu, time.perf_counter() - wall
            cpu = time.process_time()
            for i in range(1, MONITORED):
                monitor.file(folder / 'faulty' / f'{i:03d}.wav')
            faulty = time.process_time() - cpu
    return {
        'files': FILES,
        'seconds': SECONDS,
        'rate_hz': RATE_HZ,
        'baseline_cpu_s': round(learned[0], 1),
        'baseline_wall_s': round(learned[1], 1),
        'monitored': MONITORED - 1,
        'monitor_cpu_s': round(healthy[0] / (MONITORED - 1), 3),
        'monitor_wall_s': round(healthy[1] / (MONITORED - 1), 3),
        'faulty_cpu_s': round(faulty / (MONITORED - 1), 3),
    }


def _write(path: pathlib.Path, state: str, seed: int) -> None:
    path.parent.mkdir(exist_ok=True)
    samples = simulate(
        MACHINE, state, SPEED_RPM, LOAD_CASE, duration_s=SECONDS, sample_rate_hz=RATE_HZ, seed=seed
    )  # fmt: skip
    scipy.io.wavfile.write(path, round(RATE_HZ), np.asarray(samples / 50, np.float32))
