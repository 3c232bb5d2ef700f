"""Opens a raw file by the reader of its suffix."""

from __future__ import annotations

import pathlib

from fdx.data.raw.binary import open_binary
from fdx.data.raw.built_folder import is_signal_table
from fdx.data.raw.lvm import open_lvm
from fdx.data.raw.mat import open_mat
from fdx.data.raw.npy import open_npy
from fdx.data.raw.request import BINARY_SUFFIXES, HDF5_SUFFIXES, SOUND_SUFFIXES, UFF_SUFFIXES, Request
from fdx.data.raw.signal import StoredSignal
from fdx.data.raw.sound import open_sound
from fdx.data.raw.text import read_text
from fdx.data.raw.wav import open_wav


def open_signal(file: pathlib.Path, request: Request) -> tuple[StoredSignal, bool]:
    """(the signal of a file, whether `request.channel` has been applied to it).

    Raises:
      DataError: see the readers.
    """
    suffix = file.suffix.lower()
    if suffix == '.mat':
        return open_mat(file, request.variable, need_rate=request.need_rate), False
    if suffix == '.npy':
        return open_npy(file), False
    if suffix == '.wav':
        return open_wav(file), False
    if suffix in SOUND_SUFFIXES:
        return open_sound(file), False
    if suffix == '.lvm':
        return open_lvm(file, request.channel, need_rate=request.need_rate), True
    if suffix in BINARY_SUFFIXES:
        return open_binary(file, request.binary_format), False
    if suffix in (*HDF5_SUFFIXES, '.parquet', '.tdms', *UFF_SUFFIXES):
        return _open_with_library(file, suffix, request)
    return StoredSignal.of_whole(read_text(file, request.text_format, need_rate=request.need_rate)), False


def _open_with_library(file: pathlib.Path, suffix: str, request: Request) -> tuple[StoredSignal, bool]:
    # Each of these readers loads a library for a tenth of a second or more, which most runs do not need.
    if suffix in HDF5_SUFFIXES:
        from fdx.data.raw.hdf5 import open_hdf5  # noqa: PLC0415

        return open_hdf5(file, request.variable, request.channel, need_rate=request.need_rate)
    if is_signal_table(file):
        from fdx.data.raw.built import open_built  # noqa: PLC0415

        return open_built(file, request.variable, request.channel), True
    if suffix == '.parquet':
        from fdx.data.raw.parquet import open_parquet  # noqa: PLC0415

        return open_parquet(file, request.text_format, need_rate=request.need_rate), False
    if suffix == '.tdms':
        from fdx.data.raw.tdms import open_tdms  # noqa: PLC0415

        return open_tdms(file, request.variable, request.channel, need_rate=request.need_rate), True
    from fdx.data.raw.uff import open_uff  # noqa: PLC0415

    return open_uff(file, request.channel, need_rate=request.need_rate), True
