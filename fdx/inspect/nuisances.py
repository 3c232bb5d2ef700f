"""Nuisances: what tells recordings apart although no fault changes it, or not so much."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence

import numpy as np

from fdx.inspect.dates import recording_dates
from fdx.inspect.facts import RecordingFacts

# What a network could notice: an offset in units of the median level, a relative difference of rates and durations.
BIAS_STEP, RATE_STEP, DURATION_STEP, EDGE_STEP, SPEED_STEP = 0.05, 1e-3, 0.02, 0.03, 0.03
# A step is seen where its noise reaches this share of the recording's own noise floor.
VISIBLE_STEP = 0.1


@dataclasses.dataclass(frozen=True)
class Nuisance:
    """One thing by which recordings could be told apart.

    Attributes:
      name: bias, level, rate, duration, step, noise_floor, band_edge, format, speed, load, order or date.
      words: what it is, as the subject of a sentence.
      values: float64 [N, D], on a scale on which distances mean something; rounded to what could be noticed.
      shown: N texts, what a person would read off each recording.
      physical: whether faults change it, too.
      remedy: what to do where it tells the classes apart.
    """

    name: str
    words: str
    values: np.ndarray
    shown: tuple[str, ...]
    physical: bool = False
    remedy: str = ''

    @property
    def varies(self) -> bool:
        """Whether any two recordings differ in it."""
        return bool(np.ptp(self.values, axis=0).max(initial=0.0) > 0)


def nuisances(facts: Sequence[RecordingFacts]) -> list[Nuisance]:
    """All nuisances of recordings that can be used, those that do not vary included.

    Args:
      facts: N recordings. Where their numbers of channels differ, the first channel counts.
    """
    channels = min(len(f.channels) for f in facts)

    def of_channels(get: Callable) -> np.ndarray:
        return np.array([[get(c) for c in f.channels[:channels]] for f in facts], np.float64)

    # What a recording is too short for counts as ordinary, so that it tells nothing.
    def known(values: np.ndarray) -> np.ndarray:
        usual = np.nanmedian(np.where(np.isfinite(values), values, np.nan), axis=0)
        return np.where(np.isfinite(values), values, np.nan_to_num(usual, nan=1.0))

    rms, bias = of_channels(lambda c: c.rms), of_channels(lambda c: c.bias)
    floor = known(of_channels(lambda c: c.noise_floor or np.nan))
    edge = of_channels(lambda c: c.band_edge_hz)
    rate = np.array([[f.sample_rate_hz] for f in facts])
    duration = np.array([[f.duration_s] for f in facts])
    offset = bias / np.median(rms, axis=0)
    return [
        Nuisance(
            'bias', 'the bias (mean value)', np.arcsinh(_rounded(offset, BIAS_STEP)), _texts(bias, ''),
            remedy='fdx removes it from every window (all front ends but triaxial_mel_paper); other programs should '
            'subtract the mean of every window',
        ),
        Nuisance(
            'rate', 'the sampling rate', _rounded(np.log(rate), RATE_STEP), _texts(rate, 'Hz'),
            remedy='check that the stated rates are right; fdx brings all recordings to the lowest rate and its band '
            'when it prepares them, other programs should resample first',
        ),
        Nuisance(
            'duration', 'the duration', _rounded(np.log(duration), DURATION_STEP), _texts(duration, 's'),
            remedy='fdx cuts all recordings into windows of one length, so that networks do not see it; record all '
            'classes for the same time, so that none has more weight',
        ),
        Nuisance(
            'step', 'the quantisation step', *_steps(facts, channels),
            remedy='save all recordings in one format with the same number of bits and decimals',
        ),
        Nuisance(
            'band_edge', 'the end of the spectrum', _rounded(np.log(edge), EDGE_STEP), _texts(edge, 'Hz'),
            remedy='some files were low-passed or resampled: record all with the same filter, or state the lowest '
            'common rate as `sample_rate_hz` of resampled copies',
        ),
        Nuisance(
            'format', 'the file format', *_formats(facts),
            remedy='save all recordings in one format, with the same channels',
        ),
        Nuisance(
            'level', 'the level (RMS)', np.log10(rms), _texts(rms, ''), physical=True,
            remedy='bring all files to one unit and gain; if that is not possible, `match_level` divides every window '
            'by its own level, and the front ends with scaling `peak` ignore it, too',
        ),
        Nuisance(
            'noise_floor', 'the noise floor', np.log10(floor), _texts(floor, ''),
            physical=True,
            remedy='record all classes with the same sensor, gain and converter; `match_level` helps where the gain '
            'alone differs',
        ),
        *_conditions(facts),
        *_in_order(facts),
    ]  # fmt: skip


def _rounded(values: np.ndarray, step: float) -> np.ndarray:
    return np.round(values / step) * step


def _texts(values: np.ndarray, unit: str) -> tuple[str, ...]:
    return tuple(
        '/'.join((f'{v:.6g}' if v >= 1e3 else f'{v:.3g}') for v in row) + (f' {unit}' if unit else '') for row in values
    )


def _steps(facts: Sequence[RecordingFacts], channels: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Steps relative to the noise floor, where they are seen: its noise is spread evenly up to half of the rate."""
    values, shown = np.zeros((len(facts), channels)), []
    for i, f in enumerate(facts):
        for j, c in enumerate(f.channels[:channels]):
            density = 0.0 if c.step is None else c.step / np.sqrt(6 * f.sample_rate_hz)
            share = density / c.noise_floor if c.noise_floor > 0 else 0.0
            values[i, j] = np.round(np.log10(share / VISIBLE_STEP), 1) if share > VISIBLE_STEP else 0.0
        first = f.channels[0].step
        shown.append('hidden by the noise' if not values[i].any() or first is None else f'{first:.3g}')
    return values, tuple(shown)


