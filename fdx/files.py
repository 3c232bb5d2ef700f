"""Writing files that are either complete or not there, and JSON that every reader accepts."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np

from fdx.types import DataError, FdxError


class FileWriteError(FdxError, OSError):
    """A file cannot be written; whatever was there before is untouched."""


def atomic_write_bytes(path: str | os.PathLike, data: bytes) -> None:
    """Writes `data` to `path` so that no reader ever sees half of it.

    The bytes go to a temporary name in the same folder (a rename is atomic only within one file system), are flushed
    to the disk, and then take the place of `path`. Missing parent folders are made.

    Args:
      path: the file to write; an older one is replaced.
      data: its whole content.

    Raises:
      FileWriteError: the folder or the file cannot be written; the older file, if any, is kept.
    """
    path = pathlib.Path(path)
    # Not tempfile: its files are private to the user (mode 0600), and a rename would keep that.
    temporary = path.with_name(f'.{path.name}.{uuid.uuid4().hex}.tmp')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, 'xb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise FileWriteError(
            f'cannot write {path}: {error}; check that the folder is writable and the disk has room, '
            'or choose another path'
        ) from error
    finally:
        # After a success the name is gone already; this is for errors and for an interrupt from the keyboard.
        _remove_quietly(temporary)


def _remove_quietly(path: pathlib.Path) -> None:
    """Removes a temporary file; a second failure must not hide the first."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def atomic_write_text(path: str | os.PathLike, text: str) -> None:
    """Writes `text` to `path` as UTF-8, completely or not at all.

    Raises:
      FileWriteError: see `atomic_write_bytes`.
    """
    atomic_write_bytes(path, text.encode('utf-8'))


def to_jsonable(obj: Any) -> Any:
    """Turns a tree of Python, NumPy and JAX values into one that strict JSON can hold.

    Mappings keep their order and get string keys; tuples, sets (sorted) and arrays become lists; dataclasses become
    objects; paths become strings. NaN and the infinities, which JSON does not have, become null.

    Raises:
      DataError: a value has no JSON form, or two keys of a mapping read the same as text; the message says where.
    """
    return _jsonable(obj, 'the value')


def _jsonable(obj: Any, where: str) -> Any:
    """`to_jsonable` with the place of `obj` in the tree, for messages."""
    if obj is None or isinstance(obj, (bool, str)):
        return obj
    if isinstance(obj, int):
        return int(obj)
    if isinstance(obj, float):
        return float(obj) if math.isfinite(obj) else None
    if isinstance(obj, os.PathLike):
        return os.fspath(obj)
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        obj = {field.name: getattr(obj, field.name) for field in dataclasses.fields(obj)}
    if isinstance(obj, Mapping):
        keys = [str(_jsonable(key, f'a key of {where}')) for key in obj]
        if len(set(keys)) != len(keys):
            raise DataError(f'two keys of {where} are the same as text: {sorted(keys)}; rename one of them')
        return {key: _jsonable(value, f'{where}[{key!r}]') for key, value in zip(keys, obj.values())}
    if isinstance(obj, (set, frozenset)):
        obj = sorted(obj, key=str)
    if isinstance(obj, (list, tuple)):
        return [_jsonable(value, f'{where}[{i}]') for i, value in enumerate(obj)]
    if hasattr(obj, 'dtype') and hasattr(obj, 'shape'):
        return _jsonable(_array_to_python(obj, where), where)
    raise DataError(f'{where} is a {type(obj).__name__}, which JSON cannot hold: convert it to numbers or text first')


def _array_to_python(array: Any, where: str) -> Any:
    """A NumPy or JAX array or scalar as nested lists or a Python scalar."""
    array = np.asarray(array)
    # NumPy files bfloat16 and its kin under 'V' (void); they are floats all the same.
    if array.dtype.kind == 'V' and array.dtype.names is None:
        array = array.astype(np.float32)
    if array.dtype.kind not in 'biufU':
        raise DataError(f'{where} is an array of {array.dtype}, which JSON cannot hold: use numbers or text')
    return array.tolist()


def write_json(path: str | os.PathLike, obj: Any) -> None:
    """Writes `obj` as strict JSON (UTF-8, keys sorted, two spaces of indent), completely or not at all.

    Raises:
      DataError: a value has no JSON form (see `to_jsonable`).
      FileWriteError: the file cannot be written.
    """
    text = json.dumps(to_jsonable(obj), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    atomic_write_text(path, text + '\n')
