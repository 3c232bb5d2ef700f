"""How busy other programs keep the machine while one is measured: the mean number of their threads that want a core.

The load average counts our own threads as well. So the threads that run or wait for a core (state R of Linux) are
counted every second, in all and in the measured program with the programs that it has started; the rest is of others.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import statistics
import subprocess

PROC = pathlib.Path('/proc')
EVERY_S = 1.0
# A row is marked from here on: another program wants most of a core for most of the time.
NOISY = 0.7


@dataclasses.dataclass
class Others:
    """Samples of the threads of other programs that want a core.

    Attributes:
      samples: one number per second; differences of two counts that are not taken at once, so single ones may be
        below 0.
    """

    samples: list[int] = dataclasses.field(default_factory=list)

    def mean(self) -> float | None:
        """At least 0; None where nothing was counted, as on other systems."""
        return max(0.0, statistics.fmean(self.samples)) if self.samples else None

    def wait_for(self, process: subprocess.Popen) -> None:
        """Counts until the process ends; it must lead a session of its own (`start_new_session`)."""
        while True:
            try:
                process.wait(EVERY_S)
                return
            except subprocess.TimeoutExpired:
                found = count_others(process.pid)
                if found is not None:
                    self.samples.append(found)


def count_others(session: int) -> int | None:
    """Threads that want a core now, without those of a session and without this one; None where Linux is not there."""
    try:
        wanting = int((PROC / 'loadavg').read_text().split()[3].partition('/')[0])
        return wanting - 1 - sum(_wanting(pid) for pid in _members(session))
    except (OSError, ValueError, IndexError):
        return None


def _members(session: int) -> list[str]:
    """Processes of a session."""
    return [pid for pid in os.listdir(PROC) if pid.isdigit() and _fields(PROC / pid / 'stat')[3:4] == [str(session)]]


def _wanting(pid: str) -> int:
    """Threads of a process in state R."""
    try:
        threads = os.listdir(PROC / pid / 'task')
    except OSError:
        return 0  # It has ended.
    return sum(_fields(PROC / pid / 'task' / thread / 'stat')[:1] == ['R'] for thread in threads)


def _fields(path: pathlib.Path) -> list[str]:
    """The fields of a stat file behind the program's name, which may hold blanks: state, parent, group, session."""
    try:
        return path.read_text(encoding='utf-8', errors='replace').rpartition(')')[2].split()
    except OSError:
        return []


def load_average() -> float | None:
    """Of the last minute; None where the system does not say."""
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None
