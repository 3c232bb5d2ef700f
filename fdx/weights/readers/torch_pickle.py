"""Reads the pickle inside a torch file with an unpickler that can build only tensors and dicts.

Unpickling calls the functions that the file names, so a file of weights could run any program. This unpickler looks up
globals in a short table and never imports them. The entries of the table are immutable tuples, so that the pickle's
BUILD instruction, which writes attributes, cannot change them for the next file.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np

from fdx.files import reason_of
from fdx.types import WeightsError


class StorageType(NamedTuple):
    """Element type of a storage: `code` is NumPy's, 'bf16' is bfloat16, which NumPy lacks."""

    code: str

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return 2 if self.code == 'bf16' else np.dtype(self.code).itemsize


class Storage(NamedTuple):
    """A sequence of elements in the file, and the part of it that a view covers (all: start 0, length numel)."""

    type: StorageType
    key: str
    numel: int
    start: int
    length: int


class TensorRef(NamedTuple):
    """A tensor before its storage has been read; offset and strides count elements."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _Call(NamedTuple):
    function: Callable[..., Any]

    def __call__(self, *args):
        return self.function(*args)


class _StateDict(dict):
    """Stands for OrderedDict; the attributes that torch adds to it (`_metadata`) are ignored."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        pass


def _plain(name: str) -> str:
    """A name from a file, on one line of limited length."""
    return repr(name)[1:-1][:80]


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise pickle.UnpicklingError(f'{value!r} stands where a size, stride or offset belongs')
    return value


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_ignored: Any) -> TensorRef:
    if type(storage) is not Storage or type(size) is not tuple or type(stride) is not tuple:
        raise pickle.UnpicklingError('a tensor is not made of a storage, an offset, a size and strides')
    size, stride = tuple(map(_count, size)), tuple(map(_count, stride))
    if len(size) != len(stride):
        raise pickle.UnpicklingError(f'a tensor of size {size} has strides {stride}')
    return TensorRef(storage, _count(offset), size, stride)


def _rebuild_parameter(data: Any, *_ignored: Any) -> TensorRef:
    if type(data) is not TensorRef:
        raise pickle.UnpicklingError('a parameter does not hold a tensor')
    return data


