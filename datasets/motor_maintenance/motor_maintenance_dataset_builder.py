"""Motor maintenance as a TFDS dataset: a table of readings with a failure label, drawn or from a CSV file."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow_datasets as tfds

from fdx.data.local_info import LocalInfo
from fdx.data.protocols.rows import deal_stretches, deal_units, group_parts
from fdx.data.protocols.stratified import deal
from fdx.data.readings import NAMED_GROUP
from fdx.data.readings_csv import CLASSES, COLUMNS, LABEL, Readings, balance, check_trainable, read_readings
from fdx.types import ConfigError, DataError, SplitError

from .generator import STUDY, Parameters, bayes_accuracy, generate


@dataclasses.dataclass(kw_only=True)
class MotorMaintenanceConfig(tfds.core.BuilderConfig):
    """Which readings a dataset holds: drawn ones, or those of a file.

    Attributes:
      rows: readings to draw.
      seed: decides the readings; the splits do not depend on it.
      p_failure_if_condition: chance of failure where a reading is beyond its threshold.
      p_failure_otherwise: chance of failure elsewhere.
      csv: a file for fdx.data.readings_csv.read_readings in place of drawn readings.
      group_column: a column of that file that names the group (machine, run) of each row; it is not a reading.
      protocol: how rows are split if a run names no protocol: stratified, row_blocks or by_group. If empty, drawn rows
        are stratified; rows of a file are split by group_column or, without one, as a log.

    Raises:
      ConfigError: options of the generator with a file, or groups without a file; they would have no effect.
    """

    rows: int = 10000
    seed: int = 0
    p_failure_if_condition: float = STUDY.p_failure_if_condition
    p_failure_otherwise: float = STUDY.p_failure_otherwise
    csv: str = ''
    group_column: str = ''
    protocol: str = ''

    def __post_init__(self):
        """Refuses options that would be ignored."""
        names = ('rows', 'seed', 'p_failure_if_condition', 'p_failure_otherwise')
        changed = [name for name in names if getattr(self, name) != getattr(MotorMaintenanceConfig, name)]
        if self.csv and changed:
            raise ConfigError(f'{", ".join(changed)} with csv={self.csv}: the file has its own rows; give one or other')
        if self.group_column and not self.csv:
            raise ConfigError(f'`group_column`={self.group_column} names a column of `csv`=FILE: give the file, too')

    def default_protocol(self) -> str:
        """The protocol that splits the rows if a run names none."""
        of_file = 'by_group' if self.group_column else 'row_blocks'
        return self.protocol or (of_file if self.csv else 'stratified')

    def parameters(self) -> Parameters:
        """The distributions that the generator draws from.

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
    fifth of each class: of drawn rows whole such groups (fdx.data.protocols.stratified), of a file whole stretches of
    the log, or with `group_column` whole groups of that column (fdx.data.protocols.rows), fold 0. Runs deal the rows
    themselves.

    The metadata says what the table is; rows, balance and the digest of a file are in it once the dataset is prepared.
    A config is known by its name alone: after a change of the file, prepare again with `overwrite` or another name.
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
        metadata |= {'protocol': config.default_protocol(), 'group_column': config.group_column}
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
        return LocalInfo(
            builder=self,
            description=(type(self).__doc__ or '').strip(),
            features=tfds.features.FeaturesDict(
                {
                    **{name: tfds.features.Scalar(np.float32) for name in COLUMNS},
                    LABEL: tfds.features.ClassLabel(names=list(CLASSES)),
                    'row': tfds.features.Scalar(np.int64),
                    'group': tfds.features.Scalar(np.int64),
                    **({NAMED_GROUP: tfds.features.Text()} if self.builder_config.group_column else {}),
                }
            ),
            metadata=tfds.core.MetadataDict(self._metadata_of_config()),
            disable_shuffling=True,
        )

    def readings(self) -> Readings:
        """The config's table, the same at every call.

        Raises:
          DataError: the file is missing or cannot be trained on, or a class has too few drawn rows.
          ConfigError: `generate` refuses the options.
        """
        config = self.builder_config
        if config.csv:
            return read_readings(pathlib.Path(config.csv).expanduser(), group_column=config.group_column)
        readings = generate(config.rows, config.seed, config.parameters())
        check_trainable(readings)
        return readings

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager
        readings = self.readings()
        groups = group_numbers(readings.values)
        splits = _splits(readings, groups, self.builder_config.default_protocol())
        # The table is read only here, because TFDS asks for the info even if the file is no longer needed. Entries that
        # an older preparation of this name left in the info must be replaced.
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
            named = {NAMED_GROUP: readings.groups[row]} if readings.groups else {}
            yield row, {**cells, LABEL: int(readings.labels[row]), 'row': row, 'group': int(groups[row]), **named}


def _splits(readings: Readings, groups: np.ndarray, protocol: str) -> dict[str, np.ndarray]:
    """Rows of each split as TFDS stores them, without gaps; a run leaves out rows that its protocol does not allow.

    A log that cannot be split into stretches is stored stratified. A run on it then reports the problem, unless it
    names the stratified protocol.
    """
    labels = readings.labels
    try:
        if protocol == 'by_group':
            numbers = np.unique(np.array(readings.groups), return_inverse=True)[1]
            splits = deal_units(numbers, labels, group_parts(numbers, labels))
        elif protocol == 'row_blocks':
            splits, _ = deal_stretches(readings.values.astype(np.float32), labels)
        else:
            splits = deal(labels, groups, fold=0, seed=0)
        splits = _with_identical(splits, groups)
        check_splits(readings, splits)
    except (SplitError, DataError):
        splits = deal(labels, groups, fold=0, seed=0)
        check_splits(readings, splits)
    return splits


def _with_identical(splits: Mapping[str, np.ndarray], groups: np.ndarray) -> dict[str, np.ndarray]:
    """Splits with all rows: left-out rows train, unless identical readings are scored; they then join those."""
    split_of_row = np.zeros(len(groups), np.int64)
    for number, name in enumerate(('validation', 'test'), start=1):
        split_of_row[np.isin(groups, groups[splits[name]])] = number
    names = ('train', 'validation', 'test')
    return {name: np.flatnonzero(split_of_row == number) for number, name in enumerate(names)}


def group_numbers(values: np.ndarray) -> np.ndarray:
    """int64 [N]: for each row the number of the first row with the same readings, as float32, of values [N, C]."""
    # Adding zero turns -0.0 into 0.0, so that both are the same reading.
    _, first, inverse = np.unique(values.astype(np.float32) + 0, axis=0, return_index=True, return_inverse=True)
    return first[inverse.reshape(-1)].astype(np.int64)


def check_splits(readings: Readings, splits: Mapping[str, np.ndarray]) -> None:
    """Checks that every split has rows of every class, which fails for tables with few different readings.

    Raises:
      DataError: a split has no row of a class.
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
