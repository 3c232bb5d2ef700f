"""A user's recording in a file of its own: .mat, .csv/.tsv/.txt, .npy or .wav -> Recording."""

from __future__ import annotations

import dataclasses
import logging
import math
import os
import pathlib
import stat
from collections.abc import Sequence

import numpy as np

from fdx.data.raw.mat import read_mat
from fdx.data.raw.npy import read_npy
from fdx.data.raw.signal import RawSignal
from fdx.data.raw.text import TextFormat, read_text
from fdx.data.raw.wav import read_wav
from fdx.types import DataError, FdxError, Recording

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
    text_format: TextFormat | None = None,
) -> Recording:
    """Reads one recording from a file of a known format, told by its suffix.

    - .mat: see fdx.data.raw.mat.read_mat for how the signal is found (CWRU's and MFPT's files are known).
    - .csv, .tsv, .txt: see fdx.data.raw.text.read_text.
    - .npy: [T] or [T, C]; the longer axis is taken for time. See fdx.data.raw.npy.
    - .wav: integers keep their counts, floats are kept. See fdx.data.raw.wav.

    Values are not judged here: the front end refuses NaN, a constant or a clipped signal.

    Args:
      path: the file.
      sample_rate_hz: the sampling rate; it wins over the file's own, with a logged warning where they differ.
      variable: name of the signal in a .mat file.
      channel: index (from 0) or name of the channel to keep, or several in the wanted order, as a list or as
        'AccX,AccY,AccZ' (unless a channel has that whole name); None keeps all.
      columns: names of the columns to keep of a text file; short for TextFormat(columns=...).
      text_format: what the user says about a text file: delimiter, decimal sign, header, clock, columns.

    Returns:
      The recording: samples float32 [T, C]; `recording` is the file's name, `source` the path as given; speed_rpm and
      load where the file tells them; label, fault_type, bearing and domain are empty. Each of `notes` is logged as a
      warning, too.

    Raises:
      DataError: the file is missing, empty, damaged, of another format, or does not settle signal, channel or rate.
        Whatever a library raises on the content of the file becomes one, with its traceback logged at debug level.
    """
    file = pathlib.Path(path)
    text_format = _with_columns(file, text_format or TextFormat(), columns)
    _check_request(file, sample_rate_hz, variable, text_format)
    try:
        raw = _read(file, sample_rate_hz, variable, text_format)
        rate_hz, rate_notes = _settle_rate(file, raw, sample_rate_hz)
        indices = list(range(raw.samples.shape[1])) if channel is None else _channel_indices(file, raw, channel)
        samples, level_notes = _single_precision(raw.samples if channel is None else raw.samples[:, indices])
    except FdxError as e:
        if len(str(e).splitlines()) > 1:  # names in a damaged file may hold anything
            raise DataError(' '.join(str(e).split())) from e
        raise
    except OSError as e:
        raise DataError(f'{file} cannot be read: {e.strerror or e}; check its permissions') from e
    except Exception as e:
        # A defect of fdx or of a library must not end a batch; its traceback is logged at debug level.
        _log.debug('%s: %s', file, type(e).__name__, exc_info=True)
        reason = ' '.join(str(e).split())[:300]
        raise DataError(
            f'{file} cannot be read ({type(e).__name__}: {reason}); it is damaged or of an unknown kind: copy or '
            'export it again'
        ) from e
    notes = (*raw.notes, *rate_notes, *level_notes)
    for note in notes:
        _log.warning('%s: %s', file, note)
    return Recording(
        samples=samples,
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
        notes=notes,
    )


def _with_columns(file: pathlib.Path, text_format: TextFormat, columns: Sequence[str] | None) -> TextFormat:
    if columns is None:
        return text_format
    if isinstance(columns, str) or not columns:
        raise DataError(f'{file}: `columns` is {columns!r}; give a list of column names')
    return dataclasses.replace(text_format, columns=tuple(columns))


def _read(file: pathlib.Path, sample_rate_hz: float | None, variable: str | None, text_format: TextFormat) -> RawSignal:
    suffix, need_rate = file.suffix.lower(), sample_rate_hz is None
    if suffix == '.mat':
        return read_mat(file, variable, need_rate=need_rate)
    if suffix == '.npy':
        return read_npy(file)
    if suffix == '.wav':
        return read_wav(file)
    return read_text(file, text_format, need_rate=need_rate)


