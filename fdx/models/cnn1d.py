"""The four-layer 1-D network of the transfer benchmark for machine faults, on raw windows of a signal.

Zhao et al., "Applications of unsupervised deep transfer learning to intelligent fault diagnosis: a survey and
comparative study", IEEE Transactions on Instrumentation and Measurement 70, 2021: four convolutions without padding,
a hidden layer and a bottleneck whose output the adaptation losses see. Arrays keep an axis of one band, [B, T, 1, C],
so that layers, probes and plots of the image networks fit. Kernels start by He's rule here, and by torch's uniform
rule in the paper.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from fdx.models.batch_norm import BatchNorm
from fdx.models.cell_pool import max_pool
from fdx.models.conv import DIMENSIONS, he_init, on_cpu
from fdx.models.layers import ExampleDropout, flatten_examples, scaled_widths
from fdx.models.pooling import max_of_axes
from fdx.models.staged import Staged
from fdx.types import ConfigError

# Output channels and samples of the kernel of each convolution.
LAYERS = {'conv1': (16, 15), 'conv2': (32, 3), 'conv3': (64, 3), 'conv4': (128, 3)}
FC_WIDTH = BOTTLENECK_WIDTH = 256
POSITIONS = 4
# Four positions after conv4 need 8 before conv3, 16 before the pool and 32 samples at the input.
SHORTEST = 32


def segments(length: int, count: int) -> list[tuple[int, int]]:
    """(start, stop) of `count` cells that cover an axis: floor(i L / count) to ceil((i + 1) L / count), as in torch.

    Cells overlap by one where `count` does not divide the length, and repeat where the axis is shorter than `count`.
    """
    return [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]


@jax.custom_vjp
def _max_in_time(x: jax.Array) -> jax.Array:
    """Maximum over T of x [B, T, F, C], kept as an axis of one; the gradient goes to the first largest value.

    The rule of `jnp.max` asks which values equal the maximum. After a norm, XLA may compute x again for the gradient
    and round it differently, so that no value does. The index of the largest value always exists.
    """
    return max_of_axes(x, (1,))


def _max_backward(x, g):
    place = x.argmax(1, keepdims=True)
    return (jnp.where(jax.lax.broadcasted_iota(place.dtype, x.shape, 1) == place, g, 0),)


_max_in_time.defvjp(lambda x: (_max_in_time(x), x), _max_backward)


def adaptive_max_pool(x: jax.Array, count: int = POSITIONS) -> jax.Array:
    """[B, T, F, C] -> [B, count, F, C]: the maxima of the `segments` of the time axis, for any T."""
    cells = [_max_in_time(x[:, start:stop]) for start, stop in segments(x.shape[1], count)]
    return jnp.concatenate(cells, axis=1)


def conv_in_time(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolution in time without padding: x [B, T, 1, C], kernel [size, 1, C, C'] -> [B, T - size + 1, 1, C'].

    On CPU it is one matrix product of shifted slices side by side. XLA's gradients of a 1-D convolution are slow: a
    training step of the whole network (64 x 1024) took 0.60 s with it and 0.33 s with products on two busy cores. The
    product has two axes: with four, XLA copies the output's gradient into another order first, and a step took 0.32
    instead of 0.25 s of CPU time.
    """
    if not on_cpu():
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), 'VALID', dimension_numbers=DIMENSIONS)
    size, features = kernel.shape[0], kernel.shape[-1]
    steps = x.shape[1] - size + 1
    columns = jnp.concatenate([x[:, i : i + steps] for i in range(size)], axis=-1)
    product = columns.reshape(-1, columns.shape[-1]) @ kernel.reshape(-1, features)
    return product.reshape(*columns.shape[:-1], features)


