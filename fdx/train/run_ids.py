"""The id of a run: it is drawn when the run begins, kept in checkpoints/run.json, and repeated in every manifest."""

from __future__ import annotations

import contextlib
import pathlib
import uuid

from fdx.files import parse_json, write_json
from fdx.train import manifest
from fdx.types import CheckpointError

RUN = 'run.json'


def run_id(root: pathlib.Path) -> str | None:
    """The id in run.json; None where it is missing or cannot be read."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        said = parse_json((root / RUN).read_text(encoding='utf-8'))
        if isinstance(said, dict) and isinstance(said.get('run'), str):
            return said['run']
    return None


def expected_run(root: pathlib.Path, steps: list[int]) -> str | None:
    """The run that the steps of a workdir belong to, by run.json or else by the manifests of the steps.

    Raises:
      CheckpointError: run.json is damaged, or it is missing and the steps belong to several runs.
    """
    said = run_id(root)
    if said is not None:
        return said
    if (root / RUN).exists():
        raise CheckpointError(
            f'{root / RUN} cannot be read: remove it, and fdx goes by what the steps say about their run'
        )
    read = {step: manifest.read_manifest(root / str(step)) for step in steps}
    runs: dict[str, list[int]] = {}
    for step, found in read.items():
        if found and found.run:
            runs.setdefault(found.run, []).append(step)
    if len(runs) > 1:
        groups = '; '.join(f'{", ".join(map(str, s))} of {run[:8]}' for run, s in runs.items())
        raise CheckpointError(f'{root} holds steps of several runs ({groups}): move those of all but one elsewhere')
    return next(iter(runs), None)


def begin_run(root: pathlib.Path, steps: list[int]) -> str:
    """The id of the run that writes here; a new run draws one."""
    run = expected_run(root, steps)
    if run is None or run_id(root) is None:
        run = run or uuid.uuid4().hex
        write_json(root / RUN, {'run': run})
    return run
