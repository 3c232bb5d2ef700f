"""Logs of a machine in which nothing can be learned: the label of a run is a coin."""

from __future__ import annotations

import numpy as np

from fdx.data.readings import ReadingsTable

NAMES = ('rpm', 'temperature_c', 'vibration_g', 'current_a')
CENTRE, SPREAD = np.array([1500, 60, 0.3, 10]), np.array([300, 10, 0.08, 2])
STEP = np.array([2, 0.07, 0.0006, 0.015])


def coin_log(seed, runs=40, rows=100, *, flicker=0.0, jumps=True):
    """(readings [runs * rows, 4], labels): every run starts elsewhere (`jumps`) or where the last one ended.

    `flicker` is the share of rows whose label is the other one.
    """
    rng = np.random.default_rng(seed)
    values, labels, at = [], [], CENTRE.astype(float)
    for _ in range(runs):
        start = CENTRE + SPREAD * rng.standard_normal(4) if jumps else at
        values.append(start + np.cumsum(rng.standard_normal((rows, 4)), 0) * STEP)
        at = values[-1][-1]
        label = np.full(rows, rng.integers(2))
        labels.append(np.where(rng.random(rows) < flicker, 1 - label, label))
    return np.concatenate(values), np.concatenate(labels)


def taking_turns(seed, machines=5, rows=40, runs=20):
    """A logger that asks each machine in turn, row by row: neighbours in the file are other machines."""
    logs = [coin_log(100 * seed + m, runs, rows) for m in range(machines)]
    return np.stack([v for v, _ in logs], 1).reshape(-1, 4), np.stack([y for _, y in logs], 1).reshape(-1)


def readings_table(values, labels, groups=None):
    """The table of a dataset of readings, rows in the order of the file."""
    values = np.asarray(values, np.float32)
    n = len(values)
    columns = {
        'label': labels,
        'fault_type': labels,
        'recording': np.array([row.tobytes().hex() for row in values]),
        'window_start': np.arange(n),
        'block': np.full(n, -1),
        'domain': np.full(n, 'table'),
        'bearing': np.full(n, ''),
        'peak': values,
        'row': np.arange(n),
    }
    if groups is not None:
        columns['group'] = np.array([str(g) for g in groups])
    return ReadingsTable(columns, 1, NAMES)
