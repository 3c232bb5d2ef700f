"""One program at a time writes into a workdir."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from absl import flags

from fdx.train.ownership import workdir_lock

Main = Callable[[Sequence[str]], int | None]


def locks_workdir(main: Main) -> Main:
    """A `main` that holds the lock of --workdir while it runs; of several processes, the first one holds it.

    A run holds its own folder, too. This one makes a second program wait until all runs of a workdir are done, and not
    slip in between two of them.

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
