"""Learns a machine's normal state anew from its history, after maintenance has changed it."""

from __future__ import annotations

import dataclasses
import os
import pathlib

import numpy as np

from fdx.health.baseline_file import Saved, load_baseline, save_baseline
from fdx.health.contamination import without_odd
from fdx.health.history import History
from fdx.health.history_rows import name_of
from fdx.health.learn import UNUSUAL, WORSE, Settings, learn
from fdx.health.sample import Sample
from fdx.health.states import UNUSABLE
from fdx.locks import LOCK, hold
from fdx.types import DataError


def relearn(workdir: str | os.PathLike, since: float) -> Saved:
    """Learns a baseline from the recordings of the history that were taken at a time or later.

    Their numbers are in the history, so that no file is read. Numbers, detector, wish and rule stay those of the newest
    baseline; that one is kept. Recordings that are not like the others are left out. Later recordings are scored
    against the new baseline, and no alarm of before counts.

    Args:
      workdir: with a baseline and a history.
      since: seconds since 1970, by the recordings' own times (fdx.health.dates).

    Raises:
      CheckpointError: there is no baseline.
      DataError: too few recordings since then, and how many more are needed; or too many that are not like the others.
      LockedError, FileWriteError: another program learns there, or the folder cannot be written.
    """
    workdir = pathlib.Path(workdir)
    with hold(workdir / LOCK, f'the baseline {workdir}', remedy='wait until it ends'):
        saved = load_baseline(workdir)
        before = saved.baseline
        with History(workdir) as history:
            found = [row for row in history.rows(since=since) if row['state'] != UNUSABLE]
        width = before.sample.values.shape[1]
        rows = [row for row in found if row['rows'] is not None and row['rows'].shape[1] == width]
        if not rows:
            raise DataError(
                f'{workdir}: the history holds no recording since then: score those after the maintenance first'
            )
        rows.sort(key=lambda row: (row['recorded_at'], row['id']))
        sample = Sample.of(
            [row['rows'] for row in rows],
            [name_of(row) for row in rows],
            [_number(row['speed_rpm']) for row in rows],
            [_number(row['load']) for row in rows],
        )
        sample, odd = without_odd(sample, before.features)
        alarm_on = before.about.get('alarm_on', WORSE if before.asks_worse else UNUSUAL)
        settings = Settings(before.detector, before.wish, before.rule, before.seed, alarm_on)
        fresh = learn(sample, settings, features=before.features, plan=before.plan)
        about = {
            **fresh.about,
            'left_out': [list(pair) for pair in odd],
            'detectors': [],
            'relearned_since': since,
            'replaces': saved.number,
        }
        return save_baseline(workdir, dataclasses.replace(fresh, about=about), saved.recordings)


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
