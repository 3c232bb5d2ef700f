"""Inspects a prepared dataset: what its recordings still differ in after preparation."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.data.protocols.splits import without_overlap
from fdx.data.records import decode_waveform
from fdx.data.source import Dataset, open_dataset
from fdx.inspect.facts import RecordingFacts
from fdx.inspect.finding import SEVERITIES, WARNING, Finding
from fdx.inspect.inspection import Inspection, inspect_looks
from fdx.inspect.look import Progress, look_at_recording
from fdx.types import BearingGeometry, ConfigError, DataError, Recording

# Windows of one recording that are read.
MAX_WINDOWS = 120
FIELDS = ('waveform', 'waveform_scale', 'geometry')


def inspect_dataset(
    name: str, data_dir: str, *, progress: Progress = lambda entries: entries, seed: int = 0
) -> Inspection:
    """Inspects the windows of a prepared dataset, recording by recording.

    Rate, band, offset and wild samples are as preparation has left them, so a shortcut that is found here is one that
    networks see. Findings of the raw recordings that the dataset's metadata hold are repeated.

    Args:
      name: `builder/config`.
      data_dir: folder of prepared datasets.
      progress: wraps the recordings.
      seed: of the audit's folds and relabellings.

    Raises:
      DataError: it is not prepared, or keeps no waveforms.
      ConfigError: it is a table of readings.
    """
    dataset = open_dataset(name, data_dir)
    if not isinstance(dataset, Dataset):
        raise ConfigError(f'`dataset`={name}: a table of readings has no recordings to inspect')
    if not dataset.has_waveform:
        raise DataError(f'{dataset.name} keeps no waveforms; inspect the recordings that it was made from')
    table = dataset.table
    names = np.unique(table['recording'])
    machines = dataset.metadata.get('machines', {})
    looks = []
    for recording in progress(names):
        rows = np.flatnonzero(table['recording'] == recording)
        read, facts = _recording(dataset, rows)
        facts = dataclasses.replace(facts, machine=str(machines.get(str(recording), '')))
        looks.append(look_at_recording(read, facts, estimate=False))
    found = inspect_looks(looks, dataset.name, seed=seed)
    stored = [_stored(f) for f in dataset.metadata.get('findings', ())]
    both = sorted((*stored, *found.found), key=lambda f: SEVERITIES.index(f.severity))
    return dataclasses.replace(found, found=tuple(both))


def _recording(dataset: Dataset, rows: np.ndarray) -> tuple[Recording, RecordingFacts]:
    """The windows of one recording that do not overlap, one after the other, with time missing between them."""
    table = dataset.table
    kept = without_overlap(table, rows)
    kept = kept[np.argsort(table['window_start'][kept])][:MAX_WINDOWS]
    records = [dataset.record(int(r), FIELDS) for r in kept]
    windows = [decode_waveform(r['waveform'], float(r['waveform_scale'])) for r in records]
    first = kept[0]
    geometry = records[0]['geometry']
    label, fault_type = (dataset.class_names(k)[int(table[k][first])] for k in ('label', 'fault_type'))
    samples = np.concatenate(windows)
    recording = Recording(
        samples=samples,
        sample_rate_hz=float(dataset.metadata['common_rate_hz']),
        recording=str(table['recording'][first]),
        label=label,
        fault_type=fault_type,
        bearing=str(table['bearing'][first]),
        domain=str(table['domain'][first]),
        speed_rpm=float(table['speed_rpm'][first]),
        load=float(table['load'][first]),
        geometry=None if not np.isfinite(geometry).all() else _geometry(geometry),
        unit=dataset.metadata.get('unit', ''),
        channel_names=tuple(dataset.metadata.get('channel_names', ())),
    )
    facts = RecordingFacts(
        recording=recording.recording,
        label=label,
        fault_type=fault_type,
        bearing=recording.bearing,
        domain=recording.domain,
        format='windows',
        rate_from='common rate',
        modified_s=math.nan,
    )
    return recording, facts


def _geometry(numbers: np.ndarray) -> BearingGeometry:
    pitch, ball, count, angle = map(float, numbers)
    return BearingGeometry(pitch, ball, round(count), angle)


def _stored(finding: dict) -> Finding:
    """A finding of the metadata, of the recordings before they were prepared."""
    severity = finding.get('severity', WARNING)
    return Finding(
        str(finding.get('kind', 'note')),
        f'before preparation: {finding.get("text", "")}',
        severity if severity in SEVERITIES else WARNING,
        str(finding.get('remedy', '')),
    )
