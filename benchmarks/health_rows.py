"""Recordings of a machine as rows of all feature sets, made once for every method of the benchmark `health`."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import pathlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import threadpoolctl

from fdx.health.choice import RECORDINGS, Faulty, faulty_rows
from fdx.health.feature_plan import Feature, FeaturePlan, plan_features
from fdx.health.features import features_of
from fdx.health.sample import Sample
from fdx.types import DataError, Recording

from .health_data import Machine, Material

# Columns that a method reads -> words for the page. `default`: what `fdx baseline` takes of its own accord.
FEATURES: Mapping[str, str] = MappingProxyType(
    {
        'default': 'third octaves and impulsiveness of octaves; where speed, bearing and length allow it, also shaft '
        'and fault orders (what `fdx baseline` takes)',
        'level_free': 'the same without anything that a changed gain or unit moves: shapes of spectra, impulsiveness, '
        'fault orders where possible',
        'log_mel': 'means of 32 log-mel bands',
        'rms': 'the root mean square of each channel',
        'kurtosis': 'the kurtosis of each channel',
    }
)
EVERY = ('levels', 'shape', 'log_mel')


@dataclasses.dataclass(frozen=True)
class Rows:
    """A machine's recordings as rows of all feature sets.

    Attributes:
      features: what the columns are.
      default: names of the sets that `fdx baseline` would take.
      healthy: of the recordings that a baseline is learned from.
      tested: of the others; kinds and ages: one per recording, see `Material`.
      fresh: of healthy recordings that are judged; None where there are none.
      faulty: rows with faults put in, for the label-free choice of a detector.
      unusable: of recordings that became no row.
      by_pieces: whether pieces stand for recordings.
    """

    features: tuple[Feature, ...]
    default: tuple[str, ...]
    healthy: Sample
    tested: Sample
    kinds: tuple[str, ...]
    ages: np.ndarray
    fresh: Sample | None
    faulty: Faulty
    unusable: tuple[str, ...]
    by_pieces: bool

    def columns(self, name: str) -> np.ndarray:
        """Numbers of the columns that a name of FEATURES reads, int64 [D]."""
        if name in ('rms', 'kurtosis'):
            chosen = [f.set == 'levels' and f.what == name for f in self.features]
        elif name == 'level_free':
            sets = ('shape', 'impacts', 'orders')
            chosen = [f.set in sets for f in self.features]
        else:
            sets = self.default if name == 'default' else (name,)
            chosen = [f.set in sets for f in self.features]
        return np.flatnonzero(chosen)

    def digest(self) -> str:
        """Of all numbers, so that cells are measured again when recordings or features have changed."""
        found = hashlib.sha256(repr((self.kinds, self.default)).encode())
        for sample in (self.healthy, self.tested, self.faulty.sample, *([self.fresh] if self.fresh else [])):
            for values in (sample.values, sample.speed_rpm, sample.load):
                found.update(np.round(values, 6).tobytes())
        return found.hexdigest()[:16]


def columns_of(sample: Sample, columns: np.ndarray) -> Sample:
    """A sample with some of its columns."""
    return dataclasses.replace(sample, values=sample.values[:, columns])


def plan_of(material: Material, piece_s: float | None) -> tuple[FeaturePlan, tuple[str, ...]]:
    """A plan with every feature set that is possible, and the sets that `fdx baseline` would take.

    The band ends where that of the recording with the lowest rate does, healthy or not: else the rate would tell.
    """
    everyone = (*material.healthy, *material.tested, *material.fresh)
    first = material.healthy[0]
    geometries = {r.geometry for r in material.healthy}
    speeds = [r.speed_rpm for r in everyone]
    known = {
        'shortest_s': min(r.duration_s for r in everyone),
        'lowest_rate_hz': min(r.sample_rate_hz for r in everyone),
        'channels': first.channel_names or tuple(map(str, range(first.samples.shape[1]))),
        'slowest_rpm': min(speeds) if all(map(math.isfinite, speeds)) else math.nan,
        'geometry': first.geometry if len(geometries) == 1 else None,
        'piece_s': piece_s,
    }
    default = plan_features(**known).sets
    return plan_features(**known, sets=(*EVERY, *default)), default


def rows_of(machine: Machine, folder: str | pathlib.Path, seed: int) -> Rows:
    """Reads a machine's recordings and makes their rows.

    Args:
      machine: one of MACHINES.
      folder: of raw recordings.
      seed: of simulated recordings, and of faults put in.

    Raises:
      DataError: the recordings are not there, or too few are usable.
    """
    with threadpoolctl.threadpool_limits(1, 'blas'):
        material = machine.read(pathlib.Path(folder), seed)
        plan, default = plan_of(material, machine.piece_s)
        unusable: list[str] = []
        healthy, _ = _sample(material.healthy, plan, unusable)
        tested, kept = _sample(material.tested, plan, unusable)
        fresh = _sample(material.fresh, plan, unusable)[0] if material.fresh else None
        if healthy is None or tested is None:
            raise DataError('no recording of it can be used')
        some = np.unique(np.linspace(0, len(material.healthy) - 1, RECORDINGS).round().astype(int))
        faulty = faulty_rows([material.healthy[i] for i in some], healthy, plan, seed)
    kinds = tuple(kind for kind, usable in zip(material.kinds, kept) if usable)
    ages = material.ages[kept] if len(material.ages) else material.ages
    by_pieces = machine.piece_s is not None
    return Rows(
        tuple(plan.features()), default, healthy, tested, kinds, ages, fresh, faulty, tuple(unusable), by_pieces
    )


def _sample(
    recordings: Sequence[Recording], plan: FeaturePlan, unusable: list[str]
) -> tuple[Sample | None, np.ndarray]:
    """The rows, and which recordings were usable (bool); names and reasons of the others go into `unusable`."""
    rows, kept = [], []
    for recording in recordings:
        try:
            rows.append(features_of(recording, plan))
        except DataError as e:
            unusable.append(f'{recording.recording}: {e}')
            kept.append(False)
        else:
            kept.append(True)
    used = [r for r, usable in zip(recordings, kept) if usable]
    if not used:
        return None, np.array(kept)
    names = [r.recording for r in used]
    return Sample.of(rows, names, [r.speed_rpm for r in used], [r.load for r in used]), np.array(kept)
