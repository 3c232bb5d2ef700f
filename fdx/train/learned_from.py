"""What a network has learned from. It is kept with the network: a run that starts from it must not be scored on that.

A checkpoint's `learned_from` is a list: first the entry of its own run, then those of the networks that it started
from. An entry is JSON-able. It holds dataset (with version), protocol, fold, seed; `spans`, recording -> [[from, to],
...] in seconds; `runs`, recording -> acquisition where that has another name; `bearings`; and `landmarks`, the smallest
8192 landmarks (fdx.data.fingerprint) of its rows, by which samples are found under other names. For a table of readings
the spans are empty, and the landmarks are hashes of the readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fdx.data.table import Table
from fdx.train.landmarks import Sketch, is_readings, reading_marks, telling

# A recording counts as learned from if at least so many of its landmarks were, and at least this share of them.
MIN_LANDMARKS, MIN_SHARE = 6, 0.25
MIN_SHARE_OF_READINGS = 0.1
# Protocols whose test recordings (or bearings) must be new as a whole.
OF_WHOLE_RECORDINGS = ('by_recording', 'by_bearing', 'by_domain', 'by_speed', 'by_load', 'domain_pairs')
FOREVER = 1e9


def learned_from(config: Any, dataset: str, table: Table, rows: np.ndarray, rate_hz: float) -> dict[str, Any]:
    """The entry of a run: what its training rows were taken from.

    Args:
      config: has protocol, fold and seed.
      dataset: its name with its version.
      table: its table.
      rows: int [N], training rows.
      rate_hz: common rate of its windows; 0 for a table of readings.
    """
    recordings, runs = table['recording'][rows], table.acquisitions()[rows]
    spans = {}
    for name in () if is_readings(table) else np.unique(recordings):
        starts = np.sort(table['window_start'][rows[recordings == name]].astype(np.int64))
        new = np.r_[True, np.diff(starts) > table.window_length]
        ends = np.r_[starts[:-1][new[1:]], starts[-1:]] + table.window_length
        spans[str(name)] = (np.stack([starts[new], ends], axis=1) / (rate_hz or 1.0)).tolist()
    return {
        'dataset': dataset,
        'protocol': config.protocol,
        'fold': config.fold,
        'seed': config.seed,
        'spans': spans,
        'runs': {str(n): str(r) for n, r in sorted(set(zip(recordings.tolist(), runs.tolist()))) if n != r},
        'bearings': sorted(set(table['bearing'][rows].tolist())),
        'landmarks': Sketch.of(table, rows).to_json(),
    }


def rows_learned(
    entries: Iterable[Mapping[str, Any]], dataset: str, table: Table, rows: np.ndarray, rate_hz: float, protocol: str
) -> np.ndarray:
    """Which rows a network has learned from: bool [N].

    Under a protocol of whole recordings, a row counts if anything of its recording (or bearing) was learned from;
    under other protocols, if a sample of the row itself was.

    Args:
      entries: of `learned_from`.
      dataset: name of the rows' dataset with its version.
      table: its table.
      rows: int [N].
      rate_hz: common rate of its windows; 0 for a table of readings.
      protocol: how the rows were split.
    """
    learned = np.zeros(len(rows), bool)
    for entry in entries:
        if is_readings(table):
            learned |= _readings_learned(entry, table, rows)
            continue
        if entry['dataset'].partition('/')[0] == dataset.partition('/')[0]:
            learned |= _by_name(entry, table, rows, rate_hz, protocol)
        if table.fingerprints() is not None and len(rows) and not learned.all():
            learned |= np.isin(table['recording'][rows], _by_content(entry, table, rows))
    return learned


def _readings_learned(entry: Mapping[str, Any], table: Table, rows: np.ndarray) -> np.ndarray:
    """Which rows of readings were learned from; none if they are so few that two tables may share them by chance."""
    sketch, marks = Sketch.from_json(entry['landmarks']), reading_marks(table, rows)
    told = marks <= sketch.up_to
    learned = told & sketch.holds(marks)
    return learned if learned.sum() >= MIN_SHARE_OF_READINGS * max(told.sum(), 1) else np.zeros(len(rows), bool)


def _by_name(entry: Mapping[str, Any], table: Table, rows: np.ndarray, rate_hz: float, protocol: str) -> np.ndarray:
    names, runs = table['recording'][rows], table.acquisitions()[rows]
    spans: dict[str, list] = {}
    for name, of in entry['spans'].items():
        for key in {name, entry['runs'].get(name, name)}:
            spans.setdefault(key, []).extend(of)
    learned = np.zeros(len(rows), bool)
    scale = rate_hz or 1.0
    starts = table['window_start'][rows] / scale
    ends = (table['window_start'][rows] + table.window_length) / scale
    for name, run in sorted(set(zip(names.tolist(), runs.tolist()))):
        mine = (names == name) & (runs == run)
        for low, high in spans.get(name, []) + (spans.get(run, []) if run != name else []):
            # Spans that merely touch do not overlap; the tolerance is for rounded seconds.
            overlap = (starts[mine] < high - 1e-9) & (ends[mine] > low + 1e-9)
            learned[mine] |= True if protocol in OF_WHOLE_RECORDINGS else overlap
    if protocol == 'by_bearing':
        learned |= np.isin(table['bearing'][rows], entry['bearings'])
    return learned


def _by_content(entry: Mapping[str, Any], table: Table, rows: np.ndarray) -> list[str]:
    """Recordings whose samples were learned from under another name or in another dataset."""
    sketch, found = Sketch.from_json(entry['landmarks']), []
    if not len(sketch.marks):
        return []
    own = set(entry['spans']) | set(entry['runs'].values())
    run_of = dict(zip(table['recording'][rows].tolist(), table.acquisitions()[rows].tolist()))
    for name, values, periodic in telling(table, rows):
        hits, told = sketch.share(values)
        # A recording under its own name was already compared by time. If it repeats landmarks of its training part,
        # that does not make it a copy.
        if name not in own and run_of[name] not in own and hits >= max(MIN_LANDMARKS, (MIN_SHARE + periodic) * told):
            found.append(name)
    return found


def whole_recordings(meta: Mapping[str, Any], same_split: bool) -> dict[str, Any]:
    """The entry of a run of before entries were kept: the whole of every recording that it trained on.

    Args:
      meta: what its checkpoint says.
      same_split: whether the run that starts from it has the same protocol, fold, seed and data, and so the same
        training part.
    """
    config = meta['config']
    names: Sequence[str] = () if same_split else meta['train_recordings']
    return {
        'dataset': meta['dataset']['name'],
        **{k: config[k] for k in ('protocol', 'fold', 'seed')},
        'spans': {name: [[0.0, FOREVER]] for name in names},
        'runs': {},
        'bearings': [],
        'landmarks': Sketch(np.zeros(0, np.uint32), 0).to_json(),
    }
