"""What networks say, without labels of the target, about whether adaptation helps: the numbers behind `auto`.

Of the source alone and of the method there are two networks each, which differ in their seed. Two networks that learned
the same from the source and name different classes for a window of the target cannot both be right, and over many
windows the share of such windows estimates the error of either (Jiang et al., "Assessing generalization of SGD via
disagreement", ICLR 2022; as a bound, over networks that fit the source: Chuang, Torralba and Jegelka, "Estimating
generalization under distribution shifts via domain-invariant representations", ICML 2020).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import scipy.special
from scipy.special import entr

from fdx.adapt.a_distance import LEAST_WINDOWS, proxy_a_distance
from fdx.adapt.criteria_of_predictions import negative_information
from fdx.adapt.outputs import Outputs

Parts = Mapping[str, Outputs]


@dataclasses.dataclass(frozen=True)
class Portrait:
    """A kind of network, by two of them: the one that would be kept, and one of another seed.

    Attributes:
      a_distance: proxy A-distance of the layer that adapts; None for fewer than 4 windows of a domain.
      source_error: share of wrong validation windows of the source.
      balance: entropy of the mean prediction over the target, in nats over log K: 0 (one class) to 1.
      certainty: mean of the largest probability over the target.
      information: of a window about its class, in nats over log K: 0 to 1 (`negative_information`).
      disagreement: share of target windows to which the two networks give different classes.
    """

    a_distance: float | None
    source_error: float
    balance: float
    certainty: float
    information: float
    disagreement: float


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The network of the method beside that of the source alone.

    Attributes:
      source_loss: how much larger its error on validation windows of the source is.
      source_loss_se: standard error of that difference.
      gain: how much smaller its disagreement with another seed is.
      gain_se: standard error of that difference, by recording of the target.
      kappa: Cohen's kappa of the classes that both give to the target: 1 the same ones, 0 no more than by chance.
    """

    source_loss: float
    source_loss_se: float
    gain: float
    gain_se: float
    kappa: float


def portrait(one: Parts, other: Parts, seed: int = 0) -> Portrait:
    """The numbers of two networks on the same windows.

    Args:
      one: part (source_train, source_validation, target_train) -> outputs of the network that would be kept.
      other: the same parts, of the network with another seed.
      seed: of the proxy A-distance.
    """
    source, target, validation = one['source_train'], one['target_train'], one['source_validation']
    p = scipy.special.softmax(target.logits.astype(np.float64), axis=1)
    largest = np.log(p.shape[1])
    known = min(len(source.features), len(target.features)) >= LEAST_WINDOWS
    return Portrait(
        a_distance=proxy_a_distance(source.features, target.features, seed) if known else None,
        source_error=float(_wrong(validation).mean()),
        balance=float(entr(p.mean(axis=0)).sum() / largest),
        certainty=float(p.max(axis=1).mean()),
        information=-negative_information(p) / largest,
        disagreement=float(_differ(target, other['target_train']).mean()),
    )


def compare(
    source_only: Sequence[Parts], adapted: Sequence[Parts], recordings: Sequence[str] | np.ndarray
) -> Comparison:
    """How the networks of the method differ from those of the source alone.

    Args:
      source_only: the outputs of both networks, as `portrait` takes them.
      adapted: those of the method's.
      recordings: N names, of each window of target_train.
    """
    (before, before_again), (after, after_again) = source_only, adapted
    lost = _wrong(after['source_validation']) - _wrong(before['source_validation'])
    gains = _differ(before['target_train'], before_again['target_train']) - _differ(
        after['target_train'], after_again['target_train']
    )
    return Comparison(
        source_loss=float(lost.mean()),
        source_loss_se=clustered_se(lost, np.arange(len(lost))),
        gain=float(gains.mean()),
        gain_se=clustered_se(gains, recordings),
        kappa=cohens_kappa(_classes(before['target_train']), _classes(after['target_train'])),
    )


def clustered_se(values: np.ndarray, clusters: Sequence | np.ndarray) -> float:
    """Standard error of a mean whose windows are right or wrong together within a cluster; infinite for one cluster.

    Liang and Zeger, Biometrika 73, 1986, with the factor G / (G - 1) of G clusters.

    Args:
      values: float [N].
      clusters: N names.
    """
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(index, weights=values - np.mean(values))
    groups = len(sums)
    return float(np.sqrt(np.square(sums).sum() * groups / (groups - 1)) / len(values)) if groups > 1 else float('inf')


def cohens_kappa(one: np.ndarray, other: np.ndarray) -> float:
    """Agreement beyond chance of two namings int [N]; 0 where chance alone would make them agree everywhere.

    Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20, 1960.
    """
    count = int(max(one.max(), other.max())) + 1
    shares = [np.bincount(classes, minlength=count) / len(classes) for classes in (one, other)]
    chance = float(shares[0] @ shares[1])
    return float((np.mean(one == other) - chance) / (1 - chance)) if chance < 1 else 0.0


def _classes(outputs: Outputs) -> np.ndarray:
    return outputs.logits.argmax(axis=1)


def _wrong(outputs: Outputs) -> np.ndarray:
    """1 where the class is not the label, float64 [N]; only for parts of the source."""
    return (_classes(outputs) != outputs.labels).astype(np.float64)


def _differ(one: Outputs, other: Outputs) -> np.ndarray:
    """1 where two networks give different classes, float64 [N]."""
    return (_classes(one) != _classes(other)).astype(np.float64)
