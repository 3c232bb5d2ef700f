"""Recordings that libsndfile decodes: FLAC, AIFF, Ogg, Wave64, CAF, AU, MP3, and compressed .wav files."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fdx.data.raw.signal import NO_SAMPLES, RawSignal, StoredSignal
from fdx.types import DataError

# Significant bits of lossless integers; libsndfile hands over 16 of 16 bits or 32 of 32, the highest ones filled.
_BITS = {
    **{'PCM_S8': 8, 'PCM_U8': 8, 'PCM_16': 16, 'PCM_24': 24, 'PCM_32': 32},
    **{'ALAC_16': 16, 'ALAC_20': 20, 'ALAC_24': 24, 'ALAC_32': 32},
}
_FLOATS = {'FLOAT': 'float32', 'DOUBLE': 'float64'}
_BLOCK = 2**18
# A stream without a length, or a damaged header, announces numbers of this size.
_ABSURD = 2**62
# Silence shrinks a thousandfold in FLAC; what grows more than this is read in pieces only.
FREE_BYTES = 512 * 2**20
BYTES_PER_BYTE = 64
SoundSource = Any


def open_sound(file: pathlib.Path) -> StoredSignal:
    """Opens a file that libsndfile decodes.

    Lossless integers keep their counts (24 bits of FLAC give true 24-bit counts, like .wav), floats are kept; codecs
    that lose detail become 16-bit counts, with a note. Pieces are decoded from where they begin.

    Args:
      file: the file.

    Returns:
      The signal and the rate of the header. Where a file ends before the length that it announces, what is there, and a
      note.

    Raises:
      DataError: libsndfile does not know the content, it is damaged from the beginning, or holds no samples.
    """
    if file.suffix.lower() == '.mp3':
        with file.open('rb') as stream:
            head = stream.read(3)
        # libmpg123 would search the file for music, and write to the terminal what it thinks of it.
        if head != b'ID3' and not (head[:1] == b'\xff' and head[1:2] >= b'\xe0'):
            raise DataError(f'{file} holds no MP3; it is damaged or of another kind: copy or export it again')
    return open_decoded(file, lambda: str(file))


def open_decoded(file: pathlib.Path, source: Callable[[], SoundSource], *, counts: bool = False) -> StoredSignal:
    """`open_sound` of the content that `source` gives anew for every reading.

    Args:
      file: for messages.
      source: what soundfile can open: a path or an open file.
      counts: whether the samples become 16-bit counts without a note.
    """
    with _opened(file, source) as sound:
        subtype, rate_hz, num_channels, announced = sound.subtype, sound.samplerate, sound.channels, sound.frames
        is_guess = sound.format == 'RAW'
        kind = f'{sound.format_info}, {sound.subtype_info}'
    if is_guess:  # libsndfile takes anything named .au for a telephone's codec
        raise DataError(f'{file} has no header of a sound file; it is damaged or of another kind: copy it again')
    num_samples = _count(file, source, announced)
    if num_samples == 0:
        raise DataError(f'{file} holds no samples; it is damaged or cut off: record or copy it again')
    notes = []
    if 0 < announced < _ABSURD and num_samples < announced:
        notes.append(
            f'its header announces {announced} samples and the file ends after {num_samples}: it is cut off or '
            'damaged; all that are there were read'
        )
    bits = _BITS.get(subtype, 16)
    dtype = 'int16' if counts else _FLOATS.get(subtype) or ('int16' if bits <= 16 else 'int32')
    shift = 0 if counts or subtype in _FLOATS else (16 if bits <= 16 else 32) - bits
    if not counts and subtype not in _FLOATS and subtype not in _BITS:
        notes.append(f'its samples ({kind}) are compressed with loss of detail; they were decoded to 16-bit counts')
    frame_bytes = num_channels * np.dtype(dtype).itemsize
    most = FREE_BYTES + BYTES_PER_BYTE * file.stat().st_size

    def read(start: int, stop: int, channels: Sequence[int]) -> np.ndarray:
        if (stop - start) * frame_bytes > most:
            raise DataError(
                f'{file} unpacks to {(stop - start) * frame_bytes / 2**20:.0f} MiB from few bytes, which is hardly a '
                'recording; read it in pieces (`start_s`, `stop_s`) if that is right'
            )
        samples = _decode(file, source, start, stop, dtype)
        samples = samples >> shift if shift else samples
        return samples if list(channels) == list(range(num_channels)) else samples[:, list(channels)]

    facts = RawSignal(
        NO_SAMPLES,
        file_rate_hz=float(rate_hz),
        rate_origin='the header',
        unit='' if dtype.startswith('float') else 'counts',
        notes=tuple(notes),
    )
    return StoredSignal(facts, num_samples, num_channels, read)


def _opened(file: pathlib.Path, source: Callable[[], SoundSource]) -> Any:
    # Imported here: it loads a shared library, which machines without such files do not need.
    import soundfile  # noqa: PLC0415

    try:
        return soundfile.SoundFile(source())
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as e:
        raise DataError(
            f'{file} cannot be decoded ({_reason(e)}); it is damaged or of another kind: copy it again, or export it '
            'as .wav (PCM) or .flac'
        ) from e


def _reason(error: BaseException) -> str:
    # soundfile puts the object or path that it opened before libsndfile's own words.
    return ' '.join(str(error).rpartition(': ')[2].split())[:200]


def _count(file: pathlib.Path, source: Callable[[], SoundSource], announced: int) -> int:
    """The number of samples that can be decoded: the announced one if its last can, else by decoding all."""
    if 0 < announced < _ABSURD:
        try:
            with _opened(file, source) as sound:
                sound.seek(announced - 1)
                if len(sound.read(2, dtype='int16', always_2d=True)) == 1:
                    return announced
        except (DataError, RuntimeError):
            pass
    return sum(len(block) for block in _blocks(file, source, 0, 'int16'))


def _blocks(file: pathlib.Path, source: Callable[[], SoundSource], at: int, dtype: str) -> Iterator[np.ndarray]:
    """Yields what can be decoded from sample `at` on, [n, C]; a damaged place ends it."""
    with _opened(file, source) as sound:
        if at:
            sound.seek(at)
        while True:
            try:
                block = sound.read(_BLOCK, dtype=dtype, always_2d=True)
            except RuntimeError:
                block = _salvaged(file, source, at, dtype)
                if len(block):
                    yield block
                return
            if len(block) == 0:
                return
            yield block
            at += len(block)


def _salvaged(file: pathlib.Path, source: Callable[[], SoundSource], at: int, dtype: str) -> np.ndarray:
    """The samples before a damaged place in the block from `at` on.

    soundfile does not say how many there are: they are those that come out alike over two different fillings.
    """
    found = []
    for filling in (1, 2):
        with _opened(file, source) as sound:
            out = np.full((_BLOCK, sound.channels), filling, dtype)
            try:
                if at:
                    sound.seek(at)
                out = sound.read(out=out)
            except RuntimeError:
                pass
        found.append(out)
    length = min(map(len, found))
    a, b = found[0][:length], found[1][:length]
    alike = ((a == b) | ((a != a) & (b != b))).all(axis=1)
    return a[: length if alike.all() else int(np.argmin(alike))]


def _decode(file: pathlib.Path, source: Callable[[], SoundSource], start: int, stop: int, dtype: str) -> np.ndarray:
    """Samples [start:stop) of all channels, fewer where they cannot be decoded."""
    with _opened(file, source) as sound:
        out = np.empty((stop - start, sound.channels), dtype)
        at = start
        try:
            sound.seek(start)
        except RuntimeError:  # damaged, or of unknown length: all before it is decoded
            at = 0
    done = 0
    for block in _blocks(file, source, at, dtype):
        skip = min(max(start - at, 0), len(block))
        piece = block[skip : skip + len(out) - done]
        out[done : done + len(piece)] = piece
        at, done = at + len(block), done + len(piece)
        if done == len(out):
            break
    return out[:done]
