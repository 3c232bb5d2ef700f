"""Recordings in .wav files: every sample that is there, as counts of the converter or as the floats of the file.

The chunks are walked here (fdx.data.raw.wav_chunks), because other readers trust the sizes in the header: SciPy 1.17.1
reads a third of a file whose size has wrapped and fails on streams. PCM and floats are then read as NumPy arrays.
Compressed samples go to libsndfile, under a header with true sizes.
"""

from __future__ import annotations

import dataclasses
import pathlib
import struct
from collections.abc import Callable, Sequence

import numpy as np

from fdx.data.raw.signal import NO_SAMPLES, RawSignal, StoredSignal
from fdx.data.raw.sound import SoundSource, open_decoded, open_sound
from fdx.data.raw.under import Under
from fdx.data.raw.wav_chunks import UNKNOWN_SIZE, ForeignWavError, WavLayout, read_layout, settle_size
from fdx.types import DataError

PCM, FLOAT, EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
DECODED = {0x0002: 'Microsoft ADPCM', 0x0006: 'A-law', 0x0007: 'mu-law', 0x0011: 'IMA ADPCM'}
# Samples on either side of a doubtful place that are compared.
_COMPARED = 2**22
_NOT_DECODED = {0x0031: 'GSM 6.10', 0x0040: 'G.721 ADPCM', 0x0050: 'MPEG', 0x0055: 'MP3', 0x0161: 'WMA', 0xF1AC: 'FLAC'}
# The last 14 bytes of a sub-format that stands for a plain codec: Microsoft's, and that of ambisonic files.
_GUID_TAILS = (
    bytes.fromhex('000000001000800000aa00389b71'),
    bytes.fromhex('00002107d3118644c8c1ca000000'),
)


@dataclasses.dataclass(frozen=True)
class WavFormat:
    """The fmt chunk.

    Attributes:
      codec: its number; of an extensible format, that of the sub-format.
      channels: of a sample.
      rate_hz: samples per second.
      bytes_per_second: as stated; 0 or nonsense in many files.
      block_bytes: bytes of one sample of all channels; of a compressed codec, of one block.
      bits: significant bits of a number.
    """

    codec: int
    channels: int
    rate_hz: int
    bytes_per_second: int
    block_bytes: int
    bits: int

    @property
    def number_bytes(self) -> int:
        """Bytes of one number of a PCM or float file."""
        return self.block_bytes // self.channels


def open_wav(file: pathlib.Path) -> StoredSignal:
    """Opens a .wav file: RIFF, RIFX, RF64 or BW64, of PCM (8 to 64 bits), float, mu-law, A-law or ADPCM.

    Integers keep their counts: a sample 123 of 16 bits is 123.0, 24 bits give true 24-bit counts (a format of 20 bits
    in 24 keeps its 24), 8 bits have their zero at 128, which is subtracted. So the same integers give the same samples
    in .wav, .npy, .mat and .csv. Floats are kept. Compressed codecs become 16-bit counts. Other codecs, and files of
    another kind under this name, are read as fdx.data.raw.sound reads them. Pieces are read where they lie.

    Args:
      file: the file.

    Returns:
      The signal, the rate of the header, unit 'counts' for integers, and notes where the header contradicts the file.

    Raises:
      DataError: the true reason: not a .wav file, no data chunk, no samples, no channels, a codec that is not read.
    """
    try:
        return _open_own(file)
    except ForeignWavError as e:
        try:
            return open_sound(file)
        except DataError:
            raise e from None


def _open_own(file: pathlib.Path) -> StoredSignal:
    with file.open('rb') as stream:
        layout = read_layout(stream, file)
        form = _format(layout, file)
        word = 'blocks' if form.codec in DECODED else 'samples'
        size, doubtful, note = settle_size(stream, layout, form.block_bytes, word)
    notes = [note] if note else []
    facts = RawSignal(
        NO_SAMPLES,
        file_rate_hz=float(form.rate_hz),
        rate_origin='the header',
        unit='counts' if form.codec != FLOAT else '',
    )
    if form.codec in DECODED:
        notes.append(f'its samples are {DECODED[form.codec]}, which loses detail; they were decoded to 16-bit counts')
        num_samples, read = _decoder(file, layout, form, size)
    else:
        num_samples, more = _count(file, layout, form, size, doubtful)
        notes += more

        def read(start: int, stop: int, channels: Sequence[int]) -> np.ndarray:
            samples = _numbers(file, layout, form, start, stop)
            return samples if list(channels) == list(range(form.channels)) else samples[:, list(channels)]

    facts = dataclasses.replace(facts, notes=tuple(notes + _rate_note(form)))
    return StoredSignal(facts, num_samples, form.channels, read)


