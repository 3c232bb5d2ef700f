"""What a checkpoint of domain adaptation holds and says."""

from __future__ import annotations

import dataclasses
from typing import Any

from fdx.adapt.config import AdaptConfig
from fdx.adapt.data import PARTS
from fdx.adapt.methods import get_method
from fdx.adapt.step import HEAD_BIAS, AdaptState
from fdx.data.familiar_fit import fit_familiar
from fdx.data.protocols.two_domains import TwoDomains
from fdx.models.staged import HEAD
from fdx.train.config import TrainConfig
from fdx.train.description import describe
from fdx.train.init_leak import check_init, entries_of
from fdx.train.learned_from import learned_from
from fdx.train.model_setup import ModelSetup
from fdx.train.same_run import ADAPTATION, SAME_CLASSIFIER
from fdx.train.trainer import Layout, network_of


def describe_adaptation(config: TrainConfig, plan: AdaptConfig, setup: ModelSetup, domains: TwoDomains) -> dict:
    """What the checkpoints say about the run: `describe` of the source, the shared classes, both domains, the plan."""
    meta = describe(config, setup, domains.source, domains.splits, domains.gain)
    of_source, of_target = (
        set(side.dataset.table['recording'][side.rows].tolist())
        for side in (domains.source_train, domains.target_train)
    )
    method = get_method(plan.method)
    seen = method.sees_target or method.target_statistics
    sides = [(config, domains.source_train), *([(_of_target(config, plan), domains.target_train)] if seen else [])]
    own = [
        learned_from(c, e.dataset.name, e.dataset.table, e.rows, e.dataset.metadata['common_rate_hz']) for c, e in sides
    ]
    # What is adapted to is not foreign. Its test windows are never looked at.
    looked_at = [domains.source_train, domains.source_validation, *([domains.target_train] if seen else [])]
    return {
        **meta,
        'familiar': fit_familiar([(e.dataset, e.rows) for e in looked_at], domains.gain).to_json(),
        'learned_from': [*own, *meta['learned_from'][1:]],
        'class_names': list(domains.classes),
        'splits': {name: len(getattr(domains, name)) for name in PARTS},
        'train_recordings': sorted(of_source | (of_target if seen else set())),
        'adaptation': {
            **plan.to_json(),
            'target_dataset': domains.target.name,
            'dropped': {side: list(names) for side, names in domains.dropped.items()},
        },
    }


def _of_target(config: TrainConfig, plan: AdaptConfig) -> TrainConfig:
    return dataclasses.replace(config, protocol=plan.target_protocol or config.protocol, fold=plan.target_fold)


def init_leak_of(
    config: TrainConfig, plan: AdaptConfig, setup: ModelSetup, domains: TwoDomains, meta: dict
) -> dict[str, Any]:
    """What the checkpoints say about a leak through the initial network; SplitError where it is not allowed."""
    seen = entries_of(setup.ancestor, config) if setup.ancestor else []
    of_target = _of_target(config, plan)
    found = [
        check_init(c, seen, e.dataset, {what: e.rows}, c.protocol)
        for c, e, what in (
            (config, domains.source_validation, 'source validation'),
            (of_target, domains.target_test, 'target test'),
        )
    ]
    worst = max(found, key=lambda leak: leak.share)
    return {'init_leak': dataclasses.asdict(worst), 'leaks': meta['leaks'] or bool(worst.reason)}


def rest_of(state: AdaptState) -> dict:
    """What only a resumed run needs, including the statistics of training, as a step may hold those of the target."""
    return {'opt': state.opt_state, 'extra': state.extra, 'teacher': state.teacher, 'stats': state.stats}


BEFORE = {
    **{'sets': 'shared', 'exclude_source_classes': [], 'exclude_target_classes': []},
    'classes': [],
    'warm_up': 0.0,
    'schedule': 'annealed',
    'patience': 0,
    'auto': False,
}


def _fields(variables: dict, rest: dict) -> dict:
    """The fields of an AdaptState that a step holds."""
    params = variables['params']
    if HEAD_BIAS in rest['teacher']:  # The stored network has another one.
        params = {**params, HEAD: {**params[HEAD], 'bias': rest['teacher'][HEAD_BIAS]}}
    return {
        'params': params,
        'stats': rest['stats'],
        'opt_state': rest['opt'],
        'extra': rest['extra'],
        'teacher': rest['teacher'],
    }


LAYOUT = Layout(
    network=network_of,
    rest=rest_of,
    fields=_fields,
    same=dataclasses.replace(
        SAME_CLASSIFIER,
        kind=ADAPTATION,
        # What runs did before there were these settings.
        settings={'adaptation': lambda stored: {**BEFORE, **stored}, **SAME_CLASSIFIER.settings},
    ),
)
