"""Chooses a detector without labels: by faults that are put into healthy recordings, and by how stable it is."""

from __future__ import annotations

import concurrent.futures
import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.data.processes import cores
from fdx.health.blocks import blocks_of
from fdx.health.detectors import DETECTORS
from fdx.health.feature_plan import FeaturePlan
from fdx.health.features import features_of
from fdx.health.folds import fold_models, held_out_rows
from fdx.health.operating import Layout
from fdx.health.promise import check_rates
from fdx.health.pseudo_faults import KINDS, with_fault
from fdx.health.sample import Sample
from fdx.health.tail import Tail
from fdx.types import FdxError, Recording

# So many recordings get faults, evenly over time.
RECORDINGS = 6
# Strong faults must be beyond a limit, too: a detector whose scores end somewhere may sort well and never alarm.
DETECTED_AT = 0.01
# Detectors that differ by less are equally good (the standard error of a share of some fifty rows): the first of
# DETECTORS is taken.
TIE = 0.05


@dataclasses.dataclass(frozen=True)
class Judged:
    """What is known of a detector without labels.

    Attributes:
      detector: its name.
      roc_auc: mean area under the curve of held-out healthy rows against rows with faults put in, over kinds and
        strengths.
      of_kind: the same per kind.
      detected: share of the rows with faults that lie beyond the limit for one false alarm in DETECTED_AT.
      stable: whether its false alarms on held-out blocks agree with what is promised.
    """

    detector: str
    roc_auc: float
    of_kind: dict[str, float]
    detected: float
    stable: bool


@dataclasses.dataclass(frozen=True)
class Faulty:
    """Rows with faults put in.

    Attributes:
      sample: the rows.
      kind: the kind of each row's fault.
      origin: int64 [M], the row of the healthy sample that each was made of.
    """

    sample: Sample
    kind: tuple[str, ...]
    origin: np.ndarray


def faulty_rows(recordings: Sequence[Recording], sample: Sample, plan: FeaturePlan, seed: int = 0) -> Faulty:
    """Puts every kind and strength of fault into recordings.

    Args:
      recordings: healthy ones, which are among those of `sample`.
      sample: the healthy rows.
      plan: how recordings become rows.
      seed: of phases, resonances and slip.
    """
    known = [r for r in recordings if r.recording in sample.names]
    wanted = [(r, kind, strength) for r in known for kind, strengths in KINDS.items() for strength in strengths]

    def made(number: int) -> np.ndarray | None:
        recording, kind, strength = wanted[number]
        rng = np.random.default_rng([seed, number])
        try:
            return features_of(with_fault(recording, kind, strength, rng, plan.geometry), plan)
        except FdxError:
            return None

    rows, kinds, origins = [], [], []
    with concurrent.futures.ThreadPoolExecutor(cores()) as pool:
        for (recording, kind, _), found in zip(wanted, pool.map(made, range(len(wanted)))):
            if found is None:
                continue
            mine = np.flatnonzero(sample.recording == sample.names.index(recording.recording))
            count = min(len(found), len(mine))
            rows.append(found[:count])
            kinds += [kind] * count
            origins.append(mine[:count])
    origin = np.concatenate(origins) if origins else np.zeros(0, np.int64)
    values = np.concatenate(rows) if rows else np.zeros((0, sample.values.shape[1]))
    number = np.arange(len(values))
    faulty = Sample(
        values, sample.speed_rpm[origin], sample.load[origin], number, tuple(map(str, number))
    )  # fmt: skip
    return Faulty(faulty, tuple(kinds), origin)


def judged(sample: Sample, layout: Layout, faulty: Faulty, features: tuple, seed: int = 0) -> list[Judged]:
    """All detectors, in the order of DETECTORS."""
    block = blocks_of(sample, layout)
    return [_judged(name, sample, layout, faulty, block, features, seed) for name in DETECTORS]


def best(found: Sequence[Judged]) -> str:
    """The detector that tells faults best among the stable ones; among all where none is stable."""
    stable = [j for j in found if j.stable] or list(found)
    worth = [(j.roc_auc + j.detected) / 2 for j in stable]
    return next(j.detector for j, w in zip(stable, worth) if w >= max(worth) - TIE)


def _judged(
    name: str, sample: Sample, layout: Layout, faulty: Faulty, block: np.ndarray, features: tuple, seed: int
) -> Judged:
    models = fold_models(sample, layout, name, block, features, seed)
    healthy = held_out_rows(models, sample, block)
    scores = held_out_rows(models, faulty.sample, block[faulty.origin])
    kinds = np.array(faulty.kind)
    of_kind = {kind: _roc_auc(healthy, scores[kinds == kind]) for kind in KINDS if (kinds == kind).any()}
    checks = check_rates(healthy, block)
    tail = Tail.of(healthy)
    p_values = tail.p_values(scores)
    return Judged(
        name,
        float(np.mean(list(of_kind.values()))) if of_kind else 0.5,
        of_kind,
        float((p_values <= max(DETECTED_AT, tail.least_rate)).mean()) if len(scores) else 0.0,
        all(check['holds'] for check in checks),
    )


def _roc_auc(healthy: np.ndarray, faulty: np.ndarray) -> float:
    """Share of pairs in which the faulty row scores higher; ties count half."""
    return float(np.mean((faulty[:, None] > healthy) + 0.5 * (faulty[:, None] == healthy)))
