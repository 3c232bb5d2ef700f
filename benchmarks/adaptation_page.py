"""The page of an adaptation benchmark: what its file holds, its text and its picture."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.adapt.config import DEFAULT_CRITERION
from fdx.adapt.methods import METHODS
from fdx.adapt.selection import ORACLE, SELECTIONS
from fdx.evaluate.canvas import class_style, new_figure, style_axes
from fdx.evaluate.intervals import wilson_interval
from fdx.evaluate.spread import NOTHING, spread, spread_text

from .adaptation_suite import BATCH_SIZE, INPUTS, LEARNING_RATE, Suite, get_suite
from .grid import pack
from .page import Kind, how_measured, old_records_note, seed_means, table, versions_text

Row = Mapping[str, Any]
_LISTS = ('windows', 'units', 'seconds', 'epochs', 'settled', 'accuracy', 'macro_f1')
_PER_SEED = {'seed': 'seeds', 'fold': 'folds'} | {k: k for k in _LISTS}
_COUNTED = {
    'recordings': "of its recordings (Wilson's, of recordings that are right or wrong as a whole)",
    # Pages of fdx 0.1.0.
    'windows': 'over its windows, as if they were independent, which they are not',
}


def assemble(suite: Suite, records: Sequence[Mapping[str, Any]], command: str) -> dict[str, Any]:
    """What the JSON file of the page holds.

    Args:
      suite: the benchmark.
      records: the row of each cell, see `benchmarks.adaptation_run.run_cell`.
      command: that measured them.

    Returns:
      suite (its name), measured (see `page.how_measured`), interval_of, rows: one for each input, method and task, with
      lists over seeds, and `interval`: that of the accuracy by the default criterion.
    """
    rows = pack(records, _PER_SEED)
    for row in rows:
        row['interval'] = _interval(row['accuracy'][DEFAULT_CRITERION], row['units'])
    seeds = sorted({record['seed'] for record in records})
    return {
        'suite': suite.name,
        'measured': how_measured(command, seeds),
        'interval_of': 'recordings',
        'rows': rows,
    }


def _interval(accuracies: Sequence[float], numbers: Sequence[float]) -> list[float]:
    """The interval of a mean over seeds, as wide as the recordings of one seed make it.

    Other seeds score the same recordings, or (where folds follow the seed) about as many: to count them as new ones
    would narrow the interval without cause.
    """
    mean, n = float(np.mean(accuracies)), float(np.mean(numbers))
    return list(wilson_interval(mean * n, n) or (0.0, 1.0))


def by_seed(rows: Sequence[Row], selection: str) -> list[float]:
    """Mean accuracy over the tasks, one for each seed."""
    return seed_means(rows, lambda row: row['accuracy'][selection])


def summary(rows: Sequence[Row], selection: str) -> str:
    """'97.5 ± 1.2 / 3.4': mean, spread of the seeds' means, spread over tasks; a dash without rows."""
    if not rows:
        return NOTHING
    text = spread_text([100 * mean for mean in by_seed(rows, selection)], digits=1)
    over_tasks = spread([float(np.mean(row['accuracy'][selection])) for row in rows])['standard_deviation']
    return text if over_tasks is None else f'{text} / {100 * over_tasks:.1f}'


def _pick(rows: Sequence[Row], **fields: Any) -> list[Row]:
    return [row for row in rows if all(row[k] == v for k, v in fields.items())]


def _order(rows: Sequence[Row], key: str, known: Sequence[str]) -> list[str]:
    have = {row[key] for row in rows}
    return [name for name in known if name in have]


def markdown(data: Mapping[str, Any]) -> str:
    """The page, from what `assemble` returns."""
    suite, rows, measured = get_suite(data['suite']), data['rows'], data['measured']
    seeds = ', '.join(map(str, measured['seeds']))
    lines = [
        f'# {suite.words}',
        '',
        *old_records_note(measured, suite.name),
        'Labels of the target are read for scores, and before that for the classes that both sides have: windows of '
        'others are left out, and protocols by recording deal its recordings class by class.',
        '',
        f'Accuracy on windows of the target in percent: mean over tasks and seeds ({seeds}) ± standard deviation of '
        "the seeds' means / standard deviation over tasks. Each column chooses the epoch by another criterion; "
        f'`{DEFAULT_CRITERION}` is the default of `launch.adapt`. None reads a label of the target, but **{ORACLE}**, '
        'which is not usable: it shows what choosing on target labels would claim.',
        '',
        f'Made by `{measured["command"]}`; values of every seed: [{suite.name}.json]({suite.name}.json).',
        '',
        f'![Accuracy of every method]({suite.name}.png)',
    ]
    for name in _order(rows, 'input', suite.inputs):
        of_input = _pick(rows, input=name)
        entry = INPUTS[name]
        lines += ['', f'## {name}: {entry.words}, {entry.model}', '']
        header = ['method', *_usable(rows), 'seconds per run', f'{ORACLE} (not usable)']
        lines += table(header, [_method_line(of_input, m) for m in _order(of_input, 'method', list(METHODS))])
        lines += [
            '',
            f'By task, epoch chosen by `{DEFAULT_CRITERION}`, with the 95 % interval {_COUNTED[data["interval_of"]]}:',
            '',
            *_task_table(suite, of_input),
        ]
    # Pages of before runs warmed up compared epochs of another kind.
    if not suite.generalises and any('epochs' in row for row in rows):
        lines += ['', '## What each criterion costs', '', *_regrets(rows)]
    return '\n'.join([*lines, '', *_notes(suite, data), ''])


def _usable(rows: Sequence[Row]) -> list[str]:
    """Criteria that all rows have, without the oracle; earlier pages have fewer."""
    return [s for s in SELECTIONS if s != ORACLE and all(s in row['accuracy'] for row in rows)]


