"""A small network that judges generated images; it is trained on arrays within seconds, always in the same way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax
import numpy as np
from sklearn.metrics import f1_score

from fdx.data.pipeline import ArrayExamples, train_batches
from fdx.train import parallel
from fdx.train.balance import oversampled
from fdx.train.config import TrainConfig
from fdx.train.forward import Progress, forward_all, no_progress
from fdx.train.model_setup import set_up_model
from fdx.train.optimiser import make_optimiser, settings_of
from fdx.train.programs import compiled_forward, compiled_step
from fdx.train.trainer import fresh_state

MODEL, STEPS, BATCH_SIZE, LEARNING_RATE = 'cnn_small', 150, 32, 1e-3
EMBEDDING = 'embedding'


@dataclasses.dataclass(frozen=True)
class Classifier:
    """A trained network.

    Attributes:
      model: the linen module.
      variables: its parameters and statistics.
    """

    model: nn.Module
    variables: dict

    def predicted(self, images: np.ndarray) -> np.ndarray:
        """int64 [N]: the most probable class of images [N, H, W, C]."""
        return self._outputs(images, compiled_forward(self.model)).argmax(1)

    def embeddings(self, images: np.ndarray) -> np.ndarray:
        """float32 [N, D] of images [N, H, W, C]."""
        return self._outputs(images, compiled_forward(self.model, feature=EMBEDDING))

    def score(self, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """Accuracy and macro F1 over the classes that `labels` int [N] hold."""
        predicted = self.predicted(images)
        f1 = f1_score(labels, predicted, labels=np.unique(labels), average='macro', zero_division=0)
        return {'accuracy': float((predicted == labels).mean()), 'macro_f1': float(f1)}

    def _outputs(self, images: np.ndarray, forward: Callable) -> np.ndarray:
        examples = ArrayExamples(images, np.zeros(len(images), np.int32))
        return forward_all(forward, self.variables, examples)


def fit_classifier(
    images: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    *,
    seed: int,
    steps: int = STEPS,
    progress: Progress = no_progress,
) -> Classifier:
    """A `cnn_small` after `steps` updates on the given images, with equally frequent classes; no epoch is selected.

    Args:
      images: float32 [N, H, W, C].
      labels: int [N].
      num_classes: K.
      seed: of initialisation, order and repeated rows.
      steps: number of updates.
      progress: wraps the steps.
    """
    config = TrainConfig(
        dataset='arrays', model=MODEL, dropout_rate=0.0, l2=0.0, learning_rate=LEARNING_RATE, halve_every=0, seed=seed
    )
    setup = set_up_model(config, num_classes, images.shape[1:])
    optimiser = make_optimiser(config, setup.mask, steps)
    state = fresh_state(setup, optimiser, seed)
    step = compiled_step(setup.model, settings_of(config), setup.mask, steps_per_epoch=steps, start=0)
    examples = oversampled(ArrayExamples(images, labels.astype(np.int32)), seed)
    batches = train_batches(examples, BATCH_SIZE, seed)
    for _ in progress(range(steps), desc='judge', total=steps):
        state, _ = step(state, parallel.shard(next(batches), BATCH_SIZE))
    return Classifier(setup.model, jax.device_get(state.variables()))
