"""PRONOSTIA's bearings that were run to failure as fdx records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import tensorflow_datasets as tfds

from fdx.data.builder import AnyRecording, VibrationBuilder, VibrationConfig
from fdx.data.collection.entry import Entry
from fdx.data.collection.snippets import examples_of_snippets
from fdx.data.left_out import LeftOut
from fdx.signal.front_ends import create_front_end, front_end_names, keeps_slow_part

from .files import CLASSES, PUBLISHED, RATE_HZ, SAMPLES, URL, entries

# Three windows of 1024 samples share the 2560 of a file.
HOP_S = 768 / RATE_HZ
# Subset -> number of sensors.
SUBSETS = {'lives': 1, 'lives_xy': 2}


def fitting_front_ends(axes: int) -> list[str]:
    """The front ends whose windows fit into a file of 0.1 s."""
    return [
        name
        for name in front_end_names(axes)
        if create_front_end(name, RATE_HZ).patch_samples(RATE_HZ) <= SAMPLES and not keeps_slow_part(name)
    ]


def _config(subset: str, front_end: str) -> VibrationConfig:
    sensors = 'The horizontal sensor' if SUBSETS[subset] == 1 else 'Both sensors'
    return VibrationConfig(
        name=f'{subset}-{front_end}',
        description=f'{sensors}, thirds of the lives of the bearings that are there. Front end {front_end}.',
        subset=subset,
        front_end=front_end,
        hop_s=HOP_S,
        guard_s=0.0,
    )


class Builder(VibrationBuilder):
    """Bearings run to failure on PRONOSTIA (FEMTO-ST, IEEE PHM 2012): 0.1 s every 10 s, 25.6 kHz.

    Only the life of each bearing is known, not what failed. The label is the third of the life that a file lies in:
    first_third, second_third and last_third. It is no fault and no state that anybody inspected: a bearing of the
    second third may be as good as new, and the end of a life may be minutes. It is a task for trends and novelty, and a
    test of what a network reads from age.

    A recording is one third of one bearing's life: its files of 0.1 s one after the other, with time missing between
    them, and no window reaches from one file into the next. `domain` is the bearing with its speed and force, so that
    by_domain tests on bearings never seen; `load` is the force in N. Bearings whose folders are there are taken, with
    the files that are there; the metadata say how many. A file holds three turns of the shaft, so that no front end of
    fault orders fits, nor any of longer windows than 0.1 s.

    Licence: as the data challenge offered the data for download; a licence was not seen. They are not part of fdx.
    """

    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'First release.'}
    BUILDER_CONFIGS = [_config(s, f) for s, axes in SUBSETS.items() for f in fitting_front_ends(axes)]
    MANUAL_DOWNLOAD_INSTRUCTIONS = f'Learning_set/ and Full_Test_Set/ of {URL}, or some of their folders BearingN_M/.'

    _entries: Sequence[Entry] = ()

    def citation(self) -> str:
        """The paper of the test bench."""
        return (
            '@inproceedings{nectoux2012pronostia, author={Nectoux, Patrick and Gouriveau, Rafael and Medjaher, Kamal '
            'and Ramasso, Emmanuel and Morello, Brigitte and Zerhouni, Noureddine and Varnier, Christophe}, '
            'title={PRONOSTIA: An Experimental Platform for Bearings Accelerated Life Test}, booktitle={IEEE '
            'International Conference on Prognostics and Health Management}, year={2012}}'
        )

    def class_names(self) -> Sequence[str]:
        """Thirds of the life, in their order."""
        return CLASSES

    def fault_types(self) -> Sequence[str]:
        """The same, since no fault is known."""
        return CLASSES

    def channels(self) -> int:
        """1, or 2 for `lives_xy`."""
        return SUBSETS[self.builder_config.subset]

    def unit(self) -> str:
        """Multiples of the acceleration of gravity."""
        return 'g'

    def common_rate_hz(self) -> float:
        """25.6 kHz."""
        return RATE_HZ

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> Iterable[AnyRecording]:
        """The files of each third of each life, read end to end."""
        self._entries = entries(self.manual_folder(dl_manager), self.channels())
        self.info.metadata['files'] = {entry.recording: len(entry.files) for entry in self._entries}
        return (PUBLISHED.read(entry) for entry in self._entries)

    def _examples(self, recordings: Iterable[AnyRecording], left_out: LeftOut) -> Iterator[tuple[str, dict]]:
        """File by file instead of the joined `recordings`, so that no filter reaches from one file into the next."""
        del recordings
        for entry in self._entries:
            yield from examples_of_snippets(entry, PUBLISHED.shared, self.record_spec(), left_out, PUBLISHED.read)
