"""The figures of a report about a machine's history."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

import numpy as np
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fdx.evaluate.canvas import GRID, INK, MUTED, PALETTE, new_figure, plain, style_axes
from fdx.evaluate.machine_report_figures import BAND, WIDTH
from fdx.health.baseline import Baseline
from fdx.health.course import Course
from fdx.health.feature_plan import Feature
from fdx.health.states import ALARM, NORMAL, WATCH

STATE_COLOURS = {NORMAL: PALETTE[2], WATCH: PALETTE[1], ALARM: PALETTE[3]}
# The index is drawn down to here; what is worse is worse.
LOWEST_INDEX = -150.0
# Sets of features with so many numbers per channel are drawn in their order; channels that are drawn.
FEWEST_BARS, MOST_CHANNELS = 4, 4
# Points of a longer history are smaller.
MANY = 1500


def scores(course: Course, baseline: Baseline, limit: float | None = None) -> Figure:
    """The scores over time by state, with the limits of the baseline, and when the lasting change began."""
    figure = new_figure(WIDTH, 2.9)
    axes = figure.subplots()
    when = _dates(course.times_s)
    states = [str(row['state']) for row in course.rows]
    size = 4 if len(states) <= MANY else 2
    for state, colour in STATE_COLOURS.items():
        mine = [i for i, s in enumerate(states) if s == state]
        if mine:
            axes.plot(when[mine], course.scores[mine], '.', color=colour, markersize=size, label=state)
    axes.axhline(baseline.watch_limit, color=PALETTE[1], linewidth=0.9, linestyle='--', label='limit of watching')
    axes.axhline(baseline.alarm_limit, color=PALETTE[3], linewidth=0.9, label='limit of alarms')
    if limit is not None:
        axes.axhline(limit, color=INK, linewidth=1.2, label='your limit')
    change = course.changes.lasting
    if change is not None:
        axes.axvspan(when[change.earliest], when[change.latest], color=BAND, alpha=0.7, linewidth=0, zorder=0)
        axes.axvline(when[change.onset], color=MUTED, linewidth=1, label='change')
    if course.logarithmic:
        axes.set_yscale('log')
    style_axes(axes, '', '', 'score', grid='y')
    _by_date(axes)
    axes.legend(fontsize=7, frameon=False, ncols=4, loc='lower left', bbox_to_anchor=(0, 1.0))
    return figure


def index(course: Course) -> Figure:
    """The health index with its 90 % interval."""
    found = course.index
    if found is None:
        raise ValueError('there is no index to draw')
    figure = new_figure(WIDTH, 2.3)
    axes = figure.subplots()
    when = _dates(found.times_s)
    low, values, high = (np.maximum(v, LOWEST_INDEX) for v in (found.low, found.values, found.high))
    axes.fill_between(when, low, high, color=BAND, linewidth=0)
    axes.plot(when, values, color=PALETTE[0], linewidth=1.2)
    axes.axhline(0, color=PALETTE[3], linewidth=0.9)
    axes.axhline(100, color=PALETTE[2], linewidth=0.9)
    axes.set_ylim(min(-10.0, float(low.min()) - 5), max(115.0, float(high.max()) + 5))
    style_axes(axes, '', '', 'health index', grid='y')
    _by_date(axes)
    return figure


def moved(features: Sequence[Feature], deviations: np.ndarray) -> Figure | None:
    """How far each number of the largest set has moved, by channel.

    Args:
      features: of the baseline.
      deviations: float [D], in healthy standard deviations.

    Returns:
      None where no set has enough numbers per channel for a picture.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for i, feature in enumerate(features):
        groups.setdefault((feature.set, feature.channel), []).append(i)
    drawn = {key: mine for key, mine in groups.items() if len(mine) >= FEWEST_BARS}
    if not drawn:
        return None
    largest = max(drawn, key=lambda key: float(np.abs(deviations[drawn[key]]).max()))[0]
    channels = [key for key in drawn if key[0] == largest][:MOST_CHANNELS]
    figure = new_figure(WIDTH, 0.7 + 1.5 * len(channels))
    all_axes = figure.subplots(len(channels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, key in zip(all_axes, channels):
        mine = drawn[key]
        x, y = np.arange(len(mine)), deviations[mine]
        axes.axhspan(-3, 3, color=BAND, alpha=0.6, linewidth=0, zorder=0)
        axes.bar(x, y, 0.7, color=[PALETTE[3] if v > 0 else PALETTE[0] for v in y])
        style_axes(axes, '', '', f'channel {plain(key[1])}', grid='y')
    step = max(1, math.ceil(len(drawn[channels[0]]) / 9))
    names = [features[i].what for i in drawn[channels[0]]]
    ticks = list(range(0, len(names), step))
    all_axes[-1].set_xticks(ticks, [plain(names[t]) for t in ticks], rotation=30, ha='right', fontsize=7)
    all_axes[-1].set_xlabel(f'{plain(largest)}, by channel; healthy standard deviations', fontsize=9)
    return figure


def _dates(seconds: np.ndarray) -> np.ndarray:
    """Matplotlib's numbers of the dates by the clock of this computer: float64 [N]."""
    return np.asarray(dates.date2num([datetime.datetime.fromtimestamp(s) for s in seconds]), np.float64)


def _by_date(axes: Axes) -> None:
    axes.xaxis_date()
    locator = dates.AutoDateLocator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    axes.grid(axis='x', color=GRID, linewidth=0.6)
