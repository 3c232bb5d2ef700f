"""Default settings for tables of readings, which replace those for recordings if the user gives none."""

from __future__ import annotations

from typing import Any

from absl import flags

from fdx.data.builders import builder_class

FLAGS = flags.FLAGS
# Networks are small and steps are fast, so training continues until validation stops it.
TABLE_DEFAULTS: dict[str, Any] = {
    'protocol': 'stratified',
    'model': 'mlp',
    'dropout_rate': 0.0,
    'epochs': 200,
    'patience': 10,
    'learning_rate': 1e-2,
    'halve_every': 0,
    'batch_size': 128,
}
DROPOUT_OF_LARGE = 0.3


def is_table(dataset: str) -> bool:
    """Whether a dataset is a table of readings: its builder makes configs of CSV files.

    Args:
      dataset: `builder/config`; it need not be prepared yet.
    """
    builder = builder_class(dataset.partition('/')[0])
    return builder is not None and hasattr(builder.builder_config_cls, 'csv')


def table_settings(dataset: str) -> dict[str, Any]:
    """Fields of TrainConfig that a dataset decides: none for recordings, else those whose flags were not given.

    Args:
      dataset: `builder/config`; it need not be prepared yet.
    """
    if not is_table(dataset):
        return {}
    settings = {k: v for k, v in TABLE_DEFAULTS.items() if not FLAGS[k].present}
    if 'size=large' in FLAGS.model_option and 'dropout_rate' in settings:
        settings['dropout_rate'] = DROPOUT_OF_LARGE
    return settings


def settings_text(settings: dict[str, Any]) -> str:
    """The settings as flags."""
    return ' '.join(f'--{k}={v}' for k, v in settings.items())
