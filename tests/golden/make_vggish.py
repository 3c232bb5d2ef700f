"""Reference features of VGGish from an independent implementation in torch.

Run with torch 2.13.0 and numpy 2.4.6, in an environment of its own (fdx does not depend on torch):

    python tests/golden/make_vggish.py            # rewrites tests/golden/vggish_features.npz

The weights are not stored: `seeded_state_dict` draws them again, here and in the tests, under torchvggish's names.
Stored for the widths 1 and 1/8: the embedding before and after its ReLU [4, 128 or 16], and the means over time and
frequency of the last feature map [4, 512 or 64].
"""

from __future__ import annotations

import pathlib

import numpy as np

TARGET = pathlib.Path(__file__).resolve().parent / 'vggish_features.npz'
WEIGHTS_SEED = 7
INPUT_SEED = 11
MULTIPLIERS = {'full': 1.0, 'eighth': 0.125}
CONVS = {0: (1, 64), 3: (64, 128), 6: (128, 256), 8: (256, 256), 11: (256, 512), 13: (512, 512)}
POOL_CELLS = 6 * 4  # what four 2x2 poolings leave of 96 x 64


def seeded_state_dict(multiplier: float, seed: int = WEIGHTS_SEED) -> dict[str, np.ndarray]:
    """He-scaled float32 weights and small biases, drawn in the order of the network."""
    rng = np.random.default_rng(seed)

    def width(n: int) -> int:
        return 1 if n == 1 else max(1, round(n * multiplier))

    shapes = {f'features.{i}': (width(out), width(into), 3, 3) for i, (into, out) in CONVS.items()}
    fc, embedding = width(4096), width(128)
    shapes['embeddings.0'] = (fc, width(512) * POOL_CELLS)
    shapes['embeddings.2'] = (fc, fc)
    shapes['embeddings.4'] = (embedding, fc)
    state = {}
    for name, shape in shapes.items():
        scale = np.float32(np.sqrt(2.0 / np.prod(shape[1:])))
        state[f'{name}.weight'] = rng.standard_normal(shape, dtype=np.float32) * scale
        state[f'{name}.bias'] = rng.standard_normal(shape[0], dtype=np.float32) * np.float32(0.1)
    return state


def seeded_input() -> np.ndarray:
    """float32 [4, 96, 64], about the range of log-mel patches."""
    rng = np.random.default_rng(INPUT_SEED)
    return rng.standard_normal((4, 96, 64), dtype=np.float32) * np.float32(2.0) - np.float32(1.0)


def torch_features(state: dict[str, np.ndarray], x: np.ndarray) -> dict[str, np.ndarray]:
    """The same network in torch: NCHW, flattened as [time, frequency, channel]."""
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    for i in CONVS:
        weight = state[f'features.{i}.weight']
        layers += [nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1), nn.ReLU()]
        if i not in (6, 11):
            layers.append(nn.MaxPool2d(2, 2))
    features = nn.Sequential(*layers)
    fc, flat = state['embeddings.0.weight'].shape
    size = state['embeddings.4.weight'].shape[0]
    embeddings = nn.Sequential(nn.Linear(flat, fc), nn.ReLU(), nn.Linear(fc, fc), nn.ReLU(), nn.Linear(fc, size))
    network = nn.ModuleDict({'features': features, 'embeddings': embeddings})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    with torch.no_grad():
        stage4 = features(torch.from_numpy(x)[:, None])
        linear = embeddings(stage4.permute(0, 2, 3, 1).reshape(len(x), -1))
        return {
            'stage4_mean': stage4.mean(dim=(2, 3)).numpy(),
            'embedding_linear': linear.numpy(),
            'embedding': torch.relu(linear).numpy(),
        }


def main() -> None:
    """Writes the file."""
    arrays = {}
    for name, multiplier in MULTIPLIERS.items():
        features = torch_features(seeded_state_dict(multiplier), seeded_input())
        arrays |= {f'{name}_{key}': value for key, value in features.items()}
    np.savez_compressed(TARGET, **arrays)
    for key, value in arrays.items():
        print(key, value.shape, f'mean {value.mean():.6f} max {np.abs(value).max():.6f}')


if __name__ == '__main__':
    main()
