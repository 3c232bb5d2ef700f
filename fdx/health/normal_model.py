"""A machine in good order as a model: what its state makes of each number, how far that scatters, and a detector."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.health.detectors import DETECTORS, Scores
from fdx.health.feature_plan import Feature
from fdx.health.operating import Centre, Layout, fit_centre
from fdx.health.rise import fit_rise, rising_parts
from fdx.health.sample import Sample

# The scatter of a number counts as if so many more rows had the scatter that is usual in its set.
PRIOR_ROWS = 4.0
# And is never below this share of it, or this (numbers are decibels or nepers): one that was always the same may change
# a little.
LEAST_SHARE, LEAST = 0.1, 1e-6


@dataclasses.dataclass(frozen=True)
class NormalModel:
    """A fitted model.

    Attributes:
      centre: the expected row by operating state.
      scale: float64 [D], healthy standard deviations.
      detector: scores of standardised rows.
      rise: how far standardised rows have risen as damage rises; None where no number has a direction that is worse.
    """

    centre: Centre
    scale: np.ndarray
    detector: Scores
    rise: Scores | None = None

    def deviations(self, sample: Sample) -> np.ndarray:
        """How far each number lies from what is expected, in healthy standard deviations: float64 [N, D]."""
        return (sample.values - self.centre.of(sample)) / self.scale

    def scores(self, sample: Sample) -> np.ndarray:
        """How unusual each row is: float64 [N]; the higher, the more unusual."""
        return np.asarray(self.detector(self.deviations(sample)), np.float64)

    def rises(self, sample: Sample) -> np.ndarray:
        """How far each row has risen as damage rises: float64 [N]; infinity where no number can tell."""
        if self.rise is None:
            return np.full(len(sample), np.inf)
        return np.asarray(self.rise(self.deviations(sample)), np.float64)


def fit_normal(
    sample: Sample, layout: Layout, detector: str, *, features: Sequence[Feature] = (), seed: int = 0
) -> NormalModel:
    """Fits a model to healthy rows.

    Args:
      sample: N rows.
      layout: the operating states.
      detector: a name of DETECTORS.
      features: what the D numbers are: those of a set have a usual scatter in common, and some rise with damage; ():
        all are of one set.
      seed: of detectors that draw at random.
    """
    centre = fit_centre(layout, sample)
    rest = sample.values - centre.of(sample)
    scale = scatter(rest, centre.parameters, groups_of(features) if features else None)
    parts = rising_parts(features)
    rise = fit_rise(rest / scale, parts) if parts else None
    return NormalModel(centre, scale, DETECTORS[detector](rest / scale, seed), rise)


def scatter(rest: np.ndarray, parameters: int, groups: np.ndarray | None = None) -> np.ndarray:
    """Standard deviations of columns [N, D], moderated towards the usual one of their group: float64 [D].

    With few rows some columns seem to scatter very little by chance, and would call everything unusual. The variance
    is a mean of the column's own and the group's median, as by PRIOR_ROWS more rows (after Smyth, "Linear models and
    empirical Bayes methods for assessing differential expression", Stat. Appl. Genet. Mol. Biol. 3(1), 2004).
    """
    freedom = max(len(rest) - parameters, 1)
    variance = (rest**2).sum(axis=0) / freedom
    usual = np.empty_like(variance)
    groups = np.zeros(len(variance), int) if groups is None else groups
    for group in np.unique(groups):
        usual[groups == group] = np.median(variance[groups == group])
    moderated = (freedom * variance + PRIOR_ROWS * usual) / (freedom + PRIOR_ROWS)
    return np.sqrt(np.maximum(moderated, np.maximum(LEAST_SHARE**2 * usual, LEAST**2)))


def groups_of(features: Sequence[Feature]) -> np.ndarray:
    """Numbers of the sets that the features belong to: int64 [D]."""
    names = [f.set for f in features]
    return np.unique(names, return_inverse=True)[1] if names else np.zeros(0, np.int64)
