"""Steps of a tiny network on one, two and four devices, in every form of fdx.train.parallel.

    python forms_program.py SPEC.json      (SPEC: {"output": FILE.npz})

It runs on four devices; with fewer, steps run on the first of them. Names of arrays are FORM/DEVICES/...
"""

from __future__ import annotations

import json
import pathlib
import sys
from unittest import mock

import adapt_step_program as tiny
import jax
import numpy as np
import optax

from fdx.adapt.methods import METHODS
from fdx.data.pipeline import ArrayExamples
from fdx.train import parallel
from fdx.train.config import FORMS
from fdx.train.forward import forward_all, make_forward
from fdx.train.steps import make_train_step

METHOD = 'mcc'  # It gathers the target's outputs of all devices.
SIZE = 5  # Over two devices one has padding, and over four one has nothing else.


def arrays(form: str, devices: int) -> dict[str, np.ndarray]:
    """What a form computes on some of the devices."""
    with mock.patch.multiple(jax, device_count=lambda: devices, local_device_count=lambda: devices):
        out = training(form)
        if devices == jax.device_count() == 4:
            out |= {f'adapt/{name}': value for name, value in adaptation(form).items()}
            forward = parallel.compile_forward(make_forward(tiny.Tiny()), form)
            examples = ArrayExamples(tiny.batch()['source']['inputs'], np.zeros(SIZE, np.int32))
            variables = {'params': tiny.parameters(), 'batch_stats': tiny.make_state(METHODS[METHOD], 0).stats}
            out['logits'] = forward_all(forward, variables, examples)
    return {f'{form}/{devices}/{name}': value for name, value in out.items()}


def training(form: str) -> dict[str, np.ndarray]:
    """Two steps, with dropout and a batch norm."""
    step = parallel.compile_step(make_train_step(tiny.Tiny(), optax.sgd(tiny.RATE), tiny.trained(), start=0), form)
    state = tiny.make_state(METHODS['source_only'], 0).replace(opt_state=optax.sgd(tiny.RATE).init(tiny.parameters()))
    source = {name: tiny.batch()['source'][name] for name in ('inputs', 'labels')}
    for _ in range(2):
        state, metrics = step(state, parallel.shard(source, SIZE))
    return tiny.flat({'metrics': metrics, 'params': state.params, 'stats': state.stats})


def adaptation(form: str) -> dict[str, np.ndarray]:
    """One step of METHOD."""
    compile_step = parallel.compile_step
    with mock.patch.object(parallel, 'compile_step', lambda step: compile_step(step, form)):
        step = tiny.make_step(METHODS[METHOD])
    state, metrics = step(tiny.make_state(METHODS[METHOD], tiny.FIRST_STEP), parallel.shard(tiny.batch(), SIZE))
    return tiny.flat({'metrics': metrics, 'params': state.params, 'stats': state.stats, 'extra': state.extra})


if __name__ == '__main__':
    output = json.loads(pathlib.Path(sys.argv[1]).read_text())['output']
    found: dict[str, np.ndarray] = {}
    with jax.threefry_partitionable(False):  # This form of threefry is quicker to compile.
        for form in FORMS:
            for devices in (1, 2, 4):
                found |= arrays(form, devices)
    np.savez(output, **found)
