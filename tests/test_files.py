import dataclasses
import errno
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from fdx import files
from fdx.files import MAX_REASON, atomic_write_text, boundary, parse_json, reason_of, write_json
from fdx.types import ConfigError, DataError, FdxError


def test_atomic_write_text_makes_folders_and_replaces(tmp_path):
    path = tmp_path / 'a' / 'b' / 'note.txt'
    files.atomic_write_text(path, 'älter')
    files.atomic_write_text(path, 'new é\n')
    assert path.read_bytes() == 'new é\n'.encode()
    assert os.listdir(path.parent) == ['note.txt']


def test_written_files_have_the_mode_of_the_umask(tmp_path):
    plain, ours = tmp_path / 'plain', tmp_path / 'ours'
    plain.write_bytes(b'')
    files.atomic_write_bytes(ours, b'x')
    assert ours.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize('broken', ['replace', 'fsync'])
def test_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch, broken):
    path = tmp_path / 'results.json'
    path.write_text('old')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr(files.os, broken, fail)
    with pytest.raises(FdxError, match=r'results\.json.*disk full'):
        files.atomic_write_text(path, 'new')
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['results.json']


def test_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, 'replace', interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.atomic_write_bytes(tmp_path / 'x', b'1')
    assert os.listdir(tmp_path) == []


def test_a_parent_that_is_a_file_is_a_named_error(tmp_path):
    (tmp_path / 'f').write_text('keep')
    with pytest.raises(files.FileWriteError, match='choose another path'):
        files.atomic_write_text(tmp_path / 'f' / 'g', 'x')
    assert (tmp_path / 'f').read_text() == 'keep'


@dataclasses.dataclass
class Point:
    x: float
    where: pathlib.Path


@pytest.mark.parametrize(
    'value, expected',
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([1.0, np.nan, np.inf]), [1.0, None, None]),
        (float('-inf'), None),
        (jnp.arange(2), [0, 1]),
        (jnp.bfloat16(0.5), 0.5),
        (np.array(['a', 'b']), ['a', 'b']),
        ({3: (1, None), np.int32(4): 'x'}, {'3': [1, None], '4': 'x'}),
        ({'b', 'a'}, ['a', 'b']),
        (Point(float('nan'), pathlib.Path('p/q')), {'x': None, 'where': 'p/q'}),
    ],
)
def test_to_jsonable(value, expected):
    result = files.to_jsonable(value)
    assert result == expected
    assert type(result) is type(expected)
    json.dumps(result, allow_nan=False)


def test_to_jsonable_names_the_place():
    with pytest.raises(DataError, match=r"\['a'\]\[1\] is a complex"):
        files.to_jsonable({'a': [0, 1j]})
    with pytest.raises(DataError, match='complex128'):
        files.to_jsonable(np.array([1j]))
    with pytest.raises(DataError, match='the same as text'):
        files.to_jsonable({1: 0, '1': 0})


def test_write_json_is_sorted_strict_and_repeatable(tmp_path):
    files.write_json(tmp_path / 'a.json', {'b': np.nan, 'a': np.float32(1.5), 'ü': [1]})
    assert (tmp_path / 'a.json').read_text('utf-8') == '{\n  "a": 1.5,\n  "b": null,\n  "ü": [\n    1\n  ]\n}\n'


def test_write_json_of_a_bad_value_writes_nothing(tmp_path):
    with pytest.raises(DataError):
        files.write_json(tmp_path / 'a.json', {'f': object()})
    assert os.listdir(tmp_path) == []


def test_a_boundary_names_the_file_the_reason_and_the_remedy():
    with pytest.raises(DataError) as e, boundary('cannot read', 'x.bin', 'fetch it again', DataError):
        raise ValueError('line 1\n   line 2')
    assert str(e.value) == 'cannot read x.bin: line 1 line 2; fetch it again'
    assert isinstance(e.value.__cause__, ValueError)
    with pytest.raises(ConfigError, match=r'^as it is$'), boundary('a', 'b', 'c', DataError):
        raise ConfigError('as it is')
    with pytest.raises(KeyboardInterrupt), boundary('a', 'b', 'c', DataError):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ('error', 'reason'),
    [
        (OSError(errno.ENOSPC, 'No space left on device', 'x'), 'No space left on device'),
        (
            ValueError('x' * 500 + ' [OS error 28: ENOSPC No space left on device] ' + 'y' * 500),
            'No space left on device',
        ),
        (ValueError('x' * 500), 'x' * (MAX_REASON - 3) + '...'),
        (KeyError('a'), "'a'"),
        (ZeroDivisionError(), 'ZeroDivisionError'),
    ],
)
def test_reasons_are_short(error, reason):
    assert reason_of(error) == reason


def test_what_a_killed_write_left_goes_with_the_next_write_of_the_file(tmp_path):
    left, living = (tmp_path / f'.a.json.{digit * 32}.tmp' for digit in '01')
    others = [tmp_path / f'.b.json.{"0" * 32}.tmp', tmp_path / '.a.json.tmp', tmp_path / f'a.json.{"0" * 32}.tmp']
    for path in (left, living, *others):
        path.write_text('half')
    with living.open('rb') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        atomic_write_text(tmp_path / 'a.json', 'whole')
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / 'a.json', living, *others])
    atomic_write_text(tmp_path / 'a.json', 'whole')
    assert not living.exists()


def test_a_process_killed_while_it_writes_leaves_what_the_next_one_removes(tmp_path):
    code = (
        'import os, sys, signal; from fdx import files\n'
        'files.os.fsync = lambda fd: os.kill(os.getpid(), signal.SIGKILL)\n'
        'files.atomic_write_text(sys.argv[1], "half")'
    )
    done = subprocess.run([sys.executable, '-c', code, str(tmp_path / 'a.json')], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    atomic_write_text(tmp_path / 'a.json', 'whole')
    assert [p.name for p in tmp_path.iterdir()] == ['a.json']


def test_a_name_in_another_encoding_can_be_written(tmp_path):
    write_json(tmp_path / 'a.json', {'file': os.fsdecode(b'caf\xe9')})
    assert json.loads((tmp_path / 'a.json').read_text())['file'] == os.fsdecode(b'caf\xe9')


def test_json_that_is_nested_without_end_is_refused_whatever_the_recursion_limit():
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(10**6)  # as litert-converter leaves it
        for text in ('[' * 100_000, '{"a":' * 50_000, b'[' * 100_000):
            with pytest.raises(ValueError, match='nested'):
                parse_json(text)
    finally:
        sys.setrecursionlimit(limit)
    assert parse_json('{"a": ["[[[", {"b": [1.5, null]}]}') == {'a': ['[[[', {'b': [1.5, None]}]}
    assert parse_json('"' + '[' * 1000 + '\\""') == '[' * 1000 + '"'
    with pytest.raises(ValueError):
        parse_json(b'\xff\xfe')
