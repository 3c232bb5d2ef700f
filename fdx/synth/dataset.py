"""Generated records as a TFDS dataset, beside the datasets of recordings and not to be mistaken for one of them."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from fdx.data.blocks import NO_BLOCK
from fdx.data.dataset import PreparedDataset
from fdx.data.incomplete import remove_interrupted
from fdx.data.local_info import LocalInfo
from fdx.data.records import NO_GEOMETRY
from fdx.data.seal import seal_new
from fdx.data.table import SYNTHETIC
from fdx.files import boundary
from fdx.locks import prepared_lock
from fdx.names import check_name
from fdx.synth.sampler import Sampler
from fdx.types import UNKNOWN, ConfigError, DataError

BUILDER = 'synthetic'
# What must agree if a dataset of this name exists already.
IDENTITY = ('checkpoint', 'draw_seed', 'draws')
_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*')


# TFDS comes without types, so that mypy looks at the __init_subclass__ of `object`.
class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Spectrograms drawn from a generator, in records of the fields that recordings have, all in the split `train`.

    In each record `synthetic` is True, and `checkpoint` says which generator drew it. A record is a recording of its
    own, of the domain `synthetic`. What only a machine has (speed, load, bearing) is unknown.
    """

    VERSION = tfds.core.Version('1.0.0')
    name = BUILDER

    def __init__(
        self, *, sampler: Sampler, like: PreparedDataset, labels: np.ndarray, seed: int, config_name: str, **kwargs
    ):
        """A dataset of one image for each of `labels`, in the form of the dataset `like`."""
        self._sampler, self._like, self._labels, self._seed = sampler, like, labels, seed
        config = tfds.core.BuilderConfig(name=config_name, description=f'Generated after {like.name}.')
        super().__init__(config=config, file_format='array_record', **kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        meta = self._sampler.meta
        names = {k: self._like.class_names(k) for k in ('label', 'fault_type')}
        features = {
            'spectrogram': tfds.features.Tensor(
                shape=tuple(meta['shape']), dtype=np.float32, encoding=tfds.features.Encoding.ZLIB
            ),
            'label': tfds.features.ClassLabel(names=names['label']),
            'fault_type': tfds.features.ClassLabel(names=names['fault_type']),
            **{text: tfds.features.Text() for text in ('recording', 'domain', 'bearing', 'checkpoint')},
            'window_start': tfds.features.Scalar(np.int64),
            'block': tfds.features.Scalar(np.int32),
            **{number: tfds.features.Scalar(np.float32) for number in ('speed_rpm', 'load')},
            'geometry': tfds.features.Tensor(shape=(len(NO_GEOMETRY),), dtype=np.float32),
            'sample_rate_hz': tfds.features.Scalar(np.float64),
            'peak': _peak_feature(self._like.channels),
            SYNTHETIC: tfds.features.Scalar(np.bool_),
        }
        return LocalInfo(
            builder=self,
            description=(type(self).__doc__ or '').strip(),
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(self.stated()),
            disable_shuffling=True,
        )

    def stated(self) -> dict:
        """What the dataset says about itself: metadata of the real one, where its records come from, and how many."""
        meta = self._sampler.meta
        return {
            **self._like.metadata,
            'generated_from': meta['rows'],
            'generated_label_key': self._sampler.config.label_key,
            'checkpoint': self._sampler.checkpoint,
            'generator': meta['generator'],
            'draw_seed': self._seed,
            'draws': np.bincount(self._labels, minlength=len(meta['class_names'])).tolist(),
        }

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager
        return {'train': self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[str, dict]]:
        images = self._sampler.draw(self._labels, self._seed)
        other = self._other_labels()
        key = self._sampler.config.label_key
        other_key = 'fault_type' if key == 'label' else 'label'
        channels = self._like.channels
        for i, (image, label) in enumerate(zip(images, self._labels)):
            yield (
                f'{i:08d}',
                {
                    'spectrogram': image,
                    key: int(label),
                    other_key: other[int(label)],
                    'recording': f'synthetic-{i:06d}',
                    'domain': 'synthetic',
                    'bearing': 'none',
                    'checkpoint': self._sampler.checkpoint,
                    'window_start': 0,
                    'block': NO_BLOCK,
                    'speed_rpm': np.float32(UNKNOWN),
                    'load': np.float32(UNKNOWN),
                    'geometry': np.array(NO_GEOMETRY, np.float32),
                    'sample_rate_hz': float(self._like.metadata['common_rate_hz']),
                    'peak': np.float32(1.0) if channels == 1 else np.ones(channels, np.float32),
                    SYNTHETIC: True,
                },
            )

    def _other_labels(self) -> dict[int, int]:
        """Generated class -> the most frequent class of the other label key among the real records of that class."""
        key = self._sampler.config.label_key
        other_key, table = 'fault_type' if key == 'label' else 'label', self._like.table
        return {int(k): int(np.bincount(table[other_key][table[key] == k]).argmax()) for k in np.unique(table[key])}


def _peak_feature(channels: int):
    if channels == 1:
        return tfds.features.Scalar(np.float32)
    return tfds.features.Tensor(shape=(channels,), dtype=np.float32)


def write_generated(
    sampler: Sampler, like: PreparedDataset, labels: np.ndarray, name: str, data_dir: str | pathlib.Path, *, seed: int
) -> pathlib.Path:
    """Draws images and writes them as `synthetic/NAME`, which open_dataset and tfds.builder_from_directory read.

    Args:
      sampler: the generator.
      like: the dataset that it learned from.
      labels: int [N], the class of each image.
      name: of the config.
      data_dir: folder of prepared datasets.
      seed: of the noise.

    Returns:
      The dataset's folder.

    Raises:
      ConfigError: the name cannot be that of a folder.
      DataError: a dataset of this name exists, of another generator or of other draws.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f'`name`={name}: use letters, digits, dot, dash and underscore; begin with a letter or digit')
    check_name(name, f'`name`={name}')
    with prepared_lock(data_dir, BUILDER) as held:
        remove_interrupted(pathlib.Path(data_dir) / BUILDER, held.left_since)
        builder = Builder(
            sampler=sampler, like=like, labels=labels, seed=seed, config_name=name, data_dir=str(data_dir)
        )
        folder = pathlib.Path(builder.data_dir)
        if folder.exists():
            _check_same(folder, builder)
        remedy = 'check that the folder is writable and the disk has room'
        with boundary('cannot write the dataset', folder, remedy, DataError):
            builder.download_and_prepare()
            seal_new(folder.parents[1])
    return folder


def _check_same(folder: pathlib.Path, builder: Builder) -> None:
    """DataError where the prepared dataset of this name holds other records."""
    with boundary('cannot read the dataset', folder, 'remove that folder, or choose another `name`', DataError):
        there = dict(tfds.builder_from_directory(folder).info.metadata)
    differ = [k for k in IDENTITY if there.get(k) != builder.stated()[k]]
    if differ:
        raise DataError(
            f'{folder} holds other records ({", ".join(differ)} differ): choose another `name`, or remove it'
        )
