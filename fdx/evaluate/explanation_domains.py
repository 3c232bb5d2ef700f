"""Windows of source and target in the plane of a network's embedding, before and after adaptation."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.adapt.outputs import Outputs
from fdx.adapt.source_free.checkpoint import is_source_free
from fdx.data.dataset import PreparedDataset
from fdx.data.pipeline import RecordExamples
from fdx.data.protocols.domain_names import DomainName
from fdx.evaluate.adaptation_plots import plot_domains
from fdx.evaluate.scored_rows import open_for, rows_to_score
from fdx.predict.predictor import AnyPredictor
from fdx.types import ConfigError, DataError

MAX_WINDOWS = 300


@dataclasses.dataclass(frozen=True, eq=False)
class DomainMap:
    """Source and target in the plane.

    Attributes:
      figure: t-SNE of both domains together, one row per network.
      facts: JSON-able: names of both sides, and per network `same_class`, the share of the target's windows whose
        nearest window of the source is of their class. Labels of the target are read for this share alone.
    """

    figure: Figure
    facts: dict[str, Any]


def domain_map(
    after: AnyPredictor, before: AnyPredictor | None, target: str | None, data_dir: str | None
) -> DomainMap | None:
    """The map of a run that was adapted, or of any run and another dataset.

    Args:
      after: the run.
      before: the network that it was adapted from, or a run on the source alone; None draws `after` alone.
      target: a dataset as builder/config or builder/config:domain; None: that of the run's own adaptation.
      data_dir: folder of prepared datasets; None: the run's own.

    Returns:
      None where the run was not adapted and no target is given.

    Raises:
      ConfigError: `before` has other classes or another front end.
      DataError: a dataset is not there.
    """
    plan = after.meta.get('adaptation') or {}
    target = target or plan.get('target')
    if not target:
        return None
    of_source = plan.get('source') or (plan.get('checkpoint_dataset') if is_source_free(after.meta) else None)
    sides = {
        'source_train': _examples(after, of_source or after.meta['dataset']['name'], data_dir, not of_source),
        'target_test': _examples(after, target, data_dir, False),
    }
    networks = {'before': before, 'after': after} if before else {'after': after}
    for predictor in networks.values():
        if predictor.class_names != after.class_names or predictor.front_end.config() != after.front_end.config():
            raise ConfigError(
                f'`before`={predictor.workdir} has other classes or another front end than {after.workdir}: name the '
                'run that it was adapted from'
            )
    outputs = {name: {side: _outputs(p, e) for side, e in sides.items()} for name, p in networks.items()}
    figure = plot_domains(outputs.get('before'), outputs['after'], after.class_names)
    facts = {'source': of_source or after.meta['dataset']['name'], 'target': target}
    shares = {name: _same_class(found['source_train'], found['target_test']) for name, found in outputs.items()}
    return DomainMap(figure, {**facts, 'same_class': shares})


def _examples(predictor: AnyPredictor, name: str, data_dir: str | None, own: bool) -> RecordExamples:
    """At most MAX_WINDOWS windows of a side whose class the run knows; of the run's own dataset those of its test."""
    side = DomainName.parse(name, 'target')
    data = open_for(predictor, side.dataset, data_dir)
    rows = rows_to_score(predictor, data, 'test').rows if own else np.arange(len(data))
    if side.domains:
        rows = rows[np.isin(data.table['domain'][rows], side.domains)]
    numbers = _numbers(predictor, data)
    rows = rows[np.isin(data.table[predictor.config.label_key][rows], numbers)]
    if not len(rows):
        raise DataError(f'`target`={name}: {data.name} has no windows of {", ".join(predictor.class_names)} there')
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:MAX_WINDOWS])
    return RecordExamples(data, rows, predictor.config.label_key, predictor.gain)


def _numbers(predictor: AnyPredictor, data: PreparedDataset) -> list[int]:
    names = data.class_names(predictor.config.label_key)
    return [i for i, name in enumerate(names) if name in predictor.class_names]


def _outputs(predictor: AnyPredictor, examples: RecordExamples) -> Outputs:
    names = examples.dataset.class_names(examples.label_key)
    labels = np.array([predictor.class_names.index(names[k]) for k in examples.labels()], np.int32)
    mine = dataclasses.replace(examples, gain=predictor.gain)
    return Outputs(np.zeros((len(labels), 0), np.float32), predictor.features(mine), labels)


def _same_class(source: Outputs, target: Outputs) -> float:
    a, b = target.features.astype(np.float64), source.features.astype(np.float64)
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    return float((source.labels[squares.argmin(axis=1)] == target.labels).mean())
