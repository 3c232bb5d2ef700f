"""Scores the checkpoints of a run, fold by fold, on a split of a prepared dataset."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np

from fdx.data.pipeline import RecordExamples
from fdx.data.protocols.class_sets import UNKNOWN
from fdx.data.protocols.guard import refuse_synthetic
from fdx.evaluate.predictions import RECORDING, Predictions, concatenate
from fdx.evaluate.scored_rows import check_fits, open_for, rejects_unknown, rows_to_score
from fdx.predict.load import load_predictor, run_folders
from fdx.predict.predictor import AnyPredictor
from fdx.predict.verdicts import refuse_not_finite
from fdx.train.forward import Progress, no_progress
from fdx.types import DataError

SPLITS = ('train', 'validation', 'test', 'all')


@dataclasses.dataclass(frozen=True)
class Scored:
    """A run's score.

    Attributes:
      predictions: of all folds, pooled.
      predictors: one per fold.
      examples: the scored examples of each fold.
      leaks: whether the score does not estimate performance on new data.
      leak_share: share of the scored windows that overlap training windows or come from recordings trained on.
      leak_reason: why, in words; '' when it does not leak.
      split_notes: what the protocol of the first fold says about its split.
    """

    predictions: Predictions
    predictors: list[AnyPredictor]
    examples: list[RecordExamples]
    leaks: bool
    leak_share: float
    leak_reason: str
    split_notes: tuple[str, ...] = ()


def score_run(
    workdir: str | pathlib.Path,
    *,
    split: str = 'test',
    step: str | int = 'best',
    dataset: str | None = None,
    data_dir: str | None = None,
    progress: Progress = no_progress,
) -> Scored:
    """Scores every fold of a run on its own split and pools the predictions.

    Args:
      workdir: of `launch.train`, one fold or the parent of several; or a .tflite file of `launch.export`.
      split: train, validation, test, or all (every record; for a dataset other than the training one).
      step: best, last or a number.
      dataset: another dataset than the run's own; its classes must be among the run's, or count as `unknown` after
        adaptation to open sets.
      data_dir: another place than the run's own.
      progress: wraps long work.

    Raises:
      CheckpointError: there is no checkpoint, or it is damaged.
      DataError: the split is unknown, or the dataset is not prepared, has other classes or another front end.
    """
    if split not in SPLITS:
        raise DataError(f'`split`={split}: it is one of {", ".join(SPLITS)}')
    predictors = [load_predictor(folder, step, progress) for folder in run_folders(workdir)]
    data = open_for(predictors[0], dataset, data_dir)
    parts, examples, scored = [], [], []
    for predictor in predictors:
        check_fits(predictor, data)
        chosen = rows_to_score(predictor, data, split)
        refuse_synthetic(data.table, chosen.rows, split)
        of_fold = RecordExamples(data, chosen.rows, predictor.config.label_key, predictor.gain)
        probabilities = predictor.probabilities(of_fold, f'score fold {predictor.config.fold}')
        refuse_not_finite(probabilities, str(predictor.workdir), predictor.step)
        parts.append(_predictions(predictor, of_fold, probabilities))
        examples.append(of_fold)
        scored.append(chosen)
    reasons = sorted({part.leak_reason for part in scored if part.leak_reason})
    return Scored(
        predictions=concatenate(parts),
        predictors=predictors,
        examples=examples,
        leaks=bool(reasons),
        leak_share=float(np.mean([part.leak_share for part in scored])),
        leak_reason='; '.join(reasons),
        split_notes=scored[0].notes,
    )


def _predictions(predictor: AnyPredictor, examples: RecordExamples, probabilities: np.ndarray) -> Predictions:
    data, rows = examples.dataset, examples.rows
    names, units = data.class_names(predictor.config.label_key), data.units(rows, predictor.config.protocol)
    told = [n if n in predictor.class_names else UNKNOWN for n in names] if rejects_unknown(predictor) else names
    number = np.array([predictor.class_names.index(n) for n in told])
    return Predictions(
        probabilities=probabilities,
        labels=number[examples.labels()],
        recordings=data.scored_as(rows),
        window_starts=data.table['window_start'][rows],
        class_names=predictor.class_names,
        folds=np.full(len(rows), predictor.config.fold),
        domains=list(data.table['domain'][rows]),
        bearings=list(data.table['bearing'][rows]),
        thresholds=None if predictor.threshold is None else np.full(len(rows), predictor.threshold),
        units=None if units is None else units[0],
        unit_name=RECORDING if units is None else units[1],
    )
