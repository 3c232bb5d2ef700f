r"""Answers a question with a table.

What pretraining on sound, on images or on machines is worth (linear heads and fine-tuning):

    python -m launch.benchmark --suite=pretraining --manual_dir=RECORDINGS
    python -m launch.benchmark --suite=pretraining --tasks=motor_rig    # only this part of the page
    python -m launch.benchmark --suite=pretraining --networks=audioset_yamnet --publish    # adds its rows to the page

What adaptation without target labels is worth, between motor loads, between real machines, between simulated ones:

    python -m launch.benchmark --suite=loads --methods=source_only,dann,mcc --seeds=3 --manual_dir=RECORDINGS
    python -m launch.benchmark --suite=machines --manual_dir=RECORDINGS
    python -m launch.benchmark --suite=rigs --inputs=fault_orders

What several labelled domains are worth for one that training does not see:

    python -m launch.benchmark --suite=generalise --inputs=mel --manual_dir=RECORDINGS

What remedies for rare faults are worth, including a GAN:

    python -m launch.benchmark --suite=imbalance --manual_dir=RECORDINGS

Your own machine (own_machine): folders of a few dozen recordings, as a new user has them, scored by recording:

    python -m launch.benchmark --suite=own_machine --manual_dir=RECORDINGS

The same rows on recordings of your own, described by the flags of launch.train; --tasks then takes protocols:

    python -m launch.benchmark --suite=own_machine --dataset=recordings/pumps --recordings=pumps/ --seeds=1
    python -m launch.benchmark --suite=own_machine --dataset=recordings/rig --recordings=rig/ \
        --pattern='{label}_{speed_rpm}.mat' --bearing=skf_6205 --tasks=by_domain --inputs='fdx train,fault orders'

Machines that fdx has never seen (unseen): each machine is left out of all learning, scored by recording; --tasks takes
machines, --methods takes rows:

    python -m launch.benchmark --suite=unseen --manual_dir=RECORDINGS
    python -m launch.benchmark --suite=unseen --methods=control_orders --tasks=adi_cbm,mfpt

Healthy recordings only (health): each machine is learned from healthy recordings and judges the others; --tasks takes
machines, --methods takes rows:

    python -m launch.benchmark --suite=health --manual_dir=RECORDINGS
    python -m launch.benchmark --suite=health --tasks=adi_cbm,femto_1_1 --methods=default:auto,rms:limit

Every cell is kept in WORKDIR. The same command continues a stopped one, and after a finished one only writes the page
again. Writes WORKDIR/pages/SUITE.md, .json and .png. With --publish the page goes to OUT as well, unless the page
there has figures that the new one lacks. The page of your own recordings stays in WORKDIR.
"""

from __future__ import annotations

import logging
import pathlib
import shlex

from absl import flags

from fdx.benchmarks import own_dataset, own_machine_run, page, pretraining_suite
from fdx.benchmarks.adaptation_suite import INPUTS
from fdx.benchmarks.grid import Call
from fdx.types import ConfigError

