"""The command `fdx`: one name for all programs."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import fdx
from launch.main import PROGRAMS, first_line

ROOT = pathlib.Path(__file__).resolve().parents[2]


def start(*args: str, module: str = 'launch.main') -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, '-m', module, *args], cwd=ROOT, capture_output=True, text=True, timeout=120
    )  # fmt: skip


def test_every_program_of_launch_is_listed():
    of_launch = {p.stem for p in (ROOT / 'launch').glob('*.py') if "__name__ == '__main__'" in p.read_text()}
    assert of_launch - {'main'} == set(PROGRAMS)


def test_help_has_a_line_for_each_and_starts_nothing():
    done = start('--help')
    assert (done.returncode, done.stderr) == (0, '')
    lines = dict(re.findall(r'^  (\w+)  +(\S.*)$', done.stdout, flags=re.MULTILINE))
    assert list(lines) == list(PROGRAMS)
    assert lines['predict'] == first_line('predict') != ''
    assert start().stdout == done.stdout
    assert start('--version').stdout == f'fdx {fdx.__version__}\n'


def test_an_unknown_program_is_an_error_with_the_nearest_name():
    done = start('pepare')
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr == "error: fdx has no program 'pepare'; did you mean prepare?\n"
    assert 'fdx --help' in start('xyz').stderr


def test_a_program_gets_its_arguments_and_its_exit_code_comes_back():
    """fetch-weights is fetch_weights; its error is that of `python -m launch.fetch_weights`."""
    done, same = start('fetch-weights', 'nothing'), start('nothing', module='launch.fetch_weights')
    assert done.returncode == same.returncode == 1
    assert done.stderr == same.stderr and done.stderr.startswith('error: ')


def test_commands_in_help_are_those_of_the_installation():
    """Imported as fdx.launch, as from a wheel, the texts name `fdx train`; in a checkout `python -m launch.train`."""
    assert 'fdx train --dataset=' in start('train', '--help', module='fdx.launch.main').stdout
    assert 'python -m launch.train --dataset=' in start('train', '--help').stdout
