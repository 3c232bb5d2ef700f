"""Compares seconds per step of the networks: fdx and eager PyTorch (channels_last), on the same two cores.

    make bench            (or: .venv-bench/bin/python -m benchmarks.model_steps --out=steps.json)

Networks: resnet50 (16 x 224 x 224 x 3), vgg16 (8 x 224 x 224 x 3) and vggish (32 x 96 x 64 x 1), 10 classes. Jobs:
`all` trains every parameter, `head` trains the classifier of a frozen network (its norms use running statistics, and it
has no gradients), `inference` computes logits. All jobs use float32; training uses cross-entropy and Adam. fdx runs its
own network under jit. Each side of a round is its own process, pinned to the same cores; the sides take turns, and
medians over all rounds are compared. Targets, fdx over PyTorch: all layers 2.0 for resnet50 and 1.8 for vggish, head
and inference 1.05; for vgg16, all layers and inference 1.1.

If PyTorch is in another environment than fdx, give --torch_python=/path/to/its/python.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHAPES = {'resnet50': (16, 224, 224, 3), 'vgg16': (8, 224, 224, 3), 'vggish': (32, 96, 64, 1)}
JOBS = ('all', 'head', 'inference')
TARGETS = {
    ('resnet50', 'all'): 2.0,
    ('resnet50', 'head'): 1.05,
    ('resnet50', 'inference'): 1.05,
    ('vgg16', 'all'): 1.1,
    ('vgg16', 'inference'): 1.1,
    ('vggish', 'all'): 1.8,
}
CLASSES, LEARNING_RATE, WARM_UP = 10, 1e-4, 2


def batch(model: str) -> tuple[np.ndarray, np.ndarray]:
    """Seeded inputs [B, H, W, C] and labels [B]."""
    rng = np.random.default_rng(0)
    shape = SHAPES[model]
    return rng.standard_normal(shape, dtype=np.float32), rng.integers(0, CLASSES, shape[0])


def fdx_step(name: str, job: str):
    """A function without arguments that runs one step of fdx and waits for it."""
    import jax
    import jax.numpy as jnp
    import optax

    from fdx.models import create_model
    from fdx.models.resnet import norm_paths

    options = {'frozen_norms': norm_paths()} if name == 'resnet50' and job == 'head' else {}
    model = create_model(name, CLASSES, dropout_rate=0.0, **options)
    x, labels = (jnp.asarray(a) for a in batch(name))
    variables = dict(jax.jit(model.init)(jax.random.key(0), x[:1]))
    params, rest = variables.pop('params'), variables
    if job == 'inference':
        forward = jax.jit(lambda params, rest, x: model.apply({'params': params, **rest}, x)[0])
        return lambda: forward(params, rest, x).block_until_ready()
    trained = params if job == 'all' else {'head': params['head']}
    optimiser = optax.adam(LEARNING_RATE)

    def step(trained, frozen, rest, opt, x, labels):
        def loss_fn(trained):
            variables = {'params': {**frozen, **trained}, **rest}
            (logits, _), new = model.apply(variables, x, train=True, mutable=list(rest))
            return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), new

        grads, new = jax.grad(loss_fn, has_aux=True)(trained)
        updates, opt = optimiser.update(grads, opt)
        return optax.apply_updates(trained, updates), {**rest, **new}, opt

    frozen = {k: v for k, v in params.items() if k not in trained}
    compiled = jax.jit(step, donate_argnums=(0, 2, 3))
    state = [trained, rest, optimiser.init(trained)]

    def run():
        state[:] = compiled(state[0], frozen, state[1], state[2], x, labels)
        jax.block_until_ready(state)

    return run


def torch_step(name: str, job: str):
    """The same step in eager PyTorch."""
    import torch
    from torch import nn

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    if name == 'resnet50':
        import torchvision

        network = torchvision.models.resnet50()
        head, network.fc = nn.Linear(2048, CLASSES), nn.Identity()
    elif name == 'vgg16':
        import torchvision

        network = torchvision.models.vgg16(init_weights=False, dropout=0.0)
        head, network.classifier[6] = nn.Linear(4096, CLASSES), nn.Identity()
    else:
        network, head = _torch_vggish(nn), nn.Linear(128, CLASSES)
    network = network.to(memory_format=torch.channels_last)
    x, labels = (torch.from_numpy(a) for a in batch(name))
    x = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    if job == 'inference':
        network.eval()

        def infer():
            with torch.inference_mode():
                head(network(x))

        return infer
    trained = [*network.parameters(), *head.parameters()] if job == 'all' else list(head.parameters())
    network.train(job == 'all')
    optimiser = torch.optim.Adam(trained, lr=LEARNING_RATE)

    def run():
        optimiser.zero_grad()
        with torch.set_grad_enabled(job == 'all'):
            features = network(x)
        nn.functional.cross_entropy(head(features), labels).backward()
        optimiser.step()

    return run


def _torch_vggish(nn):
    layers, channels = [], 1
    for width, pool in ((64, True), (128, True), (256, False), (256, True), (512, False), (512, True)):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()] + [nn.MaxPool2d(2)] * pool
        channels = width
    layers.append(nn.Flatten())
    for into, out in ((12288, 4096), (4096, 4096), (4096, 128)):
        layers += [nn.Linear(into, out), nn.ReLU()]
    return nn.Sequential(*layers)


def time_side(side: str, model: str, job: str, steps: int) -> list[float]:
    """Seconds of each of `steps` steps after compilation and warm-up."""
    run = {'fdx': fdx_step, 'torch': torch_step}[side](model, job)
    for _ in range(WARM_UP):
        run()
    seconds = []
    for _ in range(steps):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return seconds


def spawn(side: str, model: str, job: str, args: argparse.Namespace) -> list[float]:
    """`time_side` in a process of its own."""
    python = args.torch_python if side == 'torch' else sys.executable
    command = [python, '-m', 'benchmarks.model_steps', f'--side={side}', f'--models={model}', f'--jobs={job}']
    command += [f'--steps={args.steps}', f'--cores={args.cores}']
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    return json.loads(out.strip().splitlines()[-1])


def compare(args: argparse.Namespace) -> list[dict]:
    """One row for each network and job: medians, ratio and target; printed as soon as they are known."""
    print(f'{"network":10s} {"job":10s} {"fdx s":>8s} {"torch s":>8s} {"ratio":>6s} {"target":>6s}', flush=True)
    rows = []
    for model in args.models.split(','):
        for job in args.jobs.split(','):
            times: dict[str, list[float]] = {'fdx': [], 'torch': []}
            for _ in range(args.rounds):
                for side, seconds in times.items():
                    seconds += spawn(side, model, job, args)
            fdx, torch = (statistics.median(times[side]) for side in ('fdx', 'torch'))
            row = {'model': model, 'job': job, 'fdx_s': fdx, 'torch_s': torch, 'ratio': fdx / torch}
            row |= {'target': TARGETS.get((model, job)), 'seconds': times}
            target = f'{row["target"]:6.2f}' if row['target'] else '     -'
            print(f'{model:10s} {job:10s} {fdx:8.3f} {torch:8.3f} {row["ratio"]:6.2f} {target}', flush=True)
            rows.append(row)
    return rows


def main() -> None:
    """Compares both sides, or runs one side if --side is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--models', default=','.join(SHAPES), help='comma-separated')
    parser.add_argument('--jobs', default=','.join(JOBS), help='comma-separated')
    parser.add_argument('--rounds', type=int, default=3, help='processes a side, in turns')
    parser.add_argument('--steps', type=int, default=5, help='timed steps a process')
    parser.add_argument('--cores', type=int, default=2, help='cores that each side is pinned to')
    parser.add_argument('--torch_python', default=sys.executable, help='interpreter with torch and torchvision')
    parser.add_argument('--out', default='', help='JSON file of all measurements')
    parser.add_argument('--side', choices=('fdx', 'torch'), help='run this side of one network and job, print seconds')
    args = parser.parse_args()
    for value, known in ((args.models, SHAPES), (args.jobs, JOBS)):
        if set(value.split(',')) - set(known):
            parser.error(f'{value!r}: choose from {", ".join(known)}')
    # Both libraries use as many threads as they have cores, so the cores are set before either is imported.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    if args.side:
        print(json.dumps(time_side(args.side, args.models, args.jobs, args.steps)))
        return
    rows = compare(args)
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(rows, indent=1) + '\n')


if __name__ == '__main__':
    main()
