"""Pins and ranges agree, and what the code imports is declared."""

from __future__ import annotations

import ast
import pathlib
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
ROOMS = ('fdx', 'launch', 'datasets', 'benchmarks')
# Part of TFDS's own command line, whose classes launch.prepare extends.
BY_WAY_OF_TFDS = {'simple-parsing', 'etils'}
# Only benchmarks/ compares fdx with them, in an environment of its own.
NEVER_IN_FDX = {'torch', 'torchvision', 'librosa', 'pywt'}


def pins(file: str) -> dict[str, Requirement]:
    lines = (line.partition('#')[0].strip() for line in (ROOT / file).read_text().splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith('-')]
    return {canonicalize_name(r.name): r for r in found}


def version_of(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    assert specifier.operator == '==', pin
    return specifier.version


def ranges(*extras: str) -> dict[str, Requirement]:
    texts = [*PROJECT['dependencies'], *(text for extra in extras for text in PROJECT['optional-dependencies'][extra])]
    return {canonicalize_name(Requirement(text).name): Requirement(text) for text in texts}


def test_every_pin_lies_in_its_range_and_every_range_has_a_pin():
    pinned, ranged = pins('requirements.txt'), ranges('dev')
    assert set(pinned) == set(ranged)
    outside = [str(pin) for name, pin in pinned.items() if version_of(pin) not in ranged[name].specifier]
    assert outside == []
    markers = {name: (str(pinned[name].marker), str(ranged[name].marker)) for name in pinned}
    assert [name for name, (pin, range_) in markers.items() if pin != range_] == []


def test_the_environment_of_the_onnx_extra_lies_in_its_ranges():
    pinned, ranged = pins('requirements-onnx.txt'), ranges('onnx')
    outside = [n for n, pin in pinned.items() if n in ranged and version_of(pin) not in ranged[n].specifier]
    assert outside == []
    assert {'jax2onnx', 'onnxruntime', 'orbax-checkpoint'} <= set(pinned)


@pytest.mark.parametrize('extra', ['gpu', 'tpu'])
def test_accelerators_are_of_the_same_jax(extra):
    (accelerated,) = PROJECT['optional-dependencies'][extra]
    assert Requirement(accelerated).specifier == ranges()['jax'].specifier


def imports_of(room: str) -> dict[str, pathlib.Path]:
    """Top-level name of every absolute import -> a file that has it."""
    found = {}
    for path in sorted((ROOT / room).rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            found |= {name.partition('.')[0]: path.relative_to(ROOT) for name in names}
    return found


@pytest.mark.parametrize('room', ROOMS)
def test_what_the_code_imports_is_declared(room):
    provided, declared = packages_distributions(), set(ranges('excel')) | BY_WAY_OF_TFDS
    others = {name: path for name, path in imports_of(room).items() if name not in {*sys.stdlib_module_names, *ROOMS}}
    # Only for type checkers, which bring it (`if TYPE_CHECKING:`); installed without them, fdx does not import it.
    others.pop('typing_extensions', None)
    if room == 'benchmarks':
        others = {name: path for name, path in others.items() if name not in NEVER_IN_FDX}
    undeclared = {
        name: path
        for name, path in others.items()
        if not declared & {canonicalize_name(d) for d in provided.get(name, [name])}
    }
    assert undeclared == {}


@pytest.mark.parametrize('room', ROOMS)
def test_rooms_are_imported_by_the_name_that_they_have_in_the_wheel(room):
    """Outside of a checkout `import datasets` finds a package of somebody else, and `import launch` nothing."""
    bare = {name: path for name, path in imports_of(room).items() if name in ROOMS and name != 'fdx'}
    assert bare == {}
