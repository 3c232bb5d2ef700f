"""Changes of the folders of a workdir: each is completed or undone, and touches only what fdx made."""

from __future__ import annotations

import contextlib
import logging
import pathlib
from collections.abc import Iterator, Sequence

from fdx.files import boundary
from fdx.train import manifest, ownership, run_ids
from fdx.train.processes import by_first, is_first, sync
from fdx.types import CheckpointError, FdxError

logger = logging.getLogger(__name__)


class Workdir:
    """The folders of one run.

    Attributes:
      path: the workdir.
      root: the folder of its steps.
      frozen: the folder of its frozen prefix.
    """

    def __init__(self, path: str | pathlib.Path):
        self.path = pathlib.Path(path).absolute()
        self.root = self.path / 'checkpoints'
        self.frozen = self.path / 'frozen'

    def steps(self) -> list[int]:
        """Finished steps, ascending: those with a manifest."""
        found = [p for p in self.root.glob('*') if ownership.is_step_name(p.name)]
        return sorted(int(p.name) for p in found if ownership.has_manifest(p))

    def step(self, number: int) -> pathlib.Path:
        """The folder of a step."""
        return self.root / str(number)

    def run(self) -> str | None:
        """The id of the run that the steps belong to; None where no step says it."""
        return run_ids.expected_run(self.root, self.steps())

    def damage(self, step: int, below: str = '') -> str | None:
        """What is wrong with a step, in a sentence (see `manifest.find_damage`); None when it is intact."""
        return manifest.find_damage(self.step(step), below, step=step, run=self.run())

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lock while the body runs, and tidies up first; process 0 does both for all processes.

        Raises:
          FdxError: see `fdx.train.checkpoints.Checkpoints.writing`.
        """
        with contextlib.ExitStack() as stack:

            def take() -> None:
                stack.enter_context(ownership.workdir_lock(self.path))
                self.tidy()

            by_first(take)
            yield

    def tidy(self) -> None:
        """Removes what killed processes left behind; raises CheckpointError for files that fdx did not make."""
        ownership.clear_remains(self.path, self.root)
        ownership.refuse_foreign(self.root, self.frozen)

    @contextlib.contextmanager
    def written(self, folder: pathlib.Path, step: int | None = None) -> Iterator[None]:
        """The body writes `folder`, then the manifest is written; if either fails, nothing stays behind.

        Raises:
          CheckpointError: the folder is there already, or it cannot be written.
        """

        def begin() -> None:
            if folder.exists():
                raise CheckpointError(f'{folder} is there already: move it away, or choose another `workdir`')
            run_ids.begin_run(self.root, self.steps())
            ownership.begin_change(folder, 'saving')

        by_first(begin)
        remedy = 'check that the folder is writable and the disk has room, then run the same command again'
        try:
            with boundary('cannot write', folder, remedy, CheckpointError), no_tracebacks():
                yield
                if is_first():
                    manifest.write_manifest(folder, run_ids.run_id(self.root), step)
                    ownership.end_change(folder)
        except FdxError:
            if is_first():
                with contextlib.suppress(FdxError):
                    ownership.discard_unfinished(folder)
                    self._forget_empty_run()
            raise
        sync(f'manifest {folder}')

    def _forget_empty_run(self) -> None:
        """Removes what a run has written if its first folder could not be written."""
        if not self.steps() and not ownership.has_manifest(self.frozen):
            (self.root / run_ids.RUN).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self.root.rmdir()

    def remove(self, folders: Sequence[pathlib.Path]) -> None:
        """Process 0 removes folders, after all processes have listed them."""
        sync('before removal')
        if is_first():
            for folder in folders:
                ownership.remove(folder)
        sync('after removal')

    def remove_own(self, steps: Sequence[int]) -> None:
        """Removes finished steps; links, and steps that hold files of others, stay."""
        self.remove([self.step(s) for s in steps if not ownership.why_kept(self.step(s))])

    def discard_after(self, step: int | None) -> None:
        """See `fdx.train.checkpoints.Checkpoints.discard_after`."""
        folders = [self.step(s) for s in self.steps() if step is None or s > step]
        if step is None and self.frozen.is_dir():
            folders.append(self.frozen)

        def check() -> None:
            self.tidy()
            _refuse_kept(folders)

        by_first(check)
        # Tidying may have removed an unfinished prefix.
        folders = [folder for folder in folders if folder.is_dir()]
        for folder in folders:
            logger.warning('removing %s: it lies after the resumed step, or its run never finished a step', folder)
        self.remove(folders)
        if step is None and is_first():
            (self.root / run_ids.RUN).unlink(missing_ok=True)


@contextlib.contextmanager
def no_tracebacks() -> Iterator[None]:
    """Keeps the threads of Orbax from logging the traceback of an error that Orbax raises too."""

    def is_plain(record: logging.LogRecord) -> bool:
        return not record.exc_info

    absl = logging.getLogger('absl')
    absl.addFilter(is_plain)
    try:
        yield
    finally:
        absl.removeFilter(is_plain)


def folds_in(path: str | pathlib.Path) -> list[pathlib.Path]:
    """Workdirs of the folds of a run, fold_0, fold_1, ..., in a folder; [] where it holds none."""
    return sorted(p.parent for p in pathlib.Path(path).glob('fold_*/checkpoints') if p.is_dir())


def init_of_fold(init: str, fold: int) -> str:
    """The run that a fold starts from: where `init` is a workdir of several folds, the one of the same number."""
    of_fold = pathlib.Path(init) / f'fold_{fold}'
    has_own = (pathlib.Path(init) / 'checkpoints').is_dir()
    return str(of_fold) if not has_own and (of_fold / 'checkpoints').is_dir() else init


def _refuse_kept(folders: Sequence[pathlib.Path]) -> None:
    for folder in folders:
        why = ownership.why_kept(folder) if folder.is_dir() else None
        if why:
            raise CheckpointError(
                f'{folder} is in the way of training, but not removed, since {why}: move it away, or choose another '
                '`workdir`'
            )
