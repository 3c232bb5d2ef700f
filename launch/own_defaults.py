"""Settings of a training on a user's own recordings, where no flag says otherwise."""

from __future__ import annotations

import dataclasses
import shlex
from typing import Any

from absl import flags

from fdx.data.collection.own import OWN_BUILDERS
from fdx.data.protocols.splits import folds_of
from fdx.data.source import open_dataset
from fdx.inspect.advisor import protocols_of_dataset
from fdx.train.config import TrainConfig
from fdx.train.few_recordings import by_size, settings_of, train_counts
from fdx.types import SplitError

FLAGS = flags.FLAGS


def is_own(dataset: str) -> bool:
    """Whether a dataset is made of the user's recordings."""
    return dataset.partition('/')[0] in OWN_BUILDERS


def of_own(config: TrainConfig) -> tuple[TrainConfig, str, list[str]]:
    """The config with sensible settings for the flags that were not given.

    Args:
      config: whose dataset is prepared.

    Returns:
      (config, value of --fold, lines for the user: the protocol with its reason, and the command with every setting).

    Raises:
      SplitError: no protocol can split the recordings; the text says what each of them lacks.
    """
    data = open_dataset(config.dataset, config.data_dir)
    found = protocols_of_dataset(data, config.label_key)
    # Whoever names a network gets the settings that suit networks in general.
    settings, lines = {} if FLAGS['model'].present else settings_of(data.front_end), []
    if 'model_options' in settings:
        settings['model_options'] |= config.model_options
    if not FLAGS['protocol'].present:
        if not found.right:
            lacking = '; '.join(f'{fit.name}: {fit.reason}' for fit in found.fits if not fit.possible)
            raise SplitError(f'{data.name}: {found.reason}. {lacking}')
        settings['protocol'] = found.right
        lines.append(f'protocol {found.right}: {found.reason}')
    fold = FLAGS.fold if FLAGS['fold'].present else 'all'
    of_protocol = dataclasses.replace(config, protocol=settings.get('protocol', config.protocol))
    folds = folds_of(of_protocol.protocol, data.table, config.label_key) if fold == 'all' else [int(fold)]
    settings = by_size(settings, train_counts(of_protocol, data, folds))
    settings = {k: v for k, v in settings.items() if k == 'model_options' or not FLAGS[k].present}
    if settings:
        lines.append(f'settings: {_as_command(settings, fold)}')
    return dataclasses.replace(config, **settings), fold, lines


def _as_command(settings: dict[str, Any], fold: str) -> str:
    """The settings as flags that can be pasted."""
    plain = {k: v for k, v in settings.items() if k != 'model_options'}
    words = [f'--{k}={v}' for k, v in {**plain, 'fold': fold}.items()]
    words += [f'--model_option={k}={v}' for k, v in settings.get('model_options', {}).items()]
    return ' '.join(map(shlex.quote, words))