_STORAGES = {
    'FloatStorage': 'f4',
    'HalfStorage': 'f2',
    'BFloat16Storage': 'bf16',
    'DoubleStorage': 'f8',
    'LongStorage': 'i8',
    'IntStorage': 'i4',
    'ShortStorage': 'i2',
    'CharStorage': 'i1',
    'ByteStorage': 'u1',
    'BoolStorage': '?',
}
_DTYPES = ('float32', 'float16', 'bfloat16', 'float64', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool')

ADMITTED: dict[tuple[str, str], Any] = {
    **{('torch', name): StorageType(code) for name, code in _STORAGES.items()},
    **{('torch', name): f'torch.{name}' for name in _DTYPES},
    ('torch.storage', 'UntypedStorage'): StorageType('u1'),
    ('torch', 'UntypedStorage'): StorageType('u1'),
    ('torch', 'Size'): _Call(lambda sizes=(): tuple(sizes)),
    ('torch._utils', '_rebuild_tensor'): _Call(_rebuild_tensor),
    ('torch._utils', '_rebuild_tensor_v2'): _Call(_rebuild_tensor),
    ('torch._utils', '_rebuild_parameter'): _Call(_rebuild_parameter),
    ('collections', 'OrderedDict'): _Call(_StateDict),
}
_REFUSED_OPCODES = ('BYTEARRAY8', 'NEXT_BUFFER', 'READONLY_BUFFER', 'EXT1', 'EXT2', 'EXT4')


class TensorUnpickler(pickle.Unpickler):
    """Reads one pickle of a torch file.

    Attributes:
      storages: every storage that the pickle mentioned, by key; for a view, its whole storage.
    """

    def __init__(self, stream: BinaryIO, source: str):
        super().__init__(stream, encoding='utf-8')
        self.source = source
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """The entry of ADMITTED for a global; WeightsError if there is none."""
        if (module, name) not in ADMITTED:
            raise WeightsError(
                f'{self.source}: the file asks for {_plain(module)}.{_plain(name)}, which weights do not need, '
                'and fdx does not call it; save the state dict alone (torch.save(model.state_dict(), ...))'
            )
        return ADMITTED[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        """The storage that a tensor refers to: ('storage', type, key, device, numel[, view])."""
        if type(pid) is not tuple or len(pid) not in (5, 6) or pid[0] != 'storage':
            raise pickle.UnpicklingError(f'the reference {pid!r:.80} is not one to a storage')
        kind, key, numel = pid[1], pid[2], _count(pid[4])
        if type(kind) is not StorageType or type(key) is not str:
            raise pickle.UnpicklingError(f'the storage {key!r:.80} has no known element type')
        whole = Storage(kind, key, numel, 0, numel)
        if self.storages.setdefault(key, whole) != whole:
            raise pickle.UnpicklingError(f'the storage {key!r} is described in two ways')
        if len(pid) == 5 or pid[5] is None:
            return whole
        _, start, length = pid[5]
        if _count(start) + _count(length) > numel:
            raise pickle.UnpicklingError(f'a view ends at element {start + length} of {numel} of storage {key!r}')
        return whole._replace(start=start, length=length)


def read_pickle(stream: BinaryIO, source: str) -> tuple[Any, dict[str, Storage]]:
    """Reads one pickle and leaves the stream at the byte after it.

    Returns:
      (object, storages): tensors are TensorRef; every storage that the pickle mentioned, by key, whole.

    Raises:
      WeightsError: a global that is not in ADMITTED, or a truncated or damaged pickle; the message names `source`.
    """
    try:
        unpickler = TensorUnpickler(io.BytesIO(_scanned(stream)), source)
        return unpickler.load(), unpickler.storages
    except WeightsError:
        raise
    except Exception as e:  # A damaged pickle raises nearly any exception, as the pickle module documents.
        raise WeightsError(f'{source}: truncated or damaged ({reason_of(e)}); fetch the file again') from e


class _Bounded:
    """A stream whose reads are limited to its length, because a damaged length could reserve 4 GB before reading."""

    def __init__(self, stream: BinaryIO):
        self._stream, here = stream, stream.tell()
        self._end = stream.seek(0, io.SEEK_END)
        self.tell, self.readline = stream.tell, stream.readline
        stream.seek(here)

    def read(self, size: int) -> bytes:
        return self._stream.read(max(0, min(size, self._end - self._stream.tell())))


def _scanned(stream: BinaryIO) -> bytes:
    """The bytes of the next pickle, read without running it.

    The unpickler reserves as many memo slots as an instruction names, so four damaged bytes could request 60 GB. A
    pickle numbers its slots from 0, so no valid slot is larger than the pickle's size.
    """
    start = stream.tell()
    for opcode, argument, at in pickletools.genops(_Bounded(stream)):  # type: ignore[arg-type]  # it only reads
        size = (at or 0) - start
        if opcode.name in _REFUSED_OPCODES:
            raise pickle.UnpicklingError(f'the instruction {opcode.name} has no place in a file of weights')
        if opcode.name in ('PUT', 'BINPUT', 'LONG_BINPUT') and (argument or 0) > size:
            raise pickle.UnpicklingError(f'memo slot {argument} in a pickle of {size} bytes')
    size = stream.tell() - start
    stream.seek(start)
    return stream.read(size)


def storage_values(storage: Storage, raw: bytes, order: Literal['<', '>']) -> np.ndarray:
    """The elements of a whole storage, 1-D, in native byte order; `order` is '<' or '>'. bfloat16 becomes float32."""
    code = storage.type.code
    if code == 'bf16':
        return (np.frombuffer(raw, f'{order}u2').astype(np.uint32) << 16).view(np.float32)
    if code == '?':
        return np.frombuffer(raw, np.uint8) != 0
    dtype = np.dtype(code)
    return np.frombuffer(raw, dtype.newbyteorder(order)).astype(dtype, copy=False)


def tensor_values(ref: TensorRef, storage: np.ndarray) -> np.ndarray:
    """The array of a reference, from the elements of its storage (1-D).

    Returns:
      A contiguous array, or a read-only view if the tensor repeats elements, since it may be far larger than the file.

    Raises:
      ValueError: the tensor reaches outside its storage, or NumPy cannot hold its shape.
    """
    if 0 in ref.size:
        return np.zeros(ref.size, storage.dtype)
    last = ref.offset + sum((n - 1) * s for n, s in zip(ref.size, ref.stride, strict=True))
    if last >= ref.storage.length:
        raise ValueError(f'it reaches element {last} of a storage of {ref.storage.length}')
    strides = [s * storage.itemsize if n > 1 else 0 for n, s in zip(ref.size, ref.stride, strict=True)]
    first = storage[ref.storage.start + ref.offset :]
    view = np.lib.stride_tricks.as_strided(first, ref.size, strides, writeable=False)
    return view if math.prod(ref.size) > storage.size else np.ascontiguousarray(view).reshape(ref.size)
