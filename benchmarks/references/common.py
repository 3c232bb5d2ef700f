"""What the reference methods share: fdx's windows, the network, and one training loop. PyTorch and NumPy only.

The network is fdx's `cnn1d` at full width: four convolutions without padding, a hidden layer and a bottleneck of 256,
and the same initial distributions. Differences that remain between two runs are those of the method and of chance.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .recipe import Recipe

# Output channels and kernel size of the convolutions; a pool by 2 follows the second.
CONVOLUTIONS = ((16, 15), (32, 3), (64, 3), (128, 3))
POSITIONS, WIDTH = 4, 256
# The standard deviation of a standard normal distribution that is cut at two of its standard deviations.
CUT_DEVIATION = 0.87962566103423978

# Term(source_features, target_features, source_logits, target_logits) -> loss.
MakeTerm = Callable[[Recipe, int, int], nn.Module]


class Network(nn.Module):
    """Windows [B, C, T] in, logits [B, K] and the bottleneck's output [B, 256] out, as fdx's `cnn1d`."""

    def __init__(self, channels: int, classes: int, dropout_rate: float):
        super().__init__()
        layers: list[nn.Module] = []
        for i, (width, size) in enumerate(CONVOLUTIONS):
            layers += [nn.Conv1d(channels, width, size), nn.BatchNorm1d(width), nn.ReLU()]
            layers += [nn.MaxPool1d(2)] if i == 1 else []
            channels = width
        self.convolutions = nn.Sequential(*layers, nn.AdaptiveMaxPool1d(POSITIONS), nn.Flatten())
        self.fc = nn.Linear(POSITIONS * channels, WIDTH)
        self.bottleneck = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, classes)
        self.dropout = nn.Dropout(dropout_rate)
        for module in self.modules():
            if isinstance(module, (nn.Conv1d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)
        # linen's default for the classifier: variance 1 / fan_in, cut at two standard deviations.
        spread = WIDTH**-0.5 / CUT_DEVIATION
        nn.init.trunc_normal_(self.head.weight, std=spread, a=-2 * spread, b=2 * spread)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits, and the features that terms see: they are taken in front of the classifier's dropout."""
        x = functional.relu(self.fc(self.convolutions(x)))
        features = functional.relu(self.bottleneck(self.dropout(x)))
        return self.head(self.dropout(features)), features


@dataclasses.dataclass(frozen=True)
class Parts:
    """Windows [N, C, T] and labels [N]; of the target's training windows there are no labels."""

    source: torch.Tensor
    source_labels: torch.Tensor
    target: torch.Tensor
    test: torch.Tensor
    test_labels: torch.Tensor
    classes: int


def read_parts(path: str | pathlib.Path) -> Parts:
    """The file that `records.write_parts` wrote."""
    with np.load(path) as file:
        # fdx's windows are [N, T, 1, C].
        source, target, test = (
            torch.from_numpy(file[name][:, :, 0].transpose(0, 2, 1).copy())
            for name in ('source_train', 'target_train', 'target_test')
        )
        labels, test_labels = (
            torch.from_numpy(file[f'{name}_labels'].astype(np.int64)) for name in ('source_train', 'target_test')
        )
        return Parts(source, labels, target, test, test_labels, len(file['classes']))


def shuffled_rows(count: int, batch_size: int) -> Iterator[torch.Tensor]:
    """Row numbers of one batch after another, in a new order in every pass; a short last batch is left out."""
    if count < batch_size:
        raise SystemExit(f'{count} windows are fewer than one batch of {batch_size}')
    while True:
        yield from torch.randperm(count).split(batch_size)[: count // batch_size]


def train(parts: Parts, make_term: MakeTerm | None, recipe: Recipe, seed: int) -> dict:
    """Trains one network and scores it after every epoch.

    Args:
      parts: windows of both domains.
      make_term: (recipe, width of the features, classes) -> the term; None learns from the source alone.
      recipe: of the run.
      seed: of initial weights, order and dropout.

    Returns:
      `accuracy` on the target's test part after the last epoch, `history` after every epoch, and the medians of the
      seconds of an epoch's steps: `wall_s` and `cpu_s` with the term, `source_cpu_s` without it.
    """
    torch.manual_seed(seed)
    network = Network(parts.source.shape[1], parts.classes, recipe.dropout_rate)
    term = make_term(recipe, WIDTH, parts.classes) if make_term else None
    trained = [*network.parameters(), *(term.parameters() if term else ())]
    optimiser = torch.optim.Adam(trained, lr=recipe.learning_rate)
    source_rows, target_rows = (shuffled_rows(len(x), recipe.batch_size) for x in (parts.source, parts.target))
    history, wall, cpu = [], [], []
    for epoch in range(recipe.epochs):
        for group in optimiser.param_groups:
            group['lr'] = recipe.rate(epoch)
        began, began_cpu = time.perf_counter(), time.process_time()
        network.train()
        for _ in range(len(parts.source) // recipe.batch_size):
            rows = next(source_rows)
            x, labels = parts.source[rows], parts.source_labels[rows]
            if term is None or epoch < recipe.source_epochs:
                loss = functional.cross_entropy(network(x)[0], labels)
            else:
                # One batch of both domains, so that the batch norms see both.
                logits, features = network(torch.cat([x, parts.target[next(target_rows)]]))
                loss = functional.cross_entropy(logits[: len(x)], labels)
                added = term(features[: len(x)], features[len(x) :], logits[: len(x)], logits[len(x) :])
                loss = loss + recipe.term_factor(epoch) * added
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - began_cpu)
        history.append(accuracy(network, parts.test, parts.test_labels))
        print(f'epoch {epoch + 1}: {history[-1]:.3f}, {cpu[-1]:.2f} s', file=sys.stderr, flush=True)
    alone = recipe.epochs if term is None else recipe.source_epochs
    seconds = {'source_cpu_s': statistics.median(cpu[:alone])}
    if alone < recipe.epochs:
        seconds |= {'wall_s': statistics.median(wall[alone:]), 'cpu_s': statistics.median(cpu[alone:])}
    return {'accuracy': history[-1], 'history': history, **seconds}


def accuracy(network: Network, x: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of windows that the network, in evaluation, gives their label."""
    network.eval()
    with torch.no_grad():
        hits = [(network(a)[0].argmax(1) == b).sum().item() for a, b in zip(x.split(64), labels.split(64))]
    return sum(hits) / len(x)


def main(make_term: MakeTerm | None) -> None:
    """The program of a method's file: trains, and prints what it found as one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--parts', required=True, help='file of benchmarks.references.records')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--recipe', type=json.loads, default={}, help='JSON of the settings that differ from Recipe()')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    found = train(read_parts(args.parts), make_term, Recipe(**args.recipe), args.seed)
    print(json.dumps({**found, 'torch': torch.__version__}))
