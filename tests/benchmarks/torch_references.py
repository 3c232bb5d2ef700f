"""Run by test_references_torch.py in a Python that has PyTorch: python torch_references.py IN.npz OUT.npz.

IN holds fdx's parameters of a small `cnn1d` as a/b/c, windows, and features and logits for the terms.
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from benchmarks.references import cdan, common, dann, jmmd, mk_mmd
from benchmarks.references.recipe import Recipe

COUNT = 6  # examples of the source among those of the terms


def load_network(given: dict[str, np.ndarray]) -> common.Network:
    """The network with fdx's parameters."""
    network = common.Network(1, given['params/head/bias'].size, dropout_rate=0.5)
    modules = list(network.convolutions)
    convs = [m for m in modules if isinstance(m, torch.nn.Conv1d)]
    norms = [m for m in modules if isinstance(m, torch.nn.BatchNorm1d)]
    values = {}
    for i, (conv, norm) in enumerate(zip(convs, norms), 1):
        values[conv.weight] = given[f'params/conv{i}/conv/kernel'][:, 0].transpose(2, 1, 0)
        values[conv.bias] = given[f'params/conv{i}/conv/bias']
        values[norm.weight], values[norm.bias] = given[f'params/conv{i}/bn/scale'], given[f'params/conv{i}/bn/bias']
        values[norm.running_mean] = given[f'batch_stats/conv{i}/bn/mean']
        values[norm.running_var] = given[f'batch_stats/conv{i}/bn/var']
    # fdx flattens positions before channels.
    fc = given['params/fc/kernel']
    values[network.fc.weight] = fc.reshape(4, -1, fc.shape[1]).transpose(2, 1, 0).reshape(fc.shape[1], -1)
    values[network.fc.bias] = given['params/fc/bias']
    for layer, name in ((network.bottleneck, 'bottleneck'), (network.head, 'head')):
        values[layer.weight], values[layer.bias] = given[f'params/{name}/kernel'].T, given[f'params/{name}/bias']
    with torch.no_grad():
        for tensor, value in values.items():
            assert tensor.shape == value.shape
            tensor.copy_(torch.from_numpy(value.copy()))
    return network


def terms(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every term's value, and its gradients into features and logits."""
    found = {}
    kinds = {'mk_mmd': mk_mmd.MkMmd, 'jmmd': jmmd.Jmmd, 'dann': dann.Dann, 'cdan': cdan.Cdan}
    for name, kind in kinds.items():
        features, logits = (torch.from_numpy(given[key]).requires_grad_() for key in ('features', 'logits'))
        term = kind(Recipe(hidden=8, discriminator_dropout=0.0), features.shape[1], logits.shape[1])
        with torch.no_grad():
            for parameter in term.parameters():  # One known discriminator: weights 0.1 and 0.2 in turns, biases 0.
                pattern = 0.1 * (1 + torch.arange(parameter.numel()) % 2)
                parameter.copy_(pattern.reshape(parameter.shape) if parameter.ndim == 2 else torch.zeros(()))
        value = term(features[:COUNT], features[COUNT:], logits[:COUNT], logits[COUNT:])
        value.backward()
        found[name] = value.detach().numpy()
        found[f'{name}/features'] = features.grad.numpy()
        found[f'{name}/logits'] = np.zeros_like(given['logits']) if logits.grad is None else logits.grad.numpy()
        for i, parameter in enumerate(term.parameters()):
            found[f'{name}/weights{i}'] = parameter.grad.numpy()
    return found


def main() -> None:
    """See above."""
    torch.set_num_threads(1)
    with np.load(sys.argv[1]) as file:
        given = dict(file)
    network = load_network(given).eval()
    with torch.no_grad():
        logits, features = network(torch.from_numpy(given['windows'][:, :, 0].transpose(0, 2, 1).copy()))
    torch.manual_seed(0)
    fresh = common.Network(1, 64, dropout_rate=0.5)
    spreads = {f'spread/{name}': p.detach().numpy().std() for name, p in fresh.named_parameters() if p.ndim > 1}
    largest = {'largest/head': fresh.head.weight.detach().abs().max().numpy()}
    np.savez(sys.argv[2], net_logits=logits, net_features=features, **spreads, **largest, **terms(given))


if __name__ == '__main__':
    main()
