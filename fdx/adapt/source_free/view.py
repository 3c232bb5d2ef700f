"""What a network says about the windows of a target, once per state, and the pseudo-labels that follow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special
from sklearn.metrics import f1_score

from fdx.adapt.outputs import Outputs, outputs_of
from fdx.adapt.source_free.step import TargetState
from fdx.adapt.source_free.target import Target
from fdx.adapt.source_free.terms import pseudo_labels
from fdx.train import parallel
from fdx.train.divergence import REMEDY, DivergedRunError
from fdx.train.steps import TrainState


class TargetView:
    """Outputs of a network for the windows of a target."""

    def __init__(self, forward: Callable, target: Target):
        """Takes a compiled `fdx.adapt.outputs.make_outputs` and the target."""
        self._forward, self._target = forward, target
        self._last: tuple[Any, Outputs] | None = None
        self._first: np.ndarray | None = None

    def seen(self, state: TrainState) -> Outputs:
        """Outputs for the windows that are learned from; asked twice for one state, they are computed once.

        Raises:
          DivergedRunError: they are not finite.
        """
        if self._last is None or self._last[0] is not state:
            found = outputs_of(self._forward, state.variables(), self._target.seen)
            if not (np.isfinite(found.logits).all() and np.isfinite(found.features).all()):
                raise DivergedRunError(
                    f"the network's outputs for the target are not finite after step {int(state.step)}; in a new "
                    f'`workdir` {REMEDY}'
                )
            self._last = (state, found)
        return self._last[1]

    def row(self, state: TrainState) -> dict[str, float]:
        """The numbers of an epoch.

        Returns:
          entropy: mean entropy of the predictions in nats; infomax: the same minus the entropy of their mean;
          changed: share of windows that get another class than from the first state that was asked about. And, where
          the run knows classes of the scored windows, oracle_target_accuracy and oracle_target_macro_f1, which read
          labels and are for reports only.
        """
        logits = self.seen(state).logits.astype(np.float64)
        predicted, p = logits.argmax(axis=1), scipy.special.softmax(logits, axis=1)
        if self._first is None:
            self._first = predicted
        entropy = float(scipy.special.entr(p).sum(axis=1).mean())
        row = {
            'entropy': entropy,
            'infomax': entropy - float(scipy.special.entr(p.mean(axis=0)).sum()),
            'changed': float(np.mean(predicted != self._first)),
        }
        return row | self._oracle(state)

    def _oracle(self, state: TrainState) -> dict[str, float]:
        if not len(self._target.scored):
            return {}
        found = outputs_of(self._forward, state.variables(), self._target.scored)
        predicted, labels = found.logits.argmax(axis=1), found.labels
        f1 = f1_score(labels, predicted, labels=np.unique(labels), average='macro', zero_division=0)
        return {
            'oracle_target_accuracy': float(np.mean(predicted == labels)),
            'oracle_target_macro_f1': float(f1),
        }


class WithPseudoLabels:
    """A compiled step whose pseudo-labels are renewed before every epoch, from the whole target."""

    def __init__(self, step: Callable, view: TargetView, steps_per_epoch: int):
        self._step, self._view, self._steps_per_epoch = step, view, steps_per_epoch
        self._done: int | None = None

    def __call__(self, state: TargetState, batch: dict) -> tuple[TargetState, dict]:
        """As the compiled step. In the middle of an epoch a resumed run has its pseudo-labels from the checkpoint."""
        if self._done is None:
            self._done = int(state.step)  # Later steps are counted here, as asking the device would wait for it.
        if self._done % self._steps_per_epoch == 0:
            seen = self._view.seen(state)
            labels = pseudo_labels(seen.features, scipy.special.softmax(seen.logits.astype(np.float64), axis=1))
            state = dataclasses.replace(state, pseudo=parallel.replicate(labels))
        self._done += 1
        return self._step(state, batch)
