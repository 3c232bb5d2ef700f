"""Ctrl-C while own recordings are prepared: one line, exit code 130, nothing half-written, no lock, no process."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy.io import wavfile

from fdx.data.source import open_dataset

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name == 'nt', reason='signals of POSIX')
# A terminal's Ctrl-C signals the whole group of a program; here it comes with the fourth recording.
PROGRAM = """
import itertools, os, runpy, signal, sys
from fdx.data import processes
from fdx.data.collection import reading
signal.signal(signal.SIGINT, signal.default_int_handler)
count = itertools.count(1)
def interrupted(function):
    def wrapped(*args, **kwargs):
        if next(count) == 4:
            os.killpg(0, signal.SIGINT)
        return function(*args, **kwargs)
    return wrapped
if sys.argv.pop(1) == 'processes':
    reading.MANY_VALUES = reading.TASK_VALUES = 1
    reading.cores = lambda: 2
    processes._Worker.result = interrupted(processes._Worker.result)
else:
    reading._examples = interrupted(reading._examples)
runpy.run_module('launch.prepare', run_name='__main__', alter_sys=True)
"""


def _wait_for_group(number: int) -> None:
    """Returns when no process of the group is left: Python's own tracker of resources ends a moment after the last."""
    for _ in range(100):
        try:
            os.killpg(number, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError('a process is left')


@pytest.mark.parametrize('reads', ['itself', 'processes'])
def test_ctrl_c_leaves_nothing_but_what_was_there(call, tmp_path, reads):
    for label, hz in (('good', 300), ('ball', 1500)):
        (tmp_path / 'pumps' / label).mkdir(parents=True)
        for i in range(3):
            noise = np.random.default_rng([i, hz]).standard_normal(4000)
            wave = 3000 * (np.sin(2 * np.pi * hz * np.arange(4000) / 4000) + noise)
            wavfile.write(tmp_path / 'pumps' / label / f'{i}.wav', 4000, wave.astype(np.int16))
    data = tmp_path / 'data'
    own = ['datasets/recordings', '--config=pumps', f'--recordings={tmp_path / "pumps"}', f'--data_dir={data}']
    assert call('prepare', *own).code == 0
    there = sorted(path for path in data.rglob('*') if 'downloads' not in path.parts)
    # Other content is a new version, which the interrupted program begins.
    wavfile.write(tmp_path / 'pumps' / 'good' / '3.wav', 4000, np.arange(-2000, 2000, dtype=np.int16) ** 3)
    with subprocess.Popen(
        [sys.executable, '-c', PROGRAM, reads, *own],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert 'version 1.0.1 is made' in out
    lines = [line for line in err.replace('\r', '\n').split('\n') if line.startswith('error: ')]
    assert lines == ['error: interrupted'] and 'Traceback' not in err
    assert sorted(path for path in data.rglob('*') if 'downloads' not in path.parts) == there
    _wait_for_group(process.pid)
    # The old version is whole, and the same command goes through.
    assert open_dataset('recordings/pumps-band_mel', data).metadata['content_sha256']
    again = call('prepare', *own)
    assert again.code == 0 and 'recordings/pumps-band_mel:1.0.1: ' in again.out, again.err
