"""Where the numbers of an evaluation come from: for results.json, and as rows of its report."""

from __future__ import annotations

from fdx.evaluate.scoring import Scored


def provenance(scored: Scored, split: str) -> dict:
    """Where the numbers come from, ready for JSON."""
    first = scored.predictors[0]
    return {
        'split': split,
        'dataset': scored.examples[0].dataset.name,
        'trained_on': first.meta['dataset']['name'],
        'protocol': first.config.protocol,
        'seed': first.config.seed,
        'steps': [p.step for p in scored.predictors],
        'selection_criterion': f'validation {first.config.select_by}',
        'leaks': scored.leaks,
        'leak_share': scored.leak_share,
        'leak_reason': scored.leak_reason,
        'split_notes': list(scored.split_notes),
        'train_seconds': float(sum(p.meta['seconds'] for p in scored.predictors)),
        'train_windows': [p.meta['splits']['train'] for p in scored.predictors],
        'config': first.config.to_json(),
        'init': first.meta['init'],
        'balance': first.meta.get('balance'),
        # Of launch.probe --save: the stage that each fold chose.
        'probe_stages': [p.meta['probe']['stage'] for p in scored.predictors if 'probe' in p.meta],
        'norms': first.meta.get('norms', {'trained': 0, 'frozen': 0}),
        'front_end': first.meta['front_end'],
        'guard_length': first.meta['dataset']['guard_length'],
        'common_rate_hz': first.meta['dataset']['common_rate_hz'],
        # These count over the whole dataset; datasets older than 2.0.0 do not state them.
        'left_out_windows': dict(first.meta['dataset'].get('left_out_windows', {})),
        'wild_samples': first.meta['dataset'].get('wild_samples', 0),
        'versions': first.meta['versions'],
    }


def how_it_was_made(results: dict) -> dict:
    """The rows of the report's "how it was made"."""
    config = results['config']
    return {
        'dataset': results['dataset'],
        'front_end': f'{results["front_end"]["name"]} (scaling {results["front_end"]["scaling"]})',
        'model': config['model'],
        'init': results['init'],
        'freeze': config['freeze'],
        'norms': _norms_text(results['norms']),
        'protocol': results['protocol'],
        'folds': results['folds'],
        'seed': results['seed'],
        'selection_criterion': results['selection_criterion'],
        'selected_step': results['steps'],
        'packages': results['versions'],
        'trained on': results['trained_on'],
        'training windows': results['train_windows'],
        **_training_rows(results),
        'training seconds': round(results['train_seconds'], 1),
        **_balance_rows(results),
    }


def _training_rows(results: dict) -> dict:
    if results['probe_stages']:
        # Nothing was trained by steps: epochs and the like play no part.
        return {'frozen up to': results['probe_stages'], 'head': 'logistic regression of launch.probe'}
    return {key.replace('_', ' '): results['config'][key] for key in ('epochs', 'batch_size', 'learning_rate')}


def _balance_rows(results: dict) -> dict:
    balance, rows = results['balance'] or {'real': {}, 'synthetic': 0}, {}
    if balance['real']:
        rows['training classes'] = balance['real']
    if results['config'].get('balance', 'none') != 'none':
        rows['balanced by'] = results['config']['balance']
    if balance['synthetic']:
        rows['synthetic rows (training only)'] = balance['synthetic']
    decision = results.get('decision') or {}
    if decision.get('threshold') is not None:
        rows['decision threshold'] = decision['threshold']
        rows['threshold chosen by'] = f'{results["config"]["threshold"]} on validation rows'
    return rows


def _norms_text(norms: dict) -> str:
    if not norms['trained'] + norms['frozen']:
        return 'the network has none'
    return f'{norms["trained"]} train, {norms["frozen"]} are frozen with their statistics'
