"""What programs show: progress bars and tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import tqdm


def progress(iterable: Iterable, *, desc: str = '', total: int | None = None) -> Iterable:
    """A tqdm bar on standard error, removed at the end; in a log file only for work of over half a minute."""
    wait_s = 0.1 if sys.stderr.isatty() else 30.0
    return tqdm.tqdm(
        iterable, desc=desc, total=total, leave=False, mininterval=wait_s, delay=wait_s, dynamic_ncols=True
    )


def epoch_line(row: dict) -> str:
    """One row of the history as a line."""
    return (
        f'epoch {row["epoch"]:3d}  train loss {row["train_loss"]:.4f} accuracy {100 * row["train_accuracy"]:6.2f}%  '
        f'validation loss {row["validation_loss"]:.4f} accuracy {100 * row["validation_accuracy"]:6.2f}% '
        f'macro F1 {row["validation_macro_f1"]:.4f}  {row["seconds"]:.1f} s'
    )


def table(header: Sequence[str], rows: Sequence[Sequence]) -> str:
    """Rows as aligned text, the first column to the left, numbers to the right."""
    cells = [list(map(str, header)), *[list(map(str, r)) for r in rows]]
    widths = [max(len(r[i]) for r in cells) for i in range(len(header))]
    lines = []
    for r in cells:
        parts = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))]
        lines.append('  '.join(parts).rstrip())
    lines.insert(1, '  '.join('-' * w for w in widths))
    return '\n'.join(lines)
