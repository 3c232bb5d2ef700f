"""Simulated recordings as CSV files like those of the real data, to try prediction on a raw file."""

from __future__ import annotations

import os

import numpy as np

from fdx.files import atomic_write_text

from .simulator import Reading

HEADER = 'Timestamp,AccX,AccY,AccZ'


def write_csv(path: str | os.PathLike, reading: Reading) -> None:
    """Writes Timestamp (us) and AccX, AccY, AccZ (counts), one row per sample, completely or not at all.

    For example, a motor that no dataset was made with (another seed):

        from datasets.motor_rig import conditions, csv_file, simulator
        condition = conditions.Condition(imbalanced=True, load_nm=0.5)
        csv_file.write_csv('/tmp/motor.csv', simulator.simulate('motor_a', condition, duration_s=30.0, seed=1))

    and then `python -m launch.predict --checkpoint=RUN /tmp/motor.csv`.

    Raises:
      FileWriteError: the file cannot be written; an older one is kept.
    """
    rows = np.column_stack([reading.timestamps_us, reading.counts]).tolist()
    atomic_write_text(path, '\n'.join([HEADER, *(','.join(map(str, row)) for row in rows)]) + '\n')
