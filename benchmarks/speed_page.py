"""The page of the table of speed: its text and picture from its rows, and how a later call changes it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from fdx.evaluate.canvas import MUTED, PALETTE, new_figure, style_axes

from .page import Kind, table
from .speed_load import NOISY
from .speed_suite import OURS, WORKS

Row = Mapping[str, Any]


def markdown(data: Mapping[str, Any]) -> str:
    """The page."""
    rows, how = data['rows'], data['measured']
    ours = [row for row in rows if row['side'] == OURS]
    lines = [
        '# Speed',
        '',
        'Every work is done by fdx and by the nearest other form of it, in turns. Each side of a round is a process of '
        'its own, pinned to the same cores; seconds are of the wall clock, the median over the rounds. A ratio is '
        'seconds of fdx over those of the other side, so below 1 fdx is faster. `CPU ratio` compares the seconds of '
        'all cores together, which other programs on the machine disturb less.',
        '',
        _summary(ours),
        '',
        f'Made by `{how["command"]}` (`python -m benchmarks.speed_run --only=NAME` measures single rows anew); all '
        'rows with their versions: [speed.json](speed.json).',
        '',
        '![Ratios to the other side](speed.png)',
    ]
    for section in dict.fromkeys(row['section'] for row in rows):
        mine = [row for row in rows if row['section'] == section]
        header = ['work', 'fdx', 'other side', 'ratio', 'CPU ratio', 'goal', '', 'load of others', 'measured']
        lines += ['', f'## {section}', '', *table(header, [_line(*pair) for pair in _pairs(mine)])]
    lines += ['', '## How it was measured', '', *_how(ours, rows, how)]
    return '\n'.join([*lines, ''])


def _summary(ours: Sequence[Row]) -> str:
    """How many goals are reached; a noisy row proves nothing, so that it is not counted."""
    judged = [row for row in ours if row['reached'] is not None and not row['noisy']]
    reached, noisy = [row for row in judged if row['reached']], [row for row in ours if row['noisy']]
    text = f'**{len(reached)} of {len(judged)} goals are reached'
    if not noisy:
        return f'{text}.**'
    return (
        f'{text} among the rows that were measured on a quiet machine.** {len(noisy)} of {len(ours)} rows are noisy: '
        f'while they were measured, {NOISY} threads of other programs or more wanted a core. They count for nothing. '
        'Seconds are then too long, and a ratio says little where two threads wait for each other, as those of PyTorch '
        'do after every layer: a layer of microseconds then takes as long as another program keeps a core. On one core '
        'the CPU ratio says more, to some tens of per cent: other programs also take the caches.'
    )


def _pairs(rows: Sequence[Row]) -> Iterable[tuple[Row, Row | None]]:
    """The row of fdx and that of the other side, if there is one, of each work."""
    for row in rows:
        if row['side'] == OURS:
            yield row, next((r for r in rows if r['work'] == row['work'] and r['side'] != OURS), None)


def _line(ours: Row, theirs: Row | None) -> list[str]:
    one_core = ', one core' if ours['cores'] == 1 and 'one core' not in ours['section'] else ''
    found = seconds_text(ours['seconds'])
    if ours['count'] is not None:
        found = f'{ours["count"]:g} {ours["unit"]} ({found})'
    elif theirs is None:
        found += f' ({seconds_text(ours["cpu_seconds"])} of CPU)'
    other = f'{seconds_text(theirs["seconds"])} ({theirs["side"]})' if theirs else '–'
    verdict = {None: '', True: 'reached', False: '**missed**'}[ours['reached']]
    verdict = f'{verdict.strip("*")}, noisy' if verdict and ours['noisy'] else verdict
    load = '–' if ours['others'] is None else f'{ours["others"]:.1f}'
    ratios = ['–' if ours[key] is None else f'{ours[key]:.2f}' for key in ('ratio', 'cpu_ratio')]
    return [ours['words'] + one_core, found, other, *ratios, ours['goal'] or '–', verdict, load, ours['date']]


def seconds_text(seconds: float) -> str:
    """'3.64 s', '12.3 ms' or '810 µs'."""
    for factor, unit in ((1, 's'), (1e3, 'ms')):
        if seconds * factor >= 1:
            return f'{seconds * factor:.3g} {unit}'
    return f'{seconds * 1e6:.3g} µs'


def _how(ours: Sequence[Row], rows: Sequence[Row], how: Mapping[str, Any]) -> list[str]:
    processors = sorted({f'{row["cpu"]}, {row["cores"]} core{"s" * (row["cores"] > 1)}' for row in ours})
    versions: dict[str, set[str]] = {}
    for row in rows:
        for name, version in row['versions'].items():
            versions.setdefault(name, set()).add(version)
    total = sum(row['elapsed_s'] or 0.0 for row in ours)
    rounds = sorted({row['rounds'] for row in ours})
    named = [f'{name} {" / ".join(sorted(found))}' for name, found in versions.items()]
    return [
        f'- Processor and cores of a side: {"; ".join(processors)}.',
        f'- Versions: {", ".join(named)}.',
        f'- Rounds: {", ".join(map(str, rounds))}. All rounds of both sides together took {total / 60:.0f} minutes, '
        'with the start of every process and compiling.',
        f'- Load average of the machine in the last call: {_load(how["load_start"])} at the start, '
        f'{_load(how["load_end"])} at the end (our own work counts in it). `load of others` is the mean number of '
        'threads of other programs that wanted a core while the row was measured.',
        *(f'- {note}' for note in how['notes']),
    ]


def _load(load: float | None) -> str:
    return 'unknown' if load is None else f'{load:.1f}'


def plot(data: Mapping[str, Any]) -> Figure:
    """A point per work that has another side: its ratio, and its goal as a tick."""
    rows = [row for row in data['rows'] if row['side'] == OURS and row['ratio']]
    goals = [_ratio_of(row['goal']) for row in rows]
    figure = new_figure(8.0, max(2.5, 0.22 * len(rows) + 1.0))
    axes = figure.subplots()
    for i, (row, goal) in enumerate(zip(rows, goals)):
        colour = MUTED if row['noisy'] else PALETTE[3] if row['reached'] is False else PALETTE[2]
        axes.plot(row['ratio'], i, 'o', color=colour, fillstyle='none' if row['noisy'] else 'full', markersize=5)
        if goal is not None:
            axes.plot(goal, i, '|', color=MUTED, markersize=9)
    axes.axvline(1.0, color=MUTED, linewidth=0.8)
    axes.set_xscale('log')
    axes.set_yticks(range(len(rows)), [row['work'] for row in rows], fontsize=7)
    axes.invert_yaxis()
    style_axes(axes, 'Seconds of fdx over those of the other side; tick: goal, open: noisy', 'ratio', '', grid='x')
    return figure


def _ratio_of(goal: str | None) -> float | None:
    return float(goal.removeprefix('ratio ')) if goal and goal.startswith('ratio ') else None


def measured(data: Mapping[str, Any]) -> set[Hashable]:
    """The works of a page."""
    return {row['work'] for row in data['rows']}


def merged(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """An older page with the rows of a newer one in place of its own, in the order of the table."""
    anew = {work: [row for row in newer['rows'] if row['work'] == work] for work in _works(newer)}
    kept = {work: [row for row in older['rows'] if row['work'] == work] for work in _works(older)}
    rows = [row for found in {**kept, **anew}.values() for row in found]
    order = {work.name: i for i, work in enumerate(WORKS)}
    dates = sorted({*older['measured']['on'], *newer['measured']['on']} & {row['date'] for row in rows})
    how = {**newer['measured'], 'on': dates, 'notes': older['measured']['notes'] or newer['measured']['notes']}
    return {'measured': how, 'rows': sorted(rows, key=lambda row: order.get(row['work'], len(order)))}


def _works(data: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(row['work'] for row in data['rows']))


KIND = Kind(markdown, plot, measured, merged, program='benchmarks.speed_run')
