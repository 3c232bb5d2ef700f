"""Small sound files of every kind that fdx reads, for `benchmarks.fuzz` to damage."""

from __future__ import annotations

import dataclasses
import io
import pathlib
import pickle
import struct
import zipfile
from collections.abc import Callable

import numpy as np
import scipy.io
import scipy.io.wavfile

RATE_HZ = 12000
SAMPLES = np.random.default_rng(0).normal(size=1500)
COUNTS = np.round(SAMPLES * 1000).astype(np.int16)


@dataclasses.dataclass(frozen=True)
class Base:
    """One sound input.

    Attributes:
      name: what it is.
      files: content by path below the input's folder.
      main: the path to open; '' for the folder itself.
      checked: whether a checksum covers all that is read, so that damage can never pass unnoticed.
    """

    name: str
    files: dict[str, bytes]
    main: str
    checked: bool = False


def _mat(name: str, content: dict, *, checked: bool = False, **options) -> Base:
    stream = io.BytesIO()
    scipy.io.savemat(stream, content, **options)
    return Base(name, {'a.mat': stream.getvalue()}, 'a.mat', checked)


def mat_bases() -> list[Base]:
    """Version 4, 5 and 5 compressed; CWRU's and MFPT's layouts, structs, cells, text, integers."""
    bearing = {'bearing': {'gs': SAMPLES, 'sr': 48828.0, 'rate': 25.0, 'load': '270'}}
    elements = np.zeros((1, 2), dtype=[('Name', object), ('Data', object)])
    elements[0] = [('speed', np.zeros((1, 10))), ('vibration', SAMPLES[None])]
    cell = np.empty(3, object)
    cell[:] = [SAMPLES, 'text', np.arange(3)]
    plain = {'x': SAMPLES, 'Fs': 12000.0, 'note': 'recorded'}
    return [
        _mat('v5', plain),
        _mat('v5 compressed', plain, do_compression=True, checked=True),
        _mat('v4', plain, format='4'),
        _mat('CWRU', {'X097_DE_time': SAMPLES[:, None], 'X097_FE_time': SAMPLES[:900, None], 'X097RPM': 1796.0}),
        _mat('MFPT', bearing),
        _mat('MFPT compressed', bearing, do_compression=True, checked=True),
        _mat('struct array', {'K001': {'Y': elements}}),
        _mat('cell', {'c': cell, 'flag': np.array([True, False])}),
        _mat('counts', {'x': COUNTS, 'z': 1j * SAMPLES[:9]}),
    ]


def csv_bases() -> list[Base]:
    """Layouts of loggers: separators, decimal commas, times, quotes, byte-order marks."""
    times = np.arange(300) / RATE_HZ
    rows = list(zip(times.tolist(), SAMPLES[:300].tolist(), COUNTS[:300].tolist()))
    texts = {
        'one column': 'acc\n' + ''.join(f'{v!r}\n' for _, v, _ in rows),
        'no header': ''.join(f'{v!r}\n' for _, v, _ in rows),
        'times': 'time_s,acc,count\n' + ''.join(f'{t:.6f},{v!r},{c}\n' for t, v, c in rows),
        'decimal commas': 'Zeit;acc\n' + ''.join(f'{t:.6f};{v:.5f}\n'.replace('.', ',') for t, v, _ in rows),
        'tabs': 't [ms]\tx\ty\n' + ''.join(f'{1000 * t:.3f}\t{v:.4f}\t{c}\n' for t, v, c in rows),
        'quotes': '"time","x"\r\n' + ''.join(f'"{t:.6f}","{v:.4f}"\r\n' for t, v, _ in rows),
        'sep=': 'sep=;\ntime;x\n' + ''.join(f'{t:.6f};{v:.4f};\n' for t, v, _ in rows),
        'one row': ','.join(f'{v:.4f}' for v in SAMPLES) + '\n',
    }
    bases = [Base(name, {'a.csv': text.encode()}, 'a.csv') for name, text in texts.items()]
    return [*bases, Base('UTF-16', {'a.csv': texts['times'].encode('utf-16')}, 'a.csv')]


