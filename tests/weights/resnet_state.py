"""State dicts of torchvision's ResNets, drawn without torch, name by name as its modules register them."""

from __future__ import annotations

import numpy as np

WIDTHS = (64, 128, 256, 512)


def _norm(name: str, n: int) -> dict[str, tuple[int, ...]]:
    entries = ('weight', 'bias', 'running_mean', 'running_var')
    return {**{f'{name}.{e}': (n,) for e in entries}, f'{name}.num_batches_tracked': ()}


def state_shapes(
    depths=(3, 4, 6, 3), multiplier: float = 1.0, channels: int = 3, classes: int = 1000
) -> dict[str, tuple[int, ...]]:
    """Name -> shape in the state dict's order; slim widths are those of fdx's `width_multiplier`."""
    widths = [max(1, round(w * multiplier)) for w in WIDTHS]
    outs = [max(1, round(4 * w * multiplier)) for w in WIDTHS]
    shapes = {'conv1.weight': (widths[0], channels, 7, 7), **_norm('bn1', widths[0])}
    into = widths[0]
    for layer, (depth, width, out) in enumerate(zip(depths, widths, outs, strict=True), 1):
        for block in range(depth):
            name = f'layer{layer}.{block}'
            shapes |= {f'{name}.conv1.weight': (width, into, 1, 1), **_norm(f'{name}.bn1', width)}
            shapes |= {f'{name}.conv2.weight': (width, width, 3, 3), **_norm(f'{name}.bn2', width)}
            shapes |= {f'{name}.conv3.weight': (out, width, 1, 1), **_norm(f'{name}.bn3', out)}
            if block == 0:
                shapes |= {f'{name}.downsample.0.weight': (out, into, 1, 1), **_norm(f'{name}.downsample.1', out)}
            into = out
    return {**shapes, 'fc.weight': (classes, into), 'fc.bias': (classes,)}


def seeded_state(seed: int = 3, **options) -> dict[str, np.ndarray]:
    """He-scaled kernels, norms near one, running variances above zero; `num_batches_tracked` is int64, as in torch."""
    rng = np.random.default_rng(seed)
    state = {}
    for name, shape in state_shapes(**options).items():
        if name.endswith('num_batches_tracked'):
            state[name] = np.array(1000, np.int64)
            continue
        values = rng.standard_normal(shape, dtype=np.float32)
        if len(shape) > 1:
            values *= np.float32(np.sqrt(2.0 / np.prod(shape[1:])))
        elif name.endswith(('running_var', 'weight')):
            values = np.float32(0.5) + np.abs(values)
        else:
            values *= np.float32(0.1)
        state[name] = values
    return state
