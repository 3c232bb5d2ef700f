"""A user's recording in a file of its own: .mat, .csv/.tsv/.txt, .npy or .wav -> Recording."""

from __future__ import annotations

import logging
import math
import os
import pathlib
import struct
import warnings
from collections.abc import Sequence

import numpy as np
import scipy.io.wavfile

from fdx.data.raw_mat import read_mat
from fdx.data.raw_signal import RawSignal, time_by_channel
from fdx.data.raw_text import read_text
from fdx.types import DataError, Recording

TEXT_SUFFIXES = ('.csv', '.tsv', '.txt')
KNOWN_SUFFIXES = ('.mat', *TEXT_SUFFIXES, '.npy', '.wav')
_log = logging.getLogger(__name__)


def read_raw_file(
    path: str | os.PathLike[str],
    *,
    sample_rate_hz: float | None = None,
    variable: str | None = None,
    channel: int | str | Sequence[int | str] | None = None,
    columns: Sequence[str] | None = None,
) -> Recording:
    """Reads one recording from a file of a known format, told by its suffix.

    - .mat: see fdx.data.raw_mat.read_mat for how the signal is found (CWRU's and MFPT's files are known).
    - .csv, .tsv, .txt: see fdx.data.raw_text.read_text.
    - .npy: [T] or [T, C]; the longer axis is taken for time. Pickled objects are refused.
    - .wav: integers are scaled to [-1, 1] by their full scale, floats are kept.

    Values are not judged here: the front end refuses NaN, a constant or a clipped signal.

    Args:
      path: the file.
      sample_rate_hz: the sampling rate; it wins over the file's own, with a logged warning where they differ.
      variable: name of the signal in a .mat file.
      channel: index (from 0) or name of the channel to keep, or several in the wanted order, as a list or as
        'AccX,AccY,AccZ' (unless a channel has that whole name); None keeps all.
      columns: names of the columns to keep of a text file.

    Returns:
      The recording: samples float32 [T, C]; `recording` is the file's name, `source` the path as given; speed_rpm and
      load where the file tells them; label, fault_type, bearing and domain are empty.

    Raises:
      DataError: the file is missing, empty, damaged, of another format, or does not settle signal, channel or rate.
    """
    file = pathlib.Path(path)
    _check_request(file, sample_rate_hz, variable, columns)
    suffix = file.suffix.lower()
    try:
        if suffix == '.mat':
            raw = read_mat(file, variable)
        elif suffix == '.npy':
            raw = _read_npy(file)
        elif suffix == '.wav':
            raw = _read_wav(file)
        else:
            raw = read_text(file, columns, need_rate=sample_rate_hz is None)
    except OSError as e:
        raise DataError(f'{file} cannot be read: {e.strerror or e}; check its permissions') from e
    rate_hz = _settle_rate(file, raw, sample_rate_hz)
    indices = list(range(raw.samples.shape[1])) if channel is None else _channel_indices(file, raw, channel)
    samples = raw.samples if channel is None else raw.samples[:, indices]
    return Recording(
        samples=np.ascontiguousarray(samples, np.float32),
        sample_rate_hz=rate_hz,
        recording=file.name,
        label='',
        fault_type='',
        bearing='',
        domain='',
        speed_rpm=raw.speed_rpm,
        load=raw.load,
        source=os.fspath(path),
        channel_names=tuple(raw.channel_names[i] for i in indices) if raw.channel_names else (),
        unit=raw.unit,
        time_breaks=raw.time_breaks,
        notes=raw.notes,
    )


def _check_request(
    file: pathlib.Path, sample_rate_hz: float | None, variable: str | None, columns: Sequence[str] | None
) -> None:
    suffix = file.suffix.lower()
    if not file.exists():
        raise DataError(f'{file} does not exist; check the path')
    if file.is_dir():
        raise DataError(f'{file} is a folder; name one file in it')
    if suffix not in KNOWN_SUFFIXES:
        raise DataError(f'{file}: unknown suffix {suffix!r}; known are {", ".join(KNOWN_SUFFIXES)}')
    if file.stat().st_size == 0:
        raise DataError(f'{file} is empty (0 bytes); copy or record it again')
    if sample_rate_hz is not None and not _is_rate(sample_rate_hz):
        raise DataError(f'{file}: --sample_rate is {sample_rate_hz}; it must be a number of Hz above 0')
    if variable is not None and suffix != '.mat':
        raise DataError(f'{file}: --variable {variable} chooses in a .mat file only; leave it out')
    if columns is not None and suffix not in TEXT_SUFFIXES:
        raise DataError(f'{file}: --columns chooses in a text file only; leave it out or use --channel')


