"""Programs called as a user calls them, but inside this process: jax is imported once."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import importlib.util
import io
import logging
import os
import pathlib
import runpy
import sys

import pytest
from absl import flags

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
def _own_flags():
    """Programs share names of flags: each run starts from absl's own ones."""
    state = flags.FLAGS.__dict__
    saved = {name: copy.copy(value) for name, value in state.items()}
    for name in list(flags.FLAGS):
        if not flags.FLAGS.find_module_defining_flag(name).startswith('absl.'):
            delattr(flags.FLAGS, name)
    try:
        yield
    finally:
        flags.FLAGS.unparse_flags()
        state.update(saved)


def run_program(program: str, *argv: object, cwd: pathlib.Path | None = None) -> Done:
    """`python -m launch.PROGRAM ARGV` in the folder `cwd`."""
    out, err, before = io.StringIO(), io.StringIO(), os.getcwd()
    level, argv_before = logging.getLogger('absl').level, sys.argv
    code = 0
    try:
        os.chdir(cwd or before)
        sys.argv = [program, *map(str, argv)]
        with _own_flags(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            runpy.run_module(f'launch.{program}', run_name='__main__', alter_sys=True)
    except SystemExit as e:
        code = 0 if e.code is None else e.code
    finally:
        os.chdir(before)
        sys.argv = argv_before
        logging.getLogger('absl').setLevel(level)
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
    """Prepared: the training machine, another one, and the training machine seen by another front end."""
    folder = tmp_path_factory.mktemp('data')
    rig.prepare(folder, 'rig_b_small', 'rig_a_small', 'rig_b_small-vggish_none')
    return folder


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
    ]


@pytest.fixture(scope='session')
def all_folds(train_args, tmp_path_factory) -> tuple[pathlib.Path, Done]:
    """A run of --fold=all: (workdir, what the program left)."""
    workdir = tmp_path_factory.mktemp('runs') / 'all'
    done = run_program('train', *train_args, '--fold=all', f'--workdir={workdir}')
    assert done.code == 0, done.err
    return workdir, done


@pytest.fixture(scope='session')
def leaking(train_args, tmp_path_factory) -> pathlib.Path:
    """A run of the protocol that leaks."""
    workdir = tmp_path_factory.mktemp('runs') / 'random'
    done = run_program('train', *train_args, '--protocol=random_windows', '--seed=3', f'--workdir={workdir}')
    assert done.code == 0, done.err
    return workdir
