"""The study's training job as a work of the table: see `study_job`, which both sides run once."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from .speed_clock import Found
from .study_job import DATASET, make_weights, run_fdx, run_torch

WEIGHTS = 'study_job.safetensors'


def measure(parts: Sequence[str], side: str, folder: str, group: str) -> dict[str, Found]:
    """Seconds of the whole job; the dataset and the weights are made first where they are missing."""
    from fdx.data.prepare import prepare_if_missing

    del group
    data_dir, weights = pathlib.Path(folder) / 'data', pathlib.Path(folder) / WEIGHTS
    prepare_if_missing(DATASET, data_dir)
    if not weights.exists():
        make_weights(weights)
    run, found = run_fdx if side == 'fdx' else run_torch, {}
    for part in parts:
        found[part] = Found()
        job = run(str(weights), str(data_dir))
        found[part].seconds.append(job['seconds'])
        found[part].cpu_seconds.append(job['cpu_seconds'])
    return found
