"""Monitors files as they arrive in folders, each content of each path once, whatever happens to this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fdx.health.monitor import Monitor
from fdx.predict.arrivals import Arrivals
from fdx.predict.watch_settings import Settings


def watch(
    monitor: Monitor,
    settings: Settings,
    show: Callable[[dict[str, Any], bool], None],
    stop: Callable[[], bool],
    *,
    tell: Callable[[str, str], None] = lambda name, why: None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Scores what arrives until the settings or `stop` end it. Several programs may watch the same folder.

    Args:
      monitor: with its baseline and history.
      settings: folders, and how often they are looked at.
      show: called with each row once it is safe, and whether it is new.
      stop: whether to end; a recording that is being scored is finished first.
      tell: called once for everything in the folders that is no recording, with its name and why.
      sleep: waits for a number of seconds.

    Returns:
      How many files were still being written at the last look.

    Raises:
      ConfigError: a setting that cannot be used.
      FileWriteError: the history cannot be written.
    """
    settings.check()
    deadline = None if settings.for_s is None else time.monotonic() + settings.for_s
    over = lambda: stop() or (deadline is not None and time.monotonic() >= deadline)  # noqa: E731
    arrivals = Arrivals(
        settings.folders,
        recursive=settings.recursive,
        settle_s=settings.settle_s,
        leave_out=(settings.workdir,),
        tell=tell,
    )
    looks = 0
    while not over():
        lot = arrivals.settled(monitor.knows)
        looks += 1
        for arrival in lot:
            for entry in monitor.incoming.recordings(arrival.file):
                if over():
                    break
                show(*monitor.file(arrival.file, entry))
        # The second look of `once` lies `settle_s` after the first, which has only seen what is there.
        if settings.once and (looks > 1 or not arrivals.unsettled):
            break
        until = time.monotonic() + (settings.settle_s if settings.once else settings.poll_s)
        while not over() and (left := until - time.monotonic()) > 0:
            sleep(min(left, 0.2))
    return arrivals.unsettled
