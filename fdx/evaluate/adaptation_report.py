"""The report of a run of domain adaptation: one self-contained page, its numbers as JSON, its figures as PNGs."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from fdx.adapt.config import CRITERIA
from fdx.data.protocols.class_sets import OPEN, PARTIAL
from fdx.evaluate.adaptation_plots import NOT_USABLE, plot_adaptation_history, plot_domains
from fdx.evaluate.adaptation_results import Networks
from fdx.evaluate.canvas import figure_to_data_uri
from fdx.evaluate.html import fill_template, write_html
from fdx.evaluate.metrics import interval_text
from fdx.evaluate.plots import plot_confusion

SELECTION_HEADER = ('chosen by', 'epoch', 'target accuracy %', '95 % by recording', 'macro F1', '')
CRITERION_WORDS = {
    'source_risk': 'cross-entropy of validation windows of the source',
    'dev': 'the same, weighted by how much a window looks like the target (You et al., ICML 2019)',
    'snd': 'how dense soft neighbourhoods of target windows are (Saito et al., ICCV 2021)',
    'entropy': 'mean entropy of target predictions',
    'last': 'nothing is chosen: the last epoch',
}
CAPTIONS = {
    'history': 'The course of the run.',
    'confusion': "The kept network on the target's test windows.",
    'domains': 'Training windows of the source and test windows of the target; each row is a layout of its own.',
}


def selection_header(results: Mapping[str, Any]) -> tuple[str, ...]:
    """SELECTION_HEADER, and the H-score for open sets."""
    return (*SELECTION_HEADER[:-1], 'H-score', '') if results.get('sets') == OPEN else SELECTION_HEADER


def selection_cells(results: Mapping[str, Any], *, usable: bool) -> list[tuple[str, ...]]:
    """Rows of the table of selections as text: those that may choose an epoch, or the oracle's."""
    rows: list[tuple[str, ...]] = []
    for row in results['selections']:
        if row['usable'] != usable:
            continue
        low, high = row['accuracy_interval']
        chosen = 'select_by' if row['selection'] == results['criterion'] else ''
        rows.append(
            (
                row['selection'],
                str(row['epoch']),
                f'{100 * row["accuracy"]:.1f}',
                f'{100 * low:.1f} to {100 * high:.1f}',
                f'{row["macro_f1"]:.3f}',
                *([_share(row['h_score'])] if 'h_score' in row else []),
                chosen if row['usable'] else NOT_USABLE,
            )
        )
    return rows


