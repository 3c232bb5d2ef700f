"""HIT-SM's bearing recordings of two test rigs as fdx records."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.signal.front_ends import front_end_names, reads_orders
from fdx.types import Recording

from .files import CLASSES, RATE_HZ, URL, entries, rigs_of

logger = logging.getLogger(__name__)

HOP_S = 0.1
# Five windows of 0.975 s and four guards of 0.05 s fit into the 5.12 s of a recording; of 0.1 s they would not.
GUARD_S = 0.05
# Ten turns of the shaft at 600 rpm, which fault orders need.
ORDERS_WINDOW_S = 1.0
# Subset -> whether every window is divided by its own level.
SUBSETS = {'all': False, 'all_matched': True}


def _config(subset: str, front_end: str) -> VibrationConfig:
    level = ', each window divided by its own level' if SUBSETS[subset] else ''
    return VibrationConfig(
        name=f'{subset}-{front_end}',
        description=f'Three classes of the rigs that are there{level}. Front end {front_end}.',
        subset=subset,
        front_end=front_end,
        hop_s=HOP_S,
        guard_s=GUARD_S,
        window_s=ORDERS_WINDOW_S if reads_orders(front_end) else None,
        match_level=SUBSETS[subset],
    )


def needing_geometry() -> list[str]:
    """Front ends that read the orders of a known bearing."""
    return [name for name in front_end_names(channels=1) if name.startswith('fault_orders')]


class Builder(VibrationBuilder):
    """HIT-SM bearing data: healthy bearings and faults of both races, two test rigs, three speeds, 51.2 kHz.

    Each rig has 21 recordings: healthy, and faults of the inner and of the outer race over 2, 5 and 8 degrees of the
    race (in `bearing`), at 600, 900 and 1200 rpm; `domain` is the rig with the speed, e.g. mfs_600rpm. A rig whose
    folder is there must be complete; the other may be missing. The metadata name the rigs. The bearing of
    self_built is not stated, so that it has no part in configs of fault orders.

    The levels of the recordings cannot be compared: on the rig mfs the healthy ones have a standard deviation of 0.0003
    and the faulty ones 0.02 to 0.11, because volts and g are mixed. Whatever reads the level learns the unit. The front
    ends whose scaling is `peak` or `rms` do not read it; `all_matched` divides each window by its own level.

    Time blocks fit the windows of all front ends but those of fault orders, which need 1 s at 600 rpm.

    Licence: the README says that anyone may use the data for classifying faults. They are not part of fdx.
    """

    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'First release.'}
    BUILDER_CONFIGS = [_config(s, f) for s in SUBSETS for f in front_end_names(channels=1)]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f'The folders "SpectraQuest MFS dataset" (also as hit_mfs/) and "Self-built dataset" (also as hit_self_built/) '
        f'of {URL}.'
    )

    def citation(self) -> str:
        """The paper that the recordings were made for."""
        return (
            '@misc{hitsm, title={Multisource cross-domain fault diagnosis of rolling bearing based on subdomain '
            'adaptation network}, note={HIT-SM bearing datasets, Harbin Institute of Technology}}'
        )

    def class_names(self) -> Sequence[str]:
        """Healthy and two races."""
        return CLASSES

    def fault_types(self) -> Sequence[str]:
        """The labels, since they are not finer."""
        return CLASSES

    def common_rate_hz(self) -> float:
        """51.2 kHz."""
        return RATE_HZ

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> Iterable[Recording]:
        """Reads the rigs of `manual_dir`, one file after the other."""
        rigs = rigs_of(self.manual_folder(dl_manager))
        if self.builder_config.front_end in needing_geometry():
            for rig, _ in rigs:
                if not rig.geometry:
                    logger.warning('the bearing of rig %s is not known: it is left out of fault orders', rig.name)
            # Where no rig is left, the front end says what is missing.
            rigs = [(rig, folder) for rig, folder in rigs if rig.geometry] or rigs
        self.info.metadata['rigs'] = [rig.name for rig, _ in rigs]
        return (rig.published.read(entry) for rig, folder in rigs for entry in entries(rig, folder))
