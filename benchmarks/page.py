"""The page of a study: Markdown that people read, the JSON file it is made from, and one picture.

A study writes its page into its workdir (`write_page`). `publish` copies a page to docs/benchmarks, and refuses to put
less in the place of more. The Markdown is made from the JSON file alone, so that a test can prove that a published page
says what its file holds.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import pathlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate.canvas import save_png
from fdx.files import atomic_write_text, parse_json, to_jsonable
from fdx.train.description import environment
from fdx.types import ConfigError, DataError

# Versions of fdx that made records of before 2.0.0.
OLD_RECORDS = ('0.1.0',)
_WIDTH = 110


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a page needs of its study.

    Attributes:
      markdown: data of the page -> its text.
      plot: data of the page -> its picture.
      measured: data of the page -> the keys of all that was measured, to compare two pages.
      merged: (older data, newer data) -> data of both, for a study whose parts are measured one by one; None: a newer
        page takes the place of an older one.
      program: that writes the page; '' for the suite of its name in launch.benchmark.
    """

    markdown: Callable[[Mapping[str, Any]], str]
    plot: Callable[[Mapping[str, Any]], Figure]
    measured: Callable[[Mapping[str, Any]], set[Hashable]]
    merged: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]] | None = None
    program: str = ''


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    return ['| ' + ' | '.join(header) + ' |', '|' + '---|' * len(header), *['| ' + ' | '.join(r) + ' |' for r in rows]]


def how_measured(command: str, seeds: Sequence[int]) -> dict[str, Any]:
    """When, by which command and on which versions a page was measured, for its JSON file."""
    return {'on': [datetime.date.today().isoformat()], 'command': command, 'seeds': list(seeds), **environment()}


def versions_text(measured: Mapping[str, Any]) -> str:
    """'fdx 0.2.0, jax 0.10.2; cpu'."""
    return ', '.join(f'{name} {version}' for name, version in measured['versions'].items()) + f'; {measured["backend"]}'


def old_records_note(measured: Mapping[str, Any], suite: str) -> list[str]:
    """Lines that warn of figures of records before version 2.0.0; none for present records."""
    version = measured['versions'].get('fdx')
    if version not in OLD_RECORDS:
        return []
    return [
        f'**Measured on records of versions before 2.0.0 (fdx {version}).** Since 2.0.0 every window loses what is '
        'slower than 2 Hz, dead stretches are left out, and the spectra of `fault_orders` and `envelope_spectrum` are '
        f'tapered: figures may move. `python -m launch.benchmark --suite={suite}` measures them anew on present '
        'records.',
        '',
    ]


def json_text(data: Any) -> str:
    """`data` as strict JSON. A value that fits stands on one line, and a list of plain values always does."""
    return _json_lines(to_jsonable(data), '') + '\n'


def _json_lines(value: Any, indent: str) -> str:
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    plain = isinstance(value, list) and not any(isinstance(v, (list, dict)) for v in value)
    if not isinstance(value, (list, dict)) or plain or len(line) + len(indent) <= _WIDTH:
        return line
    deeper = indent + ' '
    if isinstance(value, list):
        parts = [deeper + _json_lines(v, deeper) for v in value]
        return '[\n' + ',\n'.join(parts) + f'\n{indent}]'
    parts = [f'{deeper}{json.dumps(k, ensure_ascii=False)}: {_json_lines(v, deeper)}' for k, v in value.items()]
    return '{\n' + ',\n'.join(parts) + f'\n{indent}}}'


def write_page(folder: pathlib.Path, name: str, data: Mapping[str, Any], kind: Kind) -> pathlib.Path:
    """Writes NAME.json, NAME.png and NAME.md; returns the path of the last one.

    Raises:
      FileWriteError: a file cannot be written.
    """
    atomic_write_text(folder / f'{name}.json', json_text(data))
    save_png(kind.plot(data), folder / f'{name}.png')
    atomic_write_text(folder / f'{name}.md', kind.markdown(data))
    return folder / f'{name}.md'


def read_page(folder: pathlib.Path, name: str, kind: Kind) -> dict[str, Any] | None:
    """The data of a page; None where there is none.

    Raises:
      DataError: the file is not one that this study has written.
    """
    path = folder / f'{name}.json'
    if not path.exists():
        return None
    try:
        data = parse_json(path.read_text(encoding='utf-8'))
        kind.markdown(data)  # Rendering the page validates the file.
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as e:
        writer = kind.program or f'launch.benchmark --suite={name}'
        raise DataError(f'{path}: not what `{writer}` writes ({e!r}): remove it, or name another folder') from e
    return data


def publish(folder: pathlib.Path, name: str, kind: Kind, published: pathlib.Path) -> pathlib.Path:
    """Writes the page of a study to the folder of published pages; returns its path there.

    Raises:
      ConfigError: the published page holds figures that this one lacks.
      DataError: there is no page, or one cannot be read.
      FileWriteError: a file cannot be written.
    """
    new, old = read_page(folder, name, kind), read_page(published, name, kind)
    if new is None:
        raise DataError(f'{folder / name}.json: there is no page to publish')
    if old is not None:
        new = kind.merged(old, new) if kind.merged else new
        lost = sorted(kind.measured(old) - kind.measured(new), key=str)
        if lost:
            some = '; '.join(', '.join(map(str, key)) for key in lost[:3])
            raise ConfigError(
                f'{published / name}.md has {len(lost)} figures that {folder / name}.md lacks (the first: {some}): '
                f'measure these as well, or remove {published / name}.json to publish the smaller page all the same'
            )
    return write_page(published, name, new, kind)


def seed_means(rows: Sequence[Mapping[str, Any]], value: Callable[[Mapping[str, Any]], Sequence[float]]) -> list[float]:
    """For each seed, the mean over rows.

    Args:
      rows: at least one, each with its `seeds`; all must have the same ones.
      value: row -> one number per seed.

    Raises:
      DataError: rows of different seeds, whose means over rows would not be comparable.
    """
    seeds = {tuple(row['seeds']) for row in rows}
    if len(seeds) != 1:
        raise DataError(
            f'rows of the seeds {", ".join(map(str, sorted(seeds)))}: a mean over rows needs the same seeds'
        )
    return np.mean([value(row) for row in rows], axis=0).tolist()
