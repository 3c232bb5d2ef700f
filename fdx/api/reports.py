"""The page about a machine that an engineer forwards."""

from __future__ import annotations

import dataclasses
import html
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.format import TextFormat
from fdx.evaluate.machine_report import recording_page, with_estimated_speed
from fdx.evaluate.machine_report_channel import Machine
from fdx.evaluate.machine_report_history import history_page
from fdx.files import atomic_write_text
from fdx.health.course import Limit
from fdx.predict.condition import ESTIMATE
from fdx.predict.evidence_of import Knowledge
from fdx.predict.source import given, read_source
from fdx.signal.bearings import parse_bearing
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM
from fdx.types import BearingGeometry, ConfigError, Recording

# Height of the page in a notebook, in CSS pixels.
HEIGHT = 700


@dataclasses.dataclass(frozen=True, repr=False)
class Report:
    """A page about a machine.

    Attributes:
      html: the page, which needs no script, other file or network.
      about: what it is about: the name of a recording or of a workdir.
    """

    html: str
    about: str

    def save(self, path: str | os.PathLike) -> pathlib.Path:
        """Writes the page, completely or not at all, and returns its path; FileWriteError if it cannot be written."""
        atomic_write_text(path, self.html)
        return pathlib.Path(path)

    def __repr__(self) -> str:
        return f'<Report about {self.about}, {len(self.html) / 1e6:.2f} MB of HTML>'

    def _repr_html_(self) -> str:
        """The page in a notebook, in a frame of its own so that its style stays its own."""
        return f'<iframe srcdoc="{html.escape(self.html)}" width="100%" height="{HEIGHT}" style="border:0"></iframe>'


def report(
    source: Recording | str | os.PathLike | None = None,
    *,
    baseline: str | os.PathLike | None = None,
    bearing: BearingGeometry | str | None = None,
    speed_rpm: float | str | None = None,
    speed_range_rpm: tuple[float, float] | None = None,
    healthy: Sequence[Recording | str | os.PathLike] | None = None,
    known_orders: Sequence[float] | None = None,
    other_bearings: Sequence[BearingGeometry | str] | None = None,
    unit: str | None = None,
    machine_group: int | None = None,
    mounting: str | None = None,
    limit: str | float | None = None,
    sample_rate_hz: float | None = None,
    variable: str | None = None,
    channel: int | str | Sequence[int | str] | None = None,
    text_format: TextFormat | None = None,
    binary_format: BinaryFormat | None = None,
) -> Report:
    """The page about a recording, or about the history of a machine that `fdx.monitor` follows.

        fdx.report('pump.wav', bearing='skf_6205', speed_rpm=1772).save('pump.html')
        fdx.report('pump.csv', unit='g', machine_group=2, mounting='rigid', healthy=['good.csv'])
        fdx.report(baseline='pump7', limit='levels/0/rms=-12').save('pump7.html')

    Args:
      source: a Recording, or the path of a file, that the page is about.
      baseline: instead: a workdir of `fdx.baseline`, whose history since the newest baseline the page is about.
      bearing: a name of fdx.signal.bearings.BEARINGS, its geometry, or text that describes it; without one, nothing is
        said about the bearing.
      speed_rpm: of the shaft; wins over the file's own; 'estimate' reads it from the signal.
      speed_range_rpm: (lowest, highest) of an estimate.
      healthy: recordings of the same machine in good order, with the same channels, read like `source`; where they name
        no bearing, it is that of `source`.
      known_orders: of blades, vanes or gear meshes, in turns of the shaft: their lines are no evidence.
      other_bearings: on the same shaft; their faults' lines are no evidence for this one.
      unit: of the samples (g, m/s2, mm/s, ...); wins over the recording's own.
      machine_group: of ISO 20816-3: 1 (above 300 kW) or 2 (15 to 300 kW); a zone needs it, the unit and the mounting.
      mounting: 'rigid' or 'flexible'.
      limit: with `baseline`: of the score, or of a feature as 'SET/CHANNEL/WHAT=NUMBER', for the remaining life.
      sample_rate_hz: of files that do not state their rate; it overrides the files' own, with a warning.
      variable: of a .mat file.
      channel: the channel to show, or several in the wanted order; the page has a section for each of the first three.
      text_format: how a text file is written, where it cannot tell by itself.
      binary_format: how a file without header is written.

    Returns:
      The page: `save(path)` writes it, `html` is its text, and a notebook shows it.

    Raises:
      ConfigError: neither or both of `source` and `baseline`, or an option that cannot be used with it.
      DataError: a file that cannot be read, or samples without numbers or rate.
      CheckpointError: there is no baseline.
    """
    how = {'speed_rpm': speed_rpm, 'speed_range_rpm': speed_range_rpm, 'bearing': bearing}
    of_file = {
        'sample_rate_hz': sample_rate_hz,
        'variable': variable,
        'channel': channel,
        'text_format': text_format,
        'binary_format': binary_format,
    }
    machine = {
        'healthy': healthy,
        'known_orders': known_orders,
        'other_bearings': other_bearings,
        'unit': unit,
        'machine_group': machine_group,
        'mounting': mounting,
    }
    if (source is None) == (baseline is None):
        raise ConfigError('either a recording or `baseline`: name what the page is about')
    if baseline is not None:
        _refuse({**how, **of_file, **machine}, 'goes with a recording')
        return Report(history_page(baseline, _limit(limit)), pathlib.Path(os.path.abspath(baseline)).name)
    _refuse({'limit': limit}, 'goes with `baseline`')
    others = tuple(parse_bearing(b) if isinstance(b, str) else b for b in other_bearings or ())
    knowledge = Knowledge(tuple(known_orders or ()), others)
    recording = _read(source, how, of_file)
    # What is handed over as a Recording was read already, whichever file its neighbour comes from.
    sound = [_read(one, how, {} if isinstance(one, Recording) else of_file) for one in healthy or ()]
    # They are of the same machine; at which speed each was taken is for the user to say.
    sound = [one if one.geometry else dataclasses.replace(one, geometry=recording.geometry) for one in sound]
    page = recording_page(recording, Machine(unit or '', machine_group, mounting or '', knowledge), sound)
    return Report(page, pathlib.PurePath(recording.source or recording.recording).name)


def _refuse(options: dict[str, Any], why: str) -> None:
    """ConfigError where one of the options is given."""
    names = given(options)
    if names:
        raise ConfigError(f'`{names[0]}`={options[names[0]]!r} {why}: leave it out')


def _limit(limit: str | float | None) -> Limit | None:
    return None if limit is None else Limit.parse(str(limit))


def _read(source: Any, how: dict[str, Any], of_file: dict[str, Any]) -> Recording:
    """A recording with its speed and bearing; a speed that does not stand out is a note and no error."""
    if how['speed_rpm'] != ESTIMATE:
        return read_source(source, **how, **of_file)
    found = read_source(source, bearing=how['bearing'], **of_file)
    return with_estimated_speed(found, how['speed_range_rpm'] or DEFAULT_RANGE_RPM)
