"""Everything that decides a training run, in one place; `launch.train` turns each field into a flag."""

from __future__ import annotations

import dataclasses
from typing import Any

from fdx.data.imbalance import Imbalance
from fdx.train.decision import DecisionRule
from fdx.types import ConfigError

# Remedies for rare classes, and those of them that change images inside the training step.
BALANCES = ('none', 'class_weight', 'oversample', 'mixup', 'specaugment', 'smote_embedding', 'smote', 'gan')
AUGMENTATIONS = ('mixup', 'specaugment')
SELECTIONS = ('loss', 'macro_f1', 'accuracy', 'last')
MAX_SAVES = 20
CACHE_MODES = ('auto', 'on', 'off')
# How fdx.train.parallel compiles a step; the first is the default of every program.
FORMS = ('pmap', 'mesh')
# Of fdx.models.precision; named here too, because reading a config needs no JAX.
DTYPES = ('float32', 'bfloat16')
FIRST_BLOCKS = 'first_blocks:'
PRESETS = ('none', 'head', 'first_last', f'{FIRST_BLOCKS}N')


def freezes_by_preset(freeze: str) -> bool:
    """Whether `freeze` is a preset that freezes something, so that `train_norms` goes with it."""
    return freeze in ('head', 'first_last') or freeze.startswith(FIRST_BLOCKS)


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """A training run. Defaults are Table 2 of Di Maggio, Sensors 23(1):211, 2023.

    Attributes:
      dataset: `builder/config`, e.g. cwru/load0_12k-vggish.
      data_dir: folder of prepared datasets.
      label_key: what is learned, `label` or `fault_type`.
      protocol: how recordings are split (fdx.data.protocols.splits).
      fold: which fold of the protocol.
      exclude_recordings: ids of recordings to leave out.
      labels_per_class: training windows kept of each class, drawn recording by recording; 0 keeps all.
      model: name in fdx.models.
      model_options: options of the model, e.g. {'width_multiplier': 0.25}.
      dropout_rate: dropout in front of the classifier.
      init: where the initial weights come from: random; published weights, fetched on first use, namely audioset
        (vggish), imagenet (resnet50), musicnn_mtt or musicnn_msd (musicnn_vgg), imagenet_lite0 (efficientnet_lite0),
        audioset_yamnet (yamnet), imagenet or vgg16_hed (vgg16); a file of weights; or the workdir of an fdx run, whose
        backbone is taken.
      allow_leak: train even though the network of init has learned from recordings that this run is scored on; the
        report then says that it leaks.
      weights_version: with init=imagenet, which of torchvision's files is taken: v2 (resnet50-11ad3fa6.pth, the
        default) or v1 (resnet50-0676ba61.pth).
      freeze: none, head, first_last, first_blocks:N (the first N numbered stages and what stands in front of them are
        frozen), or a file of `train REGEX` and `freeze REGEX` lines.
      train_norms: with freeze=head, first_last or first_blocks:N, train the batch norms too; otherwise those of frozen
        stages stay as they are, and so do their statistics.
      epochs: passes over the training rows.
      batch_size: examples per step, over all devices together.
      learning_rate: of Adam, at the start.
      halve_every: epochs after which the learning rate is halved; 0 keeps it.
      l2: factor of the L2 penalty on kernels.
      clip_norm: largest global norm of the trainable gradients; 0 does not clip.
      select_by: validation criterion that chooses the best epoch.
      patience: training stops after this many epochs without a better validation score, and the best epoch is kept; 0
        trains for all epochs.
      imbalance: thins classes of the training rows, to study rare faults: 1:20 thins all classes but the healthy one,
        CLASS=1:20,CLASS=1:5 thins those classes (patterns such as ball_* are allowed), and a file holds such lines.
        Validation and test rows stay as they are.
      balance: what is done about rare classes. none; class_weight: every class counts alike in the loss; oversample:
        rows of rarer classes are repeated until all classes are equally frequent; mixup and specaugment: the same, and
        examples are mixed or masked in every step; smote_embedding: synthetic embeddings of the rarer classes (needs a
        frozen backbone); smote: synthetic readings (tables only); gan: generated images of the rarer classes
        (launch.synthesize).
      synthetic: with balance=gan, the dataset of generated images, synthetic/NAME; where empty, launch.train makes one.
      threshold: with two classes, how the decision threshold is chosen on the validation rows: f_beta:BETA, cost:RATIO
        (a missed failure costs as much as RATIO false alarms) or recall:SHARE; where empty, the more probable class
        wins.
      compute_dtype: of matrix products and convolutions, float32 or bfloat16 (fdx.models.precision). Parameters, the
        optimiser's state, batch statistics and the classifier are float32 in any case. Faster on accelerators, not on
        CPUs.
      cache_features: whether the outputs of frozen leading stages are computed once and kept: auto, on or off.
      parallel: how steps are compiled for several devices: pmap, or mesh (jit and shard_map over a mesh of all
        devices); the numbers are the same to the last bit.
      save_every: epochs between checkpoints; only epochs with a checkpoint can be chosen. 0: at most 20 checkpoints
        per run.
      seed: decides initialisation, data order, dropout and what is random in the protocol.
    """

    dataset: str
    data_dir: str = 'data'
    label_key: str = 'label'
    protocol: str = 'time_blocks'
    fold: int = 0
    exclude_recordings: tuple[str, ...] = ()
    labels_per_class: int = 0
    model: str = 'vggish'
    model_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    dropout_rate: float = 0.5
    init: str = 'random'
    allow_leak: bool = False
    weights_version: str = ''
    freeze: str = 'none'
    train_norms: bool = False
    epochs: int = 4
    batch_size: int = 32
    learning_rate: float = 5e-4
    halve_every: int = 2
    l2: float = 1e-6
    clip_norm: float = 0.0
    select_by: str = 'loss'
    patience: int = 0
    imbalance: str = ''
    balance: str = 'none'
    synthetic: str = ''
    threshold: str = ''
    compute_dtype: str = 'float32'
    cache_features: str = 'auto'
    parallel: str = FORMS[0]
    save_every: int = 0
    seed: int = 0

    def __post_init__(self):
        checks = {
            'label_key': self.label_key in ('label', 'fault_type'),
            'labels_per_class': self.labels_per_class >= 0,
            'dropout_rate': 0 <= self.dropout_rate < 1,
            'epochs': self.epochs >= 1,
            'batch_size': self.batch_size >= 1,
            'learning_rate': self.learning_rate > 0,
            'halve_every': self.halve_every >= 0,
            'l2': self.l2 >= 0,
            'clip_norm': self.clip_norm >= 0,
            'save_every': self.save_every >= 0,
            'patience': self.patience >= 0,
            'balance': self.balance in BALANCES,
            'select_by': self.select_by in SELECTIONS,
            'cache_features': self.cache_features in CACHE_MODES,
            'compute_dtype': self.compute_dtype in DTYPES,
            'parallel': self.parallel in FORMS,
        }
        for name, good in checks.items():
            if not good:
                raise ConfigError(f'`{name}`={getattr(self, name)!r} cannot be used: {_ALLOWED[name]}')
        if self.weights_version and self.init != 'imagenet':
            raise ConfigError(f'`weights_version`={self.weights_version} chooses among files of `init`=imagenet only')
        if 'compute_dtype' in self.model_options:
            raise ConfigError('`compute_dtype` is a setting of its own: leave it out of `model_options`')
        if self.threshold:
            DecisionRule.parse(self.threshold)
        if self.patience and self.select_by == 'last':
            raise ConfigError(f'`patience`={self.patience}: with `select_by`=last every epoch is the best so far')
        # The setting is what the file says, not its name: the file may change later.
        object.__setattr__(self, 'imbalance', Imbalance.parse(self.imbalance).spelled_out())
        self._check_balance()
        if self.train_norms and not freezes_by_preset(self.freeze):
            raise ConfigError(
                f'`train_norms` goes with `freeze`=head, first_last or {FIRST_BLOCKS}N; `freeze`={self.freeze} itself '
                'says what trains'
            )

    def _check_balance(self) -> None:
        """Refuses settings of balance that do not go together."""
        if self.balance == 'smote' and self.freeze != 'none':
            raise ConfigError(
                f'`balance`=smote goes with `freeze`=none, not {self.freeze}: it makes inputs, not features; to '
                'balance the embeddings of a frozen network, use `balance`=smote_embedding'
            )
        if self.balance == 'smote_embedding' and (self.freeze == 'none' or self.cache_features == 'off'):
            raise ConfigError(
                '`balance`=smote_embedding needs embeddings that do not change: use `freeze`=head, and leave '
                '`cache_features` on or auto. To use a network of your own, train it first and give its workdir as '
                '`init`'
            )
        if self.balance in AUGMENTATIONS and self.cache_features == 'on':
            raise ConfigError(
                f'`balance`={self.balance} changes images in every step: set `cache_features` to off or auto'
            )
        if self.synthetic and self.balance != 'gan':
            raise ConfigError(f'`synthetic`={self.synthetic} goes with `balance`=gan, not {self.balance}')

    def epochs_between_saves(self) -> int:
        """`save_every`, or as many epochs as make at most MAX_SAVES checkpoints."""
        return self.save_every or -(-self.epochs // MAX_SAVES)

    def to_json(self) -> dict:
        """A JSON-able dict; `from_json` reads it."""
        return {**dataclasses.asdict(self), 'exclude_recordings': list(self.exclude_recordings)}

    @classmethod
    def from_json(cls, data: dict) -> TrainConfig:
        """Inverse of `to_json`; ConfigError names settings that this version of fdx does not have."""
        known = {f.name for f in dataclasses.fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise ConfigError(f'this fdx does not know the settings {", ".join(unknown)} of a stored run')
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in data.get('model_options', {}).items()}
        lists = {'exclude_recordings': tuple(data.get('exclude_recordings', ())), 'model_options': options}
        return cls(**{**data, **lists})


_ALLOWED = {
    'label_key': 'it must be label or fault_type',
    'labels_per_class': 'it must be a count, or 0 for all',
    'dropout_rate': 'it must lie in [0, 1)',
    'epochs': 'it must be at least 1',
    'batch_size': 'it must be at least 1',
    'learning_rate': 'it must be above 0',
    'halve_every': 'it must be a number of epochs, or 0 for never',
    'l2': 'it must be 0 or above',
    'clip_norm': 'it must be 0 (off) or above',
    'patience': 'it must be a number of epochs, or 0 to train for all',
    'balance': f'it must be one of {", ".join(BALANCES)}',
    'save_every': 'it must be a number of epochs, or 0',
    'select_by': f'it must be one of {", ".join(SELECTIONS)}',
    'compute_dtype': f'it must be {" or ".join(DTYPES)}; float16 overflows, and parameters are float32',
    'parallel': f'it must be one of {", ".join(FORMS)}',
    'cache_features': f'it must be one of {", ".join(CACHE_MODES)}',
}
