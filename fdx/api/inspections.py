"""Inspection of recordings before anything is trained on them."""

from __future__ import annotations

import os

from fdx.data.collection.spec import CollectionSpec
from fdx.inspect.inspection import Inspection, inspect_source
from fdx.inspect.look import Progress


def inspect(
    source: CollectionSpec | str | os.PathLike, *, progress: Progress = lambda entries: entries, seed: int = 0
) -> Inspection:
    """Says what recordings are, what they can show, and which shortcuts would tell their classes by accident.

        found = fdx.inspect('recordings')                       # a folder per class, or a manifest
        found.findings                                          # [{'kind': 'shortcut', 'text': ..., 'severity': ...}]
        found.advice.front_end, found.advice.protocol, found.commands

    Args:
      source: a folder, a manifest, or what is known of either (`CollectionSpec`: pattern of names, rate, channel).
      progress: wraps the recordings, e.g. tqdm.
      seed: of the audit's folds and relabellings.

    Returns:
      The inspection. A file that cannot be read is a finding; the others are inspected all the same.

    Raises:
      DataError, ConfigError: the folder or manifest itself cannot be used.
    """
    return inspect_source(
        source if isinstance(source, CollectionSpec) else os.fspath(source), progress=progress, seed=seed
    )
