"""A checkpoint as a function: examples in, probabilities out. It needs the checkpoint and nothing else (law 5)."""

from __future__ import annotations

import pathlib

import flax.linen as nn
import numpy as np
import scipy.special

from fdx.data.pipeline import ArrayExamples, Examples
from fdx.predict.predictor import AnyPredictor
from fdx.predict.verdicts import marked
from fdx.signal.scaling import as_gain
from fdx.train.forward import Progress, forward_all, no_progress
from fdx.train.model_setup import build_model, input_shape_of, load_run
from fdx.train.programs import compiled_forward


class Predictor(AnyPredictor):
    """The network of a run, run by JAX on this machine's devices."""

    has_features = True

    def __init__(self, workdir: str | pathlib.Path, step: str | int = 'best', progress: Progress = no_progress):
        """Loads and verifies a checkpoint; CheckpointError when that fails."""
        self.workdir = pathlib.Path(workdir)
        self._variables, meta, self.step = load_run(workdir, step)
        self._read_meta(meta)
        self.gain = as_gain(meta['gain'])
        self._model = build_model(self.config, len(self.class_names), input_shape_of(self.meta))
        self._progress = progress

    def probabilities(self, examples: Examples, what: str = 'predict') -> np.ndarray:
        """Softmax of the logits over the temperature, float32 [N, K]; NaN rows where something is not finite."""
        with np.errstate(invalid='ignore'):  # inf - inf: the row is marked below.
            logits = self._run(examples, None, what)
            # As float32, and untouched where the temperature is 1: the decisions are those of the logits.
            scaled = logits if self.temperature == 1 else logits / np.float32(self.temperature)
            return marked(scipy.special.softmax(scaled, axis=1))

    def log_odds(self, examples: Examples, which: int) -> np.ndarray:
        """As in the base class, from the logits, which do not end anywhere."""
        scaled = self._run(examples, None, 'explain').astype(np.float64) / self.temperature
        return scaled[:, which] - scipy.special.logsumexp(np.delete(scaled, which, axis=1), axis=1)

    def features(self, examples: Examples, name: str = 'embedding') -> np.ndarray:
        """A named feature of the network, [N, ...]."""
        return self._run(examples, name, name)

    def network(self) -> tuple[nn.Module, dict, tuple[int, ...]]:
        """(the linen module, its variables, shape of one example), for export."""
        return self._model, self._variables, input_shape_of(self.meta)

    def patch_probabilities(self, patches: np.ndarray) -> np.ndarray:
        """Softmax for patches [N, ...] that the front end made (the gain is applied here); rows may be NaN."""
        with np.errstate(over='ignore'):  # Too large for float32: the row is marked.
            inputs = self.front_end.with_gain(patches, self.gain)
        return marked(self.probabilities(ArrayExamples(inputs, np.zeros(len(inputs), np.int32))), inputs)

    def _run(self, examples: Examples, feature: str | None, what: str) -> np.ndarray:
        forward = compiled_forward(self._model, feature=feature)
        return forward_all(forward, self._variables, examples, progress=self._progress, what=what)
