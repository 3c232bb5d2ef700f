"""Names of torchvision's resnet50 and their places in `fdx.models.resnet`; timm's files of it use the same names.

torchvision numbers layers from 1 and the blocks of a layer from 0; fdx numbers both from 1. The convolutions have no
bias. A batch norm's `num_batches_tracked` counts training steps, which only running averages without momentum need. It
is left out on purpose, and a file may lack it.
"""

from __future__ import annotations

from collections.abc import Sequence

from fdx.weights.names import Entry, NameTable, module_entries, norm_entries

DEPTHS = (3, 4, 6, 3)


def _conv(source: str, target: str) -> Entry:
    return Entry(f'{source}.weight', f'{target}/kernel', 'conv')


def _block(source: str, target: str, *, shortcut: bool) -> list[Entry]:
    """A bottleneck block: three convolutions with their norms, and the projection of a layer's first block."""
    entries: list[Entry] = []
    for i in (1, 2, 3):
        entries += [_conv(f'{source}.conv{i}', f'{target}/conv{i}')]
        entries += norm_entries(f'{source}.bn{i}', f'{target}/bn{i}')
    if shortcut:
        entries += [_conv(f'{source}.downsample.0', f'{target}/shortcut_conv')]
        entries += norm_entries(f'{source}.downsample.1', f'{target}/shortcut_bn')
    return entries


def resnet_table(depths: Sequence[int] = DEPTHS) -> NameTable:
    """The name table of a torchvision ResNet of bottleneck blocks.

    Args:
      depths: blocks of each of the four layers; (3, 4, 6, 3) is ResNet-50, (3, 4, 23, 3) ResNet-101.

    Returns:
      All arrays of the state dict, including the classifier `fc`, in the state dict's order.
    """
    entries = [_conv('conv1', 'stem/conv'), *norm_entries('bn1', 'stem/bn')]
    for layer, blocks in enumerate(depths, 1):
        for i in range(blocks):
            entries += _block(f'layer{layer}.{i}', f'stage{layer}/block{i + 1}', shortcut=i == 0)
    entries += module_entries('fc', 'head', 'linear')
    network = 'resnet50' if tuple(depths) == DEPTHS else f'ResNet with {"-".join(map(str, depths))} blocks'
    return NameTable(f"torchvision's {network}", tuple(entries), dropped=r'.*\.num_batches_tracked')


TABLE = resnet_table()
