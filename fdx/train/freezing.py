"""Which parameters train: ordered regex rules, each parameter covered by exactly one (laws 7 and 8).

A rule is a pair of a verb, `train` or `freeze`, and a regular expression that must match a parameter's whole path
(`stage3/conv1/kernel`). A file of rules has one a line, `#` starts a comment:

    freeze  stage[1-4]/.*
    train   (fc1|fc2|embedding|head)/.*
"""

from __future__ import annotations

import logging
import pathlib
import re
from collections.abc import Sequence

import flax.linen as nn
import flax.traverse_util
import jax
import numpy as np

from fdx.types import ConfigError

logger = logging.getLogger(__name__)

VERBS = ('train', 'freeze')
Rules = Sequence[tuple[str, str]]


def freezing_rules(freeze: str, model: nn.Module, *, train_norms: bool = False) -> Rules:
    """The rules of a preset, or of a file.

    Args:
      freeze: `none`; `head` (only the classifier trains); `first_last` (the stem and the classifier train); or the
        path of a rule file.
      model: names its stem in `STEM` and its batch norms in `NORMS`, regular expressions of parameter paths.
      train_norms: with `head` and `first_last`, whether the batch norms train too.

    Raises:
      ConfigError: neither a preset nor a file, a line that is no rule, or `train_norms` for a model without norms.
    """
    if freeze == 'none':
        return [('train', '.*')]
    if freeze in ('head', 'first_last'):
        trained = ['head/.*'] if freeze == 'head' else [model.STEM, 'head/.*']
        if train_norms and not model.NORMS:
            raise ConfigError(f'--train_norms: {type(model).__name__} has no batch norms')
        either = '|'.join([*trained, *([model.NORMS] if train_norms else [])])
        return [('train', either), ('freeze', f'(?!{either}).*')]
    path = pathlib.Path(freeze)
    if not path.is_file():
        raise ConfigError(f'--freeze={freeze} is neither none, head, first_last nor a file of rules')
    rules = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split('#')[0].split()
        if not words:
            continue
        if len(words) != 2 or words[0] not in VERBS:
            raise ConfigError(f'{path}, line {number}: {line.strip()!r}; a rule is `train REGEX` or `freeze REGEX`')
        rules.append((words[0], words[1]))
    return rules


def trainable_mask(params: dict, rules: Rules) -> dict:
    """A tree like `params` with True where a parameter trains.

    Raises:
      ConfigError: a regular expression that does not compile, a parameter that no rule or more than one covers, or
        rules that leave nothing to train.
    """
    try:
        patterns = [(verb, re.compile(regex)) for verb, regex in rules]
    except re.error as e:
        raise ConfigError(f'freezing rule {e.pattern!r} is no regular expression: {e}') from e
    flat = flax.traverse_util.flatten_dict(params, sep='/')
    mask, wrong = {}, []
    for path in flat:
        hits = [(verb, p.pattern) for verb, p in patterns if p.fullmatch(path)]
        if len(hits) == 1:
            mask[path] = hits[0][0] == 'train'
        else:
            wrong.append(f'{path}: ' + ('no rule' if not hits else ' and '.join(f'{v} {p}' for v, p in hits)))
    if wrong:
        raise ConfigError('every parameter needs exactly one freezing rule; not so: ' + '; '.join(wrong))
    if not any(mask.values()):
        raise ConfigError('the freezing rules leave no parameter to train')
    return flax.traverse_util.unflatten_dict(mask, sep='/')


def log_table(params: dict, mask: dict) -> int:
    """Logs every parameter with its shape and verb; returns the number of trained values."""
    flat, flags = (flax.traverse_util.flatten_dict(t, sep='/') for t in (params, mask))
    for path, value in flat.items():
        logger.info('%-6s %-28s %s', 'train' if flags[path] else 'freeze', path, tuple(np.shape(value)))
    return sum(int(np.prod(np.shape(v))) for path, v in flat.items() if flags[path])


def frozen_prefix(model: nn.Module, mask: dict) -> int:
    """Number of leading stages of the model that are wholly frozen: what can be computed once."""
    for i, stage in enumerate(model.STAGES):
        if any(jax.tree.leaves(mask.get(stage, {}))):
            return i
    return len(model.STAGES)


def frozen_norms(stats: dict, mask: dict) -> tuple[str, ...]:
    """Paths of the batch norms that are frozen: those of whose parameters none trains (law 7).

    Args:
      stats: batch statistics, one branch a stage; leaves are `mean` and `var`.
      mask: tree of the parameters of the same stages, True where they train.
    """
    norms = {path.rpartition('/')[0] for path in flax.traverse_util.flatten_dict(stats, sep='/')}
    flags = flax.traverse_util.flatten_dict(mask, sep='/')
    trained = {path.rpartition('/')[0] for path, train in flags.items() if train}
    return tuple(sorted(norms - trained))


def stop_frozen_gradients(params: dict, mask: dict) -> dict:
    """`params` through which no gradient flows into frozen leaves, whoever reads the gradients afterwards."""
    return jax.tree.map(lambda p, train: p if train else jax.lax.stop_gradient(p), params, mask)
