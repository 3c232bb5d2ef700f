"""Orbax checkpoints of a run that explain themselves (law 5) and are verified before use.

    workdir/frozen/            variables of the frozen prefix, written once; absent where nothing is frozen
    workdir/checkpoints/STEP/  params, opt (Orbax arrays), meta (JSON) and sha256.json

Batch statistics lie beside the stages' parameters, under `batch_stats`, as in a file of weights.

Kept are the two newest steps and the one that the validation criterion chose.
"""

from __future__ import annotations

import json
import logging
import pathlib
import shutil

import jax
import numpy as np
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils

from fdx.train import manifest
from fdx.train.parallel import replicate, replicated_sharding
from fdx.types import CheckpointError

logger = logging.getLogger(__name__)

KEEP_LATEST = 2


def _arrays(tree) -> dict[str, jax.Array]:
    """Leaves of any tree by number: Orbax then need not know optimiser classes."""
    return {f'{i:04d}': leaf for i, leaf in enumerate(jax.tree.leaves(tree))}


def _packed(variables: dict) -> dict:
    """{'params': stages, 'batch_stats': s} -> {**stages, 'batch_stats': s}; a model without statistics has stages."""
    stats = variables.get('batch_stats')
    return {**variables['params'], **({'batch_stats': stats} if stats else {})}


def _unpacked(tree: dict) -> dict:
    """Inverse of `_packed`."""
    params = {k: v for k, v in tree.items() if k != 'batch_stats'}
    return {'params': params, **({'batch_stats': tree['batch_stats']} if 'batch_stats' in tree else {})}


def _abstract(tree):
    sharding = replicated_sharding()
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(np.shape(x), x.dtype, sharding=sharding), tree)


def _sync(what: str) -> None:
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(f'fdx {what}')


