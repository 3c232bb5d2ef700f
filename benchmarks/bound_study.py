"""The passages of docs/results.md whose figures are those of the study's page."""

from __future__ import annotations

import json
import pathlib

from fdx.evaluate.spread import NOTHING, spread_text

from .published import FOLDER
from .study_figures import PUBLISHED
from .study_suite import ANOTHER, NAME

RIG = 'bearing_rig/medium'
QUESTIONS = ('random windows', 'unseen speeds', 'unseen loads', ANOTHER)


def study(root: pathlib.Path) -> list[str]:
    """A row per network of the table on the study's rig: test accuracy by question, and the study's own."""
    data, lines = json.loads((root / FOLDER / f'{NAME}.json').read_text(encoding='utf-8')), []
    for model in data['models']:
        of = {
            row['protocol']: spread_text(row['test'], percent=True, sign='+-')
            for row in data['rows']
            if (row['dataset'], row['model']) == (RIG, model['name'])
        }
        cells = [of.get(question, NOTHING) for question in QUESTIONS]
        lines.append(f'| {model["title"]} | {" | ".join(cells)} | {PUBLISHED[model["name"]].test:.2f} |')
    return lines
