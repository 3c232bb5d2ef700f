"""Scores recordings against a machine's baseline, one row of its history per recording."""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import pathlib
from typing import Any

import numpy as np

from fdx.data.collection.collect import entry_of_file, open_collection
from fdx.data.collection.entry import Entry
from fdx.data.collection.read import read_entry
from fdx.data.collection.spec import CollectionSpec
from fdx.health.baseline import Scored
from fdx.health.baseline_file import Saved, load_baseline, numbers_of
from fdx.health.dates import in_time, recorded_at
from fdx.health.feature_plan import FeaturePlan
from fdx.health.features import features_of
from fdx.health.history import History
from fdx.health.history_rows import Content, Finding
from fdx.health.sample import Sample
from fdx.health.second_opinions import facts_of, judge_verdict, sensor_words
from fdx.health.sensor_facts import SensorFacts
from fdx.health.states import NORMAL, OUTSIDE, UNUSABLE, next_state
from fdx.predict.arrivals import look_at, sha256_of
from fdx.types import ConfigError, DataError, FdxError, Recording

# When the universal judge, which takes half a second, is asked: of an unusual recording where none of the last few was
# asked about, of each unusual one, of all, of none.
JUDGE = ('changes', 'not_normal', 'always', 'never')
FEW = 5
# A file that is written to while it is read is read again, at most so often.
TRIES = 3


@dataclasses.dataclass(frozen=True)
class Known:
    """What the user knows of the recordings that come.

    Attributes:
      speed_rpm, load: of all of them; they win over the name and the file. None keeps those.
      judge: one of JUDGE.
    """

    speed_rpm: float | None = None
    load: float | None = None
    judge: str = 'changes'

    def __post_init__(self):
        """ConfigError for a judge that does not exist."""
        if self.judge not in JUDGE:
            raise ConfigError(f'`judge`={self.judge}: choose from {", ".join(JUDGE)}')


