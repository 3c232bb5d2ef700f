"""The wheel: one top-level name, and programs that run from any folder beside other people's packages."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import numpy as np
import pytest
import scipy.io.wavfile

import fdx

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROOMS = ('fdx', 'launch', 'datasets', 'benchmarks')
SHORT_OF_CODE = shutil.ignore_patterns('__pycache__')


def check_run(command: list, **options) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=240, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory) -> pathlib.Path:
    """Built from a copy: setuptools takes into a wheel what an older build left in build/."""
    source, out = tmp_path_factory.mktemp('source'), tmp_path_factory.mktemp('wheel')
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=SHORT_OF_CODE)
    for name in ('pyproject.toml', 'setup.py', 'README.md', 'LICENSE'):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check']
    check_run([*pip, 'wheel', '--quiet', '--no-deps', '--no-build-isolation', '--wheel-dir', out, source])
    (built,) = out.glob('*.whl')
    return built


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory) -> pathlib.Path:
    """A fresh environment with the wheel and a package named `datasets`; returns its folder of programs.

    It sees the packages of the one that runs the tests, so that nothing is downloaded.
    """
    home = tmp_path_factory.mktemp('fresh')
    check_run([sys.executable, '-m', 'venv', '--without-pip', home])
    scripts = home / ('Scripts' if os.name == 'nt' else 'bin')
    python = next(p for p in (scripts / 'python', scripts / 'python.exe') if p.exists())
    site = pathlib.Path(check_run([python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))']).strip())
    (site / 'tested.pth').write_text(sysconfig.get_path('purelib') + '\n')
    (site / 'datasets').mkdir()
    (site / 'datasets' / '__init__.py').write_text("OWNER = 'somebody else'\n")
    pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check', f'--python={python}']
    check_run([*pip, 'install', '--quiet', '--no-deps', '--no-index', wheel])
    return scripts


@pytest.fixture(scope='module')
def elsewhere(tmp_path_factory) -> dict:
    """How programs are started: from another folder, without the checkout's path."""
    environment = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'FDX_RAW_DATA')}
    return {'cwd': tmp_path_factory.mktemp('elsewhere'), 'env': environment}


def test_its_only_top_level_name_is_fdx(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {n.partition('/')[0] for n in names} == {'fdx', f'fdx-{fdx.__version__}.dist-info'}


def test_it_holds_every_module_and_every_file_that_a_module_reads(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    files = [p for room in ROOMS for p in (ROOT / room).rglob('*') if p.is_file() and '__pycache__' not in p.parts]
    inside = {p.relative_to(ROOT).as_posix() if p.parts[len(ROOT.parts)] == 'fdx' else f'fdx/{p.relative_to(ROOT)}'
              for p in files}  # fmt: skip
    assert inside - names == set()
    assert {'fdx/py.typed', 'fdx/datasets/cwru/files.csv', 'fdx/evaluate/templates/report.html.j2'} <= names


def test_it_lies_beside_a_package_named_datasets(installed, elsewhere):
    code = 'import datasets, fdx.datasets.cwru.files as f, fdx; print(datasets.OWNER, len(f.FILES) > 100, fdx.__file__)'
    owner, count, path = check_run([installed / 'python', '-c', code], **elsewhere).rsplit(maxsplit=2)
    assert (owner, count) == ('somebody else', 'True')
    assert pathlib.Path(path).is_relative_to(installed.parent)


def test_fdx_predict_runs_from_another_folder(installed, elsewhere):
    """A recording in which a spot of the outer race is passed: the fault orders say so without a checkpoint."""
    rate_hz, shaft_hz = 2000, 25.0
    turns = np.arange(8 * rate_hz) / rate_hz * shaft_hz
    bursts = 1 + 2 * (np.mod(turns * 3.585, 1) < 0.2)  # BPFO of that bearing
    signal = np.random.default_rng(4).standard_normal(len(turns)) * bursts
    scipy.io.wavfile.write(elsewhere['cwd'] / 'pump.wav', rate_hz, signal.astype(np.float32))
    flags = ['--zero_shot', '--bearing=skf_6205', f'--speed_rpm={60 * shaft_hz:g}', '--nowindows']
    lines = check_run([installed / 'fdx', 'predict', *flags, 'pump.wav'], **elsewhere).splitlines()
    (row,) = [json.loads(line) for line in lines]
    assert (row['file'], row['predicted']) == ('pump.wav', 'outer_race')


def test_every_program_and_study_can_be_imported(installed, elsewhere):
    """None of them reads a file that only a checkout has, or imports a room by its name in a checkout."""
    code = """
import importlib, pkgutil, fdx.benchmarks, fdx.launch
rooms = fdx.launch, fdx.benchmarks
names = [f'{room.__name__}.{m.name}' for room in rooms for m in pkgutil.iter_modules(room.__path__)]
print(*(importlib.import_module(name).__name__ for name in names))
"""
    names = check_run([installed / 'python', '-c', code], **elsewhere).split()
    expected = {f'fdx.{room}.{p.stem}' for room in ('launch', 'benchmarks') for p in (ROOT / room).glob('[a-z]*.py')}
    # The programs of the references run in PyTorch's own environment; the package alone is imported here.
    assert set(names) == expected | {'fdx.benchmarks.references'}


def test_fdx_prepare_knows_the_datasets_of_the_wheel(installed, elsewhere):
    """By their names: there is no folder datasets/ where it runs."""
    out = check_run([installed / 'fdx', 'prepare', 'motor_maintenance', '--config=small'], **elsewhere)
    assert 'Prepared already' not in out
    assert list((elsewhere['cwd'] / 'data' / 'motor_maintenance' / 'small').glob('*.*.*/dataset_info.json'))


def test_help_names_the_commands_of_the_installation(installed, elsewhere):
    help_of = [str(installed / 'fdx'), 'predict', '--help']  # absl ends with 1 after it
    out = subprocess.run(help_of, capture_output=True, text=True, timeout=240, **elsewhere).stdout
    assert 'fdx predict --checkpoint=' in out and '--speed_rpm' in out and 'python -m launch' not in out