def npy_bases() -> list[Base]:
    """Number types, byte orders and memory orders."""
    two = np.stack([SAMPLES, SAMPLES], axis=1)
    arrays = {
        'float64': SAMPLES,
        'big-endian float32': SAMPLES.astype('>f4'),
        'int16': COUNTS,
        'float16': SAMPLES.astype('f2'),
        'two channels': two,
        'Fortran order': np.asfortranarray(two),
        'long double': SAMPLES.astype(np.longdouble),
    }
    bases = []
    for name, array in arrays.items():
        stream = io.BytesIO()
        np.save(stream, array)
        bases.append(Base(name, {'a.npy': stream.getvalue()}, 'a.npy'))
    return bases


def wav_bases() -> list[Base]:
    """PCM of three widths, floats, chunks on both sides, RF64, RIFX, codecs."""
    i24 = (COUNTS.astype('<i4') << 8).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    listing = b'LIST' + struct.pack('<I', 26) + b'INFOISFT\x0e\0\0\0some recorder\0'
    raw, codes = COUNTS.tobytes(), COUNTS.astype(np.uint8).tobytes()
    adpcm = struct.pack('<HH', 2, 505)
    ds64 = b'ds64' + struct.pack('<IQQQI', 28, 72 + len(raw), len(raw), len(COUNTS), 0)
    contents = {
        'int16': _wav(_fmt(1, 16), raw, after=listing),
        'int24': _wav(_fmt(1, 24), i24, before=listing),
        'uint8': _wav(_fmt(1, 8), codes),
        'float32': _wav(_fmt(3, 32), SAMPLES.astype('<f4').tobytes()),
        'float64': _wav(_fmt(3, 64), SAMPLES.astype('<f8').tobytes()),
        'RF64': _wav(_fmt(1, 16), raw, before=ds64, magic=b'RF64', size=0xFFFFFFFF),
        'RIFX': _wav(_fmt(1, 16, order='>'), COUNTS.astype('>i2').tobytes(), magic=b'RIFX', order='>'),
        'mu-law': _wav(_fmt(7, 8), codes),
        'IMA ADPCM': _wav(_fmt(0x11, 4, block=256, extra=adpcm), bytes(range(256)) * 4),
        'stream': _wav(_fmt(1, 16), raw, size=0xFFFFFFFF),
    }
    return [Base(name, {'a.wav': content}, 'a.wav') for name, content in contents.items()]


def _fmt(codec: int, bits: int, *, block: int | None = None, extra: bytes = b'', order: str = '<') -> bytes:
    block = bits // 8 if block is None else block
    return struct.pack(f'{order}HHIIHH', codec, 1, RATE_HZ, RATE_HZ * block, block, bits) + extra


def _wav(
    fmt: bytes, raw: bytes, *, before: bytes = b'', after: bytes = b'', magic: bytes = b'RIFF', size=None, order='<'
) -> bytes:
    size = len(raw) if size is None else size
    body = b'WAVE' + before + b'fmt ' + struct.pack(f'{order}I', len(fmt)) + fmt
    body += b'data' + struct.pack(f'{order}I', size) + raw + after
    return magic + struct.pack(f'{order}I', len(body)) + body


def _torch_pickle(weights: dict[str, np.ndarray]) -> bytes:
    """A state dict of float32 arrays as torch pickles it (protocol 2), written by its opcodes."""
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
    """With fdx's manifest beside it, which holds the SHA-256, and without."""
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

    from fdx.export.tflite_file import with_description

    model, graph = schema.ModelT(), schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [], [graph], [schema.BufferT()]
    model.buffers[0].data = np.arange(200, dtype=np.uint8)
    content = with_description(bytes(flatbuffer_utils.convert_object_to_bytearray(model)), {'classes': ['a', 'b'] * 9})
    return [Base('described', {'a.tflite': content}, 'a.tflite', checked=True)]


def checkpoint_bases(folder: pathlib.Path) -> list[Base]:
    """A workdir with a frozen prefix and two steps, all under manifests."""
    from benchmarks.fuzz_readers import CHECKPOINT, OPTIMISER, PREFIX
    from fdx.train.checkpoints import Checkpoints

    with Checkpoints(folder).writing() as checkpoints:
        checkpoints.save_prefix(PREFIX)
        for step, score in ((10, -0.1), (20, -0.5)):
            chosen = {'criterion': 'loss', 'score': score}
            checkpoints.save(step, CHECKPOINT, OPTIMISER, {'selection': chosen, 'frozen_stages': 1})
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob('*')) if p.is_file()}
    return [Base('workdir', files, '', checked=True)]


# Takes an empty folder, which some need to write their files first.
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
