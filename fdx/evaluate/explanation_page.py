"""The result of `fdx explain`: explanation.json, PNGs, and one self-contained HTML page."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate.canvas import figure_to_data_uri
from fdx.evaluate.explanation_domains import DomainMap
from fdx.evaluate.explanation_plots import WORDS, plot_curves, plot_explanation
from fdx.evaluate.explanation_run import ExplainedWindow, WindowExplainer
from fdx.evaluate.html import fill_template, write_html
from fdx.explain.faithfulness import RANDOM_ORDERS
from fdx.types import DataError

TEMPLATE = 'explanation.html.j2'


def results_of(windows: Sequence[ExplainedWindow], by: WindowExplainer, domains: DomainMap | None) -> dict[str, Any]:
    """What explanation.json holds.

    Raises:
      DataError: there are no windows.
    """
    if not windows:
        raise DataError('there is no window to explain')
    predictor = by.explainer.predictor
    return {
        'checkpoint': str(predictor.workdir),
        'step': predictor.step,
        'model': predictor.config.model,
        'front_end': predictor.front_end.name,
        'score': 'log odds of the explained class',
        'baseline': by.explainer.baseline_words,
        'random_orders': RANDOM_ORDERS,
        'without_training_recordings': by.without_training or None,
        'summary': summary_of(windows),
        'domains': domains.facts if domains else None,
        'windows': [window.to_json() for window in windows],
    }


def summary_of(windows: Sequence[ExplainedWindow]) -> list[dict[str, Any]]:
    """Means over the windows of each explained class and method, JSON-able rows."""
    rows = []
    for name in dict.fromkeys(w.explanation.explained for w in windows):
        mine = [w.explanation for w in windows if w.explanation.explained == name]
        for method in dict.fromkeys(m for e in mine for m in e.attributions):
            found = [(e, e.attributions[method]) for e in mine if method in e.attributions]
            orders = [a.shares['at'] for _, a in found if 'at' in a.shares]
            correlations = [a.randomised for _, a in found if a.randomised is not None]
            rows.append(
                {
                    'explained': name,
                    'method': method,
                    'windows': len(found),
                    'margin': float(np.mean([a.curves.margin for _, a in found])),
                    'random_margin': float(np.mean([e.random.margin for e, _ in found])),
                    'rank_correlation_with_random_weights': float(np.mean(correlations)) if correlations else None,
                    'orders': {n: float(np.mean([o[n]['share'] for o in orders])) for n in orders[0]}
                    if orders
                    else None,
                }
            )
    return rows


def _mean_shares(orders: Sequence[dict[str, Any]]) -> dict[str, float] | None:
    return {name: float(np.mean([o[name]['share'] for o in orders])) for name in orders[0]} if orders else None


def write_explanations(
    folder: pathlib.Path,
    windows: Sequence[ExplainedWindow],
    by: WindowExplainer,
    *,
    domains: DomainMap | None = None,
    known_orders: Sequence[float] = (),
) -> tuple[pathlib.Path, dict[str, Any]]:
    """Writes explanation.json, window_0.png, curves_0.png, ..., domains.png and, last, report.html.

    Args:
      folder: where.
      windows: in the order of the page.
      by: who explained them.
      domains: source and target in the plane, or None.
      known_orders: of gear meshes and the like, for marks.

    Returns:
      (path of the page, what explanation.json holds).

    Raises:
      FileWriteError: a file cannot be written.
    """
    results = results_of(windows, by, domains)
    figures: dict[str, Figure] = {}
    for i, window in enumerate(windows):
        figures[f'window_{i}'] = plot_explanation(window.explanation, by.explainer.predictor, known_orders)
        figures[f'curves_{i}'] = plot_curves(window.explanation)
    if domains:
        figures['domains'] = domains.figure
    return write_html(folder, 'explanation', results, figures, render(results, windows, figures)), results


def render(results: dict[str, Any], windows: Sequence[ExplainedWindow], figures: dict[str, Figure]) -> str:
    """The page as text; it needs no other file and no network."""
    return fill_template(
        TEMPLATE,
        numbered=False,
        results=results,
        windows=[_shown(i, w) for i, w in enumerate(windows)],
        uris={name: figure_to_data_uri(figure) for name, figure in figures.items()},
        method_words=WORDS,
    )


def _shown(number: int, window: ExplainedWindow) -> dict[str, Any]:
    """What the template shows of a window."""
    explanation = window.explanation
    ranked = sorted(zip(explanation.class_names, explanation.probabilities.tolist()), key=lambda pair: -pair[1])
    methods = []
    for name, a in explanation.attributions.items():
        gap = a.completeness and f'{a.completeness["sum"]:.3f} of {a.completeness["difference"]:.3f}'
        orders = ', '.join(f'{n} {100 * o["share"]:.0f} %' + _against(o) for n, o in a.shares.get('at', {}).items())
        control = a.shares.get('control')
        orders += f'; orders of no fault {control:.1f}' if control is not None else ''
        methods.append(
            {
                'name': WORDS[name],
                'margin': f'{a.curves.margin:.2f}',
                'better': a.curves.margin > explanation.random.margin,
                'randomised': '–' if a.randomised is None else f'{a.randomised:.2f}',
                'gap': gap or '–',
                'orders': orders or a.shares.get('reason', ''),
            }
        )
    return {
        'number': number,
        'source': window.source,
        'start': f'{window.start_s:.3f}',
        'label': window.label,
        'predicted': window.predicted,
        'explained': explanation.explained,
        'wrong': bool(window.label) and window.label != window.predicted,
        'probabilities': ', '.join(f'{name} {p:.2f}' for name, p in ranked[:5]),
        'methods': methods,
        'random_margin': f'{explanation.random.margin:.2f}',
        'skipped': [f'{WORDS[name]}: {why}' for name, why in explanation.skipped.items()],
        'nearest': [{**row, 'distance': f'{row["distance"]:.2f}'} for row in window.nearest],
        'notes': window.notes,
    }


def _against(order: dict[str, float | None]) -> str:
    return '' if order['density'] is None else f' ({order["density"]:.1f})'
