"""What the pretraining benchmark compares: tasks, networks with their weights, and which go together."""

from __future__ import annotations

import dataclasses

from .probe_heads import ALL_LABELS

# Networks that fdx trains itself, by the name of their weights: (model, dataset, epochs).
IN_DOMAIN = {
    'rig_vggish': ('vggish', 'bearing_rig/rig_a_small', 4),
    'rig_resnet50': ('resnet50', 'bearing_rig/rig_a_small-multi_resolution_mel', 6),
    'motor_resnet50': ('resnet50', 'motor_rig/motor_b_small', 6),
}


# How whole networks are fine-tuned: the same settings for all, which were tuned for none of them.
FINE_TUNING = {'epochs': 20, 'batch_size': 16, 'learning_rate': 3e-4, 'halve_every': 0, 'dropout_rate': 0.0, 'l2': 0.0}


@dataclasses.dataclass(frozen=True)
class Task:
    """One question, which is put to every network.

    Attributes:
      name: of the rows.
      dataset: builder/config without its front end.
      protocol: key of fdx.data.protocols.splits; all folds are pooled.
      shots: labelled windows of each class.
      words: the question, for the table.
      channels: of the recordings.
      trained_on: names of IN_DOMAIN that saw recordings of this dataset: they are not asked.
      fine_tuned: labelled windows of each class with which whole networks are trained, on fold 0; 0: no network is.
    """

    name: str
    dataset: str
    protocol: str
    shots: tuple[int, ...]
    words: str
    channels: int = 1
    trained_on: tuple[str, ...] = ()
    fine_tuned: int = 0


@dataclasses.dataclass(frozen=True)
class Network:
    """One network with its weights.

    Attributes:
      name: of the rows.
      model: name in fdx.models.
      init: random, the name of published weights, or a key of IN_DOMAIN.
      front_ends: number of channels of the recordings -> the front end that feeds it.
      words: what it was trained on.
    """

    name: str
    model: str
    init: str
    front_ends: dict[int, str]
    words: str


TASKS = (
    Task(
        'cwru_one_load',
        'cwru/faults_12k',
        'within_domain',
        (1, 5),
        'CWRU, nine faults, each of four loads by itself: train and test blocks of one load',
    ),
    Task(
        'cwru_loads',
        'cwru/faults_12k',
        'domain_pairs',
        (5, ALL_LABELS),
        'CWRU, nine faults, from every load to every other (12 pairs)',
        fine_tuned=5,
    ),
    Task(
        'cwru_load0',
        'cwru/load0_12k',
        'time_blocks',
        (1, 5, ALL_LABELS),
        'CWRU, healthy and nine faults at load 0, five time blocks',
        fine_tuned=5,
    ),
    Task(
        'rig_machines',
        'bearing_rig/machines_small',
        'domain_pairs',
        (5, ALL_LABELS),
        'simulated bearings, three states, from every machine to every other (6 pairs)',
        trained_on=('rig_vggish', 'rig_resnet50'),
        fine_tuned=5,
    ),
    Task(
        'motor_rig',
        'motor_rig/small',
        'time_blocks',
        (5, ALL_LABELS),
        'simulated motor, four states, three axes at 512 Hz, five time blocks',
        channels=3,
        fine_tuned=5,
    ),
)
_AUDIO, _IMAGE, _IMAGES = {1: 'musicnn'}, {1: 'multi_resolution_mel'}, {1: 'multi_resolution_mel', 3: 'triaxial_mel'}
NETWORKS = (
    Network('musicnn_vgg untrained', 'musicnn_vgg', 'random', _AUDIO, 'nothing'),
    Network('musicnn_mtt', 'musicnn_vgg', 'musicnn_mtt', _AUDIO, 'music: MagnaTagATune'),
    Network('musicnn_msd', 'musicnn_vgg', 'musicnn_msd', _AUDIO, 'music: Million Song Dataset'),
    Network('lite0 untrained', 'efficientnet_lite0', 'random', _IMAGES, 'nothing'),
    Network('imagenet_lite0', 'efficientnet_lite0', 'imagenet_lite0', _IMAGES, 'images: ImageNet-1k'),
    Network('rig_vggish', 'vggish', 'rig_vggish', {1: 'vggish'}, 'simulated bearings: rig_a'),
    Network('rig_resnet50', 'resnet50', 'rig_resnet50', _IMAGE, 'simulated bearings: rig_a'),
    Network('motor_resnet50', 'resnet50', 'motor_resnet50', {3: 'triaxial_mel'}, 'simulated motor: motor_b'),
)


def why_not(task: Task, network: Network) -> str | None:
    """Why a task is not put to a network; None where it is."""
    if task.channels not in network.front_ends:
        return f'takes {" or ".join(map(str, network.front_ends))} channel(s), the recordings have {task.channels}'
    if network.init in task.trained_on:
        return 'was trained on recordings of this task'
    return None


def dataset_of(task: Task, network: Network) -> str:
    """builder/config with the front end that feeds the network."""
    front_end = network.front_ends[task.channels]
    builder = task.dataset.partition('/')[0]
    # Where a front end is the builder's default, its configs are named without it.
    default = {'bearing_rig': 'vggish', 'motor_rig': 'triaxial_mel'}.get(builder)
    return task.dataset if front_end == default else f'{task.dataset}-{front_end}'
