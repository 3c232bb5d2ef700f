"""One cell of the benchmark `health`: what a method finds on one machine, learned from healthy recordings alone."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import threadpoolctl

from fdx.health.baseline import Baseline
from fdx.health.blocks import blocks_of
from fdx.health.learn import UNUSUAL, WORSE, Settings
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
        settings = Settings(seed=seed, alarm_on=method.alarm_on)
        baseline = learned(healthy, features, detector, settings)
        if rows.fresh is not None:
            fresh = columns_of(rows.fresh, columns)
            held_out = np.stack([getattr(Judged.by(baseline, fresh), name) for name in ('p_values', 'rise_p')])
        else:
            fresh = None
            # Ten times the work of everything else, so that it is done for one seed.
            asked = dataclasses.replace(settings, alarm_on=WORSE if baseline.asks_worse else UNUSUAL)
            held_out = held_out_p(healthy, features, detector, asked) if not seed else np.zeros((2, 0))
        of_tested = _life(baseline, tested, rows) if len(rows.ages) else _faults(baseline, tested, rows, fresh)
    held_out = held_out[:, np.isfinite(held_out[0])]
    promise = rates(held_out[0]) if held_out.size else []
    measured = promise[-1]['measured'] if promise else None
    return {
        'chosen': detector,
        'baseline_units': len(baseline.held_out),
        'by_pieces': baseline.by_pieces,
        'promised_rate': PROMISED,
        'measured_rate': measured,
        'rates': promise,
        'rise_rates': rates(held_out[1]) if held_out.size and baseline.asks_worse else [],
        'unusable': len(rows.unusable),
        **of_tested,
        'cpu_s': round(time.process_time() - began, 2),
    }


def units_of(sample: Sample) -> Sample:
    """Each row as a recording of its own."""
    number = np.arange(len(sample))
    return dataclasses.replace(sample, recording=number, names=tuple(map(str, number)))


def held_out_p(healthy: Sample, features: list, detector: str, settings: Settings) -> np.ndarray:
    """p-values of healthy units and of their rises, by baselines that were learned without their block: float64 [2, U].

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
            return np.zeros((2, 0))
        mine = healthy.rows(fold == k)
        judged = Judged.by(baseline, units_of(mine) if baseline.by_pieces else mine)
        found.append(np.stack([judged.p_values, judged.rise_p]))
    return np.concatenate(found, axis=1)


@dataclasses.dataclass(frozen=True)
class Judged:
    """What a baseline makes of a sample: as `Baseline.scored`, without the numbers that moved, which take the longest.

    Attributes:
      rows: float64 [N], scores of rows: the mean over the baseline's models.
      scores, p_values: float64 [R], of recordings; NaN outside the operating range.
      rises, rise_p: float64 [R], likewise; infinity and 0 where the baseline does not ask how far they have risen.
    """

    rows: np.ndarray
    scores: np.ndarray
    p_values: np.ndarray
    rises: np.ndarray
    rise_p: np.ndarray

    @classmethod
    def by(cls, baseline: Baseline, sample: Sample) -> Judged:
        """Judges a sample."""
        rows = np.mean([model.scores(sample) for model in baseline.models], axis=0)
        inside = sample.per_recording(baseline.layout.state_of(sample.speed_rpm, sample.load)) >= 0
        found = (*baseline.unusual(sample), *baseline.risen(sample))
        return cls(rows, *(np.where(inside, values, np.nan) for values in found))

    @property
    def alarm_p(self) -> np.ndarray:
        """float64 [R]: an alarm takes recordings that are unusual and have risen."""
        return np.maximum(self.p_values, self.rise_p)


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
    worse = detection(judged.alarm_p, rows.kinds)
    return {
        **found,
        'auc_interval': auc_interval(found['roc_auc'], independent, int(recording.max()) + 1),
        **detection(judged.p_values, rows.kinds),
        'worse': worse['detected'],
        'worse_by_kind': worse['by_kind'],
        'lead_share': None,
    }


def _life(baseline: Baseline, tested: Sample, rows: Rows) -> dict[str, Any]:
    """Of a life after its beginning: alarms, lead, and the healthy part's false alarms."""
    judged = Judged.by(baseline, tested)
    scores, p_values = judged.scores, judged.p_values
    early, late = rows.ages <= FALSE_UNTIL, rows.ages > END
    beyond = baseline.beyond(scores, judged.rises).astype(float)
    # How improbable each recording is for an alarm, on one scale for both of its conditions.
    strengths = baseline.rule.strengths(-np.log(judged.alarm_p))
    found = life(baseline.rule.strengths(beyond) > 0, strengths, rows.ages, FALSE_UNTIL)
    number = np.arange(int(late.sum()))
    area = areas(scores[early], scores[late], number)
    return {
        **area,
        'auc_interval': auc_interval(area['roc_auc'], int(early.sum()), len(number)),
        **detection(p_values[late], ['last tenth'] * int(late.sum())),
        'later': rates(p_values[early]),
        'later_risen': rates(judged.rise_p[early]) if baseline.asks_worse else [],
        'alarm_rate': baseline.rate,
        'drift': baseline.about.get('drift'),
        **found,
    }
