"""Traces one file to its prediction: the rooms that it passes, and how often it climbs back up.

    python -m benchmarks.hops --sample_rate=12000 105.mat runs/cwru
    python -m benchmarks.hops --sample_rate=12000 --bearing=skf_6205 --speed_rpm=1772 105.mat

With a path to a run or an exported file as second argument, that network predicts; without one, `zero_shot` uses the
fault orders of the bearing. The trace covers one call of `diagnose` (or `zero_shot`) and of `rows` on its result, with
all models loaded before. The way is the list of rooms in the order in which control first reaches each of their
modules, so that work for every window counts once. A step to a room above the previous one is a climb.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import fdx
from fdx.predict.load import load_single
from fdx.predict.zero_shot import zero_shot

LIBRARY = pathlib.Path(fdx.__file__).resolve().parent
# From the bottom up; tests/test_rooms.py checks the imports against the whole order.
ORDER = ('types', 'files', 'signal', 'models', 'weights', 'data', 'train', 'adapt', 'synth', 'predict', 'evaluate')


def way_of(call: Callable[[], Any]) -> list[str]:
    """The rooms that a call goes through: one entry per module of another room that is first reached."""
    seen: set[str] = set()
    way: list[str] = []

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        name = frame.f_code.co_filename
        if event != 'call' or name in seen:
            return
        seen.add(name)
        path = pathlib.Path(name)
        if path.is_relative_to(LIBRARY):
            room = path.relative_to(LIBRARY).parts[0].removesuffix('.py')
            if not way or way[-1] != room:
                way.append(room)

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return way


def climbs_of(way: Sequence[str]) -> int:
    """How many steps of a way lead to a room above the one before."""
    return sum(ORDER.index(there) > ORDER.index(here) for here, there in zip(way, way[1:]))


def main() -> None:
    """Prints the way of one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('file')
    parser.add_argument('run', nargs='?')
    parser.add_argument('--sample_rate', type=float)
    parser.add_argument('--bearing')
    parser.add_argument('--speed_rpm', type=float)
    args = parser.parse_args()
    options = {'sample_rate_hz': args.sample_rate, 'bearing': args.bearing, 'speed_rpm': args.speed_rpm}
    ask = load_single(args.run).diagnose if args.run else zero_shot
    way = way_of(lambda: ask(args.file, **options).rows())
    print(' > '.join(way))
    print(f'rooms entered: {len(way)}; climbs back up: {climbs_of(way)}')


if __name__ == '__main__':
    main()
