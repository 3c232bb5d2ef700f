"""Reads state dicts from .pth files, without torch: the zip archive (torch >= 1.6) and the older stream of pickles.

In the zip archive, NAME/data.pkl holds the state dict with references to storages, NAME/data/KEY the raw elements of
each storage, and NAME/byteorder 'little' or 'big'. The stream holds pickles of a magic number, a protocol version,
facts of the machine, the state dict and the list of storage keys, then for each key its element count (int64) and raw
elements.
"""

from __future__ import annotations

import io
import os
import pathlib
import re
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO, Literal

import numpy as np

from fdx.files import reason_of
from fdx.types import WeightsError
from fdx.weights.files import refuse_pipe
from fdx.weights.readers.torch_pickle import Storage, TensorRef, read_pickle, storage_values, tensor_values

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
_ZIP_START = b'PK\x03\x04'
_PICKLE_START = b'\x80'
_STORAGE_KEY = re.compile(r'[A-Za-z0-9_-]+')


def read_torch_file(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the state dict of a .pth or .pt file.

    Args:
      path: a file that `torch.save` wrote, of a state dict or of {'state_dict': state dict, ...}.

    Returns:
      Arrays by their torch names, in the order of the file, with torch's shapes and layouts. bfloat16 becomes
      float32, every other dtype stays. Arrays may be read-only.

    Raises:
      WeightsError: the file is missing, not a torch file, truncated or damaged; it refers to anything but tensors and
        plain values (it could then run code); a tensor lies outside its storage; or the archive is unsafe.
    """
    path = pathlib.Path(path)
    try:
        refuse_pipe(path)
        with path.open('rb') as stream:
            start = stream.read(4)
            stream.seek(0)
            if start == _ZIP_START:
                state, storages = _read_zip(stream, str(path))
            elif start[:1] == _PICKLE_START:
                state, storages = _read_stream(stream, str(path))
            else:
                raise WeightsError(f'{path}: not a torch file (it starts with {start!r}); give a .pth file of weights')
    except OSError as e:
        raise WeightsError(f'{path}: cannot be read ({e.strerror or e})') from e
    return _resolve(state, storages, str(path))


def _damaged(source: str, what: str) -> WeightsError:
    return WeightsError(f'{source}: {what}; the file is truncated or damaged, fetch it again')


def _read_zip(stream: BinaryIO, source: str) -> tuple[Any, dict[str, np.ndarray]]:
    """The unpickled object and the elements of each storage that it mentions, by key."""
    try:
        with zipfile.ZipFile(stream) as archive:
            root = _checked_root(archive, source)
            state, wanted = read_pickle(io.BytesIO(archive.read(f'{root}/data.pkl')), source)
            order = _zip_byte_order(archive, root, source)
            return state, {
                key: storage_values(storage, _zip_storage(archive, root, storage, source), order)
                for key, storage in wanted.items()
            }
    except WeightsError:
        raise
    except (
        Exception
    ) as e:  # A damaged archive raises more than zipfile.BadZipFile: ValueError, struct.error, EOFError...
        raise _damaged(source, f'the zip archive cannot be read ({reason_of(e)})') from e


def _checked_root(archive: zipfile.ZipFile, source: str) -> str:
    """Refuses archives that torch does not write; returns the folder that holds data.pkl."""
    seen = set()
    for entry in archive.infolist():
        name = entry.filename
        parts = name.split('/')
        if '..' in parts or '' in parts or '\\' in name or ':' in parts[0]:
            raise WeightsError(f'{source}: the archive has an entry named {name!r}, which leads outside it; refused')
        if name in seen:
            raise WeightsError(f'{source}: the archive has two entries named {name!r}; refused')
        if entry.compress_type != zipfile.ZIP_STORED:
            raise WeightsError(f'{source}: the entry {name!r} is compressed, which torch never does; refused')
        seen.add(name)
    roots = [name[: -len('/data.pkl')] for name in seen if name.count('/') == 1 and name.endswith('/data.pkl')]
    if len(roots) != 1:
        raise WeightsError(f'{source}: a zip archive, but not a torch file (NAME/data.pkl is not in it)')
    if f'{roots[0]}/constants.pkl' in seen:
        raise WeightsError(f'{source}: a TorchScript program, not weights; save model.state_dict() instead')
    return roots[0]


def _zip_byte_order(archive: zipfile.ZipFile, root: str, source: str) -> Literal['<', '>']:
    if f'{root}/byteorder' not in archive.namelist():
        return '<'
    word = archive.read(f'{root}/byteorder')
    if word not in (b'little', b'big'):
        raise WeightsError(f"{source}: byte order {word!r:.40} is neither 'little' nor 'big'")
    return '<' if word == b'little' else '>'


def _zip_storage(archive: zipfile.ZipFile, root: str, storage: Storage, source: str) -> bytes:
    if not _STORAGE_KEY.fullmatch(storage.key):
        raise WeightsError(f'{source}: the storage key {storage.key!r} is not a plain name; refused')
    name = f'{root}/data/{storage.key}'
    if name not in archive.NameToInfo:
        raise _damaged(source, f'the archive has no entry {name!r}')
    size, wanted = archive.getinfo(name).file_size, storage.numel * storage.type.itemsize
    if size != wanted:
        raise _damaged(source, f'the entry {name!r} has {size} bytes, its tensors need {wanted}')
    return archive.read(name)


def _read_stream(stream: BinaryIO, source: str) -> tuple[Any, dict[str, np.ndarray]]:
    """As `_read_zip`, for the older layout."""
    magic, _ = read_pickle(stream, source)
    if magic != LEGACY_MAGIC or type(magic) is not int:
        raise WeightsError(f"{source}: a pickle, but not a torch file (its first item is not torch's magic number)")
    protocol, _ = read_pickle(stream, source)
    if protocol != LEGACY_PROTOCOL:
        raise WeightsError(
            f'{source}: protocol {protocol!r:.40} of the older torch layout; fdx reads {LEGACY_PROTOCOL}'
        )
    machine, _ = read_pickle(stream, source)
    if not isinstance(machine, dict) or machine.get('little_endian') is not True:
        raise WeightsError(f'{source}: not written on a little-endian machine; save it again as a zip archive')
    state, wanted = read_pickle(stream, source)
    keys, _ = read_pickle(stream, source)
    if not isinstance(keys, list) or any(type(k) is not str for k in keys) or len(set(keys)) != len(keys):
        raise _damaged(source, 'the list of storages is not one of distinct names')
    if set(keys) != wanted.keys():
        raise _damaged(source, 'its list of storages is not that of its tensors')
    return state, {key: _stream_storage(stream, wanted[key], source) for key in keys}


def _stream_storage(stream: BinaryIO, storage: Storage, source: str) -> np.ndarray:
    head = stream.read(8)
    if len(head) < 8:
        raise _damaged(source, f'it ends before the storage {storage.key!r}')
    (numel,) = struct.unpack('<q', head)
    if numel != storage.numel:
        raise _damaged(source, f'the storage {storage.key!r} has {numel} elements, its tensors need {storage.numel}')
    size = numel * storage.type.itemsize
    left = os.fstat(stream.fileno()).st_size - stream.tell()
    if left < size:
        raise _damaged(source, f'the storage {storage.key!r} needs {size} bytes, {left} are left')
    return storage_values(storage, stream.read(size), '<')


def _resolve(state: Any, storages: Mapping[str, np.ndarray], source: str) -> dict[str, np.ndarray]:
    """Replaces references by arrays, after unwrapping {'state_dict': ...}."""
    if isinstance(state, dict) and isinstance(state.get('state_dict'), dict):
        state = state['state_dict']
    if not isinstance(state, dict) or not state:
        raise WeightsError(f'{source}: holds a {type(state).__name__}, not a state dict with arrays')
    arrays = {}
    for name, ref in state.items():
        if type(name) is not str or type(ref) is not TensorRef:
            raise WeightsError(f'{source}: the entry {name!r:.80} is a {type(ref).__name__}, not a tensor')
        try:
            arrays[name] = tensor_values(ref, storages[ref.storage.key])
        except (ValueError, OverflowError, MemoryError) as e:
            raise _damaged(source, f'the tensor {name!r} cannot be built: {reason_of(e)}') from e
    return arrays
