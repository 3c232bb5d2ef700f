"""The builders of fdx.datasets, found by name."""

from __future__ import annotations

import importlib

import tensorflow_datasets as tfds

from fdx.types import ConfigError


def builder_class(name: str) -> type[tfds.core.DatasetBuilder] | None:
    """The class `Builder` of fdx/datasets/NAME/NAME_dataset_builder.py; None where there is no such builder.

    TFDS registers a builder once per process and under the name of its module, so all of fdx imports builders with this
    function.

    Args:
      name: of the dataset, e.g. cwru.

    Raises:
      ModuleNotFoundError: the builder exists, but a module that it imports does not.
    """
    if not name.isidentifier():
        return None
    module = f'fdx.datasets.{name}.{name}_dataset_builder'
    try:
        return importlib.import_module(module).Builder
    except ModuleNotFoundError as e:
        if not module.startswith(e.name or '?'):
            raise
        return None


def known_builder(name: str, parameter: str, value: str) -> type[tfds.core.DatasetBuilder]:
    """As `builder_class`, with an error where there is no such builder.

    Args:
      name: of the dataset.
      parameter: the parameter that named it, for the message.
      value: the value of that parameter.

    Raises:
      ConfigError: there is no such builder.
    """
    found = builder_class(name)
    if found is None:
        raise ConfigError(f'`{parameter}`={value}: there is no builder datasets/{name}')
    return found
