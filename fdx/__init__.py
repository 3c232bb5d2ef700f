"""fdx: diagnosis of machine faults from vibration by transfer learning, in JAX."""

__version__ = '0.2.0'
