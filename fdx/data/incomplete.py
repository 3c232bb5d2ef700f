"""Removes TFDS's half-written folders, which a killed preparation of a dataset leaves."""

from __future__ import annotations

import contextlib
import logging
import pathlib
import re
import shutil

logger = logging.getLogger(__name__)

# tensorflow_datasets.core.utils.file_utils.incomplete_dir: 'incomplete.', six letters or digits, '_', the version.
_INCOMPLETE = re.compile(r'incomplete\.[A-Z0-9]{6}_\d+\.\d+\.\d+')
# Tolerance for the clocks of file systems, which are coarser than those of programs.
CLOCK_S = 2.0


def remove_interrupted(folder: pathlib.Path, since: float | None) -> None:
    """Removes half-written versions of a builder's datasets that a killed program of fdx began.

    Args:
      folder: data_dir/builder, whose lock this program holds.
      since: when the killed program had taken the lock (`fdx.locks.Held.left_since`); older folders are not its own.
        None: no program was killed, so any half-written folder belongs to another tool and stays.
    """
    if since is None:
        return
    for path in [*folder.glob('incomplete.*'), *folder.glob('*/incomplete.*')]:
        with contextlib.suppress(OSError):
            ours = _INCOMPLETE.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
            if ours and path.stat().st_mtime >= since - CLOCK_S:
                logger.warning('removing %s: its writing was interrupted', path)
                shutil.rmtree(path)
