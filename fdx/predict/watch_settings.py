"""How a watch looks for files, and when it ends."""

from __future__ import annotations

import dataclasses
import os

from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a watch looks for files and when it ends.

    Attributes:
      folders: where to look.
      workdir: where the journal and the results lie.
      recursive: whether to look into folders of the folders, too.
      settle_s: for how long a file must have stayed as it is before it is read.
      poll_s: seconds between two looks.
      once: whether to end when the files that are there and have settled are done.
      for_s: seconds after which it ends; None: never.
      workers: processes; None: as `default_workers` says, for each lot of files.
    """

    folders: tuple[str, ...]
    workdir: str
    recursive: bool = False
    settle_s: float = 2.0
    poll_s: float = 1.0
    once: bool = False
    for_s: float | None = None
    workers: int | None = None

    def check(self) -> None:
        """ConfigError where a value cannot be used."""
        for name, value in (('settle_s', self.settle_s), ('poll_s', self.poll_s), ('watch_for_s', self.for_s)):
            if value is not None and not 0 <= value < float('inf'):
                raise ConfigError(f'`{name}`={value}: a number of seconds, 0 or more')
        if self.poll_s < 0.01:
            raise ConfigError(f'`poll_s`={self.poll_s}: a number of seconds, 0.01 or more')
        if not self.folders:
            raise ConfigError('`watch` needs a folder to look at: name one or more after the flags')
        here = os.path.realpath(self.workdir)
        for folder in self.folders:
            if not os.path.isdir(folder):
                raise ConfigError(f'{folder} is no folder; `watch` looks at folders that are there')
            if os.path.realpath(folder) == here:
                raise ConfigError(
                    f'`workdir`={self.workdir} is a folder that is watched, and its results would be taken for '
                    'recordings: choose another one'
                )
