"""Analog Devices' sample recordings of a machine fault simulator as fdx records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.signal.front_ends import front_end_names, reads_orders
from fdx.types import Recording

from .files import AXES, CLASSES, PUBLISHED, URL, entries

HOP_S = 0.1
# Ten turns of the shaft at 600 rpm, which fault orders need.
ORDERS_WINDOW_S = 1.0
# Subset -> number of axes.
SUBSETS = {'all': 1, 'all_xyz': len(AXES)}


def _config(subset: str, front_end: str) -> VibrationConfig:
    axes = 'Axis x' if SUBSETS[subset] == 1 else 'The three axes'
    return VibrationConfig(
        name=f'{subset}-{front_end}',
        description=f'{axes} of all recordings that are there, seven classes. Front end {front_end}.',
        subset=subset,
        front_end=front_end,
        hop_s=HOP_S,
        window_s=ORDERS_WINDOW_S if reads_orders(front_end) else None,
    )


class Builder(VibrationBuilder):
    """Sample recordings of Analog Devices: a SpectraQuest machine fault simulator, three axes, 20 kHz, 2 s.

    13 conditions at 600, 1200, 1800, 2400 and 3000 rpm: healthy, four imbalances, a misalignment, a bent shaft, and
    light and heavy damage of inner race, outer race and ball. They are seven classes. `bearing` is the condition, which
    tells light from heavy; `domain` is the speed. With an imbalance, a misalignment or a bent shaft the bearing is
    healthy, but the machine is not, so these are fault types of their own.

    The 65 files without load must be there; those with 11 lb are taken, too, if they are there. `all` holds the x axis,
    `all_xyz` all three. Samples are volts of the sensor (about 0.9 V at rest); its sensitivity is not stated. Nor is
    the bearing: an ER-12K fits the lines (fdx.signal.bearings).

    Licence: the repository has none; ADI publishes the files as samples for training. The data are not part of fdx.
    """

    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'First release.'}
    BUILDER_CONFIGS = [_config(s, f) for s, axes in SUBSETS.items() for f in front_end_names(axes)]
    MANUAL_DOWNLOAD_INSTRUCTIONS = f'The .Wfm.csv files of {URL} in this folder, in adi_cbm/, or in a clone of it.'

    def citation(self) -> str:
        """The repository; the data have no paper."""
        return f'@misc{{adicbm, author={{Analog Devices}}, title={{CbM-Datasets}}, howpublished={{{URL}}}}}'

    def class_names(self) -> Sequence[str]:
        """The seven classes."""
        return CLASSES

    def fault_types(self) -> Sequence[str]:
        """The labels, since they are not finer."""
        return CLASSES

    def channels(self) -> int:
        """1, or 3 for `all_xyz`."""
        return SUBSETS[self.builder_config.subset]

    def channel_names(self) -> Sequence[str]:
        """No names: the files have none, so prediction takes the first axes of a file."""
        return ()

    def unit(self) -> str:
        """Volts of the sensor."""
        return 'V'

    def common_rate_hz(self) -> float:
        """20 kHz."""
        return PUBLISHED.sample_rate_hz

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> Iterable[Recording]:
        """Reads the files of `manual_dir`, one after the other."""
        found = entries(self.manual_folder(dl_manager), self.channels())
        self.info.metadata['loads_lbs'] = sorted({entry.load for entry in found})
        return (PUBLISHED.read(entry) for entry in found)
