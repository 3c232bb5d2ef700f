"""Domain adaptation, the whole slice: terms of a loss, methods made of them, runs, and what chooses an epoch."""

from fdx.callable_room import make_callable

# fdx.adapt(...) is fdx.api.runs.adapt.
make_callable(__name__)
