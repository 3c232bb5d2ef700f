"""The library's errors name parameters; here they become the flags of the program that runs."""

from __future__ import annotations

import dataclasses
import logging
import re
import typing
from collections.abc import Container

# A parameter in backticks, alone or with its value inside them: `hop_s`, `hop_s=0.1`.
_PARAMETER = re.compile(r'`([A-Za-z]\w*)(=[^`]*)?`')
# Parameters of library functions whose flag has another name; an entry counts only where that flag exists.
ALIASES = {
    'sample_rate_hz': ('sample_rate',),
    'rate_hz': ('sample_rate',),
    'model_options': ('model_option',),
    'run': ('checkpoint', 'workdir'),
    'num_channels': ('channels',),
    'channels': ('channel',),
}


def in_flags(text: str, flags: Container[str]) -> str:
    """A message of the library as the user of a program reads it.

    Args:
      text: names parameters in backticks: "`hop_s`=0.1: ...", "set `learning_rate` lower", "`header=no`".
      flags: names of the program's flags.

    Returns:
      The text with --hop_s=0.1, --learning_rate, --header=no where the program has such a flag, possibly under another
      name (ALIASES). Everything else in backticks, a parameter without a flag as well, stays as it is.
    """

    def flag(match: re.Match) -> str:
        name, value = match[1], match[2] or ''
        found = next((n for n in (name, *ALIASES.get(name, ())) if n in flags), None)
        return match[0] if found is None else f'--{found}{value}'

    return _PARAMETER.sub(flag, text)


def in_commands(text: str) -> str:
    """A text with the commands of this installation: outside of a checkout there is no package `launch`, but `fdx`."""
    return text if __package__ == 'launch' else text.replace('python -m launch.', 'fdx ')


def dataclass_flags(cls: type) -> set[str]:
    """Names of the flags that simple_parsing makes of a dataclass: its fields, and those of the dataclasses in it."""
    names, types = set(), typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        kind = types[field.name]
        names |= dataclass_flags(kind) if dataclasses.is_dataclass(kind) else {field.name}
    return names


class FlagWords(logging.Filter):
    """Rewrites the library's log records as `in_flags` rewrites its errors."""

    def __init__(self, flags: Container[str]):
        super().__init__()
        self._flags = flags

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes the record's text; lets every record pass."""
        if record.name.partition('.')[0] == 'fdx':
            record.msg, record.args = in_flags(record.getMessage(), self._flags), ()
        return True
