"""An evaluation of a run: results.json, PNGs and report.html."""

from __future__ import annotations

import pathlib

import numpy as np
from matplotlib.figure import Figure

from fdx.data.records import decode_waveform
from fdx.evaluate.embedding_plots import plot_embedding, plot_embedding_profile
from fdx.evaluate.metrics import summarise
from fdx.evaluate.plots import plot_confusion, plot_history, plot_per_class, save_png
from fdx.evaluate.predictions import confident_mistakes, per_recording, save_predictions
from fdx.evaluate.report import ReportContext, write_report, write_results
from fdx.evaluate.sample_plots import ClassSample, plot_samples_per_class
from fdx.evaluate.scoring import Scored, score_run
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
    out = pathlib.Path(out_dir)
    results = {**summarise(scored.predictions), **_provenance(scored, split)}
    figures = _figures(scored, results)
    for name, figure in figures.items():
        save_png(figure, out / f'{name}.png')
    save_predictions(out / 'predictions.npz', scored.predictions)
    context = ReportContext(
        result=results,
        config=_how_it_was_made(results),
        history=_history(scored),
        figures=figures,
        per_recording=per_recording(scored.predictions),
        notes=_notes(scored, results),
        leak={'leaks': scored.leaks, 'share': scored.leak_share, 'reason': scored.leak_reason},
        mistakes=confident_mistakes(scored.predictions),
        title=f'{results["dataset"]}: {results["split"]}',
    )
    write_report(out / 'report.html', context)
    write_results(out / 'results.json', results)
    return results


def _provenance(scored: Scored, split: str) -> dict:
    first = scored.predictors[0]
    return {
        'split': split,
        'dataset': scored.examples[0].dataset.name,
        'trained_on': first.meta['dataset']['name'],
        'protocol': first.config.protocol,
        'seed': first.config.seed,
        'steps': [p.step for p in scored.predictors],
        'selection_criterion': f'validation {first.config.select_by}',
        'leaks': scored.leaks,
        'leak_share': scored.leak_share,
        'leak_reason': scored.leak_reason,
        'train_seconds': float(sum(p.meta['seconds'] for p in scored.predictors)),
        'train_windows': [p.meta['splits']['train'] for p in scored.predictors],
        'config': first.config.to_json(),
        'init': first.meta['init'],
        'norms': first.meta.get('norms', {'trained': 0, 'frozen': 0}),
        'front_end': first.meta['front_end'],
        'guard_length': first.meta['dataset']['guard_length'],
        'common_rate_hz': first.meta['dataset']['common_rate_hz'],
        'versions': first.meta['versions'],
    }


def _how_it_was_made(results: dict) -> dict:
    config = results['config']
    return {
        'dataset': results['dataset'],
        'front_end': f'{results["front_end"]["name"]} (scaling {results["front_end"]["scaling"]})',
        'model': config['model'],
        'init': results['init'],
        'freeze': config['freeze'],
        'norms': _norms_text(results['norms']),
        'protocol': results['protocol'],
        'folds': results['folds'],
        'seed': results['seed'],
        'selection_criterion': results['selection_criterion'],
        'selected_step': results['steps'],
        'packages': results['versions'],
        'trained on': results['trained_on'],
        'training windows': results['train_windows'],
        'epochs': config['epochs'],
        'batch size': config['batch_size'],
        'learning rate': config['learning_rate'],
        'training seconds': round(results['train_seconds'], 1),
    }


def _norms_text(norms: dict) -> str:
    if not norms['trained'] + norms['frozen']:
        return 'the network has none'
    return f'{norms["trained"]} train, {norms["frozen"]} are frozen with their statistics'


def _notes(scored: Scored, results: dict) -> list[str]:
    guard_s = results['guard_length'] / results['common_rate_hz']
    notes = []
    if results['protocol'] == 'time_blocks':
        notes.append(f'Blocks of a recording are {guard_s:g} s apart; no window crosses their edges.')
    if not scored.leaks:
        notes.append('Scored windows do not overlap each other: each second of a recording counts once.')
    if len(scored.predictors) > 1:
        notes.append(f'Predictions of {len(scored.predictors)} folds are pooled; the curves are those of the first.')
    return notes


def _history(scored: Scored) -> list[dict]:
    first = scored.predictors[0]
    return [{**row, 'selected': row['step'] == first.step} for row in first.meta['history']]


def _figures(scored: Scored, results: dict) -> dict[str, Figure]:
    figures = {
        'confusion': plot_confusion(results['confusion_matrix'], results['class_names'], title=''),
        'per_class': plot_per_class(results),
    }
    if _history(scored):
        figures['history'] = plot_history(_history(scored))
    if scored.examples[0].dataset.has_waveform:
        figures['samples'] = plot_samples_per_class(_samples(scored))
    examples, predictor = scored.examples[0], scored.predictors[0]
    if len(examples) > MAX_EMBEDDED:
        rows = np.sort(np.random.default_rng(0).permutation(examples.rows)[:MAX_EMBEDDED])
        examples = type(examples)(examples.dataset, rows, examples.label_key, examples.gain)
    embeddings = predictor.features(examples)
    names = examples.dataset.class_names(examples.label_key)
    figures['embedding'] = plot_embedding(embeddings, examples.labels(), names)
    present, first_rows = np.unique(examples.labels(), return_index=True)
    figures['embedding_profile'] = plot_embedding_profile(embeddings[first_rows], [names[i] for i in present])
    return figures


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
