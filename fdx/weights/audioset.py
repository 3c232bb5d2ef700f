"""VGGish as trained on audio of the size of YouTube-100M (Hershey et al., ICASSP 2017), fetched and converted once.

The weights are Google's (Apache-2.0). The file is their port to torch by the project torchvggish; its name contains the
first digits of its SHA-256.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

from fdx.weights.fetch import fetch_converted

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

    Args:
      cache_dir: the cache folder; by default `fdx.weights.cache.cache_folder()`.
      url: address of the .pth file.
      sha256_prefix: first digits of its SHA-256.
      width_multiplier: option of the network in the file.
      progress: see `fdx.weights.cache.download_file`.

    Raises:
      WeightsError: see `fdx.weights.fetch.fetch_converted`.
    """
    options = {} if width_multiplier == 1.0 else {'width_multiplier': width_multiplier}
    return fetch_converted(
        'vggish',
        url,
        sha256_prefix=sha256_prefix,
        licence=LICENCE,
        cache_dir=cache_dir,
        progress=progress,
        **options,
    )
