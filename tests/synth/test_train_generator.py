"""Training of a generator: what its checkpoint says, resuming, refusals and divergence."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from fdx.synth.sampler import load_sampler
from fdx.synth.step import HEALTH
from fdx.synth.train import DivergedError, _divergence_check, train_generator
from fdx.train.model_setup import load_run
from fdx.types import CheckpointError, ConfigError


def test_the_checkpoint_explains_itself(synthesis, make_config):
    meta = synthesis.sampler.meta
    assert (synthesis.sampler.step, len(synthesis.history)) == (8, 4)
    # 9 training windows of each class, the faults thinned to a third.
    assert meta['counts'] == {'normal': 9, 'inner_race': 3, 'outer_race': 3}
    assert meta['generator'] == json.loads(json.dumps(make_config().to_json()))
    assert meta['rows']['dataset'] == 'synth_room_tones/three-vggish:1.0.0'
    assert meta['rows']['imbalance'] == '1:3'
    assert {f'train_{name}' for name in HEALTH} <= set(synthesis.history[0])
    assert all(np.isfinite(list(row.values())).all() for row in synthesis.history)


def test_a_stopped_generator_goes_on_as_an_unbroken_one(synthesis, make_config, tmp_path):
    """Stopped by its number of updates; other ways to stop: tests/train/test_trainer.py."""
    train_generator(make_config(steps=4), tmp_path)
    history = train_generator(make_config(), tmp_path)
    strip = [{k: v for k, v in row.items() if k != 'seconds'} for row in history]
    assert strip == [{k: v for k, v in row.items() if k != 'seconds'} for row in synthesis.history]
    labels = np.array([0, 1, 2])
    mine, theirs = load_sampler(tmp_path).draw(labels), synthesis.sampler.draw(labels)
    assert mine.tobytes() == theirs.tobytes()
    lines = (tmp_path / 'metrics.jsonl').read_text().splitlines()
    assert [json.loads(line)['step'] for line in lines] == [2, 4, 6, 8]


def test_another_generator_is_refused_in_the_same_workdir(synthesis, make_config):
    """Every setting that counts: tests/train/test_same_run.py."""
    with pytest.raises(CheckpointError, match=r'another generator \(`seed`: 3 there, 4 now\): choose another'):
        train_generator(make_config(seed=4), synthesis.workdir)


def test_classifiers_and_generators_are_told_apart(synthesis, tmp_path):
    with pytest.raises(CheckpointError, match='a generator'):
        load_run(synthesis.workdir)
    with pytest.raises(CheckpointError, match='holds no finished checkpoint'):
        load_sampler(tmp_path)


def test_divergence_stops_with_a_message():
    check, row = _divergence_check((8, 8, 1)), {f'train_{name}': 1.0 for name in HEALTH}
    check({**row, 'step': 50})
    with pytest.raises(DivergedError, match=r'update 75: penalty nan. .*`learning_rate` lower .*`penalty` higher'):
        check({**row, 'train_penalty': float('nan'), 'step': 75})
    # Two images of 64 values in [-1, 1] are at most 16 apart.
    check({**row, 'train_wasserstein': 159.0, 'step': 75})
    with pytest.raises(DivergedError, match='-161, .*bound 160'):
        check({**row, 'train_wasserstein': -161.0, 'step': 75})


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'steps': 7}, r'`steps`=7 .*multiple of `log_every`=2'),
        ({'steps': 0}, '`steps`=0: .*at least 1'),
        ({'penalty': 0.0}, '`penalty`=0.0: .*above 0'),
        ({'ema_decay': 1.0}, r'`ema_decay`=1.0: .*lie in \[0, 1\)'),
        ({'imbalance': '20'}, '`imbalance`=20 .*neither a ratio'),
        ({'label_key': 'load'}, '`label_key`=load'),
    ],
)
def test_settings_that_cannot_be_used(make_config, changes, message):
    with pytest.raises(ConfigError, match=message):
        make_config(**changes)


def test_the_config_survives_json(make_config):
    config = make_config(exclude_recordings=('a', 'b'))
    assert type(config).from_json(json.loads(json.dumps(config.to_json()))) == config
    with pytest.raises(ConfigError, match='does not know the settings depth'):
        type(config).from_json({**config.to_json(), 'depth': 3})
    assert dataclasses.replace(config, width=3) != config
