"""One cell of the benchmark `health`: what a method finds on one machine, learned from healthy recordings alone."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import threadpoolctl

from fdx.health.baseline import Baseline
from fdx.health.blocks import blocks_of
from fdx.health.learn import Settings
from fdx.health.operating import lay_out
from fdx.health.sample import Sample
from fdx.types import DataError

from .health_data import FALSE_UNTIL
from .health_methods import Method, chosen_detector, learned
from .health_rows import Rows, columns_of
from .health_scores import PROMISED, areas, auc_interval, detection, life, rates

# Blocks of healthy recordings that are left out of everything, one after the other.
FOLDS = 5
# The last part of a life, which the area under the curve compares with its healthy part.
END = 0.9


def measure(rows: Rows, method: Method, seed: int) -> dict[str, Any]:
    """What a method finds on a machine: a row of the page without its names.

    Args:
      rows: of the machine.
      method: features and detector.
      seed: of detectors that draw, and of the choice among them.

    Raises:
      DataError: the healthy recordings are too few.
    """
    began = time.process_time()
    with threadpoolctl.threadpool_limits(1, 'blas'):
        detector = chosen_detector(method, rows, seed)
        columns = rows.columns(method.features)
        features = [rows.features[i] for i in columns]
        healthy, tested = columns_of(rows.healthy, columns), columns_of(rows.tested, columns)
        settings = Settings(seed=seed)
        baseline = learned(healthy, features, detector, settings)
        if rows.fresh is not None:
            fresh = columns_of(rows.fresh, columns)
            held_out = Judged.by(baseline, fresh).p_values
        else:
            fresh = None
            # Ten times the work of everything else, so that it is done for one seed.
            held_out = held_out_p(healthy, features, detector, settings) if not seed else np.zeros(0)
        of_tested = _life(baseline, tested, rows) if len(rows.ages) else _faults(baseline, tested, rows, fresh)
    held_out = held_out[np.isfinite(held_out)]
    promise = rates(held_out) if len(held_out) else []
    measured = promise[-1]['measured'] if promise else None
    return {
        'chosen': detector,
        'baseline_units': len(baseline.held_out),
        'by_pieces': baseline.by_pieces,
        'promised_rate': PROMISED,
        'measured_rate': measured,
        'rates': promise,
        'unusable': len(rows.unusable),
        **of_tested,
        'cpu_s': round(time.process_time() - began, 2),
    }


def units_of(sample: Sample) -> Sample:
    """Each row as a recording of its own."""
    number = np.arange(len(sample))
    return dataclasses.replace(sample, recording=number, names=tuple(map(str, number)))


def held_out_p(healthy: Sample, features: list, detector: str, settings: Settings) -> np.ndarray:
    """p-values of healthy units by baselines that were learned without their block: float64 [U].

    Empty where what is left without a block is too little to learn from.
    """
    layout, kept = lay_out(healthy)
    healthy = healthy.rows(kept)
    block = blocks_of(healthy, layout)
    fold = block * FOLDS // (block.max() + 1)
    found = []
    for k in np.unique(fold):
        try:
            baseline = learned(healthy.rows(fold != k), features, detector, settings)
        except DataError:
            return np.zeros(0)
        mine = healthy.rows(fold == k)
        found.append(Judged.by(baseline, units_of(mine) if baseline.by_pieces else mine).p_values)
    return np.concatenate(found)


@dataclasses.dataclass(frozen=True)
class Judged:
    """What a baseline makes of a sample: as `Baseline.scored`, without the numbers that moved, which take the longest.

    Attributes:
      rows: float64 [N], scores of rows: the mean over the baseline's models.
      scores, p_values: float64 [R], of recordings; NaN outside the operating range.
    """

    rows: np.ndarray
    scores: np.ndarray
    p_values: np.ndarray

    @classmethod
    def by(cls, baseline: Baseline, sample: Sample) -> Judged:
        """Judges a sample."""
        rows = np.mean([model.scores(sample) for model in baseline.models], axis=0)
        state = baseline.layout.state_of(sample.speed_rpm, sample.load)
        scores = np.where(sample.per_recording(state) >= 0, sample.per_recording(rows), np.nan)
        p_values = np.full(len(scores), np.nan)
        known = np.isfinite(scores)
        p_values[known] = np.minimum(baseline.inflation * baseline.tail.p_values(scores[known]), 1.0)
        return cls(rows, scores, p_values)


def _faults(baseline: Baseline, tested: Sample, rows: Rows, fresh: Sample | None) -> dict[str, Any]:
    """Of faulty recordings: areas under curves and detections."""
    judged = Judged.by(baseline, tested)
    known = np.isfinite(judged.p_values)
    if fresh is not None:
        # Recordings against recordings.
        units, recording = judged.scores[known], np.arange(int(known.sum()))
        healthy = Judged.by(baseline, fresh).scores
        healthy = healthy[np.isfinite(healthy)]
        independent = len(healthy)
    else:
        inside = known[tested.recording]
        units, recording = judged.rows[inside], np.unique(tested.recording[inside], return_inverse=True)[1]
        healthy = baseline.held_out
        independent = len(np.unique(baseline.block)) if baseline.by_pieces else len(healthy)
    found = areas(healthy, units, recording)
    return {
        **found,
        'auc_interval': auc_interval(found['roc_auc'], independent, int(recording.max()) + 1),
        **detection(judged.p_values, rows.kinds),
        'lead_share': None,
    }


def _life(baseline: Baseline, tested: Sample, rows: Rows) -> dict[str, Any]:
    """Of a life after its beginning: alarms, lead, and the healthy part's false alarms."""
    judged = Judged.by(baseline, tested)
    scores, p_values = judged.scores, judged.p_values
    early, late = rows.ages <= FALSE_UNTIL, rows.ages > END
    found = life(baseline.rule.strengths(scores), rows.ages, baseline.alarm_limit, FALSE_UNTIL)
    number = np.arange(int(late.sum()))
    area = areas(scores[early], scores[late], number)
    return {
        **area,
        'auc_interval': auc_interval(area['roc_auc'], int(early.sum()), len(number)),
        **detection(p_values[late], ['last tenth'] * int(late.sum())),
        'later': rates(p_values[early]),
        'alarm_rate': baseline.rate,
        **found,
    }
