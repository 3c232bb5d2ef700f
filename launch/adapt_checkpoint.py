"""`launch.adapt --checkpoint`: a finished run and unlabelled windows, without the data of the source."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

from absl import flags

from fdx.adapt.source_free.config import DEFAULT_METHOD, SOURCE_FREE_METHODS, SourceFreeConfig
from fdx.adapt.source_free.run import adapt_checkpoint
from fdx.evaluate.source_free_results import source_free_results
from fdx.files import write_json
from fdx.types import ConfigError

from .config_flags import MAX_SEED, define_fields
from .display import progress, table
from .prepare_on_demand import prepare_if_missing
from .recordings_flags import given_flags

FLAGS = flags.FLAGS
flags.disclaim_key_flags()
# Flags that only go with --checkpoint; the others of SourceFreeConfig are those of adaptation with a source.
OWN = ('checkpoint', 'step', 'pseudo_weight', 'prior_windows')
# Flags that are fields of no config.
OF_PROGRAM = ('workdir', 'manual_dir')


def define_checkpoint_flags() -> None:
    """--checkpoint and what goes with it alone."""
    skip = [f.name for f in dataclasses.fields(SourceFreeConfig) if f.name not in OWN]
    define_fields(SourceFreeConfig, skip=skip)


def refuse_checkpoint_flags() -> None:
    """ConfigError for flags and methods that need --checkpoint, where there is a source."""
    for name in OWN:
        if FLAGS[name].present:
            raise ConfigError(f'--{name} goes with --checkpoint=RUN in place of --source')
    if FLAGS.method in SOURCE_FREE_METHODS:
        raise ConfigError(f'--method={FLAGS.method} adapts a finished run: name it with --checkpoint, without --source')


def plan_of_flags() -> SourceFreeConfig:
    """The SourceFreeConfig of the flags; a flag that is not given takes the field's own default, not the flag's.

    Raises:
      ConfigError: a flag that the run of the checkpoint decides, or a method that needs the source.
    """
    fields = [f.name for f in dataclasses.fields(SourceFreeConfig)]
    program = {flag.name for flag in FLAGS.get_flags_for_module(_program())}
    others = sorted(n for n in program if FLAGS[n].present and n not in (*fields, *OF_PROGRAM, *given_flags()))
    if others:
        raise ConfigError(
            f'--{others[0]} goes with --source: with --checkpoint, the run decides its network, labels and input; '
            'leave it out'
        )
    if FLAGS['method'].present and FLAGS.method not in SOURCE_FREE_METHODS:
        raise ConfigError(
            f'--method={FLAGS.method} needs the windows of the source: give --source in place of --checkpoint, or use '
            f'{", ".join(SOURCE_FREE_METHODS)}'
        )
    if FLAGS['seed'].present and not 0 <= FLAGS.seed < MAX_SEED:
        raise ConfigError(f'--seed={FLAGS.seed}: a whole number from 0 to {MAX_SEED - 1}')
    given: dict[str, Any] = {name: FLAGS[name].value for name in fields if FLAGS[name].present}
    return SourceFreeConfig(**{'method': DEFAULT_METHOD, **given})


def _program() -> str:
    """The module whose flags these are, as absl names it."""
    return FLAGS.find_module_defining_flag('workdir')


def epoch_line(row: dict) -> str:
    """One row of the history as a line; no score of the target is in it."""
    return (
        f'epoch {row["epoch"]:3d}  target, no labels: entropy {row["entropy"]:.4f}  infomax {row["infomax"]:.4f}  '
        f'other class than before {100 * row["changed"]:5.1f}%  {row["seconds"]:.1f} s'
    )


def adapt_from_checkpoint() -> None:
    """Runs what the flags say, prints the table and writes results.json."""
    plan = plan_of_flags()
    name = plan.name()
    data_dir = plan.data_dir or FLAGS['data_dir'].default
    prepared = prepare_if_missing(name.dataset, data_dir, FLAGS.manual_dir)
    plan = dataclasses.replace(
        plan, target=':'.join(filter(None, (prepared, '+'.join(name.domains)))), data_dir=data_dir
    )
    workdir = pathlib.Path(FLAGS.workdir)
    result = adapt_checkpoint(plan, workdir, progress=progress, on_epoch=lambda row: print(epoch_line(row), flush=True))
    results = source_free_results(result, plan)
    write_json(workdir / 'results.json', results)
    print(_table(results))
    print(f'best step {result.best_step} by {plan.select_by}; {result.seconds:.1f} s\nresults: {workdir}/results.json')


def _table(results: dict[str, Any]) -> str:
    """The network before and after: what needs no labels, and scores where there are some."""
    header = ['network', 'entropy', 'infomax', 'target accuracy %', '95 % by recording', 'macro F1']
    rows = []
    for what in ('before', 'after'):
        found = results[what]
        cells = [what, f'{found["entropy"]:.3f}', f'{found["infomax"]:.3f}']
        if found['score'] is None:
            rows.append([*cells, '-', '-', '-'])
            continue
        low, high = found['score']['accuracy_interval']
        accuracy, f1 = found['score']['accuracy'], found['score']['macro_f1']
        rows.append([*cells, f'{100 * accuracy:.1f}', f'{100 * low:.1f} to {100 * high:.1f}', f'{f1:.3f}'])
    return f'\n{results["words"]}\n{table(header, rows)}'
