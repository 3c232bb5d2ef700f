"""What the pretraining benchmark compares: tasks, networks with their weights, and which go together."""

from __future__ import annotations

import dataclasses
from typing import Any

from fdx.signal.front_ends import reads_orders

from .probe_heads import ALL_LABELS

# Rows whose features come from no network of fdx.train: the front end's image alone, and the judge that fdx ships.
PLAIN, JUDGE = 'no network', 'universal judge'
# The protocol of tasks that are asked recording by recording (benchmarks.few_recordings).
FEW_RECORDINGS = 'few_recordings'
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
      slow_shafts: builder/config without its front end for front ends that read orders, where the windows of `dataset`
        hold too few turns of the shaft; '' where they hold enough.
      machine, other: of FEW_RECORDINGS: machines of benchmarks.unseen_machines, the one that is tested and the one on
        which stages are chosen.
    """

    name: str
    dataset: str
    protocol: str
    shots: tuple[int, ...]
    words: str
    channels: int = 1
    trained_on: tuple[str, ...] = ()
    fine_tuned: int = 0
    slow_shafts: str = ''
    machine: str = ''
    other: str = ''

    @property
    def score(self) -> str:
        """What is reported: machines have few healthy recordings, or many."""
        return 'balanced_accuracy' if self.protocol == FEW_RECORDINGS else 'accuracy'


@dataclasses.dataclass(frozen=True)
class Network:
    """One network with its weights.

    Attributes:
      name: of the rows.
      model: name in fdx.models.
      init: random, the name of published weights, a key of IN_DOMAIN, PLAIN or JUDGE.
      front_ends: number of channels of the recordings -> the front end that feeds it.
      words: what it was trained on.
      options: of the model.
    """

    name: str
    model: str
    init: str
    front_ends: dict[int, str]
    words: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def can_be_trained(self) -> bool:
        """Whether the whole network can be fine-tuned."""
        return self.init not in (PLAIN, JUDGE)


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
        slow_shafts='bearing_rig/machines_long',
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
    Task(
        'unseen_machine_adi',
        'ADI',
        FEW_RECORDINGS,
        (1, 2, 5),
        'a real machine, few labelled recordings of it: ADI, four states, five speeds',
        machine='adi_cbm',
        other='hit_mfs',
    ),
    Task(
        'unseen_machine_hit',
        'HIT',
        FEW_RECORDINGS,
        (1, 2, 5),
        'a real machine, few labelled recordings of it: HIT, three states, three speeds',
        machine='hit_mfs',
        other='adi_cbm',
    ),
)
# The published convolutions have no dense layers. Images of 64 x 64 in 0.25 s: those of 224 x 224 in 0.975 s would take
# twelve times as long.
_SCALOGRAM, _CONVOLUTIONS = {1: 'scalogram_small'}, {'stop_after': 'block5', 'pool_axis': 1}
_AUDIO, _IMAGE, _IMAGES = {1: 'musicnn'}, {1: 'multi_resolution_mel'}, {1: 'multi_resolution_mel', 3: 'triaxial_mel'}
NETWORKS = (
    Network('fault_orders linear', '', PLAIN, {1: 'fault_orders'}, 'no network'),
    Network('musicnn_vgg untrained', 'musicnn_vgg', 'random', _AUDIO, 'nothing'),
    Network('musicnn_mtt', 'musicnn_vgg', 'musicnn_mtt', _AUDIO, 'music: MagnaTagATune'),
    Network('musicnn_msd', 'musicnn_vgg', 'musicnn_msd', _AUDIO, 'music: Million Song Dataset'),
    Network('yamnet untrained', 'yamnet', 'random', {1: 'yamnet'}, 'nothing'),
    Network('audioset_yamnet', 'yamnet', 'audioset_yamnet', {1: 'yamnet'}, 'sounds: AudioSet'),
    Network('lite0 untrained', 'efficientnet_lite0', 'random', _IMAGES, 'nothing'),
    Network('imagenet_lite0', 'efficientnet_lite0', 'imagenet_lite0', _IMAGES, 'images: ImageNet-1k'),
    Network('vgg16 untrained', 'vgg16', 'random', _SCALOGRAM, 'nothing', _CONVOLUTIONS),
    Network('vgg16_hed', 'vgg16', 'vgg16_hed', _SCALOGRAM, 'images: ImageNet-1k, then edges', _CONVOLUTIONS),
    Network('rig_vggish', 'vggish', 'rig_vggish', {1: 'vggish'}, 'simulated bearings: rig_a'),
    Network('rig_resnet50', 'resnet50', 'rig_resnet50', _IMAGE, 'simulated bearings: rig_a'),
    Network('motor_resnet50', 'resnet50', 'motor_resnet50', {3: 'triaxial_mel'}, 'simulated motor: motor_b'),
    Network('universal_judge', 'evidence_judge', JUDGE, {1: 'fault_orders'}, 'simulated machines: bearing_machines'),
)


def why_not(task: Task, network: Network) -> str | None:
    """Why a task is not put to a network; None where it is."""
    if task.channels not in network.front_ends:
        return f'takes {" or ".join(map(str, network.front_ends))} channel(s), the recordings have {task.channels}'
    if network.init in task.trained_on:
        return 'was trained on recordings of this task'
    return None


def dataset_of(task: Task, network: Network) -> str:
    """builder/config with the front end that feeds the network; '' where the task reads raw recordings."""
    if task.protocol == FEW_RECORDINGS:
        return ''
    front_end = network.front_ends[task.channels]
    dataset = task.slow_shafts if task.slow_shafts and reads_orders(front_end) else task.dataset
    # Where a front end is the builder's default, its configs are named without it.
    default = {'bearing_rig': 'vggish', 'motor_rig': 'triaxial_mel'}.get(dataset.partition('/')[0])
    return dataset if front_end == default else f'{dataset}-{front_end}'
