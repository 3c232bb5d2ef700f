"""VGG16 (Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015).

Five blocks of 3x3 convolutions with ReLU, each ended by a 2x2 max pool, then two fully connected layers (configuration
D of the paper, without norms, as torchvision builds it). Its convolutions are VGGish's with more depth. It reads
wavelet images of vibrations in Shao et al., IEEE TII 15(4):2446, 2019 (front end `scalogram`).

What an image means: 0 is black and 1 is white, channels are red, green and blue, and an image of one channel is grey.
So the same records serve the weights of every origin. torchvision's were trained on (x - mean) / deviation per channel,
Caffe's and those that descend from it (`vgg16_hed`) on blue, green, red with values 0 to 255 minus a mean. The order of
the channels is a permutation of the first kernel, which the conversion of a file carries out bit for bit. The mean and
the scale stay arrays of the network, `block1/mean` and `block1/scale`, because a mean cannot be folded into the first
bias exactly: the origin pads images with zeros after subtraction, so beyond the border lies the mean colour, and the
folded bias would subtract the mean there a second time (tests/models/test_vgg16.py shows both). The two arrays are
constants of the weights: every preset of `freeze` keeps them (`CONSTANTS`).

The fully connected layers see the last map in 7 x 7 cells, channel first, as torchvision flattens it. Other sizes than
224 x 224 are averaged into these cells like `AdaptiveAvgPool2d` does it; where the map is smaller, its values repeat,
and the option `cells` saves the repetition for weights without fully connected layers.
"""

from __future__ import annotations

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from fdx.models.conv import Conv3x3, he_init, max_pool_2x2
from fdx.models.layers import ExampleDropout, flatten_examples, scaled_widths
from fdx.models.staged import Staged
from fdx.types import ConfigError

BLOCK_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
CELLS, FC_WIDTH = 7, 4096
CHANNELS = 3
# torchvision's, for networks that start at random.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SMALLEST = 2 ** len(BLOCK_WIDTHS)


class Block(nn.Module):
    """3x3 'same' convolutions with ReLU, then a 2x2 max pool.

    Attributes:
      widths: output channels of each convolution.
      reads_pixels: whether the block is the first one, which keeps the origin's mean and scale of its input.
    """

    widths: tuple[int, ...]
    reads_pixels: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, F, T, C] -> [B, F // 2, T // 2, widths[-1]]."""
        if self.reads_pixels:
            mean = self.param('mean', lambda key: jnp.asarray(MEAN, jnp.float32))
            scale = self.param('scale', lambda key: 1 / jnp.asarray(DEVIATION, jnp.float32))
            x = ((x - mean) * scale).astype(
                x.dtype
            )  # An image of one channel becomes one of three equal channels here.
        for i, width in enumerate(self.widths, 1):
            x = nn.relu(Conv3x3(width, name=f'conv{i}')(x))
        return max_pool_2x2(x)


class VGG16(Staged):
    """VGG16: images from 32 x 32 on in, logits and named features out.

    Images are [B, F, T, 3] or [B, F, T, 1], values from 0 (black) to 1 (white). The features `block1` to `block5` are
    maps behind the pools, `fc1` and `fc2` vectors [B, 4096] behind their ReLU; the embedding is `fc2`.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of `fc2` and of the classifier (0.5 in the paper).
      width_multiplier: scales every hidden width; 1 is the published network.
      fc_width: width of the fully connected layers before it is scaled; 4096 is the published one.
      cells: rows and columns of the map that the fully connected layers see; 7 is published.
      axis_name: the pmapped axis, or None.
    """

    num_classes: int
    dropout_rate: float = 0.5
    width_multiplier: float = 1.0
    fc_width: int = FC_WIDTH
    cells: int = CELLS
    axis_name: str | None = None

    NAME = 'vgg16'
    STEM = 'block1/conv1/.*'
    CONSTANTS = 'block1/(mean|scale)'
    STAGES = ('block1', 'block2', 'block3', 'block4', 'block5', 'fc1', 'fc2', 'head')

    def check_options(self) -> None:
        """Raises ConfigError for invalid widths or cells."""
        super().check_options()
        for name in ('fc_width', 'cells'):
            value = getattr(self, name)
            if not (isinstance(value, int) and value >= 1):
                raise ConfigError(f'vgg16: `{name}`={value} must be a whole number from 1 on')

    def check_input(self, shape: tuple[int, ...], start: int) -> None:
        """Raises ConfigError for images that are too small for five pools, or have neither 1 nor 3 channels."""
        if start == 0 and (len(shape) != 3 or min(shape[:2]) < SMALLEST or shape[2] not in (1, CHANNELS)):
            raise ConfigError(
                f'vgg16 takes images from {SMALLEST} x {SMALLEST} on, of 1 or {CHANNELS} channels, not '
                f'{" x ".join(map(str, shape))}: choose a front end that makes them, such as scalogram'
            )

    def parts(self) -> dict[str, nn.Module]:
        """The blocks, the dense layers and the dropout in front of the second."""
        w = self.width_multiplier
        blocks = {f'block{i}': Block(scaled_widths(n, w), i == 1) for i, n in enumerate(BLOCK_WIDTHS, 1)}
        (width,) = scaled_widths((self.fc_width,), w)
        dense = {name: nn.Dense(width, kernel_init=he_init()) for name in ('fc1', 'fc2')}
        return {**blocks, **dense, 'fc_dropout': ExampleDropout(self.dropout_rate, self.axis_name)}

    def apply_stage(self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """A block, or a dense layer with its ReLU."""
        del mask
        if name == 'fc1':
            x = flatten_examples(mean_of_cells(x, self.cells).transpose(0, 3, 1, 2))
        elif name == 'fc2':
            # Dropout belongs to the stage that follows it, so that cached outputs of a frozen stage get a new mask in
            # every step.
            x = self.fc_dropout(x, train=train)
        x = getattr(self, name)(x)
        return nn.relu(x) if name in ('fc1', 'fc2') else x


def mean_of_cells(x: jax.Array, cells: int) -> jax.Array:
    """Means of maps [B, H, W, C] in cells: [B, cells, cells, C], by the rule of torch's `AdaptiveAvgPool2d`.

    Cell i of a row of n values reaches from floor(i n / cells) to ceil((i + 1) n / cells), exclusive, so cells of short
    rows overlap and repeat values.
    """
    for axis in (1, 2):
        if x.shape[axis] != cells:
            weights = jnp.asarray(_cell_weights(x.shape[axis], cells))
            x = jnp.moveaxis(jnp.tensordot(weights, x, (1, axis)), 0, axis).astype(x.dtype)
    return x


@functools.cache
def _cell_weights(length: int, cells: int) -> np.ndarray:
    """float32 [cells, length]: the mean of each cell."""
    weights = np.zeros((cells, length), np.float32)
    for i in range(cells):
        first, end = i * length // cells, -((i + 1) * length // -cells)
        weights[i, first:end] = 1 / (end - first)
    return weights
