"""A dataset that the package bearing-datasets has built holds all of its recordings in one table."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterable

from fdx.data.raw.built_folder import is_signal_table
from fdx.predict.asking import Task
from fdx.types import FdxError


def each_recording(tasks: Iterable[Task]) -> list[Task]:
    """The tasks, with one per recording in place of the table of a built dataset of which no variable is named.

    A table that cannot be read stays one task, whose problem says why.
    """
    found = []
    for task in tasks:
        path = pathlib.Path(task.file)
        if task.problem or task.options.get('variable') or not is_signal_table(path):
            found.append(task)
            continue
        from fdx.data.raw.built import read_signal_table  # noqa: PLC0415  It loads pyarrow, which most files do not need.

        try:
            names = list(read_signal_table(path).rows)
        except FdxError as e:
            found.append(dataclasses.replace(task, problem=str(e)))
            continue
        for name in names:
            options = {**task.options, 'variable': name}
            found.append(dataclasses.replace(task, options=options, name=f'{task.file}:{name}'))
    return found
