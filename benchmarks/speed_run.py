"""Measures the table of speed, in turns with the other side, and writes its page.

    make bench            (or: .venv-bench/bin/python -m benchmarks.speed_run)
    .venv-bench/bin/python -m benchmarks.speed_run --only=vggish,epoch/dann --rounds=1

It needs the other side's libraries (requirements-benchmark.txt). Every round of a group of works is kept in
WORKDIR/cells as soon as it is done, so that a stopped call goes on; a call that ends removes them, and the next one
measures anew. Rows are written into WORKDIR/pages/speed.{md,json} as soon as they exist, beside those of earlier calls;
--publish copies the page to docs/benchmarks.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import fdx
from fdx.files import parse_json, write_json
from fdx.types import ConfigError, FdxError

from .page import publish, read_page, write_page
from .speed_load import Others, load_average
from .speed_page import KIND, merged
from .speed_rows import rows_of, versions_of
from .speed_suite import OTHER, OURS, Work, by_group, get_works

NAME, COMMAND = 'speed', 'make bench'
PUBLISHED = pathlib.Path('docs/benchmarks')
# Long enough for the slowest side, a training job in PyTorch on a busy machine.
LIMIT_S = 1200
Run = Callable[[Sequence[Work], str, pathlib.Path, int, Others], dict[str, Any]]


def run_side(works: Sequence[Work], side: str, workdir: pathlib.Path, cores: int, others: Others) -> dict[str, Any]:
    """What `speed_side` finds, in a process of its own on the first `cores` cores; `others` counts meanwhile.

    Returns:
      Part -> {'seconds', 'cpu_seconds', 'count'}.

    Raises:
      ConfigError: the process fails; its last lines say why.
    """
    names = ','.join(work.name for work in works)
    command = [sys.executable, '-m', 'fdx.benchmarks.speed_side', f'--works={names}', f'--side={side}']
    # The package is found from anywhere, in a checkout and in the wheel.
    folder = str(pathlib.Path(fdx.__file__).resolve().parents[1])
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, [folder, os.environ.get('PYTHONPATH')]))}
    environment.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
    log = workdir / 'logs' / f'{works[0].group}_{side}.log'
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('w+', encoding='utf-8') as output:
        process = subprocess.Popen(
            [*command, f'--workdir={workdir}'],
            stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True,
            preexec_fn=lambda: pin(cores),
        )  # fmt: skip
        try:
            others.wait_for(process)
        finally:
            if process.poll() is None:  # Ctrl-C: what it has started ends with it.
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
        output.seek(0)
        lines = output.read().strip().splitlines()
    if process.returncode:
        raise ConfigError(f'{names}, side {side}: {" / ".join(lines[-2:]) or "no output"} ({log})')
    return json.loads(lines[-1])


def pin(cores: int) -> None:
    """Restricts this process to its first cores; libraries then take as many threads."""
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def measure_group(
    works: Sequence[Work], workdir: pathlib.Path, rounds: int | None, say: Callable[[str], None], run: Run = run_side
) -> list[dict[str, Any]]:
    """The rows of works of one group; rounds that an earlier call has left are not measured again.

    Args:
      works: of one group.
      workdir: where rounds are kept.
      rounds: of each side; None: what the works say.
      say: called with a line for each side of each round.
      run: measures one side.

    Raises:
      FdxError: a side fails.
    """
    path = workdir / 'cells' / f'{works[0].group}.json'
    sides = (OURS, OTHER) if works[0].other else (OURS,)
    wanted = rounds or works[0].rounds
    versions = versions_of(tuple({name: 0 for work in works for name in (*work.packages, 'jax', 'numpy')}))
    asked = {'works': [work.name for work in works], 'cores': works[0].cores, 'cpu': cpu_name(), 'versions': versions}
    cell = _kept(path, asked) or {'asked': asked, 'rounds': []}
    while len(cell['rounds']) < wanted:
        others, load, began = Others(), load_average(), time.perf_counter()
        found: dict[str, Any] = {}
        for side in sides:
            found[side] = run(works, side, workdir, works[0].cores, others)
            place = f'{works[0].group}, round {len(cell["rounds"]) + 1}/{wanted}'
            say(f'  {place}, {_side(works[0], side)}: {_brief(found[side])}')
        found |= {'others': others.mean(), 'load_start': load, 'load_end': load_average()}
        found |= {'date': datetime.date.today().isoformat(), 'elapsed_s': time.perf_counter() - began}
        cell['rounds'].append(found)
        write_json(path, cell)
    return [row for work in works for row in rows_of(work, _of_part(cell, work, len(works)))]


def _kept(path: pathlib.Path, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    if not path.exists():
        return None
    kept = parse_json(path.read_text(encoding='utf-8'))
    return kept if kept['asked'] == asked else None


def _of_part(cell: Mapping[str, Any], work: Work, share: int) -> dict[str, Any]:
    """The cell of a group as that of one of its works; the time of a round is shared evenly."""
    rounds = [
        {**r, 'elapsed_s': r['elapsed_s'] / share, **{s: r[s][work.part] for s in (OURS, OTHER) if s in r}}
        for r in cell['rounds']
    ]
    return {'rounds': rounds, 'cpu': cell['asked']['cpu'], 'cores': work.cores}


def _side(work: Work, side: str) -> str:
    return work.other if side == OTHER else side


def _brief(found: Mapping[str, Any]) -> str:
    """'all 1.38 s, head 0.34 s', or counts."""
    texts = []
    for part, values in found.items():
        middle = sorted(values['seconds'])[len(values['seconds']) // 2]
        count = '' if values['count'] is None else f' ({values["count"]:g})'
        texts.append(f'{part} {middle:.3g} s{count}')
    return ', '.join(texts)


def cpu_name() -> str:
    """The processor's name."""
    try:
        lines = pathlib.Path('/proc/cpuinfo').read_text(encoding='utf-8', errors='replace').splitlines()
    except OSError:
        lines = []
    named = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return next(iter(named), platform.processor() or platform.machine())


