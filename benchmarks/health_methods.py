"""Rows of the benchmark `health`: detectors of `fdx.health` on several features, and limits as plants set them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from fdx.health.baseline import Baseline
from fdx.health.blocks import blocks_of
from fdx.health.choice import best, judged
from fdx.health.feature_plan import Feature
from fdx.health.folds import held_out_rows
from fdx.health.learn import BY_DRIFT, UNUSUAL, WORSE, Settings, check_enough, learn
from fdx.health.normal_model import NormalModel, fit_normal
from fdx.health.operating import lay_out
from fdx.health.promise import Promise
from fdx.health.sample import Sample
from fdx.health.units import Units
from fdx.types import ConfigError

from .health_rows import Rows, columns_of

AUTO, LIMIT = 'auto', 'limit'
# What decides a verdict besides the rows, for `code_digest`.
CODE = tuple(
    f'health/{name}.py'
    for name in (
        'baseline', 'blocks', 'choice', 'detectors', 'folds', 'learn', 'normal_model', 'operating', 'promise', 'rise',
        'sample', 'tail', 'units', 'wish',
    )
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Method:
    """A row of the page.

    Attributes:
      features: a name of FEATURES.
      detector: of fdx.health.detectors; 'auto': chosen without labels; 'limit': an upper limit on each number.
      words: for the page.
      alarm_on: of fdx.health.learn.Settings.
    """

    features: str
    detector: str
    words: str = ''
    alarm_on: str = BY_DRIFT

    @property
    def name(self) -> str:
        """'default:auto'."""
        return f'{self.features}:{self.label}'

    @property
    def label(self) -> str:
        """The detector, and what an alarm takes where that is not the usual: 'gaussian:unusual'."""
        return self.detector if self.alarm_on == BY_DRIFT else f'{self.detector}:{self.alarm_on}'

    @property
    def draws(self) -> bool:
        """Whether the seed makes a difference."""
        return self.detector == 'isolation_forest'


METHODS = (
    Method('default', AUTO, 'what `fdx baseline` does: the detector is chosen by faults put into healthy recordings'),
    Method('default', 'gaussian'),
    Method('default', 'gaussian', 'an alarm takes any unusual recordings (`--alarm_on=unusual`)', UNUSUAL),
    Method('default', 'gaussian', 'an alarm takes recordings that have risen (`--alarm_on=worse`)', WORSE),
    Method('default', 'nearest_neighbours'),
    Method('default', 'isolation_forest'),
    Method('default', 'local_outlier_factor'),
    Method('default', 'one_class_svm'),
    Method('level_free', 'gaussian'),
    Method('level_free', 'nearest_neighbours'),
    Method('log_mel', 'gaussian'),
    Method('log_mel', 'nearest_neighbours'),
    Method('rms', LIMIT, 'an alarm limit on the root mean square, per operating state'),
    Method('kurtosis', LIMIT, 'an alarm limit on the kurtosis, per operating state'),
)
OWN, PLANTS = METHODS[0], METHODS[-2:]


def get_methods(names: Sequence[str]) -> tuple[Method, ...]:
    """Methods of the given names; ConfigError lists the known ones."""
    known = [method.name for method in METHODS]
    if not names or not set(names) <= set(known):
        raise ConfigError(f'`methods`={",".join(names)}: `suite`=health has {", ".join(known)}')
    return tuple(method for method in METHODS if method.name in names)


@dataclasses.dataclass(frozen=True)
class Limits(Baseline):
    """A baseline whose score is the largest excess of a number above its mean, in healthy standard deviations.

    Only its models differ from those of `Baseline`: p-values, limits and rates are made in the same way, so that false
    alarms are equal.
    """

    @functools.cached_property
    def models(self) -> tuple[NormalModel, ...]:
        """One per block, fitted without it."""
        return tuple(self._fitted(self.block != b) for b in np.unique(self.block))

    @functools.cached_property
    def model(self) -> NormalModel:
        """Fitted to all rows."""
        return self._fitted(np.ones(len(self.sample), bool))

    def _fitted(self, kept: np.ndarray) -> NormalModel:
        # The detector of the fit is not asked, and the Gaussian one is the quickest.
        fit = fit_normal(self.sample.rows(kept), self.layout, 'gaussian', features=self.features)
        return dataclasses.replace(fit, detector=_largest)


def _largest(deviations: np.ndarray) -> np.ndarray:
    return deviations.max(axis=1)


def learn_limits(sample: Sample, features: Sequence[Feature], settings: Settings) -> Limits:
    """As `fdx.health.learn.learn`, for upper limits.

    Args:
      sample: rows of healthy recordings or, where these are few, of their pieces.
      features: what the columns are.
      settings: wish and rule; the detector is not read.
    """
    check_enough(len(sample))
    layout, kept = lay_out(sample)
    sample = sample.rows(kept)
    block = blocks_of(sample, layout)
    units = Units.of(sample, block)
    empty = Limits(
        tuple(features), sample, layout, LIMIT, block, np.zeros(0), units.by_pieces, settings.wish, settings.rule, 1.0
    )  # fmt: skip
    held_out = units.per_unit(held_out_rows(empty.models, sample, block))
    promise = Promise.of(held_out, units.block, units.clusters, settings.wish, settings.rule)
    return dataclasses.replace(empty, held_out=held_out, rate=promise.rate, inflation=promise.inflation)


def chosen_detector(method: Method, rows: Rows, seed: int) -> str:
    """The method's detector; for 'auto' the one that tells faults best that were put into healthy recordings."""
    if method.detector != AUTO:
        return method.detector
    columns = rows.columns(method.features)
    layout, kept = lay_out(rows.healthy)
    some = columns_of(rows.healthy, columns).rows(kept)
    faulty = dataclasses.replace(rows.faulty, sample=columns_of(rows.faulty.sample, columns))
    return best(judged(some, layout, faulty, tuple(rows.features[i] for i in columns), seed))


def learned(sample: Sample, features: Sequence[Feature], detector: str, settings: Settings) -> Baseline:
    """The baseline of healthy rows with the columns of a method.

    Raises:
      DataError: too few rows.
    """
    if detector == LIMIT:
        return learn_limits(sample, features, settings)
    return learn(sample, dataclasses.replace(settings, detector=detector), features=features)
