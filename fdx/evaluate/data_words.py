"""What the data are, as rows of a report: a name and what there is of it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fdx.evaluate.words import counted, duration, listed, values

HASH_SHOWN = 16


def data_rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, text) of each fact of `fdx.evaluate.data_facts.data_facts` that a reader needs, in order."""
    rows = [('Dataset', _dataset(facts))]
    if facts['content_hash']:
        rows.append(('Hash of the content', f'{facts["content_hash"][:HASH_SHOWN]} (its first {HASH_SHOWN} signs)'))
    rows += _of_recordings(facts) if facts['has_recordings'] else _of_table(facts)
    left_out = ', '.join(f'{k.replace("_", " ")}: {v:,}' for k, v in facts['left_out_windows'].items())
    if left_out:
        rows.append(('Windows not used', left_out))
    return rows


def class_rows(facts: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """(headings, one row of texts per class)."""
    if not facts['has_recordings']:
        return ['Class', 'Rows'], [[c['class'], f'{c["windows"]:,}'] for c in facts['classes']]
    headings = ['Class', 'Recordings', 'Windows', 'Time', 'Bearings']
    return headings, [
        [c['class'], f'{c["recordings"]:,}', f'{c["windows"]:,}', duration(c['seconds']), _bearings(c)]
        for c in facts['classes']
    ]


def _dataset(facts: Mapping[str, Any]) -> str:
    return facts['dataset'] + (f', version {facts["version"]}' if facts['version'] else '')


def _of_recordings(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    extent = f'{counted(facts["recordings"], "recording")}, {duration(facts["seconds"])} in all, cut into '
    extent += counted(facts['windows'], 'window')
    if facts['excluded_recordings']:
        extent += f'; {counted(facts["excluded_recordings"], "recording")} left out on request'
    rows = [('Extent', extent), ('Bearings', _named_bearings(facts))]
    if facts['machines']:
        rows.append(('Machines', listed(facts['machines'])))
    kind = '' if facts['domain_kind'] == 'domain' else f' (one per {facts["domain_kind"]})'
    rows.append(('Domains', f'{len(facts["domains"])}{kind}: {listed(facts["domains"])}'))
    rows += [('Speeds', values(facts['speeds_rpm'], 'rpm')), ('Loads', values(facts['loads']))]
    channels = counted(facts['channels'], 'channel')
    if facts['channel_names']:
        channels += f' ({listed(facts["channel_names"])})'
    unit = f'in {facts["unit"]}' if facts['unit'] else 'of unknown unit'
    rows.append(('Samples', f'{facts["rate_hz"]:,.0f} per second, {channels}, {unit}'))
    return rows


def _of_table(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [('Extent', f'{counted(facts["windows"], "row")} of {counted(len(facts["columns"]), "column")}')]
    rows.append(('Columns', listed(facts['columns'])))
    if facts['groups']:
        rows.append(('Groups of rows', f'{facts["groups"]:,}'))
    return rows


def _named_bearings(facts: Mapping[str, Any]) -> str:
    if not facts['bearings']:
        return 'not stated'
    text = f'{len(facts["bearings"])}: {listed(facts["bearings"])}'
    return text + (f'; not stated for {counted(facts["unnamed"], "recording")}' if facts['unnamed'] else '')


def _bearings(of_class: Mapping[str, Any]) -> str:
    if not of_class['bearings']:
        return 'not stated' if of_class['recordings'] else '0'
    return f'{len(of_class["bearings"])}' + (' and unnamed ones' if of_class['unnamed'] else '')
