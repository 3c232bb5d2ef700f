"""Scores recordings against a machine's baseline, one row of its history per recording."""

from __future__ import annotations

import functools
import math
import os
import pathlib
from typing import Any

import numpy as np

from fdx.data.collection.entry import Entry
from fdx.data.collection.spec import CollectionSpec
from fdx.health.baseline_file import Saved, load_baseline, numbers_of
from fdx.health.dates import recorded_at
from fdx.health.embeddings import check_networks
from fdx.health.feature_plan import FeaturePlan
from fdx.health.features import features_of
from fdx.health.history import History
from fdx.health.history_rows import Content, Finding
from fdx.health.incoming import Incoming
from fdx.health.known import Known
from fdx.health.sample import Sample
from fdx.health.scored import Scored
from fdx.health.second_opinions import facts_of, judge_verdict, sensor_words
from fdx.health.sensor_facts import SensorFacts
from fdx.health.states import NORMAL, OUTSIDE, UNUSABLE, Reading, next_state
from fdx.predict.arrivals import Arrival, look_at, sha256_of
from fdx.types import ConfigError, FdxError, Recording

# So many rows before an unusual one are looked at for a verdict of the judge.
FEW = 5
# A file that is written to while it is read is read again, at most so often.
TRIES = 3


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
        self._known = known or Known()
        self._known.check_cut(self._plan())
        check_networks(self._plan())
        spec = CollectionSpec.from_json(self.saved.recordings) if self.saved.recordings else CollectionSpec('')
        self.incoming = Incoming(spec, self._known)
        self._hashed: tuple[Arrival | None, str] = (None, '')
        self._last_parts: dict[tuple[str, int, int], str] = {}
        self.history = History(workdir)

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *error: object) -> None:
        self.history.close()

    def knows(self, arrival: Arrival) -> bool:
        """Whether all recordings of a file have rows, as far as a look at it tells; they are scored in order."""
        key = arrival.path, arrival.size, arrival.mtime_ns
        if key not in self._last_parts:
            self._last_parts[key] = self.incoming.last_part(arrival.path)
        return self.history.knows(*key, self._last_parts[key])

    def file(self, file: str | os.PathLike, entry: Entry | None = None) -> tuple[dict[str, Any], bool]:
        """Scores a file, or one recording of it, once for each content.

        Args:
          file: its path.
          entry: what `incoming` (a manifest, stretches) says of it; None: what its name and the file tell.

        Returns:
          (its row of the history, whether it is new). A file that cannot be used has the state 'unusable'.

        Raises:
          FileWriteError: the row cannot be written.
        """
        self._take_newest()
        path = os.path.abspath(os.fspath(file))
        named = self._named(path) if entry is None else self.incoming.known_better(entry)
        part = '' if named is None else self.incoming.part(named)
        for _ in range(TRIES):
            now = look_at(path)
            content = Content(path, self._hash(path, now), now.size if now else 0, now.mtime_ns if now else 0, part)
            there = self.history.row_of(content.file, content.sha256, part)
            if there is not None:
                self.history.same(content)
                if there['state'] != UNUSABLE:
                    return there, False
            finding = self._finding(path, named)
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

    def _named(self, path: str) -> Entry | None:
        try:
            return self.incoming.entry(path)
        except FdxError:
            return None

    def _hash(self, path: str, now: Arrival | None) -> str:
        """SHA-256 of a file's content; that of a file with many recordings is made once."""
        if now is None or self._hashed[0] != now:
            self._hashed = now, sha256_of(path)
        return self._hashed[1]

    def _finding(self, path: str, entry: Entry | None) -> Finding:
        when, recording, said = recorded_at(path), None, {}
        if when is not None and entry is not None:
            when += entry.start_s
        try:
            recording = self.incoming.read(self.incoming.entry(path) if entry is None else entry)
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
            scored.score, scored.p_value, state, said, rows, when, float(recording.speed_rpm), float(recording.load),
            scored.rise, scored.rise_p if math.isfinite(scored.rise) else math.nan,
        )  # fmt: skip

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
        if next_state(self.saved.baseline, Reading(scored.score, scored.rise), (), NORMAL) == NORMAL:
            return False
        return self._known.judge == 'not_normal' or not any(r.get('verdict') for r in self.history.rows(last=FEW))

    def _verdict(self, recording: Recording, scored: Scored) -> dict[str, Any] | None:
        geometry = recording.geometry or self._plan().geometry
        return judge_verdict(recording, geometry, self._channel(scored))

    def _channel(self, scored: Scored) -> int:
        """The channel that moved most."""
        return self._plan().channels.index(scored.moved[0].feature.channel) if scored.moved else 0
