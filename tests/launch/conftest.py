"""Programs called as a user calls them, but inside this process: jax is imported once."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import io
import logging
import pathlib
import runpy
import sys

import jax
import jax.numpy as jnp
import pytest
from absl import flags

from fdx.evaluate import canvas
from fdx.models import create_model
from fdx.synth import networks
from fdx.weights.files import save_weights
from fdx.weights.structure import file_tree

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _load(name: str):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / 'tests' / f'{name}.py')
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@dataclasses.dataclass(frozen=True)
class Done:
    """What a program left: exit code, standard output and error; for absl's own exits code 1."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that starts with 'error: '."""
        lines = [line for line in self.err.replace('\r', '\n').split('\n') if line.startswith('error: ')]
        assert len(lines) == 1, self.err
        assert 'Traceback' not in self.err
        return lines[0]


@contextlib.contextmanager
def _own_flags(program: str):
    """Programs share names of flags: what this one defines is forgotten afterwards, the libraries' flags are kept."""
    try:
        yield
    finally:
        defined = flags.FLAGS.flags_by_module_dict()
        # prepare has a second face, with flags of its own, for own recordings.
        ends = (f'launch/{program}.py', 'launch.prepare_recordings')
        for flag in [f for module in defined if module.endswith(ends) for f in defined[module]]:
            delattr(flags.FLAGS, flag.name)
        flags.FLAGS.unparse_flags()


def _loggers() -> list[str]:
    return ['absl', 'fdx', *(name for name in logging.root.manager.loggerDict if name.startswith('fdx.'))]


def run_program(program: str, *argv: object) -> Done:
    """`python -m launch.PROGRAM ARGV`."""
    out, err = io.StringIO(), io.StringIO()
    # Programs make the library quieter; what they change is as it was afterwards, also of loggers that they create.
    levels, argv_before = {name: logging.getLogger(name).level for name in _loggers()}, sys.argv
    code = 0
    try:
        sys.argv = [program, *map(str, argv)]
        with _own_flags(program), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            runpy.run_module(f'launch.{program}', run_name='__main__', alter_sys=True)
    except SystemExit as e:
        code = 0 if e.code is None else e.code
    finally:
        sys.argv = argv_before
        for name in _loggers():
            logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope='session')
def call():
    """See run_program."""
    return run_program


@pytest.fixture(scope='session')
def rig():
    """tests/tiny_rig.py."""
    return _load('tiny_rig')


@pytest.fixture(scope='session')
def data_dir(rig, tmp_path_factory) -> pathlib.Path:
    """Prepared: the training machine, another one, and the training machine seen by other front ends."""
    folder = tmp_path_factory.mktemp('data')
    rig.prepare(folder, 'rig_b_small', 'rig_a_small', 'rig_b_small-vggish_none', 'rig_b_small-musicnn')
    return folder


@pytest.fixture(scope='session')
def music_cache(tmp_path_factory) -> pathlib.Path:
    """A cache of weights in which seeded random ones stand for musicnn's."""
    folder = tmp_path_factory.mktemp('cache')
    model = create_model('musicnn_vgg', 50, head_input='flatten')
    variables = model.init(jax.random.key(5), jnp.zeros((1, 187, 96, 1)))
    manifest = {'model': 'musicnn_vgg', 'origin': 'a test', 'source_sha256': '0' * 64, 'licence': 'ISC'}
    manifest['options'] = {'head_input': 'flatten'}
    save_weights(folder / 'musicnn-mtt.safetensors', file_tree(variables), manifest)
    return folder


@pytest.fixture
def shallow_gan(monkeypatch):
    """Generators and critics of one level, where their training is not the point; in full depth: tests/synth."""
    monkeypatch.setattr(networks, 'SMALLEST', 46)


@pytest.fixture
def no_index(monkeypatch, tmp_path):
    """No package index, and an empty cache of weights."""
    monkeypatch.setenv('PIP_NO_INDEX', '1')
    monkeypatch.delenv('PIP_FIND_LINKS', raising=False)
    monkeypatch.setenv('FDX_CACHE', str(tmp_path / 'empty_cache'))


@pytest.fixture(scope='session')
def train_args(rig, data_dir) -> list[str]:
    """Flags of a training that takes seconds."""
    return [
        '--dataset=bearing_rig/rig_b_small',
        f'--data_dir={data_dir}',
        f'--model_option=width_multiplier={rig.WIDTH}',
        '--freeze=head',
        '--epochs=2',
        '--batch_size=4',
        '--learning_rate=0.05',
    ]


@pytest.fixture(scope='session')
def all_folds(call, train_args, tmp_path_factory) -> tuple[pathlib.Path, Done]:
    """A run of --fold=all: (workdir, what the program left)."""
    workdir = tmp_path_factory.mktemp('runs') / 'all'
    done = call('train', *train_args, '--fold=all', f'--workdir={workdir}')
    assert done.code == 0, done.err
    return workdir, done


@pytest.fixture(scope='session')
def leaking(call, train_args, tmp_path_factory) -> pathlib.Path:
    """A run of the protocol that leaks."""
    workdir = tmp_path_factory.mktemp('runs') / 'random'
    done = call('train', *train_args, '--protocol=random_windows', '--seed=3', f'--workdir={workdir}')
    assert done.code == 0, done.err
    return workdir


@pytest.fixture(scope='module', autouse=True)
def small_pictures():
    """Figures are coarse and not laid out: fine ones, as in tests/evaluate, take a third of an evaluation's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, 'DPI', 30)
        patch.setattr(canvas, 'LAYOUT', None)
        yield
