"""Training: state, freezing, optimiser, parallel steps, loop, checkpoints, feature cache, logs."""

from fdx.callable_room import make_callable

# fdx.train(...) is fdx.api.runs.train.
make_callable(__name__)
