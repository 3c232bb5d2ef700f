"""Learns a baseline from rows of healthy recordings, checks it against itself, and says what it can promise."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.health.baseline import Baseline
from fdx.health.blocks import blocks_of
from fdx.health.detectors import DETECTORS
from fdx.health.drift import drift_of
from fdx.health.feature_plan import Feature, FeaturePlan
from fdx.health.folds import fold_models, held_out_rows
from fdx.health.learn_notes import notes_of
from fdx.health.normal_model import NormalModel
from fdx.health.operating import lay_out, words_of_rows
from fdx.health.promise import Promise, check_rates, effective_units, inflation_of
from fdx.health.sample import Sample
from fdx.health.units import Units
from fdx.health.wish import Rule, Wish
from fdx.types import ConfigError, DataError

# Fewer units say nothing about how far a machine in good order scatters.
FEWEST_UNITS = 20
# What an alarm takes; by default it follows from whether the healthy recordings drift.
ALARMS = BY_DRIFT, WORSE, UNUSUAL = 'auto', 'worse', 'unusual'


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a baseline is learned.

    Attributes:
      detector: a name of fdx.health.detectors.DETECTORS.
      wish: how often a false alarm may come.
      rule: how many unusual recordings make an alarm.
      seed: of detectors that draw.
      alarm_on: 'worse': an alarm takes unusual recordings that have risen as damage rises (fdx.health.rise); 'unusual':
        any that are unusual enough; 'auto': the former where the healthy recordings drift (fdx.health.drift), because
        what such a machine settles at will be unusual, and the latter where they do not.
    """

    detector: str = 'gaussian'
    wish: Wish = dataclasses.field(default_factory=Wish)
    rule: Rule = dataclasses.field(default_factory=Rule)
    seed: int = 0
    alarm_on: str = BY_DRIFT

    def __post_init__(self):
        """ConfigError for names that do not exist."""
        if self.alarm_on not in ALARMS:
            raise ConfigError(f'`alarm_on`={self.alarm_on}: choose from {", ".join(ALARMS)}')
        if self.detector not in DETECTORS:
            raise ConfigError(f'`detector`={self.detector}: choose from {", ".join(DETECTORS)}')


def learn(
    sample: Sample,
    settings: Settings | None = None,
    *,
    features: Sequence[Feature] | None = None,
    plan: FeaturePlan | None = None,
) -> Baseline:
    """Learns a machine's normal state.

        baseline = learn(Sample.of(rows_of_healthy_recordings))
        baseline.scored(Sample.of(rows_of_others))[0].p_value

    Args:
      sample: rows of healthy recordings, in the order of time.
      settings: how.
      features: what the D numbers are; None: those of the plan, or numbers.
      plan: how recordings became rows, kept for later ones.

    Raises:
      DataError: too few recordings, for all or for their operating states; the text says how many more are needed.
    """
    settings = settings or Settings()
    names = tuple(features or (plan.features() if plan else ())) or tuple(
        Feature('value', '', str(i)) for i in range(sample.values.shape[1])
    )
    check_enough(len(sample))
    layout, kept = lay_out(sample)
    rare = words_of_rows(sample, ~kept)
    sample = sample.rows(kept)
    check_enough(len(sample))
    block = blocks_of(sample, layout)
    models = fold_models(sample, layout, settings.detector, block, names, settings.seed)
    units = Units.of(sample, block)
    held_out = units.per_unit(held_out_rows(models, sample, block, NormalModel.scores))
    promise = Promise.of(held_out, units.block, units.clusters, settings.wish, settings.rule)
    drift = drift_of(sample, layout, names)
    drifts = drift is not None and drift.is_clear
    rises, rise_checks = np.zeros(0), []
    if models[0].rise is not None and (settings.alarm_on == WORSE or (settings.alarm_on == BY_DRIFT and drifts)):
        rises = units.per_unit(held_out_rows(models, sample, block, NormalModel.rises))
        rise_checks = check_rates(rises, units.block)
    worth = effective_units(held_out, units.clusters)
    about: dict[str, Any] = {
        'checks': promise.checks,
        'rise_checks': rise_checks,
        'drift': None if drift is None else drift.p_value,
        'alarm_on': settings.alarm_on,
        'effective_units': worth,
        'rare_states': list(rare),
        'notes': notes_of(units, promise, worth, drift, settings.wish, settings.rule),
    }
    return Baseline(
        names, sample, layout, settings.detector, block, held_out, units.by_pieces, settings.wish, settings.rule,
        promise.rate, promise.inflation, plan, settings.seed, about, rises, inflation_of(rise_checks),
    )  # fmt: skip


def check_enough(units: int) -> None:
    """DataError where there are fewer than FEWEST_UNITS recordings or pieces; it says how many more are needed."""
    missing = FEWEST_UNITS - units
    if missing > 0:
        raise DataError(
            f'{units} healthy recordings are too few to know how far they scatter: {missing} more are needed (at least '
            f'{FEWEST_UNITS}); or cut each into pieces with `piece_s`, e.g. a quarter of a second, which then stand '
            'for recordings'
        )
