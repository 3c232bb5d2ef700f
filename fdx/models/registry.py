"""The table of networks: one line per model.

A model is a linen module that
  - takes `num_classes` and its own options, `axis_name` among them;
  - has `STAGES`, the ordered names of its stages, the last one 'head', each holding the parameters of that name. The
    class lists all stages; an instance whose options leave some out lists only its own;
  - has `STEM` and `NORMS`, regular expressions of its first layer's and its norms' parameters ('' without norms);
  - is called as `model.apply(variables, x, train=, start=, stop=)` and returns (output, dict of named features);
  - has `HAS_STATISTICS`: True where it keeps running statistics in 'batch_stats'. It then takes `mask` (float32 [B], 0
    for padding), and has the field `frozen_norms`, the paths of norms whose statistics do not change in training.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from fdx.models.band_linear import BandLinear
from fdx.models.band_mlp import BandMLP
from fdx.models.cnn1d import CNN1D
from fdx.models.cnn_small import CNNSmall
from fdx.models.efficientnet_lite0 import EfficientNetLite0
from fdx.models.evidence_judge import EvidenceJudge
from fdx.models.mlp import MLP
from fdx.models.musicnn_vgg import MusicnnVGG, depth_for
from fdx.models.precision import DTYPES, in_bfloat16
from fdx.models.resnet import ResNet50
from fdx.models.staged import Staged
from fdx.models.truncated import OPTIONS, is_truncated, truncated
from fdx.models.vgg16 import VGG16
from fdx.models.vggish import VGGish
from fdx.models.yamnet import YAMNet
from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class ModelSpec:
    """One entry of the table.

    Attributes:
      module: the linen module class.
      input_shape: shape of one example, e.g. (96, 64, 1); None stands for an axis of any length.
      front_end: name of a front end that makes such examples.
      channels: lengths of the last axis that are accepted where `input_shape` leaves it free; () for any.
      defaults: function that chooses options by the shape of the examples, where the user gives none; None if no option
        depends on it.
    """

    module: type[Staged]
    input_shape: tuple[int | None, ...]
    front_end: str
    channels: tuple[int, ...] = ()
    defaults: Callable[[tuple[int, ...]], dict[str, Any]] | None = None


MODELS: dict[str, ModelSpec] = {
    'band_linear': ModelSpec(BandLinear, (None, None, None), 'band_mel'),
    'band_mlp': ModelSpec(BandMLP, (None, None, None), 'musicnn'),
    'cnn1d': ModelSpec(CNN1D, (None, 1, None), 'waveform'),
    'cnn_small': ModelSpec(CNNSmall, (None, None, None), 'fault_orders'),
    'efficientnet_lite0': ModelSpec(EfficientNetLite0, (None, None, None), 'multi_resolution_mel', channels=(1, 3)),
    'evidence_judge': ModelSpec(EvidenceJudge, (None, None, 5), 'evidence'),
    'mlp': ModelSpec(MLP, (None,), 'readings'),
    'musicnn_vgg': ModelSpec(MusicnnVGG, (None, 96, 1), 'musicnn', defaults=depth_for),
    'resnet50': ModelSpec(ResNet50, (None, None, None), 'triaxial_mel', channels=(1, 3)),
    'vgg16': ModelSpec(VGG16, (None, None, None), 'scalogram', channels=(1, 3)),
    'vggish': ModelSpec(VGGish, (96, 64, 1), 'vggish'),
    'yamnet': ModelSpec(YAMNet, (None, None, 1), 'yamnet'),
}


def model_names() -> list[str]:
    """Names that `create_model` accepts."""
    return sorted(MODELS)


def model_spec(name: str) -> ModelSpec:
    """The entry of a model; ConfigError names the known ones."""
    if name not in MODELS:
        raise ConfigError(f'unknown model {name!r}; fdx has: {", ".join(model_names())}')
    return MODELS[name]


def check_input_shape(name: str, shape: tuple[int, ...]) -> None:
    """Checks that a model takes examples of `shape`, e.g. (128, 63, 3).

    Raises:
      ConfigError: unknown model, or another number of axes, size or number of channels; it names both shapes and the
        model's own front end.
    """
    spec = model_spec(name)
    wanted = ' x '.join('any' if n is None else str(n) for n in spec.input_shape)
    given = ' x '.join(map(str, shape))
    fits = len(shape) == len(spec.input_shape) and all(
        n >= 1 and w in (None, n) for n, w in zip(shape, spec.input_shape)
    )
    if not fits:
        raise ConfigError(
            f'model {name!r} takes examples of {wanted}, not {given}: its front end is '
            f'{spec.front_end!r}; models: {", ".join(model_names())}'
        )
    if spec.channels and shape[-1] not in spec.channels:
        raise ConfigError(
            f'model {name!r} takes {" or ".join(map(str, spec.channels))} channels, not {shape[-1]} (examples of '
            f'{given}): choose a front end or sensor axes that make as many'
        )


def options_for(name: str, input_shape: tuple[int, ...], options: dict[str, Any]) -> dict[str, Any]:
    """`options`, completed by those that the model derives from the shape of its examples."""
    defaults = model_spec(name).defaults
    return {**(defaults(input_shape) if defaults else {}), **options}


def create_model(name: str, num_classes: int, *, compute_dtype: str = 'float32', **options: Any) -> Staged:
    """Builds a network.

    Args:
      name: a key of MODELS.
      num_classes: size of the classifier, at least 1.
      compute_dtype: float32, or bfloat16 for matrix products and convolutions (fdx.models.precision).
      **options: fields of the module, e.g. dropout_rate=0.5; every network also takes those of
        `fdx.models.truncated.OPTIONS`, which end it after a stage.

    Raises:
      ConfigError: unknown name, an option the model does not have, num_classes < 1, or a `compute_dtype` that the
        model cannot have.
    """
    spec = model_spec(name)
    if num_classes < 1:
        raise ConfigError(f'num_classes={num_classes} for model {name!r}: at least one class is needed')
    fields = {f.name for f in dataclasses.fields(spec.module)} - {'parent', 'name', 'num_classes'}
    ends_early = is_truncated(options)
    unknown = sorted(set(options) - fields - (set(OPTIONS) if ends_early else {'stop_after'}))
    if unknown:
        known = ', '.join(sorted(fields | {'stop_after'}))
        raise ConfigError(f'model {name!r} has no option {", ".join(unknown)}; it has: {known}')
    if compute_dtype not in DTYPES:
        raise ConfigError(f'`compute_dtype`={compute_dtype!r}: it must be {" or ".join(DTYPES)}')
    module = spec.module
    if ends_early:
        module = truncated(module)
    else:
        options = {k: v for k, v in options.items() if k != 'stop_after'}
    if compute_dtype == 'bfloat16':
        module = in_bfloat16(module)
    return module(num_classes=num_classes, **options)
