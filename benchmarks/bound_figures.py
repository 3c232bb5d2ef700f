"""The passages of README.md and docs/results.md whose figures come from files; `benchmarks.published` says how.

Every function returns the passages of one file under docs/benchmarks. The words are those of the pages; the figures
are computed.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

from .bound_hand_entered import hand_entered
from .bound_pretraining import pretraining
from .bound_study import study
from .published import HAND_ENTERED, File, Passage, between, mean, share

SEEDS = (0, 1, 2)
# The methods that "the other nine" of the machines means: all but source_only and dirt_t.
OTHER_NINE = ('adabn', 'mk_mmd', 'jmmd', 'coral', 'dann', 'cdan', 'cdan_e', 'mcc', 'entropy')
DEFAULT = 'source_risk'


def _accuracy(file: File) -> Callable[..., list[float]]:
    """Values per seed of the accuracy by the default criterion."""
    return lambda **fields: file.values('accuracy', part=DEFAULT, **fields)


def _interval(file: File, **fields: str) -> str:
    """'42 windows: 92-100', of a single row."""
    (row,) = file.rows(**fields)
    low, high = row['interval']
    return f'{row["windows"]} windows: {100 * low:.0f}-{100 * high:.0f}'


def loads(root: pathlib.Path) -> list[str]:
    """From each motor load to each other."""
    file = File(root, 'loads.json', SEEDS, ['source time_blocks, test part of time_blocks'])
    accuracy, windows = _accuracy(file), [row['windows'] for row in file.rows(input='mel')]
    mel = {m: accuracy(input='mel', method=m) for m in ('source_only', 'jmmd', 'mcc', 'adabn', 'coral', 'dann')}
    time = {m: accuracy(input='time', method=m) for m in ('source_only', 'mk_mmd', 'jmmd', 'dann')}
    best, next_best = share(mel['jmmd'], mel['mcc']), share(mel['adabn'], mel['coral'], mel['dann'])
    source, low = share(mel['source_only']), share(time['source_only'])
    adapted = between([sum(time[m]) / len(SEEDS) for m in ('mk_mmd', 'jmmd', 'dann')], digits=1)
    return [
        'loads: CWRU, nine faults, from each motor load to each other (12 pairs) '
        f'| {source} | JMMD and MCC {best}, AdaBN, CORAL and DANN {next_best} | |',
        f'({min(windows)} to {max(windows)} per pair of loads and seed)',
        f"DANN's {mean(mel['dann'])} and JMMD's {mean(mel['jmmd'])} differ by one window",
        f'source only {low} %, with MK-MMD, JMMD or DANN {adapted}',
        '| CWRU, load to load, no target labels (JMMD) | target test windows, 12 pairs '
        f'| {best} % (source only {source}) |',
    ]


def machines(root: pathlib.Path) -> list[str]:
    """Between the drive end of CWRU and MFPT."""
    scored = [
        'source time_blocks, test part of by_recording',
        'source by_recording, test part of time_blocks',
        'source time_blocks, all target windows',
        'source by_recording, all target windows',
    ]
    file = File(root, 'machines.json', SEEDS, scored)
    accuracy = _accuracy(file)
    found = []
    labels = {
        'cwru -> mfpt': 'machines: CWRU -> MFPT, inner against outer race',
        'mfpt -> cwru': 'the same, MFPT -> CWRU',
    }
    for task, label in labels.items():
        source = mean(accuracy(input='mel', method='source_only', task=task))
        dirt = mean(accuracy(input='mel', method='dirt_t', task=task))
        others = between(sum(accuracy(input='mel', method=m, task=task)) / len(SEEDS) for m in OTHER_NINE)
        orders = {'input': 'fault_orders', 'method': 'source_only', 'task': task}
        chance = ' (chance)' if source == '50.0' else ''
        found.append(
            f'| {label} | {source}{chance} | DIRT-T {dirt}, {others} the other nine '
            f'| {mean(accuracy(**orders))} ({_interval(file, **orders)}) |'
        )
    orders = {'input': 'fault_orders', 'method': 'source_only', 'task': 'cwru -> mfpt'}
    number = file.rows(**orders)[0]['windows']
    raw = mean(accuracy(input='time', method='source_only'), digits=0)
    envelope = mean(accuracy(input='envelope', method='source_only'), digits=0)
    return [
        *found,
        f'aw samples ({raw} %) and the envelope spectrum in shaft orders ({envelope} %',
        f'| CWRU -> MFPT, another machine, fault orders | all {number} windows '
        f'| {mean(accuracy(**orders))} % (log-mel: chance) |',
    ]


def rigs(root: pathlib.Path) -> list[str]:
    """Between three simulated machines."""
    accuracy = _accuracy(File(root, 'rigs.json', SEEDS, ['source time_blocks, test part of time_blocks']))
    mel = {m: share(accuracy(input='mel', method=m)) for m in ('source_only', 'adabn', 'mk_mmd', 'entropy', 'dirt_t')}
    orders = {m: share(accuracy(input='fault_orders', method=m)) for m in ('source_only', 'mk_mmd')}
    return [
        f'| rigs: three simulated machines, three states (6 pairs) | {mel["source_only"]} '
        f'| AdaBN {mel["adabn"]}, MK-MMD {mel["mk_mmd"]} '
        f'| {orders["source_only"]} (MK-MMD on top: {orders["mk_mmd"]}) |',
        f'entropy {mel["entropy"]} %, dirt_t {mel["dirt_t"]} %, source only {mel["source_only"]} %',
        '| three simulated machines, fault orders | target test windows, 6 pairs '
        f'| {orders["source_only"]} % (log-mel {mel["source_only"]}) |',
    ]


def imbalance(root: pathlib.Path) -> list[str]:
    """Remedies for rare faults."""
    file = File(root, 'imbalance.json', SEEDS, ['time_blocks'])
    remedies = ('none', 'class_weight', 'oversample', 'mixup', 'specaugment', 'smote_embedding', 'gan')
    names = {'cwru/load0_12k': 'CWRU load 0', 'bearing_rig': 'simulated bearing'}
    found, behind = [], []
    for task, words in names.items():
        for ratio in (1, 5, 20, 50):
            values = {m: file.values('macro_f1', task=f'{task} 1:{ratio}', method=m) for m in remedies}
            means = {m: sum(v) / len(v) for m, v in values.items()}
            behind.append(max(means[m] for m in remedies if m not in ('none', 'gan')) - means['gan'])
            if ratio >= 20:
                found.append(f'| {words}, 1:{ratio} | ' + ' | '.join(share(v) for v in values.values()) + ' |')
    rare = {m: file.values('macro_f1', task='cwru/load0_12k 1:20', method=m) for m in ('none', 'class_weight')}
    gain = 100 * (sum(rare['class_weight']) - sum(rare['none'])) / len(SEEDS)
    windows = file.rows(task='cwru/load0_12k 1:20', method='none')[0]['windows'][0]
    return [
        *found,
        f'at 1:20 on CWRU they are worth {gain:.0f} points',
        f'{between(behind, digits=1)} points behind in all eight settings',
        f'CWRU has {windows} test windows per seed',
    ]


def passages(root: pathlib.Path) -> list[Passage]:
    """All passages, computed from the files of a checkout.

    Raises:
      DataError: a file was measured with another protocol or other seeds than its passages say.
    """
    studies = (loads, machines, rigs, imbalance, pretraining, study)
    found = [Passage(text, f'{study.__name__}.json') for study in studies for text in study(root)]
    return [*found, *(Passage(text, HAND_ENTERED) for text in hand_entered(root))]
