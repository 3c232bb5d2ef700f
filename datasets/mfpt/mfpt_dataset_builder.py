"""The MFPT society's bearing recordings as fdx records."""

from __future__ import annotations

import logging
import pathlib
from collections.abc import Iterable, Sequence

import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.signal.front_ends import front_end_names
from fdx.types import Recording

from .files import SUBSETS, Subset
from .reader import read_file
from .sources import FOLDER, resolve_files

logger = logging.getLogger(__name__)

HOP_S = 0.1
# Blocks of 0.975 s windows do not fit into 3 s. They would just fit into 6 s, but leave only 10 of the 51
# windows of such a recording, so that the healthy class would be by far the smallest. Shorter windows would have blocks
# in some configs only. Four guards of this length fill 6 s, so that no recording of any config has blocks.
GUARD_S = 1.5


def _config(subset: Subset, front_end: str) -> VibrationConfig:
    return VibrationConfig(
        name=f'{subset.name}-{front_end}',
        description=f'{subset.description} Front end {front_end}.',
        subset=subset.name,
        front_end=front_end,
        hop_s=HOP_S,
        guard_s=GUARD_S,
    )


class Builder(VibrationBuilder):
    """MFPT bearing data: a healthy bearing, inner-race and outer-race faults on a rig at 25 Hz (1500 rpm).

    `faults` holds the 14 recordings of 3 s at 48,828 Hz, seven loads (in lbs, the domains) of either fault; load 0 was
    recorded with an inner-race fault only, load 25 with an outer-race fault only. `all` adds the three healthy and the
    three outer-race recordings of 6 s at 97,656 Hz and 270 lbs. Every recording is brought to 48,828 Hz and the common
    band first: the healthy ones exist at the higher rate alone and would be told by it. They exist at one load alone,
    too, and that no band takes away. The labels are the fault types, acceleration is in g.

    The protocol is by_recording. The recordings are too short for time blocks: all windows have block -1, lie in the
    train split, and overlap inside a recording; by_recording puts a recording into one split as a whole. Which bearing
    is in which recording is not documented, so `bearing` is the fault type: all recordings of a fault may be of one
    bearing, and by_bearing refuses the data.

    Licence: CC BY-NC-SA 4.0 by what copies of the data state; not seen at the source. The data are not part of fdx.
    """

    VERSION = tfds.core.Version('2.0.0')
    RELEASE_NOTES = {
        '1.0.0': 'First release.',
        '2.0.0': 'Windows lose what is slower than 2 Hz, dead ones are left out, order spectra are tapered.',
    }
    BUILDER_CONFIGS = [_config(s, f) for s in SUBSETS.values() for f in front_end_names(channels=1)]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f'The files NAME.mat in this folder, in {FOLDER}/ or in the folders of the unpacked archive, or the archive '
        'itself; what is not there is downloaded.'
    )

    @property
    def _subset(self) -> Subset:
        return SUBSETS[self.builder_config.subset]

    def citation(self) -> str:
        """The paper that describes the recordings."""
        return (
            '@misc{bechhoefer2013condition, author={Bechhoefer, Eric}, title={Condition Based Maintenance Fault '
            'Database for Testing of Diagnostic and Prognostics Algorithms}, publisher={MFPT Society}, year={2013}}'
        )

    def class_names(self) -> Sequence[str]:
        """Labels of the subset."""
        return self._subset.classes

    def fault_types(self) -> Sequence[str]:
        """The labels, since they are not finer."""
        return self._subset.classes

    def unit(self) -> str:
        """Multiples of the acceleration of gravity."""
        return 'g'

    def common_rate_hz(self) -> float:
        """48,828 Hz."""
        return float(self._subset.lowest_rate_hz)

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> Iterable[Recording]:
        """Reads the subset's files from `manual_dir`, or takes them out of the downloaded archive."""
        manual_dir = self.manual_folder(dl_manager)
        subset = self._subset
        paths = resolve_files(subset, manual_dir, pathlib.Path(dl_manager.download_dir))
        return [read_file(paths[file.stem], file) for file in subset.files]
