"""The Electric Motor Vibrations Dataset (SOON) as fdx records."""

from __future__ import annotations

import logging
import pathlib
from collections.abc import Iterable, Sequence

import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.signal.front_ends import create_front_end, front_end_names
from fdx.types import Recording

from .files import RECORD_URL
from .reader import AXES, COMMON_RATE_HZ, read_file
from .sources import FOLDER, resolve_files
from .subsets import SUBSETS, Subset

logger = logging.getLogger(__name__)

# The low-pass of the common band reaches 0.22 s to each side, the interpolation in time 0.06 s: with this guard no
# sample of the file reaches windows of two blocks.
GUARD_S = 0.6


def _config(subset: Subset, front_end: str) -> VibrationConfig:
    patch = create_front_end(front_end, COMMON_RATE_HZ).patch_samples(COMMON_RATE_HZ)
    return VibrationConfig(
        name=f'{subset.name}-{front_end}',
        description=f'{subset.description} Front end {front_end}, windows of {patch} samples that overlap by half.',
        subset=subset.name,
        front_end=front_end,
        # The study's overlap: 500 of 1000 samples. The hop is rounded up, or every third window would overlap the
        # first.
        hop_s=((patch + 1) // 2) / COMMON_RATE_HZ,
        guard_s=GUARD_S,
    )


class Builder(VibrationBuilder):
    """Tri-axial acceleration, in counts of the sensor, of an electric motor m1 in 30 scenarios, one recording each.

    m1 is healthy or has an imbalance, an electrical fault of 50, 100 or 150 ohm, or both; with and without a load of
    0.5 Nm; alone or beside a second motor m2. `label` is the scenario (in `conditions` 29 classes, as 03 and 04 are one
    condition), `fault_type` the state of m1 alone, `load` is in Nm, `domain` holds load, background and a turned
    sensor, `bearing` is the motor; the speed is unknown (the names say "half speed"). Windows overlap by half.

    A scenario is one recording, so time_blocks is the honest protocol for `label`. By fault_type, every state has at
    least four recordings: by_recording with `label_key=fault_type` tests on conditions never seen. Recordings 03 and 04
    test one class of `conditions` across recordings: train with `exclude_recordings=soon_04` and predict file 04.

    The logger samples at about 533 Hz, unevenly: see reader.py. Licence: as the Zenodo record 6473455 states; the data
    are not part of fdx.
    """

    VERSION = tfds.core.Version('2.0.0')
    RELEASE_NOTES = {
        '1.0.0': 'First release.',
        '1.1.0': 'Records have a field for the geometry of a bearing.',
        '2.0.0': 'Windows lose what is slower than 2 Hz, dead ones are left out, order spectra are tapered.',
    }
    BUILDER_CONFIGS = [_config(s, f) for s in SUBSETS.values() for f in front_end_names(len(AXES))]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f'The CSV files of {RECORD_URL} under their own names, in this folder or in {FOLDER}/; what is not there is '
        'downloaded.'
    )

    @property
    def _subset(self) -> Subset:
        return SUBSETS[self.builder_config.subset]

    def citation(self) -> str:
        """The paper and the data."""
        return (
            '@article{soon2022, author={Iantovics and Gligor and others}, year={2022}, '
            'doi={10.2478/amset-2022-0012}}\n'
            '@misc{soon2022data, author={Iantovics and Gligor and others}, title={Electric Motor Vibrations Dataset}, '
            'publisher={Zenodo}, year={2022}, doi={10.5281/zenodo.6473455}}'
        )

    def class_names(self) -> Sequence[str]:
        """Labels of the subset, in the order of the files."""
        return self._subset.classes

    def fault_types(self) -> Sequence[str]:
        """States of m1: healthy, mechanical, electrical, combined."""
        return self._subset.fault_types

    def channels(self) -> int:
        """The three axes X, Y, Z."""
        return len(AXES)

    def channel_names(self) -> Sequence[str]:
        """The axes by the names that files of this kind give them."""
        return AXES

    def unit(self) -> str:
        """Counts of the sensor."""
        return 'counts'

    def common_rate_hz(self) -> float:
        """512 Hz, below the slowest recording: see reader.py."""
        return COMMON_RATE_HZ

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> Iterable[Recording]:
        """Reads the subset's files from `manual_dir`, or downloads them."""
        manual_dir = self.manual_folder(dl_manager)
        subset = self._subset
        paths = resolve_files(subset, manual_dir, pathlib.Path(dl_manager.download_dir))
        return [read_file(paths[f.number], f, subset.label(f)) for f in subset.files]
