"""Opens a user's recordings: a manifest, a folder whose names follow a pattern, a folder per class, a built dataset."""

from __future__ import annotations

import dataclasses
import fnmatch
import os
import pathlib
from collections.abc import Mapping, Sequence

from fdx.data.collection.built import files_of_built, rows_of_built
from fdx.data.collection.columns import NUMBERS, number_of
from fdx.data.collection.domains import with_domains
from fdx.data.collection.entry import SPLITS, Collection, Entry
from fdx.data.collection.fault_words import fault_type_of
from fdx.data.collection.folder import find_files, labels_of_folders
from fdx.data.collection.groups import merged_groups
from fdx.data.collection.manifest import SUFFIXES, read_manifest
from fdx.data.collection.pattern import fields_of_names
from fdx.data.collection.spec import CollectionSpec
from fdx.data.raw.built_folder import is_built
from fdx.signal.bearings import parse_bearing
from fdx.types import UNKNOWN, BearingGeometry, ConfigError, DataError


def open_collection(spec: CollectionSpec | str | os.PathLike) -> Collection:
    """The recordings that a folder or manifest names; their samples are not read yet.

    Args:
      spec: what the user says, or just the folder or manifest.

    Raises:
      DataError: the source cannot be read, names do not follow the pattern, a file does not exist, two rows name the
        same recording, a value cannot be used, or there is no recording at all.
      ConfigError: a pattern or bearing that cannot be used, or a pattern for a manifest.
    """
    if not isinstance(spec, CollectionSpec):
        spec = CollectionSpec(os.fspath(spec))
    # The given path is kept in messages; ids are relative to it, so that a moved folder keeps them.
    source = pathlib.Path(spec.source).expanduser()
    content: tuple[pathlib.Path, ...] = ()
    extra: list[str] = []
    if source.is_dir() and is_built(source):
        rows, ignored = rows_of_built(source, spec)
        root, content = source, files_of_built(source)
    elif spec.label_column:
        raise ConfigError(
            f'`label_column`={spec.label_column} is for datasets built by bearing-datasets, but {source} is none; '
            'leave it out'
        )
    elif source.is_dir():
        rows, root, ignored, extra = _of_folder(source, spec.pattern)
    elif source.suffix.lower() in SUFFIXES:
        if spec.pattern:
            raise ConfigError(f'`pattern`={spec.pattern} is for folders, but {source} is a manifest; leave it out')
        (rows, extra), root, ignored = _of_manifest(source), source.parent, []
    else:
        kinds = f'a folder, or a manifest ending in {", ".join(SUFFIXES)}'
        there = 'is of another kind' if source.exists() else 'does not exist'
        raise DataError(f'`recordings`={spec.source} {there}; name {kinds}')
    entries = [_entry(root, place, cells, spec) for place, cells in rows]
    if not entries:
        raise DataError(f'{source} holds no recordings: no file of a known format, in it or its sub-folders')
    entries = merged_groups(entries, [cells.get('group', '') for _, cells in rows], root)
    _check_unique(entries)
    # A built dataset stays in the order of its table, in which the signals lie: groups of them are unpacked at once.
    entries = with_domains(entries if content else sorted(entries, key=lambda e: e.recording))
    return Collection(source, root, tuple(entries), spec.shared, tuple(ignored), tuple(extra), content)


def entry_of_file(file: str | os.PathLike, spec: CollectionSpec) -> Entry:
    """A single file, read as the recordings of a collection are; its id is its path as it was named.

    Args:
      file: it need not lie in the collection's folder.
      spec: of the collection: the pattern of its names, and what all recordings share.

    Raises:
      DataError: the file does not exist, or its name does not follow the pattern.
    """
    path = pathlib.Path(file).expanduser()
    cells: dict[str, str] = {}
    if spec.pattern:
        # A pattern of folders and names is matched against as many folders as it has.
        root = path.absolute().parents[spec.pattern.count('/')]
        cells = fields_of_names(spec.pattern, root, [path.absolute()])[path.absolute()]
    entry = _entry(path.parent, str(path), {**cells, 'file': path.name}, spec)
    return dataclasses.replace(entry, recording=os.fspath(file))


Rows = list[tuple[str, dict[str, str]]]


