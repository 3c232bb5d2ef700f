"""The one face of everything that has been trained: a checkpoint of fdx, or a file exported from one."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.data.pipeline import Examples
from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.text import TextFormat
from fdx.predict.diagnose import diagnose_recording
from fdx.predict.result import Result
from fdx.predict.source import given, read_source
from fdx.predict.tables import diagnose_table
from fdx.signal.bearings import BearingGeometry
from fdx.signal.front_ends import ORDERS, front_end_from_config
from fdx.signal.patch import FrontEnd
from fdx.signal.readings import TABLE_AXES, ReadingsInput
from fdx.signal.scaling import Gain
from fdx.train.config import TrainConfig
from fdx.types import ConfigError, DataError, Recording

# What only front ends that read orders look at.
OF_ORDERS = ('bearing', 'speed_rpm')
# A probability closer to 0 or 1 is rounding.
CLOSEST = 1e-7


class AnyPredictor:
    """A trained network with its front end, gain and class names. Backends say how it is run.

    Attributes:
      workdir: the run, or the exported file.
      step: the step that was loaded.
      meta: what the checkpoint says about itself.
      config: the run's TrainConfig.
      class_names: K names.
      front_end: makes the network's input.
      gain: what is left to scale (fdx.signal.scaling): 1, or nothing, where there is none or it is inside the model.
      threshold: of two classes, the probability of the second from which on it is called; None: the more probable wins.
      temperature: what logits are divided by before they become probabilities.
      has_features: whether `features` gives what the network holds inside.
    """

    has_features = False
    workdir: pathlib.Path
    step: int
    meta: dict
    config: TrainConfig
    class_names: list[str]
    front_end: FrontEnd | ReadingsInput
    gain: Gain
    threshold: float | None
    temperature: float

    def _read_meta(self, meta: dict) -> None:
        """Sets what follows from the checkpoint's own description."""
        self.meta = meta
        self.config = TrainConfig.from_json(meta['config'])
        self.class_names = meta['class_names']
        self.front_end = front_end_from_config(meta['front_end'])
        self.threshold = meta.get('threshold')
        self.temperature = float(meta.get('temperature', 1.0))

    @property
    def of_tables(self) -> bool:
        """Whether it takes rows of a table, and no recordings."""
        return self.front_end.axes == TABLE_AXES

    @property
    def of_orders(self) -> bool:
        """Whether its front end reads orders, for which the speed of the shaft has to be known."""
        return self.front_end.name in ORDERS

    def probabilities(self, examples: Examples, what: str = 'predict') -> np.ndarray:
        """Probabilities of examples that `gain` was applied to, float32 [N, K].

        Args:
          examples: N of them.
          what: text for the progress bar.

        Returns:
          NaN in a whole row where an input or the network's answer is not finite.
        """
        raise NotImplementedError

    def log_odds(self, examples: Examples, which: int) -> np.ndarray:
        """log(p / (1 - p)) of class `which` for examples that `gain` was applied to, float64 [N].

        From probabilities it ends at about 16 in size, where float32 no longer tells 1 from p.
        """
        p = np.clip(self.probabilities(examples)[:, which].astype(np.float64), CLOSEST, 1 - CLOSEST)
        return np.log(p) - np.log1p(-p)

    def features(self, examples: Examples, name: str = 'embedding') -> np.ndarray:
        """A named feature of the network, [N, ...]; only a predictor with `has_features` gives any."""
        raise NotImplementedError

    def patch_probabilities(self, patches: np.ndarray) -> np.ndarray:
        """Probabilities of patches [N, ...] that the front end made (`gain` is applied here); rows may be NaN."""
        raise NotImplementedError

    def diagnose(
        self,
        source: Recording | np.ndarray | str | os.PathLike,
        *,
        sample_rate_hz: float | None = None,
        variable: str | None = None,
        channel: int | str | Sequence[int | str] | None = None,
        text_format: TextFormat | None = None,
        binary_format: BinaryFormat | None = None,
        hop_s: float | None = None,
        speed_rpm: float | str | None = None,
        bearing: BearingGeometry | str | None = None,
        speed_range_rpm: tuple[float, float] | None = None,
        abstain: bool = True,
    ) -> Result:
        """Diagnoses a recording, or a table where the run was trained on one.

        Args:
          source: a Recording, samples [T] or [T, C] with `sample_rate_hz`, or the path of a file: .mat,
            .csv/.tsv/.txt, .npy, .wav; of a table a .csv with its columns, for which all other options are left out.
          sample_rate_hz: of files that do not tell; it wins, with a warning, over theirs.
          variable: of a .mat file.
          channel: the channels that the model takes, in its order, where the file holds others besides.
          text_format: how a text file is written, where it cannot tell by itself.
          binary_format: how a file without header is written.
          hop_s: seconds between windows; None: they do not overlap.
          speed_rpm: of the shaft, for front ends that read orders; wins over the file's own; 'estimate' reads it from
            the signal.
          bearing: a name of fdx.signal.bearings.BEARINGS, its geometry, or text that describes it; likewise.
          speed_range_rpm: (lowest, highest) of an estimate.
          abstain: whether windows that are unlike anything in training have no vote, so that a recording with too few
            others has no verdict; False gives the network's answer with a warning. Tables have no such windows.

        Raises:
          ConfigError: an option that this model does not read, or that cannot be used.
          DataError: a file or recording that cannot be diagnosed.
        """
        options: dict[str, Any] = {
            'sample_rate_hz': sample_rate_hz,
            'variable': variable,
            'channel': channel,
            'text_format': text_format,
            'binary_format': binary_format,
            'speed_rpm': speed_rpm,
            'bearing': bearing,
            'speed_range_rpm': speed_range_rpm,
        }
        self.check_options(given({**options, 'hop_s': hop_s}))
        if self.of_tables:
            if isinstance(source, Recording | np.ndarray):
                raise DataError('the model reads tables, not recordings: give the path of a CSV file of its columns')
            return diagnose_table(self, source)
        recording = read_source(source, **options)
        return diagnose_recording(self, recording, hop_s=hop_s, by_position=channel is not None, abstain=abstain)

    def check_options(self, names: Sequence[str]) -> None:
        """Refuses options of `diagnose` that this model does not read.

        Args:
          names: of the options that are given.

        Raises:
          ConfigError: names them.
        """
        if self.of_tables:
            if names:
                unread = ', '.join(f'`{name}`' for name in names)
                raise ConfigError(f'{unread}: the model reads tables, which have no signal; leave it out')
            return
        unread = ' and '.join(f'`{name}`' for name in OF_ORDERS if name in names)
        if unread and not self.of_orders:
            raise ConfigError(f'{unread}: the run has front end {self.front_end.name}, which reads none: leave it out')
