"""The weights that the networks of the study start from, or why they cannot be had."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

from fdx.train.config import TrainConfig
from fdx.train.run import train
from fdx.types import WeightsError
from fdx.weights.published import PUBLISHED, fetch_published

from .grid import Call
from .study_models import Model
from .study_suite import RIG_A

AUTO, AUDIOSET, FROM_RIG = 'auto', 'audioset', 'rig_a'
# How VGGish is pretrained on another machine, as in launch.demo.
PRETRAINING = {'epochs': 4, 'dropout_rate': 0.0, 'learning_rate': 5e-5, 'halve_every': 0}
# Its embedding is used before the ReLU, because a short pretraining leaves many units dead after it.
LINEAR = {'head_input': 'embedding_linear'}


@dataclasses.dataclass(frozen=True)
class Weights:
    """Where a network starts.

    Attributes:
      init: of TrainConfig.
      origin: in a word or two, for rows.
      options: of the model that go with them.
      asked: what decides them beside their origin, JSON-able, for `grid.fill`.
    """

    init: str
    origin: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    asked: dict[str, Any] = dataclasses.field(default_factory=dict)


def weights_of(model: Model, call: Call, vggish_init: str, width: float) -> Weights:
    """The weights of a row, fetched or trained the first time.

    Args:
      model: the row.
      call: where runs and data are.
      vggish_init: auto (audioset where it can be had, else rig_a), audioset, rig_a, a file of weights, or the workdir
        of a run.
      width: `width_multiplier` of VGGish; 1 is the published network.

    Raises:
      WeightsError: published weights that cannot be had; the text says why.
      FdxError: pretraining fails.
    """
    narrow = {} if width == 1.0 or model.model != 'vggish' else {'width_multiplier': width}
    if model.init == 'random':
        return Weights('random', 'random', narrow)
    if model.init in PUBLISHED:
        fetch_published(model.init)
        return Weights(model.init, model.init, narrow)
    return _vggish(call, vggish_init, narrow)


def _vggish(call: Call, init: str, narrow: dict[str, Any]) -> Weights:
    if init in (AUTO, AUDIOSET):
        try:
            fetch_published(AUDIOSET)
        except WeightsError as e:
            if init == AUDIOSET:
                raise
            call.say(f'AudioSet weights of VGGish cannot be had, so VGGish learns from {RIG_A} first: {e}')
        else:
            return Weights(AUDIOSET, AUDIOSET, narrow)
    elif init != FROM_RIG:
        is_run = (pathlib.Path(init) / 'checkpoints').is_dir()
        return Weights(init, 'yours', {**narrow, **(LINEAR if is_run else {})}, {'init': init})
    return _from_rig_a(call, narrow)


def _from_rig_a(call: Call, narrow: dict[str, Any]) -> Weights:
    call.prepare(RIG_A)
    options = {**LINEAR, **narrow}
    epochs = PRETRAINING['epochs']
    config = TrainConfig(
        dataset=RIG_A, data_dir=call.data_dir, model='vggish', model_options=options, save_every=epochs, **PRETRAINING
    )
    workdir = call.root / 'pretrained' / FROM_RIG
    train(config, workdir, progress=call.progress, on_epoch=call.on_epoch)
    asked = {k: v for k, v in config.to_json().items() if k != 'data_dir'}
    return Weights(str(workdir), FROM_RIG, options, {'pretraining': asked})
