"""Finds recordings among healthy ones that are not like the others: faults, wrong files, a loose sensor."""

from __future__ import annotations

import numpy as np

from fdx.health.feature_plan import Feature
from fdx.health.normal_model import groups_of, scatter
from fdx.health.operating import LAW, Layout, fit_centre, lay_out
from fdx.health.sample import Sample
from fdx.types import DataError

# The half of the rows that agree best decides what is usual, in so many steps.
KEPT_SHARE, STEPS = 0.6, 10
# A recording is odd when the logarithm of its distance lies so many robust standard deviations above the middle and the
# distance is at least so many times the usual one; or when it is so many times the usual one in any case. Among healthy
# recordings (Gaussian ones of 3 to 200 numbers, and the first third of PRONOSTIA's lives) the farthest lies 2 to 3.6
# times as far as is usual.
FAR, LEAST_TIMES, CERTAIN_TIMES = 5.0, 3.0, 4.0
# More odd ones than this share are no contamination: the machine has two states that the names do not tell.
MOST_ODD = 0.1
# Among fewer nobody can say which one is odd.
FEWEST = 3


def odd_recordings(sample: Sample, layout: Layout, groups: np.ndarray) -> np.ndarray:
    """How many times farther each recording lies from the middle than is usual, 0 for those that are not odd.

    A fit to the rows that agree best, found by concentration steps (Rousseeuw and Van Driessen, "A fast algorithm for
    the minimum covariance determinant estimator", Technometrics 41:212-223, 1999), with a scale per number in place of
    the covariance, for which there are too few rows.

    Args:
      sample: rows that are said to be healthy.
      layout: the operating states.
      groups: int [D], which numbers have a usual scatter in common.

    Returns:
      float64 [R].
    """
    far = sample.per_recording(_distances(sample, layout, groups))
    log = np.log(np.maximum(far, np.finfo(float).tiny))
    middle = np.median(log)
    # Of the nearer half, in which the odd ones are not.
    spread = 1.4826 * np.median(middle - log[log <= middle])
    times = np.exp(log - middle)
    limit = np.clip(np.exp(FAR * spread), LEAST_TIMES, CERTAIN_TIMES)
    return np.where(times > limit, times, 0.0)


def _distances(sample: Sample, layout: Layout, groups: np.ndarray) -> np.ndarray:
    """Root mean square over the numbers of the deviations from a robust fit: float64 [N]."""
    centre = _middles(sample, layout)
    rest = sample.values - centre
    scale = np.maximum(1.4826 * np.median(np.abs(rest), axis=0), 1e-9)
    far = np.sqrt(np.mean(np.clip(rest / scale, -20, 20) ** 2, axis=1))
    for _ in range(STEPS):
        kept = _closest(sample, layout, far)
        some = sample.rows(kept)
        fitted = fit_centre(layout, some)
        scale = scatter(some.values - fitted.of(some), fitted.parameters, groups)
        before, far = far, np.sqrt(np.mean(((sample.values - fitted.of(sample)) / scale) ** 2, axis=1))
        if np.array_equal(kept, _closest(sample, layout, far)) and np.allclose(before, far):
            break
    return far


def _middles(sample: Sample, layout: Layout) -> np.ndarray:
    """Medians of the states; for a law, its least squares, as there are no groups to take a median of."""
    if layout.kind == LAW:
        return fit_centre(layout, sample).of(sample)
    state = layout.state_of(sample.speed_rpm, sample.load)
    centre = np.empty_like(sample.values)
    for s in np.unique(state):
        centre[state == s] = np.median(sample.values[state == s], axis=0)
    return centre


def _closest(sample: Sample, layout: Layout, far: np.ndarray) -> np.ndarray:
    """The KEPT_SHARE of each state, bool [N], with the smallest distances."""
    state = layout.state_of(sample.speed_rpm, sample.load)
    kept = np.zeros(len(far), bool)
    for s in np.unique(state):
        mine = np.flatnonzero(state == s)
        count = max(2, int(np.ceil(KEPT_SHARE * len(mine))))
        kept[mine[np.argsort(far[mine], kind='stable')[:count]]] = True
    return kept


def check_contamination(sample: Sample, odd: np.ndarray) -> None:
    """Refuses a sample of which too many recordings are odd.

    Raises:
      DataError: names them, the farthest first.
    """
    count = int((odd > 0).sum())
    if count <= MOST_ODD * len(odd):
        return
    worst = [f'{sample.names[i]} ({odd[i]:.1f} times)' for i in np.argsort(-odd)[: min(count, 6)]]
    raise DataError(
        f'{count} of {len(odd)} recordings lie much farther from the others than usual: {", ".join(worst)}'
        f'{" ..." if count > 6 else ""}. Healthy recordings of one machine agree better: take the faulty ones away, '
        'name the operating states (`speed_rpm` and `load` by `pattern` or a manifest), or accept all with `keep_odd`'
    )


def without_odd(sample: Sample, features: tuple[Feature, ...]) -> tuple[Sample, list[tuple[str, str]]]:
    """A sample without recordings that are not like the others, and (name, why) of these.

    Args:
      sample: rows that are said to be healthy.
      features: what the D numbers are.

    Raises:
      DataError: they are too many, or the operating states are too many for the recordings.
    """
    if len(sample.names) < FEWEST:
        return sample, []
    layout, inside = lay_out(sample)
    some = sample.rows(inside)
    odd = odd_recordings(some, layout, groups_of(features))
    check_contamination(some, odd)
    times = {some.names[i]: odd[i] for i in np.flatnonzero(odd)}
    gone = np.array([name in times for name in sample.names])
    why = [(n, f'it lies {t:.1f} times farther from the others than is usual: a fault?') for n, t in times.items()]
    return sample.rows(~gone[sample.recording]), why