def run(works: Sequence[Work], workdir: pathlib.Path, rounds: int | None) -> list[str]:
    """Measures works group by group and writes the page after each; returns what failed, a line for each."""
    failed, start, pages = [], load_average(), workdir / 'pages'
    for group, mine in by_group(works).items():
        print(f'{group}: {", ".join(work.part for work in mine)}', flush=True)
        try:
            rows = measure_group(mine, workdir, rounds, lambda line: print(line, flush=True))
        except FdxError as error:
            print(f'  {error}', file=sys.stderr, flush=True)
            failed.append(str(error))
            continue
        for row in rows:
            if row['goal']:
                print(f'  {row["work"]}: {verdict(row)}', flush=True)
        how = {'on': [datetime.date.today().isoformat()], 'command': COMMAND, 'load_start': start,
               'load_end': load_average(), 'notes': []}  # fmt: skip
        new, old = {'measured': how, 'rows': rows}, read_page(pages, NAME, KIND)
        pages.mkdir(parents=True, exist_ok=True)
        write_page(pages, NAME, merged(old, new) if old else new, KIND)
    if not failed:
        shutil.rmtree(workdir / 'cells', ignore_errors=True)
    return failed


def verdict(row: Mapping[str, Any]) -> str:
    """'ratio 1.08, goal ratio 1.10: reached'."""
    figure = {'ratio': f'ratio {row["ratio"]}', 'count': f'{row["count"]} {row["unit"]}'}
    kind = 'ratio' if row['goal'].startswith('ratio') else 'count' if row['unit'] else 'seconds'
    found = figure.get(kind, f'{row["seconds"]} s')
    noisy = f' (noisy: load of others {row["others"]})' if row['noisy'] else ''
    return f'{found}, goal {row["goal"]}: {"reached" if row["reached"] else "missed"}{noisy}'


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', default='', help='names of works or groups, comma-separated; all where left out')
    parser.add_argument('--rounds', type=int, help='processes a side, in turns; what each work says where left out')
    parser.add_argument('--cores', type=int, help='at most so many; on one, CPU ratios hold on a busy machine, too')
    parser.add_argument('--workdir', type=pathlib.Path, default=pathlib.Path('runs/bench'))
    parser.add_argument('--publish', action='store_true', help='copy the page to docs/benchmarks')
    args = parser.parse_args()
    try:
        works = get_works(args.only.split(',') if args.only else None)
        if args.cores:
            works = [dataclasses.replace(work, cores=min(work.cores, args.cores)) for work in works]
        failed = run(works, args.workdir.resolve(), args.rounds)
        if args.publish:
            print(publish(args.workdir / 'pages', NAME, KIND, PUBLISHED))
    except FdxError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('stopped; the same command goes on', file=sys.stderr)
        return 130
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
