"""Healthy recordings of a folder or manifest as rows of numbers."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from fdx.data.collection.entry import Collection, Entry
from fdx.data.collection.read import options_of, read_entry
from fdx.data.processes import cores
from fdx.data.raw.files import raw_length
from fdx.health.dates import in_time, recorded_at
from fdx.health.embeddings import judge_digest, network_of
from fdx.health.feature_plan import FeaturePlan, plan_features
from fdx.health.features import features_of
from fdx.health.sample import Sample
from fdx.signal.bearings import parse_bearing
from fdx.types import BearingGeometry, DataError, FdxError, Recording

Progress = Callable[[Iterable[Entry]], Iterable[Entry]]
# The plan follows from so many files, spread evenly; the shortest and slowest tenth of them have no say, so that one
# odd file does not decide for all.
LOOKED_AT, ODD_SHARE = 32, 0.1


@dataclasses.dataclass(frozen=True)
class Healthy:
    """Recordings that became rows.

    Attributes:
      sample: the rows, in the order of time.
      plan: how they were made.
      unusable: (name, why) of those that did not, copies of others among them.
      recorded_at: one per recording, seconds since 1970; NaN where unknown.
    """

    sample: Sample
    plan: FeaturePlan
    unusable: tuple[tuple[str, str], ...]
    recorded_at: np.ndarray


def read_healthy(
    collection: Collection,
    *,
    sets: Sequence[str] | None = None,
    piece_s: float | None = None,
    checkpoint: str = '',
    progress: Progress = lambda entries: entries,
    each: Callable[[Recording], None] = lambda recording: None,
) -> Healthy:
    """Reads all recordings of a collection once, one in memory at a time.

    Args:
      collection: the recordings.
      sets: names of FEATURE_SETS; None: those that fit.
      piece_s: seconds of pieces that stand for recordings.
      checkpoint: workdir of a run whose network is read, too; ''.
      progress: wraps the entries, to show how far it is.
      each: called with every recording that became a row.

    Raises:
      DataError: no recording can be read.
      ConfigError: a set that the recordings do not allow.
    """
    plan = plan_of(collection, sets, piece_s, checkpoint)
    entries = [collection.entries[i] for i in in_time([e.recording for e in collection.entries])]
    rows, names, speeds, loads, times, unusable = [], [], [], [], [], []
    seen: dict[bytes, str] = {}
    for entry, recording, made in _made(progress(entries), collection, plan):
        if isinstance(made, FdxError):
            unusable.append((entry.recording, str(made)))
            continue
        # A copy would be as usual as its original, whatever it holds.
        original = seen.setdefault(hashlib.blake2b(recording.samples.tobytes()).digest(), entry.recording)
        if original != entry.recording:
            unusable.append((entry.recording, f'it is a copy of {original}'))
            continue
        rows.append(made)
        names.append(entry.recording)
        speeds.append(recording.speed_rpm)
        loads.append(recording.load)
        times.append(recorded_at(entry.files[0]) or math.nan)
        each(recording)
    if not rows:
        raise DataError(f'no recording of {collection.source} can be used; the first: {unusable[0][1]}')
    return Healthy(Sample.of(rows, names, speeds, loads), plan, tuple(unusable), np.array(times))


def _made(
    entries: Iterable[Entry], collection: Collection, plan: FeaturePlan
) -> Iterator[tuple[Entry, Any, np.ndarray | FdxError]]:
    """(entry, recording, its rows or why there are none) in order.

    This thread reads, one per core makes rows: most of that is Fourier transforms, which leave Python to the others.
    """
    with concurrent.futures.ThreadPoolExecutor(cores()) as pool:
        waiting: collections.deque = collections.deque()
        for entry in entries:
            try:
                recording = read_entry(entry, collection.shared)
            except FdxError as e:
                waiting.append((entry, None, e))
            else:
                waiting.append((entry, recording, pool.submit(features_of, recording, plan)))
            if len(waiting) > cores():
                yield _awaited(*waiting.popleft())
        while waiting:
            yield _awaited(*waiting.popleft())


def _awaited(entry: Entry, recording: Any, made: Any) -> tuple[Entry, Any, np.ndarray | FdxError]:
    if isinstance(made, FdxError):
        return entry, recording, made
    try:
        return entry, recording, made.result()
    except FdxError as e:
        return entry, recording, e


def plan_of(
    collection: Collection, sets: Sequence[str] | None, piece_s: float | None, checkpoint: str = ''
) -> FeaturePlan:
    """The plan that fits nearly all recordings of a collection; DataError where none of those looked at can be read."""
    entries = collection.entries
    some = [entries[i] for i in np.unique(np.linspace(0, len(entries) - 1, min(len(entries), LOOKED_AT)).astype(int))]
    rates, lengths, channels, error = [], [], [], None
    for entry in some:
        try:
            found = [raw_length(file, **_whole(options_of(entry, file, collection.shared))) for file in entry.files]
            rate = found[0].sample_rate_hz
            if rate is None:
                raise DataError(f'{entry.place}: it does not tell its sampling rate; pass `sample_rate_hz` in Hz')
        except FdxError as e:
            error = e
            continue
        seconds = sum(length.num_samples for length in found) / rate
        rates.append(rate)
        stop_s = seconds if entry.stop_s is None else min(entry.stop_s, seconds)
        lengths.append(stop_s - entry.start_s)
        channels.append(found[0].channel_names or tuple(map(str, range(found[0].num_channels))))
    if not rates:
        raise DataError(f'none of the first recordings of {collection.source} can be read: {error}')
    speeds = np.array([e.speed_rpm for e in entries])
    slowest = float(speeds.min()) if np.isfinite(speeds).all() else math.nan
    return plan_features(
        shortest_s=_low(lengths),
        lowest_rate_hz=_low(rates),
        channels=collections.Counter(channels).most_common(1)[0][0],
        slowest_rpm=slowest,
        geometry=geometry_of(collection),
        sets=sets,
        piece_s=piece_s,
        network=network_of(checkpoint) if checkpoint else None,
        judge=judge_digest() if sets and 'judge' in sets else '',
    )


def geometry_of(collection: Collection) -> BearingGeometry | None:
    """The bearing of the collection, where all recordings have the same one."""
    found = {entry.geometry for entry in collection.entries}
    if len(found) == 1 and None not in found:
        return found.pop()
    return parse_bearing(collection.shared.bearing) if collection.shared.bearing else None


def _low(values: Sequence[float]) -> float:
    return sorted(values)[int(ODD_SHARE * len(values))]


def _whole(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in ('start_s', 'stop_s')}
