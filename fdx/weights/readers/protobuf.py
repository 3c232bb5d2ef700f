"""Reads small messages of protocol buffers without their definitions; it covers a part of the wire format.

A message is a sequence of fields: a varint 8 * number + wire type, then a varint (type 0), 8 bytes (1), a varint of the
length and as many bytes (2), or 4 bytes (5). A field that is left out is zero or empty. Origin: the encoding guide of
Protocol Buffers.
"""

from __future__ import annotations

MAX_VARINT_BYTES = 10
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
FIXED_SIZES = {FIXED64: 8, FIXED32: 4}


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """(number, index after it) of a varint: 7 bits per byte, the lowest first.

    Raises:
      ValueError: it has no end, or has superfluous bytes, which no writer makes, so a byte must have been changed.
    """
    value = 0
    for i, byte in enumerate(data[at : at + MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            if i and not byte:
                raise ValueError(f'the number at byte {at} is longer than it need be')
            return value, at + i + 1
    raise ValueError(f'the number at byte {at} has no end')


class Message:
    """The fields of one message by number. Integers are unsigned; a fixed one is little-endian.

    A damaged message, or a field read as another kind, raises ValueError; the caller adds where the message came from.
    """

    def __init__(self, data: bytes):
        self._fields: dict[int, list[int | bytes]] = {}
        at = 0
        while at < len(data):
            tag, at = read_varint(data, at)
            value, at = self._value(data, at, tag & 7)
            self._fields.setdefault(tag >> 3, []).append(value)
        if at > len(data):
            raise ValueError(f'a message of {len(data)} bytes ends within a field')

    @staticmethod
    def _value(data: bytes, at: int, wire: int) -> tuple[int | bytes, int]:
        if wire == VARINT:
            return read_varint(data, at)
        if wire == LENGTH:
            size, at = read_varint(data, at)
            return data[at : at + size], at + size
        if wire not in FIXED_SIZES:
            raise ValueError(f'a message has a field of the unknown wire type {wire}')
        end = at + FIXED_SIZES[wire]
        return int.from_bytes(data[at:end], 'little'), end

    def __contains__(self, number: int) -> bool:
        """Whether the message has the field."""
        return number in self._fields

    def number(self, number: int) -> int:
        """An integer field; if there are several, the last one counts."""
        return (self._all(number, int) or [0])[-1]

    def numbers(self, number: int) -> list[int]:
        """A repeated integer field, be it one varint per field or packed into one."""
        found: list[int] = []
        for value in self._fields.get(number, []):
            if isinstance(value, int):
                found.append(value)
                continue
            at = 0
            while at < len(value):
                item, at = read_varint(value, at)
                found.append(item)
        return found

    def fixed(self, number: int, width: int) -> bytes:
        """A repeated field of `width` bytes each, packed or not, as little-endian bytes in a row."""
        values = self._fields.get(number, [])
        return b''.join(v if isinstance(v, bytes) else v.to_bytes(width, 'little') for v in values)

    def data(self, number: int) -> bytes:
        """A field of bytes; if there are several, the last one counts."""
        return (self._all(number, bytes) or [b''])[-1]

    def text(self, number: int) -> str:
        """A field of text in UTF-8."""
        return self.data(number).decode()

    def message(self, number: int) -> Message:
        """A nested message."""
        return Message(self.data(number))

    def messages(self, number: int) -> list[Message]:
        """A repeated nested message."""
        return [Message(value) for value in self._all(number, bytes)]

    def _all(self, number: int, kind: type) -> list:
        values = self._fields.get(number, [])
        if not all(isinstance(value, kind) for value in values):
            raise ValueError(f'field {number} of a message is of another kind')
        return values
