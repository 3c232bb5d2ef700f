"""The overview of many files as one HTML page without scripts, other files or network."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any

import jinja2

from fdx.html import page_environment
from fdx.predict.listing import common_folder, printable
from fdx.predict.overview import (
    DOUBT,
    ERROR,
    FAULT,
    FINE,
    PROBABILITY,
    Line,
    in_order_of_urgency,
    is_healthy,
    lines_of,
    verdict_counts,
)

# Of z scores, from which on a fault was called: journals of fdx 0.2.0 hold them.
CALLED_FROM = 4.0
# A page of more lines is slow on a phone; the most urgent ones are on it, and all are in the other files.
MOST_LINES = 2000
HEALTHY_COLOUR = '#2f9e6e'
COLOURS = ('#c2410c', '#1d4ed8', '#9333ea', '#b45309', '#0e7490', '#be185d', '#4d7c0f', '#6366f1', '#78716c', '#0369a1')
STATE_WORDS = {FAULT: 'fault', DOUBT: 'doubt', ERROR: 'error', FINE: 'healthy'}


def render_page(rows: Sequence[dict[str, Any]], model: str, written_at: float | None = None) -> str:
    """The page about the rows of many files.

    Args:
      rows: of recordings, tables (with or without their readings) and errors; rows of windows are left out.
      model: who diagnosed, in words.
      written_at: seconds since 1970; None: now.

    Returns:
      HTML.
    """
    lines = lines_of(rows)
    shown = in_order_of_urgency(lines)[:MOST_LINES]
    classes = list(dict.fromkeys(name for line in lines for name in line.scores))
    colours = dict(zip((n for n in classes if not is_healthy(n)), (COLOURS * (1 + len(classes) // len(COLOURS)))))
    colours |= {name: HEALTHY_COLOUR for name in classes if is_healthy(name)}
    folder = common_folder([line.file for line in lines])
    when = time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(written_at))
    return (
        _environment()
        .get_template('predictions.html.j2')
        .render(
            numbered=False,
            files=len({line.file for line in lines}),
            model=model,
            folder=printable(folder),
            when=when,
            states=[(state, words, sum(line.state == state for line in lines)) for state, words in STATE_WORDS.items()],
            counts=verdict_counts(lines),
            legend=colours,
            left_out=len(lines) - len(shown),
            score_name=next((line.score_kind for line in lines if line.scores), PROBABILITY),
            lines=[_shown(line, folder, colours) for line in shown],
        )
    )


def _shown(line: Line, folder: str, colours: dict[str, str]) -> dict[str, Any]:
    """What the template shows of one line."""
    of_probability = line.score_kind == PROBABILITY
    form = '.2f' if of_probability else '.1f'
    name = line.file.removeprefix(folder) or line.file
    return {
        'name': printable(name) + ('' if line.row is None else f', row {line.row}'),
        'state': line.state,
        'verdict': printable(line.said),
        'score': '' if line.score is None else f'{line.score:{form}}',
        'stacked': of_probability,
        'bar': [
            (printable(name), f'{value:{form}}', f'{_width(value, of_probability):.1f}', colours[name])
            for name, value in line.scores.items()
        ],
        'bar_words': ', '.join(f'{printable(name)} {value:{form}}' for name, value in line.scores.items()),
        'words': [printable(text) for text in ((line.error,) if line.error else line.warnings)],
    }


def _width(value: float, of_probability: bool) -> float:
    """Width of a bar in percent: of z scores, half the width is the score from which on a fault is called."""
    share = value if of_probability else value / (2 * CALLED_FROM)
    return 100 * min(max(share, 0.0), 1.0)


@functools.cache
def _environment() -> jinja2.Environment:
    return page_environment('fdx.predict')
