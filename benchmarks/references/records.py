"""fdx's side of the references: the windows that fdx adapts on, in a file that needs neither fdx nor JAX to be read.

    python -m benchmarks.references.records load0:load3 --data_dir=data --out=load0_load3.npz

Splits, scaling and shared classes are those of `fdx.adapt`, because `fdx.adapt.data.open_domains` makes them.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import io
import pathlib
import sys
from typing import Any

import numpy as np

from fdx.adapt.config import AdaptConfig
from fdx.adapt.data import open_domains
from fdx.data.pipeline import RecordExamples
from fdx.data.prepare import prepare_if_missing
from fdx.data.protocols.two_domains import TwoDomains
from fdx.data.source import prepared_folder
from fdx.files import atomic_write_bytes
from fdx.train.config import TrainConfig
from fdx.types import ConfigError, FdxError

DATASET, PROTOCOL = 'cwru/faults_12k-waveform', 'time_blocks'
# The parts that a reference run sees: labels of the target's training windows are not written.
LABELLED = {'source_train': True, 'target_train': False, 'target_test': True}


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two domains of one dataset.

    Attributes:
      source: labelled domain, e.g. load0.
      target: unlabelled domain.
      dataset: as builder/config, of a front end that gives raw windows.
      protocol: how both are split.
    """

    source: str
    target: str
    dataset: str = DATASET
    protocol: str = PROTOCOL

    @classmethod
    def parse(cls, text: str, dataset: str = DATASET, protocol: str = PROTOCOL) -> Pair:
        """Reads 'load0:load3'; ConfigError where it is not a pair."""
        source, _, target = text.partition(':')
        if not source or not target or ':' in target:
            raise ConfigError(f'`pairs`={text}: write a pair as SOURCE:TARGET, for example load0:load3')
        return cls(source, target, dataset, protocol)

    @property
    def name(self) -> str:
        """'load0 -> load3'."""
        return f'{self.source} -> {self.target}'


def domains_of(pair: Pair, fold: int, data_dir: str) -> TwoDomains:
    """Both domains as `fdx.adapt` opens them; raises what `fdx.adapt.data.open_domains` raises."""
    plan = AdaptConfig(source=f'{pair.dataset}:{pair.source}', target=f'{pair.dataset}:{pair.target}', target_fold=fold)
    config = TrainConfig(
        dataset=pair.dataset, data_dir=data_dir, protocol=pair.protocol, fold=fold, model='cnn1d', seed=fold
    )
    return open_domains(config, plan)


def parts_of(domains: TwoDomains) -> dict[str, np.ndarray]:
    """Arrays by name: inputs [N, T, 1, C] float32 of every part, NAME_labels [N] int32, and `classes`, their names.

    Raises:
      ConfigError: windows are not of raw samples, or a part has none.
    """
    arrays = {'classes': np.array(domains.classes)}
    for name, labelled in LABELLED.items():
        examples: RecordExamples = getattr(domains, name)
        if not len(examples):
            raise ConfigError(f'{name.replace("_", " ")} has no windows of the shared classes: choose another fold')
        inputs = np.stack([examples[i]['inputs'] for i in range(len(examples))])
        if inputs.ndim != 4 or inputs.shape[2] != 1:
            raise ConfigError(
                f'`dataset`: windows are {list(inputs.shape[1:])}, and the references take samples x 1 x channels: '
                'choose a config of the front end waveform'
            )
        arrays[name] = inputs.astype(np.float32)
        if labelled:
            arrays[f'{name}_labels'] = examples.labels()
    return arrays


def digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of names, shapes and values: it says whether two runs saw the same windows."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(f'{name} {array.dtype.str} {array.shape} '.encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def write_parts(path: pathlib.Path, pair: Pair, fold: int, data_dir: str) -> dict[str, Any]:
    """Writes the parts of a pair as an .npz and returns what a result says of them.

    Args:
      path: of the file; its folder is made.
      pair: the domains.
      fold: of both protocols.
      data_dir: folder of prepared datasets, with the pair's.

    Returns:
      {'records', 'protocol', 'fold', 'windows': name -> number, 'classes', 'sha256'}.

    Raises:
      FdxError: the pair, the data or the file make it impossible.
    """
    arrays = parts_of(domains_of(pair, fold, data_dir))
    file = io.BytesIO()
    np.savez(file, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_bytes(path, file.getvalue())
    return {
        'records': prepared_folder(pair.dataset, data_dir).name,
        'protocol': pair.protocol,
        'fold': fold,
        'windows': {name: len(arrays[name]) for name in LABELLED},
        'classes': arrays['classes'].tolist(),
        'sha256': digest(arrays),
    }


def main() -> int:
    """The program: one pair, one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pair', help='SOURCE:TARGET')
    parser.add_argument('--dataset', default=DATASET)
    parser.add_argument('--fold', type=int, default=0)
    parser.add_argument('--data_dir', default='data')
    parser.add_argument('--manual_dir', help='folder of raw recordings, where the dataset is not prepared yet')
    parser.add_argument('--out', type=pathlib.Path, required=True)
    args = parser.parse_args()
    try:
        prepare_if_missing(args.dataset, args.data_dir, args.manual_dir, notify=print)
        print(write_parts(args.out, Pair.parse(args.pair, args.dataset), args.fold, args.data_dir))
    except FdxError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