class Monitor:
    """Scores files against the newest baseline of a workdir and keeps their history. Use it as a context."""

    def __init__(self, workdir: str | os.PathLike, known: Known | None = None):
        """Loads the baseline and opens the history.

        Raises:
          CheckpointError: there is no baseline, or it is damaged.
          DataError, FileWriteError: the history cannot be used.
        """
        self._workdir = pathlib.Path(workdir)
        self.saved: Saved = load_baseline(workdir)
        self._plan()
        self._known = known or Known()
        self._spec = CollectionSpec.from_json(self.saved.recordings) if self.saved.recordings else CollectionSpec('')
        self.history = History(workdir)

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *error: object) -> None:
        self.history.close()

    def file(self, file: str | os.PathLike, entry: Entry | None = None) -> tuple[dict[str, Any], bool]:
        """Scores a file, once for each content of it.

        Args:
          file: its path.
          entry: what a manifest says of it; None: what its name and the file tell.

        Returns:
          (its row of the history, whether it is new). A file that cannot be used has the state 'unusable'.

        Raises:
          FileWriteError: the row cannot be written.
        """
        self._take_newest()
        path = os.path.abspath(os.fspath(file))
        for _ in range(TRIES):
            now = look_at(path)
            content = Content(path, sha256_of(path), now.size if now else 0, now.mtime_ns if now else 0)
            there = self.history.row_of(content.file, content.sha256)
            if there is not None:
                self.history.same(content)
                if there['state'] != UNUSABLE:
                    return there, False
            finding = self._finding(path, entry)
            if look_at(path) == now:  # Else it was written to in the meantime, and the row would be of another content.
                break
        baseline = self.saved.baseline
        state_after = functools.partial(next_state, baseline)
        return self.history.add(content, finding, self.saved.number, baseline.rule.among - 1, state_after)

    def _take_newest(self) -> None:
        """Another program may have learned anew since (`--reset_from`)."""
        newest = max(numbers_of(self._workdir), default=self.saved.number)
        if newest != self.saved.number:
            self.saved = load_baseline(self._workdir, newest)
            self.__dict__.pop('_healthy_sensor', None)

    def _plan(self) -> FeaturePlan:
        """How recordings become rows; ConfigError for a baseline of rows of the user's own."""
        plan = self.saved.baseline.plan
        if plan is None:
            raise ConfigError(f'{self._workdir}: this baseline was learned from rows, not from recordings')
        return plan

    def score(self, recording: Recording) -> tuple[Scored, np.ndarray]:
        """How unusual a recording is, and its rows float64 [P, D]; nothing is kept.

        Raises:
          DataError: it cannot be used.
        """
        rows = features_of(recording, self._plan())
        sample = Sample.of([rows], [recording.recording], recording.speed_rpm, recording.load)
        return self.saved.baseline.scored(sample)[0], rows

    def _finding(self, path: str, entry: Entry | None) -> Finding:
        when, recording, said = recorded_at(path), None, {}
        try:
            recording = self._read(path, entry)
            scored, rows = self.score(recording)
        except FdxError as e:
            said = {'reason': str(e), **self._sensor(recording)}
            return Finding(math.nan, math.nan, UNUSABLE, said, recorded_at=when)
        said = {
            'moved': [m.to_dict() for m in scored.moved],
            'notes': list(recording.notes),
            **self._sensor(recording),
        }
        if scored.outside:
            said['reason'] = scored.outside
        elif self._asks_judge(scored):
            said['verdict'] = self._verdict(recording, scored)
        state = OUTSIDE if scored.outside else ''
        return Finding(
            scored.score, scored.p_value, state, said, rows, when, float(recording.speed_rpm), float(recording.load)
        )  # fmt: skip

    def manifest(self, source: str | os.PathLike) -> list[Entry]:
        """The files that a manifest names, with their speeds and loads, in the order of time.

        Raises:
          DataError: the manifest cannot be used.
          ConfigError: a row names a piece, or several files: only whole files have a row in the history.
        """
        spec = dataclasses.replace(self._spec, source=os.fspath(source), pattern='', labels=())
        entries = list(open_collection(spec).entries)
        for entry in entries:
            if len(entry.files) != 1 or entry.start_s or entry.stop_s is not None:
                raise ConfigError(
                    f'{entry.place}: only whole files can be monitored; write each recording into its own'
                )
        return [entries[i] for i in in_time([str(entry.files[0]) for entry in entries])]

    def _entry(self, path: str) -> Entry:
        try:
            return entry_of_file(path, self._spec)
        except DataError:
            # What the name does not tell was said otherwise.
            if self._known.speed_rpm is None and self._known.load is None:
                raise
            return entry_of_file(path, dataclasses.replace(self._spec, pattern=''))

    def _read(self, path: str, entry: Entry | None) -> Recording:
        entry = entry or self._entry(path)
        given, known = self._known, (entry.speed_rpm, entry.load)
        speed_rpm, load = (k if g is None else g for g, k in zip((given.speed_rpm, given.load), known))
        return read_entry(dataclasses.replace(entry, speed_rpm=speed_rpm, load=load), self._spec.shared)

    def _sensor(self, recording: Recording | None) -> dict[str, Any]:
        """{'sensor': what is wrong with it}, or {} where it works as far as one can tell."""
        words = '' if recording is None else sensor_words(recording, self._healthy_sensor)
        return {'sensor': words} if words else {}

    @functools.cached_property
    def _healthy_sensor(self) -> list[list[SensorFacts]]:
        return facts_of(self.saved.baseline.about.get('sensor', []))

    def _asks_judge(self, scored: Scored) -> bool:
        if self._known.judge in ('always', 'never'):
            return self._known.judge == 'always'
        if next_state(self.saved.baseline, scored.score, (), NORMAL) == NORMAL:
            return False
        return self._known.judge == 'not_normal' or not any(r.get('verdict') for r in self.history.rows(last=FEW))

    def _verdict(self, recording: Recording, scored: Scored) -> dict[str, Any] | None:
        geometry = recording.geometry or self._plan().geometry
        return judge_verdict(recording, geometry, self._channel(scored))

    def _channel(self, scored: Scored) -> int:
        """The channel that moved most."""
        return self._plan().channels.index(scored.moved[0].feature.channel) if scored.moved else 0
