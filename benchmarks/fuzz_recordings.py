"""Small sound recordings of every format that fdx reads, for `benchmarks.fuzz` to damage."""

from __future__ import annotations

import dataclasses
import io
import struct

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
      name: its name in reports.
      files: content by path below the input's folder.
      main: the path to open; '' for the folder itself.
      checked: whether a checksum covers everything that is read, so that damage must be noticed.
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
