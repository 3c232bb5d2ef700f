"""Reports as HTML pages: their words for numbers, and one way to write a page with its figures to a folder."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment
from matplotlib.figure import Figure

from fdx.evaluate.canvas import save_png
from fdx.evaluate.spread import spread_text
from fdx.files import atomic_write_text, write_json
from fdx.html import page_environment

OWN = 'fdx.evaluate'
NOT_DEFINED = '–'


def fill_template(template: str, *, package: str = OWN, **context: Any) -> str:
    """A template with its blanks filled; text of the context is escaped.

    Args:
      template: a file of the folder `templates` of `package`, of fdx.evaluate or of fdx, whose `page.html.j2`
        pages extend.
      package: name of a package with such a folder.
      **context: values of the blanks; a page about several runs has the filters `cell`, `share`, `points` and `image`,
        one about a single run `percent`, `interval`, `decimal` and `count`.

    Raises:
      jinja2.UndefinedError: a blank has no value.
    """
    return _environment(package).get_template(template).render(**context)


@functools.cache
def _environment(package: str) -> Environment:
    environment = page_environment(package, OWN)
    environment.filters.update(
        percent=percent,
        interval=interval,
        decimal=decimal,
        count=lambda n: f'{int(n):,}',
        cell=spread_text,
        share=functools.partial(spread_text, percent=True),
        points=points,
        image=image_words,
    )
    return environment


def percent(share: float | None, digits: int = 1) -> str:
    """0.973 -> '97.3 %'; a dash where it is not defined."""
    return NOT_DEFINED if share is None else f'{100 * share:.{digits}f} %'


def interval(ends: tuple[float, float] | None) -> str:
    """(0.91, 0.99) -> '91.0 to 99.0 %'; a dash where it is not defined."""
    return NOT_DEFINED if ends is None else f'{100 * ends[0]:.1f} to {100 * ends[1]:.1f} %'


def decimal(value: float | None, digits: int = 3) -> str:
    """A number with fixed digits; a dash where it is not defined."""
    return NOT_DEFINED if value is None else f'{float(value):.{digits}f}'


def points(difference: Mapping[str, Any] | None) -> str:
    """'-12.3 ± 1.5' percentage points, of what `spread` returns; 'reference' where there is no difference."""
    if difference is None:
        return 'reference'
    text = spread_text(difference, percent=True)
    return text if text.startswith('-') else f'+{text}'


def image_words(image: Sequence[int]) -> str:
    """[128, 24, 3] -> '128 x 24 x 3'."""
    return ' x '.join(map(str, image))


def write_html(
    folder: pathlib.Path, name: str, results: Mapping[str, Any], figures: Mapping[str, Figure], page: str
) -> pathlib.Path:
    """Writes NAME.json, a PNG for each figure and, last, report.html.

    Args:
      folder: where.
      name: of the JSON file, without suffix.
      results: what the JSON file holds.
      figures: file name without suffix, which may lie in a folder below -> figure.
      page: text of the HTML page.

    Returns:
      The path of the page.

    Raises:
      FileWriteError: a file cannot be written.
    """
    for figure_name, figure in figures.items():
        save_png(figure, folder / f'{figure_name}.png')
    write_json(folder / f'{name}.json', results)
    atomic_write_text(folder / 'report.html', page)
    return folder / 'report.html'
