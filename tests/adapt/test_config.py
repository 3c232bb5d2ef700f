"""What a run of adaptation is told, and what it refuses."""

from __future__ import annotations

import json
import math

import pytest

from fdx.adapt.config import CRITERIA, DEFAULT_CRITERION, AdaptConfig
from fdx.adapt.methods import METHODS
from fdx.data.protocols.domain_names import DomainName
from fdx.types import ConfigError

PAIR = {'source': 'cwru/faults_12k-vggish:load0', 'target': 'cwru/faults_12k-vggish:load1+load2'}


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'method': 'magic'}, "method 'magic'; ... source_only, adabn, "),
        (
            {'select_by': 'oracle'},
            '`select_by`=oracle: ... source_risk, dev, snd, entropy, infomax, nuclear_norm, last',
        ),
        ({'weight': -0.5}, '`weight`=-0.5 ... 0 or above'),
        ({'weight': math.nan}, '`weight`=nan'),
        ({'weight': math.inf}, '`weight`=inf'),
        ({'radius': 0.0}, '`radius`=0.0 above 0'),
        ({'radius': math.nan}, '`radius`=nan'),
        ({'target_fold': -1}, '`target_fold`=-1'),
        ({'source': 'cwru'}, '`source`=cwru: ... builder/config:domain'),
        ({'target': 'cwru/faults_12k:'}, '`target`=cwru/faults_12k:: ... builder/config'),
        ({'target': 'a/b:load0:load1'}, '`target`=a/b:load0:load1: ... builder/config'),
    ],
)
def test_what_cannot_be_used_is_refused(says, changes, words):
    with pytest.raises(ConfigError) as caught:
        AdaptConfig(**{**PAIR, **changes})
    assert says(str(caught.value), words)


@pytest.mark.parametrize('method', METHODS)
def test_only_methods_that_saw_no_target_may_score_all_of_it(method):
    if method == 'source_only' or METHODS[method].needs_domains:
        assert AdaptConfig(**PAIR, method=method, score_all_target=True).score_all_target
        return
    with pytest.raises(ConfigError, match=f'`score_all_target`: {method} .*target'):
        AdaptConfig(**PAIR, method=method, score_all_target=True)


def test_the_factor_is_the_methods_own_unless_given():
    assert AdaptConfig(**PAIR, method='coral').factor() == 961.0
    assert AdaptConfig(**PAIR, method='coral', weight=0.25).factor() == 0.25


def test_names_and_json():
    plan = AdaptConfig(**PAIR)
    source = DomainName('cwru/faults_12k-vggish', ('load0',))
    assert plan.names() == (source, DomainName('cwru/faults_12k-vggish', ('load1', 'load2')))
    assert AdaptConfig(**json.loads(json.dumps(plan.to_json()))) == plan
    assert plan.select_by == DEFAULT_CRITERION
    assert DEFAULT_CRITERION in CRITERIA
