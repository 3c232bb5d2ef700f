"""What the data of a run are, in numbers: recordings, seconds, classes, bearings, conditions; for reports."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.imbalance import HEALTHY
from fdx.data.table import GROUP, Table
from fdx.evaluate.words import in_order

# Under these names a dataset's metadata, or a checkpoint's, may state the hash of what it was made from.
HASH_KEYS = ('content_sha256', 'content_hash', 'sha256', 'csv_sha256')
# Speeds that differ by less are one speed: a motor slows down under load.
SPEED_TOLERANCE = 0.05
NORMAL = 'normal'


def data_facts(data: PreparedDataset, label_key: str = 'label', exclude_recordings: Collection[str] = ()) -> dict:
    """What a dataset holds, ready for JSON.

    Args:
      data: of recordings, or a table of readings.
      label_key: `label` or `fault_type`.
      exclude_recordings: recordings that the run left out; they are not counted.

    Returns:
      dataset, version, content_hash (None where nobody states it), windows (rows of a table), excluded_recordings,
      left_out_windows, classes: [{class, windows, and of recordings also recordings, seconds, bearings (named ones),
      unnamed (recordings whose bearing has no name), domains, speeds_rpm}]; of recordings also recordings, seconds
      (that windows cover), bearings, domains, machines (where the metadata name them),
      domain_kind (machine, speed, load, operating condition or domain), speeds_rpm,
      loads, rate_hz, channels, channel_names, unit, healthy_classes; of a table columns and groups.
    """
    name, _, version = data.name.partition(':')
    keep = ~np.isin(data.table['recording'], list(exclude_recordings))
    table = Table({k: v[keep] for k, v in data.table.columns.items()}, data.table.window_length)
    facts: dict[str, Any] = {
        'dataset': name,
        'version': version or None,
        'content_hash': next((str(data.metadata[k]) for k in HASH_KEYS if data.metadata.get(k)), None),
        'has_recordings': data.has_recordings,
        'windows': len(table),
        'excluded_recordings': len(set(exclude_recordings)),
        'left_out_windows': {k: int(v) for k, v in dict(data.metadata.get('left_out_windows') or {}).items()},
    }
    names = data.class_names(label_key)
    if not data.has_recordings:
        counts = np.bincount(table[label_key], minlength=len(names)).tolist()
        groups = len(np.unique(table[GROUP])) if GROUP in table.columns else None
        classes = [{'class': n, 'windows': count} for n, count in zip(names, counts)]
        return facts | {'classes': classes, 'columns': list(data.metadata['columns']), 'groups': groups}
    rate_hz = float(data.metadata['common_rate_hz'])
    of_recording, here = dict(data.metadata.get('machines') or {}), set(table['recording'].tolist())
    machines = in_order({str(machine) for recording, machine in of_recording.items() if recording in here})
    facts['classes'] = [{'class': n, **_of_rows(table, table[label_key] == i, rate_hz)} for i, n in enumerate(names)]
    return facts | {
        **{k: v for k, v in _of_rows(table, np.ones(len(table), bool), rate_hz).items() if k != 'windows'},
        'domain_kind': _domain_kind(table, machines),
        'machines': machines,
        'loads': _known(table['load'], 3),
        'rate_hz': rate_hz,
        'channels': data.channels,
        'channel_names': [str(n) for n in data.metadata.get('channel_names') or ()],
        'unit': str(data.metadata.get('unit') or ''),
        'healthy_classes': _healthy(data, table, label_key),
    }


def _of_rows(table: Table, rows: np.ndarray, rate_hz: float) -> dict[str, Any]:
    """Numbers of the windows that `rows`, bool [N], keeps."""
    recordings, bearings = table['recording'][rows], table['bearing'][rows]
    return {
        'windows': int(rows.sum()),
        'recordings': len(np.unique(recordings)),
        'seconds': _covered(recordings, table['window_start'][rows], table.window_length) / rate_hz,
        'bearings': sorted(set(bearings.tolist()) - {''}),
        'unnamed': len(np.unique(recordings[bearings == ''])),
        'domains': in_order(set(table['domain'][rows].tolist())),
        'speeds_rpm': _known(table['speed_rpm'][rows]),
    }


def _covered(recordings: np.ndarray, starts: np.ndarray, length: int) -> int:
    """Samples that lie in at least one window; windows overlap."""
    order = np.lexsort((starts, recordings))
    same = recordings[order][1:] == recordings[order][:-1]
    steps = np.where(same, np.minimum(np.diff(starts[order]), length), length)
    return int(steps.sum()) + (length if len(starts) else 0)


def _known(values: np.ndarray, digits: int = 1) -> list[float]:
    """The different finite values, rounded and rising."""
    values = np.asarray(values, np.float64)
    return np.unique(np.round(values[np.isfinite(values)], digits)).tolist()


def _healthy(data: PreparedDataset, table: Table, label_key: str) -> list[str]:
    """Classes that occur and are healthy, by their name or by their fault type."""
    names, kinds = data.class_names(label_key), data.class_names('fault_type')
    healthy = []
    for label in np.unique(table[label_key]):
        of_kind = {kinds[k] for k in np.unique(table['fault_type'][table[label_key] == label])}
        if names[label].lower() in HEALTHY or of_kind == {NORMAL}:
            healthy.append(names[label])
    return healthy


def _domain_kind(table: Table, machines: list[str]) -> str:
    """What tells domains apart: machine, speed, load, operating condition (speed and load), or domain: none of them."""
    domains = np.unique(table['domain'])
    if len(machines) > 1 and set(machines) == set(domains.tolist()):
        return 'machine'
    speeds, loads = (
        [_known(table[key][table['domain'] == d], digits) for d in domains]
        for key, digits in (('speed_rpm', 1), ('load', 3))
    )
    if len(domains) < 2:
        return 'domain'
    by_load = _one_each(loads)
    by_speed = _one_each(speeds) and not one_speed([s for of_domain in speeds for s in of_domain])
    if by_speed and by_load:
        return 'operating condition'
    return 'speed' if by_speed else 'load' if by_load else 'domain'


def _one_each(values: list[list[float]]) -> bool:
    """Whether each domain has one value of its own."""
    return all(len(v) == 1 for v in values) and len({v[0] for v in values}) == len(values)


def one_speed(speeds_rpm: list[float]) -> bool:
    """Whether all known speeds are the same within SPEED_TOLERANCE; False where none is known."""
    if not speeds_rpm or not math.isfinite(sum(speeds_rpm)):
        return False
    return max(speeds_rpm) - min(speeds_rpm) <= SPEED_TOLERANCE * max(speeds_rpm)
