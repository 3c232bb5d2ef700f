"""Which windows of files and datasets are explained, and what their training recordings are."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.familiar_fit import spread_over
from fdx.data.pipeline import ArrayExamples, RecordExamples
from fdx.data.readings_csv import read_readings
from fdx.data.source import Dataset
from fdx.evaluate.scored_rows import check_fits, open_for, open_own_dataset, rejects_unknown, rows_to_score
from fdx.explain.explanation import Explainer, Explanation
from fdx.explain.nearest import TrainingWindows, nearest_recordings
from fdx.predict.diagnose import cut_for, diagnose_recording
from fdx.predict.predictor import AnyPredictor
from fdx.predict.source import read_source
from fdx.predict.verdicts import without_verdict
from fdx.signal.patch import UNKNOWN_CONDITION, Condition
from fdx.signal.readings import reads_tables
from fdx.train.decision import decide
from fdx.types import BearingGeometry, ConfigError, DataError

# Windows per file, and per class of a dataset.
WINDOWS = 3
MOST_TRAINING_WINDOWS = 1000
NO_TRAINING = 'the dataset of training cannot be read here, so no training recordings are compared: {reason}'


@dataclasses.dataclass(frozen=True, eq=False)
class ExplainedWindow:
    """A window with its explanation.

    Attributes:
      source: file or recording; of a table, file and row.
      start_s: where it begins; 0 for a row of a table.
      label: its true class, '' where nobody knows it.
      predicted: what the run says of it.
      explanation: why.
      nearest: rows of `fdx.explain.nearest.nearest_recordings`.
      notes: sentences, for example why its recording has no verdict.
    """

    source: str
    start_s: float
    label: str
    predicted: str
    explanation: Explanation
    nearest: list[dict[str, Any]]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        said = {'source': self.source, 'start_s': self.start_s, 'label': self.label or None}
        return said | {
            'predicted': self.predicted,
            **self.explanation.to_json(),
            'nearest': self.nearest,
            'notes': list(self.notes),
        }


class WindowExplainer:
    """Explains windows of files and datasets by one run.

    Attributes:
      explainer: of the run.
      training: windows of training, to compare with; None where its dataset is not there.
      without_training: why, in words; '' where it is.
    """

    def __init__(self, explainer: Explainer, data_dir: str | None = None, explained_class: str = ''):
        """Args: the explainer, the folder of prepared datasets, and the class to explain ('': what is predicted).

        Raises:
          ConfigError: the run has no class of that name.
        """
        names = explainer.predictor.class_names
        if explained_class and explained_class not in names:
            raise ConfigError(f'`class_name`={explained_class}: the run has the classes {", ".join(names)}')
        self.explainer, self._data_dir = explainer, data_dir
        self._which = names.index(explained_class) if explained_class else None
        self.training, self.without_training = training_windows(explainer.predictor, data_dir)

    def of_file(self, path: str | os.PathLike, windows: int = WINDOWS, **options: Any) -> list[ExplainedWindow]:
        """The windows of a file that say most clearly what its verdict says, in order of time.

        Args:
          path: of a recording, or of a table of readings whose first rows are explained.
          windows: how many, at most.
          **options: of `fdx.predict.source.read_source`, and `hop_s`.

        Raises:
          DataError: the file cannot be used, or no window of it.
          ConfigError: an option that the run does not read.
        """
        predictor = self.explainer.predictor
        # Speed and bearing are marked on any frequency axis, also where the front end reads none.
        if reads_tables(predictor.front_end):
            predictor.check_options([name for name, value in options.items() if value is not None])
            return self._of_table(path, windows)
        hop_s = options.pop('hop_s', None)
        recording, by_position = read_source(path, **options), options.get('channel') is not None
        diagnosis = diagnose_recording(predictor, recording, hop_s=hop_s, by_position=by_position)
        taken, _, cut = cut_for(predictor, recording, hop_s=hop_s, by_position=by_position)
        if not len(cut.live):
            raise DataError(f'{path}: no window can be used: {diagnosis.reason}')
        inputs = predictor.front_end.with_gain(cut.images, predictor.gain)
        probabilities = self.explainer.probabilities(inputs)
        notes = [f'There is no verdict on the file: {diagnosis.reason}'] if diagnosis.label is None else []
        # Where there is no verdict, the windows are those of which the network itself is surest.
        verdict = diagnosis.label or predictor.class_names[int(probabilities.mean(axis=0).argmax())]
        sure = probabilities[:, predictor.class_names.index(verdict)]
        condition = Condition(taken.speed_rpm, taken.geometry)
        return [
            self._window(str(path), float(cut.starts_s[cut.live[i]]), '', inputs[i], condition, (*notes, *cut.notes))
            for i in sorted(np.argsort(-sure, kind='stable')[:windows].tolist())
        ]

    def _of_table(self, path: str | os.PathLike, windows: int) -> list[ExplainedWindow]:
        predictor = self.explainer.predictor
        groups = predictor.meta['dataset'].get('group_column', '')
        columns = predictor.front_end.columns  # type: ignore[union-attr]
        values = read_readings(path, columns, need_label=False, group_column=groups).values[:windows]
        inputs = predictor.front_end.with_gain(values.astype(np.float32), predictor.gain)
        return [self._window(f'{path}, row {i}', 0.0, '', x, UNKNOWN_CONDITION) for i, x in enumerate(inputs)]

    def of_dataset(self, name: str | None, split: str, windows: int = WINDOWS) -> list[ExplainedWindow]:
        """Windows of each class that are diagnosed rightly, evenly over the split; wrong ones where none is right.

        Args:
          name: of a prepared dataset; None: the run's own.
          split: train, validation, test or all.
          windows: of each class, at most.

        Raises:
          DataError: the dataset is not there or does not fit the run.
        """
        predictor = self.explainer.predictor
        data = open_for(predictor, name, self._data_dir)
        check_fits(predictor, data)
        rows = rows_to_score(predictor, data, split).rows
        examples = RecordExamples(data, rows, predictor.config.label_key, predictor.gain)
        probabilities = predictor.probabilities(examples, 'predict')
        labels, names = examples.labels(), data.class_names(predictor.config.label_key)
        called = decide(np.nan_to_num(probabilities), predictor.threshold)
        told = np.array([predictor.class_names[c] for c in called])
        right = (told == np.array(names)[labels]) & ~without_verdict(probabilities)
        found = []
        for label in np.unique(labels):
            mine = np.flatnonzero((labels == label) & right)
            mine = mine if len(mine) else np.flatnonzero(labels == label)
            for i in mine[np.unique(np.linspace(0, len(mine) - 1, min(windows, len(mine))).astype(int))]:
                row = int(rows[i])
                start = float(data.table['window_start'][row]) / (data.metadata['common_rate_hz'] or 1.0)
                where = f'{data.table["recording"][row]}'
                condition, x = condition_of(data, row), examples[int(i)]['inputs']
                found.append(self._window(where, start, names[label], x, condition))
        return found

    def _window(
        self,
        source: str,
        start_s: float,
        label: str,
        x: np.ndarray,
        condition: Condition,
        notes: tuple[str, ...] = (),
    ) -> ExplainedWindow:
        predictor = self.explainer.predictor
        probabilities = self.explainer.probabilities(x[None])
        if not np.isfinite(probabilities).all():
            raise DataError(f'{source}: the network gives no finite numbers for the window at {start_s:g} s')
        called = int(decide(probabilities.astype(np.float32), predictor.threshold)[0])
        explanation = self.explainer.explain(x, called if self._which is None else self._which, condition)
        nearest = []
        if self.training is not None:
            embedding = predictor.features(ArrayExamples(x[None], np.zeros(1, np.int32)))[0]
            nearest = nearest_recordings(embedding, self.training)
        return ExplainedWindow(source, start_s, label, predictor.class_names[called], explanation, nearest, notes)


def training_windows(predictor: AnyPredictor, data_dir: str | None) -> tuple[TrainingWindows | None, str]:
    """(embeddings of at most MOST_TRAINING_WINDOWS training windows, '') or (None, why there are none)."""
    try:
        data = open_own_dataset(predictor, data_dir)
        rows = rows_to_score(predictor, data, 'train').rows
    except DataError as e:
        return None, NO_TRAINING.format(reason=e)
    rows = spread_over(data.table['recording'], rows, MOST_TRAINING_WINDOWS)
    examples = RecordExamples(data, rows, predictor.config.label_key, predictor.gain)
    names = data.class_names(predictor.config.label_key)
    if not rejects_unknown(predictor):
        names = [n if n in predictor.class_names else '' for n in names]
    labels = [names[label] for label in examples.labels()]
    return TrainingWindows(predictor.features(examples), data.table['recording'][rows].tolist(), labels), ''


def condition_of(data: PreparedDataset, row: int) -> Condition:
    """Speed and bearing of a record, as far as the dataset knows them."""
    if not isinstance(data, Dataset):
        return UNKNOWN_CONDITION
    speed = float(data.table['speed_rpm'][row])
    try:
        numbers = np.asarray(data.record(row, ('geometry',))['geometry'], np.float64)
    except DataError:  # Datasets of before 1.1.0 hold none.
        return Condition(speed)
    if not np.isfinite(numbers[:3]).all():
        return Condition(speed)
    pitch, ball, count, angle = numbers.tolist()
    return Condition(speed, BearingGeometry(pitch, ball, int(count), angle if np.isfinite(angle) else 0.0))
