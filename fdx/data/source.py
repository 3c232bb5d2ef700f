"""A prepared dataset: random access to its records, and the table of everything but the arrays."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence

import numpy as np
import tensorflow_datasets as tfds

from fdx.data.collection.own import BUILDER, BUILT, OWN_BUILDERS, split_name
from fdx.data.dataset import PreparedDataset
from fdx.data.names import parse_dataset_name, resolve_config
from fdx.data.readings import KIND, ReadingsDataset
from fdx.data.seal import check_class_names, check_seal
from fdx.data.table import ACQUISITION, FINGERPRINT, GIVEN_SPLIT, SPLITS, SYNTHETIC, Table
from fdx.data.training_range import TrainingRange, signal_range
from fdx.files import boundary, parse_json
from fdx.signal.front_ends import front_end_from_config
from fdx.signal.patch import FrontEnd
from fdx.types import DataError

REMEDY = 'it is damaged: remove that folder and prepare the dataset again'
_VERSION = re.compile(r'\d+\.\d+\.\d+')
TEXT_COLUMNS = ('recording', 'domain', 'bearing')
NUMBER_COLUMNS = (
    'label',
    'fault_type',
    'window_start',
    'block',
    'speed_rpm',
    'load',
    'sample_rate_hz',
    'peak',
)  # fmt: skip
# Older datasets lack these columns and can be opened without them.
LATER_COLUMNS = (ACQUISITION, FINGERPRINT)


# Root mean square of the window; datasets before version 2.0.0 lack it.
LEVEL = 'rms'


class Dataset(PreparedDataset):
    """Records of one prepared TFDS config, read without TensorFlow.

    Attributes:
      name: `builder/config:version`.
      front_end: the front end that made the spectrograms.
      metadata: the builder's metadata: common_rate_hz, channels, window_length, hop_length, guard_length and more.
      table: see Table.
    """

    front_end: FrontEnd

    def __init__(self, builder: tfds.core.DatasetBuilder):
        info = builder.info
        if not {'front_end', 'window_length'} <= set(info.metadata or {}):
            raise DataError(f'{builder.data_dir} was not built by an fdx builder: its metadata names no front end')
        self.name = f'{info.name}/{info.config_name}:{info.version}'
        self.data_dir = pathlib.Path(builder.data_dir)
        self.metadata = dict(info.metadata)
        self.front_end = front_end_from_config(self.metadata['front_end'])
        self._features = info.features
        self._ends = np.cumsum([info.splits[s].num_examples if s in info.splits else 0 for s in SPLITS])
        self._sources = [
            builder.as_data_source(split=s, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES)
            if s in info.splits
            else []
            for s in SPLITS
        ]
        self._decoders: dict[frozenset[str], tfds.features.FeaturesDict] = {}
        self.table = self._read_table()

    def class_names(self, label_key: str = 'label') -> list[str]:
        """Names of the classes of `label` or `fault_type`."""
        return list(self._features[label_key].names)

    @property
    def channels(self) -> int:
        """Channels of the recordings; 1 for old datasets, which do not state it."""
        return int(self.metadata.get('channels', 1))

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of a spectrogram, as a network takes it."""
        return self.front_end.output_shape(self.channels)

    def training_range(self, rows: np.ndarray) -> TrainingRange:
        """Ranges of the records of `rows` (fdx.data.training_range), for the checkpoint of a run on them."""
        level = self.table.columns.get(LEVEL)
        if level is None:
            return TrainingRange()
        names = self.metadata.get('channel_names', ())
        return signal_range(level[rows], self.table['speed_rpm'][rows], self.metadata.get('unit', ''), names)

    @property
    def has_waveform(self) -> bool:
        """Whether records keep their waveform."""
        return 'waveform' in self._features

    def __len__(self) -> int:
        return int(self._ends[-1])

    def record(self, row: int, fields: Sequence[str]) -> dict:
        """The named fields of one record; texts are str.

        Raises:
          DataError: the row is outside the table, or a shard is damaged.
        """
        if not 0 <= row < len(self):
            raise DataError(f'{self.name}: row {row} of {len(self)}')
        split = int(np.searchsorted(self._ends, row, side='right'))
        start = 0 if split == 0 else int(self._ends[split - 1])
        decoder = self._decoder(frozenset(fields))
        with boundary('cannot read the dataset', self.data_dir, REMEDY, DataError):
            record = decoder.deserialize_example_np(self._sources[split][row - start])
        return {k: record[k].decode() if isinstance(record[k], bytes) else record[k] for k in fields}

    def inputs(self, row: int) -> np.ndarray:
        """The network's input from one record, before the run's gain: its spectrogram."""
        return self.record(row, ('spectrogram',))['spectrogram']

    def read(self, rows: Sequence[int], field: str) -> np.ndarray:
        """One field of many records, stacked: [N, ...]."""
        return np.stack([self.record(int(r), (field,))[field] for r in rows])

    def _decoder(self, fields: frozenset[str]) -> tfds.features.FeaturesDict:
        """Features that decode only `fields`; the others, for example compressed arrays, are skipped."""
        if fields not in self._decoders:
            missing = ', '.join(sorted(fields - set(self._features)))
            if missing:
                raise DataError(f'{self.name} has no field {missing}; it has {", ".join(self._features)}')
            self._decoders[fields] = tfds.features.FeaturesDict({f: self._features[f] for f in fields})
        return self._decoders[fields]

    def _read_table(self) -> Table:
        fields = TEXT_COLUMNS + NUMBER_COLUMNS + tuple(k for k in LATER_COLUMNS if k in self._features)
        records = [self.record(i, fields) for i in range(len(self))]
        columns = {k: np.array([r[k] for r in records]) for k in fields}
        if SYNTHETIC in self._features:
            columns[SYNTHETIC] = np.array([self.record(i, (SYNTHETIC,))[SYNTHETIC] for i in range(len(self))], bool)
        if LEVEL in self._features:
            columns[LEVEL] = np.array([self.record(i, (LEVEL,))[LEVEL] for i in range(len(self))])
        given = self.metadata.get('given_splits')
        if given:
            columns[GIVEN_SPLIT] = np.array([given.get(name, '') for name in columns['recording']])
        return Table(columns, int(self.metadata['window_length']))


