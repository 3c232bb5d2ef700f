"""Fits what a checkpoint knows about the look of its own windows (fdx.data.familiar)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.familiar import COVERAGE, FLOOR, Familiar, nearest
from fdx.data.summary import summarise_inputs
from fdx.signal.front_ends import reads_orders
from fdx.signal.readings import reads_tables
from fdx.signal.scaling import Gain

MOST_WINDOWS = 256
FEWEST_WINDOWS = 8
OF_TABLES = 'rows of a table are compared column by column'
OF_ORDERS = (
    'images of orders are made to be alike on all machines, and noise looks like a healthy one in them, so no distance '
    'tells what is foreign'
)
TOO_FEW = (
    'training and validation have {windows} windows of {recordings} recordings: how far windows of another recording '
    'lie cannot be seen from fewer than {needed} windows of two recordings'
)


def fit_familiar(sources: Sequence[tuple[PreparedDataset, np.ndarray]], gain: Gain) -> Familiar:
    """The windows that a run keeps for comparison, and the limit of their distances.

    Args:
      sources: (dataset, its rows that the run learns from or is chosen by), e.g. both domains of an adaptation; never
        test rows. All datasets have the front end of the first.
      gain: fitted on the training rows.

    Returns:
      One that judges nothing, and says why, for tables, for front ends that read orders, and where there are fewer than
      FEWEST_WINDOWS windows, or one recording only.
    """
    front_end = sources[0][0].front_end
    if reads_tables(front_end):
        return Familiar.nothing(OF_TABLES)
    if reads_orders(front_end.name):
        return Familiar.nothing(OF_ORDERS)
    summaries, recordings, domains = [], [], []
    for i, (dataset, rows) in enumerate(sources):
        kept = spread_over(dataset.table['recording'], rows, MOST_WINDOWS // len(sources))
        if not len(kept):
            continue
        images = front_end.with_gain(np.stack([dataset.inputs(int(row)) for row in kept]), gain)
        summaries.append(summarise_inputs(images, front_end))
        # Two datasets may use the same names.
        recordings += [(i, str(name)) for name in dataset.table['recording'][kept]]
        domains += [(i, str(name)) for name in dataset.table['domain'][kept]]
    found = np.concatenate(summaries) if summaries else np.zeros((0, 1))
    good = np.isfinite(found).all(axis=1)
    by_recording, by_domain = _numbers(recordings)[good], _numbers(domains)[good]
    return _fitted(found[good], by_recording, by_domain)


def _fitted(summaries: np.ndarray, recordings: np.ndarray, domains: np.ndarray) -> Familiar:
    """Of summaries float64 [N, D] and the numbers of their recordings and domains, int [N]."""
    count = len(np.unique(recordings))
    if len(summaries) < FEWEST_WINDOWS or count < 2:
        said = TOO_FEW.format(windows=len(summaries), recordings=count, needed=FEWEST_WINDOWS)
        return Familiar.nothing(said)
    mean, spread = summaries.mean(axis=0), summaries.std(axis=0)
    typical = float(np.sqrt(np.mean(np.square(spread))))
    scale = spread + FLOOR * typical if typical else np.ones_like(spread)
    windows = (summaries - mean) / scale
    several = len(np.unique(domains)) > 1
    groups = domains if several else recordings
    limit = max(_reach(windows, groups == group) for group in np.unique(groups))
    # Windows that are all the same have no distances: any other one is foreign.
    limit = max(limit, float(np.finfo(np.float16).eps))
    return Familiar(mean, scale, windows, limit, 'domain' if several else 'recording')


def _reach(windows: np.ndarray, left_out: np.ndarray) -> float:
    """The distance within which COVERAGE of the windows that are left out lie, as seen from the others."""
    return float(np.quantile(nearest(windows[left_out], windows[~left_out]), COVERAGE))


def spread_over(recordings: np.ndarray, rows: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the rows, evenly over recordings and within each of them, in table order.

    Args:
      recordings: names [table], of each row of the table.
      rows: int [N].
      most: how many.
    """
    names = np.unique(recordings[rows])
    if len(names) > most:  # Not one for each: those that remain are spread over all.
        names = names[np.linspace(0, len(names) - 1, most).astype(int)]
    kept = []
    for name in names:
        mine = np.sort(rows[recordings[rows] == name])
        share = max(1, most // len(names))
        kept.append(mine[np.unique(np.linspace(0, len(mine) - 1, min(share, len(mine))).astype(int))])
    return np.sort(np.concatenate(kept)) if kept else np.zeros(0, np.int64)


def _numbers(names: Sequence[tuple[int, str]]) -> np.ndarray:
    """Names as numbers, equal ones alike: int64 [N]."""
    known = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names], np.int64)
