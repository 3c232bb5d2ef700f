"""Converts published weights to a file that fdx loads.

python -m launch.convert_weights --model=vggish --source=vggish-10086976.pth --out=vggish.safetensors
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from absl import flags

from fdx.weights.convert import convert_file
from fdx.weights.tables import TABLES
from launch.cli import run

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_enum('model', None, sorted(TABLES), 'Network whose weights these are.', required=True)
    flags.DEFINE_string('source', None, 'The .pth, .pt or .safetensors file with the torch names.', required=True)
    flags.DEFINE_string('out', None, 'The .safetensors file to write; a manifest goes beside it.', required=True)
    flags.DEFINE_string('licence', 'unknown', 'Licence of the weights, for the manifest.')
    flags.DEFINE_float('width_multiplier', 1.0, 'Width of the network in the file; 1 is the published one.')


def main(argv: Sequence[str]) -> None:
    """Converts and says what was written."""
    del argv
    options = {} if FLAGS.width_multiplier == 1.0 else {'width_multiplier': FLAGS.width_multiplier}
    manifest = convert_file(FLAGS.model, FLAGS.source, FLAGS.out, licence=FLAGS.licence, **options)
    print(f'wrote {FLAGS.out}')
    print(f'  arrays      {manifest["arrays"]}')
    print(f'  parameters  {manifest["parameters"]:,}')
    print(f'  bytes       {pathlib.Path(FLAGS.out).stat().st_size:,}')
    print(f'  SHA-256     {manifest["sha256"]}')


if __name__ == '__main__':
    define_flags()
    run(main)
