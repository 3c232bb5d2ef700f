"""What speaks against a verdict of the judge, one sentence each."""

from __future__ import annotations

import numpy as np

from fdx.evaluate.machine_report_figures import FAULT_WORDS
from fdx.evaluate.words import listed
from fdx.predict.speed_doubt import TIE
from fdx.predict.universal.judge import NORMAL
from fdx.predict.universal.verdict import UNCLEAR
from fdx.predict.zero_shot_diagnosis import ZeroShotDiagnosis
from fdx.signal.control_orders import FAULTS
from fdx.signal.fault_evidence import FaultEvidence

# Robust standard deviations above the control orders: from CLEAR on, lines are hardly chance; below WEAK they may be.
WEAK, CLEAR = 2.0, 4.0
# Nepers over the background from which on a harmonic stands out.
STANDS_OUT = 0.5
# Turns of the shaft below which a recording is short for a bearing, and the distance at which a machine looks foreign.
FEW_TURNS, FOREIGN = 100.0, 0.8


def against_normal(found: ZeroShotDiagnosis) -> list[str]:
    """What speaks against a sound bearing; what no recording can show comes last."""
    said = _others(found)
    searched = found.searched
    if searched is not None:
        z = searched.z_scores()
        for i in np.flatnonzero(z >= CLEAR):
            said.append(
                f'Lines at the order of the {FAULT_WORDS[FAULTS[i]]} stand out by {z[i]:.1f} robust standard '
                'deviations of the control orders, which the judge explains otherwise.'
            )
    said += _common(found)
    said.append('A fault at an early stage, or far from the sensor, may not show yet.')
    return said


def against_fault(found: ZeroShotDiagnosis) -> tuple[str, ...]:
    """What speaks against a fault."""
    said, searched = _others(found), found.searched
    if searched is not None and found.label in FAULTS:
        said += _weak_lines(searched, FAULTS.index(found.label))
    return (*said, *_common(found))


def _weak_lines(searched: FaultEvidence, i: int) -> list[str]:
    said = []
    name, target = FAULT_WORDS[FAULTS[i]], searched.targets[i]
    z, apart = searched.z_scores(), searched.z_scores(apart=True)
    if z[i] < CLEAR:
        weak = 'no more than chance may' if z[i] < WEAK else 'little more than chance'
        said.append(f'The lines of the {name} stand out by {z[i]:.1f} robust standard deviations: {weak}.')
    if apart[i] < min(z[i] / 2, CLEAR):
        said.append(f'Without lines that shaft or mains explain as well, this falls from {z[i]:.1f} to {apart[i]:.1f}.')
    stronger = [FAULT_WORDS[FAULTS[k]] for k in range(len(FAULTS)) if k != i and z[k] > z[i]]
    if stronger:
        said.append(f'The lines of the {listed(stronger)} stand out more.')
    known = np.isfinite(target.cells[:, :, 0])
    means = np.where(known, target.cells[:, :, 0], 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    clear, seen = int((means > STANDS_OUT).sum()), int(known.any(axis=0).sum())
    if seen and clear < seen / 2:
        said.append(f'Only {clear} of {seen} harmonics stand out clearly.')
    twins = [twin.level for twin in searched.twins[i]]
    if twins and max(twins) >= target.level:
        said.append(
            f'The order of the {name} lies beside a multiple of the shaft, and an order that lies likewise beside '
            'another one, where no fault is, shows as much.'
        )
    return said


def _others(found: ZeroShotDiagnosis) -> list[str]:
    probabilities = found.probabilities or {}
    others = sorted(((p, s) for s, p in probabilities.items() if s != found.label and p >= 0.05), reverse=True)
    if found.label == UNCLEAR:
        others = [(p, s) for p, s in others if s == NORMAL]
    return [f'It may also be {state_words(s)}: that is {p:.0%} probable.' for p, s in others[:2]]


def _common(found: ZeroShotDiagnosis) -> list[str]:
    said: list[str] = []
    if found.distance > FOREIGN:
        said.append(
            f'The recording resembles the simulated machines that the judge knows little ({found.distance:.2f} of the '
            'distance at which it would not answer).'
        )
    searched = found.searched
    if searched is None:
        return said
    if searched.turns < FEW_TURNS:
        said.append(f'The recording holds {searched.turns:.0f} turns of the shaft; a longer one says more.')
    speed = searched.speed
    if speed.corrected:
        said.append(sentence(speed.words()[0]))
    elif speed.rival_score > 0 and speed.score - speed.rival_score < TIE:
        said.append(f'A speed of {speed.rival_rpm:.0f} rpm fits the lines as well as {speed.speed_rpm:.0f} rpm.')
    return said


def evidence_words(found: ZeroShotDiagnosis) -> list[str]:
    """Where there is no verdict: what each fault's lines show."""
    if found.searched is None:
        return []
    z = found.searched.z_scores()
    shown = [f'{FAULT_WORDS[n]} {z[i]:.1f}' for i, n in enumerate(FAULTS)]
    return [f'Lines over the control orders, in robust standard deviations: {listed(shown)}.', *_common(found)]


def state_words(state: str) -> str:
    """'outer_race' -> 'a fault of the outer race'."""
    if state == NORMAL:
        return 'a sound bearing'
    if state == UNCLEAR:
        return 'a fault of the bearing'
    if state in FAULT_WORDS:
        return f'a fault of the {FAULT_WORDS[state]}'
    return 'faults of several parts of the bearing' if state == 'combined' else state


def sentence(text: str) -> str:
    """A text with a capital and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ('' if text.endswith(('.', '?', '!')) else '.')
