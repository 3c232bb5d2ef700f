"""One program at a time writes into a workdir."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from absl import flags

from fdx.train.ownership import workdir_lock

Main = Callable[[Sequence[str]], int | None]


def locks_workdir(main: Main) -> Main:
    """A `main` that holds the lock of --workdir while it runs. Of several processes, only the first one holds it.

    A run holds the lock of its own folder, too. This lock covers all runs of a workdir, so that a second program cannot
    start between two of them.

    Raises:
      LockedError: when called while another program writes there.
    """

    @functools.wraps(main)
    def locked(argv: Sequence[str]) -> int | None:
        if 'process_id' in flags.FLAGS and flags.FLAGS.process_id:
            return main(argv)
        with workdir_lock(flags.FLAGS.workdir):
            return main(argv)

    return locked
