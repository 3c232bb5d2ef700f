"""Diagnosing many files: what is asked of each, and what comes back whatever happens to it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import logging
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from fdx.files import boundary
from fdx.predict.verdicts import says_nothing
from fdx.types import CheckpointError, DataError, FdxError

if TYPE_CHECKING:
    from fdx.predict.result import Result

# JAX and its libraries take seconds to load, for which every process of fdx.predict.workers waits. So each way of
# diagnosing is imported when it is asked for.
_log = logging.getLogger(__name__)
Diagnose = Callable[..., 'Result']


@dataclasses.dataclass(frozen=True)
class Asked:
    """Who diagnoses: a trained run, or the fault orders. It can be sent to another process, which then loads it.

    Attributes:
      checkpoint: workdir of one fold, or an exported file; None: by fault orders (fdx.predict.zero_shot).
      step: of the checkpoint.
      zero_shot: options of fdx.predict.zero_shot that hold for every file: known_orders, other_bearings, healthy.
      abstain: whether what is unlike anything in training has no vote, and fault orders may answer that they cannot
        tell.
      options: names of the options that are given for every file; a run that does not read them refuses.
    """

    checkpoint: str | None = None
    step: str | int = 'best'
    zero_shot: tuple[tuple[str, Any], ...] = ()
    options: tuple[str, ...] = ()
    abstain: bool = True

    def load(self) -> Diagnose:
        """The function that diagnoses one file, with the options of `AnyPredictor.diagnose`.

        Raises:
          CheckpointError: the run cannot be loaded.
          ConfigError: the run does not read one of the options. It would be the same error for every file.
        """
        if self.checkpoint is None:
            from fdx.predict.zero_shot import zero_shot  # noqa: PLC0415

            return functools.partial(zero_shot, abstain=self.abstain, **dict(self.zero_shot))
        from fdx.predict.load import load_single  # noqa: PLC0415

        predictor = load_single(self.checkpoint, self.step)
        predictor.check_options(self.options)
        return functools.partial(predictor.diagnose, abstain=self.abstain)

    def identity(self) -> dict[str, Any]:
        """What tells this diagnosis from another one, JSON-able: the step that is meant, and a hash of its arrays.

        Raises:
          CheckpointError: the run or the file is not there.
        """
        # Journals of before there was a choice stay valid.
        how = {} if self.abstain else {'abstain': False}
        if self.checkpoint is None:
            from fdx.predict.universal.judge import load_judge  # noqa: PLC0415

            told = {name: str(value) for name, value in self.zero_shot if value}
            return {'checkpoint': None, 'judge': load_judge().card['sha256'], **told, **how}
        from fdx.predict.load import SUFFIXES, check_single  # noqa: PLC0415
        from fdx.train.checkpoints import Checkpoints  # noqa: PLC0415
        from fdx.train.manifest import MANIFEST  # noqa: PLC0415

        path = pathlib.Path(self.checkpoint)
        check_single(path)
        if path.suffix in SUFFIXES:
            with boundary('cannot read', path, 'name a workdir or an exported file', CheckpointError):
                return {'checkpoint': path.name, 'sha256': hashlib.sha256(path.read_bytes()).hexdigest(), **how}
        step = Checkpoints(path).resolve(self.step)
        # It lists the hash of every array.
        listed = path / 'checkpoints' / str(step) / MANIFEST
        with boundary('cannot read', listed, 'train again, or name another run', CheckpointError):
            digest = hashlib.sha256(listed.read_bytes()).hexdigest()
            return {'checkpoint': path.name, 'step': step, 'sha256': digest, **how}


@dataclasses.dataclass(frozen=True)
class Task:
    """One file to diagnose.

    Attributes:
      file: its path.
      options: of `diagnose`.
      problem: why it cannot be tried at all, e.g. a folder that cannot be listed; '' if it can.
      name: what its rows call it where the file holds several recordings; '' for the path.
    """

    file: str
    options: dict[str, Any]
    problem: str = ''
    name: str = ''


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one file.

    Attributes:
      file: its path.
      rows: of the diagnosis (Result.rows); empty after an error.
      error: what was wrong, or ''.
    """

    file: str
    rows: tuple[dict[str, Any], ...] = ()
    error: str = ''

    @property
    def failed(self) -> bool:
        """Whether it has no diagnosis, or one without a finite number; programs then end with exit code 1."""
        return bool(self.error) or says_nothing(self.rows)


def attempt(diagnose: Diagnose, task: Task) -> Outcome:
    """Diagnoses one file; whatever is raised becomes its error, so that the other files are still diagnosed."""
    called = task.name or task.file
    try:
        if task.problem:
            raise DataError(task.problem)
        rows = diagnose(task.file, **task.options).rows()
        return Outcome(called, tuple({**row, 'file': called} if task.name else row for row in rows))
    except FdxError as e:
        return Outcome(called, error=str(e))
    except Exception as e:
        # A defect of fdx or of a library counts as this file's error, too.
        _log.debug('%s', task.file, exc_info=True)
        reason = f'{type(e).__name__}: {" ".join(str(e).split())[:300]}'
        return Outcome(called, error=f'{task.file} cannot be diagnosed ({reason}); `verbosity=1` shows where')


class OneProcess:
    """Diagnoses in this process; see fdx.predict.workers.Workers, which has the same methods."""

    def __init__(self, asked: Asked):
        """Loads the run.

        Raises:
          FdxError: see `Asked.load`.
        """
        self._diagnose = asked.load()

    def run(self, tasks: Iterable[Task], stop: Callable[[], bool] = lambda: False) -> Iterator[Outcome]:
        """The outcome of each task, in order; `stop` is asked before each whether it shall still begin."""
        for task in tasks:
            if stop():
                return
            yield attempt(self._diagnose, task)

    def close(self) -> None:
        """Nothing is left to end."""
