"""Small sound inputs of every kind that fdx reads, for `benchmarks.fuzz` to damage: weights and checkpoints."""

from __future__ import annotations

import io
import pathlib
import pickle
import struct
import zipfile
from collections.abc import Callable

import numpy as np

from .fuzz_recordings import Base, csv_bases, mat_bases, npy_bases, wav_bases


def _torch_pickle(weights: dict[str, np.ndarray]) -> bytes:
    """A state dict of float32 arrays as torch pickles it (protocol 2), written opcode by opcode."""
    out = [pickle.PROTO + b'\x02', pickle.EMPTY_DICT, pickle.MARK]
    for key, (name, array) in enumerate(weights.items()):
        out += [
            _text(name),
            b'ctorch._utils\n_rebuild_tensor_v2\n',
            pickle.MARK,
            pickle.MARK + _text('storage') + b'ctorch\nFloatStorage\n' + _text(str(key)) + _text('cpu'),
            _int(array.size) + pickle.TUPLE + pickle.BINPERSID + _int(0),
            _ints(array.shape) + _ints([s // 4 for s in array.strides]),
            pickle.NEWFALSE + b'ccollections\nOrderedDict\n' + pickle.EMPTY_TUPLE + pickle.REDUCE,
            pickle.TUPLE + pickle.REDUCE,
        ]
    return b''.join([*out, pickle.SETITEMS, pickle.STOP])


def _text(text: str) -> bytes:
    return pickle.BINUNICODE + struct.pack('<I', len(text)) + text.encode()


def _int(value: int) -> bytes:
    return pickle.BININT + struct.pack('<i', value)


def _ints(values) -> bytes:
    return pickle.MARK + b''.join(map(_int, values)) + pickle.TUPLE


def pth_bases() -> list[Base]:
    """Torch's zip archive, which has a checksum of every entry, and its older stream of pickles, which has none."""
    weights = {'conv.weight': np.arange(72, dtype='<f4').reshape(8, 9), 'conv.bias': np.arange(8, dtype='<f4')}
    state, stream = _torch_pickle(weights), io.BytesIO()
    with zipfile.ZipFile(stream, 'w', zipfile.ZIP_STORED) as archive:
        archive.writestr('model/data.pkl', state)
        archive.writestr('model/byteorder', b'little')
        for key, array in enumerate(weights.values()):
            archive.writestr(f'model/data/{key}', array.tobytes())
    head = [pickle.dumps(v, 2) for v in (0x1950A86A20F9469CFC6C, 1001, {'little_endian': True})]
    keys = pickle.dumps([str(key) for key in range(len(weights))], 2)
    tail = b''.join(struct.pack('<q', a.size) + a.tobytes() for a in weights.values())
    legacy = b''.join([*head, state, keys, tail])
    return [
        Base('zip', {'a.pth': stream.getvalue()}, 'a.pth', checked=True),
        Base('stream', {'a.pth': legacy}, 'a.pth'),
    ]


def safetensors_bases(folder: pathlib.Path) -> list[Base]:
    """A file with fdx's manifest, which holds the SHA-256, and one without."""
    from fdx.weights.files import save_weights

    path = folder / 'a.safetensors'
    arrays = {'stage1': {'kernel': np.arange(60, dtype=np.float32).reshape(5, 12), 'bias': np.arange(12, dtype='f2')}}
    save_weights(path, arrays, {'model': 'm', 'origin': 'o', 'source_sha256': '0' * 64, 'licence': 'none'})
    names = ('a.safetensors', 'a.safetensors.json')
    both = {name: (folder / name).read_bytes() for name in names}
    return [Base('with manifest', both, names[0], checked=True), Base('alone', {names[0]: both[names[0]]}, names[0])]


def tflite_bases() -> list[Base]:
    """A flatbuffer with fdx's description, whose SHA-256 is of the whole file."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    from fdx.predict.backends.tflite_file import with_description

    model, graph = schema.ModelT(), schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [], [graph], [schema.BufferT()]
    model.buffers[0].data = np.arange(200, dtype=np.uint8)
    content = with_description(bytes(flatbuffer_utils.convert_object_to_bytearray(model)), {'classes': ['a', 'b'] * 9})
    return [Base('described', {'a.tflite': content}, 'a.tflite', checked=True)]


def checkpoint_bases(folder: pathlib.Path) -> list[Base]:
    """A workdir with a frozen prefix and two steps, all under manifests."""
    from fdx.train.checkpoints import Checkpoints

    from .fuzz_readers import CHECKPOINT, OPTIMISER, PREFIX

    with Checkpoints(folder).writing() as checkpoints:
        checkpoints.save_prefix(PREFIX)
        for step, score in ((10, -0.1), (20, -0.5)):
            chosen = {'criterion': 'loss', 'score': score}
            checkpoints.save(step, CHECKPOINT, OPTIMISER, {'selection': chosen, 'frozen_stages': 1})
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob('*')) if p.is_file()}
    return [Base('workdir', files, '', checked=True)]


# Each takes an empty folder, because some must write their files first.
BASES: dict[str, Callable[[pathlib.Path], list[Base]]] = {
    'mat': lambda _: mat_bases(),
    'csv': lambda _: csv_bases(),
    'npy': lambda _: npy_bases(),
    'wav': lambda _: wav_bases(),
    'pth': lambda _: pth_bases(),
    'safetensors': safetensors_bases,
    'tflite': lambda _: tflite_bases(),
    'checkpoint': checkpoint_bases,
}
