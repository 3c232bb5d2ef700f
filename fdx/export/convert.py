"""Turns a checkpoint into a model for other runtimes."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable

import numpy as np

import fdx
from fdx.data.pipeline import RecordExamples
from fdx.evaluate.scored_rows import open_own_dataset
from fdx.export import FORMATS
from fdx.export.graph import folded_scaling, identity, inference
from fdx.export.litert import quantise_dynamic, quantise_static, to_flatbuffer
from fdx.export.onnx_file import to_onnx
from fdx.models.precision import in_float32
from fdx.predict.backends.checkpoint import Predictor
from fdx.predict.load import SUFFIXES, check_single
from fdx.signal.readings import neutral_gain, reads_tables
from fdx.signal.scaling import Gain
from fdx.train.run_data import select_rows
from fdx.types import CheckpointError, ConfigError

# Only the training program reads these.
NOT_EXPORTED = ('history', 'sums', 'data', 'leak', 'learned_from')


@dataclasses.dataclass(frozen=True)
class Exported:
    """A model that is ready to be checked and written.

    Attributes:
      model: the file's content, without a description.
      float_model: the same network as a float32 TensorFlow Lite model, which it is timed against.
      description: what the file will say about itself.
      gain: what the caller of the model has to scale by.
      calibrated: number of training windows that set the ranges of its integers.
    """

    model: bytes
    float_model: bytes
    description: dict
    gain: Gain
    calibrated: int = 0

    @property
    def suffix(self) -> str:
        """How the file's name ends."""
        return '.onnx' if self.description['format'] == 'onnx' else '.tflite'


def load_single(workdir: str | pathlib.Path, step: str | int) -> Predictor:
    """The checkpoint of one run.

    Raises:
      CheckpointError: there is no checkpoint, there are several folds, or it is damaged.
    """
    if pathlib.Path(workdir).suffix in SUFFIXES:
        raise CheckpointError(f'{workdir} is exported already: name the workdir of launch.train')
    check_single(workdir)
    return Predictor(workdir, step)


def representative_inputs(
    predictor: Predictor, data_dir: str | None, count: int, gain: Gain, seed: int = 0
) -> np.ndarray:
    """Training inputs that calibrate an 8-bit model, float32 [N, 1, ...].

    Args:
      predictor: the checkpoint.
      data_dir: where its dataset lies now; None: where it lay.
      count: how many, drawn at random. Each class gives the same share, rounded up, or all it has if that is less.
      gain: what the caller of the model will scale by.
      seed: of the draw.

    Raises:
      ConfigError: fewer than 1.
    """
    if count < 1:
        raise ConfigError(f'`calibration`={count}: at least one training window sets the ranges of the integers')
    data = open_own_dataset(predictor, data_dir)
    rows = select_rows(predictor.config, data)[0].train
    labels = data.table[predictor.config.label_key][rows]
    rng = np.random.default_rng(seed)
    classes = np.unique(labels)
    of_class = [rng.permutation(rows[labels == k])[: -(-count // len(classes))] for k in classes]
    chosen = np.sort(np.concatenate(of_class))
    examples = RecordExamples(data, chosen, predictor.config.label_key, gain)
    return np.stack([examples[i]['inputs'][None] for i in range(len(examples))])


def make_model(predictor: Predictor, format: str, samples: Callable[[Gain], np.ndarray]) -> Exported:
    """Turns a checkpoint into a model.

    Scaling that was fitted on training data is folded into float models. An 8-bit model has one scale for its whole
    input: in a table with thousands of rpm beside hundredths of g, the small columns would vanish. So readings are
    standardised before they enter it, and the description and the C header give the numbers.

    Args:
      predictor: the checkpoint.
      format: one of FORMATS.
      samples: gain -> representative inputs; only called if activations are integers.
    """
    if format not in FORMATS:
        raise ConfigError(f'`format`={format}: it is one of {", ".join(FORMATS)}')
    model, variables, shape = predictor.network()
    # These runtimes have no kernels for bfloat16.
    model = in_float32(model)
    scaling = folded_scaling(predictor.front_end, predictor.gain)
    # Most front ends have a gain of 1, which folds into the model without changing it.
    folded = scaling is identity or (scaling is not None and format != 'tflite_int8')
    gain = neutral_gain(predictor.front_end, predictor.gain) if folded else predictor.gain
    scale = scaling if folded and scaling is not None else identity
    function = inference(model, variables, scale, predictor.temperature)
    float_model = to_flatbuffer(function, (1, *shape))
    content, calibrated = float_model, 0
    if format == 'onnx':
        content = to_onnx(function, shape)
    elif format == 'tflite_int8':
        inputs = samples(gain)
        content, calibrated = quantise_static(float_model, inputs), len(inputs)
    elif format == 'tflite_dynamic':
        content = quantise_dynamic(float_model)
    return Exported(content, float_model, describe_export(predictor, format, folded), gain, calibrated)


def describe_export(predictor: Predictor, format: str, folded: bool) -> dict:
    """What an exported file says about itself; JSON can hold it."""
    meta = {k: v for k, v in predictor.meta.items() if k not in NOT_EXPORTED}
    if reads_tables(predictor.front_end):
        # There are as many names as rows, which is more than the model itself; the splits follow from the config.
        meta['train_recordings'] = []
    return {
        'fdx': fdx.__version__,
        'format': format,
        'model': predictor.config.model,
        'step': predictor.step,
        'folded': folded,
        'input': input_text(predictor, folded),
        'class_names': predictor.class_names,
        'front_end': predictor.meta['front_end'],
        'gain': predictor.meta['gain'],
        'threshold': predictor.threshold,
        'meta': meta,
    }


def input_text(predictor: Predictor, folded: bool) -> str:
    """What goes into the model, in words."""
    front_end = predictor.front_end
    if reads_tables(front_end):
        columns = ', '.join(front_end.columns)
        return columns if folded else f'(reading - mean) / deviation of {columns}'
    scaled = '' if folded else ', times the gain of the checkpoint'
    return f'image of the front end {front_end.name}{scaled}'
