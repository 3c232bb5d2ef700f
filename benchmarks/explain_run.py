r"""Do explanations find the fault? On the simulated rig it is known where the energy of a fault was put.

    python -m benchmarks.explain_run --workdir=runs/explain --data_dir=data
    python -m benchmarks.explain_run --workdir=runs/explain --data_dir=data --networks=cnn1d --seeds=0

Small networks of every kind of input are trained on bearing_rig (rig_b), and windows of the test split that are rightly
called faulty are explained by each method. Each cell (network and seed) is kept in the workdir and measured once.
Writes WORKDIR/pages/explain.md, .json and .png of the cells that are there; with --publish into docs/benchmarks, too.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from fdx.data.pipeline import RecordExamples
from fdx.data.prepare import prepare_if_missing
from fdx.data.source import open_dataset
from fdx.datasets.bearing_rig.machines import MACHINES
from fdx.evaluate.explanation_run import condition_of
from fdx.evaluate.scored_rows import rows_to_score
from fdx.explain.baseline import baseline_input
from fdx.explain.explanation import CAM, INTEGRATED, OCCLUSION, Explainer
from fdx.explain.faithfulness import curves
from fdx.explain.integrated_gradients import integrated_gradients
from fdx.explain.occlusion import occlusion
from fdx.explain.orders import profile_of
from fdx.explain.spectral import attribution_of_frequencies
from fdx.files import write_json
from fdx.predict.load import load_predictor
from fdx.signal.fault_orders import FaultOrders
from fdx.signal.waveform import Waveform
from fdx.train.config import TrainConfig
from fdx.train.run import train
from fdx.train.run_data import select_rows

from .explain_page import KIND
from .explain_truth import cells_of_lines, own_channel, resonance_bands
from .page import how_measured, publish, write_page

MACHINE = 'rig_b'
NORMAL = 0
FAULTS = (1, 2)
WINDOWS = 20  # of each fault, evenly over the right ones of the test split
SEEDS = (0, 1, 2)
ROOT = pathlib.Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Trained:
    """A network of the study: its dataset, and fields of TrainConfig."""

    dataset: str
    settings: dict[str, Any]


SLIM = {'model_options': {'width_multiplier': 0.125}, 'dropout_rate': 0.2}
NETWORKS = {
    'cnn_small, fault_orders': Trained('long-fault_orders', {'model': 'cnn_small', 'epochs': 15}),
    'band_linear, band_mel': Trained('small-band_mel', {'model': 'band_linear', 'epochs': 15, 'learning_rate': 1e-2}),
    'cnn_small, band_mel': Trained('small-band_mel', {'model': 'cnn_small', 'epochs': 8}),
    'cnn_small, band_mel_train': Trained('small-band_mel_train', {'model': 'cnn_small', 'epochs': 8}),
    'vggish slim, log-mel': Trained('small', {'model': 'vggish', 'epochs': 30, **SLIM}),
    'musicnn slim, musicnn': Trained('small-musicnn', {'model': 'musicnn_vgg', 'epochs': 12, **SLIM}),
    'cnn1d, waveform': Trained('small-waveform', {'model': 'cnn1d', 'epochs': 3}),
}


def measure(name: str, seed: int, workdir: pathlib.Path, data_dir: str) -> dict[str, Any]:
    """Trains a network where it is not there, and measures its explanations: {network, seed, accuracy, rows}."""
    trained = NETWORKS[name]
    dataset = f'bearing_rig/{trained.dataset}'
    prepare_if_missing(dataset, data_dir, None)
    defaults = {'batch_size': 32, 'learning_rate': 1e-3, 'halve_every': 0}
    config = TrainConfig(dataset, data_dir, seed=seed, **{**defaults, **trained.settings})
    run = workdir / 'runs' / f'{name.replace(", ", "-").replace(" ", "_")}-{seed}'
    train(config, run)
    predictor = load_predictor(run)
    data = open_dataset(dataset, data_dir)
    rows = rows_to_score(predictor, data, 'test').rows
    examples = RecordExamples(data, rows, predictor.config.label_key, predictor.gain)
    probabilities, labels = predictor.probabilities(examples), examples.labels()
    right = probabilities.argmax(axis=1) == labels
    study = Study(Explainer(predictor), healthy_mean(predictor, data))
    found = []
    for which in FAULTS:
        mine = np.flatnonzero(right & (labels == which))
        for i in (
            mine[np.unique(np.linspace(0, len(mine) - 1, min(WINDOWS, len(mine))).astype(int))] if len(mine) else []
        ):
            condition = condition_of(data, int(rows[i]))
            found += list(study.rows_of(examples[int(i)]['inputs'], which, condition))
    accuracy = float(right.mean())
    return {'network': name, 'dataset': dataset, 'seed': seed, 'accuracy': accuracy, 'rows': averaged(found)}


def healthy_mean(predictor, data) -> np.ndarray:
    """The mean input of healthy training windows, the same at every time: a baseline that only a labelled set has."""
    rows = select_rows(predictor.config, data)[0].train
    rows = rows[data.table[predictor.config.label_key][rows] == NORMAL][:500]
    examples = RecordExamples(data, rows, predictor.config.label_key, predictor.gain)
    mean = np.mean([examples[i]['inputs'] for i in range(len(rows))], axis=0)
    if isinstance(predictor.front_end, (FaultOrders, Waveform)):
        return mean.astype(np.float32)
    axis = 0 if predictor.front_end.axes == 'TF' else 1
    return np.broadcast_to(mean.mean(axis=axis, keepdims=True), mean.shape).astype(np.float32)


class Study:
    """Measures the explanations of one network.

    Attributes:
      explainer: of the network, with the baseline that `fdx explain` takes.
      baselines: name -> baseline; `own` is that one.
    """

    def __init__(self, explainer: Explainer, healthy: np.ndarray):
        """Args: the explainer, and the mean of healthy training windows."""
        self.explainer, self._front_end = explainer, explainer.predictor.front_end
        self.baselines = {'own': explainer.baseline, 'zero': np.zeros_like(healthy)}
        if not isinstance(self._front_end, Waveform):
            self.baselines['healthy'] = healthy
        if not isinstance(self._front_end, (FaultOrders, Waveform)):
            self.baselines['silence'] = baseline_input(explainer.predictor, 'silence')[0]

    def rows_of(self, x: np.ndarray, which: int, condition) -> Iterator[dict[str, Any]]:
        """What each method, score and baseline gives for one window."""
        explanation = self.explainer.explain(x, which, condition)
        for method, a in explanation.attributions.items():
            margins = {'margin': a.curves.margin, 'random_margin': explanation.random.margin}
            said = {'method': method, 'score': 'class', 'baseline': 'own', 'class': which}
            counted = a.frequencies if isinstance(self._front_end, Waveform) else a.values
            shares = {} if counted is None or method == CAM else self.shares(counted, which)
            if method == CAM and not isinstance(self._front_end, (FaultOrders, Waveform)):
                shares = self.shares(a.values, which)
            gap = a.completeness and a.completeness['gap'] / max(abs(a.completeness['difference']), 1e-6)
            yield {**said, **shares, **margins, 'randomised': a.randomised, 'gap': gap}
        for name, baseline in self.baselines.items():
            for score in ('class', 'faulty'):
                if (name, score) == ('own', 'class'):
                    continue
                values, counted = self._integrated(x, baseline, which, score)
                margin = curves(lambda im: self.explainer.probabilities(im)[:, which], x, baseline, values).margin
                said = {'method': INTEGRATED, 'score': score, 'baseline': name, 'class': which}
                yield {**said, **self.shares(counted, which), 'margin': margin}
        if not isinstance(self._front_end, Waveform):
            values = self._occlusion(x, self.baselines['healthy'], which)
            said = {'method': OCCLUSION, 'score': 'faulty', 'baseline': 'healthy', 'class': which}
            yield {**said, **self.shares(values, which)}

    def _integrated(self, x: np.ndarray, baseline: np.ndarray, which: int, score: str) -> tuple[np.ndarray, np.ndarray]:
        """Integrated gradients, per value and as they are counted (per frequency, of waveforms)."""
        # The log odds of "faulty" are those of "normal" with the other sign.
        sign, explained = (1, which) if score == 'class' else (-1, NORMAL)
        found = integrated_gradients(self.explainer.network, x, baseline, explained)
        values = sign * found.values
        if not isinstance(self._front_end, Waveform):
            return values, values
        return values, sign * attribution_of_frequencies(x.astype(np.float64) - baseline, found.mean_gradient)

    def _occlusion(self, x: np.ndarray, baseline: np.ndarray, which: int) -> np.ndarray:
        network = self.explainer.network
        return occlusion(lambda im: -network.log_odds(im, np.full(len(im), NORMAL, np.int32)), x, baseline)

    def shares(self, values: np.ndarray, which: int) -> dict[str, float]:
        """Share of the positive attribution where the fault's energy was put in, and share of the input that this is.

        `net` sums attributions over time first, so that noise that cancels does not count.
        """
        state, machine = self.explainer.predictor.class_names[which], MACHINES[MACHINE]
        if isinstance(self._front_end, FaultOrders):
            cells = np.maximum(values, 0).sum(axis=0)
            truth, own = cells_of_lines(self._front_end, machine, state), own_channel(self._front_end, state)
            net = np.maximum(values.sum(axis=0), 0)
            return {
                'share': _part(cells, truth),
                'net': _part(net, truth),
                'own': _part(cells, own),
                'area': truth.mean(),
            }
        truth = resonance_bands(self._front_end, machine, state)
        along = 1 if self._front_end.axes == 'TF' and not isinstance(self._front_end, Waveform) else 0
        net = np.maximum(values.sum(axis=tuple(a for a in range(3) if a != along)), 0)
        share = _part(profile_of(self._front_end, values), truth)
        return {'share': share, 'net': _part(net, truth), 'area': float(truth.mean())}


def _part(values: np.ndarray, where: np.ndarray) -> float:
    total = float(values.sum())
    return float(values[where].sum()) / total if total > 0 else float('nan')


def averaged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the windows of each method, score, baseline and class."""
    keys = ('method', 'score', 'baseline', 'class')
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[k] for k in keys), []).append(row)
    found = []
    for key, mine in groups.items():
        means: dict[str, Any] = {}
        for name in ('share', 'net', 'own', 'area', 'margin', 'random_margin', 'randomised', 'gap'):
            values = [row[name] for row in mine if row.get(name) is not None]
            means |= {name: float(np.nanmean(values))} if values else {}
        if 'random_margin' in means:
            means['above_random'] = float(np.mean([row['margin'] > row['random_margin'] for row in mine]))
        found.append({**dict(zip(keys, key)), 'windows': len(mine), **means})
    return found


