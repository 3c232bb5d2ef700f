"""When a recording was taken: by a date in its file's name, or else when the file was last written."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Sequence

from fdx.types import ConfigError

# 2004.02.12.10.32.39, 2024-01-31_23-59-59, 20240131T235959, 2024-01-31; seconds and the time may be missing.
_DATE = re.compile(
    r'(?<!\d)((?:19|20)\d\d)([-._]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])'
    r'(?:[-._T ]([01]\d|2[0-3])[-._:h]?([0-5]\d)(?:[-._:m]?([0-5]\d))?)?(?!\d)'
)


def recorded_at(path: str | os.PathLike) -> float | None:
    """Seconds since 1970, by the computer's own time zone; None where neither the name nor the file tells."""
    match = _DATE.search(os.path.basename(os.fspath(path)))
    if match:
        year, _, month, day, hour, minute, second = match.groups()
        date = int(year), int(month), int(day)
        clock = int(hour or 0), int(minute or 0), int(second or 0)
        try:
            return datetime.datetime(*date, *clock).timestamp()
        except ValueError:  # The 31st of February.
            pass
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


def in_time(names: Sequence[str]) -> list[int]:
    """Numbers of the names in the order of time: by the dates in them where all have one, else by their numbers.

    By their numbers: 2.wav comes before 10.wav, and a/9.wav before b/1.wav.
    """
    dates = [_DATE.search(os.path.basename(name)) for name in names]
    if all(dates):
        return sorted(range(len(names)), key=lambda i: (recorded_at(names[i]) or 0.0, _natural(names[i])))
    return sorted(range(len(names)), key=lambda i: _natural(names[i]))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), '') if part.isdecimal() else (-1, part) for part in re.split(r'(\d+)', name)]


def parse_date(text: str, name: str) -> float:
    """A date that a user wrote (2024-01-31, 2024-01-31 14:30) as seconds since 1970.

    Args:
      text: ISO 8601.
      name: of the parameter, for the message.

    Raises:
      ConfigError: it is no date.
    """
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError as e:
        raise ConfigError(f'`{name}`={text}: write a date as 2024-01-31 or 2024-01-31T14:30') from e
