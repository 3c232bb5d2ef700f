"""JAX functions to TensorFlow Lite models, float or 8-bit, without TensorFlow.

The only file that knows the low-level entry points of litert-converter and litert-quantizer, whose releases are pinned
for that. A function is lowered to StableHLO, which the converter turns into a flatbuffer; the quantizer then rewrites
that. Calibration keeps the smallest and the largest value of every tensor: the quantizer's own moving average forgets
extremes (an MLP's correlation with its float original fell from 0.998 to 0.839).
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from litert_converter import converter_api_ext
from litert_converter.mlir import ir, passmanager
from litert_converter.tools import model_utils
from litert_quantizer import calibrator, quantizer, recipe, recipe_manager
from litert_quantizer.utils import qsv_utils

from fdx.models.conv import textbook_forms
from fdx.predict.backends.quiet import quiet_stderr
from fdx.types import DataError

SIGNATURE, INPUT, OUTPUT = 'serving_default', 'input', 'probabilities'


def to_flatbuffer(function: Callable[[jax.Array], jax.Array], input_shape: Sequence[int]) -> bytes:
    """A float32 TensorFlow Lite model that computes `function`.

    Args:
      function: of one array of `input_shape`; what it closes over becomes constants of the model.
      input_shape: whole, the batch axis included.

    Returns:
      The flatbuffer; its signature `serving_default` has the input `input` and the output `probabilities`.
    """
    with textbook_forms():
        lowered = jax.jit(function).lower(jax.ShapeDtypeStruct(tuple(input_shape), jnp.float32))
    bytecode = io.BytesIO()
    stablehlo = lowered.compiler_ir('stablehlo')
    if stablehlo is None:
        raise DataError('JAX gives no StableHLO for this function on this platform: export on a CPU')
    stablehlo.operation.write_bytecode(bytecode)
    context = ir.Context()
    converter_api_ext.prepare_mlir_context(context)
    with context:
        module = ir.Module.parse(bytecode.getvalue())
        config = converter_api_ext.ConvertToTFLConfig()
        config.model_origin_framework = 'JAX'
        converter_api_ext.set_signature(module.operation, SIGNATURE, [INPUT], [OUTPUT])
        converter_api_ext.run_convert_to_tfl_passes(module, passmanager.PassManager(), config)
        return model_utils.write_flatbuffer(module)


def quantise_static(model: bytes, samples: np.ndarray) -> bytes:
    """The model with 8-bit weights (one scale per channel) and 8-bit activations, input and output included.

    Args:
      model: a float model.
      samples: representative inputs, float32 [N, 1, ...]: their extremes set the range of every tensor.

    Raises:
      DataError: there are no samples, or some are not finite.
    """
    if not len(samples) or not np.isfinite(samples).all():
        raise DataError(f'{len(samples)} representative samples: there must be some, all finite')
    rules = recipe.static_wi8_ai8()
    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(rules)
    with _quiet():
        observer = calibrator.Calibrator(model, num_threads=2, qsv_update_func=qsv_utils.min_max_update)
        observer.calibrate({SIGNATURE: [{INPUT: sample} for sample in samples]}, manager)
        made = quantizer.Quantizer(model, rules).quantize(
            observer.get_model_qsvs(), enable_progress_bar=False, enable_progress_report=False
        )
    return bytes(made.quantized_model)


def quantise_dynamic(model: bytes) -> bytes:
    """The model with 8-bit weights and float activations, which the runtime quantises while it runs."""
    with _quiet():
        made = quantizer.Quantizer(model, recipe.dynamic_wi8_afp32()).quantize(
            enable_progress_bar=False, enable_progress_report=False
        )
    return bytes(made.quantized_model)


@contextlib.contextmanager
def _quiet():
    """Without the quantizer's own progress bar, and its runtime's warning that keeping all tensors takes memory."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()), quiet_stderr():
        warnings.simplefilter('ignore')
        yield
