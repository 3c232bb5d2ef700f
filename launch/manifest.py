"""Writes a manifest of the recordings in a folder, to be corrected by hand.

    python -m launch.manifest recordings/ --out=manifest.csv                       (one folder per class)
    python -m launch.manifest bench/ --pattern='{speed_rpm}_{label}_{load}.csv' --out=manifest.csv

A manifest is a table with one row per recording: file, label, and what else is known. Correct it in any editor or
spreadsheet, add columns (bearing_id, machine, channel, sample_rate_hz, start_s, stop_s, group, split), and hand it over
in place of the folder: `python -m launch.inspect manifest.csv`. Paths are relative to the manifest, so that both can be
moved together. A manifest that exists is kept unless --overwrite is passed. Files are not opened, except a manifest.
"""

from __future__ import annotations

import os
import pathlib
from collections import Counter

from absl import flags

from fdx.data.collection.collect import open_collection
from fdx.data.collection.entry import Collection
from fdx.data.collection.fault_words import KINDS
from fdx.data.collection.manifest import write_manifest
from fdx.data.raw.format import TextFormat
from fdx.inspect.manifest_rows import manifest_rows
from fdx.types import ConfigError

from . import cli
from .config_flags import define_fields
from .display import table
from .format_flags import Formats
from .recordings_flags import RecordingsOptions, own_recordings

FLAGS = flags.FLAGS
# What a manifest has no column for stays a flag of the program that reads it.
NOT_HERE = ('recordings', 'window_s', 'hop_s', 'match_level', 'variable', 'label_column')


def define_flags() -> None:
    """The flags of this program."""
    define_fields(RecordingsOptions, skip=NOT_HERE)
    flags.DEFINE_string('out', None, 'the manifest to write, a .csv', required=True)
    flags.DEFINE_bool('overwrite', False, 'whether to replace a file that exists')


def main(argv) -> None:
    """Writes the manifest and says what to check."""
    if len(argv) != 2:
        raise ConfigError(f'name one folder of recordings ({len(argv) - 1} are named)')
    out = pathlib.Path(FLAGS.out)
    if out.suffix.lower() != '.csv':
        raise ConfigError(f'--out={FLAGS.out}: a manifest is a .csv file')
    if out.exists() and not FLAGS.overwrite:
        raise ConfigError(f'--out={FLAGS.out} exists; choose another name, or pass --overwrite to replace it')
    names = [name for name in RecordingsOptions.__dataclass_fields__ if name not in NOT_HERE]
    values = {name: FLAGS[name].value for name in names}
    values |= {'recordings': argv[1], 'label_map': tuple(values['label_map'])}
    spec = own_recordings(RecordingsOptions(**values), Formats(TextFormat(), None)).spec
    collection = open_collection(spec)
    if collection.content:
        raise ConfigError(
            f'{argv[1]} was built by bearing-datasets: its metadata.parquet takes the place of a manifest'
        )
    rows = manifest_rows(collection, out.parent)
    write_manifest(out, rows)
    print(f'{out}: {len(rows)} files, {len(collection.entries)} recordings')
    print('\n'.join(_counts(collection)))
    print('\n'.join(_to_check(collection, os.fspath(out))))


def _counts(collection: Collection) -> list[str]:
    counts = Counter((e.label or '(no class)', e.fault_type or '-') for e in collection.entries)
    rows = [(label, kind, n) for (label, kind), n in sorted(counts.items())]
    return [table(('class', 'fault type', 'recordings'), rows)]


def _to_check(collection: Collection, out: str) -> list[str]:
    """What a person should look at in the manifest."""
    entries, lines = collection.entries, []
    if any(not e.label for e in entries):
        lines.append(f'- label: {sum(not e.label for e in entries)} rows have none; fill it in')
    strange = sorted({e.label for e in entries if e.label and e.fault_type not in KINDS})
    if strange:
        lines.append(
            f'- fault_type: {", ".join(strange[:6])}: not recognised as a fault of fdx; write normal, inner_race, '
            'outer_race or ball where that is what they are'
        )
    if all(e.speed_rpm != e.speed_rpm for e in entries):
        lines.append('- speed_rpm: not known; front ends that read fault orders need it')
    if not any(e.bearing_id for e in entries):
        lines.append('- bearing_id: name the physical bearing of each recording, so that by_bearing can leave it out')
    if collection.ignored:
        lines.append(f'- {len(collection.ignored)} files were passed over, e.g. {": ".join(collection.ignored[0])}')
    return ['Check:' if lines else 'Nothing stands out.', *lines, f'Then: fdx inspect {out}']


if __name__ == '__main__':
    define_flags()
    cli.run(main, positional=True)
