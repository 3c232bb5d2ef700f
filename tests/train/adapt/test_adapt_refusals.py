"""What cannot be run on two domains is refused before anything is written."""

from __future__ import annotations

import dataclasses

import pytest

from fdx.adapt.run import load_parts, open_domains
from fdx.train.model_setup import set_up_model
from fdx.types import ConfigError


@pytest.mark.parametrize(
    ('method', 'changes', 'words'),
    [
        (
            'dann',
            {'halve_every': 2},
            '`halve_every`=2: ... `schedule` ... learning rate',
        ),
        ('dann', {'cache_features': 'on'}, '`cache_features`=on ... frozen'),
        ('dann', {'feature': 'middle'}, '`feature`=middle: ... stage1, '),
        ('adabn', {'freeze': 'first_last'}, '`method`=adabn: ... 3 batch norms ... frozen'),
        ('adabn', {'model': 'vggish', 'model_options': {'width_multiplier': 1 / 32}}, 'keeps no batch statistics'),
        ('dann', {'exclude_recordings': ('nobody',)}, '`exclude_recordings` ... nobody'),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_written(says, run, tmp_path, method, changes, words):
    with pytest.raises(ConfigError) as caught:
        run(tmp_path / 'run', method, **changes)
    assert says(str(caught.value), words)
    assert not (tmp_path / 'run').exists()


def test_a_part_without_windows_is_named(make):
    config, plan = make('mcc')
    domains = open_domains(config, plan)
    setup = set_up_model(config, 2, domains.source.input_shape)
    empty = dataclasses.replace(domains.target_test, rows=domains.target_test.rows[:0])
    with pytest.raises(ConfigError, match='^target test .*no windows .*choose another protocol'):
        load_parts(config, setup, dataclasses.replace(domains, target_test=empty), {})
