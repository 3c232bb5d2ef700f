"""What a person wants to know of each file: verdict, how sure it is, and what to be wary of, in words."""

from __future__ import annotations

import collections
import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fdx.data.collection.fault_words import fault_type_of

PROBABILITY, Z_SCORE = 'probability', 'z score'
# In the order in which a reader should look at them.
FAULT, DOUBT, ERROR, FINE = 'fault', 'doubt', 'error', 'healthy'
STATES = (FAULT, DOUBT, ERROR, FINE)
NO_VERDICT = 'no verdict'
NEGATIONS = {'not', 'non'}


@dataclasses.dataclass(frozen=True)
class Line:
    """One recording, one reading of a table, one table, or one file that cannot be used.

    Attributes:
      file: its path.
      row: of a reading, from 0; else None.
      verdict: the state that was diagnosed, the numbers of readings per state for a table, or None.
      score: of the verdict: its probability, or its z score; None where there is none.
      score_kind: PROBABILITY or Z_SCORE.
      scores: {name: probability or z score} of all classes.
      windows: how many there are; None for a file without windows.
      warnings: sentences.
      error: why there is no diagnosis, or ''.
      state: one of STATES.
    """

    file: str
    row: int | None
    verdict: str | None
    score: float | None
    score_kind: str
    scores: dict[str, float]
    windows: int | None
    warnings: tuple[str, ...]
    error: str
    state: str

    @property
    def said(self) -> str:
        """The verdict in words, also where there is none."""
        return self.verdict or ('error' if self.error else NO_VERDICT)


def lines_of(rows: Iterable[Mapping[str, Any]]) -> list[Line]:
    """The lines of rows that Result.rows gives, or of rows {'kind': 'error', 'file', 'error'}; windows have none.

    A table has a line per reading where these are among the rows, else one line as a whole.
    """
    rows = list(rows)
    in_tables = {row['file'] for row in rows if row['kind'] == 'reading'}
    return [
        _line(row)
        for row in rows
        if row['kind'] != 'window' and not (row['kind'] == 'table' and row['file'] in in_tables)
    ]


def in_order_of_urgency(lines: Iterable[Line]) -> list[Line]:
    """Faults first (the most certain one on top), then doubts and errors, then healthy files; else as they came."""
    return sorted(
        lines, key=lambda line: (STATES.index(line.state), -(line.score or 0.0) if line.state == FAULT else 0)
    )


def verdict_counts(lines: Iterable[Line]) -> dict[str, int]:
    """{verdict in words: number of lines}, the most frequent first."""
    counts: collections.Counter[str] = collections.Counter(line.said for line in lines)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def shared_warnings(lines: Sequence[Line]) -> tuple[list[Line], list[str]]:
    """Takes out the sentences that every file has, so that they can be said once.

    Sentences that differ in what stands in parentheses alone (an example of each file) are the same one.

    Args:
      lines: of all files. Files with an error say nothing but that, and one file alone shares nothing.

    Returns:
      (the lines without the shared sentences, these sentences in the words of the first file, with the count).
    """
    read = [line for line in lines if not line.error]
    if len(read) < 2:
        return list(lines), []
    common = set.intersection(*({_without_examples(text) for text in line.warnings} for line in read))
    said = [text for text in read[0].warnings if _without_examples(text) in common]
    kept = [
        dataclasses.replace(line, warnings=tuple(t for t in line.warnings if _without_examples(t) not in common))
        for line in lines
    ]
    which = f'all {len(read)} files' if len(read) == len(lines) else f'all {len(read)} files that were read'
    same = [all(text in line.warnings for line in read) for text in said]
    return kept, [
        f'in {which}: {text}' if alike else f'in {which}, here of the first: {text}' for text, alike in zip(said, same)
    ]


def _without_examples(text: str) -> str:
    return re.sub(r'\([^()]*\)', '()', text)


def is_healthy(name: str) -> bool:
    """Whether a class is the healthy state, by its name: normal, Healthy pump, gesund, but not 'not normal'."""
    words = re.findall('[a-z]+', name.casefold())
    # A single letter or a negation beside other words says too little to call a machine healthy.
    unsure = len(words) > 1 and (len(words[0]) == 1 or not NEGATIONS.isdisjoint(words))
    return fault_type_of(name) == 'normal' and not unsure


def _line(row: Mapping[str, Any]) -> Line:
    of_table, error = row['kind'] == 'table', row.get('error', '')
    counts = row['predicted'] if of_table else {}
    scores = dict(row.get('z_scores') or row.get('mean_probabilities') or row.get('probabilities') or {})
    scores = {name: float(value) for name, value in scores.items() if value is not None}
    predicted = None if of_table else row.get('predicted')
    called = [name for name, n in counts.items() if n] if of_table else [predicted] if predicted else []
    kind = Z_SCORE if 'z_scores' in row else PROBABILITY
    warnings = _warnings(row)
    return Line(
        file=row['file'],
        row=row.get('row'),
        verdict=', '.join(f'{counts[name]} {name}' for name in called) or None if of_table else predicted,
        score=_score(predicted, scores, kind),
        score_kind=kind,
        scores=scores,
        windows=row.get('windows'),
        warnings=warnings,
        error=error,
        state=_state(called, row, error, _score(predicted, scores, kind) if kind == PROBABILITY else None),
    )


def _score(predicted: str | None, scores: Mapping[str, float], kind: str) -> float | None:
    if predicted is None or not scores:
        return None
    if kind == Z_SCORE and predicted not in scores:
        return max(scores.values())  # No fault stands out: the one that comes nearest.
    return scores.get(predicted)


def _state(called: Sequence[str], row: Mapping[str, Any], error: str, probability: float | None) -> str:
    if error:
        return ERROR
    if not all(map(is_healthy, called)):
        return FAULT
    doubted = not called or 'reason' in row or row.get('outside_training') or _overruled(row)
    return DOUBT if doubted or (probability is not None and probability < 0.5) else FINE


def _overruled(row: Mapping[str, Any]) -> bool:
    """Whether most windows say something else than the mean of their probabilities."""
    return row.get('predicted') is not None and row.get('predicted_vote', row['predicted']) != row['predicted']


def _warnings(row: Mapping[str, Any]) -> tuple[str, ...]:
    found = [row['reason']] if row.get('reason') else []
    if row.get('outside_training'):
        found.append(f'unlike the training data: {"; ".join(row["outside_training"])}')
    if _overruled(row):
        found.append(f'the windows disagree: most of them say {row["predicted_vote"]}')
    unusable = row.get('unusable_windows') or {}
    if unusable and not row.get('reason'):  # A reason tells them, too.
        kinds = ', '.join(f'{n} {name.replace("_", " ")}' for name, n in unusable.items())
        found.append(f'{sum(unusable.values())} of {row["windows"]} windows have no vote ({kinds})')
    if row.get('wild_samples'):
        found.append(f'wild samples that were replaced: {row["wild_samples"]}')
    return (*found, *row.get('notes', ()))
