"""CRC-32C (Castagnoli), the checksum of TensorFlow's files, at the speed of NumPy.

The register of a CRC after a message is linear over GF(2) in the message. With M the 32 x 32 matrix that steps the
register over four zero bytes, a message of words w_0 ... w_{n-1} leaves

    M w_{n-1} + M^2 w_{n-2} + ... + M^n w_0

in a register that starts at zero. Neighbours are joined to M a + b, then the results by M^2, M^4 and so on. That
takes log n rounds over whole arrays instead of a loop over bytes. Zero words in front change nothing, so one of them
makes an odd count even.
"""

from __future__ import annotations

import functools

import numpy as np

POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41 with its bits reversed (RFC 3720, section 12.1)
# Four bytes that set the register from zero to all ones, the start value of the CRC: M times this is 0xFFFFFFFF.
START_WORD = 0x641F6454
MASK_DELTA = 0xA282EAD8


def crc32c(data: bytes | memoryview | np.ndarray) -> int:
    """CRC-32C of bytes (RFC 3720): 0xE3069283 for b'123456789'.

    Args:
      data: bytes, or a contiguous array, whose bytes are used.
    """
    raw = np.frombuffer(data, np.uint8)
    words = -(-raw.size // 4)
    # The data fill the last bytes, START_WORD the four bytes before; zeros before START_WORD have no influence.
    padded = np.zeros(4 * (words + 2), np.uint8)
    padded[padded.size - raw.size :] = raw
    at = padded.size - raw.size - 4
    padded[at : at + 4] = np.frombuffer(START_WORD.to_bytes(4, 'little'), np.uint8)
    values, step = padded.view('<u4').astype(np.uint32), _four_bytes()
    tables = step
    while values.size > 1:
        if values.size % 2:
            values = np.concatenate([np.zeros(1, np.uint32), values])
        values = _apply(tables, values[::2]) ^ values[1::2]
        tables = _apply(tables, tables)
    return int(_apply(step, values)[0]) ^ 0xFFFFFFFF


def masked_crc32c(data: bytes | memoryview | np.ndarray) -> int:
    """The CRC as TensorFlow and LevelDB store it: rotated and offset, since data may contain CRCs themselves."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def _apply(tables: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A matrix times uint32 vectors of bits; `tables` [4, 256] holds its product with every value of every byte."""
    result = tables[0][values & 0xFF]
    for i in (1, 2, 3):
        result ^= tables[i][values >> (8 * i) & 0xFF]
    return result


@functools.cache
def _four_bytes() -> np.ndarray:
    """M as tables, uint32 [4, 256]: read-only."""
    register: np.ndarray = np.arange(256, dtype=np.uint32)[None] << np.array([[0], [8], [16], [24]], np.uint32)
    for _ in range(32):
        register = register >> 1 ^ np.where(register & 1, np.uint32(POLYNOMIAL), np.uint32(0))
    register.setflags(write=False)
    return register
