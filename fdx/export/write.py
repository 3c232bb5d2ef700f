"""The export of a run from end to end: convert, compare with the checkpoint, and only then hand out the file."""

from __future__ import annotations

import dataclasses
import os
import pathlib

from fdx.export.c_array import c_header
from fdx.export.convert import load_single, make_model, representative_inputs
from fdx.export.package import file_content, file_summary
from fdx.export.verify import compare_with_checkpoint
from fdx.files import atomic_write_bytes
from fdx.train.forward import Progress, no_progress
from fdx.types import FdxError


class DisagreementError(FdxError, RuntimeError):
    """An exported model does not agree with its checkpoint."""


@dataclasses.dataclass(frozen=True)
class Export:
    """A model that has been compared with its checkpoint.

    Attributes:
      content: of the file, its description included.
      header: of the C array, without the description; '' if it was not asked for.
      summary: what was made and measured, for JSON.
    """

    content: bytes
    header: str
    summary: dict

    def write(self, path: str | os.PathLike) -> None:
        """Writes the file, completely or not at all; FileWriteError otherwise."""
        atomic_write_bytes(path, self.content)


def export(
    workdir: str | pathlib.Path,
    format: str,
    *,
    step: str | int = 'best',
    data_dir: str | None = None,
    calibration: int = 256,
    min_agreement: float = 0.99,
    c_array: str | None = None,
    progress: Progress = no_progress,
) -> Export:
    """Exports a run for another runtime.

    Args:
      workdir: of `launch.train`, a single fold.
      format: one of fdx.export.FORMATS.
      step: best, last or a number.
      data_dir: where the run's dataset is now; None: where it was during training.
      calibration: with tflite_int8, training windows that set the ranges of the integers.
      min_agreement: share of the test windows that both models must call the same.
      c_array: name of a C array that is made, too.
      progress: wraps long work.

    Raises:
      FdxError: the checkpoint, its dataset or the format make an export impossible.
      DisagreementError: the agreement is below `min_agreement`.
    """
    predictor = load_single(workdir, step)
    exported = make_model(predictor, format, lambda gain: representative_inputs(predictor, data_dir, calibration, gain))
    measured = compare_with_checkpoint(exported, workdir, step=step, data_dir=data_dir, progress=progress)
    if measured['agreement'] < min_agreement:
        raise DisagreementError(
            f'{workdir} as {format}: both call {100 * measured["agreement"]:.2f} % of {measured["windows"]} test '
            f'windows the same, less than `min_agreement`={min_agreement:g} (accuracy '
            f'{100 * measured["float_accuracy"]:.2f} % as checkpoint, {100 * measured["accuracy"]:.2f} % exported); '
            'nothing was written: calibrate on more windows (`calibration`), take `format`=tflite_dynamic, or lower '
            '`min_agreement`'
        )
    content = file_content(exported)
    summary = {
        'checkpoint': str(workdir),
        'step': predictor.step,
        'format': format,
        'model': predictor.config.model,
        'dataset': predictor.meta['dataset']['name'],
        'file_bytes': len(content),
        **file_summary(exported),
        'takes': exported.description['input'],
        'calibration': exported.calibrated,
        **measured,
    }
    header = c_header(exported.model, c_array, exported.description) if c_array else ''
    return Export(content, header, summary)