def _is_rate(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _read_npy(file: pathlib.Path) -> RawSignal:
    with file.open('rb') as opened:
        # numpy.load follows the content, not the suffix: an archive or a pickle would pass for .npy.
        if opened.read(6) != b'\x93NUMPY':
            raise DataError(f'{file} is not a .npy array (an archive, a pickle?); save one array with numpy.save')
        opened.seek(0)
        try:
            array = np.load(opened, allow_pickle=False)
        except (ValueError, EOFError, SyntaxError) as e:
            raise DataError(
                f'{file} cannot be read as a plain .npy array ({e}); it is cut off or holds Python objects: '
                'save it again with numpy.save as a numeric array'
            ) from e
    return RawSignal(time_by_channel(array, file, 'the array'))


def _read_wav(file: pathlib.Path) -> RawSignal:
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            rate_hz, samples = scipy.io.wavfile.read(file)
    except (ValueError, TypeError, KeyError, IndexError, ArithmeticError, UnboundLocalError, struct.error) as e:
        raise DataError(
            f'{file} cannot be read as a .wav file ({e}); it is cut off or of another kind: '
            'export it as PCM (16, 24 or 32 bits) or 32-bit float'
        ) from e
    cut = [str(w.message) for w in caught if 'prematurely' in str(w.message)]
    if cut:
        raise DataError(f'{file} is cut off ({cut[0]}); copy or record it again')
    if samples.size == 0:
        raise DataError(f'{file} holds no samples; record it again')
    samples = samples.reshape(len(samples), -1)
    if samples.dtype == np.uint8:  # 8-bit .wav is unsigned, with its zero at 128
        samples = (samples.astype(np.float64) - 128.0) / 128.0
    elif samples.dtype.kind == 'i':  # 24 bits arrive left-justified in 32
        samples = samples / -float(np.iinfo(samples.dtype).min)
    return RawSignal(samples, file_rate_hz=float(rate_hz), rate_origin='the header')


def _settle_rate(file: pathlib.Path, raw: RawSignal, sample_rate_hz: float | None) -> float:
    own = raw.file_rate_hz
    if sample_rate_hz is None:
        if own is None:
            raise DataError(f'{file} does not tell its sampling rate; pass --sample_rate in Hz')
        if not _is_rate(own):
            raise DataError(f'{file}: {raw.rate_origin} gives a sampling rate of {own} Hz; pass --sample_rate in Hz')
        return float(own)
    if own is not None and not math.isclose(own, sample_rate_hz, rel_tol=raw.rate_tolerance):
        _log.warning('%s: --sample_rate %g Hz wins over the %g Hz of %s', file, sample_rate_hz, own, raw.rate_origin)
    return float(sample_rate_hz)


def _channel_indices(file: pathlib.Path, raw: RawSignal, channel: int | str | Sequence[int | str]) -> list[int]:
    if isinstance(channel, str) and channel not in raw.channel_names:
        wanted = [part.strip() for part in channel.split(',')]
    else:
        wanted = [channel] if isinstance(channel, (int, str)) else list(channel)
    indices = [_channel_index(file, raw, c) for c in wanted]
    if not indices or len(set(indices)) < len(indices):
        raise DataError(f'{file}: --channel {channel!r} must name channels, each once')
    return indices


def _channel_index(file: pathlib.Path, raw: RawSignal, channel: int | str) -> int:
    num_channels = raw.samples.shape[1]
    if isinstance(channel, str) and channel in raw.channel_names:
        if raw.channel_names.count(channel) > 1:
            raise DataError(f'{file} has several channels {channel!r}; pass --channel with an index')
        return raw.channel_names.index(channel)
    # A flag gives digits as text.
    index = int(channel) if isinstance(channel, int) or channel.isdecimal() else -1
    if not 0 <= index < num_channels:
        names = f' or one of: {", ".join(raw.channel_names)}' if raw.channel_names else ''
        raise DataError(f'{file} has no channel {channel!r}; pass --channel with 0 to {num_channels - 1}{names}')
    return index
