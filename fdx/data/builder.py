"""The base of fdx's TFDS builders: a dataset is a list of recordings, a common rate and class names."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import logging
import pathlib
from collections.abc import Iterable, Iterator, Sequence

import tensorflow_datasets as tfds
import threadpoolctl

from fdx.data.blocks import DEFAULT_GUARD_S, NO_BLOCK, NUM_BLOCKS, Windowing, fold_blocks
from fdx.data.left_out import LeftOut, warnings_kept_back
from fdx.data.local_info import LocalInfo
from fdx.data.long_recording import LongRecording, make_long_records
from fdx.data.one_pass import OnePass
from fdx.data.prepared import RecordSpec
from fdx.data.records import make_records, record_features
from fdx.data.shards import written_in_order
from fdx.signal.front_ends import create_front_end, keeps_slow_part
from fdx.signal.slow_part import SLOW_HZ
from fdx.types import DataError, Recording

logger = logging.getLogger(__name__)

# Loggers of what is noticed about samples.
CHECKS = ('fdx.signal.checks', 'fdx.signal.usable')
AnyRecording = Recording | LongRecording
ALL_BLOCKS = (*range(NUM_BLOCKS), NO_BLOCK)


@dataclasses.dataclass(kw_only=True)
class VibrationConfig(tfds.core.BuilderConfig):
    """A dataset config: which recordings, which front end, how windows are cut.

    Attributes:
      subset: which recordings, in the builder's own words.
      front_end: name of the front end.
      hop_s: seconds between windows of a block; None: windows do not overlap.
      window_s: seconds of a window; None: just one patch of the front end.
      guard_s: seconds between blocks that belong to no window.
      with_waveform: whether records keep the waveform.
      match_level: whether every window is divided by its own level (fdx.data.prepared.RecordSpec).
    """

    subset: str = ''
    front_end: str = 'vggish'
    hop_s: float | None = None
    window_s: float | None = None
    guard_s: float = DEFAULT_GUARD_S
    with_waveform: bool = True
    match_level: bool = False


class VibrationBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Base of the builders: subclasses give recordings, class names and the common rate of a config.

    Splits are fold 0 of the protocol time_blocks (law 2). Windows of recordings too short for their blocks have
    block -1 and lie in the train split; the protocol time_blocks refuses them by name when a run asks for it. Where
    all are too short, the other splits are left out.
    Shards are array_record unless said otherwise: they can be read without TensorFlow, in any order.
    """

    def __init__(self, *, file_format: str | None = 'array_record', **kwargs):
        super().__init__(file_format=file_format or 'array_record', **kwargs)

    def download_and_prepare(self, **kwargs) -> None:
        """As TFDS's, with bounded memory."""
        with written_in_order():
            super().download_and_prepare(**kwargs)

    @abc.abstractmethod
    def class_names(self) -> Sequence[str]:
        """Names of the labels, in the order of their numbers."""

    @abc.abstractmethod
    def fault_types(self) -> Sequence[str]:
        """Names of the coarse classes, in the order of their numbers."""

    @abc.abstractmethod
    def common_rate_hz(self) -> float:
        """The lowest rate among the config's recordings."""

    @abc.abstractmethod
    def recordings(self, dl_manager: tfds.download.DownloadManager) -> Iterable[AnyRecording]:
        """The config's recordings, the same ones in the same order at every iteration."""

    @staticmethod
    def manual_folder(dl_manager: tfds.download.DownloadManager) -> pathlib.Path | None:
        """The folder of recordings that the user named, or None."""
        try:
            return pathlib.Path(dl_manager.manual_dir)
        except AssertionError as e:  # TFDS raises it if the folder was not given, does not exist or is empty.
            logger.info('no recordings by hand: %s', e)
            return None

    def channels(self) -> int:
        """Channels of the recordings; subclasses with several override it."""
        return 1

    def channel_names(self) -> Sequence[str]:
        """Names of the channels, in their order; prediction selects a file's channels by them. () if unnamed."""
        return ()

    def unit(self) -> str:
        """Unit of the samples, '' where it is unknown."""
        return ''

    def more_metadata(self) -> dict:
        """Entries of the metadata beside those of every dataset; JSON-able."""
        return {}

    def description(self) -> str:
        """A description of the dataset, for its info page."""
        return (type(self).__doc__ or '').strip()

    def citation(self) -> str:
        """BibTeX of what to cite."""
        return ''

    def record_spec(self) -> RecordSpec:
        """How this config's recordings become records."""
        config, rate = self.builder_config, self.common_rate_hz()
        front_end = create_front_end(config.front_end, rate)
        window = front_end.patch_samples(rate) if config.window_s is None else round(config.window_s * rate)
        hop = window if config.hop_s is None else round(config.hop_s * rate)
        windowing = Windowing(window, hop, round(config.guard_s * rate))
        slow_hz = 0.0 if keeps_slow_part(config.front_end) else SLOW_HZ
        return RecordSpec(
            front_end, rate, windowing, config.with_waveform, self.channels(), slow_hz, config.match_level
        )

    def _info(self) -> tfds.core.DatasetInfo:
        spec = self.record_spec()
        metadata = {
            'front_end': spec.front_end.config(),
            'common_rate_hz': spec.common_rate_hz,
            'channels': spec.channels,
            'channel_names': list(self.channel_names()),
            'unit': self.unit(),
            'removed_below_hz': spec.removed_below_hz,
            **({'match_level': True} if spec.match_level else {}),
            **self.more_metadata(),
            **LeftOut().metadata(),
            **dataclasses.asdict(spec.windowing),
        }
        return LocalInfo(
            builder=self,
            description=self.description(),
            features=record_features(spec, self.class_names(), self.fault_types()),
            metadata=tfds.core.MetadataDict(metadata),
            citation=self.citation(),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        splits: dict[int, str] = {}
        for split, blocks in fold_blocks(0).items():
            splits.update(dict.fromkeys(blocks, split))
        splits[NO_BLOCK] = 'train'
        examples = self._generate_examples(self.recordings(dl_manager))
        # What waits lies beside the dataset, whose disk has room, and not in a system's folder that may be in memory.
        folder = self.data_dir if pathlib.Path(self.data_dir).is_dir() else None
        owned = ((splits[example['block']], (key, example)) for key, example in examples)
        dealt = OnePass(owned, fold_blocks(0), folder)
        return {split: dealt.items(split) for split in fold_blocks(0) if dealt.has(split)}

    def _generate_examples(self, recordings: Iterable[AnyRecording]) -> Iterator[tuple[str, dict]]:
        """All records, recording by recording, as (key, example)."""
        left_out, count = LeftOut(), 0
        with one_blas_thread(), warnings_kept_back(*CHECKS):
            for item in self._examples(recordings, left_out):
                yield item
                count += 1
        if not count:
            noticed = '; '.join(left_out.sentences()) or 'there are no recordings'
            raise DataError(f'no window can be used ({noticed}); choose shorter windows, or look at the recordings')
        for sentence in left_out.sentences():
            logger.warning(sentence)
        # TFDS writes the metadata after the last split, so they can still change here.
        self.info.metadata.update(left_out.metadata())

    def _examples(self, recordings: Iterable[AnyRecording], left_out: LeftOut) -> Iterator[tuple[str, dict]]:
        """The records of all recordings; what is noticed goes to `left_out`. Subclasses may use several processes."""
        spec, seen = self.record_spec(), set()
        for recording in recordings:
            if recording.recording in seen:
                raise DataError(
                    f'{recording.source}: a second recording has the id {recording.recording}; make it unique'
                )
            seen.add(recording.recording)
            yield from examples_of(recording, spec, left_out)


def examples_of(
    recording: Recording | LongRecording, spec: RecordSpec, left_out: LeftOut
) -> Iterator[tuple[str, dict]]:
    """The records of a recording with those of all blocks, as (key, example)."""
    if isinstance(recording, LongRecording):
        records = make_long_records(recording, spec, ALL_BLOCKS, left_out)
    else:
        records = make_records(recording, spec, ALL_BLOCKS, left_out)
    for i, (key, example) in enumerate(records):
        if i == 0 and example['block'] == NO_BLOCK:
            left_out.short(recording.recording, recording.duration_s)
        yield key, example


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Small matrix products on one thread: further threads only wait for each other, at three times the work."""
    with threadpoolctl.threadpool_limits(1, 'blas'):
        yield