def _single_precision(samples: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """(float32 [T, C], notes). Removes a level too high for 24 bits of mantissa: a vibration of 1 around 10 million."""
    notes = []
    with np.errstate(over='ignore', invalid='ignore'):
        if samples.dtype.itemsize > 2 and samples.dtype != np.float32:
            mean, spread = (f(samples, axis=0, dtype=np.float64) for f in (np.mean, np.std))
            lost = (spread > 0) & (np.abs(mean) * 2.0**-24 > 1e-3 * spread)
            if lost.any():
                samples = samples - np.where(lost, mean, 0.0)
                level = np.asarray(mean)[lost][0]
                notes.append(f'its level of {level:.6g} is too far from 0 for single precision; it was subtracted')
        return np.ascontiguousarray(samples, np.float32), notes


def _check_request(
    file: pathlib.Path, sample_rate_hz: float | None, variable: str | None, text_format: TextFormat
) -> None:
    status, suffix = check_file(file), file.suffix.lower()
    if suffix not in KNOWN_SUFFIXES:
        raise DataError(f'{file}: unknown suffix {suffix!r}; known are {", ".join(KNOWN_SUFFIXES)}')
    if status.st_size == 0:
        raise DataError(f'{file} is empty (0 bytes); copy or record it again')
    if sample_rate_hz is not None and not _is_rate(sample_rate_hz):
        raise DataError(f'{file}: `sample_rate_hz` is {sample_rate_hz}; it must be a number of Hz above 0')
    if variable is not None and suffix != '.mat':
        raise DataError(f'{file}: `variable` {variable} chooses in a .mat file only; leave it out')
    if text_format.given and suffix not in TEXT_SUFFIXES:
        named = ' and '.join(f'{given.partition("=")[0]}`' for given in text_format.given)
        raise DataError(
            f'{file}: {named} say{"s" * (len(text_format.given) == 1)} how a text file is written; leave it out, or '
            'use `channel` to choose channels'
        )


def check_file(path: str | os.PathLike[str]) -> os.stat_result:
    """What the system knows of a file that can be opened without waiting.

    Raises:
      DataError: it is absent, a folder, a pipe, socket or device, a link that leads nowhere, or cannot be reached.
    """
    file = pathlib.Path(path)
    try:
        status = file.stat()
    except FileNotFoundError as e:
        if file.is_symlink():
            raise DataError(f'{file} is a link to {os.readlink(file)}, which does not exist; mend the link') from e
        raise DataError(f'{file} does not exist; check the path') from e
    except (OSError, ValueError) as e:  # a name too long, links in a circle, a folder that may not be entered
        raise DataError(f'{file} cannot be reached: {getattr(e, "strerror", None) or e}; check the path') from e
    if stat.S_ISDIR(status.st_mode):
        raise DataError(f'{file} is a folder; name one file in it')
    if not stat.S_ISREG(status.st_mode):
        # Opening a pipe that nobody writes to would wait for ever.
        raise DataError(f'{file} is a pipe, socket or device, not a file; write its content to a file first')
    return status


def _is_rate(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _settle_rate(file: pathlib.Path, raw: RawSignal, sample_rate_hz: float | None) -> tuple[float, list[str]]:
    """(rate, notes): the given one wins."""
    own = raw.file_rate_hz
    if sample_rate_hz is None:
        if own is None:
            raise DataError(f'{file} does not tell its sampling rate; pass `sample_rate_hz` in Hz')
        if not _is_rate(own):
            raise DataError(f'{file}: {raw.rate_origin} gives a sampling rate of {own} Hz; pass `sample_rate_hz` in Hz')
        return float(own), []
    if own is not None and not math.isclose(own, sample_rate_hz, rel_tol=raw.rate_tolerance):
        return float(sample_rate_hz), [
            f'`sample_rate_hz` {sample_rate_hz:g} Hz wins over the {own:g} Hz of {raw.rate_origin}'
        ]
    return float(sample_rate_hz), []


def _channel_indices(file: pathlib.Path, raw: RawSignal, channel: int | str | Sequence[int | str]) -> list[int]:
    if isinstance(channel, str) and channel not in raw.channel_names:
        wanted: list[int | str] = [part.strip() for part in channel.split(',')]
    else:
        wanted = [channel] if isinstance(channel, (int, str)) else list(channel)
    indices = [_channel_index(file, raw, c) for c in wanted]
    if not indices or len(set(indices)) < len(indices):
        raise DataError(f'{file}: `channel` {channel!r} must name channels, each once')
    return indices


def _channel_index(file: pathlib.Path, raw: RawSignal, channel: int | str) -> int:
    num_channels = raw.samples.shape[1]
    if isinstance(channel, str) and channel in raw.channel_names:
        if raw.channel_names.count(channel) > 1:
            raise DataError(f'{file} has several channels {channel!r}; pass `channel` with an index')
        return raw.channel_names.index(channel)
    # A command line gives digits as text.
    index = int(channel) if isinstance(channel, int) or channel.isdecimal() else -1
    if not 0 <= index < num_channels:
        names = f' or one of: {", ".join(raw.channel_names)}' if raw.channel_names else ''
        raise DataError(f'{file} has no channel {channel!r}; pass `channel` with 0 to {num_channels - 1}{names}')
    return index
