"""The 30 recordings of the Electric Motor Vibrations Dataset (SOON), and what their names say.

Iantovics, Gligor et al., doi 10.2478/amset-2022-0012; data: Zenodo, doi 10.5281/zenodo.6473455. Motor m1 is under test,
motor m2 runs in the background on the same bench: only the words before `m2` describe m1's state (15 is
a healthy m1 beside an imbalanced m2). The authors' spelling varies: `imbalanced`, `umbalanced`.
03 and 04 are two recordings of one condition; every other file is the only one of its condition.
"""

from __future__ import annotations

import dataclasses
import re
import urllib.parse

from fdx.types import DataError

RECORD_URL = 'https://zenodo.org/records/6473455'
URL_TEMPLATE = RECORD_URL + '/files/{NAME}?download=1'
FAULT_TYPES = ('healthy', 'mechanical', 'electrical', 'combined')
BACKGROUNDS = ('none', 'normal', 'imbalanced')
MOTOR = 'm1'

NAMES = (
    '01 - m1_half_shaft_speed_no_mechanical_load',
    '02 - m1_load_0.5Nm_half_speed',
    '03 - m1_mechanically_imbalanced_half_speed',
    '04 - m1_mechanically_imbalanced_half_speed',
    '05 - m1_mechanically_imbalanced_load_0.5Nm_half_speed',
    '06 - m1_electrically_50_ohm_fault_half_speed',
    '07 - m1_electrically_100_ohm_fault_half_speed',
    '08 - m1_electrically_150_ohm_fault_half_speed',
    '09 - m1_electrically_50_ohm_fault_load_0.5Nm_half_speed',
    '10 - m1_electrically_100_ohm_fault_load_0.5Nm_half_speed',
    '11 - m1_mechanically_imbalanced_electrically_50_ohm_fault_half_speed',
    '12 - m1_mechanically_imbalanced_electrically_100_ohm_fault_half_speed',
    '13 - m1_mechanically_imbalanced_electrically_150_ohm_fault_half_speed',
    '14 - m1_mechanically_imbalanced_electrically_50_ohm_fault_load_0.5Nm_half_speed',
    '15 - m1_with_m2_mechanicaly_umbalanced_on_background_half_speed',
    '16 - m1_mechanically_imbalanced_with_m2_normal_on_background_half_speed',
    '17 - m1_mechanically_imbalanced_with_m2_mechanicaly_imbalanced_on_background_half_speed',
    '18 - m1_load_0.5Nm_m2_mechanically_imbalanced_on_background_half_speed',
    '19 - m1_mechanically_imbalanced_load_0.5Nm_m2_mechanically_imbalanced_on_background_half_speed',
    '20 - m1_electrically_50_ohm_fault_m2_imbalanced_on_background_half_speed',
    '21 - m1_electrically_50_ohm_fault_load_0.5Nm_m2_mechanically_imbalanced_half_speed',
    '22 - m1_electrically_100_ohm_fault_m2_mechanically_imbalanced_half_speed',
    '23 - m1_electrically_100_ohm_fault_load_0.5Nm_m2_mechanically_imbalanced_half_speed',
    '24 - m1_electrically_150_ohm_fault_m2_imbalanced_on_background_half_speed',
    '25 - m1_mechanically_imbalanced_electrically_50_ohm_fault_m2_imbalanced_on_background_half_speed',
    '26 - m1_mechanically_umbalanced_electrically_50_ohm_fault_load_0.5Nm_m2_umbalanced_on_background_half_speed',
    '27 - m1_mechanically_imbalanced_electrically_100_ohm_fault_m2_imbalanced_on_background_half_speed',
    '28 - m1_mechanically_imbalanced_electrically_100_ohm_fault_load_0.5Nm_m2_imbalanced_on_background_half_speed',
    '29 - m1_mechanically_imbalanced_electrically_150_ohm_fault_m2_imbalanced_on_background_half_speed',
    '30 - m1_mechanically_imbalanced_electrically_150_ohm_fault_m2_imbalanced_on_background_rotated_half_speed',
)

_NAME = re.compile(r'(?P<number>\d\d) - (?P<m1>m1.*?)(?P<m2>(?:_with)?_m2_.*)?')


@dataclasses.dataclass(frozen=True)
class SoonFile:
    """One file: one recording of m1 in one condition.

    Attributes:
      number: 1 to 30.
      name: file name, e.g. '02 - m1_load_0.5Nm_half_speed.csv'.
      imbalanced: whether m1's shaft carries an imbalance.
      resistance_ohm: resistance of m1's electrical fault, 50, 100 or 150; 0 without a fault.
      load_nm: torque that m1 works against, 0 or 0.5 Nm.
      background: m2, one of BACKGROUNDS.
      rotated: whether the sensor was turned.
    """

    number: int
    name: str
    imbalanced: bool
    resistance_ohm: int
    load_nm: float
    background: str
    rotated: bool

    @property
    def fault_type(self) -> str:
        """State of m1, one of FAULT_TYPES."""
        return FAULT_TYPES[self.imbalanced + 2 * bool(self.resistance_ohm)]

    @property
    def domain(self) -> str:
        """What surrounds m1's state: 'load0_m2none', 'load0.5_m2imbalanced', 'load0_m2imbalanced_rotated'."""
        return f'load{self.load_nm:g}_m2{self.background}' + ('_rotated' if self.rotated else '')

    @property
    def condition(self) -> str:
        """m1's state and what surrounds it, without the parts that are absent: 'imbalanced_electrical50_load0.5'."""
        parts = [
            'imbalanced' if self.imbalanced else '',
            f'electrical{self.resistance_ohm}' if self.resistance_ohm else '',
            '' if self.imbalanced or self.resistance_ohm else 'healthy',
            f'load{self.load_nm:g}' if self.load_nm else '',
            '' if self.background == 'none' else f'm2{self.background}',
            'rotated' if self.rotated else '',
        ]
        return '_'.join(part for part in parts if part)

    @property
    def scenario(self) -> str:
        """Name of the file's own class: '01_healthy', '14_imbalanced_electrical50_load0.5'."""
        return f'{self.number:02d}_{self.condition}'

    @property
    def recording(self) -> str:
        """Id of the recording: 'soon_01'."""
        return f'soon_{self.number:02d}'

    @property
    def url(self) -> str:
        """Where Zenodo offers the file."""
        return file_url(self.name)


def file_url(name: str, template: str = URL_TEMPLATE) -> str:
    """Address of a file: the template with its quoted name in place of '{NAME}'."""
    return template.replace('{NAME}', urllib.parse.quote(name))


def parse_name(name: str) -> SoonFile:
    """The facts in a file's name (without .csv).

    Raises:
      DataError: the name has another form.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise DataError(f"{name!r} is not the name of a SOON file: 'NN - m1_... [m2_...]' is needed")
    m1, m2 = match['m1'], match['m2'] or ''
    resistance, load = re.search(r'electrically_(\d+)_ohm', m1), re.search(r'load_([\d.]+)Nm', m1)
    return SoonFile(
        number=int(match['number']),
        name=f'{name}.csv',
        imbalanced=_imbalanced(m1),
        resistance_ohm=int(resistance[1]) if resistance else 0,
        load_nm=float(load[1]) if load else 0.0,
        background='none' if not m2 else 'imbalanced' if _imbalanced(m2) else 'normal',
        rotated='_rotated' in name,
    )


def _imbalanced(words: str) -> bool:
    return re.search('[iu]mbalanced', words) is not None


FILES = {file.number: file for file in map(parse_name, NAMES)}
