"""Compares the study's training job in fdx and in eager PyTorch, one after the other on the same cores.

    make bench            (or: .venv-bench/bin/python -m benchmarks.study_job)

The job (Di Maggio, Sensors 23(1):211, 2023, Table 2): VGGish with given weights, of which only a new 3-way head is
trained, 2160 samples split 1728/216/216 at random, batch 32, 4 epochs, validation after each, test at the end. PyTorch
runs the frozen network in every epoch, without gradients (channels_last, all cores), on arrays in memory. fdx does the
whole of `launch.train` and the scoring of `launch.evaluate`, start to end: records are read from disk, steps are
compiled, checkpoints are written and hashed; the frozen features are computed once. Target: at most 0.45.

Prints one line for each round and the ratio of the medians.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

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
        began = time.perf_counter()
        train(config, workdir)
        trained = time.perf_counter()
        predictions = score_run(workdir).predictions
        ended = time.perf_counter()
    accuracy = float((predictions.predicted == predictions.labels).mean())
    return {'seconds': ended - began, 'train_seconds': trained - began, 'accuracy': accuracy}


def run_torch(weights: str, data_dir: str) -> dict:
    """The same job in eager PyTorch, without a cache."""
    import torch
    from torch import nn

    from fdx.data.protocols.splits import split_rows
    from fdx.data.source import open_dataset
    from fdx.weights.files import load_weights

    dataset = open_dataset(DATASET, data_dir)
    splits = split_rows(dataset.table, 'random_windows')
    x = torch.from_numpy(dataset.read(np.arange(len(dataset)), 'spectrogram').transpose(0, 3, 1, 2).copy())
    y = torch.from_numpy(dataset.table['label'].astype(np.int64))
    backbone = _torch_backbone(nn, torch, load_weights(pathlib.Path(weights))[0]).to(memory_format=torch.channels_last)
    head = nn.Sequential(nn.Dropout(0.5), nn.Linear(128, CLASSES))
    began = time.perf_counter()
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
    ended = time.perf_counter()
    return {'seconds': ended - began, 'train_seconds': trained - began, 'accuracy': result}


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


def _make_weights(path: str) -> None:
    """Seeded random weights, the same for both sides."""
    import jax

    from fdx.models import create_model
    from fdx.train.programs import initial_variables
    from fdx.weights.files import save_weights

    params = initial_variables(create_model('vggish', CLASSES), (96, 64, 1), 0)['params']
    params = {k: v for k, v in jax.tree.map(np.asarray, params).items() if k != 'head'}
    about = {'model': 'vggish', 'origin': 'random, seed 0', 'source_sha256': '', 'licence': 'Apache-2.0'}
    save_weights(pathlib.Path(path), params, about)


def main() -> None:
    """Runs the sides in turn, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--data_dir', default='data')
    parser.add_argument('--side', choices=('fdx', 'torch', 'weights'))
    parser.add_argument('--weights', default='')
    args = parser.parse_args()
    if args.side == 'weights':
        return _make_weights(args.weights)
    if args.side:
        run = {'fdx': run_fdx, 'torch': run_torch}[args.side]
        print(json.dumps(run(args.weights, args.data_dir)))
        return None
    from fdx.data.prepare import prepare_if_missing

    prepare_if_missing(DATASET, args.data_dir, notify=print)
    seconds: dict[str, list[float]] = {'fdx': [], 'torch': []}
    with tempfile.TemporaryDirectory() as folder:
        weights = os.path.join(folder, 'weights.safetensors')
        base = [sys.executable, '-m', 'benchmarks.study_job', f'--weights={weights}', f'--data_dir={args.data_dir}']
        subprocess.run([*base, '--side=weights'], check=True)
        for i in range(args.rounds):
            for side, times in seconds.items():
                out = subprocess.run([*base, f'--side={side}'], check=True, capture_output=True, text=True).stdout
                result = json.loads(out.strip().splitlines()[-1])
                times.append(result['seconds'])
                print(f'round {i + 1} {side:5s} {json.dumps(result)}', flush=True)
    medians = {side: statistics.median(times) for side, times in seconds.items()}
    ratio = medians['fdx'] / medians['torch']
    print(f'median seconds: fdx {medians["fdx"]:.1f}, torch {medians["torch"]:.1f}; ratio {ratio:.2f}')
    return None


if __name__ == '__main__':
    main()
