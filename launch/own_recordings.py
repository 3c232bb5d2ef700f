"""Prepares a user's own recordings on demand: inspects new content, chooses the front end, keeps what was found."""

from __future__ import annotations

import dataclasses
import pathlib
import sys

from fdx.data.collection.own import OwnRecordings, look_at, split_name, version_for
from fdx.data.prepare_own import prepare_own
from fdx.inspect.advisor import advise
from fdx.inspect.inspection import inspect_collection

from .cli import as_flags
from .display import progress

# Inspecting reads every file once more; of so many, `fdx inspect` does it when the user asks.
MOST_INSPECTED = 2000
SHOWN = ('error', 'warning')


def prepare_own_recordings(name: str, data_dir: str, own: OwnRecordings) -> str:
    """As `fdx.data.prepare_own.prepare_own`, with the front end chosen where the name leaves it open.

    The front end is that of a prepared dataset with this name and just this content; else the one that the advisor
    recommends. New content is inspected first. The findings are printed, and the dataset keeps them for its reports.

    Args:
      name: `recordings/NAME` or `recordings/NAME-FRONT_END`; likewise of bearing_datasets.
      data_dir: folder of prepared datasets.
      own: the recordings and how they are cut.

    Returns:
      The dataset's name with front end and version.
    """
    looked_at = look_at(own)
    builder, _, config = name.partition('/')
    chosen, front_end = split_name(config)
    root = pathlib.Path(data_dir) / builder
    if not front_end:
        there = sorted(p.name for p in root.glob(f'{chosen}-*/') if split_name(p.name)[0] == chosen)
        same = [c for c in there if version_for(root / c, looked_at.sha256)[1]]
        config = same[0] if len(same) == 1 else f'{chosen}-{advise(looked_at).front_end}'.rstrip('-')
    if not version_for(root / config, looked_at.sha256)[1] and len(looked_at.collection.entries) <= MOST_INSPECTED:
        found = inspect_collection(
            looked_at.collection, own.spec, progress=lambda entries: progress(entries, desc='inspecting')
        )
        for finding in found.findings:
            if finding['severity'] in SHOWN:
                print(as_flags(f'{finding["severity"]}: {finding["text"]}'), file=sys.stderr)
        own = dataclasses.replace(own, findings=tuple(found.findings))
        looked_at = dataclasses.replace(looked_at, own=own)
    return prepare_own(f'{builder}/{config}', data_dir, looked_at, notify=_say, progress=True)


def _say(line: str) -> None:
    print(line, flush=True)
