"""Case Western Reserve University bearing recordings as fdx records."""

from __future__ import annotations

import logging
import pathlib
from collections.abc import Iterable, Sequence

import tensorflow_datasets as tfds

from fdx.data.blocks import DEFAULT_GUARD_S
from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.signal.front_ends import front_end_names
from fdx.types import Recording

from .reader import read_file, resolve_files
from .subsets import SUBSETS, Subset

logger = logging.getLogger(__name__)

HOP_S = 0.1
# 97.mat lasts 5.08 s: five windows of 0.975 s and four guards of 0.1 s need 5.275 s. A guard of 0.05 s (1.5 turns of
# the shaft, 5 times the anti-alias filter's reach) is the longest round number with which it keeps its blocks.
SHORT_GUARD_S = 0.05


def _config(subset: Subset, front_end: str) -> VibrationConfig:
    has_short = any(file.number == 97 for file in subset.files)
    return VibrationConfig(
        name=f'{subset.name}-{front_end}',
        description=f'{subset.description} Front end {front_end}.',
        subset=subset.name,
        front_end=front_end,
        hop_s=HOP_S,
        guard_s=SHORT_GUARD_S if has_short else DEFAULT_GUARD_S,
    )


class Builder(VibrationBuilder):
    """CWRU bearing data: single-point faults seeded by electro-discharge machining, four motor loads.

    Every recording of a config is brought to the config's lowest rate and band first: the healthy recordings 97-100
    were taken at 48 kHz and would be told by it (Smith and Randall, MSSP 64-65, 2015).
    """

    VERSION = tfds.core.Version('2.0.0')
    RELEASE_NOTES = {
        '1.0.0': 'First release.',
        '1.1.0': 'Records hold the geometry of the bearing.',
        '2.0.0': 'Windows lose what is slower than 2 Hz, dead ones are left out, order spectra are tapered.',
    }
    BUILDER_CONFIGS = [_config(s, f) for s in SUBSETS.values() for f in front_end_names(channels=1)]
    MANUAL_DOWNLOAD_INSTRUCTIONS = 'Files N.mat, or a folder cwru/ of them; what is not there is downloaded.'

    @property
    def _subset(self) -> Subset:
        return SUBSETS[self.builder_config.subset]

    def citation(self) -> str:
        """The benchmark study of these recordings; the data themselves have no paper."""
        return (
            '@article{smith2015rolling, author={Smith, Wade A. and Randall, Robert B.}, title={Rolling element bearing '
            'diagnostics using the Case Western Reserve University data: a benchmark study}, journal={Mechanical '
            'Systems and Signal Processing}, volume={64-65}, pages={100-131}, year={2015}}'
        )

    def class_names(self) -> Sequence[str]:
        """Labels of the subset."""
        return self._subset.classes

    def fault_types(self) -> Sequence[str]:
        """Faults of the subset, in the order of the labels."""
        return list(dict.fromkeys(f.fault for f in self._subset.files))

    def unit(self) -> str:
        """Multiples of the acceleration of gravity."""
        return 'g'

    def common_rate_hz(self) -> float:
        """12 kHz, or 48 kHz for drive_end_48k."""
        return float(self._subset.lowest_rate_hz)

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> Iterable[Recording]:
        """Reads the subset's files from `manual_dir`, or downloads them."""
        manual_dir = self.manual_folder(dl_manager)
        paths = resolve_files(self._subset, manual_dir, pathlib.Path(dl_manager.download_dir))

        return [read_file(paths[f.number], f, self._subset.channel) for f in self._subset.files]
