r"""The study's whole table in one command: VGGish, YAMNet and VGG16 on bearings, and what the study left open.

    python -m launch.study --workdir=runs/study

Di Maggio (Sensors 23(1):211, 2023) trained a new classifier on VGGish, VGGish from scratch, YAMNet, and VGG16 on
wavelet images, on chunks of 120 recordings that were dealt at random. This program trains the same four on
bearing_rig/medium, which has that layout, and asks each of them about the study's random windows (which leak), about
speeds and loads that training never saw, and about another machine. It prints the table and writes study.md,
study.json and study.png: accuracies of training, validation and test, precision and recall per class, confusion
matrices, losses over the epochs, seconds, and the study's figures beside them.

YAMNet's and VGG16's weights come from the package index; without an index these rows are left out, and the page says
so. VGGish takes AudioSet's weights where they can be had, else it learns from another simulated machine first
(--vggish_init).

With recordings of your own in the study's layout (three states, several speeds and loads), named as STATE_SPEED_LOAD:

    python -m launch.study --manual_dir=RECORDINGS --sample_rate=20480 --workdir=runs/mine

where RECORDINGS holds files such as normal_127rpm_0kN.csv and outer_race_997rpm_124.8kN.csv. --pattern describes other
names, and --recordings takes a manifest. Files are cut into chunks of 1.6 s as in the study (--window_s, --hop_s).

The same four networks on public recordings, of which --manual_dir or FDX_RAW_DATA names the folder:

    python -m launch.study --dataset=cwru/load0_12k --manual_dir=RECORDINGS
    python -m launch.study --dataset=adi_cbm/all --manual_dir=RECORDINGS

Every cell (a network, a question, a seed) is kept in WORKDIR. The same command continues a stopped one, and another
--dataset in the same WORKDIR adds a section to the page. Fewer updates are quicker: --scratch_updates=216 is the
study's number, which takes six minutes for each question.
"""

from __future__ import annotations

import logging
import pathlib
import shlex
import time

from absl import flags

from fdx.benchmarks import page
from fdx.benchmarks.grid import Call
from fdx.benchmarks.study_models import MODELS, Budget, get_models
from fdx.benchmarks.study_page import KIND
from fdx.benchmarks.study_rows import table_of
from fdx.benchmarks.study_run import Settings, run
from fdx.benchmarks.study_source import source_of
from fdx.benchmarks.study_suite import NAME
from fdx.types import ConfigError

from . import cli
from .display import epoch_line, progress, table
from .recordings_flags import define_recordings_flags, given_flags, recordings_of_flags
from .workdirs import locks_workdir

FLAGS = flags.FLAGS
DATASET, OWN = 'bearing_rig/medium', 'recordings/rig'


def define_flags() -> None:
    """The flags of this program."""
    budget = Budget()
    flags.DEFINE_string(
        'dataset', DATASET, f'builder/config; with --manual_dir alone it is {OWN}, recordings of your own'
    )
    flags.DEFINE_list('models', [m.name for m in MODELS], 'rows: some of them, with commas')
    flags.DEFINE_list(
        'questions',
        None,
        'some of the questions to the dataset: random_windows, unseen_speeds, unseen_loads, unseen_bearings; by '
        'default all that it has',
    )
    flags.DEFINE_string(
        'vggish_init',
        'auto',
        'where VGGish transfer starts: audioset, rig_a (trained first on a simulated machine), auto (audioset where it '
        'can be had, else rig_a), a file of weights, or the workdir of a run',
    )
    flags.DEFINE_integer('seeds', 1, 'seeds 0, 1, ... of splits, order and new layers', lower_bound=1)
    flags.DEFINE_integer('head_updates', budget.head, 'updates of a classifier on a frozen network', lower_bound=1)
    flags.DEFINE_integer('scratch_updates', budget.scratch, 'updates of VGGish from scratch', lower_bound=1)
    flags.DEFINE_integer('vgg16_updates', budget.vgg16, "updates of VGG16's last block", lower_bound=1)
    flags.DEFINE_float('width_multiplier', 1.0, 'scales VGGish; 1 is the published network')
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets')
    flags.DEFINE_string('manual_dir', None, 'folder of raw recordings; else FDX_RAW_DATA')
    flags.DEFINE_string('workdir', 'runs/study', 'where cells and the page go')
    define_recordings_flags()
    flags.DEFINE_bool('publish', False, 'write the page to OUT, too')
    flags.DEFINE_string('out', 'docs/benchmarks', 'folder of published pages, for --publish')


@locks_workdir
def main(argv) -> None:
    """Fills the cells, writes the page and prints its table."""
    del argv
    began = time.perf_counter()
    # The tables of frozen parameters are for launch.train.
    logging.getLogger('fdx').setLevel(logging.ERROR)
    out = pathlib.Path(FLAGS.out)
    if FLAGS.publish:
        page.read_page(out, NAME, KIND)  # Fails before the hours of work, not after them.
    elif FLAGS['out'].present:
        raise ConfigError(f'--out={FLAGS.out} is where --publish writes: add --publish, or leave --out out')
    dataset = _dataset()
    own = recordings_of_flags(FLAGS.manual_dir or '') if _is_own(dataset) else None
    source = source_of(dataset, FLAGS.manual_dir, own)
    if FLAGS.publish and source.own:
        raise ConfigError(f'--publish is for recordings that others can have: the page of {dataset} stays in --workdir')
    budget = Budget(head=FLAGS.head_updates, scratch=FLAGS.scratch_updates, vgg16=FLAGS.vgg16_updates)
    settings = Settings(get_models(FLAGS.models), budget, FLAGS.vggish_init, FLAGS.width_multiplier, FLAGS.questions)
    written = run(_call(dataset), source, settings)
    data = page.read_page(written.parent, NAME, KIND)
    for title, header, rows in table_of(data, source.stem):
        print(f'\n{title}\n{table(header, rows)}')
    print(f'\npage: {written}\nwhole study: {time.perf_counter() - began:.0f} s')
    if FLAGS.publish:
        print(f'published: {page.publish(written.parent, NAME, KIND, out)}')


def _dataset() -> str:
    """The dataset; recordings of one's own where only their folder is given."""
    named = FLAGS['dataset'].present
    return FLAGS.dataset if named or not (FLAGS.manual_dir or given_flags()) else OWN


def _is_own(dataset: str) -> bool:
    return dataset.partition('/')[0] == OWN.partition('/')[0]


def _call(dataset: str) -> Call:
    return Call(
        root=pathlib.Path(FLAGS.workdir),
        data_dir=FLAGS.data_dir,
        manual_dir=FLAGS.manual_dir,
        seeds=FLAGS.seeds,
        command=_command(dataset),
        say=lambda line: print(line, flush=True),
        on_epoch=lambda row: print(f'    {epoch_line(row)}', flush=True),
        progress=progress,
    )


def _command(dataset: str) -> str:
    """The call that measures these cells again, for the page."""
    words = [f'python -m launch.study --dataset={dataset} --seeds={FLAGS.seeds}']
    named = (
        'models',
        'questions',
        'vggish_init',
        'head_updates',
        'scratch_updates',
        'vgg16_updates',
        'width_multiplier',
    )
    words += [shlex.quote(FLAGS[name].serialize()) for name in (*named, *given_flags()) if FLAGS[name].present]
    return ' '.join(words)


if __name__ == '__main__':
    define_flags()
    cli.run(main)
