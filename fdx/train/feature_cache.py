"""Outputs of a frozen prefix, computed once: frozen stages give the same features in every epoch."""

from __future__ import annotations

import flax.linen as nn
import numpy as np

from fdx.data.joined import JoinedExamples
from fdx.data.pipeline import ArrayExamples, RecordExamples
from fdx.train import parallel
from fdx.train.forward import Progress, forward_all, no_progress
from fdx.train.programs import compiled_forward


class FeatureCache:
    """Features of a dataset's rows at the end of a frozen prefix; rows are computed when first asked for.

    One cache serves all folds and epochs of a run, as long as they have the same prefix. Rows are kept apart by dataset
    and gain.
    """

    def __init__(
        self, model: nn.Module, prefix: dict, stop: int, progress: Progress = no_progress, form: str = parallel.FORM
    ):
        """Caches the outputs of stages [0, stop) with the variables `prefix`; `form` is one of fdx.train.parallel."""
        self._forward = compiled_forward(model, stop=stop, form=form)
        self._prefix = prefix
        self._progress = progress
        self._features: dict[tuple, np.ndarray] = {}

    def examples(self, examples: RecordExamples | JoinedExamples, what: str) -> ArrayExamples:
        """The same examples with features as inputs."""
        if isinstance(examples, JoinedExamples):
            parts = [self.examples(part, what) for part in examples.parts if len(part)]
            return ArrayExamples(np.concatenate([part.inputs for part in parts]), examples.labels())
        source = str(examples.dataset.data_dir)
        keys = [(source, examples.gain, int(r)) for r in examples.rows]
        missing = np.array([r for k, r in zip(keys, examples.rows) if k not in self._features], np.int64)
        if len(missing):
            todo = RecordExamples(examples.dataset, missing, examples.label_key, examples.gain)
            out = forward_all(self._forward, self._prefix, todo, progress=self._progress, what=f'features {what}')
            self._features.update(((source, examples.gain, int(r)), f) for r, f in zip(missing, out))
        return ArrayExamples(np.stack([self._features[k] for k in keys]), examples.labels())
