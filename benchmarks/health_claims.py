"""What the benchmark `health` was asked to show, and what its rows show of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import scipy.stats

from .health_data import CONTROL
from .health_methods import OWN, PLANTS
from .health_scores import verdict

Row = Mapping[str, Any]
BEARING_FAULTS = ('inner_race', 'outer_race', 'ball')
DETECTION, BASELINE_S, MONITOR_S = 0.95, 20.0, 0.3
YES, NO, OPEN = 'reached', '**not reached**', 'open'


@dataclasses.dataclass(frozen=True)
class Claim:
    """One wish.

    Attributes:
      asked: in words.
      reached: what was measured, in words.
      verdict: YES, NO or OPEN.
    """

    asked: str
    reached: str
    verdict: str


def of_method(data: Mapping[str, Any], method: str) -> list[Row]:
    """All rows of a method."""
    return [row for row in data['rows'] if f'{row["features"]}:{row["detector"]}' == method]


def pooled_rates(rows: Sequence[Row], key: str) -> list[dict[str, Any]]:
    """Promised and measured rates of all seeds together, with the interval of Clopper and Pearson; [] without any."""
    lists = [row[key] for row in rows if row.get(key)]
    pooled = []
    for parts in zip(*lists):
        exceeded, units = sum(p['exceeded'] for p in parts), sum(p['units'] for p in parts)
        pooled.append(
            {
                'promised': parts[0]['promised'],
                'measured': exceeded / units,
                'exceeded': exceeded,
                'units': units,
                'interval': exact_interval(exceeded, units),
            }
        )
    return pooled


def exact_interval(hits: int, trials: int) -> list[float]:
    """95 % interval of a proportion (Clopper and Pearson, Biometrika 26:404-413, 1934)."""
    low = scipy.stats.beta.ppf(0.025, hits, trials - hits + 1) if hits else 0.0
    high = scipy.stats.beta.ppf(0.975, hits + 1, trials - hits) if hits < trials else 1.0
    return [float(low), float(high)]


def claims(data: Mapping[str, Any]) -> list[Claim]:
    """Every wish that the rows of a page can answer."""
    rows = of_method(data, OWN.name)
    promised = (*_promise(rows, 'rates', 'unusual'), *_promise(rows, 'rise_rates', 'risen, where an alarm asks for it'))
    return [*promised, *_control(rows), *_adi(rows), *_lives(data, rows), *_timing(data.get('timing') or {})]


def _promise(rows: Sequence[Row], key: str, what: str) -> list[Claim]:
    said: dict[str, list[str]] = {'yes': [], 'no': [], 'few': []}
    for dataset in dict.fromkeys(row['dataset'] for row in rows if row['dataset'] != CONTROL):
        for rate in pooled_rates([row for row in rows if row['dataset'] == dataset], key):
            word = verdict(rate['promised'], rate['exceeded'], rate['units'])
            said[word].append(f'{dataset} at {100 * rate["promised"]:g} %')
    if not any(said.values()):
        return []
    reached = f'{len(said["yes"])} of {len(said["yes"]) + len(said["no"])} that can be told'
    reached += f'; not: {", ".join(said["no"])}' if said['no'] else ''
    reached += f'; too few units to tell: {", ".join(said["few"])}' if said['few'] else ''
    asked = f'held-out healthy blocks that are called {what}: within a factor of 2 of what is promised'
    return [Claim(asked, reached, NO if said['no'] else YES)]


def _control(rows: Sequence[Row]) -> list[Claim]:
    pooled = pooled_rates([row for row in rows if row['dataset'] == CONTROL], 'rates')
    if not pooled:
        return []
    rate = pooled[-1]
    asked = 'control: one healthy recording per state, other healthy recordings of the machine'
    words = f'{rate["exceeded"]} of {rate["units"]} are called unusual'
    risen = pooled_rates([row for row in rows if row['dataset'] == CONTROL], 'rise_rates')
    words += f', {risen[-1]["exceeded"]} risen' if risen else ''
    return [Claim(asked, f'{words}, promised {100 * rate["promised"]:g} %', 'shown')]


def _adi(rows: Sequence[Row]) -> list[Claim]:
    found = []
    for row in rows:
        if row['dataset'] != 'adi_cbm':
            continue
        for asked, wanted in (
            ('bearing faults of ADI found at 1 % false alarms: at least 95 %', True),
            ('imbalance of ADI', False),
        ):
            hits, of = _found(row['by_kind'], wanted)
            if of:
                enough = YES if hits >= DETECTION * of else NO
                words = f'{hits} of {of} recordings; an upper bound, as there is one healthy recording per speed'
                risen = _found(row.get('worse_by_kind', {}), wanted)
                words += f'; {risen[0]} of them count for an alarm' if risen[1] else ''
                found.append(Claim(asked, words, enough if wanted else 'shown'))
        break
    return found


def _found(by_kind: Mapping[str, Sequence[int]], bearing: bool) -> tuple[int, int]:
    """(found, of how many): of faults of bearings, or of imbalance."""
    kinds = [v for k, v in by_kind.items() if (k.split(',')[0] in BEARING_FAULTS if bearing else k.startswith('imb'))]
    return sum(k[0] for k in kinds), sum(k[1] for k in kinds)


def _lives(data: Mapping[str, Any], rows: Sequence[Row]) -> list[Claim]:
    lives = [row for row in rows if 'false_third' in row]
    if not lives:
        return []
    silent = [row['dataset'] for row in lives if row['lead_share'] is None]
    false = {row['dataset']: row['false_third'] for row in lives if row['false_third']}
    claimed = [
        Claim(
            'every bearing of PRONOSTIA alarms before its end',
            f'{len(lives) - len(silent)} of {len(lives)}' + (f'; silent: {", ".join(silent)}' if silent else ''),
            NO if silent else YES,
        ),
        Claim(
            'no alarm in the first third of a life',
            f'{len(lives) - len(false)} of {len(lives)} lives'
            + (f'; recordings in alarm: {", ".join(f"{d} {n}" for d, n in false.items())}' if false else ''),
            NO if false else YES,
        ),
    ]
    drifts = {row['dataset']: row['drift'] for row in lives if row.get('drift') is not None}
    if drifts:
        words = ', '.join(f'{name} {p:.3f}' for name, p in drifts.items())
        said = 'shown' if len(drifts) == len(lives) else 'shown where there are eight recordings'
        claimed.append(
            Claim('p-value of a drift of the healthy recordings, of which `fdx baseline` warns', words, said)
        )
    for plant in PLANTS:
        theirs = {
            row['dataset']: row['equal_lead_share'] or 0.0 for row in of_method(data, plant.name) if 'early' in row
        }
        pairs = [
            (row['dataset'], row['equal_lead_share'] or 0.0, theirs[row['dataset']])
            for row in lives
            if row['dataset'] in theirs
        ]
        if pairs:
            better = [name for name, own, other in pairs if own > other]
            words = ', '.join(f'{name} {100 * own:.0f} against {100 * other:.0f} %' for name, own, other in pairs)
            asked = f'more lead than a limit on the {plant.features} at equal false alarms'
            claimed.append(
                Claim(asked, f'{len(better)} of {len(pairs)}: {words}', YES if len(better) == len(pairs) else NO)
            )
    return claimed


def _timing(timing: Mapping[str, Any]) -> list[Claim]:
    if not timing:
        return []
    files = f'{timing["files"]} files of {timing["seconds"]:g} s'
    learned = Claim(
        f'a baseline of {files} in less than {BASELINE_S:g} s',
        f'{timing["baseline_cpu_s"]:g} s of the processor',
        YES if timing['baseline_cpu_s'] < BASELINE_S else NO,
    )
    slow = timing['faulty_cpu_s']
    judged = Claim(
        f'monitoring in less than {MONITOR_S:g} s a file',
        f'{timing["monitor_cpu_s"]:.2f} s of the processor for a normal file; {slow:.2f} s for one that is not, as the '
        'universal judge looks at it, too',
        YES
        if max(timing['monitor_cpu_s'], slow) < MONITOR_S
        else (NO if timing['monitor_cpu_s'] >= MONITOR_S else 'normal files only'),
    )
    return [learned, judged]