def prepared_folder(name: str, data_dir: str | pathlib.Path) -> pathlib.Path:
    """The folder of a prepared dataset.

    Args:
      name: `builder/config` or `builder/config:version`; without a version, the newest one is taken. A config
        without its front end (`cwru/load0_12k`, `soon/all`) means the one with `-vggish` or `-triaxial_mel`.
      data_dir: the folder given to `launch.prepare`.

    Raises:
      DataError: it is not prepared; the text gives the command that prepares it.
      ConfigError: the name would lead out of the folder of datasets.
    """
    builder, config, version = parse_dataset_name(name)
    root = pathlib.Path(data_dir)
    ready = [p.parent for p in (root / builder).glob('*/*.*.*/dataset_info.json')]
    # A killed preparation leaves a folder called incomplete.ABC123_1.0.0.
    ready = [p for p in ready if _VERSION.fullmatch(p.name) and (not version or p.name == version)]
    configs = {p.parent.name for p in ready}
    resolved = resolve_config(config, configs) or (_of_own(name, config, configs) if builder in OWN_BUILDERS else None)
    if resolved:
        return max((p for p in ready if p.parent.name == resolved), key=_version_key)
    if builder == BUILT:
        raise DataError(
            f'dataset {name!r} is not prepared in {root}: say with `manual_dir` where the datasets lie that '
            'bearing-datasets has built'
        )
    if builder == BUILDER:
        raise DataError(
            f'dataset {name!r} is not prepared in {root}: say with `recordings`=FOLDER_OR_MANIFEST where its files lie'
        )
    have = sorted(f'{p.parent.parent.name}/{p.parent.name}' for p in root.glob('*/*/*.*.*'))
    raise DataError(
        f'dataset {name!r} is not prepared in {root}; there: {", ".join(have) or "nothing"}. Prepare it: '
        f'fdx.prepare({name!r}, {str(root)!r}), or '
        f'python -m launch.prepare datasets/{builder} --config={config or "CONFIG"} --data_dir={root}'
    )


def _of_own(name: str, config: str, configs: set[str]) -> str | None:
    """The config of a user's recordings that are prepared with another front end than the default one."""
    found, builder = sorted(c for c in configs if split_name(c)[0] == config), parse_dataset_name(name).builder
    if len(found) > 1:
        raise DataError(
            f'dataset {name!r} is prepared with several front ends: name one, e.g. `dataset`={builder}/{found[0]} or '
            f'{builder}/{found[1]}'
        )
    return found[0] if found else None


def open_dataset(name: str, data_dir: str | pathlib.Path) -> PreparedDataset:
    """Opens a prepared dataset and reads its table.

    Args:
      name: as for `prepared_folder`.
      data_dir: the folder given to `launch.prepare`.

    Raises:
      DataError: it is not prepared, damaged, or was not made by a builder of fdx.
      ConfigError: the name would lead out of the folder of datasets.
    """
    folder = prepared_folder(name, data_dir)
    with boundary('cannot read the dataset', folder, REMEDY, DataError):
        check_seal(folder)
        # The stock tfds program writes no seal. Even then, the nesting of the JSON is checked before TFDS reads it.
        for path in sorted(folder.glob('*.json')):
            parse_json(path.read_bytes())
        builder = tfds.builder_from_directory(folder)
        check_class_names(builder)
        return (ReadingsDataset if (builder.info.metadata or {}).get('kind') == KIND else Dataset)(builder)


def _version_key(path: pathlib.Path) -> tuple:
    return tuple(int(p) if p.isdigit() else -1 for p in path.name.split('.'))