def _formats(facts: Sequence[RecordingFacts]) -> tuple[np.ndarray, tuple[str, ...]]:
    texts = [f'.{f.format} with {len(f.channels)} channel{"s" * (len(f.channels) > 1)}' for f in facts]
    kinds = sorted(set(texts))
    return np.array([[float(t == k) for k in kinds] for t in texts]), tuple(texts)


def _conditions(facts: Sequence[RecordingFacts]) -> list[Nuisance]:
    """Stated speed and load, where every recording has them: spectra show both."""
    found = []
    for name, words, values, unit in (
        ('speed', 'the stated speed', [f.speed_rpm for f in facts], 'rpm'),
        ('load', 'the stated load', [f.load for f in facts], ''),
    ):
        column = np.array(values)[:, None]
        if not np.isfinite(column).all():
            continue
        scale = np.log(np.maximum(column, 1.0)) if name == 'speed' else column
        remedy = 'record every class at the same speeds and loads'
        found.append(Nuisance(name, words, _rounded(scale, SPEED_STEP), _texts(column, unit), remedy=remedy))
    return found


def _in_order(facts: Sequence[RecordingFacts]) -> list[Nuisance]:
    """The order of numbered names, and the dates of the files, where either can be that of recording."""
    found = []
    remedy = (
        'if the classes were recorded one after another, what drifts meanwhile (temperature, mounting, wear) tells '
        'them, too: record them in mixed order, or each of them several times, mounted anew'
    )
    numbers = numbers_in_names([f.recording for f in facts])
    if numbers is not None:
        texts = tuple(str(int(n)) for n in numbers)
        found.append(Nuisance('order', 'the number in the file name', _ranks(numbers), texts, remedy=remedy))
    dates = recording_dates(facts)
    if dates is not None:
        values, shown = dates
        found.append(Nuisance('date', 'the date of the file', _ranks(values), shown, remedy=remedy))
    return found


def numbers_in_names(names: Sequence[str]) -> np.ndarray | None:
    """The one number of every name that is different in all of them: float64 [N], None where there is none."""
    rows = [re.findall(r'\d+', re.split(r'[/\\]', n)[-1].rpartition('.')[0] or n) for n in names]
    if not rows or len({len(r) for r in rows}) > 1:
        return None
    for column in zip(*rows):
        if len(set(map(int, column))) == len(names) and len(names) > 1:
            return np.array(column, np.float64)
    return None


def _ranks(values: np.ndarray) -> np.ndarray:
    order = np.unique(values, return_inverse=True)[1].astype(np.float64)
    return (order / max(order.max(), 1.0))[:, None]