class Conv(nn.Module):
    """A convolution in time without padding; parameters `kernel` [size, 1, C, features] and `bias` [features].

    Attributes:
      features: output channels.
      size: samples of the kernel.
    """

    features: int
    size: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, T, 1, C] -> [B, T - size + 1, 1, features]."""
        kernel = self.param('kernel', he_init(), (self.size, 1, x.shape[-1], self.features))
        y = conv_in_time(x, kernel)
        return y + self.param('bias', nn.initializers.zeros, (self.features,))


class Stage(nn.Module):
    """Convolution, norm and ReLU. A max pool by 2 follows conv2; the maxima of four parts follow conv4.

    Attributes:
      layer: a key of LAYERS, which decides kernel and pool.
      features: output channels.
      axis_name, frozen_norms: see `BatchNorm`.
    """

    layer: str
    features: int
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, T, 1, C] -> [B, T', 1, features]; T' is 4 after conv4."""
        x = Conv(self.features, LAYERS[self.layer][1], name='conv')(x)
        x = BatchNorm(self.features, self.axis_name, self.frozen_norms, name='bn')(x, train=train, mask=mask)
        x = nn.relu(x)
        if self.layer == 'conv2':
            return max_pool(x, (2, 1), (2, 1))
        return adaptive_max_pool(x) if self.layer == 'conv4' else x


class CNN1D(Staged):
    """Four convolutions, a hidden layer and a bottleneck: windows of a signal in, logits and named features out.

    Windows are [B, T, 1, C] of C sensors, T at least 32; `conv1` is [B, T - 14, 1, 16], `conv4` [B, 4, 1, 128]. The
    embedding [B, 256] is the output of the bottleneck, in front of the dropout.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of the bottleneck and of the classifier (0.5 in the original).
      width_multiplier: scales every hidden width, the bottleneck included; 1 is the published network.
      frozen_norms: paths of the norms that behave in training as in evaluation (see `norm_paths`).
      axis_name: the pmapped axis, or None; statistics are those of the batch on all devices.
    """

    num_classes: int
    dropout_rate: float = 0.5
    width_multiplier: float = 1.0
    frozen_norms: tuple[str, ...] = ()
    axis_name: str | None = None

    NAME = 'cnn1d'
    STAGES = (*LAYERS, 'fc', 'bottleneck', 'head')
    STEM = 'conv1/conv/.*'
    NORMS = r'conv\d/bn/.*'
    HAS_STATISTICS = True

    def known_norms(self) -> tuple[str, ...]:
        """See `norm_paths`."""
        return norm_paths()

    def parts(self) -> dict[str, nn.Module]:
        """The convolutions, both dense layers, and the dropout between the dense layers."""
        widths = [features for features, _ in LAYERS.values()]
        *convs, fc, bottleneck = scaled_widths([*widths, FC_WIDTH, BOTTLENECK_WIDTH], self.width_multiplier)
        return {
            **{name: Stage(name, width, self.axis_name, self.frozen_norms) for name, width in zip(LAYERS, convs)},
            'fc': nn.Dense(fc, kernel_init=he_init()),
            'bottleneck': nn.Dense(bottleneck, kernel_init=he_init()),
            'fc_dropout': ExampleDropout(self.dropout_rate, self.axis_name),
        }

    def check_input(self, shape: tuple[int, ...], start: int) -> None:
        """Raises ConfigError for windows that are too short, or that have several bands."""
        if start == 0:
            _check_size(shape)

    def apply_stage(self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """As in the base class; dense layers take one row per example, and dropout precedes the bottleneck."""
        if name == 'fc':
            return nn.relu(self.fc(flatten_examples(x)))
        if name == 'bottleneck':
            # Dropout belongs to the stage that follows it, so that cached outputs of a frozen stage get a new mask in
            # every step.
            return nn.relu(self.bottleneck(self.fc_dropout(x, train=train)))
        return super().apply_stage(name, x, train=train, mask=mask)


def norm_paths() -> tuple[str, ...]:
    """Paths of all norms in the order of the network: 'conv1/bn' to 'conv4/bn'."""
    return tuple(f'{name}/bn' for name in LAYERS)


def _check_size(shape: tuple[int, ...]) -> None:
    """Raises ConfigError unless `shape` is [T, 1, C] with enough samples for every part of the last pool."""
    given = ' x '.join(map(str, shape))
    if len(shape) != 3 or shape[1] != 1:
        raise ConfigError(
            f"cnn1d takes windows of samples x 1 x channels, not {given}: take the front end 'waveform', or cnn_small "
            'for images'
        )
    if shape[0] < SHORTEST:
        raise ConfigError(f'cnn1d needs at least {SHORTEST} samples, the windows have {given}: take longer windows')
