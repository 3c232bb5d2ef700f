"""A package that can be called: `fdx.train` holds the modules of a room and is also the function that trains."""

from __future__ import annotations

import importlib
import inspect
import sys
import types

# Function -> its module; all others are in fdx.api.runs.
MODULES = {'inspect': 'fdx.api.inspections'}


class CallableRoom(types.ModuleType):
    """A package whose call is that of the function of the same name in fdx.api (MODULES).

    The import system sets the attribute `train` of `fdx` to the package as soon as anything in it is imported. So a
    function of that name would be there or not, depending on what was imported before: the package is the function.
    """

    def __call__(self, *args, **kwargs):
        """Calls the function."""
        return _function(self)(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        """Of the function, for editors and `help`."""
        return inspect.signature(_function(self))


def _function(room: types.ModuleType):
    name = room.__name__.rpartition('.')[2]
    return getattr(importlib.import_module(MODULES.get(name, 'fdx.api.runs')), name)


def make_callable(name: str) -> None:
    """Lets the package `name`, which is being imported, be called as fdx.api's function of the same name."""
    sys.modules[name].__class__ = CallableRoom
