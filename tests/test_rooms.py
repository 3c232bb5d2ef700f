"""Rooms import downwards only: the order of fdx's rooms, stated once and held against every import."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
# From the bottom up. A room may import those of lower levels; rooms of one level know nothing of each other.
LEVELS = (
    ('types', 'callable_room'),
    ('files', 'names', 'html'),
    ('locks',),
    ('signal', 'models', 'adapt.terms'),
    ('simulate',),
    ('data', 'weights'),
    ('datasets', 'train'),
    ('adapt', 'synth'),
    ('predict',),
    ('health',),
    ('explain',),
    ('evaluate',),
    ('inspect',),
    ('export',),
    ('api',),
    ('benchmarks',),
    ('launch',),
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
# Rooms that need even less than their level allows.
ONLY = {
    'signal': {'types'},
    'models': {'types'},
    'simulate': {'types', 'signal'},
    'adapt.terms': {'types'},
    'datasets': {'types', 'files', 'signal', 'simulate', 'data'},
}
# (importing room, imported room): why it is so today. Remove an entry with its last import.
ALLOWED = {
    ('weights', 'data'): 'published weights are fetched by the downloads of data',
}


def room_of(module: str) -> str | None:
    """The room of a module: 'fdx.data.raw.mat' -> 'data'; None for what is no part of fdx."""
    parts = module.split('.')
    if parts[0] in ('launch', 'benchmarks', 'datasets'):
        return parts[0]
    if parts[0] != 'fdx' or len(parts) == 1:
        return None
    return 'adapt.terms' if parts[1:3] == ['adapt', 'terms'] else parts[1]


def imports_of(path: pathlib.Path) -> Iterator[str]:
    """Modules that a file imports, at its top or inside functions, as absolute names."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = '.'.join(package[: len(package) - node.level + 1]) if node.level else ''
            module = '.'.join(filter(None, (base, node.module)))
            # `from fdx import launch` names a room, `from fdx.data.table import Table` a module and what is in it.
            yield from (f'{module}.{alias.name}' for alias in node.names)


def edges() -> dict[tuple[str, str], list[str]]:
    """(importing room, imported room) -> the files that do it."""
    found: dict[tuple[str, str], list[str]] = {}
    folders = (ROOT / name for name in ('fdx', 'datasets', 'launch', 'benchmarks'))
    for path in sorted(p for folder in folders for p in folder.rglob('*.py')):
        name = '.'.join(path.relative_to(ROOT).with_suffix('').parts)
        here = room_of(name)
        for module in imports_of(path):
            there = room_of(module)
            if here in (None, '__init__') or there in (None, here, '__version__'):
                continue
            found.setdefault((here, there), []).append(str(path.relative_to(ROOT)))
    return {edge: sorted(set(files)) for edge, files in found.items()}


@pytest.fixture(scope='module')
def found() -> dict[tuple[str, str], list[str]]:
    return edges()


def test_every_room_has_its_level(found):
    rooms = {room for edge in found for room in edge}
    assert rooms <= set(LEVEL), f'rooms without a level: {sorted(rooms - set(LEVEL))}'


def test_rooms_import_downwards_only(found):
    upwards = {edge: files for edge, files in found.items() if LEVEL[edge[0]] <= LEVEL[edge[1]] and edge not in ALLOWED}
    assert not upwards, '\n'.join(f'{a} imports {b}: {", ".join(files)}' for (a, b), files in upwards.items())
    gone = [edge for edge in ALLOWED if edge not in found]
    assert not gone, f'these are allowed and no longer needed: {gone}'


@pytest.mark.parametrize('room', sorted(ONLY))
def test_the_lowest_rooms_need_nothing_else(found, room):
    more = {there: files for (here, there), files in found.items() if here == room and there not in ONLY[room]}
    assert not more


def test_prediction_stands_without_evaluation_and_export(found):
    for above in ('evaluate', 'export', 'launch', 'benchmarks', 'api'):
        assert ('predict', above) not in found
    assert ('predict', 'data') in found and ('evaluate', 'predict') in found
    assert not [edge for edge in found if edge[1] == 'launch']
