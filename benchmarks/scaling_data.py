"""A prepared dataset of noise, so that the benchmark of devices reads records as a training run does."""

from __future__ import annotations

import contextlib
import io
import pathlib

import numpy as np
import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.data.pipeline import RecordExamples
from fdx.data.source import open_dataset
from fdx.types import Recording

RATE_HZ = 16000.0
# Five time blocks, each a window of the longest front end, and the guards between them.
LENGTH_S = 5.6
RECORDINGS = 3


class ScalingNoise(VibrationBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Noise, one recording per class."""

    VERSION = tfds.core.Version('1.0.0')
    BUILDER_CONFIGS = [
        VibrationConfig(name=f'noise-{front_end}', front_end=front_end, with_waveform=False)
        for front_end in ('vggish', 'scalogram', 'waveform')
    ]

    def class_names(self) -> list[str]:
        """Numbers."""
        return [f'class_{i}' for i in range(RECORDINGS)]

    def fault_types(self) -> list[str]:
        """As the classes."""
        return self.class_names()

    def common_rate_hz(self) -> float:
        """That of all recordings."""
        return RATE_HZ

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> list[Recording]:
        """White noise."""
        del dl_manager
        rng, count = np.random.default_rng(0), round(LENGTH_S * RATE_HZ)
        return [
            Recording(rng.standard_normal((count, 1), np.float32), RATE_HZ, name, name, name, name, 'none')
            for name in self.class_names()
        ]


def noise_examples(front_end: str, folder: pathlib.Path, count: int) -> RecordExamples:
    """`count` examples of a front end from records in `folder`, written on first use; records repeat."""
    builder = ScalingNoise(data_dir=folder, config=f'noise-{front_end}')
    tfds.disable_progress_bar()
    with contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare()
    dataset = open_dataset(f'{builder.info.name}/noise-{front_end}', folder)
    return RecordExamples(dataset, np.arange(count) % len(dataset), 'label')
