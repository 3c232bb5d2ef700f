"""Flags made from a dataclass: one flag a field, with the field's default and the text of its docstring."""

from __future__ import annotations

import dataclasses
import re

from absl import flags

from fdx.train.config import TrainConfig
from fdx.types import ConfigError


def _help_texts(cls: type) -> dict[str, str]:
    """Field -> text, from the Attributes section of a docstring."""
    section = (cls.__doc__ or '').partition('Attributes:')[2]
    pairs = re.findall(r'^      (\w+): (.*(?:\n        +.*)*)', section, flags=re.MULTILINE)
    return {name: ' '.join(text.split()) for name, text in pairs}


def define_train_flags(**defaults) -> None:
    """Defines a flag for every field of TrainConfig but model_options and fold; `defaults` override its defaults."""
    texts = _help_texts(TrainConfig)
    define = {str: flags.DEFINE_string, int: flags.DEFINE_integer, float: flags.DEFINE_float}
    for field in dataclasses.fields(TrainConfig):
        default = defaults.get(field.name, None if field.default is dataclasses.MISSING else field.default)
        if field.name == 'exclude_recordings':
            flags.DEFINE_list(field.name, list(default), texts[field.name])
        elif field.name not in ('model_options', 'fold'):
            define[type(default) if default is not None else str](field.name, default, texts[field.name])
    flags.DEFINE_multi_string('model_option', [], 'option of the model as NAME=VALUE, e.g. width_multiplier=0.25')
    flags.DEFINE_string('fold', '0', 'which fold of the protocol, or all: one run a fold, scored together')


def _literal(text: str):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {'true': True, 'false': False, 'none': None}.get(text.lower(), text)


def train_config() -> TrainConfig:
    """The TrainConfig that the parsed flags describe, with fold 0 where `--fold=all`."""
    values = {f.name: flags.FLAGS[f.name].value for f in dataclasses.fields(TrainConfig) if f.name != 'model_options'}
    if not values['dataset']:
        raise ConfigError('--dataset is needed, e.g. --dataset=cwru/load0_12k')
    pairs = [option.partition('=') for option in flags.FLAGS.model_option]
    if any(not sep for _, sep, _ in pairs):
        raise ConfigError(f'--model_option={flags.FLAGS.model_option}: write NAME=VALUE')
    fold = values['fold']
    if fold != 'all' and not fold.isdigit():
        raise ConfigError(f'--fold={fold}: a number or all')
    return TrainConfig(
        **{
            **values,
            'fold': 0 if fold == 'all' else int(fold),
            'exclude_recordings': tuple(values['exclude_recordings']),
            'model_options': {name: _literal(text) for name, _, text in pairs},
        }
    )
