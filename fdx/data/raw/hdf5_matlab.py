"""What a MATLAB 7.3 file holds, which is HDF5: names, shapes and small values, no samples.

MATLAB stores arrays with their axes in reverse, text as uint16, structs as groups, and the elements of cells and of
struct arrays under references. The attribute MATLAB_class says which is which.

Source: MathWorks, "MAT-File Versions" (the attributes are those that MATLAB R2006b and later write).
"""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import h5py
import numpy as np

from fdx.data.raw.hdf5_values import MAX_TEXT, Content, Place, is_cheap, is_elsewhere, member, text_of, value_of
from fdx.data.raw.mat_values import Budget, MatArray, MatCell, MatDamageError, MatStruct, MatValue, leaves, plain_name

_MAX_LINKED = 10_000


def read_matlab_content(file: h5py.File, path: pathlib.Path) -> Content:
    """Everything in a MATLAB 7.3 file, under MATLAB's names: 'x', 'bearing.gs', 'Y(2).Data'.

    Raises:
      MatDamageError: too many or too deeply nested objects.
    """
    content, budget = Content(), Budget(path.stat().st_size)
    seen: dict[int, Place] = {}
    for name in file:
        if name.startswith('#'):  # what references lead to, and MATLAB's own notes on objects
            continue
        found = member(file, name)
        value = None if found is None else _matlab_value(file, found, budget, 0, seen)
        shown = plain_name(name.encode('utf-8', 'replace'))
        for key, leaf in leaves(shown, value):
            content.values[key] = leaf
            if isinstance(leaf, MatArray) and id(leaf) in seen:
                content.places[key] = seen[id(leaf)]
    return content


def _matlab_value(file: h5py.File, found: Any, budget: Budget, depth: int, seen: dict[int, Place]) -> MatValue:
    budget.element(depth)
    kind = text_of(found.attrs.get('MATLAB_class', b''))
    if isinstance(found, h5py.Group):
        return None if 'MATLAB_sparse' in found.attrs else _matlab_struct(file, found, budget, depth, seen)
    if is_elsewhere(found) or 'MATLAB_empty' in found.attrs:
        return None
    is_array = kind != 'char' and h5py.check_ref_dtype(found.dtype) is None
    if found.shape is None or not (is_array or is_cheap(found)):
        return None
    if h5py.check_ref_dtype(found.dtype) is h5py.Reference:
        return MatCell(_referenced(file, found, budget, depth, seen))
    if kind == 'char':
        if found.size > MAX_TEXT or found.dtype.kind not in 'iu':
            return None
        return np.asarray(found[()]).reshape(-1).astype('<u2').tobytes().decode('utf-16-le', 'replace')
    value = value_of(found, matlab=True, is_integer='int' in kind)
    if isinstance(value, MatArray):
        value = dataclasses.replace(value, is_logical=kind == 'logical')
        seen[id(value)] = Place(found.name, reverse=True)
    return value


def _matlab_struct(file: h5py.File, group: h5py.Group, budget: Budget, depth: int, seen: dict[int, Place]) -> MatStruct:
    fields: dict[str, list[MatValue]] = {}
    size = 1
    for name in group:
        found = member(group, name)
        shown = plain_name(name.encode('utf-8', 'replace'))
        is_element = isinstance(found, h5py.Dataset) and h5py.check_ref_dtype(found.dtype) is h5py.Reference
        if found is None:
            fields[shown] = [None]
        elif is_element and 'MATLAB_class' not in found.attrs:  # of an array of structs
            fields[shown] = _referenced(file, found, budget, depth, seen)
            size = max(size, len(fields[shown]))
        else:
            fields[shown] = [_matlab_value(file, found, budget, depth + 1, seen)]
    return MatStruct(size, {name: values + [None] * (size - len(values)) for name, values in fields.items()})


def _referenced(
    file: h5py.File, found: h5py.Dataset, budget: Budget, depth: int, seen: dict[int, Place]
) -> list[MatValue]:
    """The elements that a data set of references leads to, in MATLAB's order."""
    if found.size > _MAX_LINKED:
        raise MatDamageError(f'{plain_name(found.name.encode())} has {found.size} elements; save the signal alone')
    elements: list[MatValue] = []
    for reference in np.asarray(found[()]).reshape(-1):
        target = file[reference] if reference else None
        usable = isinstance(target, (h5py.Group, h5py.Dataset)) and target.name is not None
        elements.append(_matlab_value(file, target, budget, depth + 1, seen) if usable else None)
    return elements
