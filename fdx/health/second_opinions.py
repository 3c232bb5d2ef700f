"""What is said beside a score: whether the sensor is at fault, and the verdict of the universal judge."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from fdx.health.sensor_facts import SensorFacts
from fdx.health.sensor_fault import sensor_fault
from fdx.signal.fault_orders import MIN_TURNS
from fdx.types import BearingGeometry, FdxError, Recording


def sensor_words(recording: Recording, healthy: Sequence[Sequence[SensorFacts]]) -> str:
    """What is wrong with the sensor, one sentence; '' where it works as far as one can tell.

    Args:
      recording: as it was read.
      healthy: facts of healthy recordings of the same sensor.
    """
    try:
        found = sensor_fault(recording, healthy)
    except FdxError:
        return ''
    return '' if found is None else f'{found.kind}: {found.words}'


def facts_of(said: Sequence[Sequence[dict[str, Any]]]) -> list[list[SensorFacts]]:
    """Facts as a baseline keeps them in JSON, which has no NaN."""
    return [[_facts(one) for one in facts] for facts in said]


def _facts(said: dict[str, Any]) -> SensorFacts:
    """Facts of JSON, which has no NaN."""
    known: dict[str, Any] = {name: math.nan if value is None else value for name, value in said.items()}
    bands = tuple(math.nan if value is None else float(value) for value in said['bands_db'])
    return SensorFacts(**{**known, 'bands_db': bands})


def judge_verdict(recording: Recording, geometry: BearingGeometry | None, channel: int) -> dict[str, Any] | None:
    """What the universal judge says of one channel, JSON-able; None where speed or bearing are not known.

    Returns:
      {'state': name or None, 'probability': of that state, 'reason': why there is none, 'channel': name}.
    """
    if geometry is None or not math.isfinite(recording.speed_rpm):
        return None
    # It loads JAX, which takes a second that a machine in good order does not need.
    from fdx.predict.zero_shot import diagnose_zero_shot  # noqa: PLC0415

    names = recording.channel_names or tuple(map(str, range(recording.samples.shape[1])))
    turns = recording.duration_s * recording.speed_rpm / 60
    if turns < MIN_TURNS:
        why = f'the recording holds {turns:.3g} turns of the shaft; the judge needs at least {MIN_TURNS:g}'
        return {'state': None, 'probability': None, 'reason': why, 'channel': names[channel]}
    one = dataclasses.replace(
        recording, samples=recording.samples[:, channel : channel + 1], geometry=geometry, channel_names=()
    )
    try:
        found = diagnose_zero_shot(one)
    except FdxError as e:
        return {'state': None, 'probability': None, 'reason': str(e), 'channel': names[channel]}
    probability = None if found.state is None else (found.probabilities or {}).get(found.state)
    return {
        'state': found.state,
        'probability': probability,
        'reason': found.why or found.reason or '',
        'channel': names[channel],
    }
