"""Prepared datasets by name."""

from __future__ import annotations

import os
import pathlib

from fdx.data import source
from fdx.data.dataset import PreparedDataset
from fdx.data.prepare import prepare as prepare


def open_dataset(name: str, data_dir: str | os.PathLike = 'data') -> PreparedDataset:
    """Opens a prepared dataset and reads its table.

        data = fdx.open_dataset('bearing_rig/small')
        len(data), data.class_names(), data.table['speed_rpm']
        image = data.inputs(0)                                                # float32, as a network takes it

    Args:
      name: `builder/config` or `builder/config:version`; the newest version is taken where none is given. A config
        without its front end means the one with the default front end.
      data_dir: folder of prepared datasets (see `fdx.prepare`).

    Returns:
      The dataset: `table` has one row per window, and `inputs(row)` the input of a network.

    Raises:
      DataError: it is not prepared, or damaged.
      ConfigError: the name leads out of the folder of datasets.
    """
    return source.open_dataset(name, pathlib.Path(data_dir))
