"""The judge of a run of domain adaptation: criteria that read no target label and, kept apart, the true scores."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.special
from sklearn.metrics import f1_score

from fdx.adapt.auto import adapt_where_supported
from fdx.adapt.choice import chosen
from fdx.adapt.config import CRITERIA, AdaptConfig
from fdx.adapt.criteria import dev_risk, mean_entropy, soft_neighbourhood_risk, source_risk
from fdx.adapt.criteria_of_predictions import negative_information, negative_nuclear_norm
from fdx.adapt.criteria_weights import importance_weights
from fdx.adapt.h_score import h_scores
from fdx.adapt.run import AdaptResult, Outputs, adapt
from fdx.data.protocols.class_sets import OPEN
from fdx.train.config import TrainConfig
from fdx.train.forward import Progress, no_progress

# It must not be used for selection, as it reads the labels that adaptation does without.
ORACLE = 'oracle'
SELECTIONS = (*CRITERIA, ORACLE)
MEASURED = tuple(name for name in CRITERIA if name != 'last')


def accuracy_and_f1(outputs: Outputs) -> tuple[float, float]:
    """Share of windows that are classified correctly, and macro F1 over the classes that occur."""
    predicted = outputs.logits.argmax(axis=1)
    f1 = f1_score(outputs.labels, predicted, labels=np.unique(outputs.labels), average='macro', zero_division=0)
    return float((predicted == outputs.labels).mean()), float(f1)


def cross_entropies(outputs: Outputs) -> np.ndarray:
    """Cross-entropy of each window in nats, float64 [N]."""
    log_p = scipy.special.log_softmax(outputs.logits.astype(np.float64), axis=1)
    return -log_p[np.arange(len(log_p)), outputs.labels]


def judge_epoch(parts: Mapping[str, Outputs], seed: int = 0, *, rejects: bool = False) -> dict[str, Any]:
    """The numbers of an epoch: scores on validation windows of the source, every criterion, true scores on the target.

    Criteria, for all of which lower is better: source_risk; dev (You et al., ICML 2019); snd, soft neighbourhood
    density with its sign turned (Saito et al., ICCV 2021); entropy; infomax and nuclear_norm with their signs turned
    (fdx.adapt.criteria_of_predictions). Keys that begin with `oracle_` are for reports
    only. With `rejects` the last output is `unknown`, and `h_scores` are among them.
    """
    validation, target = parts['source_validation'], parts['target_train']
    accuracy, macro_f1 = accuracy_and_f1(validation)
    losses = cross_entropies(validation)
    row: dict[str, Any] = {
        'validation_loss': float(losses.mean()),
        'validation_accuracy': accuracy,
        'validation_macro_f1': macro_f1,
    }
    values = [p.features for p in parts.values()] + [p.logits for p in parts.values()]
    if not all(np.isfinite(v).all() for v in values):
        row |= dict.fromkeys(MEASURED, float('inf'))  # Diverged: never chosen.
    else:
        probabilities = scipy.special.softmax(target.logits.astype(np.float64), axis=1)
        weights = importance_weights(parts['source_train'].features, target.features, validation.features, seed)
        row |= {
            'source_risk': source_risk(losses),
            'source_risk_se': float(losses.std(ddof=1) / np.sqrt(len(losses))) if len(losses) > 1 else 0.0,
            'dev': dev_risk(weights, losses),
            'snd': soft_neighbourhood_risk(probabilities),
            'entropy': mean_entropy(probabilities),
            'infomax': negative_information(probabilities),
            'nuclear_norm': negative_nuclear_norm(probabilities),
        }
    truth, truth_f1 = accuracy_and_f1(parts['target_test'])
    row |= {'oracle_target_accuracy': truth, 'oracle_target_macro_f1': truth_f1}
    if rejects:
        test = parts['target_test']
        found = h_scores(test.logits.argmax(axis=1), test.labels, test.logits.shape[1] - 1)
        row |= {f'oracle_{name}': value for name, value in found.items()}
    return row


def selected_rows(history: list[dict]) -> dict[str, dict]:
    """Selection -> the row of the epoch that it chooses.

    The best step is chosen in the same way (`fdx.adapt.choice`). The oracle takes the highest accuracy, of open sets
    the highest H-score, and the earliest of equal epochs.
    """
    known = [name for name in CRITERIA if name == 'last' or any(name in row for row in history)]
    rows = {name: chosen(history, name) for name in known}
    return {**rows, ORACLE: max(history, key=_truth)}


def _truth(row: dict) -> float:
    h_score = row.get('oracle_h_score')
    return row['oracle_target_accuracy'] if h_score is None else h_score


def run_adaptation(
    config: TrainConfig,
    plan: AdaptConfig,
    workdir: str | pathlib.Path,
    *,
    caches: dict | None = None,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
) -> AdaptResult:
    """`fdx.adapt.run.adapt` with the criteria of this file; with `auto`, `fdx.adapt.auto.adapt_where_supported`."""
    run: Callable[..., AdaptResult] = adapt_where_supported if plan.auto else adapt
    return run(
        config,
        plan,
        workdir,
        judge=lambda parts: judge_epoch(parts, config.seed, rejects=plan.sets == OPEN),
        caches=caches,
        progress=progress,
        on_epoch=on_epoch,
    )
