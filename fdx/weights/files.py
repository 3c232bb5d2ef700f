"""fdx's own files of weights: a safetensors file with flat names, and a JSON manifest beside it.

The manifest says where the weights came from. It holds no date and no path, so converting the same source twice gives
the same two files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.numpy

import fdx
from fdx.files import boundary, lock_temporary, parse_json, reason_of, remove_temporaries
from fdx.types import WeightsError
from fdx.weights.trees import flatten_tree, unflatten_tree

WRITE_REMEDY = 'check that the folder is writable and the disk has room, or choose another path'
REQUIRED = ('model', 'origin', 'source_sha256', 'licence')


def manifest_path(path: str | os.PathLike) -> pathlib.Path:
    """'vggish.safetensors' -> 'vggish.safetensors.json'."""
    path = pathlib.Path(path)
    return path.with_name(path.name + '.json')


def file_sha256(path: str | os.PathLike) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    with open(path, 'rb') as stream:
        return hashlib.file_digest(stream, 'sha256').hexdigest()


def refuse_pipe(path: str | os.PathLike) -> None:
    """Raises WeightsError for a pipe, socket or device: opening it could wait for ever."""
    path = pathlib.Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise WeightsError(f'{path}: a pipe, socket or device, not a file; write its content to a file first')


def save_weights(path: str | os.PathLike, params: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Writes both files, or neither.

    Args:
      path: the safetensors file; an existing pair is replaced.
      params: nested dict of arrays; the file's names are their paths, 'stage1/conv1/kernel'.
      manifest: at least 'model', 'origin' (URL or file name), 'source_sha256' and 'licence', of JSON values.

    Returns:
      The manifest as written: with 'sha256' of the safetensors file, 'fdx_version', 'arrays' and 'parameters' (counts).

    Raises:
      WeightsError: the manifest lacks a required entry, the tree has no arrays, or the folder cannot be written.
    """
    path = pathlib.Path(path)
    missing = [key for key in REQUIRED if not isinstance(manifest.get(key), str)]
    if missing:
        raise WeightsError(f'{path}: the manifest lacks {", ".join(missing)}: say where the weights came from')
    flat = {name: np.ascontiguousarray(leaf) for name, leaf in flatten_tree(params).items()}
    if not flat:
        raise WeightsError(f'{path}: there is no array to write')
    new = [p.with_name(f'.{p.name}.{uuid.uuid4().hex}.tmp') for p in (path, manifest_path(path))]
    with (
        contextlib.ExitStack() as stack,
        boundary('the weights cannot be written to', path, WRITE_REMEDY, WeightsError),
    ):
        for old, temporary in zip((path, manifest_path(path)), new):
            remove_temporaries(path.parent, f'.{old.name}.')
            stack.callback(temporary.unlink, missing_ok=True)
        content = safetensors.numpy.save(flat)
        full = {
            **manifest,
            'arrays': len(flat),
            'parameters': sum(a.size for a in flat.values()),
            'sha256': hashlib.sha256(content).hexdigest(),
            'fdx_version': fdx.__version__,
        }
        text = json.dumps(full, indent=2, sort_keys=True) + '\n'
        for temporary, data in zip(new, (content, text.encode())):
            with temporary.open('xb') as file:
                lock_temporary(file)
                file.write(data)
        _replace_pair(new, [path, manifest_path(path)])
    return full


def _replace_pair(new: list[pathlib.Path], old: list[pathlib.Path]) -> None:
    """Moves both files into place; if the second cannot be moved, the first is put back as it was."""
    backup = old[0].with_name(new[0].name + '.old')
    existed = old[0].exists()
    if existed:
        os.replace(old[0], backup)
    try:
        os.replace(new[0], old[0])
        os.replace(new[1], old[1])
    except BaseException:
        old[0].unlink(missing_ok=True)
        if existed:
            os.replace(backup, old[0])
        raise
    backup.unlink(missing_ok=True)


def load_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Arrays of a safetensors file by their names in it.

    Raises:
      WeightsError: the file is missing, or not a complete safetensors file.
    """
    refuse_pipe(path)
    try:
        arrays = safetensors.numpy.load_file(path)
    except OSError as e:
        raise WeightsError(f'{path}: cannot be read ({e.strerror or e})') from e
    except Exception as e:  # A damaged header can make the library, and NumPy below it, raise anything.
        raise WeightsError(f'{path}: not a whole safetensors file ({reason_of(e)}); convert or fetch it again') from e
    if not arrays:
        raise WeightsError(f'{path}: holds no array')
    return arrays


def load_manifest(path: str | os.PathLike) -> dict[str, Any]:
    """The manifest beside a safetensors file, after checking the file against it; {} if there is none.

    Raises:
      WeightsError: the manifest is damaged, or belongs to another file (SHA-256).
    """
    beside = manifest_path(path)
    if not beside.exists():
        return {}
    refuse_pipe(path)
    try:
        manifest = parse_json(beside.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as e:
        raise WeightsError(f'{beside}: not a manifest ({e}); convert the weights again') from e
    if not isinstance(manifest, dict) or not isinstance(manifest.get('sha256'), str):
        raise WeightsError(f"{beside}: not a manifest (it has no 'sha256'); convert the weights again")
    if not isinstance(manifest.get('options'), dict | None):
        raise WeightsError(f"{beside}: its 'options' are not options of a network; convert the weights again")
    try:
        digest = file_sha256(path)
    except OSError as e:
        raise WeightsError(f'{path}: cannot be read ({e.strerror or e})') from e
    if digest != manifest['sha256']:
        raise WeightsError(
            f'{path}: its SHA-256 is {digest[:16]}..., its manifest says {manifest["sha256"][:16]}...; one of the two '
            'was changed or damaged: convert or fetch the weights again'
        )
    return manifest


def load_weights(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, Any]]:
    """Reads a file of `save_weights`, or any safetensors file with names joined by '/'.

    Returns:
      (params, manifest): params is a nested dict of NumPy arrays; manifest is {} if no manifest lies beside the file.

    Raises:
      WeightsError: the file is missing, truncated, damaged, or not the one that its manifest describes.
    """
    manifest = load_manifest(path)
    return unflatten_tree(load_arrays(path)), manifest
