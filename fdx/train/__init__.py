"""Training: state, freezing, optimiser, parallel steps, loop, checkpoints, feature cache, logs."""
