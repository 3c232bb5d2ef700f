"""What building a dataset needs around TFDS: the folder of recordings, errors in the open, and no remains."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator

from fdx.types import ConfigError, FdxError

RAW_DATA_VARIABLE = 'FDX_RAW_DATA'


def check_manual_dir(manual_dir: str | os.PathLike | None) -> pathlib.Path | None:
    """The folder of raw recordings, None where none is named; ConfigError where it does not exist."""
    if manual_dir is None:
        return None
    folder = pathlib.Path(manual_dir).expanduser()
    if not folder.is_dir():
        raise ConfigError(
            f'--manual_dir (or {RAW_DATA_VARIABLE}) is {manual_dir}, which is no folder; '
            'name the folder of your recordings'
        )
    return folder


def user_error(e: BaseException | None) -> FdxError | None:
    """The FdxError behind an exception: TFDS may wrap what a builder raises."""
    seen = set()
    while e is not None and id(e) not in seen:
        if isinstance(e, FdxError):
            return e
        seen.add(id(e))
        e = e.__cause__ or e.__context__
    return None


@contextlib.contextmanager
def no_remains(data_dir: pathlib.Path) -> Iterator[None]:
    """Where the body fails, removes the empty folders that it made down to data_dir/dataset/config/version.

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
        # TFDS notes the default config beforehand; alone in its folder it describes nothing.
        if folder.is_dir() and [p.name for p in folder.iterdir()] == ['.config']:
            (folder / '.config' / 'metadata.json').unlink(missing_ok=True)
            _remove_if_empty(folder / '.config')
        _remove_if_empty(folder)


def _remove_if_empty(folder: pathlib.Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
