"""A baseline on disk: an explained JSON file and the arrays beside it, one pair per time that it was learned.

    pump7/baselines/0001.json            what was learned, from what, and what it promises
    pump7/baselines/0001.safetensors     the healthy rows and their held-out scores

Models are fitted anew from the rows when a baseline is loaded; there is no pickle. Older pairs are kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import re
import time
from typing import Any

import numpy as np
import safetensors.numpy
import sklearn

from fdx import __version__
from fdx.files import atomic_write_bytes, boundary, parse_json, write_json
from fdx.health.baseline import Baseline
from fdx.health.feature_plan import FEATURE_SETS, Feature, FeaturePlan, Network
from fdx.health.operating import Layout
from fdx.health.sample import Sample
from fdx.health.wish import Rule, Wish
from fdx.types import BearingGeometry, CheckpointError

FOLDER, FORMAT = 'baselines', 1
# So many rows are scored when a baseline is saved, and must give the same scores when it is loaded.
PROVED_ROWS, PROVED_TO = 5, 1e-6


@dataclasses.dataclass(frozen=True)
class Saved:
    """A baseline that lies in a workdir.

    Attributes:
      baseline: the baseline.
      number: 1 for the first that was learned there.
      recordings: text of the CollectionSpec by which recordings are read; '' for rows of the user's own.
      path: of the JSON file.
      made_at: when it was learned, in seconds since 1970.
    """

    baseline: Baseline
    number: int
    recordings: str
    path: pathlib.Path
    made_at: float


def numbers_of(workdir: str | os.PathLike) -> list[int]:
    """Numbers of the baselines in a workdir, ascending; [] where there is none."""
    folder = pathlib.Path(workdir) / FOLDER
    names = os.listdir(folder) if folder.is_dir() else []
    return sorted(int(m[1]) for m in (re.fullmatch(r'(\d{4,})\.json', name) for name in names) if m)


def save_baseline(workdir: str | os.PathLike, baseline: Baseline, recordings: str = '') -> Saved:
    """Writes a baseline under the next number; the caller holds the workdir's lock.

    The JSON file is written last, so that a killed program leaves no baseline, or a whole one.

    Raises:
      FileWriteError: the folder cannot be written.
    """
    number = max(numbers_of(workdir), default=0) + 1
    path = pathlib.Path(workdir) / FOLDER / f'{number:04d}.json'
    sample, layout = baseline.sample, baseline.layout
    arrays = {
        'values': sample.values,
        'speed_rpm': sample.speed_rpm,
        'load': sample.load,
        'recording': sample.recording.astype(np.int64),
        'block': baseline.block.astype(np.int64),
        'held_out': baseline.held_out,
        'held_out_rises': baseline.held_out_rises,
        'layout/speeds_rpm': layout.speeds_rpm,
        'layout/loads': layout.loads,
        'proof': _proof(baseline),
    }
    content = safetensors.numpy.save({k: np.ascontiguousarray(v) for k, v in arrays.items()})
    atomic_write_bytes(path.with_suffix('.safetensors'), content)
    made_at = time.time()
    write_json(
        path, {**_described(baseline, number, made_at, recordings), 'sha256': hashlib.sha256(content).hexdigest()}
    )
    return Saved(baseline, number, recordings, path, made_at)


def _proof(baseline: Baseline) -> np.ndarray:
    rows = baseline.sample.rows(np.arange(min(PROVED_ROWS, len(baseline.sample))))
    return np.mean([model.scores(rows) for model in baseline.models], axis=0)


def _described(baseline: Baseline, number: int, made_at: float, recordings: str) -> dict[str, Any]:
    plan = None if baseline.plan is None else dataclasses.asdict(baseline.plan)
    return {
        'format': FORMAT,
        'what': 'the normal state of a machine, learned from healthy recordings by fdx baseline',
        'number': number,
        'made_at': made_at,
        'made': time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(made_at)),
        'versions': {'fdx': __version__, 'scikit-learn': sklearn.__version__, 'numpy': np.__version__},
        'plan': plan,
        'sets': {s: FEATURE_SETS.get(s, '') for s in dict.fromkeys(f.set for f in baseline.features)},
        'features': [[f.set, f.channel, f.what] for f in baseline.features],
        'operating': {'kind': baseline.layout.kind, 'words': baseline.layout.words()},
        'detector': baseline.detector,
        'seed': baseline.seed,
        'units': 'pieces' if baseline.by_pieces else 'recordings',
        'wish': dataclasses.asdict(baseline.wish),
        'alarm_after': str(baseline.rule),
        'promised_rate': baseline.rate,
        'inflation': baseline.inflation,
        'promised': baseline.promise,
        'alarm_on': 'worse' if baseline.asks_worse else 'unusual',
        'rise_inflation': baseline.rise_inflation,
        'limits': {'alarm': baseline.alarm_limit, 'watch': baseline.watch_limit, 'rise': _or_none(baseline.rise_limit)},
        'about': baseline.about,
        'recordings': recordings,
        'names': list(baseline.sample.names),
    }


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def load_baseline(workdir: str | os.PathLike, number: int | None = None) -> Saved:
    """Reads a baseline.

    Args:
      workdir: as `fdx baseline` wrote it.
      number: of the baseline; None: the newest.

    Raises:
      CheckpointError: there is none, it is damaged, or this version of scikit-learn scores otherwise.
    """
    numbers = numbers_of(workdir)
    if not numbers or (number is not None and number not in numbers):
        what = 'no baseline' if number is None else f'no baseline {number} (there are {numbers})'
        raise CheckpointError(
            f'{workdir} holds {what}: learn one with fdx baseline --recordings=FOLDER --workdir={workdir}'
        )
    path = pathlib.Path(workdir) / FOLDER / f'{number or numbers[-1]:04d}.json'
    remedy = 'restore the file, or learn the baseline again'
    with boundary('cannot read', path, remedy, CheckpointError):
        said = parse_json(path.read_bytes())
        content = path.with_suffix('.safetensors').read_bytes()
        if said['format'] != FORMAT:
            raise CheckpointError(f'{path} has format {said["format"]}, this fdx reads {FORMAT}: update fdx')
        if hashlib.sha256(content).hexdigest() != said['sha256']:
            raise CheckpointError(f'{path.with_suffix(".safetensors")} is damaged (its SHA-256 differs); {remedy}')
        arrays = safetensors.numpy.load(content)
        baseline = _baseline(said, arrays)
    if not np.allclose(_proof(baseline), arrays['proof'], rtol=PROVED_TO, atol=1e-9):
        versions = said['versions']
        raise CheckpointError(
            f'{path} was learned with scikit-learn {versions["scikit-learn"]}; {sklearn.__version__} scores the same '
            'rows otherwise: learn the baseline again'
        )
    return Saved(baseline, int(said['number']), str(said['recordings']), path, float(said['made_at']))


def _baseline(said: dict[str, Any], arrays: dict[str, np.ndarray]) -> Baseline:
    sample = Sample(
        arrays['values'], arrays['speed_rpm'], arrays['load'], arrays['recording'], tuple(said['names'])
    )  # fmt: skip
    return Baseline(
        features=tuple(Feature(*f) for f in said['features']),
        sample=sample,
        layout=Layout(said['operating']['kind'], arrays['layout/speeds_rpm'], arrays['layout/loads']),
        detector=said['detector'],
        block=arrays['block'],
        held_out=arrays['held_out'],
        by_pieces=said['units'] == 'pieces',
        wish=Wish(**said['wish']),
        rule=Rule.parse(said['alarm_after']),
        rate=float(said['promised_rate']),
        inflation=float(said['inflation']),
        plan=_plan(said['plan']),
        seed=int(said['seed']),
        about=said['about'],
        # Baselines of before rises were asked have none.
        held_out_rises=arrays.get('held_out_rises', np.zeros(0)),
        rise_inflation=float(said.get('rise_inflation', 1.0)),
    )


def _plan(said: dict[str, Any] | None) -> FeaturePlan | None:
    if said is None:
        return None
    geometry = None if said['geometry'] is None else BearingGeometry(**said['geometry'])
    network = Network(**said['network']) if said.get('network') else None
    return FeaturePlan(
        tuple(said['sets']), tuple(said['channels']), said['frame_s'], said['top_hz'], geometry, said['piece_s'],
        network, said.get('judge', ''),
    )  # fmt: skip
