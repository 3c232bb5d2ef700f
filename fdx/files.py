"""Writing files that are either complete or not there, JSON that every reader accepts, and other libraries' errors."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import pathlib
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from fdx.types import DataError, FdxError

try:
    import fcntl
except ImportError:  # Windows: there the user removes what a killed process left.
    fcntl = None  # type: ignore[assignment]


MAX_REASON = 240
# Libraries in C++ raise other exceptions than OSError; these phrases in their text tell a failure of the system.
SYSTEM = re.compile(
    'No space left on device|Read-only file system|File too large|Disk quota exceeded|Permission denied|'
    'Operation not permitted|Input/output error|Too many open files'
)
_TEMPORARY = re.compile(r'\..+\.[0-9a-f]{32}\.tmp')


class FileWriteError(FdxError, OSError):
    """A file cannot be written; whatever was there before is untouched."""


def reason_of(error: BaseException) -> str:
    """What an exception of another library says, in one line of bounded length, or its class name if that is empty."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = ' '.join(str(error).split()) or type(error).__name__
    of_system = SYSTEM.search(text)
    if of_system:
        return of_system[0]
    return text if len(text) <= MAX_REASON else f'{text[: MAX_REASON - 3]}...'


@contextlib.contextmanager
def boundary(what: str, path: str | os.PathLike, remedy: str, error: type[FdxError]) -> Iterator[None]:
    """Turns whatever other libraries raise in the body into one line for the user; the cause stays chained.

    Errors of fdx and Ctrl-C pass unchanged.

    Args:
      what: what the body does, e.g. 'cannot read'.
      path: the file or folder that it does it to.
      remedy: what the user is to do.
      error: class of the error to raise.

    Raises:
      FdxError: of the class `error`: '{what} {path}: {reason}; {remedy}'.
    """
    try:
        yield
    except FdxError:
        raise
    except Exception as e:
        raise error(f'{what} {path}: {reason_of(e)}; {remedy}') from e


def lock_temporary(file: BinaryIO) -> None:
    """Marks an open temporary file as in use by a living process, for `remove_temporaries` of another one."""
    if fcntl is not None:
        # Some file systems have no locks; there the file is written without one.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove_temporaries(folder: str | os.PathLike, of: str = '', pattern: re.Pattern = _TEMPORARY) -> None:
    """Removes temporary files of fdx whose process was killed; those that a living process writes are left.

    Args:
      folder: where to look; not below it.
      of: how their names begin; '' for all.
      pattern: what their names look like.
    """
    if fcntl is None:
        return
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(os.fspath(folder))):
            ours = pattern.fullmatch(entry.name) and entry.name.startswith(of) and entry.is_file(follow_symlinks=False)
            if not ours:
                continue
            with contextlib.suppress(OSError), open(entry.path, 'rb') as file:
                # The system drops the lock of a process that ends, however it ends.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(entry.path)


def atomic_write_bytes(path: str | os.PathLike, data: bytes) -> None:
    """Writes `data` to `path` so that no reader ever sees half of it.

    The bytes go to a temporary name in the same folder (a rename is atomic only within one file system), are flushed
    to the disk, and then take the place of `path`. Missing parent folders are made. Temporary files of the same name
    whose process was killed are removed first.

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
        remove_temporaries(path.parent, f'.{path.name}.')
        with open(temporary, 'xb') as file:
            lock_temporary(file)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise FileWriteError(
            f'cannot write {path}: {reason_of(error)}; check that the folder is writable and the disk has room, '
            'or choose another path'
        ) from error
    finally:
        # After a success this name no longer exists; it is there after an error or an interrupt from the keyboard.
        _remove_quietly(temporary)


def _remove_quietly(path: pathlib.Path) -> None:
    """Removes a temporary file; a second failure must not hide the first."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def atomic_write_text(path: str | os.PathLike, text: str) -> None:
    """Writes `text` to `path` as UTF-8, completely or not at all.

    What UTF-8 cannot hold, such as the bytes of a file name in another encoding, is written as escapes.

    Raises:
      FileWriteError: see `atomic_write_bytes`.
    """
    atomic_write_bytes(path, text.encode('utf-8', 'backslashreplace'))


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
    # NumPy gives bfloat16 and similar types the kind 'V' (void), although they are floats.
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


_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# Nothing that fdx writes is nested deeper than some ten levels.
_MOST_NESTED = 200


def parse_json(text: str | bytes) -> Any:
    """`json.loads` that survives whatever a file holds.

    The C parser of Python calls itself for every level, up to the recursion limit; where a library has raised that
    (litert-converter does), a file of 100,000 brackets ends the process with a segmentation fault.

    Raises:
      ValueError: the text is not JSON or not UTF-8, or it is nested deeper than 200 levels.
    """
    text = text.decode('utf-8') if isinstance(text, bytes) else text
    depth = deepest = 0
    for bracket in re.findall(r'[\[\]{}]', _JSON_STRING.sub('', text)):
        depth += 1 if bracket in '[{' else -1
        deepest = max(deepest, depth)
    if deepest > _MOST_NESTED:
        raise ValueError(f'it is nested {deepest} levels deep')
    return json.loads(text)
