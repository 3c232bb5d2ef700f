"""Steps of tiny variables, and what a refused workdir keeps."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from fdx.locks import LOCK
from fdx.train.checkpoints import Checkpoints
from fdx.types import CheckpointError

VARIABLES = {'params': {'head': {'kernel': jnp.arange(6.0).reshape(2, 3)}}}
PREFIX = {'params': {'stage1': {'kernel': jnp.full((4, 5), 0.1)}}}
OPT = (jnp.int32(7),)


def save(folder, *steps, prefix=True):
    with Checkpoints(folder).writing() as checkpoints:
        if prefix:
            checkpoints.save_prefix(PREFIX)
        for step in steps:
            score = {'selection': {'criterion': 'loss', 'score': -step / 100}, 'frozen_stages': int(prefix)}
            checkpoints.save(step, VARIABLES, OPT, score)


def tree(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob('*') if p.name != LOCK)


def refused(folder, match):
    """Writing there is refused, and nothing is changed."""
    before = tree(folder)
    with pytest.raises(CheckpointError, match=match) as e, Checkpoints(folder).writing():
        pytest.fail('was let in')
    assert '\n' not in str(e.value)
    assert tree(folder) == before
    assert not (folder / LOCK).exists()
