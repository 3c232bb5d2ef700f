"""Motor maintenance as a TFDS dataset: a table of readings with a failure label, drawn or from a CSV file."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow_datasets as tfds

from fdx.data.readings_csv import CLASSES, COLUMNS, LABEL, Readings, balance, check_trainable, read_readings
from fdx.data.stratified import deal
from fdx.types import ConfigError, DataError

from .generator import STUDY, Parameters, bayes_accuracy, generate


@dataclasses.dataclass(kw_only=True)
class MotorMaintenanceConfig(tfds.core.BuilderConfig):
    """Which readings: drawn ones, or those of a file.

    Attributes:
      rows: readings to draw.
      seed: decides the readings; the splits do not depend on it.
      p_failure_if_condition: chance of failure where a reading is beyond its threshold.
      p_failure_otherwise: chance of failure elsewhere.
      csv: a file for fdx.data.readings_csv.read_readings in place of drawn readings.

    Raises:
      ConfigError: options of the generator beside a file, which would have no effect.
    """

    rows: int = 10000
    seed: int = 0
    p_failure_if_condition: float = STUDY.p_failure_if_condition
    p_failure_otherwise: float = STUDY.p_failure_otherwise
    csv: str = ''

    def __post_init__(self):
        """Refuses options that would be ignored."""
        names = ('rows', 'seed', 'p_failure_if_condition', 'p_failure_otherwise')
        changed = [name for name in names if getattr(self, name) != getattr(MotorMaintenanceConfig, name)]
        if self.csv and changed:
            raise ConfigError(f'{", ".join(changed)} with csv={self.csv}: the file has its own rows; give one or other')

    def parameters(self) -> Parameters:
        """What the generator draws from.

        Raises:
          ConfigError: a chance outside 0 to 1.
        """
        chances = (self.p_failure_if_condition, self.p_failure_otherwise)
        return dataclasses.replace(STUDY, p_failure_if_condition=chances[0], p_failure_otherwise=chances[1])


class Builder(tfds.core.GeneratorBasedBuilder):
    """Readings of a motor (rpm, temperature in C, vibration in g, current in A) and whether it failed.

    Drawn as a study of motor maintenance on a microcontroller does: see generator.py, also for the accuracy that no
    classifier can exceed. `study` has 10000 readings, `small` 1500. A config with `csv` holds the readings of that file
    in place of drawn ones. `row` is the number of the reading in the table, from 0; readings that are identical in
    float32 share a `group`, the row of the first of them. Train, validation and test hold three fifths, a fifth and a
    fifth of each class and whole groups: fdx.data.stratified, fold 0.

    The metadata says what the table is; rows, balance and the digest of a file are in it once the dataset is prepared.
    A config is known by its name alone: after a change of the file, prepare again with --overwrite or another name.
    """

    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'First release.'}
    BUILDER_CONFIGS = [
        MotorMaintenanceConfig(name='study', description='10000 readings drawn as the study does.'),
        MotorMaintenanceConfig(name='small', rows=1500, description='1500 readings, for a quick look.'),
    ]

    def __init__(self, *, file_format: str | None = 'array_record', **kwargs):
        super().__init__(file_format=file_format or 'array_record', **kwargs)

    def _metadata_of_config(self) -> dict:
        config = self.builder_config
        metadata = {'kind': 'readings', 'columns': list(COLUMNS), 'label': LABEL}
        if config.csv:
            return {**metadata, 'source': pathlib.Path(config.csv).name}
        parameters = config.parameters()
        return {
            **metadata,
            'source': 'generator',
            'parameters': {'seed': config.seed, **dataclasses.asdict(parameters)},
            'bayes_accuracy': bayes_accuracy(parameters),
        }

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=(type(self).__doc__ or '').strip(),
            features=tfds.features.FeaturesDict(
                {
                    **{name: tfds.features.Scalar(np.float32) for name in COLUMNS},
                    LABEL: tfds.features.ClassLabel(names=list(CLASSES)),
                    'row': tfds.features.Scalar(np.int64),
                    'group': tfds.features.Scalar(np.int64),
                }
            ),
            metadata=tfds.core.MetadataDict(self._metadata_of_config()),
            disable_shuffling=True,
        )

    def readings(self) -> Readings:
        """The config's table, the same at every call.

        Raises:
          DataError: a file that is missing or cannot be trained on, or drawn rows with too few of a class.
          ConfigError: what `generate` refuses.
        """
        config = self.builder_config
        if config.csv:
            return read_readings(pathlib.Path(config.csv).expanduser())
        readings = generate(config.rows, config.seed, config.parameters())
        check_trainable(readings)
        return readings

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager
        readings = self.readings()
        groups = group_numbers(readings.values)
        splits = deal(readings.labels, groups, fold=0, seed=0)
        check_splits(readings, splits)
        # The table is known only now: TFDS asks for the info also where the file is no longer needed. What an older
        # preparation of this name left in the info has to go.
        self.info.metadata.clear()
        self.info.metadata.update(
            self._metadata_of_config(),
            rows=len(readings),
            balance=balance(readings.labels),
            csv_sha256=_sha256(readings.source) if self.builder_config.csv else '',
        )
        return {name: self._generate_examples(readings, groups, rows) for name, rows in splits.items()}

    def _generate_examples(
        self, readings: Readings, groups: np.ndarray, rows: np.ndarray
    ) -> Iterator[tuple[int, dict]]:
        values = readings.values.astype(np.float32)
        for row in rows.tolist():
            cells = dict(zip(COLUMNS, values[row], strict=True))
            yield row, {**cells, LABEL: int(readings.labels[row]), 'row': row, 'group': int(groups[row])}


def group_numbers(values: np.ndarray) -> np.ndarray:
    """int64 [N]: for each row the number of the first row with the same readings, as float32, of values [N, C]."""
    # Adding zero turns -0.0 into 0.0: the two are one reading.
    _, first, inverse = np.unique(values.astype(np.float32) + 0, axis=0, return_index=True, return_inverse=True)
    return first[inverse.reshape(-1)].astype(np.int64)


def check_splits(readings: Readings, splits: Mapping[str, np.ndarray]) -> None:
    """Checks that every split has rows of every class, which tables of few different readings lack.

    Raises:
      DataError: a split without a class.
    """
    for split, rows in splits.items():
        for name, count in balance(readings.labels[rows]).items():
            if not count:
                raise DataError(
                    f'{readings.source}: no row of class {name} is left for {split}: identical readings stay in one '
                    'split, and too few of this class differ; add other readings of it'
                )


def _sha256(path: str) -> str:
    with open(path, 'rb') as stream:
        return hashlib.file_digest(stream, 'sha256').hexdigest()
