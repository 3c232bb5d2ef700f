"""How programs start and end."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from absl import flags
from fdx.types import DataError
from launch.cli import run
flags.DEFINE_string('do', 'return', '')
def main(argv):
    do = flags.FLAGS.do
    if do == 'data': raise DataError('a.mat: no samples')
    if do == 'stop': raise KeyboardInterrupt
    if do == 'bug': raise ZeroDivisionError('a defect')
    while do == 'talk': print('a line', flush=True)
    print('ran', *argv[1:])
    return 3 if do == 'three' else None
run(main, positional={positional})
"""


def start(*args: str, positional: bool = False) -> subprocess.CompletedProcess:
    command = [sys.executable, '-c', PROGRAM.replace('{positional}', str(positional)), *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ('args', 'code', 'out', 'err'),
    [
        ([], 0, 'ran\n', ''),
        (['--do=three'], 3, 'ran\n', ''),
        (['--do=data'], 1, '', 'error: a.mat: no samples\n'),
        (['--do=stop'], 130, '', 'error: interrupted\n'),
        (
            ['do=data'],
            1,
            '',
            "error: unexpected argument 'do=data': flags are written --name=value (--help lists them)\n",
        ),
    ],
)
def test_exit_codes_and_messages(args, code, out, err):
    done = start(*args)
    assert (done.returncode, done.stdout, done.stderr) == (code, out, err)


def test_parameters_of_a_library_error_become_flags():
    """Only those that the program has; under the flag's own name where it differs from the parameter's."""
    program = """
import logging
from absl import flags
from fdx.types import DataError
from launch.cli import as_flags, run
flags.DEFINE_float('sample_rate', None, '')
flags.DEFINE_float('hop_s', None, '')
flags.DEFINE_multi_string('model_option', [], '')
def main(argv):
    logging.getLogger('fdx.signal.x').warning('give `hop_s` of %s', 3)
    print(as_flags('`header=no`'))
    raise DataError('a.mat: `hop_s`=0.1; `sample_rate_hz`, `hop_s=0.2 s`, `model_options`; `guard_s`, `pip install x`')
run(main)
"""
    done = subprocess.run([sys.executable, '-c', program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    *log, last = done.stderr.splitlines()
    assert done.stdout == '`header=no`\n'
    assert last == (
        'error: a.mat: --hop_s=0.1; --sample_rate, --hop_s=0.2 s, --model_option; `guard_s`, `pip install x`'
    )
    assert len(log) == 1 and log[0].endswith('give --hop_s of 3')


def test_prepare_knows_its_flags_without_absl():
    from launch.flag_words import dataclass_flags, in_flags
    from launch.prepare import Args

    known = dataclass_flags(Args)
    assert {'data_dir', 'manual_dir', 'csv', 'group_column', 'config', 'overwrite', 'file_format'} <= known
    assert in_flags('`csv`=a.csv, `front_end`', known) == '--csv=a.csv, `front_end`'


def test_positional_arguments_where_the_program_takes_them():
    done = start('a', 'b', positional=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, 'ran a b\n', '')


def test_home_is_expanded_in_every_flag_and_argument():
    """A shell expands it where it begins a word: not in --workdir=~/runs."""
    program = """
from absl import flags
from launch.cli import run
flags.DEFINE_string('workdir', None, '')
flags.DEFINE_string('data_dir', '~/data', '')
flags.DEFINE_string('init', None, '')
flags.DEFINE_list('checkpoints', [], '')
flags.DEFINE_multi_string('source', [], '')
flags.DEFINE_string('name', 'a~b', '')
flags.DEFINE_float('rate', 0.5, '')
def main(argv):
    f = flags.FLAGS
    print(f.workdir, f.data_dir, f.init, f.checkpoints, f.source, f.name, f.rate, argv[1:], f['data_dir'].present)
run(main, positional=True)
"""
    args = ['--workdir=~/runs', '--checkpoints=~/a,b,~', '--source=~/s', '~/file.wav', '~nobody_has_this_name/x']
    env = {**os.environ, 'HOME': '/home/me'}
    command = [sys.executable, '-c', program, *args]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, env=env)
    assert done.stdout == (
        "/home/me/runs /home/me/data None ['/home/me/a', 'b', '/home/me'] ['/home/me/s'] a~b 0.5 "
        "['/home/me/file.wav', '~nobody_has_this_name/x'] 0\n"
    )


def test_a_defect_keeps_its_traceback():
    done = start('--do=bug')
    assert done.returncode == 1
    assert 'Traceback' in done.stderr and 'ZeroDivisionError: a defect' in done.stderr


def test_a_closed_pipe_ends_a_program_quietly():
    """`| head -1` has read enough: no traceback, and the code that a shell reports of SIGPIPE."""
    command = [sys.executable, '-c', PROGRAM.replace('{positional}', 'False'), '--do=talk']
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == 'a line\n'
        process.stdout.close()
        assert process.stderr.read() == ''
        assert process.wait(timeout=60) == 141
