"""Flags: one for every setting, each with its help, none ignored, bad values refused in a line."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import subprocess
import sys

import pytest

from fdx.models.registry import MODELS
from fdx.train.config import TrainConfig
from fdx.types import ConfigError, FdxError
from launch import prepare_on_demand
from launch.config_flags import model_options

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Field -> (a flag with another value than the default, the value in TrainConfig).
CHANGED = {
    'dataset': ('--dataset=cwru/faults_12k', 'cwru/faults_12k'),
    'data_dir': ('--data_dir=elsewhere', 'elsewhere'),
    'label_key': ('--label_key=fault_type', 'fault_type'),
    'protocol': ('--protocol=by_bearing', 'by_bearing'),
    'fold': ('--fold=3', 3),
    'exclude_recordings': ('--exclude_recordings=a,b', ('a', 'b')),
    'labels_per_class': ('--labels_per_class=10', 10),
    'model': ('--model=another', 'another'),
    'model_options': ('--model_option=width_multiplier=0.25', {'width_multiplier': 0.25}),
    'dropout_rate': ('--dropout_rate=0.25', 0.25),
    'init': ('--init=audioset', 'audioset'),
    'allow_leak': ('--allow_leak', True),
    'freeze': ('--freeze=head', 'head'),
    'epochs': ('--epochs=9', 9),
    'batch_size': ('--batch_size=7', 7),
    'learning_rate': ('--learning_rate=1e-2', 0.01),
    'halve_every': ('--halve_every=0', 0),
    'l2': ('--l2=0', 0.0),
    'clip_norm': ('--clip_norm=1.5', 1.5),
    'select_by': ('--select_by=macro_f1', 'macro_f1'),
    'cache_features': ('--cache_features=off', 'off'),
    'compute_dtype': ('--compute_dtype=bfloat16', 'bfloat16'),
    'parallel': ('--parallel=mesh', 'mesh'),
    'save_every': ('--save_every=3', 3),
    'seed': ('--seed=42', 42),
    'weights_version': ('--weights_version=v1', 'v1'),
    'patience': ('--patience=7', 7),
    'balance': ('--balance=class_weight', 'class_weight'),
    'imbalance': ('--imbalance=1:20', '1:20'),
    'synthetic': ('--synthetic=synthetic/a', 'synthetic/a'),
    'threshold': ('--threshold=recall:0.9', 'recall:0.9'),
    'train_norms': ('--train_norms', True),
}
# Flags without which another flag would be ignored, and is refused.
COMPANIONS = {
    'weights_version': {'init': 'imagenet'},
    'train_norms': {'freeze': 'first_last'},
    'synthetic': {'balance': 'gan'},
}
DATASET = '--dataset=cwru/load0_12k'


@pytest.fixture
def config_of(call, tmp_path, monkeypatch):
    """The TrainConfig that launch.train makes of its flags; it stops before it touches any data."""
    configs = []

    def stop(*args):
        del args
        raise FdxError('config made')

    made = TrainConfig.__post_init__

    def remember(self):
        made(self)
        configs.append(self)

    monkeypatch.setattr(TrainConfig, '__post_init__', remember)
    monkeypatch.setattr(prepare_on_demand, 'prepare_if_missing', stop)

    def make(*argv: str) -> TrainConfig:
        configs.clear()
        done = call('train', *argv, f'--workdir={tmp_path / "run"}')
        assert done.error == 'error: config made'
        return configs[-1]

    return make


def test_defaults_are_those_of_the_config(config_of):
    assert config_of(DATASET) == TrainConfig(dataset='cwru/load0_12k')


def test_every_field_has_a_case_here():
    assert sorted(CHANGED) == sorted(f.name for f in dataclasses.fields(TrainConfig))


def test_every_flag_reaches_its_field(config_of, monkeypatch):
    monkeypatch.setitem(MODELS, 'another', MODELS['vggish'])
    default = TrainConfig(dataset='cwru/load0_12k')
    for name, (flag, value) in CHANGED.items():
        companions = COMPANIONS.get(name, {})
        changed = config_of(DATASET, flag, *(f'--{k}={v}' for k, v in companions.items()))
        assert getattr(changed, name) == value, name
        assert type(getattr(changed, name)) is type(getattr(default, name)), name
        assert changed == dataclasses.replace(default, **{name: value}, **companions)


def test_options_of_the_model_get_the_type_of_its_defaults(config_of):
    config = config_of(DATASET, '--model_option=width_multiplier=1', '--model_option=head_input=embedding_linear')
    assert config.model_options == {'width_multiplier': 1.0, 'head_input': 'embedding_linear'}
    assert isinstance(config.model_options['width_multiplier'], float)


@pytest.mark.parametrize(
    ('flag', 'allowed'),
    [
        ('--label_key=colour', 'label or fault_type'),
        ('--labels_per_class=-1', '0 for all'),
        ('--dropout_rate=1', '[0, 1)'),
        ('--epochs=0', 'at least 1'),
        ('--batch_size=0', 'at least 1'),
        ('--learning_rate=0', 'above 0'),
        ('--learning_rate=nan', 'a finite number'),
        ('--l2=inf', 'a finite number'),
        ('--seed=-1', 'from 0 to'),
        ('--seed=3000000000', 'from 0 to'),
        ('--halve_every=-2', '0 for never'),
        ('--l2=-1', '0 or above'),
        ('--clip_norm=-1', '0 (off) or above'),
        ('--select_by=luck', 'loss, macro_f1, accuracy, last'),
        ('--cache_features=maybe', 'auto, on, off'),
        ('--save_every=-1', 'number of epochs'),
        ('--fold=one', 'a number or all'),
        ('--fold=-1', 'a number or all'),
        ('--model_option=width_multiplier', 'a number'),
        ('--model_option=width_multiplier=wide', 'a number'),
        ('--model_option=width_multiplier=nan', 'a number'),
        ('--model_option=depth=3', 'width_multiplier, head_input'),
        ('--model_option=dropout_rate=0.1', 'width_multiplier, head_input'),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_flag_the_value_and_what_is_allowed(call, tmp_path, flag, allowed):
    done = call('train', DATASET, flag, f'--workdir={tmp_path / "run"}', f'--data_dir={tmp_path}')
    assert done.code == 1
    name, value = flag.split('=', 1)
    assert name in done.error and value in done.error and allowed in done.error
    assert not (tmp_path / 'run').exists()


def test_an_option_given_twice_is_refused(call, tmp_path):
    twice = ('--model_option=width_multiplier=1', '--model_option=width_multiplier=2')
    done = call('train', DATASET, *twice, f'--workdir={tmp_path}')
    assert 'width_multiplier is given twice' in done.error


@pytest.mark.parametrize(
    ('flag', 'known'),
    [
        ('--protocol=by_luck', 'time_blocks, by_recording'),
        ('--fold=5', 'folds 0 to 4'),
        ('--exclude_recordings=x7', 'x7, which the dataset does not hold'),
        ('--model=lenet', 'vggish'),
        ('--init=absent.safetensors', 'neither random, audioset'),
        ('--freeze=half', 'half'),
    ],
)
def test_names_that_do_not_exist_are_refused_with_those_that_do(call, train_args, tmp_path, flag, known):
    done = call('train', *train_args, flag, f'--workdir={tmp_path / "run"}')
    assert done.code == 1
    assert known in done.error


def test_no_dataset(call, tmp_path):
    assert '--dataset is needed, e.g. --dataset=cwru/load0_12k' in call('train', f'--workdir={tmp_path}').error


# How files are written.
OF_FORMATS = ('delimiter', 'decimal', 'header', 'time_column', 'time_unit', 'columns', 'dtype')
# Program -> (an example of its docstring, flags without a default).
PROGRAMS = {
    'train': (
        'python -m launch.train --dataset=',
        {'dataset', 'workdir', 'manual_dir', 'csv', 'group_column', 'coordinator', *OF_FORMATS},
    ),
    'evaluate': ('python -m launch.evaluate --checkpoint=', {'checkpoint', 'dataset', 'data_dir', 'out'}),
    'predict': (
        'python -m launch.predict --checkpoint=',
        {'checkpoint', 'sample_rate', 'variable', 'channel', 'hop_s', 'speed_rpm', 'bearing', 'out'}
        | {'known_orders', 'other_bearing', 'healthy', 'tachometer'}
        | {*OF_FORMATS, 'workdir', 'format', 'workers', 'watch_for_s'},
    ),
    'adapt': (
        'python -m launch.adapt --source=',
        {'source', 'checkpoint', 'target', 'workdir', 'manual_dir', *OF_FORMATS},
    ),
}
# Program -> flags without which it does not start; launch.predict has --zero_shot in place of its checkpoint, and
# launch.adapt takes one of --source and --checkpoint.
REQUIRED = {
    'train': ['workdir'],
    'evaluate': ['checkpoint'],
    'predict': [],
    'adapt': ['target', 'workdir'],
}


def flag_texts(help_text: str) -> dict[str, str]:
    """Flag -> its text, of absl's help."""
    section = help_text.partition('flags:')[2].partition('Try --helpfull')[0]
    # A long list of choices stands in a line of its own.
    parts = re.split(r'\n  --(?:\[no\])?(\w+):\s', section)
    return dict(zip(parts[1::2], (' '.join(p.split()) for p in parts[2::2])))


