"""Kinds of runs, and whether two descriptions are of the same run: the one check before a run goes on in a workdir."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from fdx.train.config import TrainConfig
from fdx.types import CheckpointError

Meta = Mapping[str, Any]
# Of each kind, the key of `meta` that no other kind has, and the kind in words. A classifier is what has neither.
GENERATOR, ADAPTATION, PROBE, CLASSIFIER = 'generator', 'adaptation', 'probe', 'run'
WORDS = {
    GENERATOR: 'a generator of launch.synthesize',
    ADAPTATION: 'a run of domain adaptation',
    PROBE: 'a linear head of launch.probe',
    CLASSIFIER: 'a classifier, trained without adaptation',
}


@dataclasses.dataclass(frozen=True)
class Sameness:
    """What makes two runs of a kind the same one.

    Attributes:
      kind: GENERATOR, ADAPTATION or CLASSIFIER; no run goes on from a PROBE.
      settings: keys of `meta` that hold settings -> a function that fills in what an older fdx did not store.
      may_differ: settings that a run may change when it goes on.
      must_agree: keys of `meta` that follow from the settings and the data.
    """

    kind: str
    settings: Mapping[str, Callable[[dict], dict]]
    may_differ: tuple[str, ...]
    must_agree: tuple[str, ...]


def complete_config(stored: dict) -> dict:
    """A stored TrainConfig with the defaults of the settings that it lacks."""
    return TrainConfig.from_json(stored).to_json()


SAME_CLASSIFIER = Sameness(
    CLASSIFIER,
    {'config': complete_config},
    ('epochs', 'cache_features', 'data_dir', 'parallel'),
    ('dataset', 'class_names', 'front_end', 'gain', 'splits', 'frozen_stages', 'trained_values'),
)


def kind_of(meta: Meta) -> str:
    """The kind of run that a checkpoint is of."""
    return next((kind for kind in (GENERATOR, ADAPTATION, PROBE) if kind in meta), CLASSIFIER)


def check_same(sameness: Sameness, stored: Meta, meta: Meta) -> None:
    """Compares the description in a workdir with that of the run which wants to go on there.

    Args:
      sameness: of the kind of run that wants to go on.
      stored: what the checkpoint in the workdir says about itself.
      meta: what the checkpoints of the run would say.

    Raises:
      CheckpointError: a run of another kind, other settings, or settings that stand for something else by now
        (another version of the dataset, other freezing rules); the text lists the differences.
    """
    if kind_of(stored) != sameness.kind:
        raise CheckpointError(
            f'the workdir holds {WORDS[kind_of(stored)]}, not {WORDS[sameness.kind]}: choose another `workdir`'
        )
    now, there = _as_stored(meta), dict(stored)
    differ = []
    for key, complete in sameness.settings.items():
        was = _as_stored(complete(there[key]))
        differ += _differences(was, now[key], [k for k in now[key] if k not in sameness.may_differ], '`{}`')
    if differ:
        raise CheckpointError(
            f'the workdir holds another {sameness.kind} ({"; ".join(differ)}): choose another `workdir`'
        )
    changed = _differences(there, now, sameness.must_agree, '{}')
    if changed:
        raise CheckpointError(
            f'the settings are those of the {sameness.kind} in the workdir, but the dataset or the freezing rules have '
            f'changed since ({"; ".join(changed)}): choose another `workdir`'
        )


def _as_stored(tree: Any) -> Any:
    """A tree as JSON gives it back: tuples are lists."""
    return json.loads(json.dumps(tree))


def _differences(there: Meta, now: Meta, keys, name: str) -> list[str]:
    return [f'{name.format(k)}: {there.get(k)!r} there, {now[k]!r} now' for k in keys if there.get(k) != now[k]]
