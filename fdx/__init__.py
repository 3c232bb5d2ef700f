"""fdx: diagnosis of machine faults from vibration by transfer learning, in JAX.

    import fdx

    fdx.prepare('bearing_rig/small')                                    # a dataset, built once
    fdx.train(fdx.TrainConfig('bearing_rig/small', epochs=4), 'runs/mine')
    print(fdx.evaluate('runs/mine').metrics['accuracy'])
    print(fdx.load('runs/mine').diagnose('motor.wav').label)

    recording = fdx.read('pump.csv', speed_rpm=1480, bearing='skf_6205')
    print(fdx.zero_shot(recording).label)                               # without any training

Importing fdx imports nothing else: each name below is imported the first time that it is used.
"""

from __future__ import annotations

import importlib
import pathlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fdx.adapt.config import AdaptConfig as AdaptConfig
    from fdx.api.datasets import open_dataset as open_dataset
    from fdx.api.datasets import prepare as prepare
    from fdx.api.health import baseline as baseline
    from fdx.api.health import monitor as monitor
    from fdx.api.inspections import inspect as inspect
    from fdx.api.networks import create_model as create_model
    from fdx.api.predictors import load as load
    from fdx.api.recordings import front_end as front_end
    from fdx.api.recordings import read as read
    from fdx.api.reports import report as report
    from fdx.api.runs import adapt as adapt
    from fdx.api.runs import evaluate as evaluate
    from fdx.api.runs import train as train
    from fdx.data.raw.binary import BinaryFormat as BinaryFormat
    from fdx.data.raw.format import TextFormat as TextFormat
    from fdx.predict.zero_shot import zero_shot as zero_shot
    from fdx.train.config import TrainConfig as TrainConfig
    from fdx.types import BearingGeometry as BearingGeometry
    from fdx.types import CheckpointError as CheckpointError
    from fdx.types import ConfigError as ConfigError
    from fdx.types import DataError as DataError
    from fdx.types import FdxError as FdxError
    from fdx.types import Recording as Recording
    from fdx.types import SplitError as SplitError
    from fdx.types import WeightsError as WeightsError

__version__ = '0.2.0'

_here = pathlib.Path(__file__).resolve().parent
if not (_here / 'launch').is_dir():
    # In a checkout launch/, datasets/ and benchmarks/ stand beside fdx/; the wheel holds them inside it. Both ways they
    # are fdx.launch, fdx.datasets and fdx.benchmarks, so that nothing clashes with another package called `datasets`.
    __path__.append(str(_here.parent))

# The front door: name -> the module that has it. `train`, `evaluate`, `adapt` and `inspect` are packages, too, and can
# be called.
_WHERE = {
    'AdaptConfig': 'fdx.adapt.config',
    'BinaryFormat': 'fdx.data.raw.binary',
    'TextFormat': 'fdx.data.raw.format',
    'TrainConfig': 'fdx.train.config',
    'create_model': 'fdx.api.networks',
    'load': 'fdx.api.predictors',
    'report': 'fdx.api.reports',
    'zero_shot': 'fdx.predict.zero_shot',
    **dict.fromkeys(('baseline', 'monitor'), 'fdx.api.health'),
    **dict.fromkeys(('open_dataset', 'prepare'), 'fdx.api.datasets'),
    **dict.fromkeys(('front_end', 'read'), 'fdx.api.recordings'),
    **dict.fromkeys(
        ('BearingGeometry', 'CheckpointError', 'ConfigError', 'DataError', 'FdxError', 'Recording', 'SplitError'),
        'fdx.types',
    ),
    'WeightsError': 'fdx.types',
}
_ROOMS = (
    *('adapt', 'data', 'evaluate', 'explain', 'export', 'health', 'inspect', 'models', 'predict', 'signal', 'simulate'),
    *('synth', 'train', 'weights'),
)

__all__ = sorted([*_WHERE, 'adapt', 'evaluate', 'inspect', 'train', '__version__'])


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f'fdx.{name}')
    if name not in _WHERE:
        raise AttributeError(f'fdx has no {name!r}; it has {", ".join(__all__)}, and the rooms {", ".join(_ROOMS)}')
    globals()[name] = value = getattr(importlib.import_module(_WHERE[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
