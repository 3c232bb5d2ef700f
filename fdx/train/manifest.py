"""SHA-256 manifests of checkpoint folders: Orbax restores a flipped byte silently, so fdx checks every file."""

from __future__ import annotations

import hashlib
import json
import pathlib

from fdx.files import atomic_write_text
from fdx.types import CheckpointError

MANIFEST = 'sha256.json'


def _digests(folder: pathlib.Path) -> dict[str, dict]:
    files = sorted(p for p in folder.rglob('*') if p.is_file() and p.name != MANIFEST)
    out = {}
    for path in files:
        with path.open('rb') as f:
            digest = hashlib.file_digest(f, 'sha256').hexdigest()
        out[path.relative_to(folder).as_posix()] = {'sha256': digest, 'bytes': path.stat().st_size}
    return out


def write_manifest(folder: pathlib.Path) -> str:
    """Writes `sha256.json` for every file below `folder`; returns the manifest's own SHA-256."""
    text = json.dumps(_digests(folder), indent=1, sort_keys=True) + '\n'
    atomic_write_text(folder / MANIFEST, text)
    return hashlib.sha256(text.encode()).hexdigest()


def find_damage(folder: pathlib.Path, below: str = '') -> str | None:
    """What is wrong with a folder against its manifest, in a sentence; None when it is intact.

    Args:
      folder: with its manifest.
      below: check only files whose relative path begins so, e.g. 'meta/'.
    """
    manifest = folder / MANIFEST
    if not folder.is_dir():
        return f'{folder} does not exist'
    if not manifest.is_file():
        return f'{folder} has no {MANIFEST}: it was not finished, or the file was deleted'
    try:
        expected = {k: (v['bytes'], v['sha256']) for k, v in json.loads(manifest.read_text()).items()}
    except (ValueError, OSError) as e:
        return f'{manifest} cannot be read: {e}'
    except (AttributeError, KeyError, TypeError):
        return f'{manifest} is no list of files with bytes and sha256: it has changed since it was written'
    wanted = {name: entry for name, entry in expected.items() if name.startswith(below)}
    if not wanted:
        return f'{manifest} names no file {below}: it has changed since it was written'
    for name, (size, digest) in wanted.items():
        path = folder / name
        if not path.is_file():
            return f'{path} is missing'
        if path.stat().st_size != size:
            return f'{path} has {path.stat().st_size} bytes instead of {size}: it is truncated or overwritten'
        with path.open('rb') as f:
            if hashlib.file_digest(f, 'sha256').hexdigest() != digest:
                return f'{path} differs from its SHA-256: its bytes have changed since it was written'
    return None


def verify(folder: pathlib.Path, remedy: str) -> None:
    """Raises CheckpointError when the folder is damaged; `remedy` ends the sentence."""
    damage = find_damage(folder)
    if damage:
        raise CheckpointError(f'checkpoint is damaged: {damage}; {remedy}')
