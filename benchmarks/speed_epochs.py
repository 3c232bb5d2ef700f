"""An epoch of `cnn1d`, from the source alone and by DANN: fdx's adaptation and the plain PyTorch of `references`.

Both sides get the same windows, 22 steps of 32 of each domain, and have everything in memory. Timed are the steps of an
epoch, with the batches and the metrics, without validation.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .speed_clock import Found
from .speed_networks import cores_here

STEPS, BATCH, SAMPLES, CLASSES = 22, 32, 1024, 10
EPOCHS = 2  # timed, after one that compiles
KEEPS_COMPILED = True


def windows() -> dict[str, np.ndarray]:
    """Seeded windows float32 [N, T, 1, 1] of both domains, and labels int32 [N] of the source."""
    rng, count = np.random.default_rng(0), STEPS * BATCH
    shape = (count, SAMPLES, 1, 1)
    source, target = (rng.standard_normal(shape, dtype=np.float32) for _ in range(2))
    return {'source': source, 'target': target, 'labels': rng.integers(0, CLASSES, count).astype(np.int32)}


def fdx_epochs(method: str) -> Found:
    """EPOCHS epochs by fdx, as `fdx.train.loop` runs them."""
    import jax

    from fdx.adapt.config import AdaptConfig
    from fdx.adapt.data import PairedBatches
    from fdx.adapt.methods import get_method
    from fdx.adapt.programs import compile_programs, fresh_state
    from fdx.data.pipeline import ArrayExamples, train_batches
    from fdx.train import parallel
    from fdx.train.config import TrainConfig
    from fdx.train.model_setup import set_up_model

    data = windows()
    parts = {f'{name}_train': ArrayExamples(data[name], data['labels']) for name in ('source', 'target')}
    config = TrainConfig('', model='cnn1d', batch_size=BATCH, learning_rate=1e-3, halve_every=0, l2=0.0)
    plan = AdaptConfig('a/b:source', 'a/b:target', method=method, warm_up=0.0)
    setup = set_up_model(config, CLASSES, (SAMPLES, 1, 1))
    programs = compile_programs(config, plan, setup, 0)
    spec = get_method(method)
    state: Any = fresh_state(setup, programs, spec, parts, start=0, seed=0, total_steps=STEPS * (EPOCHS + 1))
    iterators = [train_batches(parts[f'{name}_train'], BATCH, 0) for name in ('source', 'target')]
    batches = PairedBatches(*(iterators if spec.sees_target else iterators[:1]))

    def epoch() -> None:
        nonlocal state
        pending = []
        for _ in range(STEPS):
            state, metrics = programs.step(state, parallel.shard(next(batches), BATCH))
            pending.append(metrics)
        jax.device_get(pending)
        jax.block_until_ready(state)

    epoch()
    found = Found()
    for _ in range(EPOCHS):
        with found.timed():
            epoch()
    return found


def torch_epochs(method: str) -> Found:
    """The same in PyTorch, as `references.common` trains."""
    import torch
    from torch.nn import functional

    from .references.common import WIDTH, Network, shuffled_rows
    from .references.dann import Dann
    from .references.recipe import Recipe

    torch.set_num_threads(cores_here())
    data = windows()
    source, target = (torch.from_numpy(data[name][:, :, 0].transpose(0, 2, 1).copy()) for name in ('source', 'target'))
    labels = torch.from_numpy(data['labels']).long()
    # fdx's discriminator: two layers of 256 without dropout.
    recipe = Recipe(hidden=256, discriminator_dropout=0.0)
    network = Network(1, CLASSES, recipe.dropout_rate)
    term = Dann(recipe, WIDTH, CLASSES) if method == 'dann' else None
    trained = [*network.parameters(), *(term.parameters() if term else ())]
    optimiser = torch.optim.Adam(trained, lr=recipe.learning_rate)
    source_rows, target_rows = (shuffled_rows(STEPS * BATCH, BATCH) for _ in range(2))
    network.train()

    def epoch() -> None:
        for rows in itertools.islice(source_rows, STEPS):
            x, wanted = source[rows], labels[rows]
            if term is None:
                loss = functional.cross_entropy(network(x)[0], wanted)
            else:
                logits, features = network(torch.cat([x, target[next(target_rows)]]))
                loss = functional.cross_entropy(logits[:BATCH], wanted)
                loss = loss + term(features[:BATCH], features[BATCH:], logits[:BATCH], logits[BATCH:])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    epoch()
    found = Found()
    for _ in range(EPOCHS):
        with found.timed():
            epoch()
    return found


def measure(parts: Sequence[str], side: str, folder: str, group: str) -> dict[str, Found]:
    """Seconds of an epoch of each of the methods `parts`; see `speed_side`."""
    del folder, group
    return {method: (fdx_epochs if side == 'fdx' else torch_epochs)(method) for method in parts}
