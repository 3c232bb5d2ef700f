"""A user's own recordings as fdx records: a folder per class, a manifest, or file names that follow a pattern."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence

import tensorflow_datasets as tfds

from fdx.data.builder import AnyRecording, VibrationBuilder, VibrationConfig
from fdx.data.collection.own import FORMAT, OwnRecordings, Surveyed, look_at
from fdx.data.collection.reading import examples_of_all, read, sized_entries
from fdx.data.collection.spec import CollectionSpec
from fdx.data.left_out import LeftOut


@dataclasses.dataclass(kw_only=True)
class RecordingsConfig(VibrationConfig):
    """The config of a user's dataset.

    Attributes:
      recordings: where the recordings lie and what is known about them (CollectionSpec.to_json).
      looked_at: the same recordings, if their files have been looked at already.
      workers: processes that make records (fdx.data.collection.reading); the dataset does not depend on it.
    """

    recordings: str = ''
    looked_at: Surveyed | None = dataclasses.field(default=None, compare=False, repr=False)
    workers: int | None = dataclasses.field(default=None, compare=False, repr=False)


class Builder(VibrationBuilder):
    """Recordings of the user's own machines.

    `fdx.prepare('recordings/NAME', recordings=FOLDER_OR_MANIFEST)`, or any program with `--dataset=recordings/NAME
    --recordings=FOLDER_OR_MANIFEST`. The last number of the version counts the contents that NAME has had: when files
    or manifest change, the next preparation makes a new version, and the metadata hold the hash of each. The domain is
    what the manifest says, else the machine, else the operating condition. Where the manifest does not name the
    physical bearing, all recordings of one class and machine count as one bearing.
    """

    VERSION = tfds.core.Version(f'{FORMAT}.0')
    RELEASE_NOTES = {FORMAT: 'First release; the last number counts contents.'}
    BUILDER_CONFIGS: list[RecordingsConfig] = []
    builder_config_cls = RecordingsConfig

    @functools.cached_property
    def looked_at(self) -> Surveyed:
        """The config's recordings and the facts of their files."""
        config = self.builder_config
        if config.looked_at is not None:
            return config.looked_at
        own = OwnRecordings(
            CollectionSpec.from_json(config.recordings), config.window_s, config.hop_s, config.match_level
        )
        return look_at(own)

    def class_names(self) -> Sequence[str]:
        """The classes that the user named."""
        return self.looked_at.collection.labels()

    def fault_types(self) -> Sequence[str]:
        """The fault types behind them."""
        return self.looked_at.collection.fault_types()

    def common_rate_hz(self) -> float:
        """The lowest rate among the files."""
        return self.looked_at.survey.common_rate_hz

    def channels(self) -> int:
        """Channels of every recording."""
        return self.looked_at.survey.channels

    def channel_names(self) -> Sequence[str]:
        """Their names, where all files agree."""
        return self.looked_at.survey.channel_names

    def unit(self) -> str:
        """The unit that all files state; '' where they differ, or where windows are brought to one level."""
        return '' if self.builder_config.match_level else self.looked_at.survey.unit

    def more_metadata(self) -> dict:
        """What the dataset was made of."""
        found, entries = self.looked_at, self.looked_at.collection.entries
        return {
            'source': str(found.collection.source),
            'recordings': found.own.spec.to_json(),
            'content_sha256': found.sha256,
            'findings': list(found.own.findings),
            'machines': {e.recording: e.machine for e in entries if e.machine},
            'given_splits': {e.recording: e.split for e in entries if e.split},
        }

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> Iterable[AnyRecording]:
        """Reads one file after the other."""
        del dl_manager
        shared = self.looked_at.collection.shared
        return (read(of, shared) for of in sized_entries(self.looked_at))

    def _examples(self, recordings: Iterable[AnyRecording], left_out: LeftOut) -> Iterator[tuple[str, dict]]:
        """The entries are read again instead of `recordings`, because only their names can be sent to processes."""
        del recordings
        entries, shared = sized_entries(self.looked_at), self.looked_at.collection.shared
        return examples_of_all(entries, shared, self.record_spec(), left_out, self.builder_config.workers)
