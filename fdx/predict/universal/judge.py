"""The judge that fdx ships: its network, its calibration, and what it makes of images of evidence.

It was trained on simulated machines (fdx.simulate) and on no real one; `judge.json` beside the weights says with which
simulator and seeds. `make universal` makes both files again.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from typing import Any

import jax
import numpy as np
import safetensors.numpy
import scipy.special

from fdx.files import boundary
from fdx.models.registry import create_model
from fdx.types import WeightsError
from fdx.weights.trees import unflatten_tree

FOLDER = pathlib.Path(__file__).parent
WEIGHTS, CARD = 'judge.safetensors', 'judge.json'
NORMAL = 'normal'
# Names of the arrays beside the network's.
MEAN, WHITENING = 'familiar/mean', 'familiar/whitening'


@dataclasses.dataclass(frozen=True)
class Opinion:
    """What the judge says of one recording.

    Attributes:
      probabilities: float64 [K], calibrated on simulated machines that took no part in training.
      distance: of its embedding from those of the machines of training, over the limit: above 1 it is unlike them all.
    """

    probabilities: np.ndarray
    distance: float


@dataclasses.dataclass(frozen=True)
class Judge:
    """A trained judge.

    Attributes:
      arrays: parameters of the networks under `params/0/...`, `params/1/...`, and MEAN [D] and WHITENING [D, D].
      card: what is known about it: states, seeds, temperature, limit of the distance, doubt without verdict.
    """

    arrays: dict[str, np.ndarray]
    card: dict[str, Any]

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the K states."""
        return tuple(self.card['states'])

    @functools.cached_property
    def _run(self):
        model = create_model('evidence_judge', len(self.states), **self.card['options'])
        members = [self._params(f'params/{i}/') for i in range(self.card['members'])]
        # One network over stacked parameters compiles in the time of one.
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *members)

        def one(params, image):
            logits, outputs = model.apply({'params': params}, image, train=False)
            return logits, outputs['embedding']

        def run(image):
            logits, embeddings = jax.vmap(one, in_axes=(0, None))(stacked, image)
            return logits.mean(axis=0), embeddings[0]

        return jax.jit(run)

    def _params(self, prefix: str) -> dict[str, Any]:
        return unflatten_tree({k.removeprefix(prefix): v for k, v in self.arrays.items() if k.startswith(prefix)})

    def outputs(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the networks make of images float32 [N, ...], one by one, so that one shape is compiled.

        Returns:
          (logits [N, K], the mean over the networks; embeddings [N, D] of the first one).
        """
        found = [self._run(image[None]) for image in np.asarray(images, np.float32)]
        logits, embeddings = (np.concatenate([np.asarray(row[i], np.float64) for row in found]) for i in (0, 1))
        return logits, embeddings

    def opinion(self, images: np.ndarray, bias: np.ndarray | float = 0.0) -> Opinion:
        """What it says of one recording.

        Args:
          images: float32 [V, ...], views of the recording, as fdx.signal.evidence_image makes them; their logits and
            their distances are averaged.
          bias: [K], added to the logits: what the user knows about the machine.
        """
        logits, embeddings = self.outputs(images)
        probabilities = scipy.special.softmax((logits.mean(axis=0) + bias) / self.card['temperature'])
        return Opinion(probabilities, float(self.distances(embeddings).mean() / self.card['distance_limit']))

    def distances(self, embeddings: np.ndarray) -> np.ndarray:
        """Mahalanobis distances [N] of embeddings [N, D] from the machines of training."""
        return np.linalg.norm((embeddings - self.arrays[MEAN]) @ self.arrays[WHITENING], axis=1)


@functools.cache
def load_judge(folder: str | pathlib.Path = FOLDER) -> Judge:
    """The judge that fdx ships, or another one.

    Raises:
      WeightsError: its files cannot be read.
    """
    weights, card = pathlib.Path(folder) / WEIGHTS, pathlib.Path(folder) / CARD
    with boundary('cannot read', weights, 'install fdx again, or run `make universal`', WeightsError):
        arrays = safetensors.numpy.load_file(weights)
    with boundary('cannot read', card, 'install fdx again, or run `make universal`', WeightsError):
        described = json.loads(card.read_text(encoding='utf-8'))
    return Judge(arrays, described)
