"""Several front ends in one comparison: which configs see the same recordings, and what each front end costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fdx.data.names import resolve_config
from fdx.data.source import Dataset
from fdx.types import ConfigError, DataError

# The metrics of a strategy that the summary repeats.
CARRIED = ('accuracy', 'recording_vote_accuracy', 'seconds', 'seconds_an_epoch')


def configs_of_front_ends(dataset: str, wanted: Sequence[str], known: Mapping[str, str], parameter: str) -> list[str]:
    """Datasets that differ in their front end alone: CONFIG, where it has that front end, else CONFIG-FRONT_END.

    Args:
      dataset: `builder/config` or `builder/config:version`; its front end may be named or left out.
      wanted: names of front ends.
      known: every config of the builder -> its front end.
      parameter: that named the dataset, for errors.

    Returns:
      `builder/config`, with the version where one was given, for each of `wanted`.

    Raises:
      ConfigError: no such config, or none with such a front end; the text lists what there is.
    """
    path, colon, version = dataset.partition(':')
    builder, _, config = path.partition('/')
    base = resolve_config(config, known)
    if base is None:
        raise ConfigError(f'`{parameter}`={dataset}: {builder} has the configs {", ".join(known)}')
    stem = base.removesuffix(f'-{known[base]}')
    siblings = {front_end: name for name, front_end in known.items() if name in (stem, f'{stem}-{front_end}')}
    missing = [name for name in wanted if name not in siblings]
    if missing:
        raise ConfigError(
            f'`front_ends`={",".join(wanted)}: no {", ".join(missing)} for `{parameter}`={dataset}; '
            f'{builder} has it with the front ends {", ".join(siblings)}'
        )
    return [f'{builder}/{siblings[name]}{colon}{version}' for name in wanted]


def check_comparable(datasets: Sequence[Dataset], label_key: str) -> None:
    """Refuses datasets that differ in more than their front ends.

    Raises:
      DataError: other recordings or classes than in the first, as of datasets that were prepared at different times.
    """
    first = datasets[0]
    for other in datasets[1:]:
        differ = sorted(set(first.table['recording']) ^ set(other.table['recording']))
        if differ or first.class_names(label_key) != other.class_names(label_key):
            what = f'recordings ({", ".join(differ[:3])}...)' if differ else 'classes'
            raise DataError(
                f'{first.name} and {other.name} differ in their {what}, so that their front ends cannot be compared: '
                f'remove {first.data_dir} and {other.data_dir} and run again to prepare both from the same files'
            )


def describe_images(dataset: Dataset) -> dict[str, Any]:
    """What a front end makes of the recordings: image [h, w, c], and the window behind it in samples and seconds."""
    return {
        'image': list(dataset.input_shape),
        'window_samples': dataset.table.window_length,
        'window_s': dataset.table.window_length / dataset.metadata['common_rate_hz'],
    }


def compare_front_ends(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Strategies by protocol and front end.

    Windows belong to the front end, so nothing is paired: a difference is one of means over seeds, and its standard
    deviation is the root of the sum of both variances.

    Args:
      parts: for each front end, one dict with what `benchmarks.compare_outcome.compare` and `describe_images` return.

    Returns:
      dataset, without its front end; front_ends: `parts`; summary: list of {protocol, leaks, rows: list of {strategy,
      front_end, image, windows, the metrics of CARRIED, difference}}. Rows go by strategy, then by front end;
      `difference` is that of accuracy to the first front end, None for that one itself.
    """
    first = parts[0]
    path, colon, version = first['dataset'].partition(':')
    return {
        'dataset': path.removesuffix(f'-{first["front_end"]["name"]}') + colon + version,
        'front_ends': list(parts),
        'summary': [
            {
                'protocol': of_first['protocol'],
                'leaks': of_first['leaks'],
                'rows': [
                    _row(part, i, of_first, strategy) for strategy in of_first['strategies'] for part in parts
                ],
            }
            for i, of_first in enumerate(first['protocols'])
        ],
    }  # fmt: skip


def _row(part: Mapping[str, Any], protocol: int, of_first: Mapping[str, Any], strategy: str) -> dict[str, Any]:
    of_protocol = part['protocols'][protocol]
    found, reference = of_protocol['strategies'][strategy], of_first['strategies'][strategy]
    return {
        'strategy': strategy,
        'front_end': part['front_end']['name'],
        'image': part['image'],
        'windows': of_protocol['windows'],
        **{key: found[key] for key in CARRIED},
        'difference': None if of_protocol is of_first else _unpaired(found['accuracy'], reference['accuracy']),
    }


def _unpaired(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Difference of two means; the variances add, and there are none of a single seed."""
    deviations = (a['standard_deviation'], b['standard_deviation'])
    deviation = None if None in deviations else sum(d**2 for d in deviations) ** 0.5
    return {'mean': a['mean'] - b['mean'], 'standard_deviation': deviation}
