"""The chunks of a .wav file: where the samples lie and how many bytes of them there are, whatever its sizes say.

A .wav is 'RIFF', a size, 'WAVE' and then chunks: four letters, a size (uint32), that many bytes, and a byte of padding
after an odd size. 'fmt ' describes the samples, 'data' holds them. Sizes are often wrong: a stream cannot know them
when it writes the header (0 or 0xFFFFFFFF), a recorder that lost power never corrected them, and above 4 GiB they start
again from 0. RF64 and BW64 keep true sizes in a chunk 'ds64'; RIFX is RIFF in big-endian order.

Sources: Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0 (1991); EBU Tech 3306 (RF64).
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import struct
from typing import BinaryIO

from fdx.types import DataError

UNKNOWN_SIZE = 0xFFFFFFFF
# Sizes from here on that a file cannot hold were never meant: writers of streams put 0x7FFFF000, 0x80000000 and others.
STREAM_SIZE = 0x7FFF0000
TAIL_BYTES = 4 * 2**20
SMALL_REST = 2**16
_MAGICS = {b'RIFF': '<', b'RF64': '<', b'BW64': '<', b'RIFX': '>'}
_OTHERS = {b'fLaC': 'FLAC', b'OggS': 'Ogg', b'FORM': 'AIFF', b'ID3\x03': 'MP3', b'ID3\x04': 'MP3', b'riff': 'Wave64'}
# Chunks that programs put after the samples.
_TRAILERS = (
    *(b'LIST', b'id3 ', b'ID3 ', b'bext', b'iXML', b'axml', b'cue ', b'smpl', b'fact', b'PEAK', b'afsp', b'_PMX'),
    *(b'JUNK', b'junk', b'PAD ', b'FLLR', b'inst', b'plst', b'acid', b'cart', b'umid', b'DISP', b'chna', b'labl'),
    *(b'note', b'data', b'RIFF'),
)


class ForeignWavError(DataError):
    """A file under the name .wav that this reader does not read, but perhaps libsndfile does."""


@dataclasses.dataclass(frozen=True)
class WavLayout:
    """What the chunks of a file say.

    Attributes:
      order: byte order, '<' or '>'.
      fmt: content of the fmt chunk, 16 bytes or more.
      data_start: place of the first sample.
      data_bytes: what the data chunk announces; None where it announces no size (a stream).
      file_bytes: length of the file.
    """

    order: str
    fmt: bytes
    data_start: int
    data_bytes: int | None
    file_bytes: int


def read_layout(stream: BinaryIO, path: pathlib.Path) -> WavLayout:
    """Walks the chunks up to the samples.

    Raises:
      DataError: another kind of file, or no fmt or data chunk can be reached.
    """
    head, length = stream.read(12), os.fstat(stream.fileno()).st_size
    order = _MAGICS.get(head[:4])
    if head[:4] in _OTHERS:
        raise ForeignWavError(f'{path} holds {_OTHERS[head[:4]]}, whatever its name says; export it as .wav (PCM)')
    if order is None or head[8:12] != b'WAVE':
        what = (
            'it ends within its header: cut off' if length < 12 else f'it starts with {head!r}, not with RIFF....WAVE'
        )
        raise _unreadable(path, what)
    at = 12
    seen: list[bytes] = []
    found: dict[bytes, tuple[int, int]] = {}
    while at + 8 <= length and not {b'fmt ', b'data'} <= found.keys():
        stream.seek(at)
        name, size = struct.unpack(f'{order}4sI', stream.read(8))
        if not _is_name(name):
            raise _unreadable(path, f'at byte {at} stands {name!r} where a chunk should begin, after {_list(seen)}')
        seen.append(name)
        if name not in found:
            found[name] = (at + 8, size)
        if name == b'data' and not at + 8 + size <= length:
            break
        at = _next_chunk(stream, at + 8, size, length)
    fmt = _content(stream, found.get(b'fmt '), 64)
    if b'fmt ' in found and len(fmt) < 16:
        raise _unreadable(path, f'its fmt chunk has {len(fmt)} bytes of at least 16: cut off or damaged')
    for name in (b'fmt ', b'data'):
        if name not in found:
            reason = 'nothing was recorded, or it is cut off'
            if at > length:
                reason = f'{_list(seen[-1:])} leads past the end of the file: it is damaged or cut off'
            raise _unreadable(path, f'it has no {name.decode().strip()} chunk (found: {_list(seen)}); {reason}')
    start, size = found[b'data']
    ds64 = _content(stream, found.get(b'ds64'), 24)
    if len(ds64) >= 16 and (size == UNKNOWN_SIZE or head[:4] != b'RIFF'):
        size = struct.unpack_from(f'{order}Q', ds64, 8)[0]
    announced = None if size == 0 or (size >= STREAM_SIZE and size > length - start) else size
    return WavLayout(order, fmt, start, announced, length)


def settle_size(stream: BinaryIO, layout: WavLayout, frame_bytes: int, word: str) -> tuple[int, int, str]:
    """How many bytes are samples.

    A size that fits is right if the file ends there or another chunk begins there. Else the samples reach to the end of
    the file, or to the chunks at its end. Zeros are filling, and so is a rest below 64 KiB and 1 % of the samples:
    taking it for samples risks more than leaving it out.

    Args:
      stream: the file.
      layout: of `read_layout`.
      frame_bytes: bytes of one sample of all channels, or of one block of a compressed codec.
      word: what these are, for the note: 'samples' or 'blocks'.

    Returns:
      (bytes, doubtful, note): bytes of samples; how many of them, at the end, go beyond a size that the header does
      state (the caller may find that they do not look like samples); a sentence for the user, or ''.
    """
    there = layout.file_bytes - layout.data_start
    announced = layout.data_bytes
    if announced is not None and announced <= there:
        return _size_that_fits(stream, layout, announced, frame_bytes, word)
    size = _trailer_start(stream, layout.data_start, layout) - layout.data_start
    frames = size // frame_bytes
    if announced is None:
        reason = 'a stream, or a recorder that was stopped' if size else ''
        note = f'its header does not say how many {word} there are ({reason}): all {frames} up to the end were read'
        return size, 0, note if size else ''
    note = (
        f'its header announces {announced // frame_bytes} {word} and the file ends after {frames}: it is cut off, or '
        'its recorder never closed it; all that are there were read'
    )
    return size, 0, note


def _size_that_fits(
    stream: BinaryIO, layout: WavLayout, announced: int, frame_bytes: int, word: str
) -> tuple[int, int, str]:
    end = layout.data_start + announced
    rest = layout.file_bytes - end
    if rest <= announced % 2:
        return announced, 0, ''
    for after in dict.fromkeys((end + announced % 2, end)):
        chain = _chain(stream, after, layout)
        if chain and (chain[0] in _TRAILERS or chain[-1] != b''):
            more: list[bytes] = [n for n in (b'data', b'RIFF') if n in chain]
            return announced, 0, f'a second chunk {_list(more[:1])} follows, which was not read' if more else ''
    size = _trailer_start(stream, end, layout) - end
    wrapped = size >= 2**32 - SMALL_REST and min(size % 2**32, -size % 2**32) < SMALL_REST
    if not wrapped and ((size < SMALL_REST and 100 * size < announced) or _all_zeros(stream, end, size)):
        return announced, 0, f'{size} bytes after its samples belong to no chunk and were left out'
    note = (
        f'its header announces {announced // frame_bytes} {word}, but they go on (sizes start again from 0 at 4 GiB, '
        f'and a stopped recorder leaves old ones): all {(announced + size) // frame_bytes} were read'
    )
    return announced + size, 0 if wrapped else size, note


def _chain(stream: BinaryIO, at: int, layout: WavLayout) -> list[bytes]:
    """Names of the chunks from `at` on; b'' is last where they do not end with the file."""
    names: list[bytes] = []
    length = layout.file_bytes
    while at + 8 <= length and len(names) < 1000:
        stream.seek(at)
        name, size = struct.unpack(f'{layout.order}4sI', stream.read(8))
        if not _is_name(name):
            break
        names.append(name)
        at = _next_chunk(stream, at + 8, size, length)
    return names if length <= at <= length + 1 else [*names, b''] if names else []


def _trailer_start(stream: BinaryIO, start: int, layout: WavLayout) -> int:
    """Where a chain of known chunks begins that ends with the file, or the file's end."""
    length = layout.file_bytes
    first = max(start, length - TAIL_BYTES)
    stream.seek(first)
    tail = stream.read(length - first)
    places: set[int] = set()
    for name in _TRAILERS:
        at = tail.find(name)
        while at >= 0 and len(places) < 10000:
            places.add(first + at)
            at = tail.find(name, at + 1)
    return next((p for p in sorted(places) if (_chain(stream, p, layout) or [b''])[-1] != b''), length)


def _all_zeros(stream: BinaryIO, start: int, size: int) -> bool:
    stream.seek(start)
    while size > 0:
        block = stream.read(min(size, 2**20))
        if not block or block.strip(b'\0'):
            return not block
        size -= len(block)
    return True


def _next_chunk(stream: BinaryIO, start: int, size: int, length: int) -> int:
    """Place of the next chunk: after the padding of an odd size, unless the writer forgot it."""
    end = start + size
    if size % 2 == 0 or end + 4 > length:
        return end + size % 2
    stream.seek(end)
    return end if stream.read(4) in (b'fmt ', *_TRAILERS) else end + 1


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)


def _content(stream: BinaryIO, place: tuple[int, int] | None, most: int) -> bytes:
    if place is None:
        return b''
    stream.seek(place[0])
    return stream.read(min(place[1], most))


def _list(names: list[bytes]) -> str:
    return ', '.join(n.decode('ascii', 'replace').strip() for n in names[:12]) or 'nothing'


def _unreadable(path: pathlib.Path, reason: str) -> DataError:
    return DataError(
        f'{path} cannot be read as a .wav file: {reason}; copy it again, or export it as PCM (16, 24, 32 bits) or float'
    )
