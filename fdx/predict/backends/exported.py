"""An exported model with the face of a checkpoint: the same code evaluates and predicts with it."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Iterator

import numpy as np

from fdx.data.pipeline import Examples
from fdx.predict.backends import onnx
from fdx.predict.backends.litert import LitertModel
from fdx.predict.backends.tflite_file import read_model
from fdx.predict.predictor import AnyPredictor
from fdx.predict.verdicts import marked
from fdx.signal.readings import neutral_gain
from fdx.signal.scaling import Gain, as_gain
from fdx.train.forward import Progress, no_progress


class ExportedPredictor(AnyPredictor):
    """A .tflite file of launch.export, run by LiteRT, or an .onnx file, run by onnxruntime.

    Its `meta` lacks the history of the training, and its `gain` is neutral where the scaling is folded into the model.

    Attributes:
      model: the runtime's.
      description: what the file says about itself.
    """

    def __init__(self, path: str | pathlib.Path, progress: Progress = no_progress):
        """Reads and loads the file; CheckpointError when that fails."""
        self.workdir = pathlib.Path(path)
        self.model: LitertModel | onnx.OnnxModel
        if self.workdir.suffix == '.onnx':
            self.model, self.description = onnx.read_model(path)
        else:
            content, self.description = read_model(path)
            self.model = LitertModel(content, source=str(path))
        self._read_meta(self.description['meta'])
        self.step = self.description['step']
        self._fitted: Gain = as_gain(self.meta['gain'])
        folded = self.description['folded']
        self.gain = neutral_gain(self.front_end, self._fitted) if folded else self._fitted
        self._progress = progress

    def probabilities(self, examples: Examples, what: str = 'predict') -> np.ndarray:
        """Probabilities of examples that `gain` was applied to, float32 [N, K]; NaN rows as `Predictor` gives them."""
        rows = self._progress(range(len(examples)), total=len(examples), desc=what)
        return self._probabilities(examples[i]['inputs'] for i in rows)

    def patch_probabilities(self, patches: np.ndarray) -> np.ndarray:
        """Probabilities of patches [N, ...] that the front end made (the gain is applied here); rows may be NaN."""
        with np.errstate(over='ignore', invalid='ignore'):  # Too large for float32: the row is marked.
            probabilities = self._probabilities(self.front_end.with_gain(patches, self.gain))
            # A model with the scaling inside gets finite numbers; its ReLU or its codes would hide a later overflow.
            return marked(probabilities, self.front_end.with_gain(patches, self._fitted))

    def _probabilities(self, inputs: Iterable[np.ndarray]) -> np.ndarray:
        """Probabilities of inputs [...]; the row is NaN if its input or the answer is not finite."""
        good: list[bool] = []

        def watched() -> Iterator[np.ndarray]:
            for x in inputs:
                good.append(bool(np.isfinite(x).all()))
                # Integer codes cannot hold NaN. Any value will do, as the row is overwritten below.
                yield x if good[-1] else np.zeros_like(x)

        probabilities = self.model.probabilities(watched())
        probabilities[~np.array(good, bool)] = np.nan
        return marked(probabilities)
