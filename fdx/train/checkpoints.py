"""Orbax checkpoints of a run that explain themselves (law 5) and are verified before use.

    workdir/frozen/            variables of the frozen prefix, written once; absent where nothing is frozen
    workdir/checkpoints/STEP/  params, opt (Orbax arrays), meta (JSON) and sha256.json

Batch statistics lie beside the stages' parameters, under `batch_stats`, as in a file of weights.

Kept are the two newest steps and the one that the validation criterion chose. What of a workdir fdx may remove is the
subject of `fdx.train.ownership`.
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator

import jax
import orbax.checkpoint as ocp

from fdx.files import boundary, parse_json
from fdx.train import checkpoint_trees as trees
from fdx.train import manifest, ownership
from fdx.train.parallel import replicate
from fdx.train.workdir import Workdir, no_tracebacks
from fdx.types import CheckpointError

KEEP_LATEST = 2


class Checkpoints:
    """The checkpoints of one workdir."""

    def __init__(self, workdir: str | pathlib.Path):
        self._folders = Workdir(workdir)
        self.workdir = self._folders.path
        self._root = self._folders.root
        self._manager: ocp.CheckpointManager | None = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[Checkpoints]:
        """Holds the workdir for this program, and closes the checkpoints at the end.

        What killed programs left is removed first.

        Raises:
          LockedError: another program writes there.
          CheckpointError: the workdir holds what fdx did not make, or a step that lost its manifest; both are named.
          FileWriteError: the workdir cannot be written.
        """
        with self._folders.held(), contextlib.closing(self):
            yield self

    def steps(self) -> list[int]:
        """Finished steps, ascending: those with a manifest."""
        return self._folders.steps()

    def meta(self, step: int) -> dict:
        """What the step says about itself; the step must be verified.

        Raises:
          CheckpointError: it does not say so as fdx writes it.
        """
        path = self._root / str(step) / 'meta' / 'metadata'
        with boundary('cannot read', path, 'train again in a new workdir', CheckpointError):
            said = parse_json(path.read_text(encoding='utf-8'))
            if not isinstance(said, dict) or 'frozen_stages' not in said:
                raise ValueError('no description of a run of fdx')
            float(said['selection']['score'] or 0)  # Raises where the choice of a step would.
            return said

    def best_step(self) -> int:
        """The step with the highest selection score, the earliest of equals.

        Raises:
          CheckpointError: none is there, or one whose JSON, which holds the score, is damaged, or one that has no
            manifest; or none has a score.
        """
        steps = self._need_steps()
        self._refuse_orphans(steps)
        for step in steps:
            damage = self._meta_damage(step)
            if damage and step in self.steps():  # Else a run that goes on has removed it meanwhile.
                self._raise_damage(step, damage)
        best = self._best_of(self._need_steps())
        if self.meta(best)['selection']['score'] is None:
            raise CheckpointError(
                f'{self._root} has no best step: none has a finite validation score, as the run diverged or was '
                'stopped before the end of its first epoch; go on with the same command, train again in a new '
                f'--workdir with a lower --learning_rate, or name a step, e.g. --step={best}'
            )
        return best

    def resolve(self, step: str | int) -> int:
        """`best`, `last` or a number -> a finished step.

        Raises:
          CheckpointError: none is there, or not this one; for `best` and `last` also a step without its manifest.
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
          CheckpointError: a file is missing, truncated, changed or none of the step's, or the step is another one or
            of another run; names it and the newest intact step.
        """
        # The step first: only then can its JSON be trusted about the prefix.
        self._raise_damage(step, self._folders.damage(step))
        if self.meta(step)['frozen_stages']:
            remedy = 'without the frozen parameters no step can be used: train again'
            manifest.verify(self._folders.frozen, remedy, run=self._folders.run())

    def save_prefix(self, prefix: dict) -> None:
        """Writes the variables of the frozen prefix, once for a run.

        Raises:
          CheckpointError: it cannot be written, or the folder holds what fdx did not make.
        """
        if not prefix['params'] or ownership.has_manifest(self._folders.frozen):
            return
        with self._folders.written(self._folders.frozen), ocp.StandardCheckpointer() as saver:
            saver.save(self._folders.frozen, replicate(trees.packed(prefix)))

    def save(self, step: int, variables: dict, opt_state, meta: dict) -> None:
        """Writes a step, then its manifest, then removes steps that are neither new nor best.

        A step whose writing was interrupted has no manifest and is not used.

        Raises:
          CheckpointError: it cannot be written, nothing stays behind; or a folder of its number is there.
        """
        arrays = trees.packed(variables)
        if jax.process_count() > 1:  # There a step gives arrays that only their own process knows of.
            arrays, opt_state = replicate((arrays, opt_state))
        args = {'params': ocp.args.StandardSave(arrays), 'meta': ocp.args.JsonSave(meta)}
        if jax.tree.leaves(opt_state):  # Orbax does not write empty trees.
            args['opt'] = ocp.args.StandardSave(trees.arrays(opt_state))
        with self._folders.written(self._root / str(step), step):
            if self._manager is None:
                options = ocp.CheckpointManagerOptions(enable_async_checkpointing=False)
                self._manager = ocp.CheckpointManager(self._root, options=options)
            self._manager.save(step, args=ocp.args.Composite(**args), force=True)
        # A damaged older step must not stop the run: it stays, and whoever asks for the best one is told.
        steps = self.steps()
        sound = [s for s in steps if not self._meta_damage(s)]
        keep = {*steps[-KEEP_LATEST:], self._best_of(sound)}
        self._folders.remove_own([s for s in sound if s not in keep])

    def restore_variables(self, step: int, like: dict, prefix_like: dict) -> tuple[dict, dict]:
        """Variables (trained part, frozen prefix) of a verified step; `like` give names, shapes and dtypes.

        Raises:
          CheckpointError: they are others than `like`.
        """
        prefix = {'params': {}}
        with self._reading(step), ocp.StandardCheckpointer() as reader:
            if prefix_like['params']:
                prefix = trees.unpacked(reader.restore(self._folders.frozen, trees.abstract(trees.packed(prefix_like))))
            arrays = reader.restore(self._root / str(step) / 'params', trees.abstract(trees.packed(like)))
        return trees.unpacked(arrays), prefix

    def restore_optimiser(self, step: int, like):
        """The optimiser's state of a verified step, in the structure of `like`."""
        if not jax.tree.leaves(like):
            return like
        with self._reading(step), ocp.StandardCheckpointer() as reader:
            leaves = reader.restore(self._root / str(step) / 'opt', trees.abstract(trees.arrays(like)))
        return jax.tree.unflatten(jax.tree.structure(like), [leaves[k] for k in sorted(leaves)])

    def discard_after(self, step: int | None) -> None:
        """Removes steps after `step` and what an interrupted save left; the run goes on from there.

        None: the run begins anew, so the frozen prefix of a run that came to no step goes too: it may be of another
        config.

        Raises:
          CheckpointError: something there is not fdx's to remove; it is named, and nothing is removed.
        """
        self._folders.discard_after(step)

    def keep_only(self, step: int) -> None:
        """Removes every finished step but `step`; links, and steps in which others have put files, stay."""
        self._folders.remove_own([s for s in self.steps() if s != step])

    def close(self) -> None:
        """Ends the manager's threads."""
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    @contextlib.contextmanager
    def _reading(self, step: int) -> Iterator[None]:
        """A sharp error where Orbax finds other arrays than the run's description promises."""
        remedy = 'it is whole but of another network or another version of Orbax: train again'
        with boundary('cannot restore', self._root / str(step), remedy, CheckpointError), no_tracebacks():
            yield

    def _best_of(self, steps: list[int]) -> int:
        """The step to keep: the best one, the newest where none has a score."""
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
            remedy = f'the newest intact step is {intact[-1]}: pass --step={intact[-1]}'
        raise CheckpointError(f'step {step} is damaged: {damage}; {remedy}')

    def _refuse_orphans(self, steps: list[int]) -> None:
        lost = ownership.orphans(self._root)
        if lost:
            intact = [s for s in steps if not self._folders.damage(s)]
            offer = f', or pass --step={intact[-1]}, the newest intact one' if intact else ''
            raise CheckpointError(
                f'{lost[0]} has no {manifest.MANIFEST}: the file was deleted, or the folder copied without it; put it '
                f'back, or move the folder away{offer}'
            )

    def _need_steps(self) -> list[int]:
        steps = self.steps()
        if not steps:
            self._refuse_orphans(steps)
            folds = sorted(p.parent for p in self.workdir.glob('fold_*/checkpoints'))
            remedy = f'name one of its folds, e.g. {folds[0]}' if folds else 'train first with this --workdir'
            raise CheckpointError(f'{self.workdir} holds no finished checkpoint of its own: {remedy}')
        return steps
