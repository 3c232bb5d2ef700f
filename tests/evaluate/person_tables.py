"""Results of tables of predictions that are written down, with facts of data that would have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fdx.evaluate.evidence import Evidence
from fdx.evaluate.metrics import summarise
from fdx.evaluate.plain_words import guess_of, right_of
from fdx.evaluate.predictions import Predictions
from fdx.evaluate.recordings import per_recording
from fdx.evaluate.worst_recordings import recording_confusion

NAMES = ('normal', 'inner_race', 'ball')


def called(pairs: Mapping[tuple[str, str], int], windows: int = 2, sure: float = 0.8, names=NAMES) -> Predictions:
    """One recording of `windows` alike windows for each count of {(true class, called class): recordings}."""
    rows = [(names.index(true), names.index(said)) for (true, said), n in pairs.items() for _ in range(n)]
    probabilities = np.full((len(rows), len(names)), (1 - sure) / (len(names) - 1))
    probabilities[np.arange(len(rows)), [said for _, said in rows]] = sure
    return Predictions(
        np.repeat(probabilities, windows, 0),
        np.repeat([true for true, _ in rows], windows),
        [f'{names[true]}_{i}' for i, (true, _) in enumerate(rows) for _ in range(windows)],
        np.tile(np.arange(windows) * 1000, len(rows)),
        list(names),
        np.zeros(len(rows) * windows, int),
    )


def of_class(name: str, recordings: int, **changes) -> dict:
    """Facts of a class with two bearings, two domains and two speeds."""
    facts = {'recordings': recordings, 'bearings': [f'{name} 1', f'{name} 2'], 'unnamed': 0}
    facts |= {'domains': ['load0', 'load1'], 'speeds_rpm': [600.0, 1200.0]}
    return {'class': name, 'windows': 4 * recordings, 'seconds': 2.0 * recordings, **facts, **changes}


def facts(classes: Sequence[Mapping], **changes) -> dict:
    """Facts of a dataset of recordings."""
    together = {
        'dataset': 'rig/big',
        'version': '1.0.0',
        'content_hash': None,
        'has_recordings': True,
        'windows': sum(c['windows'] for c in classes),
        'recordings': sum(c['recordings'] for c in classes),
        'excluded_recordings': 0,
        'left_out_windows': {},
        'classes': list(classes),
        'bearings': sorted({b for c in classes for b in c['bearings']}),
        'domains': sorted({d for c in classes for d in c['domains']}),
        'domain_kind': 'load',
        'machines': [],
        'speeds_rpm': sorted({s for c in classes for s in c['speeds_rpm']}),
        'loads': [0.0, 1.0],
        'healthy_classes': ['normal'],
    }
    return {**together, **changes}


def results_of(predictions: Predictions, data: Mapping, *, recordings: bool = True, **changes) -> tuple[dict, list]:
    """(what results.json would hold, the verdicts of recordings) of a clean test by recording."""
    verdicts = per_recording(predictions) if recordings else []
    results = summarise(predictions)
    results |= {'split': 'test', 'protocol': 'by_recording', 'leaks': False, 'leak_reason': '', 'train_accuracy': 1.0}
    results['tested_domains'] = ['load0', 'load1']
    results |= {'dataset': 'rig/big:1.0.0', 'trained_on': 'rig/big:1.0.0', 'data': data}
    results['guess'] = guess_of(results, verdicts)
    if recordings:
        results['recording_confusion_matrix'] = recording_confusion(verdicts, predictions.class_names)
    return {**results, **changes}, verdicts


def evidence(predictions: Predictions, data: Mapping, *, own: bool = True, **changes) -> Evidence:
    """What the rules of advice look at."""
    results, verdicts = results_of(predictions, data, recordings=data['has_recordings'], **changes)
    right, total, ends = right_of(results, verdicts)
    return Evidence(results, right, total, tuple(ends), own)