def _share(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'


def draw(results: Mapping[str, Any], networks: Networks) -> dict[str, Figure]:
    """`history`, `confusion` of the target, and `domains`."""
    # Histories of earlier versions lack some criteria.
    criteria = [name for name in CRITERIA if name != 'last' and name in results['history'][0]]
    classes, kept = results['classes'], results['kept']
    return {
        'history': plot_adaptation_history(results['history'], criteria, kept['epoch']),
        'confusion': plot_confusion(kept['confusion_matrix'], classes, title='Target, test windows'),
        'domains': plot_domains(networks.before, networks.after, classes),
    }


def write_adaptation(folder: pathlib.Path, results: Mapping[str, Any], networks: Networks) -> pathlib.Path:
    """Writes results.json, history.png, confusion.png, domains.png and report.html; returns the path of the page.

    Args:
      folder: where.
      results: of `fdx.evaluate.adaptation_results.adaptation_results`.
      networks: what the results were made from.

    Raises:
      FileWriteError: a file cannot be written.
    """
    figures = draw(results, networks)
    return write_html(folder, 'results', results, figures, render_adaptation(results, figures))


def render_adaptation(results: Mapping[str, Any], figures: Mapping[str, Figure]) -> str:
    """The page as text; it needs no other file and no network."""
    return fill_template(
        'adaptation.html.j2',
        numbered=False,
        results=results,
        header=selection_header(results),
        rows=selection_cells(results, usable=True),
        oracle=selection_cells(results, usable=False),
        criterion_words=CRITERION_WORDS,
        statements=adaptation_statements(results),
        first=target_label_words(results),
        leaking=[side for side, p in results['protocols'].items() if p['leaks']],
        uris={name: figure_to_data_uri(figure) for name, figure in figures.items()},
        captions=CAPTIONS,
    )


# Protocols that deal recordings, bearings or windows class by class.
READ_LABELS = ('by_recording', 'by_bearing', 'random_windows')


def target_label_words(results: Mapping[str, Any]) -> str:
    """What labels of the target were read for before training, in one sentence for the first line of a page."""
    sets = results.get('sets')
    if sets in (OPEN, PARTIAL):
        out = results['plan']['exclude_target_classes']
        return (
            f'Labels of the target were read for scores alone: sets={sets} takes the classes of the source and every '
            'window of the target' + (f', without the excluded classes {", ".join(out)}.' if out else '.')
        )
    if results.get('classes_given'):
        return (
            'Labels of the target were read for scores alone: the classes were given '
            f'(classes={",".join(results["classes_given"])}), the target was split without labels, training saw '
            'windows of every class of it, and windows of other classes are not scored.'
        )
    protocol = results['protocols']['target']['protocol']
    dealt = f', and {protocol} dealt it to training and test class by class' if protocol in READ_LABELS else ''
    return (
        'Labels of the target were read before training: they say which classes both domains have, and its windows of '
        f'other classes were left out{dealt}. Where nobody knows them, give the classes: classes=A,B.'
    )


def adaptation_statements(results: Mapping[str, Any]) -> list[str]:
    """How the numbers came about, in sentences: splits, what was read of the target, classes, choice, distance."""
    dropped, of = results['dropped'], {side: ', '.join(names) for side, names in results['dropped'].items()}
    return [
        _source_words(results),
        _target_words(results),
        target_label_words(results),
        'No target label took part in the steps of training or in choosing the epoch. Target labels are read for the '
        'scores on this page, for the row "oracle" and for the colours of the picture.',
        _classes_words(results),
        _left_out_words(results) + '; '.join(f'of the {side} {of[side]}' for side in of if of[side])
        + '.'
        if any(dropped.values())
        else 'No class was left out.',
        _kept_words(results),
        '"oracle" takes the epoch that is best on the scored windows themselves: a bound to compare with, no result.',
        'Intervals are by recording, whose windows are right or wrong together: the kept network\'s of the effective '
        'number of its scored windows, those of other epochs of the number of recordings. ' + _interval_words(results),
        _distance_words(results),
    ]  # fmt: skip


def _classes_words(results: Mapping[str, Any]) -> str:
    number, key, kept = len(results['classes']), results['label_key'], results['kept']
    if results.get('sets') == OPEN:
        names = ', '.join(results['unknown_classes']) or 'no class of its scored windows'
        return (
            f'Learned are the {number - 1} classes of {key} of the source. For the scores, {names} of the target '
            'count as unknown. '
            f'H-score {_share(kept["h_score"])}: the harmonic mean of the accuracy of known classes, '
            f'{_share(kept["known_accuracy"])}, each class counting alike, and of the share of '
            f'unknown windows that are rejected, {_share(kept["unknown_accuracy"])} (Fu et al., ECCV 2020).'
        )
    if results.get('sets') == PARTIAL:
        return f'Learned are all {number} classes of {key} of the source, of which the target may lack some.'
    given = 'were given.' if results.get('classes_given') else 'both domains have.'
    return f'Learned and scored are the {number} classes of {key} that {given}'


def _source_words(results: Mapping[str, Any]) -> str:
    windows, protocol = results['windows'], results['protocols']['source']
    return (
        f'Source {results["source"]}: {windows["source_train"]} labelled windows are learned from, '
        f'{windows["source_validation"]} validate (protocol {protocol["protocol"]}, fold {protocol["fold"]}).'
    )


def _target_words(results: Mapping[str, Any]) -> str:
    windows, protocol = results['windows'], results['protocols']['target']
    split = f'protocol {protocol["protocol"]}, fold {protocol["fold"]}'
    seen = windows['target_train']
    if results['sees_target']:
        reads = f'{seen} windows are trained on without labels'
    elif results['target_statistics']:
        reads = f'batch statistics are measured on {seen} windows, without labels'
    else:
        reads = f'no window is trained on; criteria look at {seen}, without labels'
    if results['score_all_target']:
        return (
            f'Target {results["target"]}: {reads}; every window that does not overlap another is scored, '
            f'{windows["target_test"]} in all, those that criteria look at among them ({split}).'
        )
    return f'Target {results["target"]}: {reads}; {windows["target_test"]} other windows are scored ({split}).'


def _kept_words(results: Mapping[str, Any]) -> str:
    kept, name, every = results['kept'], results['criterion'], results['epochs_between_saves']
    stored = '' if every == 1 else f' among the stored ones (every {every} epochs and the last)'
    how = 'the last one' if name == 'last' else f'the lowest {name}{stored}'
    low, high = kept['accuracy_interval']
    return (
        f'Kept is epoch {kept["epoch"]} (step {kept["step"]}), {how}: target accuracy {100 * kept["accuracy"]:.1f} % '
        f'({100 * low:.1f} to {100 * high:.1f}), macro F1 {kept["macro_f1"]:.3f}.'
    )


def _left_out_words(results: Mapping[str, Any]) -> str:
    if results.get('sets') in (OPEN, PARTIAL):
        return 'Left out, as the settings say: '
    return f'Left out, as {"others were given" if results.get("classes_given") else "the other side lacks them"}: '


def _interval_words(results: Mapping[str, Any]) -> str:
    """The other intervals of the kept network."""
    return f'Accuracy of the kept network: {interval_text(results["kept"], 1)}.'


def _distance_words(results: Mapping[str, Any]) -> str:
    distance = results['a_distance']
    if distance['after'] is None:
        return 'A domain has too few windows for the proxy A-distance.'
    return (
        f'Proxy A-distance of {results["feature"]}, training windows of both domains: {distance["before"]:.2f} before '
        f'(weights: {results["init"]}), {distance["after"]:.2f} after; 0: a linear classifier cannot tell the domains '
        'apart, 2: it always can.'
    )
