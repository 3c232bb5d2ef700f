"""The paragraph of the pretraining page that answers whether sound or images serve better; every word is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LABELS = 5
SOUND, IMAGES = ('musicnn_mtt', 'musicnn_msd', 'audioset_yamnet'), ('imagenet_lite0', 'vgg16_hed')
YAMNET, MUSIC, ORDERS = 'audioset_yamnet', ('musicnn_mtt', 'musicnn_msd'), 'fault_orders linear'
# Tasks from machine to machine, and on a machine that no network has seen.
FOREIGN = ('rig_machines', 'unseen_machine_adi', 'unseen_machine_hit')
# Means that differ by less, in percent, are called equal.
EQUAL = 1.0
# Network -> the same one untrained.
UNTRAINED = {
    'musicnn_mtt': 'musicnn_vgg untrained',
    'audioset_yamnet': 'yamnet untrained',
    'imagenet_lite0': 'lite0 untrained',
    'vgg16_hed': 'vgg16 untrained',
}
Means = Mapping[str, float]


def answer(tasks: Sequence[Mapping[str, Any]]) -> str:
    """The paragraph, of the tasks and networks that were measured; '' where they do not suffice.

    Args:
      tasks: of `benchmarks.pretraining_results.assemble`.
    """
    means = {task['name']: means_of(task) for task in tasks}
    both = {name: found for name, found in means.items() if _best(found, SOUND) and _best(found, IMAGES)}
    if not both:
        return ''
    parts = [
        '**Is a network that knows sound better than one that knows images?** Frozen, with five labels a class, the '
        'best network of sound (of three) against the better one of images (of two), named after the fact, in percent: '
        f'{"; ".join(_pair(name, found) for name, found in both.items())}. {_tally(both)}'
    ]
    return ' '.join([*parts, *_yamnet(means.get(FOREIGN[0], {})), *_gains(means), *_orders(means)])


def means_of(task: Mapping[str, Any]) -> dict[str, float]:
    """Network -> mean score in percent with LABELS labels a class, of the rows that were measured."""
    score = task.get('score', 'accuracy')
    cells = {row['network']: cell for row in task['rows'] for cell in row.get('cells', ()) if cell['shots'] == LABELS}
    return {name: 100 * cell[score]['mean'] for name, cell in cells.items()}


def _best(means: Means, names: Sequence[str]) -> str:
    """The best of some networks, '' where none was measured."""
    return max((name for name in names if name in means), key=lambda name: means[name], default='')


def _words(means: Means, name: str) -> str:
    return f'{means[name]:.1f} (`{name}`)'


def _pair(task: str, means: Means) -> str:
    """'`cwru_loads` 98.7 (`musicnn_mtt`) against 92.6 (`imagenet_lite0`)'."""
    return f'`{task}` {_words(means, _best(means, SOUND))} against {_words(means, _best(means, IMAGES))}'


def _tally(both: Mapping[str, Means]) -> str:
    gains = [found[_best(found, SOUND)] - found[_best(found, IMAGES)] for found in both.values()]
    sound, images = sum(gain >= EQUAL for gain in gains), sum(gain <= -EQUAL for gain in gains)
    return (
        f'Sound is ahead by a point or more in {sound} of these {len(gains)} tasks, images in {images}, and '
        f'{len(gains) - sound - images} differ by less.'
    )


def _yamnet(means: Means) -> list[str]:
    """Whether YAMNet beats musicnn from machine to machine."""
    music = _best(means, MUSIC)
    if not music or YAMNET not in means:
        return []
    gain = means[YAMNET] - means[music]
    verdict = 'beats' if gain >= EQUAL else 'is no better than' if gain > -EQUAL else 'is worse than'
    return [
        f'From machine to machine (`{FOREIGN[0]}`) frozen YAMNet {verdict} musicnn: {_words(means, YAMNET)} and '
        f'{_words(means, music)}.'
    ]


def _gains(means: Mapping[str, Means]) -> list[str]:
    """What the weights are worth beside random ones, where the machine is a new one."""
    parts = []
    for network, untrained in UNTRAINED.items():
        of_network = [
            f'{means[task][network] - means[task][untrained]:+.1f} (`{task}`)'
            for task in FOREIGN
            if {network, untrained} <= set(means.get(task, {}))
        ]
        parts += [f'`{network}` {", ".join(of_network)}'] if of_network else []
    if not parts:
        return []
    return [f'Points that the weights are worth there beside random ones: {"; ".join(parts)}.']


def _orders(means: Mapping[str, Means]) -> list[str]:
    """What beats fault orders where the machine is a new one; the judge, which reads evidence, is named by itself."""
    found = []
    for task in FOREIGN:
        of_task = means.get(task, {})
        best = _best(of_task, (*SOUND, *IMAGES))
        if ORDERS in of_task and best:
            gain = of_task[best] - of_task[ORDERS]
            verdict = 'does' if gain >= EQUAL else 'comes within a point' if gain > -EQUAL else 'does not'
            judge = f', the judge has {of_task["universal_judge"]:.1f}' if 'universal_judge' in of_task else ''
            found.append(
                f'`{task}`: the best one {verdict}, {_words(of_task, best)} against {of_task[ORDERS]:.1f}{judge}'
            )
    if not found:
        return []
    return [
        'Does a frozen network of sound or images beat a linear head on fault orders, which need no network, on '
        f'another machine? {"; ".join(found)}.'
    ]
