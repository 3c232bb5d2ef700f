"""Reference logits and one training step of ResNet-50 by torchvision.

Run with torch 2.14.1, torchvision 0.29.1 and numpy 2.4.6, in an environment of its own (fdx does not depend on torch):

    python tests/golden/make_resnet50.py             # rewrites tests/golden/resnet50.npz
    python tests/golden/make_resnet50.py --out=FILE  # writes another file, as the live comparison does

The weights are not stored: `seeded_state_dict` draws them again, here and in the tests, under torchvision's names.
Stored are `logits_N` in evaluation for the inputs of SHAPES, `loss` of the training step, and after it, for every array
of the state dict, SIGNS projections of its change on random signs, and the arrays of WHOLE as they are. The difference
of two projections is about the Euclidean distance of the arrays, so it bounds every element.
"""

from __future__ import annotations

import argparse
import pathlib
import zlib

import numpy as np

TARGET = pathlib.Path(__file__).resolve().parent / 'resnet50.npz'
CLASSES, LEARNING_RATE = 10, 0.05
DEPTHS, WIDTHS = (3, 4, 6, 3), (64, 128, 256, 512)
SHAPES = ((2, 64, 64, 3), (1, 128, 2, 3), (1, 33, 47, 3))  # B, H, W, C
TRAIN_SHAPE = (4, 64, 48, 3)
SIGNS = 4
WHOLE = ('bn1', 'layer1.0.bn2', 'layer2.0.downsample.1', 'layer3.5.bn1', 'layer4.2.bn2')


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of torchvision's state dict, in its order."""
    found: dict[str, tuple[int, ...]] = {}

    def norm(name: str, n: int) -> None:
        found.update({f'{name}.{key}': (n,) for key in ('weight', 'bias', 'running_mean', 'running_var')})
        found[f'{name}.num_batches_tracked'] = ()

    found['conv1.weight'] = (64, 3, 7, 7)
    norm('bn1', 64)
    channels = 64
    for stage, (depth, width) in enumerate(zip(DEPTHS, WIDTHS), 1):
        for block in range(depth):
            name = f'layer{stage}.{block}'
            convs = ((width, channels, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1))
            for i, shape in enumerate(convs, 1):
                found[f'{name}.conv{i}.weight'] = shape
                norm(f'{name}.bn{i}', shape[0])
            if block == 0:
                found[f'{name}.downsample.0.weight'] = (4 * width, channels, 1, 1)
                norm(f'{name}.downsample.1', 4 * width)
            channels = 4 * width
    return found | {'fc.weight': (CLASSES, channels), 'fc.bias': (CLASSES,)}


def seeded_state_dict(seed: int = 5) -> dict[str, np.ndarray]:
    """Random weights and random running statistics, drawn in the order of the state dict; logits are of order 10."""
    rng = np.random.default_rng(seed)

    def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name.endswith('num_batches_tracked'):
            return np.array(0, np.int64)
        if len(shape) > 1:
            gain = 2.0 if len(shape) == 4 else 1.0
            return rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(gain / np.prod(shape[1:])))
        if name.endswith('running_var') or (name.endswith('.weight') and 'fc' not in name):
            # The last norm of a block scales down, or the sum over 16 blocks would grow without bound.
            top = 0.5 if name.endswith('bn3.weight') else 1.5
            return rng.uniform(top / 3, top, shape).astype(np.float32)
        return rng.standard_normal(shape, dtype=np.float32) * np.float32(0.1)

    return {name: draw(name, shape) for name, shape in shapes().items()}


def seeded_images(shape: tuple[int, ...]) -> np.ndarray:
    """float32 [B, H, W, C]."""
    rng = np.random.default_rng(list(shape))
    return rng.standard_normal(shape, dtype=np.float32) + np.float32(0.5)


def seeded_labels() -> np.ndarray:
    """int64 [B] of the training step."""
    return np.random.default_rng(3).integers(0, CLASSES, TRAIN_SHAPE[0])


def projections(name: str, change: np.ndarray) -> np.ndarray:
    """float64 [SIGNS]: `change`, in torch's layout, on seeded random signs."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    signs = rng.integers(0, 2, (SIGNS, change.size), dtype=np.int8) * 2 - 1
    return signs @ np.asarray(change, np.float64).ravel()


def summary(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is kept of a training step, from state dicts before and after it (without num_batches_tracked)."""
    names = [name for name in before if not name.endswith('num_batches_tracked')]
    changes = {name: after[name].astype(np.float64) - before[name] for name in names}
    return {
        'projections': np.stack([projections(name, changes[name]) for name in names]),
        'change_norms': np.array([np.linalg.norm(changes[name]) for name in names]),
    } | {f'after_{name}': after[name] for name in names if name.rpartition('.')[0] in WHOLE}


def torch_arrays() -> dict[str, np.ndarray]:
    """The same in torch."""
    import torch
    import torchvision

    def images(shape):
        return torch.from_numpy(seeded_images(shape)).permute(0, 3, 1, 2).contiguous()

    network = torchvision.models.resnet50(num_classes=CLASSES)
    state = seeded_state_dict()
    network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in state.items()})
    network.eval()
    with torch.no_grad():
        arrays = {f'logits_{i}': network(images(shape)).numpy() for i, shape in enumerate(SHAPES)}
    network.train()
    optimiser = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    loss = torch.nn.functional.cross_entropy(network(images(TRAIN_SHAPE)), torch.from_numpy(seeded_labels()))
    loss.backward()
    optimiser.step()
    after = {name: value.numpy() for name, value in network.state_dict().items()}
    return arrays | {'loss': np.array(loss.item())} | summary(state, after)


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--out', type=pathlib.Path, default=TARGET)
    args = parser.parse_args()
    arrays = torch_arrays()
    np.savez_compressed(args.out, **arrays)
    for key, value in arrays.items():
        print(key, value.shape, f'max {np.abs(value).max():.6f}')


if __name__ == '__main__':
    main()
