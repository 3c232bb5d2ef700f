"""Reads damaged files of every kind that fdx reads: none may crash, show a traceback, or take much memory or time.

    python -m benchmarks.fuzz                          (5,600 inputs, some minutes)
    python -m benchmarks.fuzz --files=700 --kinds=mat,wav --seed=3 --out=fuzz.json

Inputs are small sound files (benchmarks.fuzz_bases) with bits, blocks and sizes changed (benchmarks.fuzz_damage). A
child process reads them (benchmarks.fuzz_readers), so a segmentation fault ends the child and is counted. Columns:

    refused     an FdxError of one line
    unforeseen  the part of these that a boundary made from an exception that its reader does not expect
    read        accepted: the damage did not matter, or the kind has no checksum that would show it
    crashes     the process died
    tracebacks  an exception other than FdxError, or an error of several lines
    > 2 GB      used or requested that much memory
    > 10 s      took that much time
    wrong       accepted with other content although a checksum covers it

The exit code is 1 if one of the last five columns is not 0.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from .fuzz_bases import BASES

ROOT = pathlib.Path(__file__).resolve().parent.parent
SLOW_S, GIVE_UP_S, START_S = 10.0, 30.0, 300.0
FAULTS = ('crashes', 'tracebacks', 'over_2_gb', 'over_10_s', 'wrong')
COLUMNS = ('files', 'refused', 'unforeseen', 'read', *FAULTS)


def fuzz_kind(kind: str, num: int, seed: int) -> tuple[dict[str, int], list[dict]]:
    """Reads `num` damaged inputs of a kind in child processes.

    Returns:
      (counts, faults): counts by COLUMNS; for each fault the input, to repeat it with benchmarks.fuzz_readers.
    """
    counts, faults, first = collections.Counter(dict.fromkeys(COLUMNS, 0)), [], 0
    while first < num:
        ended = None
        for row in _rows(kind, seed, first, num):
            counts['files'] += 1
            first, found = row['n'] + 1, _faults_of(row)
            counts.update(found)
            counts['refused'] += row['result'] == 'refused'
            counts['unforeseen'] += row.get('unforeseen', False)
            counts['read'] += row['result'] in ('same', 'differs', 'undamaged')
            if found or row.get('unforeseen'):
                faults.append({'kind': kind, 'seed': seed, 'faults': found or ['unforeseen'], **row})
            ended = row
        if ended is None:
            raise RuntimeError(f'the child for {kind} said nothing; run python -m benchmarks.fuzz_readers')
    return dict(counts), faults


def _faults_of(row: dict) -> list[str]:
    is_fault = {
        'crashes': row['result'] == 'crash',
        'tracebacks': row['result'] == 'traceback',
        'over_2_gb': row.get('huge', False),
        'over_10_s': row['result'] == 'slow' or row.get('seconds', 0) > SLOW_S,
        'wrong': row['result'] == 'wrong',
    }
    return [name for name, found in is_fault.items() if found]


def _rows(kind: str, seed: int, first: int, last: int) -> Iterator[dict]:
    """Rows of one child; the last row may be of an input at which it died or hung ('crash', 'slow')."""
    command = [sys.executable, '-m', 'benchmarks.fuzz_readers', f'--kind={kind}', f'--seed={seed}']
    command += [f'--first={first}', f'--last={last}']
    env = {**os.environ, 'JAX_PLATFORMS': 'cpu', 'OMP_NUM_THREADS': '1'}
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=errors) as child,
    ):
        pending = None
        try:
            for row in _lines(child):
                pending = row if row.get('began') else None
                if pending is None:
                    yield row
        except TimeoutError:
            if pending is not None:
                yield {**pending, 'result': 'slow'}
            return
        finally:
            child.kill()
        code = child.wait()
        errors.seek(0)
        said = errors.read()[-2000:].decode(errors='replace')
        if pending is not None:
            name = signal.Signals(-code).name if code < 0 else f'exit code {code}'
            yield {**pending, 'result': 'crash', 'text': f'{name}: {said}'}
        elif code > 0:
            raise RuntimeError(f'the child for {kind} ended with {code}: {said}')


def _lines(child: subprocess.Popen) -> Iterator[dict]:
    """The rows that a child prints; TimeoutError if it is silent for too long."""
    buffer, patience = b'', START_S
    while True:
        ready, _, _ = select.select([child.stdout], [], [], patience)
        if not ready:
            raise TimeoutError
        read = os.read(child.stdout.fileno(), 2**16)
        if not read:
            child.wait()
            return
        *lines, buffer = (buffer + read).split(b'\n')
        patience = GIVE_UP_S
        yield from map(json.loads, lines)


def fuzz(num: int, seed: int, kinds: list[str]) -> tuple[dict[str, dict[str, int]], list[dict]]:
    """`num` inputs in all, spread evenly over the kinds: ({kind: counts}, faults)."""
    table, faults = {}, []
    for i, kind in enumerate(kinds):
        began = time.perf_counter()
        table[kind], found = fuzz_kind(kind, num // len(kinds) + (i < num % len(kinds)), seed)
        table[kind]['seconds'] = round(time.perf_counter() - began)
        faults += found
    return table, faults


def main() -> int:
    """Prints the table; writes it with all faults to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--files', type=int, default=5600, help='inputs in all')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--kinds', default=','.join(BASES), help='of ' + ', '.join(BASES))
    parser.add_argument('--out', help='JSON file for the table and the faults')
    args = parser.parse_args()
    kinds = args.kinds.split(',')
    if not set(kinds) <= set(BASES):
        parser.error(f'--kinds={args.kinds}: choose among {", ".join(BASES)}')
    table, faults = fuzz(args.files, args.seed, kinds)
    total = {c: sum(row[c] for row in table.values()) for c in (*COLUMNS, 'seconds')}
    print('| kind | ' + ' | '.join(c.replace('_', ' ') for c in total) + ' |')
    print('|---' * (len(total) + 1) + '|')
    for kind, row in {**table, 'all': total}.items():
        print(f'| {kind} | ' + ' | '.join(str(row[c]) for c in total) + ' |')
    for fault in faults[:20]:
        what, text = ', '.join(fault['faults']), fault.get('text', '')[-300:]
        print(f'{what}: --kind={fault["kind"]} --first={fault["n"]} ({fault["base"]}): {text}')
    if args.out:
        content = {'seed': args.seed, 'files': args.files, 'table': table, 'all': total, 'faults': faults}
        pathlib.Path(args.out).write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
    return int(any(total[c] for c in FAULTS))


if __name__ == '__main__':
    sys.exit(main())
