"""Manifests of checkpoint folders: Orbax restores a flipped byte silently, so fdx checks every file.

`sha256.json` lists all files of a folder with their sizes and SHA-256. It also binds the folder to the number of its
step and to its run, whose id is drawn when the run begins.

    {"format": 2, "run": "9f3c...", "step": 30, "files": {"meta/metadata": {"bytes": 812, "sha256": "..."}, ...}}

Older manifests of fdx hold the list alone; they are still read, and bind nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re

from fdx.files import atomic_write_text, parse_json, reason_of
from fdx.types import CheckpointError

MANIFEST = 'sha256.json'
FORMAT = 2
_SHA256 = re.compile(r'[0-9a-f]{64}')
# Files that desktops and network file systems put into any folder.
_JUNK = re.compile(r'\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.nfs[0-9a-f]+|\.directory')


class _UnusableError(Exception):
    """A manifest that cannot be used; the text is for the user."""


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a manifest says.

    Attributes:
      files: relative path -> (bytes, SHA-256).
      run: id of the run; None in old manifests.
      step: number of the step; None for a frozen prefix, and in old manifests.
    """

    files: dict[str, tuple[int, str]]
    run: str | None
    step: int | None


def is_junk(name: str) -> bool:
    """Whether a file is one that an operating system leaves by itself."""
    return _JUNK.fullmatch(name) is not None


def _names(folder: pathlib.Path) -> list[str]:
    """Relative paths of everything below a folder, except for folders and its manifest."""
    found = []
    for above, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(above, name))]
        found += [pathlib.Path(above, name).relative_to(folder).as_posix() for name in (*files, *links)]
    return sorted(name for name in found if name != MANIFEST)


def write_manifest(folder: pathlib.Path, run: str | None = None, step: int | None = None) -> None:
    """Writes `sha256.json` for every file below `folder`.

    Args:
      folder: of a step, or of the frozen prefix.
      run: id of the run.
      step: number of the step.

    Raises:
      FileWriteError: it cannot be written.
    """
    files = {}
    for name in _names(folder):
        with (folder / name).open('rb') as f:
            digest = hashlib.file_digest(f, 'sha256').hexdigest()
        files[name] = {'sha256': digest, 'bytes': (folder / name).stat().st_size}
    said = {'format': FORMAT, 'run': run, 'step': step, 'files': files}
    atomic_write_text(folder / MANIFEST, json.dumps(said, indent=1, sort_keys=True) + '\n')


def read_manifest(folder: pathlib.Path) -> Manifest | None:
    """The manifest of a folder; None where there is none, or one that cannot be used."""
    try:
        return _read(folder)
    except _UnusableError:
        return None


def _read(folder: pathlib.Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise _UnusableError(f'{folder} has no {MANIFEST}: it was not finished, or the file was deleted')
    try:
        said = parse_json(path.read_text(encoding='utf-8'))
    except (ValueError, OSError, RecursionError) as e:
        raise _UnusableError(f'{path} cannot be read: {reason_of(e)}') from e
    changed = _UnusableError(
        f'{path} is not a list of files with bytes and sha256: it has changed since it was written'
    )
    if not isinstance(said, dict):
        raise changed
    old = 'format' not in said
    run, step, listed = (None, None, said) if old else (said.get('run'), said.get('step'), said.get('files'))
    bound = isinstance(run, str | None) and (step is None or type(step) is int)
    if not bound or not isinstance(listed, dict) or not all(_is_entry(*entry) for entry in listed.items()):
        raise changed
    return Manifest({name: (v['bytes'], v['sha256']) for name, v in listed.items()}, run, step)


def _is_entry(name: str, entry: object) -> bool:
    """Whether an entry has a path inside the folder, a number of bytes and a digest."""
    inside = not name.startswith('/') and '..' not in name.split('/') and '\0' not in name
    return (
        inside
        and isinstance(entry, dict)
        and type(entry.get('bytes')) is int
        and isinstance(entry.get('sha256'), str)
        and _SHA256.fullmatch(entry['sha256']) is not None
    )


def extra_files(folder: pathlib.Path, below: str = '') -> list[str]:
    """Files below a folder that its manifest does not list, without those of desktops; all files if it has none."""
    manifest = read_manifest(folder)
    known = manifest.files if manifest else {}
    names = [name for name in _names(folder) if name not in known and name.startswith(below)]
    return [name for name in names if not is_junk(name.rpartition('/')[2])]


def find_damage(
    folder: pathlib.Path, below: str = '', *, step: int | None = None, run: str | None = None
) -> str | None:
    """What is wrong with a folder against its manifest, in a sentence; None when it is intact.

    Args:
      folder: with its manifest.
      below: check only files whose relative path begins so, e.g. 'meta/'.
      step: number that the folder stands for; None for any.
      run: id of the run that it belongs to; None for any.
    """
    if not folder.is_dir():
        return f'{folder} does not exist'
    try:
        manifest = _read(folder)
    except _UnusableError as e:
        return str(e)
    if step is not None and manifest.step not in (None, step):
        return f'{folder} holds step {manifest.step}: it was renamed or copied'
    if run is not None and manifest.run not in (None, run):
        return f'{folder} is of another run ({manifest.run[:8]}, not {run[:8]}): it was copied here'
    wanted = {name: entry for name, entry in manifest.files.items() if name.startswith(below)}
    if not wanted:
        return f'{folder / MANIFEST} names no file {below}: it has changed since it was written'
    for name, (size, digest) in wanted.items():
        damage = _file_damage(folder / name, size, digest)
        if damage:
            return damage
    extra = extra_files(folder, below)
    return f'{folder / extra[0]} is not one of its files: it was put there later' if extra else None


def _file_damage(path: pathlib.Path, size: int, digest: str) -> str | None:
    if not path.is_file():
        return f'{path} is missing'
    try:
        there = path.stat().st_size
        if there != size:
            return f'{path} has {there} bytes instead of {size}: it is truncated or overwritten'
        with path.open('rb') as f:
            if hashlib.file_digest(f, 'sha256').hexdigest() != digest:
                return f'{path} differs from its SHA-256: its bytes have changed since it was written'
    except OSError as e:
        return f'{path} cannot be read: {reason_of(e)}'
    return None


def verify(folder: pathlib.Path, remedy: str, *, run: str | None = None) -> None:
    """Raises CheckpointError when the folder is damaged or of another run; `remedy` ends the sentence."""
    damage = find_damage(folder, run=run)
    if damage:
        raise CheckpointError(f'checkpoint is damaged: {damage}; {remedy}')
