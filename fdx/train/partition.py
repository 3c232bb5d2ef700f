"""One way of being frozen: which parameters train, and everything that follows from it (laws 7 and 8).

Ordered regex rules cover each parameter exactly once. A rule is a pair of a verb, `train` or `freeze`, and a regular
expression that must match a parameter's whole path (`stage3/conv1/kernel`). A file of rules has one per line, and `#`
starts a comment:

    freeze  stage[1-4]/.*
    train   (fc1|fc2|embedding|head)/.*

The rules give a mask, a tree like the parameters that is True where they train. From the mask follow the frozen prefix
(leading stages that can be computed once), the frozen norms, and what a training step does with a frozen parameter: no
gradient flows into it, no gradient is sent between devices, and no update is added.
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
import optax

from fdx.models.staged import Staged
from fdx.train import parallel
from fdx.train.config import FIRST_BLOCKS, PRESETS, freezes_by_preset
from fdx.types import ConfigError

logger = logging.getLogger(__name__)

VERBS = ('train', 'freeze')
BLOCK = re.compile(r'(block|stage|conv)\d+')
Rules = Sequence[tuple[str, str]]


def freezing_rules(freeze: str, model: Staged, *, train_norms: bool = False) -> Rules:
    """The rules of a preset, or of a file.

    Args:
      freeze: `none`; `head` (only the classifier trains); `first_last` (the stem and the classifier train);
        `first_blocks:N` (the first N blocks and what stands in front of them are frozen, see `first_blocks`); or the
        path of a rule file.
      model: names its stem in `STEM`, its batch norms in `NORMS` and its constants in `CONSTANTS`, regular expressions
        of parameter paths. Presets never train a constant.
      train_norms: with the presets that freeze something, whether the batch norms train too.

    Raises:
      ConfigError: neither a preset nor a file, a line that cannot be read as a rule, a number of blocks that the model
        does not have, or `train_norms` for a model without norms.
    """
    if freeze == 'none' or freezes_by_preset(freeze):
        if train_norms and not model.NORMS:
            raise ConfigError(f'`train_norms`: {type(model).__name__} has no batch norms')
        either = '|'.join([*_trained_by_preset(freeze, model), *([model.NORMS] if train_norms else [])])
        if model.CONSTANTS:
            either = f'(?!({model.CONSTANTS})$)({either})'
        return [('train', either), ('freeze', f'(?!{either}).*')]
    path = pathlib.Path(freeze)
    if not path.is_file():
        raise ConfigError(f'`freeze`={freeze} is neither {", ".join(PRESETS)} nor a file of rules')
    rules = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split('#')[0].split()
        if not words:
            continue
        if len(words) != 2 or words[0] not in VERBS:
            raise ConfigError(f'{path}, line {number}: {line.strip()!r}; a rule is `train REGEX` or `freeze REGEX`')
        rules.append((words[0], words[1]))
    return rules


def _trained_by_preset(freeze: str, model: Staged) -> list[str]:
    """Regular expressions of what a preset trains, beside the norms and without the constants."""
    if freeze in ('none', 'head', 'first_last'):
        return {'none': ['.*'], 'head': ['head/.*'], 'first_last': [model.STEM, 'head/.*']}[freeze]
    return [f'{stage}/.*' for stage in model.STAGES[first_blocks(freeze, model) :]]


def first_blocks(freeze: str, model: Staged) -> int:
    """Number of leading stages that `first_blocks:N` freezes: those up to block N.

    Blocks are the stages that are numbered (block1 of vgg16, stage1 of vggish, resnet50 and others, conv1 of cnn1d); a
    stem in front of them is frozen with the first. Shao et al. (IEEE TII 15(4):2446, 2019) keep the lower levels of
    VGG16 in this way and fine-tune the higher ones.

    Raises:
      ConfigError: no number, or one that is not among the blocks of the model.
    """
    blocks = [i for i, stage in enumerate(model.STAGES) if BLOCK.fullmatch(stage)]
    text = freeze.removeprefix(FIRST_BLOCKS)
    if not blocks:
        raise ConfigError(
            f'`freeze`={freeze}: {model.NAME} has no numbered blocks; its stages are {", ".join(model.STAGES)}'
        )
    if not (text.isdecimal() and 1 <= int(text) <= len(blocks)):
        names = ', '.join(model.STAGES[i] for i in blocks)
        raise ConfigError(
            f'`freeze`={freeze}: {model.NAME} has the blocks {names}, so give {FIRST_BLOCKS}1 to '
            f'{FIRST_BLOCKS}{len(blocks)}'
        )
    return blocks[int(text) - 1] + 1


def trainable_mask(params: dict, rules: Rules) -> dict:
    """A tree like `params` with True where a parameter trains.

    Raises:
      ConfigError: a regular expression that does not compile, a parameter that no rule or more than one covers, or
        rules that leave nothing to train.
    """
    try:
        patterns = [(verb, re.compile(regex)) for verb, regex in rules]
    except re.error as e:
        raise ConfigError(f'the freezing rule {e.pattern!r} is not a regular expression: {e}') from e
    flat = flax.traverse_util.flatten_dict(params, sep='/')
    mask, wrong = {}, []
    for path in flat:
        hits = [(verb, p.pattern) for verb, p in patterns if p.fullmatch(path)]
        if len(hits) == 1:
            mask[path] = hits[0][0] == 'train'
        else:
            wrong.append(f'{path}: ' + ('no rule' if not hits else ' and '.join(f'{v} {p}' for v, p in hits)))
    if wrong:
        raise ConfigError('every parameter needs exactly one freezing rule; these have not: ' + '; '.join(wrong))
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
    """Paths of the frozen batch norms: those without a single parameter that trains (law 7).

    Args:
      stats: batch statistics, one branch per stage; leaves are `mean` and `var`.
      mask: tree of the parameters of the same stages, True where they train.
    """
    norms = {path.rpartition('/')[0] for path in flax.traverse_util.flatten_dict(stats, sep='/')}
    flags = flax.traverse_util.flatten_dict(mask, sep='/')
    trained = {path.rpartition('/')[0] for path, train in flags.items() if train}
    return tuple(sorted(norms - trained))


def split_stages(model: nn.Module, tree: dict, start: int) -> tuple[dict, dict]:
    """(stages before `start`, the others) of a tree with one branch per stage."""
    head = set(model.STAGES[:start])
    return {k: v for k, v in tree.items() if k in head}, {k: v for k, v in tree.items() if k not in head}


def split_variables(model: nn.Module, variables: dict, start: int) -> tuple[dict, dict]:
    """Variables of (the stages before `start`, the others); 'batch_stats' are kept where there are any."""
    parts = [{'params': part} for part in split_stages(model, variables['params'], start)]
    for part, stats in zip(parts, split_stages(model, variables.get('batch_stats', {}), start)):
        part.update({'batch_stats': stats} if stats else {})
    return parts[0], parts[1]


def join_variables(prefix: dict, params: dict, stats: dict) -> dict:
    """{'params': those of all stages}, and 'batch_stats' where there are any: undoes `split_variables`."""
    stats = {**prefix.get('batch_stats', {}), **stats}
    return {'params': {**prefix['params'], **params}, **({'batch_stats': stats} if stats else {})}


def stop_frozen_gradients(params: dict, mask: dict) -> dict:
    """`params` through which no gradient flows into frozen leaves, whoever reads the gradients afterwards."""
    return jax.tree.map(lambda p, train: p if train else jax.lax.stop_gradient(p), params, mask)


def mean_gradients(grads: dict, mask: dict) -> dict:
    """Means over the devices of the gradients of trained parameters; those of frozen ones are not sent around."""
    return jax.tree.map(lambda g, train: jax.lax.pmean(g, parallel.AXIS) if train else g, grads, mask)


def trained_leaves(tree: dict, mask: dict) -> list:
    """The leaves of a tree like `mask` that stand where a parameter trains."""
    return [leaf for leaf, train in zip(jax.tree.leaves(tree), jax.tree.leaves(mask)) if train]


def masked_optimiser(optimiser: optax.GradientTransformation, mask: dict) -> optax.GradientTransformation:
    """`optimiser` for trained parameters; frozen ones have no optimiser state and an update of zero."""
    labels = jax.tree.map(lambda train: 'train' if train else 'freeze', mask)
    return optax.multi_transform({'train': optimiser, 'freeze': optax.set_to_zero()}, labels)


def apply_updates(params: dict, updates: dict, mask: dict) -> dict:
    """Adds updates where `mask` is True; frozen leaves come back bit for bit (0.0 + -0.0 would not)."""
    return jax.tree.map(lambda p, u, train: p + u if train else p, params, updates, mask)
