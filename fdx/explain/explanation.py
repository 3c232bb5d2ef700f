"""All explanations of one window, side by side, and what speaks for and against believing them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy  # its parts are imported at first use, which saves a second
import scipy.special

from fdx.explain.baseline import baseline_input
from fdx.explain.faithfulness import Curves, curves, random_curves
from fdx.explain.grad_cam import grad_cam
from fdx.explain.integrated_gradients import Integrated, integrated_gradients
from fdx.explain.network import Network
from fdx.explain.occlusion import occlusion
from fdx.explain.orders import order_shares
from fdx.explain.spectral import attribution_of_frequencies
from fdx.predict.predictor import AnyPredictor
from fdx.signal.fault_orders import FaultOrders
from fdx.signal.patch import UNKNOWN_CONDITION, Condition
from fdx.signal.waveform import Waveform
from fdx.types import ConfigError

INTEGRATED, CAM, OCCLUSION = 'integrated_gradients', 'grad_cam', 'occlusion'
METHODS = (INTEGRATED, CAM, OCCLUSION)


@dataclasses.dataclass(frozen=True, eq=False)
class Attribution:
    """One method's answer for one window.

    Attributes:
      method: one of METHODS.
      values: float64 of the shape of the input; above 0 what speaks for the class.
      frequencies: of waveforms by integrated gradients, what each frequency was worth [F, 1, C]; else None.
      shares: see `fdx.explain.orders.order_shares`.
      curves: deletion and insertion in its order.
      randomised: rank correlation (Spearman) of its magnitudes with those of the same network with random weights.
      completeness: sum of the attributions and difference of the scores, of integrated gradients; else None.
    """

    method: str
    values: np.ndarray
    frequencies: np.ndarray | None
    shares: dict[str, Any]
    curves: Curves
    randomised: float | None
    completeness: dict[str, float] | None

    def to_json(self) -> dict[str, Any]:
        """JSON-able, with the values themselves rounded to four digits."""
        return {
            'orders': self.shares,
            'faithfulness': self.curves.to_json(),
            'rank_correlation_with_random_weights': self.randomised,
            'completeness': self.completeness,
            'values': _rounded(self.values),
            **({} if self.frequencies is None else {'frequencies': _rounded(self.frequencies)}),
        }


@dataclasses.dataclass(frozen=True, eq=False)
class Explanation:
    """Why a network says of one window what it says.

    Attributes:
      x: float32, the input after the gain.
      class_names: K names.
      probabilities: float64 [K].
      which: number of the explained class.
      attributions: by method.
      random: deletion and insertion in random orders.
      skipped: method -> why it says nothing of this network.
      condition: speed and bearing of the recording.
    """

    x: np.ndarray
    class_names: Sequence[str]
    probabilities: np.ndarray
    which: int
    attributions: dict[str, Attribution]
    random: Curves
    skipped: dict[str, str]
    condition: Condition = UNKNOWN_CONDITION

    @property
    def explained(self) -> str:
        """Name of the explained class."""
        return self.class_names[self.which]

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            'explained': self.explained,
            'probabilities': dict(zip(self.class_names, self.probabilities.tolist())),
            'methods': {name: a.to_json() for name, a in self.attributions.items()},
            'random_order': self.random.to_json(),
            'skipped': self.skipped,
        }


class Explainer:
    """Explains windows of one run.

    Attributes:
      predictor: the run.
      network: as a function that can be differentiated.
      baseline: float32, an input that stands for "nothing to see".
      baseline_words: what it is.
      methods: some of METHODS.
    """

    def __init__(self, predictor: AnyPredictor, methods: Sequence[str] = METHODS, baseline: str = ''):
        """Args: see the attributes; `baseline` is one of `fdx.explain.baseline.BASELINES`, '' for the run's own.

        Raises:
          ConfigError: an exported file, or an unknown method.
        """
        unknown = [m for m in methods if m not in METHODS]
        if unknown or not methods:
            raise ConfigError(f'`methods`={",".join(methods)}: some of {", ".join(METHODS)}')
        self.predictor, self.methods = predictor, tuple(methods)
        self.network = Network.of(predictor)
        self.baseline, self.baseline_words = baseline_input(predictor, baseline)

    @functools.cached_property
    def _random(self) -> Network:
        return self.network.with_random_weights()

    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """Probabilities of inputs [N, ...], float64 [N, K], at the run's temperature."""
        logits = self.network.logits(inputs).astype(np.float64)
        return scipy.special.softmax(logits / self.predictor.temperature, axis=1)

    def explain(self, x: np.ndarray, which: int, condition: Condition = UNKNOWN_CONDITION) -> Explanation:
        """Explains why the score of class `which` is what it is for one input.

        Args:
          x: float32, one input after the gain.
          which: number of the class.
          condition: speed and bearing, for orders.
        """
        x = np.asarray(x, np.float32)

        def probability(images: np.ndarray) -> np.ndarray:
            return self.probabilities(images)[:, which]

        attributions, skipped = {}, {}
        for method in self.methods:
            try:
                attributions[method] = self._attribution(method, x, which, condition)
            except ConfigError as e:
                skipped[method] = str(e)
        if not attributions:
            raise ConfigError('; '.join(skipped.values()))
        return Explanation(
            x=x,
            class_names=self.predictor.class_names,
            probabilities=self.probabilities(x[None])[0],
            which=which,
            attributions=attributions,
            random=random_curves(probability, x, self.baseline),
            skipped=skipped,
            condition=condition,
        )

    def _attribution(self, method: str, x: np.ndarray, which: int, condition: Condition) -> Attribution:
        values, found = self._values(method, self.network, x, which)
        of_random, _ = self._values(method, self._random, x, which)
        frequencies = None
        if found is not None and isinstance(self.predictor.front_end, Waveform):
            frequencies = attribution_of_frequencies(x.astype(np.float64) - self.baseline, found.mean_gradient)
        return Attribution(
            method=method,
            values=values,
            frequencies=frequencies,
            shares=self._shares(method, values, frequencies, condition),
            curves=curves(lambda images: self.probabilities(images)[:, which], x, self.baseline, values),
            randomised=rank_correlation(values, of_random),
            completeness=None
            if found is None
            else {'sum': float(values.sum()), 'difference': found.difference, 'gap': found.gap},
        )

    def _values(self, method: str, network: Network, x: np.ndarray, which: int) -> tuple[np.ndarray, Integrated | None]:
        """Attributions of one method, and what integrated gradients found besides."""
        if method == INTEGRATED:
            found = integrated_gradients(network, x, self.baseline, which)
            return found.values, found
        if method == CAM:
            return grad_cam(network, x, which), None

        def score(images: np.ndarray) -> np.ndarray:
            return network.log_odds(images, np.full(len(images), which, np.int32))

        return occlusion(score, x, self.baseline), None

    def _shares(
        self, method: str, values: np.ndarray, frequencies: np.ndarray | None, condition: Condition
    ) -> dict[str, Any]:
        front_end = self.predictor.front_end
        if method == CAM and isinstance(front_end, FaultOrders) and front_end.layout == 'image':
            return {'reason': 'its map is the same for all channels of the image, which are the faults'}
        if isinstance(front_end, Waveform):
            if frequencies is None:
                return {'reason': 'of samples: only integrated gradients are known for frequencies, too'}
            return order_shares(front_end, frequencies, condition)
        return order_shares(front_end, values, condition)


def rank_correlation(values: np.ndarray, others: np.ndarray) -> float | None:
    """Spearman's rank correlation of the magnitudes of two attributions; None where one of them is constant."""
    a, b = np.abs(values).ravel(), np.abs(others).ravel()
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(scipy.stats.spearmanr(a, b).statistic)


def _rounded(values: np.ndarray) -> list:
    return np.asarray([float(f'{v:.4g}') for v in np.asarray(values).ravel()]).reshape(np.shape(values)).tolist()
