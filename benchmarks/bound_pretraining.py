"""The passages of docs/results.md whose figures come from docs/benchmarks/pretraining.json."""

from __future__ import annotations

import pathlib

from fdx.evaluate.spread import spread_text

from .published import File, between

SEEDS = (0, 1, 2)
# Network of the page -> column of the pages.
FROZEN = ('musicnn_vgg untrained', 'musicnn_mtt', 'musicnn_msd', 'lite0 untrained', 'imagenet_lite0')


# Networks that joined later, by the columns of their table.
LATER = ('fault_orders linear', 'yamnet untrained', 'audioset_yamnet')
# Rows of the table of machines with few labelled recordings.
FEW = (
    'log_mel of yamnet',
    'log_mel of multi_resolution_mel',
    'fault_orders linear',
    'evidence linear',
    'musicnn_vgg untrained',
    'musicnn_mtt',
    'musicnn_msd',
    'yamnet untrained',
    'audioset_yamnet',
    'lite0 untrained',
    'imagenet_lite0',
    'vgg16 untrained',
    'vgg16_hed',
    'universal_judge',
    'universal_judge no labels',
)
MACHINES, LABELS = ('unseen_machine_adi', 'unseen_machine_hit'), (1, 2, 5)


class _Pretraining:
    """Cells of pretraining.json in words."""

    def __init__(self, root: pathlib.Path):
        protocols = ('within_domain', 'domain_pairs', 'time_blocks', 'few_recordings')
        self._file = File(root, 'pretraining.json', SEEDS, protocols)
        self._tasks = {task['name']: task for task in self._file.data['tasks']}

    def _row(self, task: str, network: str) -> dict:
        found = self._tasks[task]
        self._file.check(f'{task}, {network}', [(found['protocol'], found['measured']['seeds'])])
        return next(row for row in found['rows'] if row['network'] == network)

    def frozen(self, task: str, network: str, shots: int = 5) -> str:
        """The score of linear heads, '-' where it was not measured."""
        row = self._row(task, network)
        if 'cells' not in row:
            return '-'
        cell = next(c for c in row['cells'] if c['shots'] == shots)
        return spread_text(cell[self._tasks[task].get('score', 'accuracy')], percent=True, sign='+-')

    def mean(self, task: str, network: str, shots: int = 5) -> float:
        """Mean accuracy of linear heads."""
        return next(c for c in self._row(task, network)['cells'] if c['shots'] == shots)['accuracy']['mean']

    def plain(self, task: str, front_end: str, shots: int = 5) -> str:
        """Mean accuracy without a network."""
        return self.frozen(task, f'log_mel of {front_end}', shots).partition(' ')[0]

    def whole(self, task: str, network: str) -> str:
        """Accuracy of the fine-tuned network."""
        return spread_text(self._row(task, network)['fine_tuned']['accuracy'], percent=True, sign='+-')

    def line(self, task: str, words: str, shots: int = 5) -> str:
        """A row of the table."""
        plain = ' / '.join(self.plain(task, f, shots) for f in ('musicnn', 'multi_resolution_mel'))
        return f'| {words} | {plain} | ' + ' | '.join(self.frozen(task, n, shots) for n in FROZEN) + ' |'

    def later(self, task: str, words: str, shots: int = 5) -> str:
        """A row of the table of the networks that joined later."""
        return f'| {words} | ' + ' | '.join(self.frozen(task, n, shots) for n in LATER) + ' |'

    def few(self, network: str) -> str:
        """A row of the table of machines with few labelled recordings."""
        return f'| {network} | ' + ' | '.join(self.frozen(t, network, k) for t in MACHINES for k in LABELS) + ' |'


def pretraining(root: pathlib.Path) -> list[str]:
    """Frozen and fine-tuned networks."""
    page = _Pretraining(root)
    pairs = (
        ('musicnn_mtt', 'musicnn_vgg untrained'),
        ('musicnn_msd', 'musicnn_vgg untrained'),
        ('imagenet_lite0', 'lite0 untrained'),
    )
    gains = [page.mean('rig_machines', of) - page.mean('rig_machines', untrained) for of, untrained in pairs]
    motor = {n: page.frozen('motor_rig', n) for n in ('lite0 untrained', 'imagenet_lite0', 'motor_resnet50')}
    head = [f'{float(motor[n].partition(" ")[0]):.0f}' for n in ('imagenet_lite0', 'lite0 untrained')]
    loads_of = {n: page.whole('cwru_loads', n) for n in FROZEN}
    rigs_of = {n: page.whole('rig_machines', n) for n in FROZEN}
    single = {n: page.whole('cwru_load0', n) for n in FROZEN}
    hundred = {single[n].partition(' ')[0] for n in FROZEN if n != 'lite0 untrained'}.pop()
    return [
        f'From machine to machine it is worth {between(gains)} points',
        page.later('cwru_loads', 'CWRU, load to load'),
        page.later('cwru_load0', 'CWRU, load 0'),
        page.later('rig_machines', 'simulated bearings, machine to machine'),
        *(page.few(network) for network in FEW),
        page.line('cwru_one_load', 'CWRU, one load -> the same load'),
        page.line('cwru_one_load', 'the same, one label a class', shots=1),
        page.line('cwru_loads', 'CWRU, each load -> each other load'),
        page.line('rig_machines', 'simulated bearings, each machine -> each other machine'),
        f'| simulated motor, three axes at 512 Hz | {page.plain("motor_rig", "triaxial_mel")} | - | - | - '
        f'| {motor["lite0 untrained"]} | {motor["imagenet_lite0"]} |',
        f'load 0 has {hundred} % with and without it',
        f'load to load has {loads_of["musicnn_vgg untrained"]} untrained, {loads_of["musicnn_mtt"]} with MTT and '
        f'{loads_of["musicnn_msd"]} with MSD',
        f'load 0: {hundred} against {single["lite0 untrained"]}; load to load: {loads_of["imagenet_lite0"]} against '
        f'{loads_of["lite0 untrained"]}',
        f'({rigs_of["musicnn_vgg untrained"]} untrained, {rigs_of["musicnn_mtt"]} MTT, {rigs_of["musicnn_msd"]} MSD)',
        f'ImageNet much ({rigs_of["imagenet_lite0"]} against {rigs_of["lite0 untrained"]})',
        f"with ImageNet's weights ({page.whole('motor_rig', 'imagenet_lite0')}) or without "
        f'({page.whole("motor_rig", "lite0 untrained")}; chance is 25)',
        f'its frozen features has {head[0]} and {head[1]}',
        f'has {page.whole("motor_rig", "motor_resnet50")} whole and {motor["motor_resnet50"]} frozen',
    ]
