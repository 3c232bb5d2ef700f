"""One side of one round, in a process of its own: measures works of one group and prints a line of JSON.

    python -m fdx.benchmarks.speed_side --works=vggish/all,vggish/head --side=fdx --workdir=runs/bench

The file of the works (`Work.module`) has `measure(parts, side, folder, group)`: the parts of the group that are asked
for, 'fdx' or 'other', and the workdir, where data and compiled programs are kept. It returns a `Found` for each part.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os

from .speed_suite import OTHER, OURS, get_works


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--works', required=True, help='names of works of one group, comma-separated')
    parser.add_argument('--side', choices=(OURS, OTHER), required=True)
    parser.add_argument('--workdir', required=True)
    args = parser.parse_args()
    works = get_works(args.works.split(','))
    module = importlib.import_module(f'.{works[0].module}', __package__)
    if getattr(module, 'KEEPS_COMPILED', False):
        # Not part of what is timed: later rounds need not compile again.
        os.environ['JAX_COMPILATION_CACHE_DIR'] = os.path.abspath(os.path.join(args.workdir, 'compiled'))
    found = module.measure([work.part for work in works], args.side, args.workdir, works[0].group)
    print(json.dumps({name: dataclasses.asdict(value) for name, value in found.items()}))


if __name__ == '__main__':
    main()
