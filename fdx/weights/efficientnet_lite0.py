"""Names of the torch port of EfficientNet-Lite0 and their places in `fdx.models.efficientnet_lite0`.

The port (package efficientnet-lite-pytorch, weights of TensorFlow's checkpoint) numbers the blocks of all stages
consecutively from 0; fdx numbers them within their stage from 1. In a block, norm 0 follows the expansion (which the
blocks of the first stage lack), norm 1 the depthwise convolution, and norm 2 the projection. A depthwise kernel
[C, 1, k, k] has one input channel per group; the layout of convolutions turns it into fdx's [k, k, 1, C]. The counts of
batches are left out on purpose, as in `fdx.weights.resnet50`.
"""

from __future__ import annotations

from collections.abc import Sequence

from fdx.weights.names import Entry, NameTable, module_entries, norm_entries

DEPTHS = (1, 2, 2, 3, 3, 4, 1)


def _conv_norm(conv: str, norm: str, target_conv: str, target_norm: str) -> list[Entry]:
    return [Entry(f'{conv}.weight', f'{target_conv}/kernel', 'conv'), *norm_entries(norm, target_norm)]


def _block(source: str, target: str, *, expand: bool) -> list[Entry]:
    """An inverted bottleneck block: its two or three convolutions with their norms."""
    parts = [('expand', 0)] * expand + [('depthwise', 1), ('project', 2)]
    entries: list[Entry] = []
    for part, norm in parts:
        names = (f'{source}._{part}_conv', f'{source}._bn{norm}', f'{target}/{part}_conv', f'{target}/{part}_bn')
        entries += _conv_norm(*names)
    return entries


def efficientnet_table(depths: Sequence[int] = DEPTHS) -> NameTable:
    """The name table of the port's networks of EfficientNet-Lite0's kind.

    Args:
      depths: blocks of each of the seven stages; (1, 2, 2, 3, 3, 4, 1) is Lite0.

    Returns:
      All arrays of the state dict, including the classifier `_fc`, in the state dict's order.
    """
    entries = _conv_norm('_conv_stem', '_bn0', 'stem/conv', 'stem/bn')
    stages = [(stage, block) for stage, depth in enumerate(depths, 1) for block in range(1, depth + 1)]
    for i, (stage, block) in enumerate(stages):
        entries += _block(f'_blocks.{i}', f'stage{stage}/block{block}', expand=stage > 1)
    entries += _conv_norm('_conv_head', '_bn1', 'top/conv', 'top/bn')
    entries += module_entries('_fc', 'head', 'linear')
    kind = (
        'EfficientNet-Lite0'
        if tuple(depths) == DEPTHS
        else f'EfficientNet-Lite with {"-".join(map(str, depths))} blocks'
    )
    return NameTable(f"efficientnet-lite-pytorch's {kind}", tuple(entries), dropped=r'.*\.num_batches_tracked')


TABLE = efficientnet_table()