def _format(layout: WavLayout, file: pathlib.Path) -> WavFormat:
    fmt = WavFormat(*struct.unpack_from(f'{layout.order}HHIIHH', layout.fmt))
    if fmt.codec == EXTENSIBLE:
        guid = layout.fmt[24:40]
        if len(guid) < 16 or guid[2:] not in _GUID_TAILS:
            raise ForeignWavError(
                f'{file}: its sub-format {guid.hex() or "is missing and"} is not read; export it as PCM or float'
            )
        fmt = dataclasses.replace(fmt, codec=struct.unpack_from(f'{layout.order}H', guid)[0])
    if fmt.channels == 0:
        raise DataError(f'{file}: its header states 0 channels; record or export it again')
    if fmt.codec not in (PCM, FLOAT, *DECODED):
        name = _NOT_DECODED.get(fmt.codec, 'unknown')
        raise ForeignWavError(
            f'{file}: its codec 0x{fmt.codec:04X} ({name}) is not read; export it as PCM (16, 24 or 32 bits) or float'
        )
    if fmt.codec in DECODED:
        if fmt.block_bytes == 0:
            raise DataError(f'{file}: {DECODED[fmt.codec]} in blocks of 0 bytes (damaged header); export it as PCM')
        return fmt
    # Some writers leave the block's size out.
    needed = -(-fmt.bits // 8)
    fmt = dataclasses.replace(fmt, block_bytes=fmt.block_bytes or fmt.channels * needed)
    widths = (1, 2, 3, 4, 8) if fmt.codec == PCM else (4, 8)
    if fmt.block_bytes % fmt.channels or fmt.number_bytes not in widths or not 0 < needed <= fmt.number_bytes:
        kind = 'PCM' if fmt.codec == PCM else 'float'
        raise DataError(
            f'{file}: its header states {kind} of {fmt.bits} bits, {fmt.channels} channels in {fmt.block_bytes} bytes, '
            'which is damaged or not read; export it as PCM (16, 24 or 32 bits) or float'
        )
    return fmt


def _count(file: pathlib.Path, layout: WavLayout, form: WavFormat, size: int, doubtful: int) -> tuple[int, list[str]]:
    """(number of samples, notes) of PCM or floats."""
    frames, rest = divmod(size, form.block_bytes)
    if frames == 0:
        cut = 'it is cut off, or its recorder never wrote them' if layout.data_bytes else 'record it again'
        raise DataError(f'{file} holds no samples; {cut}')
    notes = [f'its last {rest} bytes are not a whole sample and were left out'] if rest else []
    known = frames - doubtful // form.block_bytes
    # A rest of a tenth or more is taken as it is.
    if doubtful and known and 10 * (frames - known) < known:
        before = _numbers(file, layout, form, max(0, known - _COMPARED), known)
        if not _continues(before, _numbers(file, layout, form, known, min(frames, known + _COMPARED))):
            notes.append(f'what follows the {known} samples of its header does not look like samples and was left out')
            return known, notes
    return frames, notes


def _numbers(file: pathlib.Path, layout: WavLayout, form: WavFormat, start: int, stop: int) -> np.ndarray:
    """The samples [start:stop) of all channels, [T, C]; fewer where the file has become shorter meanwhile."""
    with file.open('rb') as stream:
        stream.seek(layout.data_start + start * form.block_bytes)
        raw = np.fromfile(stream, np.uint8, (stop - start) * form.block_bytes)
    frames = len(raw) // form.block_bytes
    return _as_numbers(raw[: frames * form.block_bytes], form, layout.order).reshape(frames, form.channels)


def _as_numbers(raw: np.ndarray, form: WavFormat, order: str) -> np.ndarray:
    if form.codec == FLOAT:
        return raw.view(f'{order}f{form.number_bytes}')
    if form.number_bytes == 1:
        return raw.astype(np.int16) - 128
    if form.number_bytes != 3:
        return raw.view(f'{order}i{form.number_bytes}')
    wide = np.zeros((len(raw) // 3, 4), np.uint8)
    wide[:, slice(1, 4) if order == '<' else slice(0, 3)] = raw.reshape(-1, 3)
    return wide.view(f'{order}i4')[:, 0] >> 8


def _continues(known: np.ndarray, rest: np.ndarray) -> bool:
    """Whether a short rest has the level of the samples before it."""
    with np.errstate(all='ignore'):
        known, rest = known.astype(np.float64), rest.astype(np.float64)
        spread, other = known.std(axis=0) + 1e-30, rest.std(axis=0) + 1e-30
        shift = np.abs(known.mean(axis=0) - rest.mean(axis=0))
        return bool(np.all((other < 10 * spread) & (spread < 10 * other) & (shift < 3 * spread)))


def _decoder(
    file: pathlib.Path, layout: WavLayout, form: WavFormat, size: int
) -> tuple[int, Callable[[int, int, Sequence[int]], np.ndarray]]:
    """(number of samples, the function that reads) of a compressed codec, as 16-bit counts by libsndfile."""
    if size == 0:
        raise DataError(f'{file} holds no samples; record it again')
    fmt = layout.fmt + bytes(len(layout.fmt) % 2)
    body = b'WAVEfmt ' + struct.pack(f'{layout.order}I', len(fmt)) + fmt
    body += b'data' + struct.pack(f'{layout.order}I', min(size, UNKNOWN_SIZE))
    total = min(len(body) + size, UNKNOWN_SIZE)
    head = (b'RIFF' if layout.order == '<' else b'RIFX') + struct.pack(f'{layout.order}I', total) + body

    def source() -> SoundSource:
        return Under(head, file, layout.data_start, size)

    try:
        sound = open_decoded(file, source, counts=True)
    except DataError as e:
        raise DataError(f'{file}: its {DECODED[form.codec]} samples cannot be decoded ({e}); export it as PCM') from e
    return sound.num_samples, sound.read


def _rate_note(form: WavFormat) -> list[str]:
    """Damage to the rate shows in the bytes per second, which hold it a second time."""
    if form.codec in DECODED or form.bytes_per_second == 0 or form.rate_hz == 0:
        return []
    per_second = form.rate_hz * form.block_bytes, form.rate_hz * form.channels * form.bits / 8
    if any(abs(form.bytes_per_second - b) <= 1 for b in per_second):
        return []
    return [
        f'its header contradicts itself: {form.rate_hz} Hz, but {form.bytes_per_second} bytes per second are '
        f'{form.bytes_per_second / form.block_bytes:g} Hz; pass `sample_rate_hz` if the first is wrong'
    ]