from . import cli
from .benchmark_suites import flags_read_by, kind_of, run_suite, words_of_methods, words_of_tasks
from .display import epoch_line, progress
from .prepare_on_demand import built_source, prepare_if_missing
from .recordings_flags import check_own_name, define_recordings_flags, given_flags, recordings_of_flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program."""
    networks = [n.name for n in pretraining_suite.NETWORKS]
    flags.DEFINE_enum('suite', 'pretraining', list(flags_read_by()), 'which benchmark')
    flags.DEFINE_list('tasks', None, words_of_tasks())
    flags.DEFINE_list('networks', networks, 'pretraining: networks to ask; rows of the others stay on the page')
    flags.DEFINE_integer('draws', 20, 'pretraining: how often few labels are drawn, for each seed')
    flags.DEFINE_bool('fine_tune', True, 'pretraining: also train whole networks, where a task asks for it')
    flags.DEFINE_list('methods', None, words_of_methods())
    flags.DEFINE_list(
        'inputs',
        list(INPUTS),
        'adaptation: inputs to compare, of those that the suite has; own_machine: parts of names',
    )
    flags.DEFINE_string(
        'dataset', None, 'own_machine: a dataset of your own in place of ADI and HIT, recordings/NAME; NAME is yours'
    )
    define_recordings_flags()
    flags.DEFINE_integer('seeds', 3, 'seeds 0, 1, ... of networks, order and draws')
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets')
    flags.DEFINE_string('manual_dir', None, 'folder of raw recordings, to prepare datasets; else FDX_RAW_DATA')
    flags.DEFINE_string('workdir', 'runs/benchmark', 'where cells, features and trained networks go')
    flags.DEFINE_bool('publish', False, 'write the page to OUT, too')
    flags.DEFINE_string('out', 'docs/benchmarks', 'folder of published pages, for --publish')


def main(argv) -> None:
    """Runs the suite that the flags name."""
    del argv
    # The tables of frozen parameters are for launch.train, the list of classes left out for launch.adapt.
    logging.getLogger('fdx').setLevel(logging.ERROR)
    if FLAGS.seeds < 1:
        raise ConfigError(f'--seeds={FLAGS.seeds}: at least 1')
    read_by = flags_read_by()
    foreign = {name for names in read_by.values() for name in names} - set(read_by[FLAGS.suite])
    given = [f'--{name}' for name in sorted(foreign) if FLAGS[name].present]
    if given:
        raise ConfigError(f'{", ".join(given)} has no part in --suite={FLAGS.suite}: leave it out')
    if FLAGS.suite == 'own_machine' and (FLAGS.dataset or given_flags()):
        _run_own(_call())
        return
    kind, out = kind_of(FLAGS.suite), pathlib.Path(FLAGS.out)
    if FLAGS.publish:
        page.read_page(out, FLAGS.suite, kind)  # Fails before the hours of work, not after them.
    elif FLAGS['out'].present:
        raise ConfigError(f'--out={FLAGS.out} is where --publish writes: add --publish, or leave --out out')
    written = run_suite(FLAGS.suite, _call(), _given, draws=FLAGS.draws, fine_tune=FLAGS.fine_tune)
    print(f'\npage: {written}')
    if FLAGS.publish:
        print(f'published: {page.publish(written.parent, FLAGS.suite, kind, out)}')
    else:
        print(f'To publish it as {out / written.name}, give the same command with --publish.')


def _run_own(call: Call) -> None:
    """The suite own_machine on the user's own recordings."""
    if not FLAGS.dataset:
        raise ConfigError(f'--{given_flags()[0]} describes recordings of your own: add --dataset=recordings/NAME')
    check_own_name(FLAGS.dataset)
    for name in ('publish', 'out'):
        if FLAGS[name].present:
            raise ConfigError(
                f'--{name} is for pages on recordings that others can have: the page of --dataset={FLAGS.dataset} '
                f'stays in {call.pages}'
            )
    own = recordings_of_flags(built_source(FLAGS.dataset, FLAGS.data_dir, FLAGS.manual_dir, renew=True))
    if own is None:
        raise ConfigError(
            f'--dataset={FLAGS.dataset}: each row reads the recordings anew: add --recordings=FOLDER_OR_MANIFEST'
        )
    prepared = prepare_if_missing(FLAGS.dataset, FLAGS.data_dir, FLAGS.manual_dir, renew=True)
    study = own_dataset.own_study(prepared, FLAGS.data_dir, own, _given('tasks'), _given('inputs'))
    print(f'\npage: {own_machine_run.run_own(call, study)}')


def _call() -> Call:
    """The settings from the flags that every study takes."""
    return Call(
        root=pathlib.Path(FLAGS.workdir),
        data_dir=FLAGS.data_dir,
        manual_dir=FLAGS.manual_dir,
        seeds=FLAGS.seeds,
        command=_command(),
        say=lambda line: print(line, flush=True),
        on_epoch=lambda row: print(f'    {epoch_line(row)}', flush=True),
        progress=progress,
    )


def _command() -> str:
    """The call that measures these cells again, for the page."""
    words = [f'python -m launch.benchmark --suite={FLAGS.suite} --seeds={FLAGS.seeds}']
    if FLAGS.suite == 'pretraining':
        words.append(f'--draws={FLAGS.draws}')
    if FLAGS.dataset:
        words += [shlex.quote(FLAGS[name].serialize()) for name in ('dataset', *given_flags())]
    for name in ('tasks', 'networks', 'methods', 'inputs'):
        if FLAGS[name].present:
            words.append(shlex.quote(f'--{name}={",".join(FLAGS[name].value)}'))
    return ' '.join(words if FLAGS.fine_tune else [*words, '--nofine_tune'])


def _given(name: str) -> tuple[str, ...] | None:
    """The values of a list flag; None if it was not given, so that the study decides."""
    return tuple(FLAGS[name].value) if FLAGS[name].present else None


if __name__ == '__main__':
    define_flags()
    cli.run(main)
