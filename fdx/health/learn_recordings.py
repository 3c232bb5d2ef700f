"""From a folder of healthy recordings to a baseline in a workdir."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import threadpoolctl

from fdx.data.collection.collect import open_collection
from fdx.data.collection.entry import Collection, Entry
from fdx.data.collection.read import options_of
from fdx.data.collection.spec import CollectionSpec
from fdx.data.raw.files import raw_length
from fdx.health.baseline import Baseline
from fdx.health.baseline_file import Saved, save_baseline
from fdx.health.choice import RECORDINGS, Judged, best, faulty_rows, judged
from fdx.health.contamination import without_odd
from fdx.health.learn import FEWEST_UNITS, Settings, check_enough, learn
from fdx.health.operating import lay_out
from fdx.health.recordings import Healthy, read_healthy
from fdx.health.sensor_facts import SensorFacts, sensor_facts
from fdx.locks import LOCK, hold
from fdx.types import DataError, Recording

AUTO = 'auto'
HEALTHY_TYPE = 'normal'
# Of so many recordings the facts about the sensor are kept, evenly over time.
SENSOR_RECORDINGS = 20
# And so many seconds of those that get faults.
KEPT_S = 10.0
# More files than this share that cannot be read are no exceptions.
MOST_UNUSABLE = 0.5


@dataclasses.dataclass(frozen=True)
class Options:
    """How a baseline is learned from recordings.

    Attributes:
      sets: names of fdx.health.feature_plan.FEATURE_SETS; (): those that fit.
      piece_s: seconds of pieces that stand for recordings, where there are few; None: none.
      keep_odd: whether recordings that are not like the others are kept.
      settings: detector, wish, rule, seed; the detector may be 'auto'.
      detector: a name of fdx.health.detectors.DETECTORS, or 'auto': the one that tells faults best that are put into
        the healthy recordings.
      checkpoint: workdir of a run whose network is read, too; '': none.
    """

    sets: tuple[str, ...] = ()
    piece_s: float | None = None
    keep_odd: bool = False
    detector: str = AUTO
    settings: Settings = dataclasses.field(default_factory=Settings)
    checkpoint: str = ''


@dataclasses.dataclass(frozen=True)
class Learned:
    """What came of it.

    Attributes:
      saved: the baseline, as it lies in the workdir.
      left_out: (recording, why) of those that are in the folder and not in the baseline.
      judged: what is known of each detector; () where one was named.
    """

    saved: Saved
    left_out: tuple[tuple[str, str], ...]
    judged: tuple[Judged, ...]


def learn_recordings(
    spec: CollectionSpec | str | os.PathLike,
    workdir: str | os.PathLike,
    options: Options | None = None,
    *,
    progress: Callable[[Iterable[Entry]], Iterable[Entry]] = lambda entries: entries,
) -> Learned:
    """Learns a machine's normal state from a folder or manifest, and writes it under the workdir's next number.

    Args:
      spec: where the recordings lie, and what is known of them. Where some are labelled normal, only these are read.
      workdir: folder for the baseline; older baselines in it are kept.
      options: how.
      progress: wraps the recordings, e.g. tqdm.

    Raises:
      DataError: the recordings cannot be used, are too few, or too many of them are not like the others.
      ConfigError: an option that cannot be used.
      LockedError: another program learns there.
      FileWriteError: the workdir cannot be written.
    """
    spec = spec if isinstance(spec, CollectionSpec) else CollectionSpec(os.fspath(spec))
    # Matrices are small: threads of BLAS that wait for a core would take twice the time.
    with threadpoolctl.threadpool_limits(1, 'blas'):
        baseline, left_out, found = _learned(spec, options or Options(), progress)
    workdir = pathlib.Path(workdir)
    with hold(workdir / LOCK, f'the baseline {workdir}', remedy='wait until it ends, or choose another `workdir`'):
        saved = save_baseline(workdir, baseline, spec.to_json())
    return Learned(saved, tuple(left_out), found)


def _learned(
    spec: CollectionSpec, options: Options, progress: Callable[[Iterable[Entry]], Iterable[Entry]]
) -> tuple[Baseline, list[tuple[str, str]], tuple[Judged, ...]]:
    """The baseline, what is left out of it and why, and what is known of each detector."""
    collection, others = healthy_of(open_collection(spec))
    if options.piece_s is None and len(collection.entries) < FEWEST_UNITS:
        check_one_signal(collection)
        check_enough(len(collection.entries))
    kept = _Kept(len(collection.entries))
    how: dict[str, Any] = {'sets': options.sets, 'piece_s': options.piece_s, 'checkpoint': options.checkpoint}
    healthy = read_healthy(collection, **how, progress=progress, each=kept.take)
    _check_usable(healthy, collection)
    left_out = [*others, *healthy.unusable]
    sample = healthy.sample
    if not options.keep_odd:
        sample, odd = without_odd(sample, tuple(healthy.plan.features()))
        left_out += odd
    found: tuple[Judged, ...] = ()
    settings = options.settings
    if options.detector == AUTO:
        features = tuple(healthy.plan.features())
        check_enough(len(sample))
        layout, inside = lay_out(sample)
        some = sample.rows(inside)
        faulty = faulty_rows(kept.recordings, some, healthy.plan, settings.seed)
        found = tuple(judged(some, layout, faulty, features, settings.seed))
        settings = dataclasses.replace(settings, detector=best(found))
    else:
        settings = dataclasses.replace(settings, detector=options.detector)
    baseline = learn(sample, settings, plan=healthy.plan)
    rare = baseline.about['rare_states']
    left_out += [(name, 'its operating state has too few recordings') for name in rare]
    about: dict[str, Any] = {
        **baseline.about,
        'left_out': [list(pair) for pair in left_out],
        'detectors': [dataclasses.asdict(j) for j in found],
        'sensor': [
            [dataclasses.asdict(f) for f in kept.facts[name]] for name in baseline.sample.names if name in kept.facts
        ],
    }
    return dataclasses.replace(baseline, about=about), left_out, found


class _Kept:
    """Keeps some recordings, evenly over their order, to put faults into, and what more of them show of the sensor."""

    def __init__(self, total: int):
        self._wanted = set(np.linspace(0, max(total - 1, 0), RECORDINGS).round().astype(int).tolist())
        self._seen = 0
        self.recordings: list[Recording] = []
        self._facts_of = set(np.linspace(0, max(total - 1, 0), SENSOR_RECORDINGS).round().astype(int).tolist())
        self.facts: dict[str, list[SensorFacts]] = {}

    def take(self, recording: Recording) -> None:
        """Keeps what is wanted of a recording."""
        if self._seen in self._wanted:
            self.recordings.append(_beginning(recording))
        if self._seen in self._facts_of:
            self.facts[recording.recording] = sensor_facts(recording)
        self._seen += 1


def _beginning(recording: Recording) -> Recording:
    """At most KEPT_S of a recording: faults are put into it many times."""
    count = round(KEPT_S * recording.sample_rate_hz)
    breaks = tuple(b for b in recording.time_breaks if b < count)
    return dataclasses.replace(recording, samples=recording.samples[:count], time_breaks=breaks)


def healthy_of(collection: Collection) -> tuple[Collection, list[tuple[str, str]]]:
    """The recordings that are labelled normal, or all where none is; then (name, why) of the others."""
    normal = [e for e in collection.entries if e.fault_type == HEALTHY_TYPE]
    if not normal:
        return collection, []
    others = [(e.recording, f'it is labelled {e.label}') for e in collection.entries if e.fault_type != HEALTHY_TYPE]
    return dataclasses.replace(collection, entries=tuple(normal)), others


def check_one_signal(collection: Collection) -> None:
    """Of a few files each may hold many recordings.

    Raises:
      DataError: a file holds several signals, of which none is named.
    """
    for entry in collection.entries:
        for file in entry.files:
            try:
                raw_length(file, **options_of(entry, file, collection.shared))
            except DataError as e:
                if '`variable`' not in str(e):
                    continue
                raise DataError(f'{e}; or name each in a manifest with the columns file and variable') from e


def _check_usable(healthy: Healthy, collection: Collection) -> None:
    bad: Sequence[tuple[str, str]] = healthy.unusable
    if len(bad) > MOST_UNUSABLE * len(collection.entries):
        raise DataError(
            f'{len(bad)} of {len(collection.entries)} recordings of {collection.source} cannot be used; the first, '
            f'{bad[0][0]}: {bad[0][1]}'
        )
