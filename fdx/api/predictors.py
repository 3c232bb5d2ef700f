"""A trained run as a predictor."""

from __future__ import annotations

import os
import pathlib

from fdx.predict.load import load_single
from fdx.predict.predictor import AnyPredictor
from fdx.train.trainer import RunResult

# A run is named by its folder, or by what `fdx.train` or `fdx.adapt` returned.
RunPath = str | os.PathLike | RunResult


def folder_of(run: RunPath) -> pathlib.Path:
    """The folder (or exported file) that is meant."""
    return run.workdir if isinstance(run, RunResult) else pathlib.Path(run)


def load(run: RunPath, step: str | int = 'best') -> AnyPredictor:
    """A trained run, or an exported .tflite or .onnx file, as a predictor for new recordings.

        predictor = fdx.load('runs/mine')
        result = predictor.diagnose('motor.wav')
        result.label, result.probabilities, result.reason
        result.plot().savefig('motor.png')

    Args:
      run: workdir of one fold, an exported file, or what `fdx.train` gave.
      step: best (by validation), last or a number.

    Returns:
      The predictor: `diagnose(path_or_recording)`, `class_names`, `front_end`, `config`.

    Raises:
      CheckpointError: there is no run, it is damaged, or it holds several folds.
    """
    return load_single(folder_of(run), step)
