"""A step of every network: fdx's own training step and forward pass, and the same in eager PyTorch (channels_last).

Inputs are random, 10 classes, float32, cross-entropy and Adam without dropout. `all` trains every parameter; `head`
trains the classifier of a frozen network, whose norms use their running statistics and which gets no gradients;
`inference` computes logits. fdx runs what `fdx.train` runs: the compiled step of `fdx.train.programs`, with its masks,
metrics and the transfer of the batch. PyTorch runs torchvision's network where it has one, else that of
`references.torch_forms`.
"""

from __future__ import annotations

import dataclasses
import gc
import os
from collections.abc import Callable, Sequence

import numpy as np

from .speed_clock import Found, repeated

JOBS = {'all': 'all layers', 'head': 'head only', 'inference': 'inference'}
CLASSES, LEARNING_RATE = 10, 1e-4
KEEPS_COMPILED = True


@dataclasses.dataclass(frozen=True)
class Network:
    """A network and the batch that it is measured on.

    Attributes:
      label: its name on the page.
      shape: of the batch, [B, ...].
      most: the goal of training all layers, as a ratio to PyTorch.
      of_torchvision: whether torchvision has it.
      rounds: processes of each side.
    """

    label: str
    shape: tuple[int, ...]
    most: float = 1.1
    of_torchvision: bool = False
    rounds: int = 3

    @property
    def words(self) -> str:
        """'ResNet-50, 16 x 224 x 224 x 3'."""
        return f'{self.label}, {" x ".join(map(str, self.shape))}'


# Shapes are those of the front end that feeds the network; of the images, torchvision's own size.
NETWORKS = {
    'resnet50': Network('ResNet-50', (16, 224, 224, 3), of_torchvision=True, rounds=2),
    'vgg16': Network('VGG16', (8, 224, 224, 3), of_torchvision=True, rounds=2),
    'vggish': Network('VGGish', (32, 96, 64, 1), most=1.0),
    'musicnn_vgg': Network("musicnn's VGG", (32, 61, 96, 1)),
    'efficientnet_lite0': Network('EfficientNet-Lite0', (16, 128, 96, 3)),
    'yamnet': Network('YAMNet', (32, 96, 64, 1)),
    'cnn1d': Network('`cnn1d`', (64, 1024, 1, 1), most=1.0),
    'mlp': Network('`mlp`', (64, 8), most=1.0),
    'cnn_small': Network('`cnn_small`', (32, 96, 64, 1)),
    'band_mlp': Network('`band_mlp`', (32, 61, 96, 1)),
    'band_linear': Network('`band_linear`', (32, 16, 64, 1)),
    'evidence_judge': Network('`evidence_judge`', (32, 27, 48, 5)),
}


def batch(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Seeded inputs [B, ...] and labels int32 [B]."""
    rng, shape = np.random.default_rng(0), NETWORKS[name].shape
    return rng.standard_normal(shape, dtype=np.float32), rng.integers(0, CLASSES, shape[0]).astype(np.int32)


def fdx_step(name: str, job: str) -> Callable[[], object]:
    """A function that runs one step of fdx and waits for it."""
    import jax

    from fdx.train import parallel
    from fdx.train.config import TrainConfig
    from fdx.train.model_setup import set_up_model
    from fdx.train.optimiser import make_optimiser, settings_of
    from fdx.train.programs import compiled_forward, compiled_step
    from fdx.train.trainer import fresh_state

    inputs, labels = batch(name)
    config = TrainConfig(
        '',
        model=name,
        freeze='head' if job == 'head' else 'none',
        dropout_rate=0.0,
        l2=0.0,
        halve_every=0,
        learning_rate=LEARNING_RATE,
        batch_size=len(inputs),
    )
    setup = set_up_model(config, CLASSES, inputs.shape[1:])
    state = [fresh_state(setup, make_optimiser(config, setup.mask, 1), 0)]
    if job == 'inference':
        forward, variables = compiled_forward(setup.model), state[0].variables()
        return lambda: np.asarray(forward(variables, parallel.shard({'inputs': inputs}, len(inputs))))
    step = compiled_step(setup.model, settings_of(config), setup.mask, steps_per_epoch=1, start=0)

    def run():
        state[0], metrics = step(state[0], parallel.shard({'inputs': inputs, 'labels': labels}, len(inputs)))
        jax.block_until_ready((state[0], metrics))

    return run


def torch_step(name: str, job: str) -> Callable[[], object]:
    """The same step in eager PyTorch."""
    import torch
    from torch.nn import functional

    from .references.torch_forms import build

    torch.set_num_threads(cores_here())
    network, head = build(name, NETWORKS[name].shape[1:], CLASSES)
    x, labels = (torch.from_numpy(a) for a in batch(name))
    if x.ndim == 4:
        network = network.to(memory_format=torch.channels_last)
        x = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    labels = labels.long()
    if job == 'inference':
        network.eval()

        def infer():
            with torch.inference_mode():
                return head(network(x)).numpy()

        return infer
    trained = [*network.parameters(), *head.parameters()] if job == 'all' else list(head.parameters())
    network.train(job == 'all')
    optimiser = torch.optim.Adam(trained, lr=LEARNING_RATE)

    def run():
        optimiser.zero_grad()
        with torch.set_grad_enabled(job == 'all'):
            features = network(x)
        functional.cross_entropy(head(features), labels).backward()
        optimiser.step()

    return run


def cores_here() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def measure(parts: Sequence[str], side: str, folder: str, group: str) -> dict[str, Found]:
    """Seconds of a step of each of the jobs `parts` of the network `group`; see `speed_side`."""
    del folder
    found = {}
    for job in parts:
        run = (fdx_step if side == 'fdx' else torch_step)(group, job)
        found[job] = repeated(run)
        del run
        gc.collect()  # Of VGG16 with its optimiser, 2 GB.
    return found
