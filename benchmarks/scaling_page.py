"""The page of the benchmark of devices, in Markdown, from its JSON file alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .page import table
from .scaling_plan import DTYPES, NETWORKS

# A step that is fed from records may take this much longer than one on a batch that lies on the device.
HIDDEN = 1.05


def markdown(data: Mapping[str, Any]) -> str:
    """The text of the page."""
    device = data['device']
    lines = [
        '# Training steps on devices',
        '',
        f'{device["count"]} x {device["kind"]} ({device["platform"]}), JAX {data["versions"]["jax"]}, fdx '
        f'{data["versions"]["fdx"]}; {data["seconds"]:.0f} s. {_peak_text(data["peak_tflops"])}',
        '',
        *(
            ['A dry run: slim networks and small batches. Its times say nothing about a device.', '']
            if data['dry_run']
            else []
        ),
        'A step trains all parameters, as `launch.train` does: forward pass, gradients, Adam. Its time is a median '
        'over blocks of steps on one batch that lies on the device. Share of peak: operations of the step by the cost '
        'analysis of XLA, over its time and the peak. `bfloat16`: `--compute_dtype=bfloat16`.',
        '',
        '## One device',
        '',
        *_sweep(data['one']),
        '',
        '## Fed from records',
        '',
        'The same steps, each on a new batch from array_record shards, through decoding, padding and transfer. Hidden: '
        f'a step takes at most {100 * (HIDDEN - 1):.0f} % longer. The pipeline alone runs beside no step.',
        '',
        *_fed(data['one']),
        '',
        '## Several devices',
        '',
        *_weak(data['several'], data['one']),
    ]
    return '\n'.join(lines) + '\n'


def _peak_text(peak: Mapping[str, float] | None) -> str:
    if peak is None:
        return 'Its peak is not known: `--peak_tflops=FLOAT32,BFLOAT16` gives it.'
    return 'Peak: ' + ', '.join(f'{peak[dtype]:g} TFLOP/s in {dtype}' for dtype in DTYPES if dtype in peak) + '.'


def _label(row: Mapping[str, Any]) -> str:
    return NETWORKS[row['model']].label


def _sweep(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    header = ['network', 'batch', 'type', 'step, ms', 'examples/s', 'to float32', 'share of peak', 'compiled in, s']
    found = {(r['model'], r['batch'], r['dtype']): r for r in rows}
    lines = []
    for row in sorted(rows, key=lambda r: (list(NETWORKS).index(r['model']), r['batch'], DTYPES.index(r['dtype']))):
        cells = [_label(row), str(row['batch']), row['dtype']]
        if 'left_out' in row:
            lines.append([*cells, f'left out: {row["left_out"]}', '-', '-', '-', '-'])
            continue
        base = found.get((row['model'], row['batch'], 'float32'), {})
        ratio = f'{base["step_s"] / row["step_s"]:.2f} x' if 'step_s' in base and row is not base else '-'
        share = '-' if row['share_of_peak'] is None else f'{100 * row["share_of_peak"]:.1f} %'
        times = [f'{1e3 * row["step_s"]:.2f}', f'{row["examples_per_s"]:.0f}']
        lines.append([*cells, *times, ratio, share, f'{row["compile_s"]:.1f}'])
    return table(header, lines)


def _fed(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    header = ['network', 'batch', 'type', 'step, ms', 'fed, ms', 'pipeline alone, ms', 'hidden']
    lines = [
        [
            _label(row),
            str(row['batch']),
            row['dtype'],
            *(f'{1e3 * row[name]:.2f}' for name in ('step_s', 'fed_step_s', 'input_s')),
            'yes' if row['fed_step_s'] <= HIDDEN * row['step_s'] else 'no',
        ]
        for row in rows
        if 'fed_step_s' in row
    ]
    return table(header, lines) if lines else ['Not measured.']


def _weak(rows: Sequence[Mapping[str, Any]], one: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return ['There is one device.']
    alone = {(r['model'], r['batch'], r['dtype']): r for r in one}
    header = ['network', 'batch per device', 'type', 'devices', 'step, ms', 'examples/s', 'efficiency']
    lines = []
    for row in rows:
        cells = [_label(row), str(row['batch']), row['dtype'], str(row['devices'])]
        if 'left_out' in row:
            lines.append([*cells, f'left out: {row["left_out"]}', '-', '-'])
            continue
        base = alone.get((row['model'], row['batch'], row['dtype']), {})
        efficiency = f'{100 * base["step_s"] / row["step_s"]:.0f} %' if 'step_s' in base else '-'
        lines.append([*cells, f'{1e3 * row["step_s"]:.2f}', f'{row["examples_per_s"]:.0f}', efficiency])
    return table(header, lines)
