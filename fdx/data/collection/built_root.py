"""Where the datasets lie that the package bearing-datasets has built."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Sequence

from fdx.data.collection.own import BUILT, split_name
from fdx.data.names import parse_dataset_name
from fdx.data.preparing import RAW_DATA_VARIABLE, check_manual_dir
from fdx.data.raw.built_folder import is_built
from fdx.types import ConfigError, DataError

# The package's own setting, and the variable of its name for the folder in which the user's settings lie.
ROOT_VARIABLE = 'BEARING_DATASETS_ROOT'
_SETTINGS = ('APPDATA', 'XDG_CONFIG_HOME')


def built_folder(name: str, manual_dir: str | os.PathLike | None = None) -> pathlib.Path:
    """The folder of a built dataset.

    Looked for in `manual_dir` alone if that is given; else in $BEARING_DATASETS_ROOT, in the folder that
    `bearing-datasets root FOLDER` saved, and in $FDX_RAW_DATA.

    Args:
      name: `bearing_datasets/NAME` or `bearing_datasets/NAME-FRONT_END`; NAME is the package's.
      manual_dir: the folder of built datasets.

    Raises:
      DataError: it is not there; the text says where it was looked for, and what is built there.
      ConfigError: `manual_dir` or the name cannot be used.
    """
    chosen = split_name(parse_dataset_name(name).config)[0]
    if not chosen:
        raise ConfigError(f'`dataset`={name}: write it as {BUILT}/NAME, with the NAME of a built dataset')
    roots = [folder for folder in [check_manual_dir(manual_dir)] if folder is not None] or _known_roots()
    for root in roots:
        # The folder of the dataset itself is named as easily as the one around it.
        for folder in (root / chosen, root):
            if folder.name == chosen and is_built(folder):
                return folder
    there = f'there is no built dataset {chosen} in {", ".join(map(str, roots))} (built there: {_built_in(roots)})'
    raise DataError(
        f'`dataset`={name}: {there if roots else "no folder of built datasets is known"}; build it with '
        f'`bearing-datasets build {chosen}`, and name the folder of built datasets with `manual_dir` or, once for all, '
        'with `bearing-datasets root FOLDER`'
    )


def _built_in(roots: Sequence[pathlib.Path]) -> str:
    """The built datasets in some folders, for messages."""
    try:
        return ', '.join(sorted({p.name for root in roots for p in root.glob('*/') if is_built(p)})) or 'nothing'
    except OSError as e:
        return f'not known ({e.strerror or e})'


def _known_roots() -> list[pathlib.Path]:
    found = [os.environ.get(ROOT_VARIABLE), _saved_root(), os.environ.get(RAW_DATA_VARIABLE)]
    return [pathlib.Path(folder).expanduser() for folder in dict.fromkeys(found) if folder]


def _saved_root() -> str:
    """The folder that the package keeps for the user, '' where it keeps none."""
    base = next((os.environ[name] for name in _SETTINGS if os.environ.get(name)), '~/.config')
    try:
        saved = json.loads((pathlib.Path(base).expanduser() / BUILT / 'config.json').read_text(encoding='utf-8'))
    except (OSError, ValueError, RuntimeError):  # RuntimeError: there is no home.
        return ''
    return str(saved.get('root') or '') if isinstance(saved, dict) else ''
