"""From a path to a predictor: the workdir of a run, or an exported file."""

from __future__ import annotations

import pathlib

from fdx.predict.predictor import AnyPredictor
from fdx.train.forward import Progress, no_progress
from fdx.types import CheckpointError

# Of exported files.
SUFFIXES = ('.tflite', '.onnx')


def run_folders(workdir: str | pathlib.Path) -> list[pathlib.Path]:
    """The folders with checkpoints: the workdir itself, or its fold_0, fold_1, ...; an exported file is its own.

    Raises:
      CheckpointError: neither is there.
    """
    root = pathlib.Path(workdir)
    if root.suffix in SUFFIXES:
        return [root]
    if (root / 'checkpoints').is_dir():
        return [root]
    folds = sorted(p for p in root.glob('fold_*') if (p / 'checkpoints').is_dir())
    if not folds:
        raise CheckpointError(f'{root} holds no checkpoints, neither its own nor in fold_0, fold_1, ...: train first')
    return folds


def load_predictor(
    path: str | pathlib.Path, step: str | int = 'best', progress: Progress = no_progress
) -> AnyPredictor:
    """A run's checkpoint, or an exported model where the path ends in .tflite or .onnx.

    Args:
      path: workdir of one fold, or the file.
      step: best (by validation), last or a number; of an exported file 'best', as it holds one.
      progress: wraps long work.

    Raises:
      CheckpointError: neither is there, it is damaged, or a step of an exported model is asked for.
    """
    # Each backend loads its runtime, and one of them is needed.
    if pathlib.Path(path).suffix not in SUFFIXES:
        from fdx.predict.backends.checkpoint import Predictor  # noqa: PLC0415

        return Predictor(path, step, progress)
    if step != 'best':
        raise CheckpointError(f'`step`={step}: {path} is one exported step; leave it out')
    from fdx.predict.backends.exported import ExportedPredictor  # noqa: PLC0415

    return ExportedPredictor(path, progress)


def check_single(path: str | pathlib.Path) -> None:
    """CheckpointError where a path is the workdir of several folds (the text names one), or holds nothing."""
    folders = run_folders(path)
    if folders != [pathlib.Path(path)]:
        raise CheckpointError(f'{path} holds several folds: choose one, e.g. {folders[0]}')


def load_single(path: str | pathlib.Path, step: str | int = 'best', progress: Progress = no_progress) -> AnyPredictor:
    """`load_predictor` for a path that a user names, where the workdir of several folds is an error of its own.

    Raises:
      CheckpointError: as `load_predictor` and `check_single`.
    """
    check_single(path)
    return load_predictor(path, step, progress)
