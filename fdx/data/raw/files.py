"""A user's recording in a file of its own, of any known format -> Recording; or a piece of it."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.channels import channel_indices
from fdx.data.raw.format import TextFormat
from fdx.data.raw.open import open_signal
from fdx.data.raw.piece import RawLength, piece_of, read_piece
from fdx.data.raw.request import KNOWN_SUFFIXES, TEXT_SUFFIXES, check_file, is_rate, make_request
from fdx.data.raw.signal import RawSignal, StoredSignal
from fdx.types import DataError, FdxError, Recording

__all__ = ['KNOWN_SUFFIXES', 'TEXT_SUFFIXES', 'RawLength', 'check_file', 'raw_length', 'read_raw_file']

_log = logging.getLogger(__name__)


def read_raw_file(
    path: str | os.PathLike[str],
    *,
    sample_rate_hz: float | None = None,
    variable: str | None = None,
    channel: int | str | Sequence[int | str] | None = None,
    columns: Sequence[str] | None = None,
    text_format: TextFormat | None = None,
    binary_format: BinaryFormat | None = None,
    start_s: float | None = None,
    stop_s: float | None = None,
) -> Recording:
    """Reads one recording, or a piece of it, from a file of a known format, told by its suffix.

    - .mat: versions 4 to 7.3; see fdx.data.raw.mat.open_mat for how the signal is found (CWRU's and MFPT's files are
      known).
    - .csv, .tsv, .txt: see fdx.data.raw.text.read_text; .parquet likewise (fdx.data.raw.parquet).
    - .npy: [T] or [T, C]; the longer axis is taken for time. See fdx.data.raw.npy.
    - .wav: integers keep their counts, floats are kept. See fdx.data.raw.wav.
    - .flac, .aif, .ogg and others that libsndfile decodes: see fdx.data.raw.sound.
    - .h5, .hdf5: see fdx.data.raw.hdf5; .tdms: fdx.data.raw.tdms; .uff, .unv: fdx.data.raw.uff; .lvm: fdx.data.raw.lvm.
    - .bin, .raw, .dat, .pcm: bare numbers, as `binary_format` says.

    Values are not judged here: the front end refuses NaN, a constant or a clipped signal.

    A piece is read where it lies in .wav, .flac and its like, .npy, HDF5 (also MATLAB 7.3), TDMS, Parquet and binary
    files, so that a recording of a day can be read in pieces. Text, .lvm, .uff and older MATLAB files are read as a
    whole and then cut.

    Args:
      path: the file.
      sample_rate_hz: the sampling rate; it wins over the file's own, with a logged warning where they differ.
      variable: name of the signal in a .mat file, path of the data set in an HDF5 file, group in a TDMS file.
      channel: index (from 0) or name of the channel to keep, or several in the wanted order, as a list or as
        'AccX,AccY,AccZ' (unless a channel has that whole name); None keeps all.
      columns: names of the columns to keep of a text or Parquet file; short for TextFormat(columns=...).
      text_format: what the user says about a text file: delimiter, decimal sign, header, clock, columns.
      binary_format: what the user says about a file without header.
      start_s: where the piece begins, in seconds at the rate of the recording; None: the beginning.
      stop_s: where it ends; None: the end. The sample nearest to this time is the first behind the piece.

    Returns:
      The recording: samples float32 [T, C]; `recording` is the file's name, `source` the path as given; speed_rpm and
      load where the file tells them; label, fault_type, bearing and domain are empty. Each of `notes` is logged as a
      warning, too. A level that single precision cannot hold is subtracted: the mean of the recording, or, from a
      piece, the mean of the file's first 65,536 samples.

    Raises:
      DataError: the file is missing, empty, damaged, of another format, does not settle signal, channel or rate, or
        does not reach to `start_s` and `stop_s`. Whatever a library raises on the content of the file becomes one, with
        its traceback logged at debug level.
    """
    file = pathlib.Path(path)
    with _one_line_errors(file):
        stored, rate_hz, indices, rate_notes = _open(
            file,
            sample_rate_hz=sample_rate_hz,
            variable=variable,
            channel=channel,
            columns=columns,
            text_format=text_format,
            binary_format=binary_format,
        )
        if rate_hz is None:
            raise DataError(f'{file} does not tell its sampling rate; pass `sample_rate_hz` in Hz')
        start, stop = piece_of(file, stored.num_samples, rate_hz, start_s, stop_s)
        samples, level_notes = read_piece(file, stored, start, stop, indices)
    raw = stored.facts
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
        time_breaks=tuple(b - start for b in raw.time_breaks if start < b < stop),
        notes=notes,
    )


def raw_length(path: str | os.PathLike[str], **options: Any) -> RawLength:
    """How many samples a file holds, at which rate, without reading them where the format allows it.

    Args:
      path: the file.
      **options: those of `read_raw_file` but `start_s` and `stop_s`.

    Raises:
      DataError: see `read_raw_file`; only a missing rate is no error.
    """
    file = pathlib.Path(path)
    names = ('sample_rate_hz', 'variable', 'channel', 'columns', 'text_format', 'binary_format')
    asked = {**dict.fromkeys(names), **options}
    with _one_line_errors(file):
        stored, rate_hz, indices, _ = _open(file, **asked)
    channels = stored.facts.channel_names
    return RawLength(
        stored.num_samples,
        rate_hz,
        len(indices),
        tuple(channels[i] for i in indices) if channels else (),
        stored.facts.unit,
        stored.seekable,
    )


def _open(file: pathlib.Path, **asked: Any) -> tuple[StoredSignal, float | None, list[int], list[str]]:
    """(the signal, its rate or None, indices of the wanted channels, notes)."""
    request = make_request(file, **asked)
    stored, chosen = open_signal(file, request)
    rate_hz, notes = _settle_rate(file, stored.facts, request.sample_rate_hz)
    if request.channel is None or chosen:
        return stored, rate_hz, list(range(stored.num_channels)), notes
    indices = channel_indices(file, stored.facts.channel_names, stored.num_channels, request.channel)
    return stored, rate_hz, indices, notes


@contextlib.contextmanager
def _one_line_errors(file: pathlib.Path) -> Iterator[None]:
    """Makes one DataError of one line out of whatever the body raises."""
    try:
        yield
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


def _settle_rate(file: pathlib.Path, raw: RawSignal, sample_rate_hz: float | None) -> tuple[float | None, list[str]]:
    """(rate or None, notes): the given one wins."""
    own = raw.file_rate_hz
    if sample_rate_hz is None:
        if own is not None and not is_rate(own):
            raise DataError(f'{file}: {raw.rate_origin} gives a sampling rate of {own} Hz; pass `sample_rate_hz` in Hz')
        return None if own is None else float(own), []
    if own is not None and not math.isclose(own, sample_rate_hz, rel_tol=raw.rate_tolerance):
        return float(sample_rate_hz), [
            f'`sample_rate_hz` {sample_rate_hz:g} Hz wins over the {own:g} Hz of {raw.rate_origin}'
        ]
    return float(sample_rate_hz), []
