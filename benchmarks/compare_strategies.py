"""Training strategies: which weights a run starts from and what it trains, as `launch.compare` names them."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Sequence

from fdx.data.source import Dataset
from fdx.names import check_name
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import FIRST_BLOCKS, TrainConfig
from fdx.types import ConfigError

# A name is a folder of the workdir and a column of the report.
_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]*')
# Strategies for which `train_norms` has a meaning; a freezing table says itself what trains.
NORM_CHOICE = ('head', 'first_last', FIRST_BLOCKS)


@dataclasses.dataclass(frozen=True)
class Strategy:
    """One way of training.

    Attributes:
      name: short, distinct, fit for a folder.
      freeze: `freeze` of TrainConfig: a preset or a file of rules.
      pretrained: whether it starts from the weights of `init`; else from random ones.
      words: what it does, for the report.
      train_norms: `train_norms` of TrainConfig.
    """

    name: str
    freeze: str
    pretrained: bool
    words: str
    train_norms: bool = False

    def config(self, base: TrainConfig) -> TrainConfig:
        """`base` (whose `init` names the weights) trained in this way; nothing else of the budget changes."""
        weights = {} if self.pretrained else {'init': 'random', 'weights_version': ''}
        return dataclasses.replace(base, freeze=self.freeze, train_norms=self.train_norms, **weights)


PRESETS = {
    s.name: s
    for s in (
        Strategy('full', 'none', True, 'all layers, pretrained weights'),
        Strategy('first_last', 'first_last', True, 'first and last layer only, the rest frozen'),
        Strategy('head', 'head', True, 'classifier only, the rest frozen'),
        Strategy('scratch', 'none', False, 'all layers, random weights'),
    )
}


def parse_strategies(texts: Sequence[str], *, has_weights: bool, train_norms: bool = False) -> list[Strategy]:
    """Strategies by name.

    Args:
      texts: full, first_last, head, scratch, first_blocks:N, the path of a file of freezing rules, or NAME:FILE.
      has_weights: whether there are pretrained weights to start from.
      train_norms: whether first_last, head and first_blocks:N train the batch norms, too.

    Returns:
      One Strategy for each text, in their order.

    Raises:
      ConfigError: none given, an unknown or doubled one, a name that cannot be a folder, or one that needs weights
        where there are none, or `train_norms` for strategies that it says nothing to.
    """
    if not texts:
        raise ConfigError(f'`strategies` is empty: name some of {", ".join(PRESETS)} or files of freezing rules')
    strategies = [_parse(text) for text in texts]
    names = [s.name for s in strategies]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ConfigError(f'`strategies`={",".join(texts)}: {", ".join(doubled)} is there twice; NAME:FILE renames one')
    needy = [s.name for s in strategies if s.pretrained]
    if needy and not has_weights:
        raise ConfigError(
            f'`init`=random: {", ".join(needy)} start from pretrained weights, so there must be some: `init`=imagenet '
            '(as in the study), audioset, a file of weights or the workdir of a run, or `pretrain_dataset`=NAME; '
            'from random weights there is only scratch'
        )
    if train_norms and not any(s.freeze.startswith(NORM_CHOICE) for s in strategies):
        raise ConfigError(
            '`train_norms` says what first_last, head and first_blocks:N train; `strategies` names none of them'
        )
    return [dataclasses.replace(s, train_norms=train_norms and s.freeze.startswith(NORM_CHOICE)) for s in strategies]


def _parse(text: str) -> Strategy:
    if text in PRESETS:
        return PRESETS[text]
    if re.fullmatch(f'{FIRST_BLOCKS}[0-9]+', text):
        count = int(text.removeprefix(FIRST_BLOCKS))
        words = f'the first {count} block{"s" * (count != 1)} frozen, the rest trained, pretrained weights'
        return Strategy(f'first_blocks_{count}', text, True, words)
    name, colon, file = text.partition(':')
    if not colon:
        name, file = pathlib.Path(text).stem, text
    if not pathlib.Path(file).is_file():
        raise ConfigError(
            f'`strategies`: {text!r} is none of {", ".join(PRESETS)}, first_blocks:N, nor a file of freezing rules, '
            'nor NAME:FILE with such a file'
        )
    if not _NAME.fullmatch(name) or name in PRESETS:
        raise ConfigError(
            f'`strategies`: {text!r} cannot be called {name!r}: write NAME:{file} with a NAME of letters, digits, '
            f'_ . and -, other than {", ".join(PRESETS)}'
        )
    check_name(name, f'`strategies`: {text!r}')
    return Strategy(name, file, True, f'freezing table {file}, pretrained weights')


def recordings_seen(init: str, dataset: Dataset) -> list[str]:
    """Recordings of a dataset that an fdx run, whose weights a comparison starts from, was trained on.

    Args:
      init: as of TrainConfig; weights that are no run of fdx are taken to have seen none.
      dataset: what is compared on.

    Raises:
      CheckpointError: a damaged run.
    """
    if not (pathlib.Path(init) / 'checkpoints').is_dir():
        return []
    checkpoints = Checkpoints(init)
    meta = checkpoints.meta(checkpoints.best_step())
    if meta['dataset']['name'].partition('/')[0] != dataset.name.partition('/')[0]:
        return []
    return sorted(set(meta['train_recordings']) & set(dataset.table['recording']))
