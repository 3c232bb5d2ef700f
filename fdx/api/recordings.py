"""Raw files and front ends."""

from __future__ import annotations

import os
from collections.abc import Sequence

from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.format import TextFormat
from fdx.predict.source import read_source
from fdx.signal.front_ends import create_front_end
from fdx.signal.patch import FrontEnd
from fdx.types import BearingGeometry, ConfigError, Recording


def read(
    path: str | os.PathLike,
    *,
    sample_rate_hz: float | None = None,
    variable: str | None = None,
    channel: int | str | Sequence[int | str] | None = None,
    text_format: TextFormat | None = None,
    binary_format: BinaryFormat | None = None,
    speed_rpm: float | str | None = None,
    bearing: BearingGeometry | str | None = None,
    speed_range_rpm: tuple[float, float] | None = None,
) -> Recording:
    """Reads one recording from a file of a known format (fdx.data.raw.files.read_raw_file lists them).

        recording = fdx.read('105.mat', sample_rate_hz=12000)
        recording = fdx.read('pump.csv', channel='acc_x', speed_rpm='estimate', bearing='skf_6205')
        recording.samples.shape, recording.duration_s

    Args:
      path: the file; its suffix tells the format.
      sample_rate_hz: sampling rate; wins over the file's own, with a note and a logged warning where they differ.
      variable: name of the signal in a .mat file, path in an HDF5 file, group in a TDMS file.
      channel: index from 0 or name of the channel to keep, or several in the wanted order; None keeps all.
      text_format: how a text file is written (`fdx.TextFormat`), where it cannot tell by itself.
      binary_format: how a file without header is written (`fdx.BinaryFormat`).
      speed_rpm: speed of the shaft; wins over the file's own; 'estimate' reads it from the first channel.
      bearing: a known name such as 'skf_6205', `fdx.BearingGeometry`, or text that describes it
        ('pitch_diameter_mm=39.04,ball_diameter_mm=7.94,num_balls=9').
      speed_range_rpm: (lowest, highest) speed that an estimate can have.

    Returns:
      The recording: samples float32 [T, C] in the file's own unit, at `sample_rate_hz`. `notes` says what was noticed.

    Raises:
      ConfigError: an option that cannot be used.
      DataError: the file is missing, damaged or of another format, or does not settle its signal, channel or rate.
    """
    if isinstance(path, Recording):
        raise ConfigError('`path`: a Recording is read already; hand over the path of a file')
    return read_source(
        path,
        sample_rate_hz=sample_rate_hz,
        variable=variable,
        channel=channel,
        text_format=text_format,
        binary_format=binary_format,
        speed_rpm=speed_rpm,
        bearing=bearing,
        speed_range_rpm=speed_range_rpm,
    )


def front_end(name: str, rate_hz: float | None = None) -> FrontEnd:
    """A front end by name: it turns one window of samples into the image that a network sees.

        make_image = fdx.front_end('vggish')
        window = recording.samples[: make_image.patch_samples(recording.sample_rate_hz)]
        image = make_image(window, recording.sample_rate_hz)                  # float32 [96, 64, 1]

    Args:
      name: e.g. vggish, musicnn, multi_resolution_mel, fault_orders; the error for an unknown name lists all.
      rate_hz: sampling rate of the recordings, for front ends whose picture depends on it.

    Returns:
      The front end. `output_shape(channels)` tells the shape of its images.

    Raises:
      ConfigError: an unknown name, or no rate for a front end that needs one.
    """
    return create_front_end(name, rate_hz)
