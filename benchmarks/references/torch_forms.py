"""The networks of fdx as plain eager PyTorch, for their speed alone: the same layers and widths, random weights.

`build` gives what is in front of the classifier, and the classifier. Networks are torchvision's where it has them.
Strided convolutions pad symmetrically, where fdx's EfficientNet-Lite0 and YAMNet pad as TensorFlow does; the sizes of
all maps are the same. tests/benchmarks/test_references_torch.py compares the numbers of parameters with those of fdx.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

# Cell and stride of musicnn's pools, as (frames, bands).
MUSICNN_POOLS = (((4, 1), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)))
# Blocks, width, kernel, stride and expansion of EfficientNet-Lite0's stages.
LITE0 = (
    (1, 16, 3, 1, 1), (2, 24, 3, 2, 6), (2, 40, 5, 2, 6), (3, 80, 3, 2, 6), (3, 112, 5, 1, 6), (4, 192, 5, 2, 6),
    (1, 320, 3, 1, 6)
)  # fmt: skip
YAMNET = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1),
    (1024, 2), (1024, 1)
)  # fmt: skip


def build(name: str, shape: Sequence[int], classes: int) -> tuple[nn.Module, nn.Linear]:
    """(network without its classifier, classifier) for examples of `shape`, channels last as fdx states it.

    The network takes [B, C, H, W]; examples of one axis, [B, D].
    """
    network = FORMS[name](tuple(shape))
    network.eval()
    example = torch.zeros(2, *((shape[-1], *shape[:-1]) if len(shape) > 1 else shape))
    with torch.no_grad():
        width = network(example).shape[1]
    return network, nn.Linear(width, classes)


def _resnet50(shape: tuple[int, ...]) -> nn.Module:
    del shape
    import torchvision

    network = torchvision.models.resnet50()
    network.fc = nn.Identity()
    return network


def _vgg16(shape: tuple[int, ...]) -> nn.Module:
    del shape
    import torchvision

    network = torchvision.models.vgg16(init_weights=False, dropout=0.0)
    network.classifier[6] = nn.Identity()
    return network


def _vggish(shape: tuple[int, ...]) -> nn.Module:
    layers: list[nn.Module] = []
    channels = shape[-1]
    for width, pool in ((64, True), (128, True), (256, False), (256, True), (512, False), (512, True)):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()] + [nn.MaxPool2d(2)] * pool
        channels = width
    layers.append(nn.Flatten())
    for into, out in ((12288, 4096), (4096, 4096), (4096, 128)):
        layers += [nn.Linear(into, out), nn.ReLU()]
    return nn.Sequential(*layers)


class MeanAndMaximum(nn.Module):
    """[B, C, H, W] -> [B, 2 C]."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Both over the map, side by side."""
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)


