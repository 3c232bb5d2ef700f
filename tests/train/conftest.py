"""Fixtures of this room: a tiny prepared dataset, runs on it, and training in processes of its own."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import pathlib
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.data.source import open_dataset
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.model_setup import load_run
from fdx.train.run import train
from fdx.types import Recording

ROOT = pathlib.Path(__file__).resolve().parents[2]
RATE_HZ = 16000.0
TONES_HZ = {'normal': 500.0, 'inner_race': 1200.0, 'outer_race': 2500.0}
# Without the ReLU in front of the classifier a network this slim keeps a gradient everywhere.
SLIM = {'width_multiplier': 1 / 32, 'head_input': 'embedding_linear'}


def tone_in_noise(seed: int, name: str) -> Recording:
    time_s = np.arange(round(10.6 * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(seed).standard_normal(len(time_s))
    samples = (np.sin(2 * np.pi * TONES_HZ[name] * time_s) + 0.5 * noise).astype(np.float32)
    return Recording(samples[:, None], RATE_HZ, f'rec-{name}', name, name, f'bearing-{name}', 'lab')


class TrainRoomTones(VibrationBuilder, skip_registration=True):
    """A tone in noise for each class; 18 training, 6 validation and 6 test windows."""

    VERSION = tfds.core.Version('1.0.0')
    BUILDER_CONFIGS = [
        VibrationConfig(name='three-vggish', subset='three', with_waveform=False),
        VibrationConfig(name='two-vggish', subset='two', with_waveform=False),
    ]

    def class_names(self):
        names = list(TONES_HZ)
        return names if self.builder_config.subset == 'three' else names[:2]

    def fault_types(self):
        return self.class_names()

    def common_rate_hz(self):
        return RATE_HZ

    def recordings(self, dl_manager):
        del dl_manager
        return [tone_in_noise(i, name) for i, name in enumerate(self.class_names())]


@pytest.fixture(scope='session')
def data_dir(tmp_path_factory):
    """Folder in which train_room_tones/three and train_room_tones/two are prepared."""
    folder = tmp_path_factory.mktemp('tfds')
    for config in TrainRoomTones.BUILDER_CONFIGS:
        TrainRoomTones(data_dir=folder, config=config.name).download_and_prepare()
    return folder


@pytest.fixture(scope='session')
def dataset(data_dir):
    return open_dataset('train_room_tones/three', data_dir)


@pytest.fixture(scope='session')
def make_config(data_dir):
    """TrainConfig of a tiny run: 18 training windows in batches of 7 make 3 steps an epoch, the last one of 4."""

    def make(**changes) -> TrainConfig:
        base = TrainConfig(
            dataset='train_room_tones/three',
            data_dir=str(data_dir),
            model_options=SLIM,
            epochs=3,
            batch_size=7,
            learning_rate=2e-3,
            seed=3,
        )
        return dataclasses.replace(base, **changes)

    return make


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a finished run left: final and best parameters, the history without its seconds."""

    workdir: pathlib.Path
    params: dict
    best: dict
    best_step: int
    history: list[dict]
    stats: dict
    best_stats: dict


def read_outcome(workdir) -> Outcome:
    last, meta, _ = load_run(workdir, 'last')
    best, _, best_step = load_run(workdir, 'best')
    history = [{k: v for k, v in row.items() if k != 'seconds'} for row in meta['history']]
    stats = [v.get('batch_stats', {}) for v in (last, best)]
    return Outcome(pathlib.Path(workdir), last['params'], best['params'], best_step, history, *stats)


@pytest.fixture(scope='session')
def outcome():
    """Function workdir -> Outcome."""
    return read_outcome


@pytest.fixture(scope='session')
def unbroken(make_config, tmp_path_factory):
    """The run that stopped and resumed runs are compared with; nothing is frozen, dropout is on."""
    workdir = tmp_path_factory.mktemp('unbroken')
    train(make_config(), workdir)
    return read_outcome(workdir)


@pytest.fixture(scope='session')
def make_head_config(make_config, unbroken):
    """TrainConfig of a run that trains a new classifier on the frozen backbone of `unbroken`."""

    def make(**changes) -> TrainConfig:
        return make_config(**{'freeze': 'head', 'init': str(unbroken.workdir), 'learning_rate': 2e-2, **changes})

    return make


@pytest.fixture(scope='session')
def head_run(make_head_config, tmp_path_factory):
    """The run of `make_head_config`, on cached features: what variants of it are compared with."""
    workdir = tmp_path_factory.mktemp('head_run')
    train(make_head_config(), workdir)
    return read_outcome(workdir)


@pytest.fixture
def stored_step():
    """Function workdir, step -> its folder."""
    return lambda workdir, step: Checkpoints(workdir)._root / str(step)


@pytest.fixture
def assert_same_trees():
    """Fails unless two trees have the same structure and values; rtol=None: bit for bit."""

    def check(a, b, rtol=None, atol=0.0):
        assert jax.tree.structure(a) == jax.tree.structure(b)
        for (path, x), y in zip(jax.tree_util.tree_leaves_with_path(a), jax.tree.leaves(b)):
            where = jax.tree_util.keystr(path)
            if rtol is None:
                assert np.asarray(x).tobytes() == np.asarray(y).tobytes(), where
            else:
                np.testing.assert_allclose(x, y, rtol=rtol, atol=atol, err_msg=where)

    return check


@pytest.fixture
def start_program(tmp_path):
    """Starts program.py with a spec; returns the process, whose output is read by `communicate`."""
    started = []

    def start(spec: dict, *, devices: int = 1, script: str = 'program.py') -> subprocess.Popen:
        path = tmp_path / f'spec{len(started)}.json'
        path.write_text(json.dumps(spec))
        environment = os.environ | {
            'JAX_PLATFORMS': 'cpu',
            'XLA_FLAGS': f'{os.environ.get("XLA_FLAGS", "")} --xla_force_host_platform_device_count={devices}',
            'PYTHONPATH': str(ROOT),
        }
        process = subprocess.Popen(
            [sys.executable, str(pathlib.Path(__file__).with_name(script)), str(path)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def free_address():
    """127.0.0.1 with a port that nobody listens on."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return f'127.0.0.1:{s.getsockname()[1]}'


@pytest.fixture(scope='session')
def load_program():
    """Function FILE.py -> one of this folder's programs as a module, to run in this process."""
    with pytest.MonkeyPatch.context() as patch:

        def load(name: str):
            path = pathlib.Path(__file__).with_name(name)
            spec = importlib.util.spec_from_file_location(path.stem, path)
            module = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, path.stem, module)  # Linen looks a module's annotations up there.
            spec.loader.exec_module(module)
            return module

        yield load
