"""Helpers around TFDS: they check the folder of recordings, find the user's error and remove half-written folders."""

from __future__ import annotations

import contextlib
import logging
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence

import tensorflow_datasets as tfds

from fdx.data.incomplete import remove_interrupted
from fdx.data.seal import seal_new
from fdx.files import SYSTEM, FileWriteError, reason_of
from fdx.locks import prepared_lock
from fdx.types import ConfigError, DataError, FdxError

logger = logging.getLogger(__name__)

RAW_DATA_VARIABLE = 'FDX_RAW_DATA'


def check_manual_dir(manual_dir: str | os.PathLike | None) -> pathlib.Path | None:
    """The folder of raw recordings, or None if none is named; ConfigError if it does not exist."""
    if manual_dir is None:
        return None
    folder = pathlib.Path(manual_dir).expanduser()
    if not folder.is_dir():
        raise ConfigError(
            f'`manual_dir` (or {RAW_DATA_VARIABLE}) is {manual_dir}, which is not a folder; '
            'name the folder of your recordings'
        )
    return folder


def check_not_half_there(builder: tfds.core.DatasetBuilder) -> None:
    """Refuses an incomplete folder of a dataset, which TFDS would keep as it is.

    Raises:
      DataError: the folder exists without its dataset_info.json.
    """
    folder = pathlib.Path(builder.data_dir)
    if folder.is_dir() and not (folder / 'dataset_info.json').is_file():
        raise DataError(
            f'{folder} has no dataset_info.json, so the dataset is incomplete: remove the folder and prepare again'
        )


def user_error(e: BaseException | None) -> FdxError | None:
    """The FdxError that caused an exception, since TFDS may wrap a builder's errors."""
    seen = set()
    while e is not None and id(e) not in seen:
        if isinstance(e, FdxError):
            return e
        seen.add(id(e))
        e = e.__cause__ or e.__context__
    return None


@contextlib.contextmanager
def preparing(
    data_dir: str | os.PathLike, builders: Sequence[str], notify: Callable[[str], None] = logger.info
) -> Iterator[None]:
    """Holds the builders' locks while the body prepares datasets. A failure leaves nothing behind.

    A full disk is an error for the user, not a defect.

    Waits, after a line to `notify`, for another program that prepares datasets of the same builders.

    Args:
      data_dir: folder of prepared datasets.
      builders: their names.
      notify: called with one line before waiting.

    Raises:
      FileWriteError: the folder cannot be written, and holds no dataset of these builders.
      DataError: the disk is full, or writing failed for another reason.
    """
    folder = pathlib.Path(data_dir).expanduser()
    with contextlib.ExitStack() as stack:
        for name in sorted(set(builders)):
            try:
                held = stack.enter_context(prepared_lock(folder, name, notify=notify))
            except FileWriteError:
                # On read-only media the dataset may be prepared already.
                if not (folder / name).is_dir():
                    raise
                continue
            remove_interrupted(folder / name, held.left_since)
        stack.enter_context(no_remains(folder))
        try:
            yield
            for name in set(builders):
                seal_new(folder / name)
        except FdxError:
            raise
        except Exception as e:
            reason = writing_failure(e)
            if reason is None or user_error(e) is not None:
                raise
            raise DataError(
                f'cannot prepare {", ".join(builders)} in {data_dir}: {reason}; check that the folder is writable and '
                'the disk has room, or choose another `data_dir`'
            ) from e


def writing_failure(e: BaseException | None) -> str | None:
    """The system's reason, if an exception or one of its causes is a failure to read or write; else None."""
    seen = set()
    while e is not None and id(e) not in seen:
        if isinstance(e, OSError) or SYSTEM.search(str(e)):
            return reason_of(e)
        seen.add(id(e))
        e = e.__cause__ or e.__context__
    return None


@contextlib.contextmanager
def no_remains(data_dir: pathlib.Path) -> Iterator[None]:
    """If the body fails, removes the empty folders that it made, down to data_dir/dataset/config/version.

    TFDS removes its half-written version folder, but not the folders above it.
    """
    before = set(_folders(data_dir))
    try:
        yield
    except BaseException:
        _remove_empty(sorted(set(_folders(data_dir)) - before, key=lambda p: len(p.parts), reverse=True))
        raise


def _folders(data_dir: pathlib.Path) -> Iterator[pathlib.Path]:
    """The data folder and its folders down to data_dir/dataset/config/version."""
    if data_dir.is_dir():
        yield data_dir
        for depth in ('*/', '*/*/', '*/*/*/'):
            yield from data_dir.glob(depth)


def _remove_empty(folders: list[pathlib.Path]) -> None:
    for folder in folders:
        # TFDS writes the default config first; without a dataset beside it, it is of no use.
        if folder.is_dir() and [p.name for p in folder.iterdir()] == ['.config']:
            (folder / '.config' / 'metadata.json').unlink(missing_ok=True)
            _remove_if_empty(folder / '.config')
        _remove_if_empty(folder)


def _remove_if_empty(folder: pathlib.Path) -> None:
    # Another program may have put something there meanwhile.
    with contextlib.suppress(OSError):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
