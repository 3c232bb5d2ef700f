"""An exported model as a file that describes itself, and its key figures."""

from __future__ import annotations

import dataclasses

from fdx.export import onnx_file
from fdx.export.convert import Exported
from fdx.predict.backends import tflite_file


def file_content(exported: Exported) -> bytes:
    """What goes into the file: the model with its description inside."""
    package = onnx_file if exported.suffix == '.onnx' else tflite_file
    return package.with_description(exported.model, exported.description)


def file_summary(exported: Exported) -> dict:
    """Bytes, operators, types of tensors, input and output, for JSON; ONNX files lack some of these."""
    sizes = {'bytes': len(exported.model), 'float_bytes': len(exported.float_model)}
    if exported.suffix == '.onnx':
        return {**sizes, 'operators': onnx_file.operators_of(exported.model)}
    info = tflite_file.model_info(exported.model)
    return {
        **sizes,
        'operators': info.operators,
        'tensors': info.tensors,
        'full_integer': info.full_integer,
        'input': dataclasses.asdict(info.input),
        'output': dataclasses.asdict(info.output),
    }
