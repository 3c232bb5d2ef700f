"""README and the site's pages: short, with links that lead somewhere and commands that exist."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = ROOT / 'README.md'
PAGES = [README, ROOT / 'WORKSPACE.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').rglob('*.md'))]
LONGEST_README = 150


def test_readme_is_short():
    assert len(README.read_text(encoding='utf-8').splitlines()) <= LONGEST_README


def test_readme_shows_the_ten_lines_that_a_test_runs():
    """tests/test_front_door.py runs docs/tutorials/ten_lines.py."""
    lines = (ROOT / 'docs' / 'tutorials' / 'ten_lines.py').read_text(encoding='utf-8').strip()
    assert f'```python\n{lines}\n```' in README.read_text(encoding='utf-8')
    assert len([line for line in lines.splitlines() if line.strip()]) <= 10


def test_readme_shows_the_way_of_own_recordings():
    """tests/launch/test_own_machine.py runs the same commands, as the tutorial has them."""
    text = README.read_text(encoding='utf-8').partition('**Your own folder of recordings.**')[2]
    block = text.split('```')[1].strip().splitlines()
    assert [line.split()[1] for line in block] == ['inspect', 'train', 'evaluate', 'predict']
    assert '--dataset=recordings/' in block[1] and '--recordings=' in block[1]


@pytest.mark.parametrize('page', PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_to_files(page):
    for target in re.findall(r'\]\(([^)#\s]+)(?:#[^)]*)?\)', page.read_text(encoding='utf-8')):
        if not target.startswith(('http:', 'https:')):
            assert (page.parent / target).exists(), f'{page.name} links to {target}'


@pytest.mark.parametrize('page', PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_named_programs_exist(page):
    text = page.read_text(encoding='utf-8')
    for name in set(re.findall(r'\blaunch\.([a-z_]+)', text)) - {'cli'}:
        assert (ROOT / 'launch' / f'{name}.py').is_file(), f'{page.name} names launch.{name}'
    for name in set(re.findall(r'^fdx ([a-z_]+) --', text, flags=re.MULTILINE)):
        assert (ROOT / 'launch' / f'{name}.py').is_file(), f'{page.name} names fdx {name}'


@pytest.mark.parametrize('page', PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_named_files_and_modules_exist(page):
    text = page.read_text(encoding='utf-8')
    for path in set(re.findall(r'`((?:fdx|tests|benchmarks|datasets|launch|docs)/[\w/.-]+\.(?:py|md|json))`', text)):
        # NAME stands for any name in instructions.
        assert 'NAME' in path or (ROOT / path).is_file(), f'{page.name} names {path}'
    for module in set(re.findall(r'^::: ([\w.]+)', text, flags=re.MULTILINE)):
        assert importlib.util.find_spec(module) is not None, f'{page.name} documents {module}'


def test_make_targets_that_pages_name_exist():
    targets = set(re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(encoding='utf-8'), flags=re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding='utf-8')
        named = set(re.findall(r'`make ([a-z-]+)`|^make ([a-z-]+)', text, flags=re.MULTILINE))
        assert {a or b for a, b in named} <= targets, page.name