class Checkpoints:
    """The checkpoints of one workdir."""

    def __init__(self, workdir: str | pathlib.Path):
        self.workdir = pathlib.Path(workdir).absolute()
        self._root = self.workdir / 'checkpoints'
        self._frozen = self.workdir / 'frozen'
        self._manager: ocp.CheckpointManager | None = None

    def steps(self) -> list[int]:
        """Finished steps, ascending; folders without a manifest were interrupted while being written."""
        found = [p for p in self._root.glob('*') if p.name.isdigit()]
        return sorted(int(p.name) for p in found if (p / manifest.MANIFEST).is_file())

    def meta(self, step: int) -> dict:
        """What the step says about itself; the step must be verified."""
        return json.loads((self._root / str(step) / 'meta' / 'metadata').read_text())

    def best_step(self) -> int:
        """The step with the highest selection score, the earliest of equals; the newest where none has a score.

        Raises:
          CheckpointError: none is there, or one whose JSON, which holds the score, is damaged.
        """
        steps = self._need_steps()
        for step in steps:
            self._raise_damage(step, self._meta_damage(step))
        return self._best_of(steps)

    def resolve(self, step: str | int) -> int:
        """`best`, `last` or a number -> a finished step.

        Raises:
          CheckpointError: none is there, or not this one.
        """
        steps = self._need_steps()
        if step in ('best', 'last'):
            return self.best_step() if step == 'best' else steps[-1]
        if str(step).isdigit() and int(step) in steps:
            return int(step)
        raise CheckpointError(f'{self._root} has no step {step!r}; finished steps: {", ".join(map(str, steps))}')

    def verify(self, step: int) -> None:
        """Checks every byte of a step and of the frozen prefix.

        Raises:
          CheckpointError: a file is missing, truncated or changed; names it and the newest intact step.
        """
        # The step first: only then can its JSON be trusted about the prefix.
        self._raise_damage(step, manifest.find_damage(self._root / str(step)))
        if self.meta(step)['frozen_stages']:
            manifest.verify(self._frozen, 'without the frozen parameters no step can be used: train again')

    def save_prefix(self, prefix: dict) -> None:
        """Writes the variables of the frozen prefix, once for a run."""
        if not prefix['params'] or (self._frozen / manifest.MANIFEST).is_file():
            return
        with ocp.StandardCheckpointer() as saver:
            saver.save(self._frozen, replicate(_packed(prefix)), force=True)
        self._finish(self._frozen)

    def save(self, step: int, variables: dict, opt_state, meta: dict) -> None:
        """Writes a step, then its manifest, then removes steps that are neither new nor best.

        A step whose writing was interrupted has no manifest and is not used.
        """
        if self._manager is None:
            options = ocp.CheckpointManagerOptions(enable_async_checkpointing=False)
            self._manager = ocp.CheckpointManager(self._root, options=options)
        arrays = _packed(variables)
        if jax.process_count() > 1:  # There a step gives arrays that only their own process knows of.
            arrays, opt_state = replicate((arrays, opt_state))
        args = {'params': ocp.args.StandardSave(arrays), 'meta': ocp.args.JsonSave(meta)}
        if jax.tree.leaves(opt_state):  # Orbax does not write empty trees.
            args['opt'] = ocp.args.StandardSave(_arrays(opt_state))
        self._manager.save(step, args=ocp.args.Composite(**args), force=True)
        self._finish(self._root / str(step))
        # A damaged older step must not stop the run: it stays, and whoever asks for the best one is told.
        steps = self.steps()
        sound = [s for s in steps if not self._meta_damage(s)]
        keep = {*steps[-KEEP_LATEST:], self._best_of(sound)}
        self._remove([self._root / str(s) for s in sound if s not in keep])

    def restore_variables(self, step: int, like: dict, prefix_like: dict) -> tuple[dict, dict]:
        """Variables (trained part, frozen prefix) of a verified step; `like` give names, shapes and dtypes."""
        prefix = {'params': {}}
        with ocp.StandardCheckpointer() as reader:
            if prefix_like['params']:
                prefix = _unpacked(reader.restore(self._frozen, _abstract(_packed(prefix_like))))
            arrays = reader.restore(self._root / str(step) / 'params', _abstract(_packed(like)))
        return _unpacked(arrays), prefix

    def restore_optimiser(self, step: int, like):
        """The optimiser's state of a verified step, in the structure of `like`."""
        if not jax.tree.leaves(like):
            return like
        with ocp.StandardCheckpointer() as reader:
            leaves = reader.restore(self._root / str(step) / 'opt', _abstract(_arrays(like)))
        return jax.tree.unflatten(jax.tree.structure(like), [leaves[k] for k in sorted(leaves)])

    def discard_after(self, step: int | None) -> None:
        """Removes steps after `step` and what an interrupted save left; the run goes on from there.

        None: the run begins anew, so all steps go, and the frozen prefix too: it may be of another config.
        """
        keep = [s for s in self.steps() if step is not None and s <= step]
        folders = [p for p in self._root.glob('*') if p.is_dir() and p.name not in map(str, keep)]
        if step is None and self._frozen.is_dir():
            folders.append(self._frozen)
        for folder in folders:
            logger.warning('removing %s: unfinished, or after the resumed step', folder)
        self._remove(folders)

    def close(self) -> None:
        """Ends the manager's threads."""
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    def _finish(self, folder: pathlib.Path) -> None:
        if jax.process_index() == 0:
            manifest.write_manifest(folder)
        _sync(f'manifest {folder}')

    def _remove(self, folders: list[pathlib.Path]) -> None:
        """Process 0 removes folders, no sooner than all processes have listed them."""
        _sync('before removal')
        if jax.process_index() == 0:
            for folder in folders:
                # Without its manifest a half-removed step counts as unfinished, not as damaged.
                (folder / manifest.MANIFEST).unlink(missing_ok=True)
                shutil.rmtree(folder)
        _sync('after removal')

    def _best_of(self, steps: list[int]) -> int:
        scores = {s: self.meta(s)['selection']['score'] for s in steps}
        scored = [(-score, s) for s, score in scores.items() if score is not None]
        return min(scored)[1] if scored else steps[-1]

    def _meta_damage(self, step: int) -> str | None:
        return manifest.find_damage(self._root / str(step), 'meta/')

    def _raise_damage(self, step: int, damage: str | None) -> None:
        if not damage:
            return
        intact = [s for s in self.steps() if s != step and not manifest.find_damage(self._root / str(s))]
        remedy = 'no other step is intact: train again in a new workdir'
        if intact:
            remedy = f'the newest intact step is {intact[-1]}: pass --step={intact[-1]}'
        raise CheckpointError(f'step {step} is damaged: {damage}; {remedy}')

    def _need_steps(self) -> list[int]:
        steps = self.steps()
        if not steps:
            folds = sorted(p.parent for p in self.workdir.glob('fold_*/checkpoints'))
            remedy = f'name one of its folds, e.g. {folds[0]}' if folds else 'train first with this --workdir'
            raise CheckpointError(f'{self.workdir} holds no finished checkpoint of its own: {remedy}')
        return steps
