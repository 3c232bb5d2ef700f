"""A checkpoint as a function: examples in, probabilities out. It needs the checkpoint and nothing else (law 5)."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable

import flax.linen as nn
import numpy as np
import scipy.special

from fdx.data.pipeline import ArrayExamples, Examples
from fdx.predict.verdicts import marked
from fdx.signal.front_ends import front_end_from_config
from fdx.signal.scaling import Gain, as_gain
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.feature_cache import Progress, forward_all, no_progress
from fdx.train.model_setup import build_model, input_shape_of, load_run
from fdx.train.steps import make_forward


@functools.lru_cache(maxsize=16)
def _compiled(model: nn.Module, feature: str | None) -> Callable:
    """The forward pass of a network; the folds of a run share one compiled program."""
    return parallel.compile_forward(make_forward(model, feature=feature))


class Predictor:
    """The network of a run with its front end, gain and class names.

    Attributes:
      workdir: of the run.
      step: the step that was loaded.
      meta: what the checkpoint says about itself.
      config: the run's TrainConfig.
      class_names: K names.
      front_end: makes the network's input.
      gain: what scaling fitted (fdx.signal.scaling), else 1.
      threshold: of two classes, the probability of the second from which on it is called; None: the more probable wins.
    """

    has_features = True

    def __init__(self, workdir: str | pathlib.Path, step: str | int = 'best', progress: Progress = no_progress):
        """Loads and verifies a checkpoint; CheckpointError when that fails."""
        self.workdir = pathlib.Path(workdir)
        self._variables, self.meta, self.step = load_run(workdir, step)
        self.config = TrainConfig.from_json(self.meta['config'])
        self.class_names: list[str] = self.meta['class_names']
        self.front_end = front_end_from_config(self.meta['front_end'])
        self.gain: Gain = as_gain(self.meta['gain'])
        self.threshold: float | None = self.meta.get('threshold')
        self._model = build_model(self.config, len(self.class_names), input_shape_of(self.meta))
        self._progress = progress

    def probabilities(self, examples: Examples, what: str = 'predict') -> np.ndarray:
        """Softmax of the logits, float32 [N, K]; NaN in a whole row where a logit or an input is not finite."""
        with np.errstate(invalid='ignore'):  # inf - inf: the row is marked below.
            return marked(scipy.special.softmax(self._run(examples, None, what), axis=1))

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
        forward = _compiled(self._model, feature)
        return forward_all(forward, self._variables, examples, progress=self._progress, what=what)
