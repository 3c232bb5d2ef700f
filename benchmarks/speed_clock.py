"""Wall and CPU seconds of a piece of work, inside the process that does it."""

from __future__ import annotations

import dataclasses
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# A shorter work is timed in blocks of several calls, because the clocks themselves take a microsecond.
SHORTEST_BLOCK_S = 0.002


@dataclasses.dataclass
class Found:
    """What one process measured of one work.

    Attributes:
      seconds: of the wall clock, one number per repetition.
      cpu_seconds: of all cores together, child processes that have ended included.
      count: what is counted instead of time, None where nothing is.
    """

    seconds: list[float] = dataclasses.field(default_factory=list)
    cpu_seconds: list[float] = dataclasses.field(default_factory=list)
    count: float | None = None

    @contextmanager
    def timed(self, calls: int = 1) -> Iterator[None]:
        """Adds one repetition: what happens inside of `with`, divided by the number of calls in it."""
        began, began_cpu = time.perf_counter(), cpu_seconds()
        yield
        self.seconds.append((time.perf_counter() - began) / calls)
        self.cpu_seconds.append((cpu_seconds() - began_cpu) / calls)


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def repeated(
    run: Callable[[], object], *, least: int = 3, most: int = 30, seconds: float = 1.0, warm_up: int = 2
) -> Found:
    """Calls `run` after a warm-up until `seconds` have passed, at least `least` and at most `most` times.

    Args:
      run: the work; it returns when the work is done.
      least: fewest repetitions.
      most: largest number of them.
      seconds: after which no further repetition begins.
      warm_up: calls that are not counted, as they compile or fill caches; at least 1.
    """
    for _ in range(warm_up):
        began = time.perf_counter()
        run()
    calls = max(1, round(SHORTEST_BLOCK_S / max(time.perf_counter() - began, 1e-9)))
    found, began = Found(), time.perf_counter()
    while len(found.seconds) < least or (time.perf_counter() - began < seconds and len(found.seconds) < most):
        with found.timed(calls):
            for _ in range(calls):
                run()
    return found
