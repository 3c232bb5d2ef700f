"""The measuring process of the benchmark of devices: it sees as many devices as it is to use."""

from __future__ import annotations

import dataclasses
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from fdx.data.pipeline import READ_AHEAD_BATCHES, train_batches
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.model_setup import set_up_model
from fdx.train.optimiser import make_optimiser, settings_of
from fdx.train.programs import compiled_step
from fdx.train.trainer import fresh_state

from .scaling_data import noise_examples
from .scaling_plan import CLASSES, Cell, Network
from .speed_clock import repeated

# Steps that are dispatched before the host waits: a real epoch waits once.
STEPS = 10
FED_STEPS = 30


def measure(
    cells: Sequence[Cell],
    networks: Mapping[str, Network],
    folder: pathlib.Path,
    *,
    until: float,
    steps: int = STEPS,
    fed_steps: int = FED_STEPS,
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Measures cells on all devices that this process sees.

    Args:
      cells: what to measure, in this order.
      networks: of their models.
      folder: for the records that steps are fed from.
      until: `time.time()` at which no further cell begins.
      steps: that are dispatched before the host waits.
      fed_steps: steps that are fed from records.
      say: called with a line for every cell.

    Returns:
      a row for every cell. A cell that was left out for want of time or memory has `left_out` with the reason in place
      of numbers.
    """
    rows, longest_s = [], 0.0
    for cell in cells:
        row = {**dataclasses.asdict(cell), 'devices': jax.device_count()}
        began = time.time()
        if began + longest_s > until:
            row['left_out'] = 'time'
        else:
            try:
                row |= _measured(cell, networks[cell.model], folder, steps, fed_steps)
            except jax.errors.JaxRuntimeError as e:
                if 'RESOURCE_EXHAUSTED' not in str(e):
                    raise
                row['left_out'] = 'memory'
            longest_s = max(longest_s, time.time() - began)
        say(_line(row))
        rows.append(row)
    return rows


def _line(row: Mapping[str, Any]) -> str:
    found = f'left out ({row["left_out"]})' if 'left_out' in row else f'{1e3 * row["step_s"]:.2f} ms'
    return f'{row["model"]} {row["dtype"]} {row["batch"]} x {row["devices"]}: {found}'


@dataclasses.dataclass
class _Training:
    """A training step that runs, and its state."""

    step: parallel.OnMesh
    compiled: Any
    state: Any

    def run(self, batch: dict, steps: int = 1) -> None:
        """Dispatches steps on one batch, placed or not."""
        placed = self.step.place(batch)
        for _ in range(steps):
            self.state, _ = self.compiled(self.state, placed)

    def wait(self) -> None:
        """Until all steps are done."""
        jax.block_until_ready(self.state)


def _measured(cell: Cell, network: Network, folder: pathlib.Path, steps: int, fed_steps: int) -> dict[str, Any]:
    size = cell.batch * jax.device_count()
    config = TrainConfig(
        '',
        model=cell.model,
        model_options=dict(network.options),
        compute_dtype=cell.dtype,
        parallel='mesh',
        dropout_rate=0.0,
        halve_every=0,
        batch_size=size,
    )
    setup = set_up_model(config, CLASSES, network.shape)
    step = compiled_step(setup.model, settings_of(config), setup.mask, steps_per_epoch=1, start=0, form=config.parallel)
    state = fresh_state(setup, make_optimiser(config, setup.mask, 1), 0)
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((size, *network.shape), dtype=np.float32)
    labels = rng.integers(0, CLASSES, size).astype(np.int32)
    batch = step.place(parallel.shard({'inputs': inputs, 'labels': labels}, size))
    began = time.perf_counter()
    lowered = step.lower(state, batch)
    training = _Training(step, lowered.compile(), state)
    compile_s = time.perf_counter() - began

    def run() -> None:
        training.run(batch, steps)
        training.wait()

    step_s = float(np.median(repeated(run).seconds)) / steps
    found = {'step_s': step_s, 'examples_per_s': size / step_s, 'compile_s': compile_s, **_flops(lowered, training)}
    return {**found, **(_fed(training, network, folder, size, fed_steps) if cell.fed else {})}


def _flops(lowered: jax.stages.Lowered, training: _Training) -> dict[str, float]:
    """Floating-point operations of a step on one device, by XLA's cost analysis.

    It is taken of the program as it was written and as it was compiled, and the larger is kept: calls of libraries may
    count as nothing.
    """
    counts = []
    for stage in (lowered, training.compiled):
        found = stage.cost_analysis()
        found = found[0] if isinstance(found, (list, tuple)) else found
        counts.append(float((found or {}).get('flops', 0.0)))
    return {'flops': max(counts), 'flops_as_written': counts[0], 'flops_as_compiled': counts[1]}


def _fed(training: _Training, network: Network, folder: pathlib.Path, size: int, steps: int) -> dict[str, float]:
    """Seconds per step that is fed from records by the pipeline of training, and of the pipeline alone."""
    batches = train_batches(noise_examples(network.front_end, folder, 4 * size), size, 0)

    def next_batch() -> dict:
        return parallel.shard(next(batches), size)

    training.run(next_batch())
    training.wait()
    began = time.perf_counter()
    for _ in range(steps):
        training.run(next_batch())
    training.wait()
    fed_s = (time.perf_counter() - began) / steps
    for _ in range(READ_AHEAD_BATCHES):
        next_batch()  # These lay ready.
    began = time.perf_counter()
    for _ in range(steps):
        next_batch()
    return {'fed_step_s': fed_s, 'input_s': (time.perf_counter() - began) / steps}
