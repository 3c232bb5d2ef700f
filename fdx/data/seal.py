"""The seal of a prepared dataset, so that a changed file, such as one of class names, cannot silently change verdicts.

Shards contain hashes, which are checked as records are read, so the seal compares only their sizes. The small files
beside them (class names, features, metadata) are compared by SHA-256. Datasets that the stock TFDS program built have
no seal; for them, the number of class names is checked against the features.
"""

from __future__ import annotations

import hashlib
import pathlib
import re

import tensorflow_datasets as tfds

from fdx.files import parse_json, reason_of, write_json
from fdx.types import DataError

SEAL = 'fdx_sha256.json'
REMEDY = 'it has changed since it was prepared: remove the folder and prepare the dataset again'
_SHARD = re.compile(r'.*\.(array_record|tfrecord|riegeli|parquet)-\d+-of-\d+')
_VERSION = re.compile(r'\d+\.\d+\.\d+')


def _facts(path: pathlib.Path) -> dict:
    facts: dict[str, int | str] = {'bytes': path.stat().st_size}
    if not _SHARD.fullmatch(path.name):
        facts['sha256'] = hashlib.sha256(path.read_bytes()).hexdigest()
    return facts


def seal(folder: pathlib.Path) -> None:
    """Writes the seal of a prepared dataset: sizes and hashes of its files.

    Raises:
      FileWriteError: the folder cannot be written.
    """
    files = [p for p in sorted(folder.iterdir()) if p.is_file() and p.name != SEAL and not p.name.startswith('.')]
    write_json(folder / SEAL, {p.name: _facts(p) for p in files})


def seal_new(builder_folder: pathlib.Path) -> None:
    """Seals the datasets of a builder that have no seal yet; the builder's lock must be held."""
    for info in [*builder_folder.glob('*/dataset_info.json'), *builder_folder.glob('*/*/dataset_info.json')]:
        if _VERSION.fullmatch(info.parent.name) and not (info.parent / SEAL).exists():
            seal(info.parent)


def unseal(builder_folder: pathlib.Path) -> None:
    """Removes the seals of a builder's datasets, because TFDS was asked to write their metadata again."""
    for path in [*builder_folder.glob(f'*/{SEAL}'), *builder_folder.glob(f'*/*/{SEAL}')]:
        path.unlink()


def check_seal(folder: pathlib.Path) -> None:
    """Compares a prepared dataset with its seal, if it has one.

    Raises:
      DataError: a file is missing or has changed, or the seal cannot be read; the text names it.
    """
    path = folder / SEAL
    if not path.exists():
        return
    try:
        said = parse_json(path.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as e:
        raise DataError(f'{path} cannot be read ({reason_of(e)}); {REMEDY}') from e
    if not isinstance(said, dict):
        raise DataError(f'{path} lists no files; {REMEDY}')
    for name, facts in said.items():
        file = folder / pathlib.PurePosixPath(name).name
        if not file.is_file():
            raise DataError(f'{file} is missing; {REMEDY}')
        if _facts(file) != facts:
            raise DataError(f'{file} is not as it was; {REMEDY}')


def check_class_names(builder: tfds.core.DatasetBuilder) -> None:
    """Checks that every class has its own name, because TFDS numbers the classes if their file of names is missing.

    Raises:
      DataError: the names are missing, too few, too many, or not distinct.
    """
    folder = pathlib.Path(builder.data_dir)
    for key, feature in builder.info.features.items():
        if not isinstance(feature, tfds.features.ClassLabel):
            continue
        path, names = folder / f'{key}.labels.txt', feature.names
        if not path.is_file():
            raise DataError(f'{path}, the names of the classes, is missing; {REMEDY}')
        if len(names) != feature.num_classes or len(set(names)) != len(names):
            raise DataError(f'{path} has {len(set(names))} names for {feature.num_classes} classes; {REMEDY}')