def _regrets(rows: Sequence[Row]) -> list[str]:
    """Points of accuracy that each criterion loses against the oracle, over the runs of methods that see the target."""
    adapted = [row for row in rows if METHODS[row['method']].sees_target]
    lines = []
    for name in _usable(rows):
        cells = [
            spread_text([100 * (o - c) for o, c in zip(by_seed(of_input, ORACLE), by_seed(of_input, name))], digits=1)
            if (of_input := _pick(adapted, input=kind))
            else NOTHING
            for kind in dict.fromkeys(row['input'] for row in rows)
        ]
        lines.append([name, *cells])
    words = (
        'Regret: accuracy of the best epoch on the scored windows minus that of the chosen epoch, in points, mean over '
        "methods that see the target, and tasks ± standard deviation of the seeds' means."
    )
    return [words, '', *table(['criterion', *dict.fromkeys(row['input'] for row in rows)], lines)]


def _method_line(rows: Sequence[Row], method: str) -> list[str]:
    mine = _pick(rows, method=method)
    seconds = np.mean([row['seconds'] for row in mine])
    usable = [summary(mine, s) for s in _usable(rows)]
    return [method, *usable, f'{seconds:.0f}', summary(mine, ORACLE)]


def _task_table(suite: Suite, rows: Sequence[Row]) -> list[str]:
    methods = _order(rows, 'method', list(METHODS))
    lines = [
        [pair.name, *(_with_interval(_pick(rows, task=pair.name, method=method)) for method in methods)]
        for pair in suite.pairs
    ]
    return table(['task', *methods], lines)


def _with_interval(rows: Sequence[Row]) -> str:
    """'97.5 (92–100)': mean over seeds and its interval; a dash where the task was not run."""
    if not rows:
        return NOTHING
    (row,) = rows
    low, high = row['interval']
    return f'{100 * np.mean(row["accuracy"][DEFAULT_CRITERION]):.1f} ({100 * low:.0f}–{100 * high:.0f})'


def _notes(suite: Suite, data: Mapping[str, Any]) -> list[str]:
    rows = data['rows']
    records = ' and '.join(dict.fromkeys(row['records'] for row in rows))
    few = f', {suite.labels_per_class} source windows of each class' if suite.labels_per_class else ''
    protocols = '; '.join(dict.fromkeys(row['protocol'] for row in rows))
    folds = 'Fold K for seed K. ' if any(pair.rotates for pair in suite.pairs) else ''
    return [
        f'Protocols: {protocols}. {folds}{_seen(suite)} Adam, learning rate {LEARNING_RATE:g}, {BATCH_SIZE} windows '
        f'{"of all sources together" if suite.generalises else "of each domain"} per step{_budget(suite, rows)}{few}; '
        'the same for all methods. Inputs, networks and these settings were chosen with target accuracy '
        'of CWRU and MFPT in view: development results. The methods of one input are scored on the same windows; an '
        'input that no method adapts is scored on all of the target. Seconds of a run: training, all criteria in every '
        'epoch, last checkpoint.',
        '',
        f'Records of version {records}; {versions_text(data["measured"])}.',
    ]


def _seen(suite: Suite) -> str:
    """What is seen of the target before it is scored."""
    if suite.generalises:
        return (
            f'Training sees no window of the target, and `{DEFAULT_CRITERION}` and `last` choose the epoch without '
            'any; the other criteria read windows of its training part without labels.'
        )
    return 'Windows of the target are seen without labels from its training part.'


def _budget(suite: Suite, rows: Sequence[Row]) -> str:
    """How long runs were, and how many were cut before they had settled; earlier pages had 100 steps."""
    known = [row for row in rows if 'epochs' in row]
    if not known:
        return ', about 100 steps'
    epochs = [n for row in known for n in row['epochs']]
    cut = sum(not settled for row in known for settled in row['settled'])
    return (
        f', at most {suite.epochs} epochs ({np.mean(epochs):.0f} on average; {cut} of {len(epochs)} runs were cut '
        'there, before source and term had settled)'
    )


def plot(data: Mapping[str, Any]) -> Figure:
    """A panel for each input: every method's accuracy by the default criterion, and what the oracle would claim."""
    suite, rows = get_suite(data['suite']), data['rows']
    inputs = _order(rows, 'input', suite.inputs)
    figure = new_figure(max(4.4 * len(inputs), 5), 4.2)
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(inputs))), inputs):
        of_input = _pick(rows, input=name)
        methods = _order(of_input, 'method', list(METHODS))
        for i, method in enumerate(methods):
            mine = _pick(of_input, method=method)
            found = spread([100 * v for v in by_seed(mine, DEFAULT_CRITERION)])
            whisker = found['standard_deviation'] or 0.0
            axes.bar(i, found['mean'], yerr=whisker, color=class_style(i)[0], capsize=3)
            claimed = 100 * float(np.mean(by_seed(mine, ORACLE)))
            axes.plot([i - 0.4, i + 0.4], [claimed] * 2, ':', color='#1f2933')
        axes.set_xticks(range(len(methods)), methods, rotation=60, ha='right')
        axes.set_ylim(0, 103)
        axes.set_xlim(-1, max(len(methods), 3))  # One bar alone would fill its panel.
        style_axes(axes, name, '', f'target accuracy, % (by {DEFAULT_CRITERION}; dotted: oracle)', grid='y')
    return figure


def measured(data: Mapping[str, Any]) -> set[Hashable]:
    """The cells of a page."""
    return {(r['input'], r['method'], r['task'], f'seed {seed}') for r in data['rows'] for seed in r['seeds']}


KIND = Kind(markdown, plot, measured)
