"""An exported model with the face of a checkpoint: the same code evaluates and predicts with it."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Iterator

import numpy as np

from fdx.data.pipeline import Examples
from fdx.predict.backends import onnx
from fdx.predict.backends.checkpoint import Predictor
from fdx.predict.backends.litert import LitertModel
from fdx.predict.backends.tflite_file import read_model
from fdx.predict.verdicts import marked
from fdx.signal.front_ends import front_end_from_config
from fdx.signal.readings import neutral_gain
from fdx.signal.scaling import Gain, as_gain
from fdx.train.config import TrainConfig
from fdx.train.feature_cache import Progress, no_progress
from fdx.types import CheckpointError

SUFFIXES = ('.tflite', '.onnx')


class ExportedPredictor:
    """A .tflite file of launch.export, run by LiteRT, or an .onnx file, run by onnxruntime.

    Attributes:
      workdir: the file.
      step: of the checkpoint that was exported.
      meta: what that checkpoint said about itself, without its history.
      config: the run's TrainConfig.
      class_names: K names.
      front_end: makes the network's input.
      gain: what is left to scale: nothing where the scaling is folded into the model.
      threshold: of two classes, the probability of the second from which on it is called, or None.
      model: the runtime's.
      has_features: an exported model gives probabilities only.
    """

    has_features = False

    def __init__(self, path: str | pathlib.Path, progress: Progress = no_progress):
        """Reads and loads the file; CheckpointError when that fails."""
        self.workdir = pathlib.Path(path)
        self.model: LitertModel | onnx.OnnxModel
        if self.workdir.suffix == '.onnx':
            self.model, self.description = onnx.read_model(path)
        else:
            content, self.description = read_model(path)
            self.model = LitertModel(content, source=str(path))
        self.meta: dict = self.description['meta']
        self.step: int = self.description['step']
        self.config = TrainConfig.from_json(self.meta['config'])
        self.class_names: list[str] = self.meta['class_names']
        self.front_end = front_end_from_config(self.meta['front_end'])
        self._fitted: Gain = as_gain(self.meta['gain'])
        folded = self.description['folded']
        self.gain: Gain = neutral_gain(self.front_end, self._fitted) if folded else self._fitted
        self.threshold: float | None = self.meta.get('threshold')
        self._progress = progress

    def probabilities(self, examples: Examples, what: str = 'predict') -> np.ndarray:
        """Probabilities of examples that `gain` was applied to, float32 [N, K]; NaN rows as `Predictor` gives them."""
        rows = self._progress(range(len(examples)), total=len(examples), desc=what)
        return self._probabilities(examples[i]['inputs'] for i in rows)

    def patch_probabilities(self, patches: np.ndarray) -> np.ndarray:
        """Probabilities of patches [N, ...] that the front end made (the gain is applied here); rows may be NaN."""
        with np.errstate(over='ignore', invalid='ignore'):  # Too large for float32: the row is marked.
            probabilities = self._probabilities(self.front_end.with_gain(patches, self.gain))
            # A model that scales by itself is given finite numbers; its ReLU or its codes hide what becomes of them.
            return marked(probabilities, self.front_end.with_gain(patches, self._fitted))

    def _probabilities(self, inputs: Iterable[np.ndarray]) -> np.ndarray:
        """Of inputs [...], with NaN rows where an input or the answer is not finite."""
        good: list[bool] = []

        def watched() -> Iterator[np.ndarray]:
            for x in inputs:
                good.append(bool(np.isfinite(x).all()))
                # Codes of integers have no NaN: what stands for it does not matter.
                yield x if good[-1] else np.zeros_like(x)

        probabilities = self.model.probabilities(watched())
        probabilities[~np.array(good, bool)] = np.nan
        return marked(probabilities)


AnyPredictor = Predictor | ExportedPredictor


def load_predictor(
    path: str | pathlib.Path, step: str | int = 'best', progress: Progress = no_progress
) -> AnyPredictor:
    """A run's checkpoint, or an exported model where the path ends in .tflite or .onnx.

    Raises:
      CheckpointError: neither is there, it is damaged, or a step of an exported model is asked for.
    """
    if pathlib.Path(path).suffix not in SUFFIXES:
        return Predictor(path, step, progress)
    if step != 'best':
        raise CheckpointError(f'--step={step}: {path} is one exported step; leave it out')
    return ExportedPredictor(path, progress)
