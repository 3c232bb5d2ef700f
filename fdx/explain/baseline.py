"""The input that stands for "nothing to see": attributions say what makes a window different from it."""

from __future__ import annotations

import numpy as np

from fdx.data.familiar import Familiar
from fdx.predict.predictor import AnyPredictor
from fdx.signal.front_ends import reads_orders
from fdx.signal.readings import reads_tables
from fdx.signal.scaling import as_gain
from fdx.signal.waveform import Waveform
from fdx.train.model_setup import input_shape_of

BASELINES = ('typical', 'silence', 'zero')
WORDS = {
    'typical': 'the mean spectrum of the windows that the run was trained on, the same at every time',
    'silence': 'a window in which nothing moves',
    'zero': 'zero',
}
ZERO_WORDS = {
    'orders': 'zero: every order is as strong as its background',
    'waveform': 'zero: nothing moves',
    'table': 'zero: every reading is at its mean over the training rows',
}


def baseline_input(predictor: AnyPredictor, kind: str = '') -> tuple[np.ndarray, str]:
    """The baseline of a run, made from its checkpoint alone.

    Args:
      predictor: of the run.
      kind: one of BASELINES; '' takes `zero` where zero has a meaning (orders, waveforms, standardised readings),
        else `typical`, and `silence` where the checkpoint keeps no spectra of its windows.

    Returns:
      (float32 of the shape of one input, what it is in words).
    """
    shape, front_end = input_shape_of(predictor.meta), predictor.front_end
    meaning = _meaning_of_zero(predictor)
    familiar = Familiar.from_json(predictor.meta.get('familiar'))
    if not kind:
        kind = 'zero' if meaning else 'typical' if familiar.judges else 'silence'
    if kind == 'typical' and familiar.judges and not isinstance(front_end, Waveform):
        return _spread_out(familiar.mean, shape, front_end.axes), WORDS['typical']
    if kind == 'silence' and not meaning:
        rate = predictor.meta['dataset']['common_rate_hz']
        still = np.zeros((predictor.meta['dataset']['window_length'], predictor.meta['dataset'].get('channels', 1)))
        image = front_end.with_gain(front_end(still.astype(np.float32), rate), as_gain(predictor.meta['gain']))
        return np.nan_to_num(image).astype(np.float32), WORDS['silence']
    return np.zeros(shape, np.float32), meaning or WORDS['zero']


def _meaning_of_zero(predictor: AnyPredictor) -> str:
    front_end = predictor.front_end
    if reads_tables(front_end):
        return ZERO_WORDS['table']
    if reads_orders(front_end.name):
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
