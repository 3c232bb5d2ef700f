"""Finds, fetches and reads the CWRU files: turns a .mat file into a Recording with its true rate and speed."""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Callable

import numpy as np

from fdx.data.download import download
from fdx.data.published_files import complaint, fetch_missing, find_file, refuse_other_than_mat_v5
from fdx.data.raw.mat_v5 import read_v5
from fdx.data.raw.mat_values import Budget, MatArray, MatDamageError
from fdx.signal.bearings import BEARINGS
from fdx.types import DataError, Recording

from .files import URL_TEMPLATE, CwruFile
from .subsets import Subset

_FOLDER = 'cwru'
# The faulty bearing or, for a healthy machine, the bearing beside the accelerometer.
_BEARINGS = {'DE': 'skf_6205', 'FE': 'skf_6203', 'BA': 'skf_6205'}


def read_file(path: str | os.PathLike, file: CwruFile, channel: str) -> Recording:
    """Reads one channel of one file.

    Args:
      path: the .mat file (MATLAB 5 format).
      file: its row in the table; decides which variables are read and how long they must be.
      channel: 'DE', 'FE' or 'BA'.

    Returns:
      The recording: samples float32 [T, 1] in g at `file.rate_hz`; the speed is the file's own, or the nominal one
      if the file has none; the load is in hp.

    Raises:
      DataError: the channel was not recorded, the file is not a MATLAB file or damaged, a variable is missing, a length
        differs from the table's, or values are not finite numbers.
    """
    path = pathlib.Path(path)
    if channel not in file.channels:
        raise DataError(f'{path} has no channel {channel!r}: choose one of {", ".join(file.channels)}')
    try:
        samples, speed_rpm = _load(path, file, channel)
    except DataError as error:
        raise DataError(f'{path}: {error}. Replace it by a fresh copy of {file.name} from {file.url}') from error
    end = channel if file.fault == 'normal' else {'fan_end_12k': 'FE'}.get(file.group, 'DE')
    return Recording(
        samples=samples,
        sample_rate_hz=float(file.rate_hz),
        recording=f'cwru_{file.number:03d}_{channel.lower()}',
        acquisition=f'cwru_{file.number:03d}',
        label=file.label,
        fault_type=file.fault,
        bearing=file.bearing,
        domain=f'load{file.load_hp}',
        speed_rpm=speed_rpm,
        load=float(file.load_hp),
        source=path.name,
        geometry=BEARINGS[_BEARINGS[end]],
    )


def resolve_files(
    subset: Subset,
    manual_dir: str | os.PathLike | None,
    download_dir: str | os.PathLike | None,
    *,
    url_template: str = URL_TEMPLATE,
    downloader: Callable[..., pathlib.Path] = download,
    offline: bool = False,
) -> dict[int, pathlib.Path]:
    """Finds every file of a subset on disk, fetching what is missing.

    A file N is searched as N.mat and cwru/N.mat in `manual_dir`, then in `download_dir`. Otherwise it is fetched to
    `download_dir`/cwru/N.mat and kept only if it agrees with the table. After the first failure of the network itself
    no further file is tried; if the server refuses one file, the others are still tried.

    Args:
      subset: the files and the channel they are to be read through.
      manual_dir: folder of files that the user has put there, or None.
      download_dir: folder of fetched files, or None: nothing is fetched.
      url_template: address of a file, with '{N}' in place of its number.
      downloader: called as downloader(url, target, looks_right=...), like fdx.data.download.download.
      offline: True fetches nothing.

    Returns:
      {file number: path}, in the subset's order.

    Raises:
      DataError: some files are missing and cannot be fetched; the text names all of them, the first reason and both
        remedies.
    """
    if '{N}' not in url_template:
        raise DataError(f"url_template {url_template!r} has no '{{N}}' in it, the place of the file's number")
    folders = [pathlib.Path(folder) for folder in (manual_dir, download_dir) if folder is not None]
    found = {file.number: find_file(file.name, folders, _FOLDER) for file in subset.files}
    if offline:
        reason = 'downloads are off'
    elif download_dir is None:
        reason = 'no download folder is given'
    else:
        files = {file.number: file for file in subset.files}
        reason = fetch_missing(
            found,
            {number: file.name for number, file in files.items()},
            pathlib.Path(download_dir) / _FOLDER,
            url_of=lambda number: url_template.replace('{N}', str(number)),
            complaint_of=lambda number: complaint(lambda path: _load(path, files[number], subset.channel)),
            downloader=downloader,
        )
    missing = [file for file in subset.files if found[file.number] is None]
    if missing:
        raise DataError(_missing_text(subset, missing, manual_dir, url_template, reason))
    return found


def _missing_text(
    subset: Subset,
    missing: list[CwruFile],
    manual_dir: str | os.PathLike | None,
    url_template: str,
    reason: str,
) -> str:
    names = ', '.join(file.name for file in missing)
    folder = 'a folder and name it in manual_dir' if manual_dir is None else f'manual_dir={manual_dir}'
    absent = '' if manual_dir is None or pathlib.Path(manual_dir).is_dir() else ' (this folder does not exist)'
    return (
        f'CWRU subset {subset.name}: {len(missing)} of {len(subset.files)} files are missing: {names}. '
        f'Either put them into {folder}{absent}, or let them be downloaded from {url_template}; '
        f'what stopped that: {reason}'
    )


def _load(path: pathlib.Path, file: CwruFile, channel: str) -> tuple[np.ndarray, float]:
    """Reads (samples float32 [T, 1], speed in rpm); its errors do not name the file."""
    refuse_other_than_mat_v5(path)
    variable = file.variable(channel)
    contents = _arrays(path)
    if variable not in contents:
        held = ', '.join(sorted(contents))
        raise DataError(f'the variable {variable} is missing; the file holds {held or "nothing"}')
    samples = contents[variable]
    if samples.shape not in ((file.length, 1), (1, file.length)):
        raise DataError(f'{variable} has shape {samples.shape}, and {file.length} samples were recorded')
    if samples.dtype.kind not in 'fiu':
        raise DataError(f'{variable} holds {samples.dtype}, not real numbers')
    bad = np.flatnonzero(~np.isfinite(samples))
    if bad.size:
        raise DataError(f'{variable} has {bad.size} values that are NaN or infinite, the first at sample {bad[0]}')
    return samples.astype(np.float32).reshape(-1, 1), _speed_rpm(contents, file)


def _arrays(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Every array of numbers by its name."""
    data = path.read_bytes()
    try:
        variables = read_v5(data, Budget(len(data)))
    except MatDamageError as error:
        raise DataError(f'the MATLAB file is damaged or cut short ({error})') from error
    return {name: value.values for name, value in variables.items() if isinstance(value, MatArray)}


def _speed_rpm(contents: dict[str, np.ndarray], file: CwruFile) -> float:
    measured = contents.get(file.rpm_variable)
    if measured is None or measured.size != 1 or measured.dtype.kind not in 'fiu':
        return float(file.nominal_rpm)
    value = float(measured.item())
    return value if math.isfinite(value) and value > 0 else float(file.nominal_rpm)
