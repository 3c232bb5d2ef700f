"""An evaluation of a run: results.json, PNGs and report.html."""

from __future__ import annotations

import pathlib

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate.data_figures import DATA_FIGURES, worst_spectrograms
from fdx.evaluate.decision_metrics import binary_summary
from fdx.evaluate.decision_plots import plot_reliability, plot_roc_and_pr
from fdx.evaluate.explanation_examples import explanation_examples
from fdx.evaluate.for_a_person import for_a_person
from fdx.evaluate.metrics import summarise
from fdx.evaluate.plots import plot_confusion, plot_history, plot_per_class, save_png
from fdx.evaluate.predictions import Predictions, save_predictions
from fdx.evaluate.provenance import how_it_was_made, provenance
from fdx.evaluate.recordings import confident_mistakes, per_recording
from fdx.evaluate.report import ReportContext, write_report, write_results
from fdx.evaluate.scoring import Scored, score_run
from fdx.train.forward import Progress, no_progress


def evaluate(
    workdir: str | pathlib.Path,
    out_dir: str | pathlib.Path,
    *,
    split: str = 'test',
    step: str | int = 'best',
    dataset: str | None = None,
    data_dir: str | None = None,
    progress: Progress = no_progress,
) -> dict:
    """Scores a run (see `score_run`) and writes results.json, predictions.npz, PNGs and report.html into `out_dir`.

    Returns:
      What results.json holds.
    """
    scored = score_run(workdir, split=split, step=step, dataset=dataset, data_dir=data_dir, progress=progress)
    return write_evaluation(scored, split, pathlib.Path(out_dir))


def results_of(scored: Scored, split: str) -> dict:
    """Figures of merit of a scored split, and how they came about: what results.json holds."""
    results = {**summarise(scored.predictions), **_decision(scored.predictions), **provenance(scored, split)}
    return {**results, **for_a_person(scored, results)}


def write_evaluation(scored: Scored, split: str, out: pathlib.Path) -> dict:
    """Writes results.json, predictions.npz, PNGs and report.html into `out`; returns what results.json holds."""
    results = results_of(scored, split)
    figures = _figures(scored, results)
    for name, figure in figures.items():
        save_png(figure, out / f'{name}.png')
    save_predictions(out / 'predictions.npz', scored.predictions)
    context = ReportContext(
        result=results,
        config=how_it_was_made(results),
        history=_history(scored),
        figures=figures,
        per_recording=per_recording(scored.predictions) if scored.examples[0].dataset.has_recordings else [],
        notes=_notes(scored, results),
        leak={'leaks': scored.leaks, 'share': scored.leak_share, 'reason': scored.leak_reason},
        mistakes=confident_mistakes(scored.predictions),
        title=f'{results["dataset"]}: {results["split"]}',
        worst_figures=worst_spectrograms(scored, results.get('worst_recordings', [])),
    )
    write_report(out / 'report.html', context)
    write_results(out / 'results.json', results)
    return results


def _decision(predictions: Predictions) -> dict:
    """{'decision': figures of merit of the second class}, where there are two."""
    if len(predictions.class_names) != 2:
        return {}
    p = predictions
    return {'decision': binary_summary(p.probabilities, p.labels, p.predicted, p.class_names, p.thresholds)}


def _notes(scored: Scored, results: dict) -> list[str]:
    notes = []
    if results['protocol'] == 'time_blocks':
        guard_s = results['guard_length'] / results['common_rate_hz']
        notes.append(f'Blocks of a recording are {guard_s:g} s apart; no window crosses their edges.')
    left_out = ', '.join(f'{count} {fault}' for fault, count in results['left_out_windows'].items())
    if left_out:
        notes.append(f'Windows of the dataset that could not be used were left out when it was prepared: {left_out}.')
    if results['wild_samples']:
        notes.append(f'{results["wild_samples"]} wild samples of its recordings were replaced.')
    notes.append(scored.examples[0].dataset.scoring_note(scored.leaks))
    notes += results['split_notes']
    if len(scored.predictors) > 1:
        notes.append(f'Predictions of {len(scored.predictors)} folds are pooled; the curves are those of the first.')
    return [note for note in notes if note]


def _history(scored: Scored) -> list[dict]:
    first = scored.predictors[0]
    return [{**row, 'selected': row['step'] == first.step} for row in first.meta.get('history', [])]


def _figures(scored: Scored, results: dict) -> dict[str, Figure]:
    figures = {
        'confusion': plot_confusion(results['confusion_matrix'], results['class_names'], title=''),
        'per_class': plot_per_class(results),
        'reliability': plot_reliability(scored.predictions.probabilities, scored.predictions.labels),
    }
    p = scored.predictions
    if len(p.class_names) == 2 and len(np.unique(p.labels)) == 2:
        figures['roc_and_pr'] = plot_roc_and_pr(p.probabilities, p.labels, p.class_names, p.thresholds)
    if _history(scored):
        figures['history'] = plot_history(_history(scored))
    for name in scored.examples[0].dataset.plots():
        figures |= DATA_FIGURES[name](scored)
    return figures | explanation_examples(scored)
