"""Damage as disks, cables and people cause it: flipped bits, holes, cuts, repeats and wrong sizes."""

from __future__ import annotations

import struct

import numpy as np

EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
TEXT = b',;\t"\'\n\r\0 -+.e0123456789NaNinf'
_HEAD = 320


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Content with one to three changes; half of them near its beginning, where headers are.

    Args:
      content: a whole file; an empty one stays so.
      rng: random numbers, which decide all changes.
    """
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        if content:
            content = _CHANGES[int(rng.integers(len(_CHANGES)))](content, rng)
    return content


def _place(content: bytes, rng: np.random.Generator) -> int:
    end = min(len(content), _HEAD) if rng.random() < 0.5 else len(content)
    return int(rng.integers(end))


def _length(content: bytes, rng: np.random.Generator) -> int:
    return int(rng.integers(1, max(2, min(len(content), int(rng.choice([4, 64, 2048]))))))


def _flip(content: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(content)
    for _ in range(int(rng.choice([1, 1, 2, 8]))):
        out[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(out)


def _byte(content: bytes, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + bytes([int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)]))]) + content[at + 1 :]


def _text(content: bytes, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + bytes([TEXT[int(rng.integers(len(TEXT)))]]) + content[at + int(rng.integers(2)) :]


def _size(content: bytes, rng: np.random.Generator) -> bytes:
    """A number of 2, 4 or 8 bytes, aligned as headers are, becomes an extreme one, or a little larger or smaller."""
    width, order = int(rng.choice([2, 4, 4, 4, 8])), str(rng.choice(['<', '<', '>']))
    at = _place(content, rng) // width * width
    if at + width > len(content):
        return content
    code = order + {2: 'H', 4: 'I', 8: 'Q'}[width]
    value = struct.unpack_from(code, content, at)[0]
    change = [*EXTREMES, value + 1, value - 1, value * 2, value // 2, int(rng.integers(2**31))]
    value = change[int(rng.integers(len(change)))] % 256**width
    return content[:at] + struct.pack(code, value) + content[at + width :]


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: _place(content, rng)]


def _fill(content: bytes, rng: np.random.Generator) -> bytes:
    at, length = _place(content, rng), _length(content, rng)
    return content[:at] + bytes([int(rng.choice([0, 0xFF]))]) * length + content[at + length :]


def _repeat(content: bytes, rng: np.random.Generator) -> bytes:
    at, length = _place(content, rng), _length(content, rng)
    return content[: at + length] + content[at:]


def _remove(content: bytes, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + content[at + _length(content, rng) :]


def _insert(content: bytes, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.bytes(_length(content, rng)) + content[at:]


def _append(content: bytes, rng: np.random.Generator) -> bytes:
    return content + (bytes if rng.random() < 0.5 else rng.bytes)(_length(content, rng))


_CHANGES = (_flip, _flip, _byte, _byte, _text, _size, _size, _size, _cut, _fill, _repeat, _remove, _insert, _append)
