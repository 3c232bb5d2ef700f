"""Times written as text: 2024-03-01 10:00:00.000123, or 10:00:00,000123."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fdx.data.raw.table import NumberTable

_PATTERN = (
    r'^(?:(?P<date>[0-9./\-]+)(?:T| +))?(?P<h>\d\d?):(?P<m>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d+))?'
    r'(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?$'
)
DAY_S = 86400.0


def seconds_of_day(table: NumberTable, index: int) -> np.ndarray | None:
    """Seconds since midnight of a column of times, going on over midnight; float64 [N], to 1e-11 s.

    The date itself is not needed: it must change where the time of day falls back, and nowhere else.

    Returns:
      None where a cell is not a time of day, or the dates do not fit.
    """
    parts = pc.extract_regex(pc.utf8_trim_whitespace(table.texts[index]), _PATTERN)
    if parts.null_count or not len(parts):
        return None
    hours, minutes, seconds = (
        pc.cast(pc.struct_field(parts, name), pa.float64()).to_numpy() for name in ('h', 'm', 's')
    )
    digits = pc.binary_join_element_wise(pa.scalar('0.'), pc.struct_field(parts, 'f'), pa.scalar('0'), '')
    times = 3600.0 * hours + 60.0 * minutes + seconds + pc.cast(digits, pa.float64()).to_numpy()
    turns = np.diff(times) < -DAY_S / 2
    dates = pc.struct_field(parts, 'date')
    if pc.any(pc.not_equal(dates, '')).as_py() and len(pc.unique(dates)) != 1 + turns.sum():
        return None
    return times + DAY_S * np.concatenate(([0], np.cumsum(turns)))
