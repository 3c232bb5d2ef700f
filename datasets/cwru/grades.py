"""How diagnosable each CWRU recording is, as Smith and Randall (2015) graded it: strata for scores.

W. A. Smith and R. B. Randall, "Rolling element bearing diagnostics using the Case Western Reserve University data: A
benchmark study", Mechanical Systems and Signal Processing 64-65:100-131, 2015. They applied three methods of envelope
analysis to each recording and each sensor, and gave each result one of six categories (their table 4):

    Y1, Y2   diagnosable, with classic signs of the fault or with others
    P1, P2   partly: lines at the fault's frequencies that do not dominate, or smeared ones that seem to coincide
    N1, N2   not diagnosable: another problem is seen, or nothing but noise

The grade here is the best of the three methods. What is known of it, and from where:

- Drive-end faults at 12 kHz, drive-end sensor (table B2): all 60 recordings, as read by two public audits that agree
  recording by recording (benchmarks/cwru/results of LGDiMaggio/predictive-maintenance-mcp with its records_ops, and
  docs/records/smith2015.md of Nyfeu/Vibration_Analysis, which has the 52 recordings of the SKF bearings).
- Everything else, i.e. 48 kHz, fan-end faults and the other sensors: only the list of what no method diagnoses (table
  6). Whether another recording was Y or P has not been read from the paper, so its grade is 'not_read'.
- Healthy recordings have no grade in the paper: 'healthy'.
"""

from __future__ import annotations

from fdx.types import DataError

from .files import get_file

DIAGNOSABLE, PARTLY, NOT, NOT_READ, HEALTHY = 'diagnosable', 'partly', 'not', 'not_read', 'healthy'
GRADES = (DIAGNOSABLE, PARTLY, NOT, NOT_READ, HEALTHY)

# Table B2, drive-end sensor: the best result of the three methods is P1 (199) or P2 (the others).
_PARTLY_12K_DE = frozenset({185, 186, 187, 188, 198, 199})
# Table 6: numbers alone fail at every sensor that the file holds, the others at the named ones.
_NOT_AT_ALL = frozenset(
    {3001, 3002, 3003, 3004, 118, 119, 200}  # drive end, 12 kHz
    | {174, 122, 123, 124, 125, 192}  # drive end, 48 kHz
    | {302, 306, 307}  # fan end
)
_NOT_AT = {
    'DE': frozenset({120, 224, 225, 228, 229, 290, 293}),
    'FE': frozenset({187, 225, 197, 198, 199, 202, 204, 282, 285, 290, 292, 305}),
    'BA': frozenset({120, 121, 224, 197, 198, 298}),
}


def grade(number: int, channel: str = 'DE') -> str:
    """The grade of one sensor's signal in one file: see the module for where it comes from.

    Args:
      number: of the file, e.g. 118 for 118.mat.
      channel: the accelerometer: 'DE' (drive end), 'FE' (fan end) or 'BA' (base plate).

    Returns:
      'diagnosable' (Y1, Y2), 'partly' (P1, P2), 'not' (N1, N2); 'not_read' where all that is known is that some method
      diagnoses it at least in part; 'healthy' for the four files without a fault.

    Raises:
      DataError: there is no such file, or it does not hold the channel.
    """
    file = get_file(number)
    if channel not in file.channels:
        raise DataError(f'{file.name} has no channel {channel!r}: choose one of {", ".join(file.channels)}')
    if file.fault == 'normal':
        return HEALTHY
    if number in _NOT_AT_ALL or number in _NOT_AT[channel]:
        return NOT
    if file.group == 'drive_end_12k' and channel == 'DE':
        return PARTLY if number in _PARTLY_12K_DE else DIAGNOSABLE
    return NOT_READ
