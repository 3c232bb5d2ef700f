"""The study's training job in fdx and in eager PyTorch: what `speed_study` measures.

The job (Di Maggio, Sensors 23(1):211, 2023, Table 2): VGGish with given weights, of which only a new 3-way head is
trained, 2160 samples split 1728/216/216 at random, batch 32, 4 epochs, validation after each, test at the end. PyTorch
runs the frozen network in every epoch, without gradients (channels_last, all cores), on arrays in memory. fdx does the
whole of `launch.train` and the scoring of `launch.evaluate`, start to end: records are read from disk, steps are
compiled, checkpoints are written and hashed; the frozen features are computed once.
"""

from __future__ import annotations

import pathlib
import tempfile
import time

import numpy as np

from .speed_clock import cpu_seconds
from .speed_networks import cores_here

EPOCHS, BATCH, CLASSES = 4, 32, 3
DATASET = 'bearing_rig/medium'


def run_fdx(weights: str, data_dir: str) -> dict:
    """Trains and scores with fdx; returns seconds and test accuracy."""
    from fdx.evaluate.scoring import score_run
    from fdx.train.config import TrainConfig
    from fdx.train.run import train

    config = TrainConfig(
        dataset=DATASET, data_dir=data_dir, protocol='random_windows', init=weights, freeze='head', epochs=EPOCHS
    )
    with tempfile.TemporaryDirectory() as workdir:
        began, began_cpu = time.perf_counter(), cpu_seconds()
        train(config, workdir)
        trained = time.perf_counter()
        predictions = score_run(workdir).predictions
        ended, cpu_s = time.perf_counter(), cpu_seconds() - began_cpu
    accuracy = float((predictions.predicted == predictions.labels).mean())
    return {
        'seconds': ended - began, 'cpu_seconds': cpu_s, 'train_seconds': trained - began, 'accuracy': accuracy
    }  # fmt: skip


def run_torch(weights: str, data_dir: str) -> dict:
    """The same job in eager PyTorch, without a cache."""
    import torch
    from torch import nn

    from fdx.data.protocols.splits import split_rows
    from fdx.data.source import open_dataset
    from fdx.weights.files import load_weights

    torch.set_num_threads(cores_here())
    dataset = open_dataset(DATASET, data_dir)
    splits = split_rows(dataset.table, 'random_windows')
    x = torch.from_numpy(dataset.read(np.arange(len(dataset)), 'spectrogram').transpose(0, 3, 1, 2).copy())
    y = torch.from_numpy(dataset.table['label'].astype(np.int64))
    backbone = _torch_backbone(nn, torch, load_weights(pathlib.Path(weights))[0]).to(memory_format=torch.channels_last)
    head = nn.Sequential(nn.Dropout(0.5), nn.Linear(128, CLASSES))
    began, began_cpu = time.perf_counter(), cpu_seconds()
    optimiser = torch.optim.Adam(head.parameters(), lr=5e-4, weight_decay=1e-6)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, 2, 0.5)

    def features(rows):
        with torch.no_grad():
            return backbone(x[rows].to(memory_format=torch.channels_last))

    def accuracy(rows):
        head.eval()
        with torch.no_grad():
            hits = [(head(features(r)).argmax(1) == y[r]).sum() for r in torch.from_numpy(rows).split(BATCH)]
        return float(sum(hits)) / len(rows)

    for _ in range(EPOCHS):
        head.train()
        order = torch.from_numpy(splits.train)[torch.randperm(len(splits.train))]
        for rows in order.split(BATCH):
            optimiser.zero_grad()
            nn.functional.cross_entropy(head(features(rows)), y[rows]).backward()
            optimiser.step()
        schedule.step()
        accuracy(splits.validation)
    trained = time.perf_counter()
    result = accuracy(splits.test)
    ended, cpu_s = time.perf_counter(), cpu_seconds() - began_cpu
    return {'seconds': ended - began, 'cpu_seconds': cpu_s, 'train_seconds': trained - began, 'accuracy': result}


def _torch_backbone(nn, torch, params):
    """VGGish to the embedding, with fdx's weights in PyTorch's layouts."""
    layers, channels = [], 1
    names = ['stage1/conv1', 'P', 'stage2/conv1', 'P', 'stage3/conv1', 'stage3/conv2', 'P', 'stage4/conv1']
    for name in [*names, 'stage4/conv2', 'P']:
        if name == 'P':
            layers.append(nn.MaxPool2d(2))
            continue
        stage, conv = name.split('/')
        kernel = np.asarray(params[stage][conv]['kernel'])
        layer = nn.Conv2d(channels, kernel.shape[-1], 3, padding=1)
        layer.weight.data = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
        layer.bias.data = torch.from_numpy(np.array(params[stage][conv]['bias']))
        layers += [layer, nn.ReLU()]
        channels = kernel.shape[-1]

    class Flatten(nn.Module):
        def forward(self, z):
            return z.permute(0, 2, 3, 1).flatten(1)

    layers.append(Flatten())
    for name in ('fc1', 'fc2', 'embedding'):
        kernel = np.asarray(params[name]['kernel'])
        layer = nn.Linear(*kernel.shape)
        layer.weight.data = torch.from_numpy(kernel.T.copy())
        layer.bias.data = torch.from_numpy(np.array(params[name]['bias']))
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers)


def make_weights(path: pathlib.Path) -> None:
    """Seeded random weights, the same for both sides."""
    import jax

    from fdx.models import create_model
    from fdx.train.programs import initial_variables
    from fdx.weights.files import save_weights

    params = initial_variables(create_model('vggish', CLASSES), (96, 64, 1), 0)['params']
    params = {k: v for k, v in jax.tree.map(np.asarray, params).items() if k != 'head'}
    about = {'model': 'vggish', 'origin': 'random, seed 0', 'source_sha256': '', 'licence': 'Apache-2.0'}
    save_weights(path, params, about)
