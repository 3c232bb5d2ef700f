"""Reads labels and conditions out of file names: '{speed_rpm}_{label}_{load}.csv' over 1800_inner_11lb.csv."""

from __future__ import annotations

import pathlib
import re

from fdx.data.collection.columns import FIELDS, NUMBERS
from fdx.types import ConfigError, DataError

# A field that is not one of the manifest's columns is matched and dropped: {_} or {anything}.
_FIELD = re.compile(r'\{([A-Za-z_][A-Za-z0-9_]*)\}')
_NUMBER = r'[-+]?\d+(?:[.,]\d+)?[A-Za-z%]*'


def compile_pattern(pattern: str) -> re.Pattern:
    """The regular expression behind a pattern of names.

    `{speed_rpm}`, `{load}` and other numbers match digits, with a unit behind them if there is one; `{label}` and other
    words match as little as they can, and never a `/`. `*` matches anything. All else stands for itself. A pattern with
    a `/` is compared with the path below the folder, another one with the file's name.

    Raises:
      ConfigError: an empty pattern, a field that stands twice, braces that do not match, or no field at all.
    """
    names = _FIELD.findall(pattern)
    if not names:
        raise ConfigError(f'`pattern`={pattern}: name at least one field, e.g. {{label}}_{{speed_rpm}}.csv')
    twice = sorted({n for n in names if names.count(n) > 1 and n in FIELDS})
    if twice:
        raise ConfigError(f'`pattern`={pattern}: {{{twice[0]}}} stands twice')
    text = ''
    for i, part in enumerate(_FIELD.split(pattern)):
        if i % 2 == 0:
            if '{' in part or '}' in part:
                raise ConfigError(f'`pattern`={pattern}: braces hold one name each, as in {{label}}')
            text += re.escape(part).replace(r'\*', '.*')
        elif part in FIELDS:
            text += f'(?P<{part}>{_NUMBER if part in NUMBERS else "[^/]+?"})'
        else:
            text += '[^/]+?'
    return re.compile(text + r'\Z', re.IGNORECASE)


def fields_of_names(pattern: str, root: pathlib.Path, files: list[pathlib.Path]) -> dict[pathlib.Path, dict[str, str]]:
    """What the pattern reads out of the name of every file: file -> {field: text}.

    Raises:
      ConfigError: see `compile_pattern`.
      DataError: names that do not follow the pattern, of which the first few are shown.
    """
    expression = compile_pattern(pattern)
    found = {f: expression.match(f.relative_to(root).as_posix() if '/' in pattern else f.name) for f in files}
    odd = [f.relative_to(root).as_posix() for f, match in found.items() if match is None]
    if odd:
        more = f' and {len(odd) - 3} more' if len(odd) > 3 else ''
        raise DataError(
            f'`pattern`={pattern} does not fit {len(odd)} of {len(files)} files in {root}: {", ".join(odd[:3])}{more}; '
            'change the pattern, move these files away, or correct a manifest by hand'
        )
    return {f: match.groupdict() for f, match in found.items() if match is not None}
