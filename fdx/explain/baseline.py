"""The input that stands for "nothing to see": attributions say what makes a window different from it."""

from __future__ import annotations

import numpy as np

from fdx.data.familiar import Familiar
from fdx.data.training_range import TrainingRange
from fdx.predict.predictor import AnyPredictor
from fdx.signal.bearings import BEARINGS
from fdx.signal.fault_orders import MIN_TURNS
from fdx.signal.patch import Condition
from fdx.signal.readings import reads_tables
from fdx.signal.scaling import as_gain
from fdx.signal.waveform import Waveform
from fdx.train.model_setup import input_shape_of
from fdx.types import ConfigError

NOISE_WINDOWS = 2

BASELINES = ('typical', 'noise', 'silence', 'zero')
WORDS = {
    'noise': 'what white noise gives: no order stands out',
    'typical': 'the mean spectrum of the windows that the run was trained on, the same at every time',
    'silence': 'a window in which nothing moves',
    'zero': 'zero',
}
ZERO_WORDS = {
    'orders': 'zero: every order is as strong as the median around it',
    'waveform': 'zero: nothing moves',
    'table': 'zero: every reading is at its mean over the training rows',
}


def baseline_input(predictor: AnyPredictor, kind: str = '') -> tuple[np.ndarray, str]:
    """The baseline of a run, made from its checkpoint alone.

    Args:
      predictor: of the run.
      kind: one of BASELINES; '' takes `noise` for inputs that read orders, `zero` for waveforms and standardised
        readings, where it has a meaning, else `typical`, and `silence` where the checkpoint keeps no spectra of its
        windows.

    Returns:
      (float32 of the shape of one input, what it is in words).

    Raises:
      ConfigError: a baseline that this kind of input does not have.
    """
    shape, front_end = input_shape_of(predictor.meta), predictor.front_end
    meaning, familiar = _meaning_of_zero(predictor), Familiar.from_json(predictor.meta.get('familiar'))
    orders, images = predictor.of_orders, not meaning
    there = {'typical': images and familiar.judges, 'noise': orders, 'silence': images, 'zero': True}
    if not kind:
        kind = 'noise' if orders else 'zero' if meaning else 'typical' if familiar.judges else 'silence'
    if not there.get(kind):
        has = ', '.join(name for name in BASELINES if there[name])
        raise ConfigError(f'`baseline`={kind}: inputs of front end {front_end.name} have {has}')
    if kind == 'typical':
        return _spread_out(familiar.mean, shape, front_end.axes), WORDS[kind]
    if kind == 'noise':
        return _of_noise(predictor), WORDS[kind]
    if kind == 'silence':
        data = predictor.meta['dataset']
        still = np.zeros((data['window_length'], data.get('channels', 1)), np.float32)
        image = front_end.with_gain(front_end(still, data['common_rate_hz']), as_gain(predictor.meta['gain']))
        return np.nan_to_num(image).astype(np.float32), WORDS[kind]
    return np.zeros(shape, np.float32), meaning or WORDS[kind]


def _of_noise(predictor: AnyPredictor) -> np.ndarray:
    """The mean image of orders of white noise, the same in every band: float32 of the shape of one input.

    The largest value of a cell is above the median around it without any fault. How far depends on the points per cell,
    and so on the length of a window and the speed; it hardly depends on the bearing, so that any will do.
    """
    data = predictor.meta['dataset']
    known = TrainingRange.from_json(predictor.meta.get('training')).speed_rpm
    length, rate = data['window_length'], data['common_rate_hz']
    slowest = 60 * MIN_TURNS * rate / length
    speed = max(float(np.mean(known)) if known else 0.0, 1.01 * slowest)
    rng = np.random.default_rng(0)
    noise = (rng.standard_normal((length, 1)).astype(np.float32) for _ in range(NOISE_WINDOWS))
    condition = Condition(speed, BEARINGS['skf_6205'])
    mean = np.mean([predictor.front_end(x, rate, condition) for x in noise], axis=0)
    # Bands, the first axis of such images, do not differ in noise; a spectrum of orders has no bands.
    of_bands = predictor.front_end.axes == 'FT'
    return np.broadcast_to(mean.mean(axis=0, keepdims=True) if of_bands else mean.mean(), mean.shape).astype(np.float32)


def _meaning_of_zero(predictor: AnyPredictor) -> str:
    front_end = predictor.front_end
    if reads_tables(front_end):
        return ZERO_WORDS['table']
    if predictor.of_orders:
        return ZERO_WORDS['orders']
    return ZERO_WORDS['waveform'] if isinstance(front_end, Waveform) else ''


def _spread_out(summary: np.ndarray, shape: tuple[int, ...], axes: str) -> np.ndarray:
    """A mean spectrum (fdx.data.summary) as an image that is the same at every time.

    Args:
      summary: float [bands * C], where a band may stand for several neighbours.
      shape: (T, F, C), or (F, T, C) for axes 'FT'.
      axes: of the front end.
    """
    bins, channels = shape[1 if axes == 'TF' else 0], shape[2]
    spectrum = np.asarray(summary).reshape(-1, channels)
    edges = np.linspace(0, bins, len(spectrum) + 1).astype(int)
    full = np.repeat(spectrum, np.diff(edges), axis=0)
    full = full[None] if axes == 'TF' else full[:, None]
    return np.broadcast_to(full, shape).astype(np.float32)
