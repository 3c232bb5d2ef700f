"""From a score to a p-value: how often a machine in good order reads as unusual as this.

Within the range of the held-out healthy scores, the share of them that is as high counts (conformal p-values: Vovk,
Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005). Beyond it, excesses over a high threshold follow
a generalised Pareto law (Pickands, Annals of Statistics 3:119-131, 1975; Coles, "An Introduction to Statistical
Modeling of Extreme Values", 2001, chapter 4; Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory",
KDD 2017). A few excesses do not determine its shape, so the p-value is the mean over all shapes and scales, weighted by
how well they fit (the posterior predictive law; Coles, section 9.1.2).
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

# So many of the highest scores are excesses: a tenth, but at least and at most so many.
EXCESS_SHARE, FEWEST_EXCESSES, MOST_EXCESSES = 0.1, 10, 100
# Shapes that are possible, and how probable they are before data: around an exponential tail, to which those of
# Gaussian, chi and log-normal scores tend, as far from it as hydrology allows for floods (Martins and Stedinger,
# "Generalized maximum-likelihood generalized extreme-value quantile estimators", Water Resources Research 36:737-744,
# 2000: standard deviation 0.12).
SHAPES = np.linspace(-0.4, 0.5, 46)
SHAPE_MEAN, SHAPE_SPREAD = 0.0, 0.12
SCALES = np.exp(np.linspace(np.log(0.15), np.log(6.0), 75))
# How far beyond 1 / (n + 1) the law may be continued: a promise is made for at most five times rarer events. The
# measured rates there are in docs/decisions/health.md.
EXTRAPOLATION = 5.0


@dataclasses.dataclass(frozen=True)
class Tail:
    """The law of healthy scores.

    Attributes:
      scores: float64 [n], ascending, of healthy recordings that the models had not seen.
    """

    scores: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray) -> Tail:
        """From scores in any order."""
        return cls(np.sort(np.asarray(scores, np.float64)))

    @property
    def excesses(self) -> int:
        """How many of the scores lie beyond the threshold."""
        n = len(self.scores)
        wanted = int(np.clip(round(EXCESS_SHARE * n), FEWEST_EXCESSES, MOST_EXCESSES))
        return min(wanted, n // 2)

    @property
    def threshold(self) -> float:
        """Where the generalised Pareto law begins."""
        return float(self.scores[len(self.scores) - self.excesses - 1])

    @property
    def least_rate(self) -> float:
        """The smallest rate of false alarms that so many scores can promise."""
        return 1 / (EXTRAPOLATION * (len(self.scores) + 1))

    @functools.cached_property
    def _law(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights, shapes and scales [M] of the posterior on its grid."""
        over = self.scores[len(self.scores) - self.excesses :] - self.threshold
        mean = max(float(over.mean()), 1e-9 * max(abs(self.threshold), 1e-9))
        shape, scale = (g.ravel() for g in np.meshgrid(SHAPES, SCALES * mean, indexing='ij'))
        log = -0.5 * ((shape - SHAPE_MEAN) / SHAPE_SPREAD) ** 2
        log = log + _log_density(over[:, None], shape, scale).sum(axis=0)
        weight = np.exp(log - log.max())
        kept = weight > 1e-6
        weight = weight[kept] / weight[kept].sum()
        return weight, shape[kept], scale[kept]

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """The probability that a machine in good order scores as high: float64 [N], above 0, at most 1."""
        s = np.atleast_1d(np.asarray(scores, np.float64))
        n = len(self.scores)
        as_high = n - np.searchsorted(self.scores, s, side='left')
        p = (as_high + 1) / (n + 1)
        if not self.excesses:
            return p
        beyond = s > self.threshold
        if beyond.any():
            weight, shape, scale = self._law
            base = (self.excesses + 1) / (n + 1)
            p[beyond] = base * np.exp(_log_survival((s[beyond] - self.threshold)[:, None], shape, scale)) @ weight
        return np.maximum(p, np.finfo(float).tiny)

    def limit(self, rate: float) -> float:
        """The score whose p-value is `rate` (between 0 and 1)."""
        low, high = float(self.scores[0]), float(self.scores[-1])
        step = max(high - self.threshold, 1e-9 * max(abs(high), 1e-9))
        while self.p_values(np.array([high]))[0] > rate and step < 1e12:
            high, step = high + step, 2 * step
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if self.p_values(np.array([middle]))[0] > rate else (low, middle)
        return high


def _log_survival(over: np.ndarray, shape: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Logarithm of the probability of a larger excess; -inf beyond the end of a law with one."""
    with np.errstate(divide='ignore', invalid='ignore'):
        inner = np.log(np.maximum(1 + shape * over / scale, 0.0))
        return np.where(np.abs(shape) < 1e-9, -over / scale, -inner / np.where(shape == 0, 1.0, shape))


def _log_density(over: np.ndarray, shape: np.ndarray, scale: np.ndarray) -> np.ndarray:
    with np.errstate(divide='ignore', invalid='ignore'):
        inside = 1 + shape * over / scale > 0
        log = (1 + shape) * _log_survival(over, shape, scale) - np.log(scale)
    return np.where(inside, log, -np.inf)
