"""Where initial weights come from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.models.registry import MODELS
from fdx.train.model_setup import load_run, set_up_model
from fdx.train.run import train
from fdx.types import CheckpointError, ConfigError, WeightsError

VGGISH_INPUT = (96, 64, 1)
BACKBONE = ('stage1', 'stage2', 'stage3', 'stage4', 'fc1', 'fc2', 'embedding')


def test_a_run_gives_its_best_backbone_to_another_with_other_classes(
    make_config, unbroken, tmp_path, outcome, assert_same_trees
):
    """The head is fresh and of the new size; frozen, the backbone arrives in the new checkpoint untouched."""
    config = make_config(dataset='train_room_tones/two', init=str(unbroken.workdir), freeze='head', epochs=1)
    setup = set_up_model(config, 2, VGGISH_INPUT)
    assert (setup.start, sorted(setup.prefix['params']), sorted(setup.params)) == (7, sorted(BACKBONE), ['head'])
    assert setup.trained == 4 * 2 + 2
    assert setup.origin == f'{unbroken.workdir} step {unbroken.best_step} (train_room_tones/three-vggish:1.0.0)'
    train(config, tmp_path / 'run')
    variables, meta, _ = load_run(tmp_path / 'run', 'best')
    params = variables['params']
    assert_same_trees({k: params[k] for k in BACKBONE}, {k: unbroken.best[k] for k in BACKBONE})
    assert params['head']['kernel'].shape == (4, 2)
    assert meta['init'] == setup.origin


def test_a_fresh_head_depends_on_the_seed_and_not_on_the_run(make_config, unbroken):
    heads = [
        np.asarray(
            set_up_model(make_config(init=str(unbroken.workdir), seed=s), 3, VGGISH_INPUT).params['head']['kernel']
        )
        for s in (1, 1, 2)
    ]
    np.testing.assert_array_equal(heads[0], heads[1])
    assert np.abs(heads[0] - heads[2]).max() > 0.01
    assert np.abs(heads[0] - unbroken.best['head']['kernel']).max() > 0.01


def test_a_run_of_other_widths_does_not_fit(make_config, unbroken):
    config = make_config(init=str(unbroken.workdir), model_options={'width_multiplier': 1 / 64})
    with pytest.raises(
        WeightsError, match=r'do not fit the model(.|\n)*- embedding/bias \[2\]\n\+ embedding/bias \[4\]'
    ):
        set_up_model(config, 3, VGGISH_INPUT)


def test_a_run_of_another_model_is_refused(make_config, unbroken, monkeypatch):
    monkeypatch.setitem(MODELS, 'other', dataclasses.replace(MODELS['vggish']))
    with pytest.raises(ConfigError, match=r'holds a vggish, but `model` is other'):
        set_up_model(make_config(model='other', init=str(unbroken.workdir)), 3, VGGISH_INPUT)


def test_audioset_weights_are_for_vggish(make_config, monkeypatch):
    monkeypatch.setitem(MODELS, 'other', MODELS['vggish'])
    with pytest.raises(ConfigError, match='`init`=audioset .* vggish, .*`model`=other'):
        set_up_model(make_config(model='other', init='audioset'), 3, VGGISH_INPUT)


def test_neither_file_nor_run(make_config, tmp_path):
    for init in ('audio_set', str(tmp_path)):
        known = 'random, audioset, imagenet, imagenet_vgg16, musicnn_.*, imagenet_lite0, vgg16_hed, audioset_yamnet'
        with pytest.raises(ConfigError, match=f'neither {known}, a file .*workdir') as e:
            set_up_model(make_config(init=init), 3, VGGISH_INPUT)
        assert f'`init`={init} ' in str(e.value)


def test_a_run_without_a_finished_checkpoint(make_config, tmp_path):
    (tmp_path / 'checkpoints').mkdir(parents=True)
    with pytest.raises(CheckpointError, match='no finished checkpoint'):
        set_up_model(make_config(init=str(tmp_path)), 3, VGGISH_INPUT)
    (tmp_path / 'checkpoints' / '3').mkdir()
    with pytest.raises(CheckpointError, match=r'checkpoints/3 .*sha256\.json: .*put'):
        set_up_model(make_config(init=str(tmp_path)), 3, VGGISH_INPUT)
