"""fdx: diagnosis of machine faults from vibration by transfer learning, in JAX."""

from __future__ import annotations

import pathlib

__version__ = '0.2.0'

_here = pathlib.Path(__file__).resolve().parent
if not (_here / 'launch').is_dir():
    # In a checkout launch/, datasets/ and benchmarks/ stand beside fdx/; the wheel holds them inside it. Both ways they
    # are fdx.launch, fdx.datasets and fdx.benchmarks, so that nothing clashes with another package called `datasets`.
    __path__.append(str(_here.parent))
