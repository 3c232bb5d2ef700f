"""Which builder a folder of datasets/ holds, or the script that is named."""

from __future__ import annotations

import pathlib

import tensorflow_datasets as tfds

import fdx.datasets
from fdx.types import ConfigError


def folder_of(dataset: str) -> str:
    """The folder that is meant: fdx's own for `cwru` and `datasets/cwru` where nothing of that name is here."""
    path = pathlib.Path(dataset).expanduser()
    if _script(path.resolve()) is None and path.parts[-2:] in ((path.name,), ('datasets', path.name)):
        for root in fdx.datasets.__path__:
            if _script(pathlib.Path(root) / path.name):
                return str(pathlib.Path(root) / path.name)
    return dataset


def load_builder_cls(folder: str) -> type[tfds.core.DatasetBuilder]:
    """Imports the builder of a dataset folder (or script) under the name that TFDS will look for.

    TFDS takes an ImportError inside a builder for a wrong module name, tries another name and reports that one; so the
    module is imported here first, where the error still has its text.

    Args:
      folder: folder `name` with name_dataset_builder.py (or name.py) in it, or the script itself.

    Returns:
      The one builder class of the script.

    Raises:
      ConfigError: there is no such folder, or the builder cannot be imported.
    """
    path = pathlib.Path(folder).expanduser().resolve()
    script = _script(path)
    if script is None:
        raise ConfigError(f'{folder} has no dataset builder; existing ones: {_existing(folder, path)}')
    try:
        with tfds.core.utils.add_sys_path(script.parent.parent):
            return tfds.core.community.builder_cls_from_module(f'{script.parent.stem}.{script.stem}')
    except ImportError as e:
        hint = ''
        if (e.name or '').split('.')[0] == 'datasets':
            hint = (
                '; inside a builder import neighbours relatively (from . import x): TFDS replaces `datasets` meanwhile'
            )
        raise ConfigError(f'{folder} cannot be imported ({script.name}): {type(e).__name__}: {e}{hint}') from e
    except ValueError as e:
        if 'Could not load DatasetBuilder' not in str(e):
            raise
        raise ConfigError(f'{script} must define just one dataset builder, with all its methods: {e}') from e


def _script(path: pathlib.Path) -> pathlib.Path | None:
    if path.is_dir():
        candidates = [path / f'{path.name}_dataset_builder.py', path / f'{path.name}.py']
    else:
        candidates = [path.with_suffix('.py')]
    return next((c for c in candidates if c.is_file()), None)


def _existing(folder: str, path: pathlib.Path) -> str:
    """The dataset folders beside the one that was asked for, else those of ./datasets."""
    for parent, shown in ((path.parent, pathlib.Path(folder).parent), (pathlib.Path('datasets'),) * 2):
        names = sorted(p.name for p in parent.glob('*/') if _script(p.resolve())) if parent.is_dir() else []
        if names:
            return ', '.join(str(shown / name) for name in names)
    return 'none here or in ./datasets (run this in the folder that holds datasets/)'
