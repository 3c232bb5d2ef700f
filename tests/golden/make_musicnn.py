"""Reference outputs of musicnn's VGG: of the original graph, with seeded and with the published weights.

Run with tensorflow-cpu 2.21.0, in an environment of its own (fdx does not depend on TensorFlow), and the wheel of
musicnn 0.1.0 unpacked into FOLDER, nothing of which is run or installed:

    python tests/golden/make_musicnn.py --wheel=FOLDER     # rewrites tests/golden/musicnn.npz

The graph is the one that musicnn/MTT_vgg/.meta holds. The seeded weights are not stored: `seeded_state` draws them
again, here and in the tests, under TensorFlow's names. Stored for the patches of `seeded_patches` and each of the
weights 'seeded', 'mtt' and 'msd': logits [2, 50] and values of the five pools (`thinned`).

`step_...` are of one training step of a slim network, written out in the operations of the graph but without its
dropout: loss, logits, gradients, and the statistics of the batch. It runs in float64, because TensorFlow's float32 sums
over a patch are off by 1e-4. Its fused batch norm, which the graph has, knows float32 only: `fused_...` are what it
makes of the small array of `seeded_maps`, the new running statistics among them.
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np

TARGET = pathlib.Path(__file__).resolve().parent / 'musicnn.npz'
FRAMES, BANDS, CLASSES, WIDTH = 187, 96, 50, 128
STEP_WIDTH, STEP_CLASSES, STEP_EXAMPLES = 8, 5, 3
POOLS = (((4, 1), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (4, 4)))
EPSILON, NEW_SHARE = 1e-3, 0.01


def shapes(width: int, classes: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the variables of the graph."""
    found: dict[str, tuple[int, ...]] = {}
    channels = 1
    for stage in range(len(POOLS) + 1):
        if stage:
            found[f'{stage}CNN/kernel'] = (3, 3, channels, width)
            found[f'{stage}CNN/bias'] = (width,)
            channels = width
        norm = f'batch_normalization_{stage}' if stage else 'batch_normalization'
        found |= {f'{norm}/{name}': (channels,) for name in ('gamma', 'beta', 'moving_mean', 'moving_variance')}
    return found | {'dense/kernel': (2 * width, classes), 'dense/bias': (classes,)}


def seeded_state(width: int = WIDTH, classes: int = CLASSES, seed: int = 6) -> dict[str, np.ndarray]:
    """Random weights and statistics. Scales of both signs: a pool and a norm may then not be exchanged."""
    rng = np.random.default_rng(seed)

    def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name.endswith('kernel'):
            return rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:-1]))
        if name.endswith('gamma'):
            return rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)
        return rng.uniform(0.5, 1.5, shape) if name.endswith('variance') else rng.standard_normal(shape) * 0.3

    return {name: draw(name, shape).astype(np.float32) for name, shape in shapes(width, classes).items()}


def seeded_patches(examples: int = 2) -> np.ndarray:
    """float32 [examples, 187, 96], about the range of log10(10000 power + 1)."""
    rng = np.random.default_rng(9)
    return np.abs(rng.standard_normal((examples, FRAMES, BANDS))).astype(np.float32)


def seeded_maps() -> np.ndarray:
    """float32 [3, 4, 2, 8]: 24 values a channel, so that / 24 and / 23 are told apart."""
    return np.random.default_rng(10).standard_normal((3, 4, 2, STEP_WIDTH)).astype(np.float32) * 2 + 1


def seeded_labels() -> np.ndarray:
    """int64 [STEP_EXAMPLES] of the training step."""
    return np.arange(STEP_EXAMPLES) % STEP_CLASSES


