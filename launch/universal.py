"""Makes the judge of `launch.predict --zero_shot` again: simulates ten thousand machines, trains on them, calibrates.

    python -m launch.universal --data_dir=data --workdir=runs/universal --out=runs/universal/judge

No real recording takes part. On one machine the files are the same each time, and `make universal` compares them with
those that fdx ships. With --out=fdx/predict/universal they take their place. A run that was stopped goes on.
"""

from __future__ import annotations

import pathlib

from absl import flags

from fdx.predict.universal.fit import Recipe, make_judge
from fdx.predict.universal.judge import FOLDER, WEIGHTS

from . import cli
from .display import progress

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets')
    flags.DEFINE_string('workdir', 'runs/universal', 'of the training run')
    flags.DEFINE_string('out', 'runs/universal/judge', 'folder for judge.safetensors and judge.json')
    flags.DEFINE_list('seeds', [str(seed) for seed in Recipe.seeds], 'of the networks whose answers are averaged')
    flags.DEFINE_integer('epochs', Recipe.epochs, 'passes over the machines')
    flags.DEFINE_enum('machines', Recipe.trained_on, ['universal', 'small'], 'the machines to learn from')


def main(argv) -> None:
    """Trains and compares."""
    del argv
    calibrated_on = 'calibration' if FLAGS.machines == Recipe.trained_on else FLAGS.machines
    recipe = Recipe(
        trained_on=FLAGS.machines, calibrated_on=calibrated_on, epochs=FLAGS.epochs, seeds=tuple(map(int, FLAGS.seeds))
    )
    card = make_judge(FLAGS.data_dir, FLAGS.workdir, FLAGS.out, recipe, progress=progress, notify=print)
    recall = ', '.join(f'{name} {100 * value:.0f} %' for name, value in card['recall'].items())
    print(f'{card["calibrated_on"]["machines"]} machines that took no part: {recall}')
    shipped, made = FOLDER / WEIGHTS, pathlib.Path(FLAGS.out) / WEIGHTS
    if shipped.exists() and shipped.resolve() != made.resolve():
        same = shipped.read_bytes() == made.read_bytes()
        print(f'{made} is {"bit-equal to" if same else "another file than"} the judge that fdx ships')


if __name__ == '__main__':
    define_flags()
    cli.run(main)
