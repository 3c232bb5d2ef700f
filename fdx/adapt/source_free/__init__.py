"""Adaptation of a finished run to a target without the data of its source: a checkpoint and unlabelled windows."""