def thinned(maps: np.ndarray) -> np.ndarray:
    """Some values of maps [B, T, F, C], of all of them where they are few."""
    t, f, c = (max(1, n // most) for n, most in zip(maps.shape[1:], (8, 6, 16)))
    return maps[:, ::t, ::f, ::c]


def graph_arrays(wheel: pathlib.Path) -> dict[str, np.ndarray]:
    """Logits and pools of the original graph for all three sets of weights."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    arrays = {}
    definition = tf1.MetaGraphDef.FromString((wheel / 'musicnn/MTT_vgg/.meta').read_bytes())
    for node in definition.graph_def.node:
        # Shapes that the graph's own time inferred; this TensorFlow finds others for the gradients, and refuses both.
        node.attr.pop('_output_shapes', None)
    with tf.Graph().as_default() as graph, tf1.Session() as session:
        saver = tf1.train.import_meta_graph(definition)
        outputs = {f'pool{i + 1}': op.outputs[0] for i, op in enumerate(forward_ops(graph, 'MaxPool'))}
        (outputs['logits'],) = (op.outputs[0] for op in forward_ops(graph, 'BiasAdd') if op.outputs[0].shape.rank == 2)
        x, is_training = (op.outputs[0] for op in placeholders(graph))
        feed = {x: seeded_patches(), is_training: False}
        for name in ('seeded', 'mtt', 'msd'):
            if name == 'seeded':
                state = seeded_state()
                variables = {v.op.name: v for v in tf1.global_variables()}
                for key, value in state.items():
                    variables[key].load(value, session)
            else:
                saver.restore(session, f'{wheel}/musicnn/{name.upper()}_vgg/')
            for key, value in session.run(outputs, feed).items():
                arrays[f'{name}_{key}'] = value if key == 'logits' else thinned(value)
    return arrays


def forward_ops(graph, kind: str) -> list:
    """Operations of a kind in the order of the graph."""
    return [op for op in graph.get_operations() if op.type == kind]


def placeholders(graph) -> tuple:
    """(patches, is_training)."""
    found = [op for op in graph.get_operations() if op.type == 'Placeholder']
    patches = [op for op in found if op.outputs[0].shape.rank == 3]
    flags = [op for op in found if op.outputs[0].dtype.is_bool]
    return patches[0], flags[0]


def step_arrays() -> dict[str, np.ndarray]:
    """One training step without dropout: loss, logits, gradients and statistics of the batch."""
    import tensorflow as tf

    state = {name: np.float64(value) for name, value in seeded_state(STEP_WIDTH, STEP_CLASSES).items()}
    trained = {name: tf.Variable(value) for name, value in state.items() if 'moving' not in name}
    statistics = {}

    def norm(x, name):
        mean, variance = tf.nn.moments(x, (0, 1, 2))
        count = tf.cast(tf.size(x[..., 0]), tf.float64)
        statistics[f'{name}/moving_mean'] = mean
        statistics[f'{name}/moving_variance'] = variance * count / (count - 1)
        beta, gamma = trained[f'{name}/beta'], trained[f'{name}/gamma']
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, EPSILON)

    with tf.GradientTape() as tape:
        x = norm(tf.constant(np.float64(seeded_patches(STEP_EXAMPLES)[..., None])), 'batch_normalization')
        for stage, (cell, stride) in enumerate(POOLS, 1):
            x = tf.nn.conv2d(x, trained[f'{stage}CNN/kernel'], 1, 'SAME') + trained[f'{stage}CNN/bias']
            x = norm(tf.nn.relu(x), f'batch_normalization_{stage}')
            x = tf.nn.max_pool2d(x, cell, stride, 'VALID')
        logits = tf.reshape(x, (len(x), -1)) @ trained['dense/kernel'] + trained['dense/bias']
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(seeded_labels(), logits))
    gradients = tape.gradient(loss, trained)
    flat = {f'gradient/{name}': value for name, value in gradients.items()} | {'loss': loss, 'logits': logits}
    return {f'step_{name.replace("/", ".")}': np.float32(value) for name, value in (flat | statistics).items()}


def fused_arrays() -> dict[str, np.ndarray]:
    """TensorFlow's fused batch norm in training: its output, and the running statistics after it."""
    import tensorflow as tf

    state = seeded_state(STEP_WIDTH, STEP_CLASSES)
    parameters = [
        state[f'batch_normalization_1/{name}'] for name in ('gamma', 'beta', 'moving_mean', 'moving_variance')
    ]
    outputs = tf.compat.v1.nn.fused_batch_norm(
        seeded_maps(), *parameters, epsilon=EPSILON, is_training=True, exponential_avg_factor=NEW_SHARE
    )
    return {f'fused_{name}': value.numpy() for name, value in zip(('output', 'mean', 'variance'), outputs)}


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--wheel', type=pathlib.Path, required=True)
    args = parser.parse_args()
    arrays = graph_arrays(args.wheel) | step_arrays() | fused_arrays()
    np.savez_compressed(TARGET, **arrays)
    for key, value in arrays.items():
        print(key, value.shape, f'max {np.abs(value).max():.6f}')
    print(TARGET.stat().st_size)


if __name__ == '__main__':
    main()
