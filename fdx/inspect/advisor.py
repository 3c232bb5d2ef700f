"""What to begin with, without reading a sample: front end, window and protocol by what is known of recordings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from fdx.data.collection.own import Surveyed
from fdx.data.source import Dataset
from fdx.data.table import Table
from fdx.inspect.commands import Advice
from fdx.inspect.facts import ChannelFacts, RecordingFacts
from fdx.inspect.inputs import front_ends_of, recommended
from fdx.inspect.splits import Protocols, protocols_of, protocols_of_table


def advise(looked_at: Surveyed, *, label_key: str = 'label') -> Advice:
    """Front end, window and protocol for recordings that are to become a dataset.

    It costs no reading: rates, durations and channels are those of the survey. Whether the level is a shortcut can only
    be said of samples (fdx.inspect.inspection).

    Args:
      looked_at: recordings of two classes or more, as `fdx.data.collection.own.look_at` gives them.
      label_key: label or fault_type.
    """
    facts = facts_of_survey(looked_at)
    fits = front_ends_of(facts)
    front_end = recommended(fits)
    chosen = next((f for f in fits if f.name == front_end), None)
    window_s = looked_at.own.window_s or (chosen.window_s if chosen else 1.0)
    protocols = protocols_of(facts, window_s, label_key)
    reasons = [f'front end {front_end}: {chosen.reason}'] if chosen else []
    reasons.append(f'protocol {protocols.right or "none"}: {protocols.reason}')
    return Advice(front_end, window_s, protocols.right, label_key, looked_at.own.match_level, tuple(reasons))


def facts_of_survey(looked_at: Surveyed) -> list[RecordingFacts]:
    """What the survey of a collection knows of each recording."""
    found, entries = looked_at.survey, looked_at.collection.entries
    return [
        RecordingFacts(
            recording=entry.recording,
            label=entry.label,
            fault_type=entry.fault_type,
            machine=entry.machine,
            bearing=entry.bearing_id,
            domain=entry.domain,
            split=entry.split,
            speed_rpm=entry.speed_rpm,
            load=entry.load,
            geometry=entry.geometry,
            sample_rate_hz=rate,
            samples=round(seconds * rate),
            channels=tuple(ChannelFacts(str(c)) for c in range(found.channels)),
        )
        for entry, rate, seconds in zip(entries, found.rates_hz, found.durations_s)
    ]


def protocols_of_dataset(dataset: Dataset, label_key: str = 'label') -> Protocols:
    """The protocols of a prepared dataset, tried on its own windows, and the right one with its reason."""
    table, rate = dataset.table, float(dataset.metadata['common_rate_hz'])
    machines = dataset.metadata.get('machines', {})
    _, first, of_row = np.unique(table['recording'], return_index=True, return_inverse=True)
    ends = np.zeros(len(first), np.int64)
    np.maximum.at(ends, of_row, table['window_start'].astype(np.int64) + table.window_length)
    names = {k: dataset.class_names(k) for k in ('label', 'fault_type')}
    facts = [_of_row(table, row, int(end), rate, names, machines) for row, end in zip(first, ends)]
    return protocols_of_table(table, names[label_key], facts, table.window_length / rate, label_key)


def _of_row(
    table: Table, row: int, end: int, rate: float, names: Mapping[str, Sequence[str]], machines: Mapping[str, str]
) -> RecordingFacts:
    recording = str(table['recording'][row])
    return dataclasses.replace(
        RecordingFacts(recording),
        label=names['label'][int(table['label'][row])],
        fault_type=names['fault_type'][int(table['fault_type'][row])],
        machine=str(machines.get(recording, '')),
        bearing=str(table['bearing'][row]),
        domain=str(table['domain'][row]),
        speed_rpm=float(table['speed_rpm'][row]),
        load=float(table['load'][row]),
        sample_rate_hz=rate,
        samples=end,
    )