def main() -> None:
    """Measures the cells that are missing and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--workdir', required=True, help='where cells and pages are kept')
    parser.add_argument('--data_dir', default='data', help='folder of prepared datasets')
    parser.add_argument('--networks', default='; '.join(NETWORKS), help='separated by semicolons')
    parser.add_argument('--seeds', default=','.join(map(str, SEEDS)), help='separated by commas')
    parser.add_argument('--publish', action='store_true', help='also write docs/benchmarks/explain.*')
    args = parser.parse_args()
    workdir = pathlib.Path(args.workdir)
    for name in (text.strip() for text in args.networks.split(';')):
        for seed in map(int, args.seeds.split(',')):
            path = workdir / 'cells' / f'{name}-{seed}.json'
            if not path.exists():
                write_json(path, measure(name, seed, workdir, args.data_dir))
            print(f'{name}, seed {seed}: accuracy {json.loads(path.read_text())["accuracy"]:.3f}', flush=True)
    cells = [json.loads(path.read_text()) for path in sorted((workdir / 'cells').glob('*.json'))]
    order = list(NETWORKS)
    cells.sort(key=lambda cell: (order.index(cell['network']), cell['seed']))
    command = 'python -m benchmarks.explain_run --workdir=runs/explain --data_dir=data'
    data = {**how_measured(command, sorted({c['seed'] for c in cells})), 'windows': WINDOWS, 'cells': cells}
    print(write_page(workdir / 'pages', 'explain', data, KIND))
    if args.publish:
        print(publish(workdir / 'pages', 'explain', KIND, ROOT / 'docs' / 'benchmarks'))


if __name__ == '__main__':
    main()
