"""Whether an exported model agrees with its checkpoint, and how fast it is."""

from __future__ import annotations

import pathlib
import statistics
import tempfile
import time

import numpy as np

from fdx.evaluate.intervals import wilson_interval
from fdx.evaluate.metrics import summarise
from fdx.evaluate.scoring import score_run
from fdx.export.convert import Exported
from fdx.export.package import file_content
from fdx.files import atomic_write_bytes
from fdx.predict.backends.exported import ExportedPredictor
from fdx.predict.backends.litert import LitertModel
from fdx.predict.backends.onnx import OnnxModel
from fdx.train.forward import Progress, no_progress

# With fewer windows, a single one that differs is more than a hundredth.
FEW_WINDOWS = 100
TIMED, ROUNDS, SECONDS_A_ROUND = 32, 5, 0.3


def compare_with_checkpoint(
    exported: Exported,
    workdir: str | pathlib.Path,
    *,
    step: str | int,
    data_dir: str | None,
    progress: Progress = no_progress,
) -> dict:
    """Scores the checkpoint and the exported model on the whole test split, by the same code.

    Returns:
      windows, accuracy of both, agreement (share of windows that both call the same) with its agreement_interval and
      agreement_note (see `agreement_of`), largest_difference (of a probability), and milliseconds per window on this
      machine (see `milliseconds`).
    """
    before = score_run(workdir, step=step, data_dir=data_dir, progress=progress)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f'model{exported.suffix}'
        atomic_write_bytes(path, file_content(exported))
        after = score_run(path, data_dir=data_dir or before.predictors[0].config.data_dir, progress=progress)
        model = ExportedPredictor(path).model
    a, b = before.predictions, after.predictions
    examples = after.examples[0]
    inputs = [examples[i]['inputs'] for i in range(min(len(examples), TIMED))]
    took = milliseconds({'float': LitertModel(exported.float_model), 'exported': model}, inputs)
    return {
        'windows': len(a),
        'float_accuracy': summarise(a)['accuracy'],
        'accuracy': summarise(b)['accuracy'],
        **agreement_of(a.predicted == b.predicted),
        'largest_difference': float(np.abs(a.probabilities - b.probabilities).max()),
        'float_ms': took['float'],
        'ms': took['exported'],
    }


def agreement_of(same: np.ndarray) -> dict:
    """How often two models call a window the same, and how certain that is.

    Rounding changes a verdict near its threshold, window by window: here windows are taken as independent, and the
    interval is Wilson's.

    Args:
      same: bool [N], N > 0.

    Returns:
      agreement, agreement_interval [low, high] of 95 %, and agreement_note ('' if there are FEW_WINDOWS or more).
    """
    low, high = wilson_interval(int(same.sum()), len(same)) or (0.0, 1.0)
    note = ''
    if len(same) < FEW_WINDOWS:
        note = (
            f'measured on {len(same)} windows only: on others the two may agree on as little as {100 * low:.0f} % '
            f'(95 % interval {100 * low:.1f} to {100 * high:.1f} %)'
        )
    return {'agreement': float(same.mean()), 'agreement_interval': [low, high], 'agreement_note': note}


def milliseconds(models: dict[str, LitertModel | OnnxModel], inputs: list[np.ndarray]) -> dict[str, float]:
    """Milliseconds per window in the model's runtime, without the encoding of the input.

    The median over rounds in which the models take turns, because machines are shared and noisy.

    Args:
      models: name -> model.
      inputs: examples.
    """
    rounds: dict[str, list[float]] = {name: [] for name in models}
    encoded = {name: [model.encode(x) for x in inputs] for name, model in models.items()}
    for name, model in models.items():
        model.invoke(encoded[name][0])
    for _ in range(ROUNDS):
        for name, model in models.items():
            calls, spent, began = 0, 0.0, time.perf_counter()
            # At least one call, even if the process was paused.
            while not calls or spent < SECONDS_A_ROUND:
                model.invoke(encoded[name][calls % len(inputs)])
                calls, spent = calls + 1, time.perf_counter() - began
            rounds[name].append(1000 * spent / calls)
    return {name: statistics.median(values) for name, values in rounds.items()}
