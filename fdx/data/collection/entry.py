"""What is known of a user's recordings before their samples are read: one `Entry` per recording."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.format import TextFormat
from fdx.types import UNKNOWN, BearingGeometry

SPLITS = ('train', 'validation', 'test')


@dataclasses.dataclass(frozen=True)
class Entry:
    """One recording of a collection.

    Attributes:
      recording: its id, unique in the collection: the path of its file below the collection's root, or its `group`.
      files: its files, in the order of time. Several files of a `group` follow each other with time missing between.
      label: class name, '' where it is not known (recordings to be inspected or diagnosed only).
      fault_type: coarse class: normal, inner_race, outer_race, ball, or what the manifest says; '' without a label.
      machine: the machine that was recorded, '' where the collection has one machine or does not say.
      bearing_id: the physical bearing, '' where it is not known.
      domain: what transfer moves between, e.g. a machine or an operating condition.
      speed_rpm: shaft speed, NaN when unknown; the file's own speed then counts.
      load: in the collection's own unit, NaN when unknown.
      geometry: of the bearing, None when unknown.
      channel: which channel of the file, by number or name, '' for all.
      variable: which recording of a file that holds several, '' where `Shared.variable` says it or there is one.
      sample_rate_hz: rate of the samples, None where the file tells it.
      start_s: where the recording begins in its file.
      stop_s: where it ends, None for the end of the file.
      split: train, validation or test where the manifest deals the recordings itself, else ''.
      run: id of the physical run: two channels or pieces of one file share it.
      place: where the entry stands, for messages: 'm.csv, row 7' or the file.
    """

    recording: str
    files: tuple[pathlib.Path, ...]
    label: str = ''
    fault_type: str = ''
    machine: str = ''
    bearing_id: str = ''
    domain: str = ''
    speed_rpm: float = UNKNOWN
    load: float = UNKNOWN
    geometry: BearingGeometry | None = None
    channel: str = ''
    variable: str = ''
    sample_rate_hz: float | None = None
    start_s: float = 0.0
    stop_s: float | None = None
    split: str = ''
    run: str = ''
    place: str = ''


@dataclasses.dataclass(frozen=True)
class Shared:
    """What all recordings of a collection have in common; the value of a manifest's row wins.

    Attributes:
      sample_rate_hz: the rate of files that do not tell it.
      speed_rpm: shaft speed.
      bearing: a bearing as `fdx.signal.bearings.parse_bearing` takes it: name, geometry, or FILE.json:ENTRY.
      machine: the machine's name.
      load: in the collection's own unit.
      channel: which channel of every file, by number or name; several as 'x,y,z'; '' for all.
      variable: name of the signal in .mat and .h5 files.
      text_format: how text files are written.
      binary_format: how files without a header are written, None where there are no such files.
    """

    sample_rate_hz: float | None = None
    speed_rpm: float | None = None
    bearing: str = ''
    machine: str = ''
    load: float | None = None
    channel: str = ''
    variable: str | None = None
    text_format: TextFormat = TextFormat()
    binary_format: BinaryFormat | None = None


NOTHING_SHARED = Shared()


@dataclasses.dataclass(frozen=True)
class Collection:
    """A user's recordings.

    Attributes:
      source: the folder or the manifest that the user named.
      root: the folder below which the files lie; ids of recordings are paths relative to it.
      entries: the recordings, sorted by their ids, or in the order of a built dataset's table.
      shared: what all have in common.
      ignored: files of the folder that are no recordings, as (path, why).
      extra: columns of a manifest that fdx does not use, by name.
      content: the files that hold all samples, where the entries share them; () where they are those of the entries.
    """

    source: pathlib.Path
    root: pathlib.Path
    entries: tuple[Entry, ...]
    shared: Shared = NOTHING_SHARED
    ignored: tuple[tuple[str, str], ...] = ()
    extra: tuple[str, ...] = ()
    content: tuple[pathlib.Path, ...] = ()

    def labels(self) -> list[str]:
        """Class names, healthy ones first, else in the order of the alphabet."""
        of_label = {e.label: e.fault_type for e in self.entries if e.label}
        return sorted(of_label, key=lambda name: (of_label[name] != 'normal', name))

    def fault_types(self) -> list[str]:
        """Coarse classes, normal first, else in the order of the alphabet."""
        return sorted({e.fault_type for e in self.entries if e.label}, key=lambda name: (name != 'normal', name))

    def values(self, field: str) -> list[Any]:
        """One field of every entry, in their order."""
        return [getattr(e, field) for e in self.entries]
