"""What an HDF5 file holds: names, shapes and small values, no samples."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from fdx.data.raw.mat_values import Budget, MatArray, MatDamageError, plain_name

# Arrays up to here are read at once: a rate, a speed, a text.
SMALL = 64
MAX_TEXT = 2**15
# A few numbers in a chunk of a gigabyte are no fact.
_MAX_SMALL_CHUNK = 2**20


@dataclasses.dataclass(frozen=True)
class Place:
    """Where an array of numbers lies.

    Attributes:
      path: of the data set in the file.
      field: of a table, '' for a plain data set.
      reverse: whether its axes are stored in reverse, as MATLAB does.
    """

    path: str
    field: str = ''
    reverse: bool = False


@dataclasses.dataclass
class Content:
    """The content of a file.

    Attributes:
      values: every array of numbers and every text by its full name; the numbers of larger ones are left out: they are
        arrays of the right shape and type that repeat a 0 and take no memory.
      places: where the numbers lie, by the same names.
      attributes: those of data sets and groups that are short, by name of the object; '' is the file itself.
      notes: what was left out.
    """

    values: dict[str, MatArray | str] = dataclasses.field(default_factory=dict)
    places: dict[str, Place] = dataclasses.field(default_factory=dict)
    attributes: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)

    def array(self, name: str) -> np.ndarray:
        """The array of that name, or one without elements."""
        value = self.values.get(name)
        return value.values if isinstance(value, MatArray) else np.zeros(0)


def read_content(file: h5py.File, path: pathlib.Path) -> Content:
    """Everything in a plain HDF5 file; links to other files are not followed.

    Raises:
      MatDamageError: too many or too deeply nested objects.
    """
    content, budget = Content(), Budget(path.stat().st_size)
    content.attributes[''] = _attributes(file)
    for name, found in _objects(file, '', budget, 0):
        shown = plain_name(name.encode('utf-8', 'replace'))
        content.attributes[shown] = _attributes(found)
        if not isinstance(found, h5py.Dataset) or found.shape is None:
            continue
        if is_elsewhere(found):
            content.notes.append(f'its data set {shown[:60]} lies in other files and was left out')
        elif found.dtype.names and not _is_complex(found):
            for field in found.dtype.names:
                kind = found.dtype[field]
                key = f'{shown}/{plain_name(field.encode())}'
                content.values[key] = MatArray(_zeros(kind.base, (*found.shape, *kind.shape)), kind.base.kind in 'iu')
                content.places[key] = Place(found.name, field)
        else:
            value = value_of(found, matlab=False)
            if value is not None:
                content.values[shown] = value
                content.places[shown] = Place(found.name)
    return content


def _objects(group: h5py.Group, prefix: str, budget: Budget, depth: int) -> Iterator[tuple[str, Any]]:
    for name in group:
        budget.element(depth)
        found = member(group, name)
        if found is None:
            continue
        path = f'{prefix}/{name}' if prefix else name
        yield path, found
        if isinstance(found, h5py.Group):
            yield from _objects(found, path, budget, depth + 1)


def member(group: h5py.Group, name: str) -> Any:
    """A group or data set; None for links to elsewhere and for what cannot be opened."""
    try:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            return None
        found = group[name]
    except (KeyError, OSError, RuntimeError, ValueError):
        return None
    return found if isinstance(found, (h5py.Group, h5py.Dataset)) else None


def is_elsewhere(found: h5py.Dataset) -> bool:
    """Whether its numbers lie in other files."""
    return bool(found.is_virtual or found.external)


def is_cheap(found: h5py.Dataset) -> bool:
    """Whether a few numbers of it can be read without unpacking a chunk of gigabytes."""
    return math.prod(found.chunks or ()) <= _MAX_SMALL_CHUNK


def _is_complex(found: h5py.Dataset) -> bool:
    return found.dtype.kind == 'c' or set(found.dtype.names or ()) in ({'real', 'imag'}, {'r', 'i'})


def _zeros(dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    if math.prod(shape) * dtype.itemsize >= 2**62:
        raise MatDamageError(f'it claims an array of {"x".join(map(str, shape))} numbers')
    return np.broadcast_to(np.zeros((), dtype), shape)


def value_of(found: h5py.Dataset, *, matlab: bool, is_integer: bool | None = None) -> MatArray | str | None:
    """Numbers or text of a data set; None for other types."""
    dtype = found.dtype
    if h5py.check_string_dtype(dtype) is not None:
        if found.size == 1 and (dtype.kind == 'O' or dtype.itemsize <= MAX_TEXT):
            return text_of(found[()] if not found.shape else found[(0,) * found.ndim])
        return None
    if _is_complex(found):
        dtype = np.dtype(complex)
    elif dtype.kind not in 'iufb':
        return None
    if found.shape is None:  # H5S_NULL
        return None
    shape = found.shape[::-1] if matlab else found.shape
    whole = dtype.kind in 'iu' if is_integer is None else is_integer
    if found.size <= SMALL and is_cheap(found) and dtype.kind != 'c' and not is_elsewhere(found):
        array = np.asarray(found[()])
        return MatArray(array.T if matlab else array, whole, dtype.kind == 'b')
    return MatArray(_zeros(dtype, shape), whole, dtype.kind == 'b')


def text_of(value: Any) -> str:
    """Text out of what h5py gives for it."""
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size == 1 else ''
    return value.decode('utf-8', 'replace') if isinstance(value, bytes) else str(value)


def _attributes(found: Any) -> dict[str, Any]:
    """Short attributes: numbers as arrays, text, and lists of text."""
    attributes: dict[str, Any] = {}
    for name in list(found.attrs)[:1000]:
        try:
            kind = found.attrs.get_id(name)
            if math.prod(kind.shape or ()) * kind.dtype.itemsize > MAX_TEXT:
                continue
            value = found.attrs[name]
        except (KeyError, OSError, RuntimeError, TypeError, ValueError):
            continue  # of a type that h5py does not read, or damaged: no fact
        if isinstance(value, (str, bytes)):
            attributes[name] = text_of(value)
        elif isinstance(value, (np.ndarray, np.generic)):
            array = np.asarray(value)
            if array.dtype.kind in 'iufb' and array.size:
                attributes[name] = array
            elif array.dtype.kind in 'OSU':
                texts = [text_of(v) for v in array.reshape(-1)]
                attributes[name] = texts[0] if len(texts) == 1 else texts
    return attributes
