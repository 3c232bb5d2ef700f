"""Commands that fit a collection, ready to paste."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import shlex
from typing import Any

from fdx.data.collection.spec import CollectionSpec
from fdx.data.raw.built_folder import is_built

# Those of fdx.data.collection.own, which imports TFDS.
DATASET, BUILT = 'recordings', 'bearing_datasets'


@dataclasses.dataclass(frozen=True)
class Advice:
    """What to begin with.

    Attributes:
      front_end: name of the front end, '' where none fits.
      window_s: seconds of its window.
      protocol: name of the protocol, '' where none fits.
      label_key: label or fault_type.
      match_level: whether the level tells the classes apart by more than faults explain.
      reasons: one sentence for each choice.
    """

    front_end: str = ''
    window_s: float = 0.0
    protocol: str = ''
    label_key: str = 'label'
    match_level: bool = False
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return dataclasses.asdict(self)


def commands_of(spec: CollectionSpec, advice: Advice, default_front_end: str, *, labelled: bool = True) -> list[str]:
    """The next commands: train, evaluate, predict; or a manifest where classes are missing.

    Args:
      spec: the collection as its user describes it.
      advice: what to begin with; without a front end or protocol nothing can be trained.
      default_front_end: the one that needs no suffix in a dataset's name.
      labelled: whether any recording has a class.
    """
    name = dataset_name(spec.source)
    own = ' '.join([f'--recordings={shlex.quote(spec.source)}', *flags_of(spec)])
    if not labelled:
        pattern = f' --pattern={shlex.quote(spec.pattern)}' if spec.pattern else " --pattern='{label}_{speed_rpm}.csv'"
        return [f'fdx manifest {shlex.quote(spec.source)}{pattern} --out={name}.csv']
    if not advice.front_end or not advice.protocol:
        return []
    suffix = '' if advice.front_end == default_front_end else f'-{advice.front_end}'
    level = ' --match_level' if advice.match_level else ''
    builder = BUILT if is_built(pathlib.Path(spec.source).expanduser()) else DATASET
    dataset = f'--dataset={builder}/{name}{suffix}'
    return [
        f'fdx train {dataset} {own}{level} --protocol={advice.protocol} --fold=all --workdir=runs/{name}',
        f'fdx evaluate --checkpoint=runs/{name}',
        f'fdx predict --checkpoint=runs/{name}/fold_0 {_of_files(spec)}NEW_FILES',
    ]


def dataset_name(source: str) -> str:
    """A name for the dataset of a folder or manifest."""
    last = re.split(r'[/\\]', source.rstrip('/\\'))[-1]
    stem = last.rpartition('.')[0] if last.lower().endswith(('.csv', '.tsv', '.xlsx')) else last
    return re.sub(r'[^a-z0-9]+', '_', stem.lower()).strip('_') or 'mine'


def flags_of(spec: CollectionSpec) -> list[str]:
    """The flags that give this collection again, without its source."""
    shared = spec.shared
    found = {
        'pattern': spec.pattern,
        'label_map': ','.join(f'{pattern}={name}' for pattern, name in spec.labels),
        'label_column': spec.label_column,
        'sample_rate': None if shared.sample_rate_hz is None else f'{shared.sample_rate_hz:g}',
        'speed_rpm': None if shared.speed_rpm is None else f'{shared.speed_rpm:g}',
        'bearing': shared.bearing,
        'machine': shared.machine,
        'load': None if shared.load is None else f'{shared.load:g}',
        'channel': shared.channel,
        'variable': shared.variable,
    }
    binary = shared.binary_format
    if binary is not None:
        found |= {'dtype': binary.dtype, 'channels': str(binary.num_channels), 'byte_order': binary.byte_order}
        found['offset_bytes'] = str(binary.offset_bytes) if binary.offset_bytes else None
    flags = [f'--{name}={shlex.quote(str(value))}' for name, value in found.items() if value]
    return [*flags, *(shlex.quote(f'--{given.strip("`")}') for given in shared.text_format.given)]


def _of_files(spec: CollectionSpec) -> str:
    """The flags that new files of this kind need."""
    kept = ('--sample_rate=', '--speed_rpm=', '--bearing=', '--channel=', '--variable=')
    flags = [f for f in flags_of(spec) if f.startswith(kept)]
    return ' '.join([*flags, '']) if flags else ''
