import dataclasses
import json
import os
import pathlib

import jax.numpy as jnp
import numpy as np
import pytest

from fdx import files
from fdx.types import DataError, FdxError


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
