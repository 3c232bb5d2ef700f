"""The finished steps of a workdir: which there are, what they say, which is best, and whether they are whole."""

from __future__ import annotations

import pathlib

from fdx.files import boundary, parse_json
from fdx.train import manifest, ownership
from fdx.train.workdir import Workdir, folds_in
from fdx.types import CheckpointError


class FinishedSteps:
    """The finished steps of one workdir; it reads no arrays.

    Attributes:
      workdir: where.
    """

    def __init__(self, workdir: str | pathlib.Path):
        self._folders = Workdir(workdir)
        self.workdir = self._folders.path
        self._root = self._folders.root

    def steps(self) -> list[int]:
        """Finished steps, ascending: those with a manifest."""
        return self._folders.steps()

    def meta(self, step: int) -> dict:
        """What a verified step says about itself.

        Raises:
          CheckpointError: its JSON is not what fdx writes.
        """
        path = self._root / str(step) / 'meta' / 'metadata'
        with boundary('cannot read', path, 'train again in a new workdir', CheckpointError):
            said = parse_json(path.read_text(encoding='utf-8'))
            if not isinstance(said, dict) or 'frozen_stages' not in said:
                raise ValueError('it does not describe a run of fdx')
            float(said['selection']['score'] or 0)  # Fails here rather than when the best step is chosen.
            return said

    def best_step(self) -> int:
        """The step with the highest selection score, the earliest of equals.

        Raises:
          CheckpointError: there is no step; a step has no manifest, or its JSON, which holds the score, is damaged; or
            no step has a score.
        """
        steps = self._need_steps()
        self._refuse_orphans(steps)
        for step in steps:
            damage = self._meta_damage(step)
            if damage and step in self.steps():  # Otherwise a run that is going on has removed it meanwhile.
                self._raise_damage(step, damage)
        best = self._best_of(self._need_steps())
        if self.meta(best)['selection']['score'] is None:
            raise CheckpointError(
                f'{self._root} has no best step: none has a finite validation score, as the run diverged or was '
                'stopped before the end of its first epoch; go on with the same settings, train again in a new '
                f'`workdir` with a lower `learning_rate`, or name a step, e.g. `step`={best}'
            )
        return best

    def resolve(self, step: str | int) -> int:
        """`best`, `last` or a number -> a finished step.

        Raises:
          CheckpointError: there is no step, or not this one; with `best` and `last`, also where a step has lost its
            manifest.
        """
        steps = self._need_steps()
        if step in ('best', 'last'):
            self._refuse_orphans(steps)
            return self.best_step() if step == 'best' else steps[-1]
        if str(step).isdigit() and int(step) in steps:
            return int(step)
        raise CheckpointError(f'{self._root} has no step {step!r}; finished steps: {", ".join(map(str, steps))}')

    def verify(self, step: int) -> None:
        """Checks every byte of a step and of the frozen prefix.

        Raises:
          CheckpointError: a file is missing, truncated, changed or does not belong to the step, or the folder holds
            another step or a step of another run; the text names it and the newest intact step.
        """
        # The step first: only then can its JSON be trusted about the prefix.
        self._raise_damage(step, self._folders.damage(step))
        if self.meta(step)['frozen_stages']:
            remedy = 'no step can be used without the frozen parameters: train again'
            manifest.verify(self._folders.frozen, remedy, run=self._folders.run())

    def _best_of(self, steps: list[int]) -> int:
        """The step to keep: the best one, or the newest one if none has a score."""
        scores = {s: self.meta(s)['selection']['score'] for s in steps}
        scored = [(-score, s) for s, score in scores.items() if score is not None]
        return min(scored)[1] if scored else steps[-1]

    def _meta_damage(self, step: int) -> str | None:
        return self._folders.damage(step, 'meta/')

    def _raise_damage(self, step: int, damage: str | None) -> None:
        if not damage:
            return
        intact = [s for s in self.steps() if s != step and not self._folders.damage(s)]
        remedy = 'no other step is intact: train again in a new workdir'
        if intact:
            remedy = f'the newest intact step is {intact[-1]}: pass `step`={intact[-1]}'
        raise CheckpointError(f'step {step} is damaged: {damage}; {remedy}')

    def _refuse_orphans(self, steps: list[int]) -> None:
        lost = ownership.orphans(self._root)
        if lost:
            intact = [s for s in steps if not self._folders.damage(s)]
            offer = f', or pass `step`={intact[-1]}, the newest intact one' if intact else ''
            raise CheckpointError(
                f'{lost[0]} has no {manifest.MANIFEST}: the file was deleted, or the folder was copied without it; put '
                f'it back, or move the folder away{offer}'
            )

    def _need_steps(self) -> list[int]:
        steps = self.steps()
        if not steps:
            self._refuse_orphans(steps)
            folds = folds_in(self.workdir)
            remedy = f'name one of its folds, e.g. {folds[0]}' if folds else 'train first with this `workdir`'
            raise CheckpointError(f'{self.workdir} holds no finished checkpoint of its own: {remedy}')
        return steps
