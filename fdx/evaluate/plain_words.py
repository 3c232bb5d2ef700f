"""What a score means, in sentences for an engineer who is no data scientist; every number is that of results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fdx.evaluate.predictions import RECORDING
from fdx.evaluate.protocol_words import words_of
from fdx.evaluate.words import between, counted, of_hundred

# Where a bearing interval is wider by this much, it is told too.
WIDER = 0.02


def guess_of(results: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What someone who always says the largest class would get: {class, right, of, share}.

    Args:
      results: of `fdx.evaluate.metrics.summarise`.
      verdicts: rows of `per_recording`, whose recordings are counted; []: windows or rows are counted.
    """
    counts = {row['class']: row['support'] for row in results['per_class']}
    if verdicts:
        counts = {name: sum(row['label'] == name for row in verdicts) for name in counts}
    largest = max(counts, key=lambda name: counts[name])
    total = sum(counts.values())
    return {'class': largest, 'right': counts[largest], 'of': total, 'share': counts[largest] / total}


def score_in_words(
    results: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]], *, own: bool, pooled: bool
) -> list[dict[str, str]]:
    """The sentences of "What the score means", in order.

    Args:
      results: what results.json holds, with `data`, `guess` and `tested_domains`.
      verdicts: rows of `per_recording`; [] for a table of readings.
      own: whether a part of the dataset that the run was trained on is scored, as its protocol splits it.
      pooled: whether all folds of the protocol are scored.

    Returns:
      [{'kind': warning, score, protocol, limits, interval, bearings or guess, 'text': one or more sentences}].
    """
    done, limits, new = _tested(results, own, pooled)
    found = [('warning', _warning(results))] if results['leaks'] else []
    found += [('score', _score(results, verdicts)), ('protocol', done), ('limits', limits)]
    if new and not results['leaks']:
        found.append(('interval', _interval(results, verdicts, new)))
        found.append(('bearings', _bearings(results)))
    found.append(('guess', _guess(results, verdicts)))
    return [{'kind': kind, 'text': text} for kind, text in found if text]


def right_of(results: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]]) -> tuple[int, int, Sequence[float]]:
    """(how many were right, of how many, the 95 % interval of that share), of recordings or else of rows."""
    if verdicts:
        right = sum(row['predicted_mean'] == row['label'] for row in verdicts)
        return right, len(verdicts), results['recording_accuracy']['mean_probability_interval']
    return round(results['accuracy'] * results['windows']), results['windows'], results['accuracy_interval']


def _tested(results: Mapping[str, Any], own: bool, pooled: bool) -> tuple[str, str, str]:
    """What was tested, what that says, and of what 100 more would be right as often."""
    if own and results['split'] in ('test', 'validation'):
        domain = results['data'].get('domain_kind', 'domain')
        done, limits, new = words_of(
            results['protocol'], pooled=pooled, domain=domain, tested=results['tested_domains']
        )
        if results['split'] == 'validation':
            done += ' The validation part is scored here, which also chose the training step, so the score is a little '
            done += 'too good.'
        return done, limits, new
    if results['split'] == 'train' and own:
        limits = 'The score shows what the network remembers. It does not say how well it works on anything new.'
        return 'The data that the network learned from are scored themselves.', limits, ''
    if results['dataset'] == results['trained_on']:
        return f'Data of {results["dataset"]} are scored, as a whole or by another split than that of training.', '', ''
    done = f'The network learned from {results["trained_on"]} and was tested on {results["dataset"]}.'
    if results['leaks']:
        return done, '', ''
    limits = 'It had never seen these data. The score says how well it works on data like them, without learning there.'
    return done, limits, f'new {"recordings" if results["interval_unit"] == RECORDING else "rows"} like these'


def _warning(results: Mapping[str, Any]) -> str:
    text = 'Do not rely on this score and do not quote it: the test leaks. '
    if results['protocol'] == 'random_windows' and results['split'] == 'test':
        return f'{text}Train again with the protocol time_blocks, by_recording or by_bearing to learn what it is worth.'
    return f'{text}The reason: {results["leak_reason"]}.'


def _score(results: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]]) -> str:
    right, total, _ = right_of(results, verdicts)
    if not verdicts:
        return f'{right:,} of {counted(total, "row")} {"was" if total == 1 else "were"} called rightly.'
    several = len({row['recording'] for row in verdicts}) < total
    noun = 'diagnosis' if several else 'recording'
    were = 'was' if total == 1 else 'were'
    rightly = 'right' if several else 'diagnosed rightly'
    text = f'{right:,} of {counted(total, noun, "diagnoses" if several else "")} {were} {rightly}. '
    if several:
        text += 'A recording is diagnosed by several networks, and each of them counts. '
    return f'{text}Each recording has one verdict from all its windows.'


def _interval(results: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]], new: str) -> str:
    *_, ends = right_of(results, verdicts)
    return (
        f'Of 100 {new}, {between(ends)} would be {"diagnosed" if verdicts else "called"} rightly (95 % interval), if '
        'they are made like these: same sensor and mounting, same kinds of faults.'
    )


def _bearings(results: Mapping[str, Any]) -> str:
    ends = results['accuracy_interval_bearings']
    if ends is None:
        return ''
    by_recording = results['accuracy_interval']
    wider = (ends[1] - ends[0]) - (by_recording[1] - by_recording[0])
    if wider < WIDER:
        return ''
    return (
        f'These recordings come from {counted(results["bearings"], "bearing")} only (a bearing in two states counts as '
        f'two). If each bearing counts once, {between(ends)} of 100 windows would be right (95 % interval).'
    )


def _guess(results: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]]) -> str:
    guess = results['guess']
    right, total, ends = right_of(results, verdicts)
    noun = 'recording' if verdicts else 'row'
    text = (
        f'A guesser who always says {guess["class"]}, the largest class, would be right on {guess["right"]:,} of '
        f'{counted(guess["of"], noun)} ({of_hundred(guess["share"])} of 100).'
    )
    if right / total <= guess['share']:
        return f'{text} The network is no better than that.'
    if ends[0] <= guess['share']:
        return f'{text} The interval reaches down to that, so the test is too small to show that the network is better.'
    return text