def _musicnn(shape: tuple[int, ...]) -> nn.Module:
    layers: list[nn.Module] = [nn.BatchNorm2d(shape[-1])]
    channels = shape[-1]
    for cell, stride in MUSICNN_POOLS:
        layers += [nn.Conv2d(channels, 128, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(128), nn.MaxPool2d(cell, stride)]
        channels = 128
    return nn.Sequential(*layers, MeanAndMaximum())


def _conv_norm(into: int, out: int, size: int, stride: int, act: Callable | None, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(into, out, size, stride, padding=size // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(out), *([act(inplace=True)] if act else [])]


class Bottleneck(nn.Module):
    """EfficientNet-Lite's block."""

    def __init__(self, into: int, out: int, size: int, stride: int, expansion: int, skip: bool):
        super().__init__()
        inner = into * expansion
        expand = _conv_norm(into, inner, 1, 1, nn.ReLU6) if expansion != 1 else []
        depthwise = _conv_norm(inner, inner, size, stride, nn.ReLU6, groups=inner)
        self.layers = nn.Sequential(*expand, *depthwise, *_conv_norm(inner, out, 1, 1, None))
        self.skip = skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, into, H, W] -> [B, out, H / stride, W / stride]."""
        return x + self.layers(x) if self.skip else self.layers(x)


def _lite0(shape: tuple[int, ...]) -> nn.Module:
    layers, channels = _conv_norm(shape[-1], 32, 3, 2, nn.ReLU6), 32
    for depth, out, size, stride, expansion in LITE0:
        for i in range(depth):
            layers.append(Bottleneck(channels, out, size, 1 if i else stride, expansion, i > 0))
            channels = out
    layers += _conv_norm(channels, 1280, 1, 1, nn.ReLU6)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _yamnet(shape: tuple[int, ...]) -> nn.Module:
    layers, channels = _conv_norm(shape[-1], 32, 3, 2, nn.ReLU), 32
    for width, stride in YAMNET:
        layers += _conv_norm(channels, channels, 3, stride, nn.ReLU, groups=channels)
        layers += _conv_norm(channels, width, 1, 1, nn.ReLU)
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class CNN1D(nn.Module):
    """The network of the references (`references.common`), without its classifier."""

    def __init__(self, channels: int):
        super().__init__()
        from .common import Network

        whole = Network(channels, 1, 0.0)
        self.convolutions, self.fc, self.bottleneck = whole.convolutions, whole.fc, whole.bottleneck

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, T, 1] -> [B, 256]."""
        return self.bottleneck(self.fc(self.convolutions(x[..., 0])).relu()).relu()


def _cnn_small(shape: tuple[int, ...]) -> nn.Module:
    layers: list[nn.Module] = []
    channels = shape[-1]
    for width in (16, 32, 64):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(1024, 256), nn.ReLU())


class MeanOverTime(nn.Module):
    """[B, C, T, F] -> [B, C F]."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Each band's mean."""
        return x.mean(2).flatten(1)


def _band_mlp(shape: tuple[int, ...]) -> nn.Module:
    bands = shape[1] * shape[2]
    hidden = [nn.BatchNorm1d(bands), nn.Linear(bands, 256), nn.ReLU()]
    return nn.Sequential(MeanOverTime(), *hidden, nn.BatchNorm1d(256), nn.Linear(256, 256), nn.ReLU())


def _band_linear(shape: tuple[int, ...]) -> nn.Module:
    return nn.Sequential(MeanOverTime(), nn.BatchNorm1d(shape[1] * shape[2]))


def _mlp(shape: tuple[int, ...]) -> nn.Module:
    return nn.Sequential(nn.Linear(shape[0], 16), nn.ReLU())


class EvidenceJudge(nn.Module):
    """fdx's `evidence_judge` without its classifier."""

    def __init__(self, shape: tuple[int, ...], bands: int = 24):
        super().__init__()
        (rows, columns, targets), self.bands = shape, bands
        self.target, self.band = nn.Parameter(torch.randn(targets, 8)), nn.Parameter(torch.randn(bands, 4))
        self.bands_mlp = self._two(columns + 8 + 4)
        self.rest_mlp = self._two((rows - bands) * columns + 8)
        self.each, self.joint = nn.Linear(96, 32), nn.Linear(32 * targets, 64)

    @staticmethod
    def _two(into: int) -> nn.Sequential:
        gelu = nn.GELU('tanh')
        return nn.Sequential(nn.Linear(into, 64), gelu, nn.Linear(64, 32), gelu)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, targets, rows, columns] -> [B, 64]."""
        x, (size, targets) = x / 3.0, x.shape[:2]
        which = self.target[None, :, None].expand(size, -1, self.bands, -1)
        band = self.band[None, None].expand(size, targets, -1, -1)
        bands = self.bands_mlp(torch.cat([x[:, :, : self.bands], which, band], -1))
        rest = x[:, :, self.bands :].reshape(size, targets, -1)
        rest = self.rest_mlp(torch.cat([rest, self.target[None].expand(size, -1, -1)], -1))
        each = torch.cat([bands.mean(2), bands.amax(2), rest], -1)
        gelu = nn.functional.gelu
        each = gelu(self.each(each), approximate='tanh').reshape(size, -1)
        return gelu(self.joint(each), approximate='tanh')


FORMS: dict[str, Callable[[tuple[int, ...]], nn.Module]] = {
    'resnet50': _resnet50,
    'vgg16': _vgg16,
    'vggish': _vggish,
    'musicnn_vgg': _musicnn,
    'efficientnet_lite0': _lite0,
    'yamnet': _yamnet,
    'cnn1d': lambda shape: CNN1D(shape[-1]),
    'mlp': _mlp,
    'cnn_small': _cnn_small,
    'band_mlp': _band_mlp,
    'band_linear': _band_linear,
    'evidence_judge': EvidenceJudge,
}
