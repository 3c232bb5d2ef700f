"""What can be asked of a raw file, and checks of it before the file is opened."""

from __future__ import annotations

import dataclasses
import math
import os
import pathlib
import stat
from collections.abc import Sequence

from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.built_folder import is_signal_table
from fdx.data.raw.format import TextFormat
from fdx.types import DataError

TEXT_SUFFIXES = ('.csv', '.tsv', '.txt')
HDF5_SUFFIXES = ('.h5', '.hdf5')
TABLE_SUFFIXES = (*TEXT_SUFFIXES, '.parquet')
UFF_SUFFIXES = ('.uff', '.unv')
# What libsndfile decodes; .wav has a reader of its own.
SOUND_SUFFIXES = ('.flac', '.aif', '.aiff', '.aifc', '.ogg', '.oga', '.opus', '.mp3', '.w64', '.caf', '.au')
BINARY_SUFFIXES = ('.bin', '.raw', '.dat', '.pcm')
KNOWN_SUFFIXES = (
    *('.mat', *TABLE_SUFFIXES, '.npy', '.wav', *SOUND_SUFFIXES, *HDF5_SUFFIXES, '.tdms', *UFF_SUFFIXES, '.lvm'),
    *BINARY_SUFFIXES,
)
# `variable` chooses in files that hold several signals: variables, data sets, groups.
VARIABLE_SUFFIXES = ('.mat', *HDF5_SUFFIXES, '.tdms')


@dataclasses.dataclass(frozen=True)
class Request:
    """What the user says about a file; see fdx.data.raw.files.read_raw_file."""

    sample_rate_hz: float | None = None
    variable: str | None = None
    channel: int | str | Sequence[int | str] | None = None
    text_format: TextFormat = dataclasses.field(default_factory=TextFormat)
    binary_format: BinaryFormat | None = None

    @property
    def need_rate(self) -> bool:
        """Whether the file itself must tell its rate."""
        return self.sample_rate_hz is None


def make_request(
    file: pathlib.Path,
    *,
    columns: Sequence[str] | None,
    text_format: TextFormat | None,
    binary_format: BinaryFormat | None,
    sample_rate_hz: float | None,
    variable: str | None,
    channel: int | str | Sequence[int | str] | None,
) -> Request:
    """The request, after checks of it and of the file's name, kind and size.

    Raises:
      DataError: there is no such file, it is empty, its suffix is unknown, or what is said does not go with its suffix.
    """
    text = text_format or TextFormat()
    if columns is not None:
        if isinstance(columns, str) or not columns:
            raise DataError(f'{file}: `columns` is {columns!r}; give a list of column names')
        text = dataclasses.replace(text, columns=tuple(columns))
    request = Request(sample_rate_hz, variable, channel, text, binary_format)
    _check(file, request)
    return request


def _check(file: pathlib.Path, request: Request) -> None:
    status, suffix = check_file(file), file.suffix.lower()
    if suffix not in KNOWN_SUFFIXES:
        raise DataError(f'{file}: unknown suffix {suffix!r}; known are {", ".join(KNOWN_SUFFIXES)}')
    if status.st_size == 0:
        raise DataError(f'{file} is empty (0 bytes); copy or record it again')
    rate_hz, text = request.sample_rate_hz, request.text_format
    if rate_hz is not None and not is_rate(rate_hz):
        raise DataError(f'{file}: `sample_rate_hz` is {rate_hz}; it must be a number of Hz above 0')
    if request.variable is not None and suffix not in VARIABLE_SUFFIXES and not is_signal_table(file):
        raise DataError(
            f'{file}: `variable` {request.variable} chooses in {", ".join(VARIABLE_SUFFIXES)} files only; leave it out'
        )
    if text.given and (suffix not in TABLE_SUFFIXES or is_signal_table(file)):
        named = ' and '.join(f'{given.partition("=")[0]}`' for given in text.given)
        raise DataError(
            f'{file}: {named} say{"s" * (len(text.given) == 1)} how a text file is written; leave it out, or '
            'use `channel` to choose channels'
        )
    if request.binary_format is not None and suffix not in BINARY_SUFFIXES:
        raise DataError(
            f'{file}: `dtype` says how a file without header is written ({", ".join(BINARY_SUFFIXES)}); leave it out'
        )


def is_rate(value: float) -> bool:
    """Whether a number can be a sampling rate."""
    return math.isfinite(value) and value > 0


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
