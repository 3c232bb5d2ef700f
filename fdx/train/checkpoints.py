"""Orbax checkpoints of a run that explain themselves (law 5) and are verified before use.

    workdir/frozen/            parameters of the frozen prefix, written once; absent where nothing is frozen
    workdir/checkpoints/STEP/  params, opt (Orbax arrays), meta (JSON) and sha256.json

Kept are the two newest steps and the one that the validation criterion chose.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import pathlib
import shutil
from collections.abc import Sequence

import jax
import numpy as np
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils
from orbax.checkpoint import checkpoint_managers

from fdx.train import manifest
from fdx.train.parallel import replicated_sharding
from fdx.types import CheckpointError

logger = logging.getLogger(__name__)

KEEP_LATEST = 2


@dataclasses.dataclass
class _LatestAndBest(checkpoint_managers.PreservationPolicy):
    """Keeps the newest steps and the best one (highest `score`, the earliest of equals)."""

    def should_preserve(self, checkpoints: Sequence, *, context) -> list[bool]:
        del context
        scored = [(-c.metrics['score'], c.step) for c in checkpoints if c.metrics]
        keep = {c.step for c in checkpoints[-KEEP_LATEST:]} | ({min(scored)[1]} if scored else set())
        return [c.step in keep for c in checkpoints]


def _arrays(tree) -> dict[str, jax.Array]:
    """Leaves of any tree by number: Orbax then need not know optimiser classes."""
    return {f'{i:04d}': leaf for i, leaf in enumerate(jax.tree.leaves(tree))}


def _abstract(tree):
    sharding = replicated_sharding()
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(np.shape(x), x.dtype, sharding=sharding), tree)


class Checkpoints:
    """The checkpoints of one workdir."""

    def __init__(self, workdir: str | pathlib.Path):
        self.workdir = pathlib.Path(workdir).absolute()
        self._root = self.workdir / 'checkpoints'
        self._manager: ocp.CheckpointManager | None = None

    def steps(self) -> list[int]:
        """Finished steps, ascending; folders without a manifest were interrupted while being written."""
        found = [p for p in self._root.glob('*') if p.name.isdigit()]
        return sorted(int(p.name) for p in found if (p / manifest.MANIFEST).is_file())

    def meta(self, step: int) -> dict:
        """What the step says about itself; the step must be verified."""
        return json.loads((self._root / str(step) / 'meta' / 'metadata').read_text())

    def best_step(self) -> int:
        """The step with the highest selection score, the earliest of equals."""
        steps = self._need_steps()
        scores = {s: self.meta(s)['selection']['score'] for s in steps}
        scored = [(-score, s) for s, score in scores.items() if score is not None]
        return min(scored)[1] if scored else steps[-1]

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
        if self.meta_says_frozen(step):
            manifest.verify(self.workdir / 'frozen', 'without the frozen parameters no step can be used: train again')
        damage = manifest.find_damage(self._root / str(step))
        if damage:
            intact = [s for s in self.steps() if s != step and not manifest.find_damage(self._root / str(s))]
            remedy = f'the newest intact step is {intact[-1]}: pass --step={intact[-1]}' if intact else (
                'no other step is intact: train again in a new workdir'
            )  # fmt: skip
            raise CheckpointError(f'step {step} is damaged: {damage}; {remedy}')

    def meta_says_frozen(self, step: int) -> bool:
        """Whether the run has a frozen prefix; True when its JSON cannot be read but the folder is there."""
        try:
            return bool(self.meta(step).get('frozen_stages'))
        except (OSError, ValueError):
            return (self.workdir / 'frozen').is_dir()

    def save_prefix(self, prefix: dict) -> None:
        """Writes the frozen prefix, once for a run."""
        if not prefix or not manifest.find_damage(self.workdir / 'frozen'):
            return
        with ocp.StandardCheckpointer() as saver:
            saver.save(self.workdir / 'frozen', prefix, force=True)
        self._finish(self.workdir / 'frozen')

    def save(self, step: int, params: dict, opt_state, meta: dict) -> None:
        """Writes a step, then its manifest; a step that was interrupted has none and is not used."""
        if self._manager is None:
            options = ocp.CheckpointManagerOptions(
                preservation_policy=_LatestAndBest(), enable_async_checkpointing=False
            )
            self._manager = ocp.CheckpointManager(self._root, options=options)
        score = meta['selection']['score']
        args = ocp.args.Composite(
            params=ocp.args.StandardSave(params),
            opt=ocp.args.StandardSave(_arrays(opt_state)),
            meta=ocp.args.JsonSave(meta),
        )
        metrics = None if score is None else {'score': score}
        self._manager.save(step, args=args, metrics=metrics, force=True)
        self._finish(self._root / str(step))

    def restore_params(self, step: int, like: dict, prefix_like: dict) -> tuple[dict, dict]:
        """Parameters (trained part, frozen prefix) of a verified step; `like` give names, shapes and dtypes."""
        prefix = {}
        if prefix_like:
            with ocp.StandardCheckpointer() as reader:
                prefix = reader.restore(self.workdir / 'frozen', _abstract(prefix_like))
        with ocp.StandardCheckpointer() as reader:
            return reader.restore(self._root / str(step) / 'params', _abstract(like)), prefix

    def restore_optimiser(self, step: int, like):
        """The optimiser's state of a verified step, in the structure of `like`."""
        with ocp.StandardCheckpointer() as reader:
            leaves = reader.restore(self._root / str(step) / 'opt', _abstract(_arrays(like)))
        return jax.tree.unflatten(jax.tree.structure(like), [leaves[k] for k in sorted(leaves)])

    def discard_after(self, step: int | None) -> None:
        """Removes steps after `step` (None: all) and what an interrupted save left; the run goes on from there."""
        if jax.process_index() == 0:
            for folder in (p for p in self._root.glob('*') if p.is_dir()):
                number = int(folder.name) if folder.name.isdigit() else None
                unfinished = not (folder / manifest.MANIFEST).is_file()
                if unfinished or step is None or (number is not None and number > step):
                    logger.warning('removing %s: %s', folder, 'unfinished' if unfinished else 'after the resumed step')
                    shutil.rmtree(folder)
        if jax.process_count() > 1:
            multihost_utils.sync_global_devices('fdx discard')

    def close(self) -> None:
        """Ends the manager's threads."""
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    def _finish(self, folder: pathlib.Path) -> None:
        if jax.process_index() == 0:
            manifest.write_manifest(folder)
        if jax.process_count() > 1:
            multihost_utils.sync_global_devices(f'fdx manifest {folder}')

    def _need_steps(self) -> list[int]:
        steps = self.steps()
        if not steps:
            raise CheckpointError(f'{self.workdir} holds no finished checkpoint: train first with this --workdir')
        return steps
