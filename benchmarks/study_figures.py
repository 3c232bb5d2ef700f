"""The figures of the study (Di Maggio, Sensors 23(1):211, 2023): Tables 7 and 8, and why those of fdx differ."""

from __future__ import annotations

import dataclasses

# The states of the rig, in the order of the study's Table 8.
STATES = ('normal', 'inner_race', 'outer_race')


@dataclasses.dataclass(frozen=True)
class Published:
    """A row of the study: accuracies, precision and recall per state in percent, seconds and what they were taken on.

    Attributes:
      train, validation, test: accuracy.
      seconds: of the training.
      hardware: on which it ran.
      precision, recall: of STATES.
    """

    train: float
    validation: float
    test: float
    seconds: int
    hardware: str
    precision: tuple[float, ...]
    recall: tuple[float, ...]


_CPU, _GPU = 'i7-10510U', 'NVIDIA T4'
PUBLISHED = {
    'vggish_transfer': Published(100.0, 100.0, 99.07, 936, _CPU, (98.61, 100.0, 98.61), (98.61, 100.0, 98.61)),
    'vggish_scratch': Published(50.0, 33.33, 33.33, 1038, _CPU, (33.33, 0.0, 0.0), (100.0, 0.0, 0.0)),
    'yamnet': Published(100.0, 99.07, 91.20, 264, _CPU, (100.0, 100.0, 79.1), (73.6, 100.0, 100.0)),
    'vgg16': Published(53.12, 66.20, 69.44, 693, _GPU, (67.9, 69.4, 71.4), (79.2, 59.7, 69.4)),
}

REASONS = (
    '**The rig is simulated.** The recordings of the study are not public. `bearing_rig` has its layout (3 states, 10 '
    'speeds, 4 load cases, 30 s each), its number of chunks and its rate, but the machine is another one, and every '
    'figure here is one of that machine.',
    '**VGGish has other weights.** Those of AudioSet are taken where they can be had (`--vggish_init=audioset`). The '
    'column `starts from` says what was taken: `rig_a` is four epochs on 120 short recordings of another simulated '
    'machine, vibration instead of sound, and far less of it.',
    '**The new classifiers are trained to their end.** Four epochs at 5e-4, as in the study, end before the classifier '
    'of a frozen network has settled. Here its features are computed once, so that 2,700 updates take seconds.',
    '**From scratch does not collapse.** The study ended at chance after 216 updates. Here the initialisation is that '
    'of He et al. So that the whole table fits into 15 minutes, 54 updates are made, a quarter of those of the study; '
    'docs/results.md has the row with all of them.',
    '**VGG16** has the convolutions of `vgg16_hed` (ImageNet, then trained on for edges). Its images are '
    '`scalogram_small` (64 x 64 points over 0.25 s) in place of 224 x 224, four of its blocks are frozen, and a small '
    'classifier stands on the fifth in place of two layers of 4096. At a rate of 5e-4 this network stays at chance; it '
    'is trained at 5e-5.',
    '**YAMNet** has the weights of AudioSet, rounded to 8 bits once, and the front end of its origin.',
    '**One patch per chunk**: the first 0.975 s (0.25 s for VGG16) of each chunk of 1.6 s is read.',
    '**The split leaks.** Chunks of the same 30 s lie in training and test, in the study and in `random windows` here. '
    'The other columns leave out what the study left open, and they are what a plant should expect.',
    '**Training accuracy** is that of the chosen epoch while it trains, with dropout where there is some. The epoch is '
    'the one with the lowest validation loss; test windows play no part in it.',
    '**Seconds** are those of training and scoring on two cores that other work shared, without preparing the data and '
    'without the pretraining of VGGish. Features of a frozen network are computed in its first row and reused.',
)
