"""Whether a run with `auto` adapts: rules over the numbers of `fdx.adapt.auto_evidence`, each of which may refuse.

After Ben-David et al., "A theory of learning from different domains", Machine Learning 79, 2010, a network's error on
the target is at most its error on the source, plus the distance of the domains, plus the error of the best network for
both. Methods make the distance smaller. They help only if the last part stays small, which no one can measure without
labels of the target; but where it is large, it shows: the source is classified worse, predictions for the target
collapse, runs with other seeds find other classes, or the classes have nothing to do with those found before. No
constant here was fitted to labels of a target.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from fdx.adapt.auto_evidence import Comparison, Portrait

# Standard errors within which the source is classified as well as before.
STANDARD_ERRORS = 1.0
# Standard errors by which the gain must exceed 0. Over random simulated domains (tests/adapt/test_auto_domains.py),
# networks that are worse than the source alone were kept more often with one standard error.
GAIN_STANDARD_ERRORS = 2.0
# Agreement of namings up to this is slight (Landis and Koch, Biometrics 33, 1977).
SLIGHT_AGREEMENT = 0.2
# Share of log K by which balance and information may fall: between runs that are equally good they differ that much.
TOLERANCE = 0.1


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether the method's network is kept, and why.

    Attributes:
      adapted: False: that of the source alone is kept.
      method: that was asked for.
      reason: supported, or the rule that refused.
      words: the reason in a sentence with its numbers.
      source_only: of the networks of the source alone.
      by_method: of the method's networks; None where they were not trained.
      comparison: of both kinds; None where there is one.
    """

    adapted: bool
    method: str
    reason: str
    words: str
    source_only: Portrait
    by_method: Portrait | None = None
    comparison: Comparison | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON-able dict."""
        return dataclasses.asdict(self)


def verdict_before(method: str, found: Portrait) -> Verdict | None:
    """The verdict where networks of the source alone suffice for one; None where the method is to be tried."""
    refusal = None
    if found.a_distance == 0:
        refusal = ('no_distance', 'a linear classifier cannot tell the domains apart: there is nothing to bring nearer')
    elif found.disagreement == 0:
        refusal = (
            'nothing_to_gain',
            'two networks of the source alone, with different seeds, give every window of the target the same class: '
            'no adapted network can agree better',
        )
    return None if refusal is None else _refused(method, *refusal, found)


def verdict_after(method: str, before: Portrait, after: Portrait, comparison: Comparison) -> Verdict:
    """The verdict once the method has been tried.

    Args:
      method: that was tried.
      before: of the networks of the source alone.
      after: of the method's.
      comparison: of both.
    """
    for rule in (_source_lost, _collapsed, _less_information, _not_repeatable, _other_classes):
        words = rule(before, after, comparison)
        if words:
            return _refused(method, rule.__name__.lstrip('_'), words, before, after, comparison)
    words = (
        f'Adapted by {method}, because its networks of different seeds disagree on {_percent(after.disagreement)} of '
        f'the windows of the target, those of the source alone on {_percent(before.disagreement)} (gain '
        f'{_percent(comparison.gain)}, standard error {_percent(comparison.gain_se)}), while the source is classified '
        f'as well and predictions stay balanced and informative. {_distances(before, after)}'
    )
    return Verdict(True, method, 'supported', words, before, after, comparison)


def _source_lost(before: Portrait, after: Portrait, comparison: Comparison) -> str:
    if comparison.source_loss <= STANDARD_ERRORS * comparison.source_loss_se:
        return ''
    return (
        f'the adapted network errs on {_percent(after.source_error)} of the validation windows of the source, that of '
        f'the source alone on {_percent(before.source_error)}: no network that was found fits both domains'
    )


def _collapsed(before: Portrait, after: Portrait, comparison: Comparison) -> str:
    del comparison
    if after.balance >= before.balance - TOLERANCE:
        return ''
    return (
        f'predictions for the target collapse onto fewer classes: their balance falls from {before.balance:.2f} to '
        f'{after.balance:.2f} (1: all classes alike)'
    )


def _less_information(before: Portrait, after: Portrait, comparison: Comparison) -> str:
    del comparison
    if after.information >= before.information - TOLERANCE:
        return ''
    return (
        f'predictions for the target tell less: their information falls from {before.information:.2f} to '
        f'{after.information:.2f} (1: certain, and all classes alike)'
    )


def _not_repeatable(before: Portrait, after: Portrait, comparison: Comparison) -> str:
    if comparison.gain > GAIN_STANDARD_ERRORS * comparison.gain_se:
        return ''
    return (
        f'adapted networks of different seeds disagree on {_percent(after.disagreement)} of the windows of the target, '
        f'those of the source alone on {_percent(before.disagreement)}: a gain of {_percent(comparison.gain)} with a '
        f'standard error of {_percent(comparison.gain_se)} is no evidence that adaptation helps'
    )


def _other_classes(before: Portrait, after: Portrait, comparison: Comparison) -> str:
    del before, after
    if comparison.kappa > SLIGHT_AGREEMENT:
        return ''
    return (
        'the classes of the adapted network have next to nothing to do with those that the source alone gives the '
        f"target (Cohen's kappa {comparison.kappa:.2f}), so that nothing says that they are the source's classes"
    )


def _refused(
    method: str,
    reason: str,
    why: str,
    before: Portrait,
    after: Portrait | None = None,
    comparison: Comparison | None = None,
) -> Verdict:
    words = f'Not adapted by {method}, because {why}. {_distances(before, after)}'
    return Verdict(False, method, reason, words, before, after, comparison)


def _distances(before: Portrait, after: Portrait | None) -> str:
    if before.a_distance is None:
        return 'A domain has too few windows for the proxy A-distance.'
    then = '' if after is None or after.a_distance is None else f', {after.a_distance:.2f} with the method'
    return (
        f'Proxy A-distance {before.a_distance:.2f} for the source alone{then} (0 to 2); balance of its predictions '
        f'{before.balance:.2f}, mean certainty {_percent(before.certainty)}.'
    )


def _percent(share: float) -> str:
    return f'{100 * share:.1f} %'
