"""ResNet-50 and VGG16 as trained on ImageNet-1k by torchvision (BSD-3-Clause), fetched and converted once.

Of ResNet-50, v1 is torchvision's first recipe (top-1 accuracy 76.1%), v2 its longer one with stronger augmentation
(80.9%); VGG16 has one version (71.6%). The first digits of a file's SHA-256 are in its name.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any

from fdx.types import ConfigError
from fdx.weights.fetch import fetch_converted

FOLDER_URL = 'https://download.pytorch.org/models'
VERSIONS = {'v1': '0676ba61', 'v2': '11ad3fa6'}
DEFAULT_VERSION = 'v2'
VGG16_DIGITS = '397923af'
LICENCE = 'BSD-3-Clause'


def version_digits(version: str) -> str:
    """'v2' or '11ad3fa6' -> '11ad3fa6', the first digits of the file's SHA-256.

    Raises:
      ConfigError: an unknown version; the text lists the known ones.
    """
    if version in VERSIONS.values():
        return version
    if version not in VERSIONS:
        known = ', '.join(f'{name} ({digits})' for name, digits in VERSIONS.items())
        raise ConfigError(f'`weights_version`={version}: the ImageNet weights of resnet50 are {known}')
    return VERSIONS[version]


def fetch_imagenet_resnet50(
    version: str = DEFAULT_VERSION,
    cache_dir: str | os.PathLike | None = None,
    *,
    folder_url: str = FOLDER_URL,
    sha256_prefix: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    **options: Any,
) -> pathlib.Path:
    """Path of the converted weights in the cache; downloads 102 MB and converts them the first time.

    Args:
      version: a key of VERSIONS, or its digits.
      cache_dir: the cache folder; by default `fdx.weights.cache.cache_folder()`.
      folder_url: address of the folder of the files.
      sha256_prefix: first digits of the file's SHA-256; by default those in its name.
      progress: see `fdx.weights.cache.download_file`.
      **options: options of the network in the file, see `fdx.weights.convert.convert_file`; the published one needs
        none.

    Raises:
      ConfigError: an unknown version.
      WeightsError: see `fdx.weights.fetch.fetch_converted`.
    """
    digits = version_digits(version)
    return fetch_converted(
        'resnet50',
        f'{folder_url}/resnet50-{digits}.pth',
        sha256_prefix=sha256_prefix or digits,
        licence=LICENCE,
        cache_dir=cache_dir,
        progress=progress,
        **options,
    )


def fetch_imagenet_vgg16(
    cache_dir: str | os.PathLike | None = None,
    *,
    folder_url: str = FOLDER_URL,
    sha256_prefix: str = VGG16_DIGITS,
    progress: Callable[[int, int | None], None] | None = None,
    **options: Any,
) -> pathlib.Path:
    """Path of VGG16's converted weights in the cache; downloads 528 MB and converts them the first time.

    Args:
      cache_dir: the cache folder; by default `fdx.weights.cache.cache_folder()`.
      folder_url: address of the folder of the file.
      sha256_prefix: first digits of the file's SHA-256.
      progress: see `fdx.weights.cache.download_file`.
      **options: options of the network in the file; the published one needs none.

    Raises:
      WeightsError: see `fdx.weights.fetch.fetch_converted`.
    """
    return fetch_converted(
        'vgg16',
        f'{folder_url}/vgg16-{VGG16_DIGITS}.pth',
        sha256_prefix=sha256_prefix,
        licence=LICENCE,
        cache_dir=cache_dir,
        progress=progress,
        **options,
    )
