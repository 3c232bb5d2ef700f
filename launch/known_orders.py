"""The flag --known_orders of several programs: orders of blades, vanes and gear meshes, in turns of the shaft."""

from __future__ import annotations

from collections.abc import Iterable

from fdx.types import ConfigError

MAX_ORDER = 1000.0


def parse_orders(texts: Iterable[str] | None) -> tuple[float, ...]:
    """Orders as numbers; ConfigError for one that is no number of turns above 0 and below MAX_ORDER."""
    orders = []
    for text in texts or ():
        try:
            order = float(text)
        except ValueError:
            order = 0.0
        if not 0 < order < MAX_ORDER:
            raise ConfigError(f'`known_orders`: {text!r} is not a number of turns above 0 and below {MAX_ORDER:g}')
        orders.append(order)
    return tuple(orders)
