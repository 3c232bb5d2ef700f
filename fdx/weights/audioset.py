"""VGGish as trained on audio of the size of YouTube-100M (Hershey et al., ICASSP 2017), fetched and converted once.

The weights are Google's (Apache-2.0); the file is their port to torch by the project torchvggish, whose file name
carries the first digits of its SHA-256.
"""

from __future__ import annotations

import logging
import os
import pathlib
import posixpath
import urllib.parse
from collections.abc import Callable

from fdx.types import WeightsError
from fdx.weights.cache import cache_folder, download_file
from fdx.weights.convert import convert_file
from fdx.weights.files import file_sha256, manifest_path

logger = logging.getLogger(__name__)

URL = 'https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth'
SHA256_PREFIX = '10086976'
LICENCE = 'Apache-2.0'


def fetch_audioset_vggish(
    cache_dir: str | os.PathLike | None = None,
    url: str = URL,
    *,
    sha256_prefix: str = SHA256_PREFIX,
    width_multiplier: float = 1.0,
    progress: Callable[[int, int | None], None] | None = None,
) -> pathlib.Path:
    """Path of the converted weights in the cache; downloads 288 MB and converts them the first time.

    Without a network: put the file of the URL, under its own name, into the cache folder; it is used from there.

    Args:
      cache_dir: the cache folder; by default `fdx.weights.cache.cache_folder()`.
      url: where the .pth file lies.
      sha256_prefix: first digits of its SHA-256.
      width_multiplier: of the network in the file.
      progress: see `fdx.weights.cache.download_file`.

    Raises:
      WeightsError: the file cannot be had, has another SHA-256, or holds other arrays. Nothing half-written stays.
    """
    folder = cache_folder(cache_dir)
    name = posixpath.basename(urllib.parse.urlsplit(url).path)
    if not name.endswith('.pth'):
        raise WeightsError(f'{url}: the address names no .pth file; the published one is {URL}')
    source = folder / name
    target = source.with_suffix('.safetensors')
    if target.exists() and manifest_path(target).exists():
        return target
    if not source.exists():
        logger.info('downloading %s to %s', url, folder)
        download_file(url, source, sha256_prefix=sha256_prefix, progress=progress)
    digest = file_sha256(source)
    if not digest.startswith(sha256_prefix):
        raise WeightsError(
            f'{source}: its SHA-256 is {digest}, it must begin with {sha256_prefix}; delete it and fetch it again '
            f'from {url}'
        )
    options = {} if width_multiplier == 1.0 else {'width_multiplier': width_multiplier}
    convert_file('vggish', source, target, licence=LICENCE, origin=url, **options)
    return target
