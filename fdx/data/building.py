"""Runs a TFDS builder: its download manager, its progress bars, and its errors as those of a user."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pathlib
from collections.abc import Callable, Iterator

import tensorflow_datasets as tfds

from fdx.data.preparing import check_not_half_there, user_error

Notify = Callable[[str], None]


def build(
    builder: tfds.core.DatasetBuilder,
    data_dir: str | os.PathLike,
    manual_dir: pathlib.Path | None = None,
    *,
    overwrite: bool = False,
    notify: Notify,
    progress: bool,
) -> None:
    """Builds a dataset whose builder's lock is held.

    Args:
      builder: of the config and version.
      data_dir: folder of prepared datasets, for the line to `notify`.
      manual_dir: folder of raw recordings, or None.
      overwrite: whether a dataset that is there is deleted first.
      notify: called with one line before it begins.
      progress: whether TFDS shows its own lines and bars.

    Raises:
      DataError: an incomplete dataset is there already.
    """
    check_not_half_there(builder)
    notify(f'preparing {builder.info.full_name} in {data_dir} (once)')
    # TFDS deletes what is there before it builds.
    mode = 'REUSE_CACHE_IF_EXISTS' if overwrite else 'REUSE_DATASET_IF_EXISTS'
    settings = tfds.download.DownloadConfig(manual_dir=manual_dir, download_mode=tfds.GenerateMode[mode])
    with contextlib.nullcontext() if progress else _silence():
        builder.download_and_prepare(download_config=settings)


@contextlib.contextmanager
def users_errors() -> Iterator[None]:
    """Raises the FdxError that TFDS wrapped into an error of its own."""
    try:
        yield
    except Exception as e:
        error = user_error(e)
        if error is None or error is e:
            raise
        raise error from e


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Suppresses TFDS's lines and progress bars, because the library prints nothing."""
    shown = tfds.core.utils.tqdm_utils._active
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        if shown:
            tfds.enable_progress_bar()


@contextlib.contextmanager
def without_absl_warnings() -> Iterator[None]:
    """Suppresses TFDS's long warning about a config that is not one of the builder's own."""
    absl, level = logging.getLogger('absl'), logging.getLogger('absl').level
    absl.setLevel(max(level, logging.ERROR))
    try:
        yield
    finally:
        absl.setLevel(level)
