"""The table of networks: one line a model.

A model is a linen module that
  - takes `num_classes` and its own options, `axis_name` among them;
  - has `STAGES`, the ordered names of its stages, the last one 'head', each holding the parameters of that name;
  - has `STEM`, a regular expression of its first layer's parameters;
  - is called as `model.apply(variables, x, train=, start=, stop=)` and returns (output, dict of named features).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import flax.linen as nn

from fdx.models.vggish import VGGish
from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class ModelSpec:
    """One entry of the table.

    Attributes:
      module: the linen module class.
      input_shape: shape of one example, e.g. (96, 64, 1).
      front_end: name of the front end that makes such examples.
    """

    module: Callable[..., nn.Module]
    input_shape: tuple[int, ...]
    front_end: str


MODELS: dict[str, ModelSpec] = {
    'vggish': ModelSpec(VGGish, (96, 64, 1), 'vggish'),
}


def model_names() -> list[str]:
    """Names that `create_model` accepts."""
    return sorted(MODELS)


def model_spec(name: str) -> ModelSpec:
    """The entry of a model; ConfigError names the known ones."""
    if name not in MODELS:
        raise ConfigError(f'unknown model {name!r}; fdx has: {", ".join(model_names())}')
    return MODELS[name]


def create_model(name: str, num_classes: int, **options) -> nn.Module:
    """Builds a network.

    Args:
      name: a key of MODELS.
      num_classes: size of the classifier, at least 1.
      **options: fields of the module, e.g. dropout_rate=0.5.

    Raises:
      ConfigError: unknown name, an option the model does not have, or num_classes < 1.
    """
    spec = model_spec(name)
    if num_classes < 1:
        raise ConfigError(f'num_classes={num_classes} for model {name!r}: at least one class is needed')
    fields = {f.name for f in dataclasses.fields(spec.module)} - {'parent', 'name', 'num_classes'}
    unknown = sorted(set(options) - fields)
    if unknown:
        raise ConfigError(f'model {name!r} has no option {", ".join(unknown)}; it has: {", ".join(sorted(fields))}')
    return spec.module(num_classes=num_classes, **options)
