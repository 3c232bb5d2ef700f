"""Flags made from a dataclass: one flag per field, with the field's default and the text of its docstring."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from fdx.models.registry import model_spec
from fdx.models.truncated import OPTIONS
from fdx.train.config import TrainConfig
from fdx.types import ConfigError

# With this, absl shows the flags defined here in the --help of the program that calls.
flags.disclaim_key_flags()

MAX_SEED = 2**31
# Fields whose flag is not the field itself.
_SPECIAL = ('model_options', 'fold')
# Fields of a model that are not options: the run sets them.
_SET_BY_RUN = ('num_classes', 'dropout_rate', 'axis_name', 'frozen_norms', 'parent', 'name')


def _help_texts(cls: type) -> dict[str, str]:
    """Field -> text, from the Attributes section of a docstring."""
    section = (cls.__doc__ or '').partition('Attributes:')[2]
    pairs = re.findall(r'^      (\w+): (.*(?:\n        +.*)*)', section, flags=re.MULTILINE)
    return {name: ' '.join(text.split()) for name, text in pairs}


def define_fields(
    cls: type, *, skip: Sequence[str] = (), choices: Mapping[str, Sequence[str]] | None = None, **defaults
) -> None:
    """Defines a flag for every field of a dataclass.

    Args:
      cls: its docstring describes every field under Attributes.
      skip: fields that get no flag.
      choices: field -> the only values that its flag takes.
      **defaults: replace the fields' own; a field without a default has None.
    """
    texts = _help_texts(cls)
    define = {
        str: flags.DEFINE_string,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        bool: flags.DEFINE_bool,
        tuple: lambda name, default, text: flags.DEFINE_list(name, list(default), text),
    }
    for field in dataclasses.fields(cls):
        default = defaults.get(field.name, None if field.default is dataclasses.MISSING else field.default)
        if field.name in skip:
            continue
        if choices and field.name in choices:
            flags.DEFINE_enum(field.name, default, list(choices[field.name]), texts[field.name])
        else:
            define[type(default) if default is not None else str](field.name, default, texts[field.name])


def field_values(cls: type, *, skip: Sequence[str] = ()) -> dict[str, Any]:
    """Field -> what its parsed flag holds; ConfigError for a number that is not finite."""
    values = {f.name: flags.FLAGS[f.name].value for f in dataclasses.fields(cls) if f.name not in skip}
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f'--{name}={value}: a finite number')
    return values


def define_train_flags(*, skip: Sequence[str] = (), **defaults) -> None:
    """Defines a flag for every field of TrainConfig; `defaults` override its defaults, fields in `skip` get no flag.

    `--model_option` (repeated) stands for the field model_options, and `--fold` also takes `all`.
    """
    define_fields(TrainConfig, skip=(*_SPECIAL, *skip), **defaults)
    flags.DEFINE_multi_string('model_option', [], 'option of the model as NAME=VALUE, e.g. width_multiplier=0.25')
    if 'fold' not in skip:
        flags.DEFINE_string('fold', '0', 'which fold of the protocol, or all: one run a fold, scored together')


def train_config(**given) -> TrainConfig:
    """The TrainConfig that the parsed flags describe, with fold 0 where `--fold=all`.

    Args:
      **given: fields that have no flag.

    Raises:
      ConfigError: a value cannot be used; the text names the flag.
    """
    values = {**field_values(TrainConfig, skip=('model_options', *given)), **given}
    if not values['dataset']:
        raise ConfigError('--dataset is needed, e.g. --dataset=cwru/load0_12k')
    fold = str(values['fold'])
    if fold != 'all' and not fold.isdecimal():
        raise ConfigError(f'--fold={fold}: a number or all')
    if not 0 <= values['seed'] < MAX_SEED:
        raise ConfigError(f'--seed={values["seed"]}: a whole number from 0 to {MAX_SEED - 1}')
    return TrainConfig(
        **{
            **values,
            'fold': 0 if fold == 'all' else int(fold),
            'exclude_recordings': tuple(values['exclude_recordings']),
            'model_options': model_options(values['model'], flags.FLAGS.model_option),
        }
    )


def model_options(model: str, given: list[str]) -> dict[str, Any]:
    """NAME=VALUE texts as options of the model, each converted to the type of the model's default; else ConfigError."""
    fields = {f.name: f.default for f in dataclasses.fields(model_spec(model).module) if f.name not in _SET_BY_RUN}
    fields = {**OPTIONS, **fields} if any(text.startswith('stop_after=') for text in given) else fields
    options: dict[str, Any] = {}
    for text in given:
        name, _, value = text.partition('=')
        if name not in fields:
            raise ConfigError(f'--model_option={text}: write NAME=VALUE; {model} has the options {", ".join(fields)}')
        if name in options:
            raise ConfigError(f'--model_option={text}: {name} is given twice')
        options[name] = _as_type_of(fields[name], value, text)
    return options


def _as_type_of(default: Any, value: str, text: str) -> Any:
    if isinstance(default, bool):
        known = {'true': True, 'false': False}
        if value.lower() not in known:
            raise ConfigError(f'--model_option={text}: the value is true or false')
        return known[value.lower()]
    if isinstance(default, tuple):
        return tuple(_as_type_of(default[0], part, text) for part in value.split(','))
    if not isinstance(default, (int, float)):
        return value
    try:
        number = type(default)(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        kind = 'a whole number' if isinstance(default, int) else 'a number'
        raise ConfigError(f'--model_option={text}: the value is {kind}, like the default {default}')
    return number