@pytest.mark.parametrize('program', PROGRAMS)
def test_help_teaches(call, program):
    example, without_default = PROGRAMS[program]
    done = call(program, '--help')
    assert example in done.out.partition('flags:')[0]
    texts = flag_texts(done.out)
    assert without_default <= set(texts)
    for name, text in texts.items():
        assert ('(default: ' in text) == (name not in without_default), name
        assert len(text.partition('(')[0]) > 15, name


def test_help_of_train_has_the_texts_of_the_config(call):
    texts = flag_texts(call('train', '--help').out)
    documented = ' '.join(TrainConfig.__doc__.split())
    for field in dataclasses.fields(TrainConfig):
        if field.name == 'model_options':
            assert 'NAME=VALUE' in texts['model_option']
        elif field.name == 'fold':
            assert 'or all' in texts['fold']
        else:
            shown = texts[field.name].partition(' (default: ')[0]
            assert f'{field.name}: {shown}' in documented
    assert "(default: '0.0005')" in texts['learning_rate']
    assert '--fold=all \\\n' in call('train', '--help').out


@pytest.mark.parametrize('program', PROGRAMS)
def test_unknown_and_missing_flags(call, program):
    missing = call(program)
    assert missing.code == 1
    named = re.findall(r'flag --(\w+)=None: Flag --\1 must have a value other than None', missing.err)
    assert named == REQUIRED[program]
    unknown = call(program, *(f'--{name}=x' for name in REQUIRED[program]), '--colour=red')
    assert unknown.code == 1
    assert "Unknown command line flag 'colour'" in unknown.err
    assert 'Traceback' not in missing.err + unknown.err


def test_a_forgotten_dash_and_a_text_for_a_number(call):
    assert "unexpected argument 'epochs=3'" in call('train', '--workdir=x', 'epochs=3').error
    done = call('train', '--workdir=x', '--epochs=three')
    assert (done.code, '--epochs=three' in done.err) == (1, True)


def test_the_same_in_a_process_of_its_own(tmp_path):
    command = [sys.executable, '-m', 'launch.evaluate', f'--checkpoint={tmp_path / "absent"}']
    env = {**os.environ, 'JAX_PLATFORMS': 'cpu'}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr.count('\n') == 1
    assert done.stderr.startswith(f'error: {tmp_path / "absent"} holds no checkpoints')


def test_every_network_can_end_after_a_stage():
    found = model_options('musicnn_vgg', ['stop_after=stage3', 'pool=global', 'pool_axis=1'])
    assert found == {'stop_after': 'stage3', 'pool': 'global', 'pool_axis': 1}
    with pytest.raises(ConfigError, match='pool=global'):
        model_options('musicnn_vgg', ['pool=global'])
