"""Fetches and converts published weights once: the common part of `fdx.weights.audioset` and `.imagenet`."""

from __future__ import annotations

import logging
import os
import pathlib
import posixpath
import urllib.parse
from collections.abc import Callable
from typing import Any

from fdx.types import WeightsError
from fdx.weights.cache import cache_folder, download_file, making
from fdx.weights.convert import convert_file
from fdx.weights.files import file_sha256, manifest_path

logger = logging.getLogger(__name__)


def fetch_converted(
    model: str,
    url: str,
    *,
    sha256_prefix: str,
    licence: str,
    cache_dir: str | os.PathLike | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    **options: Any,
) -> pathlib.Path:
    """Path of the converted weights in the cache; downloads and converts them the first time.

    On a computer without a network, put the file of the URL into the cache folder under its own name; it is used then.

    Args:
      model: name in `fdx.models`.
      url: address of the .pth file.
      sha256_prefix: first digits of its SHA-256.
      licence: licence of the weights, for the manifest.
      cache_dir: the cache folder; by default `fdx.weights.cache.cache_folder()`.
      progress: see `fdx.weights.cache.download_file`.
      **options: options of the network in the file, see `fdx.weights.convert.convert_file`.

    Raises:
      WeightsError: the file cannot be fetched, has another SHA-256, or holds other arrays. No half-written file stays.
    """
    folder = cache_folder(cache_dir)
    name = posixpath.basename(urllib.parse.urlsplit(url).path)
    if not name.endswith('.pth'):
        raise WeightsError(f'{url}: the address names no .pth file')
    source = folder / name
    target = source.with_suffix('.safetensors')
    if not is_made(target):
        with making(target):
            # Another program may have made it while this one waited.
            if not is_made(target):
                _make(model, url, source, target, sha256_prefix, licence, progress, options)
    return target


def is_made(target: pathlib.Path) -> bool:
    """Whether the converted weights and their manifest exist."""
    return target.exists() and manifest_path(target).exists()


def _make(
    model: str,
    url: str,
    source: pathlib.Path,
    target: pathlib.Path,
    sha256_prefix: str,
    licence: str,
    progress: Callable[[int, int | None], None] | None,
    options: dict[str, Any],
) -> None:
    if not source.exists():
        logger.info('downloading %s to %s', url, source.parent)
        download_file(url, source, sha256_prefix=sha256_prefix, progress=progress)
    digest = file_sha256(source)
    if not digest.startswith(sha256_prefix):
        raise WeightsError(
            f'{source}: its SHA-256 is {digest}, it must begin with {sha256_prefix}; delete it and fetch it again '
            f'from {url}'
        )
    convert_file(model, source, target, licence=licence, origin=url, **options)
