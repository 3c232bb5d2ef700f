"""Writes torch files byte by byte, without torch: opcodes of pickle protocol 2, the zip archive and the stream."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile

import numpy as np

STORAGES = {'f4': 'FloatStorage', 'f2': 'HalfStorage', 'f8': 'DoubleStorage', 'i8': 'LongStorage'}
MAGIC = 0x1950A86A20F9469CFC6C


def glob(module: str, name: str) -> bytes:
    return f'c{module}\n{name}\n'.encode()


def put(value) -> bytes:
    """Opcodes of None, a bool, an int, a string, a tuple, a dict or ready-made opcodes."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict):
        return b'}(' + b''.join(put(k) + put(v) for k, v in value.items()) + b'u'
    if isinstance(value, tuple):
        return b'(' + b''.join(map(put, value)) + b't'
    if isinstance(value, str):
        return b'X' + struct.pack('<I', len(value.encode())) + value.encode()
    return pickle.dumps(value, 2)[2:-1]


def call(function: bytes, *args) -> bytes:
    return function + put(args) + b'R'


def storage(key: str, numel: int, code: str = 'f4', view: tuple | None | str = 'absent') -> bytes:
    pid = ('storage', glob('torch', STORAGES.get(code, code)), key, 'cpu', numel)
    return put(pid if view == 'absent' else (*pid, view)) + b'Q'


def tensor(ref: bytes, offset: int, size: tuple, stride: tuple) -> bytes:
    hooks = call(glob('collections', 'OrderedDict'))
    return call(glob('torch._utils', '_rebuild_tensor_v2'), ref, offset, size, stride, False, hooks)


def document(body: bytes | dict) -> bytes:
    return b'\x80\x02' + put(body) + b'.'


def zip_file(body: bytes | dict, storages: dict[str, bytes], *, extra: dict[str, bytes] | None = None, root='archive'):
    """The archive; `extra` adds entries by their whole name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_STORED) as archive:
        archive.writestr(f'{root}/data.pkl', document(body))
        for key, raw in storages.items():
            archive.writestr(f'{root}/data/{key}', raw)
        archive.writestr(f'{root}/version', b'3\n')
        for name, raw in (extra or {}).items():
            archive.writestr(name, raw)
    return out.getvalue()


def stream_file(body: bytes | dict, storages: dict[str, tuple[int, bytes]], *, magic=MAGIC, protocol=1001, little=True):
    """The older layout; `storages` gives each key's element count and raw bytes."""
    facts = {'protocol_version': protocol, 'little_endian': little}
    out = pickle.dumps(magic, 2) + pickle.dumps(protocol, 2) + pickle.dumps(facts, 2)
    out += document(body) + pickle.dumps(list(storages), 2)
    return out + b''.join(struct.pack('<q', n) + raw for n, raw in storages.values())


def state_file(arrays: dict[str, np.ndarray], layout: str = 'zip') -> bytes:
    """A whole state dict of float arrays, one storage each."""
    body, raws = {}, {}
    for i, (name, array) in enumerate(arrays.items()):
        array = np.ascontiguousarray(array)
        code = array.dtype.str[1:]
        stride = tuple(s // array.itemsize for s in array.strides)
        body[name] = tensor(
            storage(str(i), array.size, code, 'absent' if layout == 'zip' else None), 0, array.shape, stride
        )
        raws[str(i)] = (array.size, array.tobytes())
    if layout == 'zip':
        return zip_file(body, {key: raw for key, (_, raw) in raws.items()})
    return stream_file(body, raws)
