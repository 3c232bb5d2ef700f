r"""Answers a question with a table.

What pretraining on sound, on images or on machines is worth (linear heads and fine-tuning):

    python -m launch.benchmark --suite=pretraining --manual_dir=RECORDINGS
    python -m launch.benchmark --suite=pretraining --tasks=motor_rig    # this part of the page anew

What adaptation without target labels is worth, between motor loads, between real machines, between simulated ones:

    python -m launch.benchmark --suite=loads --methods=source_only,dann,mcc --seeds=3 --manual_dir=RECORDINGS
    python -m launch.benchmark --suite=machines --manual_dir=RECORDINGS
    python -m launch.benchmark --suite=rigs --inputs=fault_orders

What is done about rare faults, a GAN among the remedies:

    python -m launch.benchmark --suite=imbalance --manual_dir=RECORDINGS

Every cell is kept in WORKDIR: the same command goes on where a stopped one stands, and a finished one only writes the
page anew. Writes OUT/SUITE.md, .json and .png.
"""

from __future__ import annotations

import logging

from absl import flags

from fdx.adapt.methods import METHODS
from fdx.benchmarks import imbalance_suite, pretraining_suite
from fdx.benchmarks.adaptation_suite import INPUTS, SUITES
from fdx.types import ConfigError

from . import benchmark_adaptation, benchmark_imbalance, benchmark_pretraining, cli

FLAGS = flags.FLAGS
# Flags that one kind of suite reads and others do not.
READ_BY = {
    'pretraining': ('tasks', 'networks', 'draws', 'fine_tune'),
    'imbalance': ('tasks', 'methods'),
    **dict.fromkeys(SUITES, ('methods', 'inputs')),
}


def define_flags() -> None:
    """The flags of this program."""
    tasks = {
        name: [t.name for t in suite.TASKS]
        for name, suite in (('pretraining', pretraining_suite), ('imbalance', imbalance_suite))
    }
    networks = [n.name for n in pretraining_suite.NETWORKS]
    flags.DEFINE_enum('suite', 'pretraining', list(READ_BY), 'which benchmark')
    flags.DEFINE_list(
        'tasks',
        None,
        f'pretraining: some of {", ".join(tasks["pretraining"])}, the others stay on the page as they are; imbalance: '
        f'of {", ".join(tasks["imbalance"])}',
    )
    flags.DEFINE_list('networks', networks, 'pretraining: networks to ask')
    flags.DEFINE_integer('draws', 20, 'pretraining: how often few labels are drawn, for each seed')
    flags.DEFINE_bool('fine_tune', True, 'pretraining: also train whole networks, where a task asks for it')
    flags.DEFINE_list(
        'methods',
        None,
        f'adaptation: some of {", ".join(METHODS)} (where not given, slow inputs have a few, the others all); '
        f'imbalance: remedies among {", ".join(imbalance_suite.REMEDIES)}',
    )
    flags.DEFINE_list('inputs', list(INPUTS), 'adaptation: inputs to compare, those that the suite has')
    flags.DEFINE_integer('seeds', 3, 'seeds 0, 1, ... of networks, order and draws')
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets')
    flags.DEFINE_string('manual_dir', None, 'folder of raw recordings, to prepare datasets; else FDX_RAW_DATA')
    flags.DEFINE_string('workdir', 'runs/benchmark', 'where cells, features and trained networks go')
    flags.DEFINE_string('out', 'docs/benchmarks', 'where the page goes')


def main(argv) -> None:
    """Runs the suite that the flags name."""
    del argv
    # The tables of frozen parameters are for launch.train, the list of classes left out for launch.adapt.
    logging.getLogger('fdx').setLevel(logging.ERROR)
    if FLAGS.seeds < 1:
        raise ConfigError(f'--seeds={FLAGS.seeds}: at least 1')
    foreign = {name for names in READ_BY.values() for name in names} - set(READ_BY[FLAGS.suite])
    given = [f'--{name}' for name in sorted(foreign) if FLAGS[name].present]
    if given:
        raise ConfigError(f'{", ".join(given)} has no part in --suite={FLAGS.suite}: leave it out')
    runs = {'pretraining': benchmark_pretraining.run, 'imbalance': benchmark_imbalance.run}
    page = runs.get(FLAGS.suite, benchmark_adaptation.run)()
    print(f'\npage: {page}')


if __name__ == '__main__':
    define_flags()
    cli.run(main)