def _of_folder(source: pathlib.Path, pattern: str) -> tuple[Rows, pathlib.Path, list[tuple[str, str]], list[str]]:
    files, ignored = find_files(source)
    if pattern:
        fields = fields_of_names(pattern, source, files)
    else:
        fields = {f: {'label': label} if label else {} for f, label in labels_of_folders(source, files).items()}
    rows = [(str(f), {**fields[f], 'file': f.relative_to(source).as_posix()}) for f in files]
    return rows, source, ignored, []


def _of_manifest(source: pathlib.Path) -> tuple[Rows, list[str]]:
    return read_manifest(source)


def _entry(root: pathlib.Path, place: str, cells: Mapping[str, str], spec: CollectionSpec) -> Entry:
    shared = spec.shared
    numbers = {field: number_of(cells.get(field, ''), field, place) for field in NUMBERS}
    # A manifest that was written on Windows has backslashes.
    name = cells['file'].replace('\\', '/') if os.sep == '/' else cells['file']
    path = pathlib.Path(name).expanduser()
    file = path if path.is_absolute() else root / path
    if not (file.is_file() or file.is_symlink()):
        raise DataError(f'{place}: there is no file {file}; paths are relative to the folder of the manifest')
    start_s, stop_s = numbers['start_s'] or 0.0, numbers['stop_s']
    if stop_s is not None and stop_s <= start_s:
        raise DataError(f'{place}: stop_s {stop_s:g} is not above start_s {start_s:g}')
    split = cells.get('split', '').strip().lower()
    if split and split not in SPLITS:
        raise DataError(f'{place}: split is {split!r}; it must be one of {", ".join(SPLITS)}, or empty')
    label = _renamed(cells.get('label', ''), spec.labels)
    channel = cells.get('channel', '') or shared.channel
    return Entry(
        recording=cells.get('recording') or _id(root, file, cells, start_s, stop_s),
        files=(file,),
        label=label,
        fault_type=cells.get('fault_type', '') or (fault_type_of(label) if label else ''),
        machine=cells.get('machine', '') or shared.machine,
        bearing_id=cells.get('bearing_id', ''),
        domain=cells.get('domain', ''),
        speed_rpm=_first(numbers['speed_rpm'], shared.speed_rpm),
        load=_first(numbers['load'], shared.load),
        geometry=_geometry(cells.get('bearing', '') or shared.bearing, place),
        channel=channel,
        variable=cells.get('variable', ''),
        sample_rate_hz=numbers['sample_rate_hz'] or shared.sample_rate_hz,
        start_s=start_s,
        stop_s=stop_s,
        split=split,
        run=cells.get('recording') or _run(root, file, cells),
        place=place,
    )


def _id(root: pathlib.Path, file: pathlib.Path, cells: Mapping[str, str], start_s: float, stop_s: float | None) -> str:
    """The path below the root, with signal, channel and piece where a manifest takes several recordings from a file."""
    name = _file_id(root, file) + (f':{cells["variable"]}' if cells.get('variable') else '')
    piece = f'@{start_s:g}s' if start_s or stop_s is not None else ''
    return name + (f'#{cells["channel"]}' if cells.get('channel') else '') + piece


def _run(root: pathlib.Path, file: pathlib.Path, cells: Mapping[str, str]) -> str:
    """The physical run: the file, or the group in it ('run03' of 'run03/acc_x'), whose signals are of one run."""
    group = cells.get('variable', '').rpartition('/')[0]
    return _file_id(root, file) + (f':{group}' if group else '')


def _file_id(root: pathlib.Path, file: pathlib.Path) -> str:
    """The path below the root, so that a folder which was moved keeps its ids."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()


def _renamed(label: str, labels: Sequence[tuple[str, str]]) -> str:
    return next((name for pattern, name in labels if fnmatch.fnmatchcase(label, pattern)), label).strip()


def _first(*values: float | None) -> float:
    return next((v for v in values if v is not None), UNKNOWN)


def _geometry(text: str, place: str) -> BearingGeometry | None:
    if not text:
        return None
    try:
        return parse_bearing(text)
    except ConfigError as e:
        raise DataError(f'{place}: {e}. A name of one physical bearing belongs into the column bearing_id') from e


def _check_unique(entries: Sequence[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        other = seen.setdefault(entry.recording, entry)
        if other is not entry:
            raise DataError(
                f'{entry.place}: {entry.recording} is named already ({other.place}); name each recording once, or '
                'different channels or pieces of it'
            )
