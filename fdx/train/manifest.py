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


def find_damage(folder: pathlib.Path) -> str | None:
    """What is wrong with a folder against its manifest, in a sentence; None when it is intact."""
    manifest = folder / MANIFEST
    if not folder.is_dir():
        return f'{folder} does not exist'
    if not manifest.is_file():
        return f'{folder} has no {MANIFEST}: it was not finished, or the file was deleted'
    try:
        expected = json.loads(manifest.read_text())
    except (ValueError, OSError) as e:
        return f'{manifest} cannot be read: {e}'
    for name, entry in expected.items():
        path = folder / name
        if not path.is_file():
            return f'{path} is missing'
        if path.stat().st_size != entry['bytes']:
            return f'{path} has {path.stat().st_size} bytes instead of {entry["bytes"]}: it is truncated or overwritten'
        with path.open('rb') as f:
            if hashlib.file_digest(f, 'sha256').hexdigest() != entry['sha256']:
                return f'{path} differs from its SHA-256: its bytes have changed since it was written'
    return None


def verify(folder: pathlib.Path, remedy: str) -> None:
    """Raises CheckpointError when the folder is damaged; `remedy` ends the sentence."""
    damage = find_damage(folder)
    if damage:
        raise CheckpointError(f'checkpoint is damaged: {damage}; {remedy}')
