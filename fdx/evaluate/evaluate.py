"""An evaluation of a run: results.json, PNGs and report.html."""

from __future__ import annotations

import pathlib

import numpy as np
from matplotlib.figure import Figure

from fdx.data.pipeline import RecordExamples
from fdx.data.records import decode_waveform
from fdx.evaluate.decision_metrics import binary_summary
from fdx.evaluate.decision_plots import plot_reliability, plot_roc_and_pr
from fdx.evaluate.embedding_plots import plot_embedding, plot_embedding_profile
from fdx.evaluate.metrics import summarise
from fdx.evaluate.plots import plot_confusion, plot_history, plot_per_class, save_png
from fdx.evaluate.predictions import Predictions, save_predictions
from fdx.evaluate.provenance import how_it_was_made, is_table, provenance
from fdx.evaluate.readings_plots import plot_distributions
from fdx.evaluate.recordings import confident_mistakes, per_recording
from fdx.evaluate.report import ReportContext, write_report, write_results
from fdx.evaluate.sample_plots import ClassSample, plot_samples_per_class
from fdx.evaluate.scoring import Scored, score_run
from fdx.predict.predictor import AnyPredictor
from fdx.train.feature_cache import Progress, no_progress

MAX_EMBEDDED = 1000


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
    return {**summarise(scored.predictions), **_decision(scored.predictions), **provenance(scored, split)}


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
        per_recording=[] if is_table(scored) else per_recording(scored.predictions),
        notes=_notes(scored, results),
        leak={'leaks': scored.leaks, 'share': scored.leak_share, 'reason': scored.leak_reason},
        mistakes=confident_mistakes(scored.predictions),
        title=f'{results["dataset"]}: {results["split"]}',
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
    if is_table(scored):
        notes.append('Every row is one reading; identical readings lie in one split. A window here is a row.')
        notes += results['split_notes']
    elif not scored.leaks:
        notes.append('Scored windows do not overlap each other: each second of a recording counts once.')
    if len(scored.predictors) > 1:
        notes.append(f'Predictions of {len(scored.predictors)} folds are pooled; the curves are those of the first.')
    return notes


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
    if scored.examples[0].dataset.has_waveform:
        figures['samples'] = plot_samples_per_class(_samples(scored))
    examples, predictor = scored.examples[0], scored.predictors[0]
    if is_table(scored):
        data, names = examples.dataset, examples.dataset.class_names()
        values = data.values[examples.rows]
        figures['distributions'] = plot_distributions(values, data.columns, examples.labels(), names)
        return figures  # A few columns are seen better as they are than folded into a plane.
    return {**figures, **_embedding_figures(examples, predictor)}


def _embedding_figures(examples: RecordExamples, predictor: AnyPredictor) -> dict[str, Figure]:
    if not predictor.has_features:
        return {}
    if len(examples) > MAX_EMBEDDED:
        rows = np.sort(np.random.default_rng(0).permutation(examples.rows)[:MAX_EMBEDDED])
        examples = type(examples)(examples.dataset, rows, examples.label_key, examples.gain)
    embeddings = predictor.features(examples)
    names = examples.dataset.class_names(examples.label_key)
    present, first_rows = np.unique(examples.labels(), return_index=True)
    return {
        'embedding': plot_embedding(embeddings, examples.labels(), names),
        'embedding_profile': plot_embedding_profile(embeddings[first_rows], [names[i] for i in present]),
    }


def _samples(scored: Scored) -> list[ClassSample]:
    """The first scored window of each class."""
    examples = scored.examples[0]
    data, front_end = examples.dataset, examples.dataset.front_end
    present, first = np.unique(examples.labels(), return_index=True)
    samples = []
    for label, i in zip(present, first):
        r = data.record(int(examples.rows[i]), ('waveform', 'waveform_scale', 'spectrogram', 'sample_rate_hz'))
        image = front_end.with_gain(r['spectrogram'], examples.gain)
        samples.append(
            ClassSample(
                class_name=data.class_names(examples.label_key)[label],
                samples=decode_waveform(r['waveform'], r['waveform_scale']),
                sample_rate_hz=r['sample_rate_hz'],
                spectrogram=image if front_end.axes == 'TF' else image.swapaxes(0, 1),
                hop_s=front_end.hop_s,
                frequencies_hz=front_end.centre_frequencies_hz(),
                panels=tuple(front_end.panels(data.channels)),
                unit=front_end.unit,
                labels=front_end.plot_labels,
            )
        )
    return samples
