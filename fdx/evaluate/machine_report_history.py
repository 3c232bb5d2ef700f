"""A report about a machine's history: its state now, the scores since its baseline, what moved, and until when.

page = history_page('pump7')
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate import machine_report_history_figures as figures
from fdx.evaluate import machine_report_history_tables as tables
from fdx.evaluate import machine_report_history_words as words
from fdx.evaluate.canvas import figure_to_data_uri
from fdx.evaluate.html import fill_template
from fdx.evaluate.machine_report import version
from fdx.evaluate.words import counted
from fdx.health.baseline import Baseline
from fdx.health.baseline_file import Saved, load_baseline
from fdx.health.course import Course, Limit, course_of
from fdx.health.history import HISTORY, History
from fdx.health.history_rows import name_of
from fdx.health.sample import Sample
from fdx.health.states import JUDGED

TEMPLATE = 'machine_history.html.j2'
# The newest judged recordings whose median deviation is drawn.
NEWEST = 5
CAPTIONS = {
    'scores': (
        'How unusual each recording is. A point above the limit of alarms is rarer in good order than the promised '
        'rate; an alarm takes several that have also risen as damage rises. Grey: when the lasting change most likely '
        'began.'
    ),
    'index': (
        '100: as in good order; 0: at the limit of alarms. Line: the level beneath the scatter of the recordings; '
        'grey: its 90 % interval.'
    ),
    'moved': (
        'How far numbers have moved from good order, median of the newest recordings. Within the grey band nothing is '
        'unusual.'
    ),
}


def history_page(workdir: str | os.PathLike, limit: Limit | None = None, worded: Callable[[str], str] = str) -> str:
    """The report about the history of a machine since its newest baseline.

    Args:
      workdir: of `fdx baseline` and `fdx monitor`.
      limit: for the remaining life.
      worded: turns parameters in backticks into flags.

    Returns:
      HTML without script, other files or network.

    Raises:
      CheckpointError: there is no baseline, or it is damaged.
      ConfigError: a limit of a feature that the baseline does not have.
      DataError: the history is damaged.
    """
    saved = load_baseline(workdir)
    rows = _rows(workdir, saved.number)
    course = course_of(saved.baseline, rows, limit)
    score_limit = limit.value if limit is not None and not limit.feature else None
    pictures = {
        name: figure_to_data_uri(figure) for name, figure in _figures(course, saved.baseline, score_limit).items()
    }
    last = course.rows[-1] if course.rows else {}
    return fill_template(
        TEMPLATE,
        numbered=False,
        title=pathlib.Path(os.path.abspath(workdir)).name,
        facts=_facts(rows, saved),
        verdict=words.state_of(rows, course, saved),
        steps=words.next_steps(rows, course),
        changes=words.change_words(course),
        moved=tables.moved_rows(last),
        verdicts=tables.verdict_rows(rows),
        not_judged=tables.not_judged(rows),
        baseline=words.baseline_words(saved),
        pictures=pictures,
        captions=CAPTIONS,
        worded=worded,
        version=version(),
    )


def _rows(workdir: str | os.PathLike, number: int) -> list[dict[str, Any]]:
    """The rows of a baseline; a workdir without history has none, and none is begun for it."""
    if not (pathlib.Path(workdir) / HISTORY).exists():
        return []
    with History(workdir) as history:
        return history.rows(baseline=number)


def _facts(rows: Sequence[Mapping[str, Any]], saved: Saved) -> str:
    if not rows:
        return f'baseline {saved.number}, no recording judged'
    times = [tables.time_of(row) for row in rows]
    states = [row['state'] for row in rows]
    counts = ', '.join(f'{states.count(s):,} {s}' for s in dict.fromkeys(states))
    return f'{counted(len(rows), "recording")} from {tables.date(min(times))} to {tables.date(max(times))}: {counts}'


def _figures(course: Course, baseline: Baseline, limit: float | None) -> dict[str, Figure]:
    if not course.rows:
        return {}
    found = {'scores': figures.scores(course, baseline, limit)}
    if course.index is not None:
        found['index'] = figures.index(course)
    deviations = newest_deviations(course.rows, baseline)
    moved = None if deviations is None else figures.moved(baseline.features, deviations)
    return found | ({} if moved is None else {'moved': moved})


def newest_deviations(rows: Sequence[Mapping[str, Any]], baseline: Baseline) -> np.ndarray | None:
    """Median deviations of the newest judged recordings, in healthy standard deviations: float64 [D].

    Args:
      rows: of the history, in the order of time.
      baseline: that judged them.

    Returns:
      None where the history keeps no numbers.
    """
    newest = [row for row in rows if row['state'] in JUDGED and row.get('rows') is not None][-NEWEST:]
    if not newest:
        return None
    sample = Sample.of(
        [np.asarray(row['rows'], np.float64) for row in newest],
        [name_of(row) for row in newest],
        [_or_nan(row['speed_rpm']) for row in newest],
        [_or_nan(row['load']) for row in newest],
    )
    return np.median(baseline.model.deviations(sample), axis=0)


def _or_nan(value: float | None) -> float:
    return float('nan') if value is None else float(value)
