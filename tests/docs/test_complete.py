"""The pages name everything that there is: programs, models, front ends, protocols, formats, columns, datasets."""

from __future__ import annotations

import pathlib

import pytest

from fdx.data.collection.columns import FIELDS
from fdx.data.protocols.splits import PROTOCOLS
from fdx.data.raw.files import KNOWN_SUFFIXES
from fdx.models.registry import MODELS
from fdx.signal.front_ends import BASES
from fdx.simulate import CONFOUNDERS, NOISE_ONLY
from launch.main import PROGRAMS

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs'
# A sound file is a sound file: the page names the usual ones.
ALIKE = {'.aiff', '.aifc', '.oga', '.opus', '.mp3', '.w64', '.caf', '.au'}


def first_cells(page: str) -> set[str]:
    """The first cell of every row of the page's tables."""
    lines = (DOCS / page).read_text(encoding='utf-8').splitlines()
    return {line.split('|')[1].strip() for line in lines if line.startswith('|')}


def named(page: str) -> str:
    return ' '.join(first_cells(page))


@pytest.mark.parametrize(
    ('page', 'names'),
    [
        ('models.md', MODELS),
        ('programs.md', [*BASES, *PROTOCOLS]),
        ('datasets/recordings.md', FIELDS),
        ('decisions/simulate.md', [*CONFOUNDERS, NOISE_ONLY]),
    ],
    ids=['models', 'front ends and protocols', 'columns', 'confounders'],
)
def test_tables_have_a_row_for_every_name(page, names):
    assert [name for name in names if f'`{name}`' not in named(page)] == []


def test_every_program_has_a_row():
    words = named('programs.md').replace('`', ' ').replace(',', ' ').split()
    assert [name for name in PROGRAMS if name not in words] == []


def test_every_format_has_a_row():
    words = named('files_and_verdicts.md').replace(',', ' ').split()
    assert sorted(set(KNOWN_SUFFIXES) - set(words) - ALIKE) == []


def test_every_dataset_has_a_card_in_the_list():
    builders = {path.parent.name for path in (ROOT / 'datasets').glob('*/*_dataset_builder.py')}
    assert {f'[{name}]({name}.md)' for name in builders} <= first_cells('datasets/index.md')


def test_every_page_is_in_the_navigation():
    nav = (ROOT / 'mkdocs.yml').read_text(encoding='utf-8')
    pages = [p.relative_to(DOCS).as_posix() for kind in ('*.md', '*.ipynb') for p in DOCS.rglob(kind)]
    assert [page for page in sorted(pages) if page not in nav] == []
