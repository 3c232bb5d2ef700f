"""What a network has learned from, kept with it: what starts from it must not be scored on the same samples.

A checkpoint's `learned_from` is a list: what its own run learned from, then what the networks before it did. An entry
is JSON-able: dataset (with version), protocol, fold, seed; `spans`, recording -> [[from, to], ...] in seconds; `runs`,
recording -> acquisition where that is another name; `bearings`; and `landmarks`, the smallest 8192 of
fdx.data.fingerprint that its rows hold, by which samples are found under other names. Of a table of readings the spans
are empty, and the landmarks are hashes of the readings.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fdx.data.table import Table

MAX_LANDMARKS = 8192
# Of its low bits: that many of them meet by chance once in some hundred tables.
BITS = np.int64(2**32 - 1)
# A recording was learned from if so many of its landmarks were, and at least this share.
MIN_LANDMARKS, MIN_SHARE = 6, 0.25
MIN_SHARE_OF_READINGS = 0.1
# Protocols whose test part is of recordings (or bearings) that are new as a whole.
OF_WHOLE_RECORDINGS = ('by_recording', 'by_bearing', 'by_domain', 'domain_pairs')
FOREVER = 1e9


@dataclasses.dataclass(frozen=True)
class Sketch:
    """The smallest landmarks of a set, of which the low 32 bits are kept.

    Attributes:
      marks: uint32 [N], sorted.
      up_to: the largest of them, whole: smaller ones that are not there were not in the set.
    """

    marks: np.ndarray
    up_to: int

    @classmethod
    def of(cls, table: Table, rows: np.ndarray) -> Sketch:
        """Of the landmarks that tell the time: those found in one recording only, and there at one time only."""
        if is_readings(table):
            values = np.unique(_reading_marks(table, rows))
        elif table.fingerprints() is None or not len(rows):
            return cls(np.zeros(0, np.uint32), 0)
        else:
            values = np.unique(np.concatenate([v for _, v, _ in telling(table, rows)]))
        values = values[:MAX_LANDMARKS]
        up_to = int(values[-1]) if len(values) == MAX_LANDMARKS else int(np.iinfo(np.int64).max)
        return cls(np.unique((values & BITS).astype(np.uint32)), up_to)

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        return {'up_to': self.up_to, 'marks': base64.b64encode(self.marks.astype('<u4').tobytes()).decode()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Sketch:
        """Inverse of `to_json`."""
        return cls(np.frombuffer(base64.b64decode(data['marks']), '<u4'), int(data['up_to']))

    def share(self, values: np.ndarray) -> tuple[int, int]:
        """(how many of the landmarks [N] were in the set, how many could be told)."""
        told = values[values <= self.up_to]
        return int(np.isin((told & BITS).astype(np.uint32), self.marks).sum()), len(told)


def is_readings(table: Table) -> bool:
    """Whether rows are single readings, whose recording is the hash of what was read."""
    return table.window_length == 1


def _reading_marks(table: Table, rows: np.ndarray) -> np.ndarray:
    """int64 [N]: 63 bits of the hash of each row's readings."""
    return np.array([int(n.rpartition('_')[2][:16], 16) >> 1 for n in table['recording'][rows]], np.int64)


def telling(table: Table, rows: np.ndarray) -> list[tuple[str, np.ndarray, float]]:
    """For each recording of `rows`: (its name, landmarks int64 [N] that it holds once, share of those it repeats).

    What it repeats at another time, or shares with another recording of the rows, is of a periodic machine.
    """
    prints, names = table.fingerprints()[rows], table['recording'][rows]
    there = prints > 0
    values, at = prints[there], np.repeat(np.arange(len(rows)), there.sum(axis=1))
    known, number = np.unique(names, return_inverse=True)
    order = np.lexsort((values, number[at]))
    values, owner, starts = values[order], number[at][order], table['window_start'][rows].astype(np.int64)[at][order]
    first = np.flatnonzero(np.r_[True, (np.diff(values) != 0) | (np.diff(owner) != 0)][: len(values)])
    if not len(first):
        return [(str(n), np.zeros(0, np.int64), 0.0) for n in known]
    again = np.maximum.reduceat(starts, first) - np.minimum.reduceat(starts, first) >= table.window_length
    values, owner = values[first], owner[first]
    _, back, counts = np.unique(values, return_inverse=True, return_counts=True)
    again |= counts[back] > 1
    return [
        (str(n), values[(owner == i) & ~again], float(again[owner == i].mean()) if (owner == i).any() else 0.0)
        for i, n in enumerate(known)
    ]


def learned_from(config: Any, dataset: str, table: Table, rows: np.ndarray, rate_hz: float) -> dict[str, Any]:
    """The entry of a run: what its training rows are of.

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

    Under a protocol of whole recordings a row counts as learned from where anything of its recording (bearing) was,
    under others where a sample of it was.

    Args:
      entries: of `learned_from`.
      dataset: name of the rows' dataset with its version.
      table: its table.
      rows: int [N].
      rate_hz: common rate of its windows; 0 for a table of readings.
      protocol: by which they were split.
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
    """Rows of readings that were learned from, unless they are so few that two tables may meet in them by chance."""
    sketch, marks = Sketch.from_json(entry['landmarks']), _reading_marks(table, rows)
    told = marks <= sketch.up_to
    learned = told & np.isin((marks & BITS).astype(np.uint32), sketch.marks)
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
            # A hair less than touching: seconds are rounded.
            overlap = (starts[mine] < high - 1e-9) & (ends[mine] > low + 1e-9)
            learned[mine] |= True if protocol in OF_WHOLE_RECORDINGS else overlap
    if protocol == 'by_bearing':
        learned |= np.isin(table['bearing'][rows], entry['bearings'])
    return learned


def _by_content(entry: Mapping[str, Any], table: Table, rows: np.ndarray) -> list[str]:
    """Recordings of other names, or of other datasets, whose samples were learned from."""
    sketch, found = Sketch.from_json(entry['landmarks']), []
    if not len(sketch.marks):
        return []
    own = set(entry['spans']) | set(entry['runs'].values())
    run_of = dict(zip(table['recording'][rows].tolist(), table.acquisitions()[rows].tolist()))
    for name, values, periodic in telling(table, rows):
        hits, told = sketch.share(values)
        # A recording under its own name was looked for by time: what it repeats of its training part is no copy.
        if name not in own and run_of[name] not in own and hits >= max(MIN_LANDMARKS, (MIN_SHARE + periodic) * told):
            found.append(name)
    return found


def whole_recordings(meta: Mapping[str, Any], same_split: bool) -> dict[str, Any]:
    """The entry of a run that was trained before entries were kept: all of every recording that it trained on.

    Args:
      meta: of its checkpoint.
      same_split: whether protocol, fold, seed and data are those of the run that starts from it, whose training part
        it then shares.
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
