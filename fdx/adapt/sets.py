"""Which methods fit domains that do not have the same classes (fdx.data.protocols.class_sets).

* `partial`: source windows count by their class (fdx.adapt.class_weights) in the classification loss and, for dann,
  cdan and cdan_e, in the discriminator's. mcc and entropy read the target alone, source_only and adabn have no term.
  Distances of whole domains (mk_mmd, jmmd, coral) would still draw the target to classes that it lacks.
* `open`: the network has an output `unknown`, which the method has to train: osbp.

No criterion reads a label of the target in any of them. For open sets `source_risk`, the default, says nothing about
rejection, but the epochs that it compares are those at full strength of the term, and its ties go to the latest.
`entropy`, `snd`, `infomax` and `nuclear_norm` expect certain predictions of all classes: osbp holds windows near an
even chance of being unknown, and a partial target lacks classes.
"""

from __future__ import annotations

from fdx.adapt.methods import METHODS, Method
from fdx.data.protocols.class_sets import OPEN, PARTIAL, SETS
from fdx.types import ConfigError

# What --sets=open runs where no method is named.
OPEN_METHOD = 'osbp'
# The classifier reads this layer.
BEFORE_HEAD = 'embedding'


def check_sets(sets: str, name: str, method: Method, feature: str) -> None:
    """ConfigError where a method does not fit the sets.

    Args:
      sets: `shared`, `partial` or `open`.
      name: of the method.
      method: its entry of METHODS.
      feature: name of the layer that adapts.
    """
    if sets not in SETS:
        raise ConfigError(f'`sets`={sets}: it must be one of {", ".join(SETS)}')
    if sets == OPEN and not method.rejects:
        able = ', '.join(n for n, m in METHODS.items() if m.rejects)
        raise ConfigError(
            f'`sets`=open: `method`={name} learns to reject no window as unknown: set `method` to {able}, or '
            '`sets`=shared to leave out the classes that the source lacks'
        )
    if method.rejects and sets != OPEN:
        raise ConfigError(f'`method`={name} learns an output for unknown classes: set `sets`=open, not {sets}')
    if method.rejects and feature != BEFORE_HEAD:
        raise ConfigError(
            f'`feature`={feature}: {name} reverses the gradient in front of the classifier: leave `feature` at '
            f'{BEFORE_HEAD}'
        )
    if sets == PARTIAL and not method.fits_partial:
        able = ', '.join(n for n, m in METHODS.items() if m.fits_partial and not m.rejects)
        raise ConfigError(
            f'`sets`=partial: `method`={name} draws the target to all classes of the source alike: set `method` to one '
            f'of {able}'
        )
