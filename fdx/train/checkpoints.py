"""Orbax checkpoints of a run that explain themselves (law 5) and are verified before use.

    workdir/frozen/            variables of the frozen prefix, written once; absent where nothing is frozen
    workdir/checkpoints/STEP/  params, opt (Orbax arrays), meta (JSON) and sha256.json

Batch statistics lie beside the stages' parameters, under `batch_stats`, as in a file of weights.

The two newest steps are kept, and the one that the validation criterion chose. `fdx.train.ownership` says what fdx may
remove from a workdir.
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import jax
import orbax.checkpoint as ocp

from fdx.files import boundary
from fdx.train import checkpoint_trees as trees
from fdx.train import ownership
from fdx.train.finished_steps import FinishedSteps
from fdx.train.parallel import replicate
from fdx.train.workdir import no_tracebacks
from fdx.types import CheckpointError
from fdx.weights.structure import file_tree, tree_variables

KEEP_LATEST = 2


class Checkpoints(FinishedSteps):
    """The checkpoints of one workdir, with their arrays."""

    def __init__(self, workdir: str | pathlib.Path):
        super().__init__(workdir)
        self._manager: ocp.CheckpointManager | None = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[Checkpoints]:
        """Holds the workdir for this program, and closes the checkpoints at the end.

        It first removes what killed programs left behind.

        Raises:
          LockedError: another program writes there.
          CheckpointError: the workdir holds files that fdx did not make, or a step that has lost its manifest; the text
            names them.
          FileWriteError: the workdir cannot be written.
        """
        with self._folders.held(), contextlib.closing(self):
            yield self

    def save_prefix(self, prefix: dict) -> None:
        """Writes the variables of the frozen prefix, once per run.

        Raises:
          CheckpointError: it cannot be written, or the folder holds files that fdx did not make.
        """
        if not prefix['params'] or ownership.has_manifest(self._folders.frozen):
            return
        with self._folders.written(self._folders.frozen), ocp.StandardCheckpointer() as saver:
            saver.save(self._folders.frozen, replicate(file_tree(prefix)))

    def save(self, step: int, variables: dict, opt_state: Any, meta: dict) -> None:
        """Writes a step, then its manifest; then removes steps that are neither among the newest nor the best one.

        A step whose writing was interrupted has no manifest and is not used.

        Args:
          step: its number.
          variables: {'params': ..., perhaps 'batch_stats': ...} of the trained stages.
          opt_state: what only a resumed run needs, any tree of arrays.
          meta: what the step says about itself; JSON can hold it.

        Raises:
          CheckpointError: it cannot be written, and nothing stays behind; or there is a folder of this number already.
        """
        arrays = file_tree(variables)
        if jax.process_count() > 1:  # Several processes: a training step gives arrays that only one process knows.
            arrays, opt_state = replicate((arrays, opt_state))
        args = {'params': ocp.args.StandardSave(arrays), 'meta': ocp.args.JsonSave(meta)}
        if jax.tree.leaves(opt_state):  # Orbax does not write empty trees.
            args['opt'] = ocp.args.StandardSave(trees.arrays(opt_state))
        with self._folders.written(self._root / str(step), step):
            if self._manager is None:
                options = ocp.CheckpointManagerOptions(enable_async_checkpointing=False)
                self._manager = ocp.CheckpointManager(self._root, options=options)
            self._manager.save(step, args=ocp.args.Composite(**args), force=True)
        # A damaged older step must not stop the run. It stays, and best_step reports it.
        steps = self.steps()
        sound = [s for s in steps if not self._meta_damage(s)]
        keep = {*steps[-KEEP_LATEST:], self._best_of(sound)}
        self._folders.remove_own([s for s in sound if s not in keep])

    def restore_variables(self, step: int, like: dict, prefix_like: dict) -> tuple[dict, dict]:
        """Variables (trained part, frozen prefix) of a verified step; the `like` trees give names, shapes and dtypes.

        Raises:
          CheckpointError: the step holds other arrays than `like`.
        """
        prefix: dict = {'params': {}}
        with self._reading(step), ocp.StandardCheckpointer() as reader:
            if prefix_like['params']:
                prefix = tree_variables(reader.restore(self._folders.frozen, trees.abstract(file_tree(prefix_like))))
            arrays = reader.restore(self._root / str(step) / 'params', trees.abstract(file_tree(like)))
        return tree_variables(arrays), prefix

    def restore_optimiser(self, step: int, like):
        """The optimiser's state of a verified step, in the structure of `like`."""
        if not jax.tree.leaves(like):
            return like
        with self._reading(step), ocp.StandardCheckpointer() as reader:
            leaves = reader.restore(self._root / str(step) / 'opt', trees.abstract(trees.arrays(like)))
        return jax.tree.unflatten(jax.tree.structure(like), [leaves[k] for k in sorted(leaves)])

    def discard_after(self, step: int | None) -> None:
        """Removes the steps after `step` and what an interrupted save left, so that the run can go on from `step`.

        With None the run begins anew. Then the frozen prefix goes too: it is left from a run that never finished a
        step, perhaps of another config.

        Raises:
          CheckpointError: fdx did not make something that it would have to remove; the text names it, and nothing is
            removed.
        """
        self._folders.discard_after(step)

    def keep_only(self, step: int) -> None:
        """Removes every finished step except `step`; links, and steps that hold files of others, stay."""
        self._folders.remove_own([s for s in self.steps() if s != step])

    def close(self) -> None:
        """Ends the manager's threads."""
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    @contextlib.contextmanager
    def _reading(self, step: int) -> Iterator[None]:
        """Turns errors of Orbax into one that says what the step is and what to do."""
        remedy = 'its files are intact, but of another network or another version of Orbax: train again'
        with boundary('cannot restore', self._root / str(step), remedy, CheckpointError), no_tracebacks():
            yield
