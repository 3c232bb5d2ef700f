"""Measures training steps on accelerators: time, share of peak, bfloat16, the input pipeline, several devices.

    python -m benchmarks.scaling --out=scaling              (under 10 minutes on one GPU)
    python -m benchmarks.scaling --out=scaling --dry_run    (slim networks: two cores, under a minute)

It writes scaling.json and the page scaling.md into the folder --out. Networks are VGGish, ResNet-50 and cnn1d; each
trains all its parameters with the compiled step of launch.train, on batches of several sizes, in float32 and bfloat16.
Each number of devices (1, 2, 4, ... all) has a process of its own, which sees no others. Where time or memory runs out,
cells are left out, and the page says so.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fdx.files import atomic_write_text
from fdx.train.description import environment
from fdx.types import ConfigError, FdxError

from .page import json_text
from .scaling_page import markdown
from .scaling_plan import DTYPES, NETWORKS, device_counts, environment_for, networks, peak_tflops, sweep, weak
from .scaling_worker import measure

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Of the time, what is kept back for processes on several devices.
SHARE_OF_SEVERAL = 0.25
DRY_DEVICES = 2
DRY = {'steps': 1, 'fed_steps': 2}
PROBE = 'import jax; d = jax.devices(); print("|".join([jax.default_backend(), d[0].device_kind, str(len(d))]))'


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=pathlib.Path, help='folder for scaling.json and scaling.md')
    parser.add_argument('--models', default=','.join(NETWORKS), help='networks, separated by commas')
    parser.add_argument('--dtypes', default=','.join(DTYPES), help='types, separated by commas')
    parser.add_argument('--devices', type=int, default=0, help='most devices to use; 0: all')
    parser.add_argument('--minutes', type=float, default=9.0, help='after which no further cell begins')
    parser.add_argument('--peak_tflops', default='', help='FLOAT32,BFLOAT16 of a device that the table does not have')
    parser.add_argument('--dry_run', action='store_true', help='slim networks, small batches, few steps')
    parser.add_argument('--worker', default='', help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the benchmark, or one of its processes."""
    args = arguments(argv)
    if args.worker:
        work(json.loads(args.worker))
        return
    if args.out is None:
        raise ConfigError('`out` is needed: a folder for scaling.json and scaling.md')
    data = run(args)
    atomic_write_text(args.out / 'scaling.json', json_text(data))
    atomic_write_text(args.out / 'scaling.md', markdown(data))
    print(f'{args.out / "scaling.md"}: {data["seconds"]:.0f} s')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """All that is measured, as scaling.json has it.

    Raises:
      ConfigError: an unknown network or type, or a peak that cannot be read.
    """
    began = time.time()
    models, dtypes, given = checked(args)
    platform, kind, available = probe()
    if platform == 'cpu' and args.dry_run:
        available = DRY_DEVICES  # Of one processor, to show the way.
    counts = [n for n in device_counts(available) if not args.devices or n <= args.devices]
    end = began + 60 * args.minutes
    rows: dict[int, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix='fdx_scaling_') as folder:
        for devices in counts:
            # The sweep on one device is the largest part; those on several share what is left.
            share = SHARE_OF_SEVERAL if devices == 1 and len(counts) > 1 else 0.0
            task = {
                'models': models,
                'dtypes': dtypes,
                'several': devices > 1,
                'dry_run': args.dry_run,
                'until': end - share * 60 * args.minutes,
                'folder': folder,
            }
            rows[devices] = in_process(task, environment_for(devices, platform, dry_run=args.dry_run))
    peak = peak_tflops(kind, given)
    return {
        'device': {'platform': platform, 'kind': kind, 'count': counts[-1], 'cores': os.cpu_count()},
        'peak_tflops': peak,
        'dry_run': args.dry_run,
        'versions': environment()['versions'],
        'seconds': time.time() - began,
        'one': [with_share(row, peak) for row in rows[1]],
        'several': [with_share(row, peak) for n in counts[1:] for row in rows[n]],
    }


def checked(args: argparse.Namespace) -> tuple[list[str], list[str], list[float]]:
    """(models, types, peaks) of the command line; ConfigError for what cannot be used."""
    models, dtypes = args.models.split(','), args.dtypes.split(',')
    for name, values, known in (('models', models, NETWORKS), ('dtypes', dtypes, DTYPES)):
        unknown = [value for value in values if value not in known]
        if unknown:
            raise ConfigError(f'`{name}`={",".join(unknown)}: known are {", ".join(known)}')
    try:
        given = [float(value) for value in args.peak_tflops.split(',')] if args.peak_tflops else []
    except ValueError:
        given = [0.0]
    if given and (len(given) != len(DTYPES) or min(given) <= 0):
        raise ConfigError(f'`peak_tflops`={args.peak_tflops}: two numbers above 0, of {" and ".join(DTYPES)}')
    return models, dtypes, given


def with_share(row: Mapping[str, Any], peak: Mapping[str, float] | None) -> dict[str, Any]:
    """A row with its share of the peak of one device; None where there is no peak or no time."""
    if peak is None or 'step_s' not in row:
        return {**row, 'share_of_peak': None}
    return {**row, 'share_of_peak': row['flops'] / row['step_s'] / (1e12 * peak[row['dtype']])}


def probe() -> tuple[str, str, int]:
    """(platform, kind of device, number of them), asked in a process of its own, which frees the devices again."""
    done = subprocess.run([sys.executable, '-c', PROBE], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FdxError(f'JAX does not start: {done.stderr.strip().splitlines()[-1]}')
    platform, kind, count = done.stdout.strip().splitlines()[-1].split('|')
    return platform, kind, int(count)


def in_process(task: Mapping[str, Any], environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows that a process with these environment variables measures; its lines are shown as they come."""
    command = [sys.executable, '-m', f'{__package__}.scaling', f'--worker={json.dumps(task)}']
    with subprocess.Popen(
        command, env={**os.environ, **environment}, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        rows: list[dict[str, Any]] | None = None
        for line in process.stdout or ():
            if line.startswith('{"rows"'):
                rows = json.loads(line)['rows']
            else:
                print(line, end='', flush=True)
    if rows is None:
        raise FdxError(f'the process that measures has ended with code {process.returncode}; its own message says why')
    return rows


def work(task: Mapping[str, Any]) -> None:
    """Measures what the task says and prints the rows as one line of JSON."""
    chosen = networks(task['models'], dry_run=task['dry_run'])
    dry_run, dtypes = task['dry_run'], task['dtypes']
    cells = weak(chosen, dtypes, dry_run=dry_run) if task['several'] else sweep(chosen, dtypes)
    few = DRY if dry_run else {}
    folder = pathlib.Path(task['folder'])
    rows = measure(cells, chosen, folder, until=task['until'], say=lambda line: print(line, flush=True), **few)
    print(json.dumps({'rows': rows}), flush=True)


if __name__ == '__main__':
    try:
        main()
    except FdxError as e:
        sys.exit(f'error: {str(e).replace("`", "")}')
