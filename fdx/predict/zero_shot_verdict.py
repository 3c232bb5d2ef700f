"""The verdict of `zero_shot`: what the judge says, and what is asked again before it is believed.

A sound machine must not be called faulty for lines of its other parts, and no verdict may depend on a speed that the
recording does not settle.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.predict.evidence_of import Knowledge, views_of
from fdx.predict.speed_doubt import rival_speed
from fdx.predict.universal.judge import NORMAL, Judge, Opinion
from fdx.predict.universal.verdict import Called, call
from fdx.signal.control_orders import FAULTS
from fdx.signal.evidence_image import evidence_image
from fdx.signal.fault_evidence import FaultEvidence
from fdx.signal.other_lines import lines_seen, without_other_lines
from fdx.types import Recording

# A doubt ends with "normal" only if the second look sees so many of the six lines of the suspected fault: in a short
# recording, lines are so wide that most of a fault's are left out with those of other parts.
LINES_TO_ACQUIT = 5


def called_by(judge: Judge, opinion: Opinion, abstain: bool) -> Called:
    """The verdict by probabilities, and by how much the recording resembles the machines of training."""
    if not abstain:
        return Called(judge.states[int(opinion.probabilities.argmax())])
    if opinion.distance > 1:
        return Called(
            None, f'cannot tell: unlike any simulated machine (its distance is {opinion.distance:.2f} of the limit)'
        )
    return call(judge.states, opinion.probabilities)


def without_lines_of_others(
    called: Called, opinion: Opinion, evidence: FaultEvidence, judge: Judge, bias: np.ndarray
) -> tuple[Called, Opinion]:
    """A second look where a machine was not called sound: whole orders of its shaft and the mains are no evidence.

    Returns:
      The verdict, and the opinion that it follows from.
    """
    if called.state == NORMAL or opinion.distance > 1:
        return called, opinion
    rest = without_other_lines(evidence)
    second = judge.opinion(evidence_image(rest)[None], bias)
    if called_by(judge, second, abstain=True).state != NORMAL:
        return called, opinion
    if called.state is None:
        suspected = max(FAULTS, key=lambda fault: opinion.probabilities[judge.states.index(fault)])
        seen = lines_seen(evidence, rest, suspected) >= LINES_TO_ACQUIT
        return (Called(NORMAL), second) if seen else (called, opinion)
    why = f'cannot tell: {called.state} by lines at whole orders of the shaft, as of vanes and gears, or of the mains'
    return Called(None, f'{why}: name the orders of such parts with `known_orders`'), opinion


def checked_speed(
    called: Called, part: Recording, evidence: FaultEvidence, knowledge: Knowledge, judge: Judge, bias: np.ndarray
) -> Called:
    """No verdict where another speed fits as well and would change it."""
    speed_rpm, rival_rpm = evidence.speed.speed_rpm, rival_speed(part, evidence)
    if called.state is None or rival_rpm is None:
        return called
    _, images = views_of(dataclasses.replace(part, speed_rpm=rival_rpm), knowledge, fixed_speed=True)
    rival = called_by(judge, judge.opinion(images, bias), abstain=True)
    if rival.state in (called.state, None):
        return called
    return Called(
        None,
        f'cannot tell: speed. At {speed_rpm:.0f} rpm it would be {called.state}, at {rival_rpm:.0f} rpm, '
        f'which fits as well, {rival.state}: state the speed to within half a per cent',
    )
