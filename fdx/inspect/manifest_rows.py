"""The rows of a manifest that says what a collection says."""

from __future__ import annotations

import math
import os
import pathlib

from fdx.data.collection.entry import Collection, Entry
from fdx.data.collection.fault_words import fault_type_of


def manifest_rows(collection: Collection, folder: pathlib.Path) -> list[dict[str, str]]:
    """One row per file, in the collection's order.

    Values that follow from others are left out: a fault type that the label tells, a domain that speed and load tell.

    Args:
      collection: the recordings.
      folder: where the manifest will lie; paths are relative to it, unless the file lies on another drive.
    """
    return [_row(entry, file, folder) for entry in collection.entries for file in entry.files]


def _row(entry: Entry, file: pathlib.Path, folder: pathlib.Path) -> dict[str, str]:
    grouped = len(entry.files) > 1
    fault_type = '' if not entry.label or fault_type_of(entry.label) == entry.fault_type else entry.fault_type
    numbers = {
        'speed_rpm': entry.speed_rpm,
        'load': entry.load,
        'sample_rate_hz': math.nan if entry.sample_rate_hz is None else entry.sample_rate_hz,
        'start_s': entry.start_s or math.nan,
        'stop_s': math.nan if entry.stop_s is None else entry.stop_s,
    }
    return {
        'file': _relative(file, folder),
        'label': entry.label,
        'fault_type': fault_type,
        'machine': entry.machine,
        'bearing_id': entry.bearing_id,
        'bearing': _bearing(entry),
        'channel': entry.channel,
        'group': entry.recording if grouped else '',
        'split': entry.split,
        **{name: f'{value:.10g}' for name, value in numbers.items() if not math.isnan(value)},
    }


def _bearing(entry: Entry) -> str:
    if entry.geometry is None:
        return ''
    pitch, ball, count, angle = entry.geometry.numbers()
    more = f',contact_angle_deg={angle:g}' if angle else ''
    return f'pitch_diameter_mm={pitch:g},ball_diameter_mm={ball:g},num_balls={count:g}{more}'


def _relative(file: pathlib.Path, folder: pathlib.Path) -> str:
    """The path from the manifest's folder, with forward slashes."""
    try:
        return pathlib.PurePath(os.path.relpath(file.absolute(), folder.absolute())).as_posix()
    except ValueError:  # Another drive of Windows.
        return file.absolute().as_posix()
