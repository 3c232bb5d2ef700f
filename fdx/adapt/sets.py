"""Which methods fit domains that do not have the same classes (fdx.data.protocols.class_sets), and how.

* `partial`: source windows count by their class (fdx.adapt.class_weights), in the classification loss and in the terms
  that compare source and target. mcc and entropy read the target alone, source_only and adabn have no term.
* `open`: the network has one output more, `unknown`, which learns the boundaries of the known classes
  (fdx.adapt.terms.one_vs_all). Windows of the target count in the method's term by their chance to be of a known class,
  as in You et al., "Universal domain adaptation", CVPR 2019: unknown ones are not drawn to the source. source_only
  learns the boundaries from the source alone.

No criterion reads a label of the target in any of them. `source_risk`, the default, says nothing about rejection, but
it compares epochs at full strength of the term only, and its ties go to the latest. `infomax` and `nuclear_norm` expect
all classes, `unknown` too, in the target.
"""

from __future__ import annotations

from fdx.adapt.methods import METHODS, Method
from fdx.data.protocols.class_sets import OPEN, PARTIAL, SETS
from fdx.types import ConfigError

# What launch.adapt takes for open sets where no method is named.
OPEN_METHOD = 'mk_mmd'


def check_sets(sets: str, name: str, method: Method) -> None:
    """ConfigError where a method does not fit the sets.

    Args:
      sets: `shared`, `partial` or `open`.
      name: of the method.
      method: its entry of METHODS.
    """
    if sets not in SETS:
        raise ConfigError(f'`sets`={sets}: it must be one of {", ".join(SETS)}')
    if sets == OPEN and not method.fits_open:
        able = ', '.join(n for n, m in METHODS.items() if m.fits_open)
        raise ConfigError(
            f'`sets`=open: `method`={name} would draw windows of unknown classes to known ones: set `method` to one of '
            f'{able}'
        )
    if sets == PARTIAL and not method.fits_partial:
        able = ', '.join(n for n, m in METHODS.items() if m.fits_partial)
        raise ConfigError(
            f'`sets`=partial: `method`={name} draws the target to all classes of the source alike: set `method` to one '
            f'of {able}'
        )
