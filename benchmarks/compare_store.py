"""What a comparison keeps of a scored run, so that the next call neither trains nor scores it again.

Beside the checkpoints of the run's workdir:

    predictions.npz    the scored test windows
    score.json         written last: which checkpoint was scored, what it says about itself, the whole history
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib

from fdx.evaluate.predictions import Predictions, load_predictions, save_predictions
from fdx.files import write_json
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.manifest import MANIFEST
from fdx.types import DataError

FACTS = ('history', 'meta', 'rules', 'leaks', 'leak_share', 'leak_reason')


@dataclasses.dataclass(frozen=True, eq=False)
class Stored:
    """A scored run.

    Attributes:
      predictions: of the test windows, by the step that selection chose.
      history: one row per epoch, all epochs.
      meta: what the scored checkpoint says about itself, without its history.
      rules: SHA-256 of the file of freezing rules; None for a preset.
      leaks: as in fdx.evaluate.scoring.Scored; likewise leak_share and leak_reason.
    """

    predictions: Predictions
    history: list[dict]
    meta: dict
    rules: str | None
    leaks: bool
    leak_share: float
    leak_reason: str


def write_score(workdir: pathlib.Path, stored: Stored) -> None:
    """Writes predictions.npz, then score.json."""
    save_predictions(workdir / 'predictions.npz', stored.predictions)
    facts = {k: getattr(stored, k) for k in FACTS}
    write_json(workdir / 'score.json', {'checkpoint': _fingerprint(workdir, stored.meta['step']), **facts})


def read_score(workdir: pathlib.Path) -> dict | None:
    """FACTS of a workdir; None where none are, or where the scored checkpoint is another or gone."""
    try:
        score = json.loads((workdir / 'score.json').read_text())
        facts = {k: score[k] for k in FACTS}
        fingerprint = _fingerprint(workdir, facts['meta']['step'])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # Not written by this program: the run is scored again.
    return facts if fingerprint is not None and score['checkpoint'] == fingerprint else None


def read_stored(workdir: pathlib.Path) -> Stored | None:
    """Inverse of `write_score`; None as for `read_score`, and where the predictions cannot be read."""
    facts = read_score(workdir)
    if facts is None:
        return None
    try:
        return Stored(predictions=load_predictions(workdir / 'predictions.npz'), **facts)
    except DataError:
        return None


def rules_digest(config: TrainConfig) -> str | None:
    """SHA-256 of the file of freezing rules; None for a preset."""
    path = pathlib.Path(config.freeze)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def keep_only(workdir: pathlib.Path, step: int) -> None:
    """Removes every checkpoint but that of `step`."""
    Checkpoints(workdir).keep_only(step)


def _step_folder(workdir: pathlib.Path, step: int) -> pathlib.Path:
    return workdir / 'checkpoints' / str(step)


def _fingerprint(workdir: pathlib.Path, step: int) -> str | None:
    """SHA-256 of a step's manifest, which holds those of its files; None where the step is gone."""
    manifest = _step_folder(workdir, step) / MANIFEST
    return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else None
