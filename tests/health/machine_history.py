"""A workdir with a baseline of simulated rows and a history of recordings that change as a test wishes."""

from __future__ import annotations

import functools
import math
import pathlib

import numpy as np

from fdx.health.baseline import Baseline
from fdx.health.baseline_file import Saved, save_baseline
from fdx.health.feature_plan import Feature
from fdx.health.history import History
from fdx.health.history_rows import Content, Finding
from fdx.health.learn import Settings, learn
from fdx.health.sample import Sample
from fdx.health.states import next_state
from fdx.health.wish import Wish

BANDS = ('100 Hz', '200 Hz', '400 Hz', '800 Hz', '1600 Hz')
FEATURES = tuple(Feature('bands', channel, hz) for channel in ('x', 'y') for hz in BANDS)
START_S, HOUR_S = 1.7e9, 3600.0


def rows_of(n: int, seed: int, shift: np.ndarray | float = 0.0) -> np.ndarray:
    """Rows [n, D] of a machine in good order, plus a shift of the numbers of channel x: float [n] or one number."""
    rows = np.random.default_rng(seed).standard_normal((n, len(FEATURES)))
    rows[:, : len(BANDS)] += np.broadcast_to(np.asarray(shift, np.float64), n)[:, None]
    return rows


@functools.cache
def learned(healthy: int = 60, seed: int = 0) -> Baseline:
    """A baseline of so many healthy recordings."""
    return learn(Sample.of(list(rows_of(healthy, seed))), Settings(wish=Wish(30, 24)), features=FEATURES)


def add(history: History, saved: Saved, rows: np.ndarray, first: int = 0, **said) -> None:
    """Judges rows [N, D], one recording an hour, as a monitor does.

    Args:
      history: to write into.
      saved: the baseline.
      rows: of the recordings.
      first: number of the first one.
      **said: more of what is said of each: verdict, sensor, reason.
    """
    # What a kill leaves is tested in test_history; here nobody waits for the disk.
    history._db.execute('PRAGMA synchronous=OFF')
    baseline = saved.baseline
    found = baseline.scored(Sample.of(list(rows)))
    for i, (scored, row) in enumerate(zip(found, rows), start=first):
        finding = Finding(
            scored.score,
            scored.p_value,
            said.get('state', ''),
            {
                'moved': [m.to_dict() for m in scored.moved],
                'notes': [],
                **{k: v for k, v in said.items() if k != 'state'},
            },
            row[None],
            None if said.get('undated') else START_S + i * HOUR_S,
            math.nan,
            math.nan,
            scored.rise,
            scored.rise_p,
        )
        content = Content(f'/data/rec_{i:04d}.wav', f'sha{i}', 1, 1)
        state_after = functools.partial(next_state, baseline)
        history.add(content, finding, saved.number, baseline.rule.among - 1, state_after)


def make(workdir: pathlib.Path, rows: np.ndarray, healthy: int = 60, **said) -> Saved:
    """A workdir with a baseline and judged rows [N, D]."""
    saved = save_baseline(workdir, learned(healthy))
    if len(rows):
        with History(workdir) as history:
            add(history, saved, rows, **said)
    return saved
