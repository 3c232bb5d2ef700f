"""Reference logits and gradients of torchvision's VGG16 at 1/16 of its width.

Run with torch 2.14.1, torchvision 0.29.1 and numpy 2.4.6, in an environment of its own (fdx does not depend on torch):

    python tests/golden/make_vgg16.py             # rewrites tests/golden/vgg16.npz
    python tests/golden/make_vgg16.py --names     # prints what the published network's state dict holds, as one digest

The network is torchvision's class VGG with slim layers, and its input is normalised as its weights want it. The weights
are not stored: `seeded_state_dict` draws them again, here and in the tests, under torchvision's names.
"""

from __future__ import annotations

import hashlib
import pathlib
import sys

import numpy as np

TARGET = pathlib.Path(__file__).resolve().parent / 'vgg16.npz'
CLASSES, DIVISOR = 5, 16
CELLS = 49  # 7 x 7
WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
FC = 4096
SHAPES = ((1, 224, 224, 3), (2, 64, 64, 3), (1, 75, 100, 3))  # B, H, W, C
TRAINED = 1  # index in SHAPES of the images of the gradients
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
GRADIENTS = ('features.0.weight', 'features.0.bias', 'features.28.bias', 'classifier.3.bias', 'classifier.6.weight')


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the slim state dict, in torchvision's order."""
    found: dict[str, tuple[int, ...]] = {}
    place, channels = 0, 3
    for widths in WIDTHS:
        for width in (w // DIVISOR for w in widths):
            found |= {f'features.{place}.weight': (width, channels, 3, 3), f'features.{place}.bias': (width,)}
            place, channels = place + 2, width
        place += 1
    channels *= CELLS
    for place, width in ((0, FC // DIVISOR), (3, FC // DIVISOR), (6, CLASSES)):
        found |= {f'classifier.{place}.weight': (width, channels), f'classifier.{place}.bias': (width,)}
        channels = width
    return found


def seeded_state_dict(seed: int = 6) -> dict[str, np.ndarray]:
    """Random weights, drawn in the order of the state dict; logits are of order 1."""
    rng = np.random.default_rng(seed)

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
        return rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)

    return {name: draw(shape) for name, shape in shapes().items()}


def seeded_images(shape: tuple[int, ...]) -> np.ndarray:
    """float32 [B, H, W, C], from 0 to 1."""
    return np.random.default_rng(list(shape)).random(shape, dtype=np.float32)


def seeded_labels() -> np.ndarray:
    """int64 [B] of the gradients."""
    return np.arange(SHAPES[TRAINED][0]) % CLASSES


def torch_arrays() -> dict[str, np.ndarray]:
    """Logits of all images, and gradients of the mean cross-entropy without dropout."""
    import torch
    from torchvision.models.vgg import VGG, make_layers

    network = VGG(torch.nn.Identity(), init_weights=False)
    layers: list[int | str] = []
    for widths in WIDTHS:
        layers += [*(w // DIVISOR for w in widths), 'M']
    network.features = make_layers(layers)
    width = FC // DIVISOR
    for place, inputs, outputs in (
        (0, WIDTHS[-1][-1] // DIVISOR * CELLS, width),
        (3, width, width),
        (6, width, CLASSES),
    ):
        network.classifier[place] = torch.nn.Linear(inputs, outputs)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in seeded_state_dict().items()})
    network.eval()

    def logits(shape):
        images = (seeded_images(shape) - np.float32(MEAN)) / np.float32(DEVIATION)
        return network(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous())

    with torch.no_grad():
        arrays = {f'logits_{i}': logits(shape).numpy() for i, shape in enumerate(SHAPES)}
    torch.nn.functional.cross_entropy(logits(SHAPES[TRAINED]), torch.from_numpy(seeded_labels())).backward()
    return arrays | {f'gradient_{name}': network.get_parameter(name).grad.numpy() for name in GRADIENTS}


def published_names() -> str:
    """SHA-256 of the lines 'name [shape]' of torchvision's vgg16().state_dict()."""
    import torch
    from torchvision.models import vgg16

    with torch.device('meta'):
        state = vgg16(init_weights=False).state_dict()
    return hashlib.sha256('\n'.join(f'{name} {list(a.shape)}' for name, a in state.items()).encode()).hexdigest()


def main() -> None:
    """Writes the file, or prints the digest."""
    if '--names' in sys.argv:
        print(published_names())
        return
    arrays = torch_arrays()
    np.savez_compressed(TARGET, **arrays)
    for key, value in arrays.items():
        print(key, value.shape, f'max {np.abs(value).max():.6f}')


if __name__ == '__main__':
    main()
