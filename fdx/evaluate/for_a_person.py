"""What the top of a report says to an engineer who is no data scientist, gathered from a scored run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fdx.data.protocols.splits import folds_of
from fdx.data.table import Table
from fdx.evaluate.conditions import by_condition
from fdx.evaluate.data_facts import data_facts
from fdx.evaluate.evidence import Evidence
from fdx.evaluate.plain_words import guess_of, right_of, score_in_words
from fdx.evaluate.recordings import per_recording
from fdx.evaluate.scored_rows import is_own
from fdx.evaluate.scoring import Scored
from fdx.evaluate.what_helps import what_helps
from fdx.evaluate.worst_recordings import recording_confusion, worst_recordings
from fdx.types import SplitError


def for_a_person(scored: Scored, results: Mapping[str, Any]) -> dict[str, Any]:
    """Further entries of results.json, from which the top of the report is made.

    Args:
      scored: the scored run.
      results: `summarise` and `provenance` of it.

    Returns:
      data (`data_facts`), tested_domains, guess, train_accuracy, score_in_words, what_helps, findings, and of
      recordings recording_confusion_matrix, by_condition and worst_recordings.
    """
    first, data = scored.predictors[0], scored.examples[0].dataset
    own = is_own(first, data) and 'adaptation' not in first.meta
    excluded = [r for r in first.config.exclude_recordings if r in data.table['recording']]
    verdicts = per_recording(scored.predictions) if data.has_recordings else []
    found: dict[str, Any] = {
        'data': data_facts(data, first.config.label_key, excluded),
        'tested_domains': sorted(set(scored.predictions.domains or ())) if data.has_recordings else [],
        'guess': guess_of(results, verdicts),
        'train_accuracy': _train_accuracy(scored),
        'findings': findings_of(data.metadata, first.meta),
    }
    if verdicts:
        found['recording_confusion_matrix'] = recording_confusion(verdicts, results['class_names'])
        found['by_condition'] = by_condition(data.table, verdicts, found['data']['domain_kind'])
        found['worst_recordings'] = worst_recordings(scored.predictions, verdicts)
    everything = {**results, **found}
    found['score_in_words'] = score_in_words(everything, verdicts, own=own, pooled=own and _all_folds(scored))
    right, total, ends = right_of(results, verdicts)
    found['what_helps'] = what_helps(Evidence(everything, right, total, (ends[0], ends[1]), own))
    return found


def findings_of(metadata: Mapping[str, Any], meta: Mapping[str, Any]) -> list[dict[str, str]]:
    """What `fdx inspect` found about the data: [{'kind', 'text'}], each text once.

    Args:
      metadata: of the dataset.
      meta: of the checkpoint, whose entry `dataset` holds the metadata of its training.
    """
    found: dict[str, dict[str, str]] = {}
    for holder in (metadata, meta, meta.get('dataset') or {}):
        for finding in holder.get('findings') or ():
            text = str(finding.get('text') or '').strip()
            if text:
                found.setdefault(text, {'kind': str(finding.get('kind') or ''), 'text': text})
    return list(found.values())


def _train_accuracy(scored: Scored) -> float | None:
    """Share of right training windows in the epoch that was kept, mean over folds; None where a fold lacks it."""
    shares = []
    for predictor in scored.predictors:
        rows = [row for row in predictor.meta.get('history') or () if row['step'] == predictor.step]
        share = rows[0].get('train_accuracy') if rows else None
        if share is None:
            return None
        shares.append(float(share))
    return sum(shares) / len(shares)


def _all_folds(scored: Scored) -> bool:
    """Whether every fold of the protocol was scored."""
    first, data = scored.predictors[0], scored.examples[0].dataset
    keep = [r not in set(first.config.exclude_recordings) for r in data.table['recording']]
    table = Table({k: v[keep] for k, v in data.table.columns.items()}, data.table.window_length)
    try:
        folds = folds_of(first.config.protocol, table, first.config.label_key)
    except SplitError:  # The classes or domains of the run are others than those of the whole dataset.
        return False
    return {p.config.fold for p in scored.predictors} == set(folds)
