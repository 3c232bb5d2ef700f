"""What the benchmark of devices measures: networks, batch sizes, types, and the peaks that devices are sold with."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence

CLASSES = 10
DTYPES = ('float32', 'bfloat16')

# Dense TFLOP/s of (float32 as matrix units compute it, bfloat16), from the makers' data sheets; the first name that a
# device's name contains is taken. JAX multiplies float32 in TF32 on NVIDIA's devices unless told otherwise.
PEAKS = {
    'B200': (1125.0, 2250.0),
    'H100 PCIe': (378.0, 756.0),
    'H100 NVL': (417.5, 835.0),
    'H100': (494.7, 989.4),
    'H200': (494.7, 989.4),
    'A100': (156.0, 312.0),
    'L40S': (183.0, 366.0),
    'L4': (60.0, 121.0),
    'A10': (62.5, 125.0),
}


@dataclasses.dataclass(frozen=True)
class Network:
    """A network, the front end that feeds it, and the batches that it is measured on.

    Attributes:
      label: its name on the page.
      front_end: makes its examples.
      shape: of one of them.
      batches: examples per device, of the sweep; the middle one is fed from records and scaled over devices.
      options: of the model.
    """

    label: str
    front_end: str
    shape: tuple[int, ...]
    batches: tuple[int, ...]
    options: Mapping[str, object] = dataclasses.field(default_factory=dict)

    @property
    def middle(self) -> int:
        """The batch that is fed from records and scaled over devices."""
        return self.batches[len(self.batches) // 2]


NETWORKS = {
    'vggish': Network('VGGish', 'vggish', (96, 64, 1), (32, 256, 1024)),
    'resnet50': Network('ResNet-50', 'scalogram', (224, 224, 3), (16, 64, 256)),
    'cnn1d': Network('`cnn1d`', 'waveform', (1024, 1, 1), (64, 1024, 8192)),
}
SLIM = {
    'vggish': {'width_multiplier': 1 / 16},
    'resnet50': {'width_multiplier': 1 / 16, 'depths': (1, 1, 1, 1)},
    'cnn1d': {'width_multiplier': 1 / 8},
}
SLIM_BATCH = 4
QUICK_COMPILING = ('--xla_backend_optimization_level=0', '--xla_llvm_disable_expensive_passes=true')


@dataclasses.dataclass(frozen=True)
class Cell:
    """One measurement.

    Attributes:
      model: key of the networks.
      dtype: of DTYPES.
      batch: examples per device.
      fed: whether steps are also fed from records.
    """

    model: str
    dtype: str
    batch: int
    fed: bool


def networks(models: Sequence[str], *, dry_run: bool) -> dict[str, Network]:
    """The networks to measure; in a dry run they are slim, and batches small."""
    chosen = {name: NETWORKS[name] for name in models}
    if not dry_run:
        return chosen
    return {
        name: dataclasses.replace(network, options=SLIM[name], batches=(SLIM_BATCH,))
        for name, network in chosen.items()
    }


def sweep(chosen: Mapping[str, Network], dtypes: Sequence[str]) -> list[Cell]:
    """The cells on one device: middle batches first, so that what is left out for want of time is the rest."""
    cells = [
        Cell(name, dtype, batch, batch == network.middle)
        for name, network in chosen.items()
        for batch in network.batches
        for dtype in dtypes
    ]
    return sorted(cells, key=lambda cell: not cell.fed)


def weak(chosen: Mapping[str, Network], dtypes: Sequence[str], *, dry_run: bool) -> list[Cell]:
    """The cells that are measured again on more devices, with as many examples on each; in a dry run, a single one."""
    cells = [Cell(name, dtypes[-1], network.middle, False) for name, network in chosen.items()]
    return cells[-1:] if dry_run else cells


def device_counts(available: int) -> list[int]:
    """1, 2, 4, ... and all."""
    counts = [1]
    while counts[-1] * 2 <= available:
        counts.append(counts[-1] * 2)
    return counts if counts[-1] == available else [*counts, available]


def peak_tflops(kind: str, given: Sequence[float] = ()) -> dict[str, float] | None:
    """Peak of a device for each of DTYPES; None where nobody knows it.

    Args:
      kind: the device's name, as JAX has it.
      given: what the user says instead, in the order of DTYPES.
    """
    if given:
        return dict(zip(DTYPES, given, strict=True))
    found = next((peaks for name, peaks in PEAKS.items() if name.lower() in kind.lower()), None)
    return dict(zip(DTYPES, found, strict=True)) if found else None


def environment_for(devices: int, platform: str, *, dry_run: bool = False) -> dict[str, str]:
    """Environment variables with which a process sees that many devices; in a dry run on CPU, it compiles quickly."""
    if platform == 'cpu':
        flags = [os.environ.get('XLA_FLAGS', ''), f'--xla_force_host_platform_device_count={devices}']
        return {'XLA_FLAGS': ' '.join([*flags, *(QUICK_COMPILING if dry_run else ())]).strip()}
    seen = os.environ.get('CUDA_VISIBLE_DEVICES', '')
    names = seen.split(',') if seen else list(map(str, range(devices)))
    return {'CUDA_VISIBLE_DEVICES': ','.join(names[:devices])}
