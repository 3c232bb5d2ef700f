"""Samples without any header (.bin, .raw, .dat, .pcm): what they are must be said."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from fdx.data.raw.signal import NO_SAMPLES, RawSignal, StoredSignal
from fdx.types import ConfigError, DataError

_BYTES = {
    **{'int8': 1, 'uint8': 1, 'int16': 2, 'uint16': 2, 'int24': 3, 'uint24': 3, 'int32': 4, 'uint32': 4},
    **{'int64': 8, 'uint64': 8, 'float32': 4, 'float64': 8},
}
DTYPES = tuple(_BYTES)
BYTE_ORDERS = ('little', 'big')
MAX_CHANNELS = 4096
# Values of a signal in any unit; numbers read with the wrong type lie far outside.
_SENSIBLE = (1e-30, 1e30)
_HEAD_SAMPLES = 2**16


@dataclasses.dataclass(frozen=True)
class BinaryFormat:
    """How a file without header is written: samples of all channels in turn (interleaved), from `offset_bytes` on.

    Attributes:
      dtype: int8, uint8, int16, uint16, int24, uint24, int32, uint32, int64, uint64, float32 or float64.
      num_channels: numbers per sample.
      byte_order: 'little' (PCs and most devices) or 'big'.
      offset_bytes: where the samples begin: the length of a header that is to be skipped.

    Raises:
      ConfigError: a value that no file can have.
    """

    dtype: str
    num_channels: int = 1
    byte_order: str = 'little'
    offset_bytes: int = 0

    def __post_init__(self):
        """Refuses values that no file can have."""
        if self.dtype not in DTYPES:
            raise ConfigError(f'`dtype`={self.dtype!r}: one of {", ".join(DTYPES)}')
        if type(self.num_channels) is not int or not 1 <= self.num_channels <= MAX_CHANNELS:
            raise ConfigError(f'`num_channels`={self.num_channels!r}: a whole number from 1 to {MAX_CHANNELS}')
        if self.byte_order not in BYTE_ORDERS:
            raise ConfigError(f'`byte_order`={self.byte_order!r}: {" or ".join(BYTE_ORDERS)}')
        if type(self.offset_bytes) is not int or self.offset_bytes < 0:
            raise ConfigError(f'`offset_bytes`={self.offset_bytes!r}: a whole number of bytes from 0')

    @property
    def number_bytes(self) -> int:
        """Bytes of one number."""
        return _BYTES[self.dtype]

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.number_bytes * self.num_channels

    def numbers(self, raw: np.ndarray) -> np.ndarray:
        """Bytes (uint8) -> numbers, in the type of the file (24 bits in int32 or uint32)."""
        order = '<' if self.byte_order == 'little' else '>'
        if self.number_bytes != 3:
            return raw.view(np.dtype(f'{order}{np.dtype(self.dtype).str[1:]}'))
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, slice(1, 4) if order == '<' else slice(0, 3)] = raw.reshape(-1, 3)
        # The shift repeats the sign of int24.
        return wide.view(f'{order}{"i" if self.dtype == "int24" else "u"}4')[:, 0] >> 8


def open_binary(file: pathlib.Path, form: BinaryFormat | None) -> StoredSignal:
    """A file of bare numbers.

    Args:
      file: the file.
      form: what they are.

    Returns:
      The signal, unit 'counts' for integers; a note where bytes are left at the end, or where the first numbers are
      none of a signal (another type or byte order, a header).

    Raises:
      DataError: nothing is said about the numbers, or there is no sample behind the offset.
    """
    if form is None:
        raise DataError(f'{file} has no header that tells what it holds; {_remedy(file)}')
    size = file.stat().st_size - form.offset_bytes
    num_samples, rest = divmod(max(size, 0), form.sample_bytes)
    if num_samples == 0:
        raise DataError(
            f'{file} has {max(size, 0)} bytes behind `offset_bytes`={form.offset_bytes}, but one sample of '
            f'{form.num_channels} x {form.dtype} takes {form.sample_bytes}; correct what is said of the file'
        )
    notes = [f'its last {rest} bytes are not a whole sample and were left out'] if rest else []

    def read(start: int, stop: int, channels: Sequence[int]) -> np.ndarray:
        with file.open('rb') as stream:
            stream.seek(form.offset_bytes + start * form.sample_bytes)
            raw = np.fromfile(stream, np.uint8, (stop - start) * form.sample_bytes)
        raw = raw[: len(raw) // form.sample_bytes * form.sample_bytes]
        samples = form.numbers(raw).reshape(-1, form.num_channels)
        return samples if list(channels) == list(range(form.num_channels)) else samples[:, list(channels)]

    is_float = form.dtype.startswith('float')
    if is_float:
        head = np.abs(read(0, min(num_samples, _HEAD_SAMPLES), range(form.num_channels)))
        with np.errstate(invalid='ignore'):
            odd = float(np.mean(~((head == 0) | ((head >= _SENSIBLE[0]) & (head <= _SENSIBLE[1])))))
        if odd > 0:
            notes.append(
                f'{100 * odd:.2g} % of its first numbers are not finite or of no signal (below 1e-30 or above 1e30): '
                'check `dtype`, `byte_order` and `offset_bytes`'
            )
    facts = RawSignal(NO_SAMPLES, unit='' if is_float else 'counts', notes=tuple(notes))
    return StoredSignal(facts, num_samples, form.num_channels, read)


def _remedy(file: pathlib.Path) -> str:
    with file.open('rb') as stream:
        head = stream.read(4096)
    text = head.decode('latin-1')
    if all(char.isprintable() or char in '\r\n\t' for char in text) and any(map(str.isdigit, text)):
        return 'it looks like a text table: rename it to .csv; if not, pass `dtype` (and `num_channels`, `byte_order`)'
    return (
        'pass `dtype` (such as int16 or float32), `num_channels`, `byte_order` (little or big), `offset_bytes` (the '
        'length of a header) and `sample_rate_hz`'
    )
