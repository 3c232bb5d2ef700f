"""What the adaptation of a checkpoint found, ready for JSON: the network before and after, on the target."""

from __future__ import annotations

from typing import Any

import numpy as np

from fdx.adapt.source_free.config import SOURCE_FREE_METHODS, SourceFreeConfig
from fdx.adapt.source_free.run import SourceFreeResult
from fdx.evaluate.metrics import summarise
from fdx.evaluate.predictions import Predictions
from fdx.predict.backends.checkpoint import Predictor
from fdx.train.description import environment


def source_free_results(result: SourceFreeResult, plan: SourceFreeConfig) -> dict[str, Any]:
    """Everything that the program says.

    Args:
      result: of `fdx.adapt.source_free.run.adapt_checkpoint`.
      plan: of the same run.

    Returns:
      checkpoint, target, method, words, windows, before and after (each with entropy, infomax and `score`, what
      `metrics.summarise` gives for the scored windows, or null where the run knows none of their classes), history,
      seconds, plan, versions and more.
    """
    row = next(r for r in result.history if r['step'] == result.best_step)
    seen, scored = len(result.target.seen), len(result.target.scored)
    after = Predictor(result.workdir, result.best_step)
    networks = {'before': (Predictor(plan.checkpoint, plan.step), result.before), 'after': (after, row)}
    return {
        'checkpoint': plan.checkpoint,
        'target': plan.target,
        'method': plan.method,
        'method_words': SOURCE_FREE_METHODS[plan.method],
        'words': _words(plan, seen, scored, len(result.target.splits.test)),
        'classes': result.class_names,
        'windows': {'seen': seen, 'scored': scored, 'test': len(result.target.splits.test)},
        'kept': {'step': result.best_step, 'epoch': row['epoch'], 'criterion': plan.select_by},
        **{
            name: {
                'entropy': numbers['entropy'],
                'infomax': numbers['infomax'],
                'score': _score(result, predictor) if scored else None,
            }
            for name, (predictor, numbers) in networks.items()
        },
        'leaks': after.meta['leaks'],
        'history': result.history,
        'seconds': result.seconds,
        'plan': plan.to_json(),
        **environment(),
    }


def _words(plan: SourceFreeConfig, seen: int, scored: int, test: int) -> str:
    """What was read of the target, in sentences."""
    text = f'{seen} windows of {plan.target} were seen without labels; '
    if not scored:
        return text + 'the run knows none of the classes of its test windows, so there is no score.'
    left_out = f' ({test - scored} of classes that the run does not know are left out)' if scored < test else ''
    return text + f'scores are those of {scored} other windows{left_out}, and nothing was chosen by them.'


def _score(result: SourceFreeResult, predictor: Predictor) -> dict[str, Any]:
    target = result.target
    table, rows = target.dataset.table, target.scored_rows
    return summarise(
        Predictions(
            probabilities=predictor.probabilities(target.scored),
            labels=target.scored.labels(),
            recordings=list(table['recording'][rows]),
            bearings=list(table['bearing'][rows]),
            window_starts=table['window_start'][rows],
            class_names=result.class_names,
            folds=np.zeros(len(rows), np.int64),
        )
    )
