"""What would help most: explicit rules over the numbers of an evaluation, each with one sentence of advice.

The order is that of the rules below. First comes what is wrong with the network or makes its score a score of
something else, then what the data lack, then what only makes the score less certain.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.evaluate.data_facts import one_speed
from fdx.evaluate.evidence import Evidence, trials_needed
from fdx.evaluate.words import between, counted, listed, of_hundred, spoken_range

MAX_ADVICE = 4
# by_recording deals the recordings of a class into five parts; with fewer, one recording decides about a fifth or more.
MIN_RECORDINGS = 5
# A network that is wrong so often about what it learned from has not finished learning.
LEARNED = 0.8
# Right so much more often about training windows than about tested ones: it knows them by heart.
GAP = 0.15
# Two classes are taken for each other if this share of their recordings (or windows) is, and most mistakes are theirs.
CONFUSED, MOSTLY = 0.1, 0.5
# An interval of more than plus or minus ten of a hundred.
WIDE = 0.2
LEFT_OUT = 0.05
# Fewer mistakes, or ones that would lie at one condition by chance more often, say nothing about it.
LEAST_MISTAKES, BY_CHANCE = 3, 0.05


def what_helps(evidence: Evidence) -> list[dict[str, str]]:
    """At most four pieces of advice, the most useful first: [{'rule': its name, 'text': its sentences}]."""
    found = [(name, rule(evidence)) for name, rule in RULES.items()]
    return [{'rule': name, 'text': text} for name, text in found if text][:MAX_ADVICE]


def _still_learning(e: Evidence) -> str:
    share = e.results['train_accuracy']
    if share is None or share >= LEARNED:
        return ''
    return (
        f'The network is right on only {of_hundred(share)} of 100 {e.unit}s that it learned from. Train for more '
        'epochs, or with another network, before you conclude anything about the data.'
    )


def _never_right(e: Evidence) -> str:
    missed = e.missed
    if not missed:
        return ''
    matrix, names = np.asarray(e.results['confusion_matrix']), e.results['class_names']
    taken_for = {name: names[int(matrix[names.index(name)].argmax())] for name in missed}
    one = set(taken_for.values())
    which = missed if len(one) == 1 else [f'{name} (mostly taken for {other})' for name, other in taken_for.items()]
    mostly = f'; most were taken for {one.pop()}' if len(one) == 1 else ''
    check = 'labels, speed and channel of these recordings' if e.of_recordings else 'the labels of these rows'
    return f'No {e.unit} of {listed(which, "or")} was called rightly{mostly}. Check {check}.'


def _confused(e: Evidence) -> str:
    names = e.results['class_names']
    matrix = np.asarray(e.results['recording_confusion_matrix' if e.of_recordings else 'confusion_matrix'])
    mistakes = matrix - np.diag(np.diag(matrix))
    mutual = np.triu(mistakes + mistakes.T)
    if not mutual.any():
        return ''
    a, b = np.unravel_index(mutual.argmax(), mutual.shape)
    wrong, of_both = int(mutual[a, b]), int(matrix[[a, b]].sum())
    if wrong < CONFUSED * of_both or wrong < MOSTLY * mistakes.sum() or {names[a], names[b]} & set(e.missed):
        return ''
    text = (
        f'{names[a]} and {names[b]} are taken for each other: {wrong} of their {counted(of_both, e.noun)}, of '
        f'{counted(int(mistakes.sum()), "mistake")} in all.'
    )
    if not e.of_recordings:
        return f'{text} More rows of both, or a reading that differs between them, would help most.'
    return (
        f'{text} More recordings of both would help most; so may a front end that reads the fault orders (it needs '
        'speed and bearing). If they need the same repair, make them one class.'
    )


def _one_weak_condition(e: Evidence) -> str:
    for found in e.results.get('by_condition', ()):
        values, wrong = found['values'], [v['of'] - v['right'] for v in found['values']]
        worst, tested = values[wrong.index(max(wrong))], sum(v['of'] for v in values)
        if max(wrong) < max(LEAST_MISTAKES, MOSTLY * sum(wrong)):
            continue
        # Fisher's exact test, times the number of conditions that might have been the worst.
        chance = scipy.stats.hypergeom.sf(max(wrong) - 1, tested, sum(wrong), worst['of']) * len(values)
        if chance >= BY_CHANCE:
            continue
        right, of = sum(v['right'] for v in values) - worst['right'], tested - worst['of']
        return (
            f'{max(wrong)} of {sum(wrong)} mistakes are at one {found["condition"]}, {worst["value"]}: there '
            f'{worst["right"]} of {counted(worst["of"], "recording")} are right, elsewhere {right} of {of}. Record all '
            'classes near it.'
        )
    return ''


def _few_recordings(e: Evidence) -> str:
    few = [c for c in e.classes if c['recordings'] < MIN_RECORDINGS]
    if not few:
        return ''
    have = listed([f'{c["class"]} ({c["recordings"]})' for c in sorted(few, key=lambda c: c['recordings'])])
    which = f'{len(few)} classes have' if len(few) > 1 else 'One class has'
    return f'{which} fewer than {MIN_RECORDINGS} recordings: {have}. Record more of them.'


def _no_healthy(e: Evidence) -> str:
    if not e.own or not e.of_recordings or e.data['healthy_classes']:
        return ''
    return (
        'No class is known to be healthy, so the network calls every recording faulty, also one of a sound machine. If '
        'a class is healthy, give it the fault type normal; else add recordings of the machine without a fault.'
    )


def _own_condition(e: Evidence) -> str:
    classes = [c for c in e.classes if c['recordings']]
    if len(classes) < 2:
        return ''
    for key, what in (('domains', e.domain_word), ('speeds_rpm', 'speed')):
        alone = []
        for one in classes:
            others = {v for c in classes if c is not one for v in c[key]}
            if one[key] and others and not others & set(one[key]):
                alone.append(one['class'])
        if alone:
            were = 'were' if len(alone) > 1 else 'was'
            return (
                f'No other class was recorded at a {what} at which {listed(alone)} {were} recorded. The network may '
                f'recognise the {what} instead of the fault. Record all classes under the same conditions.'
            )
    return ''


def _one_bearing(e: Evidence) -> str:
    classes = [c for c in e.classes if c['recordings']]
    if classes and not e.data['bearings']:
        return (
            'The data do not say which bearing a recording is of, so the score may be one of known bearings. Name the '
            'bearings, and record at least two of each class to test with the protocol by_bearing.'
        )
    one = [c['class'] for c in classes if len(c['bearings']) == 1 and not c['unnamed']]
    if not one:
        return ''
    which = 'every class' if len(one) == len(classes) else listed(one)
    return (
        f'The data name only one bearing of {which}, so no protocol can show that another one is recognised. Record a '
        'second one of each class, name them, and test with the protocol by_bearing.'
    )


def _one_condition(e: Evidence) -> str:
    if not e.classes:
        return ''
    speeds, loads = e.data['speeds_rpm'], e.data['loads']
    if not speeds and not loads and len(e.data['domains']) < 2:
        return 'The data state neither speed nor load. State them, so that a test at a new speed or load is possible.'
    same = [f'one speed ({spoken_range(speeds)} rpm)'] if one_speed(speeds) else []
    same += ['one load'] if len(loads) == 1 else []
    if not same:
        return ''
    other = listed([text.split()[1] for text in same], 'or')
    return (
        f'All recordings were made at {listed(same)}. Nothing shows that the network works at another {other}: record '
        'all classes at one more.'
    )


def _gap(e: Evidence) -> str:
    share, tested = e.results['train_accuracy'], e.results['accuracy']
    if share is None or share < LEARNED or e.results['split'] == 'train' or share - tested <= GAP:
        return ''
    more = 'recordings (other bearings, conditions, days)' if e.of_recordings else 'rows (other machines, days)'
    return (
        f'The network is right on {of_hundred(share)} of 100 {e.unit}s that it learned from, but on '
        f'{of_hundred(tested)} of 100 tested ones: it knows what it learned by heart. More {more} help more than '
        'longer training.'
    )


def _wide_interval(e: Evidence) -> str:
    low, high = e.interval
    if e.results['leaks'] or high - low <= WIDE:
        return ''
    text = f'Only {counted(e.total, e.noun)} {"was" if e.total == 1 else "were"} tested, so the true score may lie '
    text += f'{between(e.interval)} of 100.'
    if e.classes and e.data['recordings'] > e.total:
        return f'{text} The data hold {e.data["recordings"]:,}: train all folds (`fold=all`) to test every one.'
    needed = trials_needed(e.right / e.total, WIDE)
    if needed <= e.total:  # Rows of a table come in groups or stretches: their number is not what counts.
        return f'{text} More independent {e.noun}s (other runs, days, machines) would narrow this.'
    return f'{text} With about {needed} {e.noun}s this range would be {of_hundred(WIDE)} wide.'


def _left_out(e: Evidence) -> str:
    reasons = e.data['left_out_windows']
    left_out = sum(reasons.values())
    total = left_out + e.data['windows']
    if left_out <= LEFT_OUT * total:
        return ''
    why = listed([f'{reason.replace("_", " ")}: {count:,}' for reason, count in reasons.items()])
    return (
        f'{left_out:,} of {counted(total, e.unit)} of the data could not be used ({why}). Check sensor, cable and '
        'range of the recorder.'
    )


RULES: dict[str, Callable[[Evidence], str]] = {
    'still_learning': _still_learning,
    'never_right': _never_right,
    'confused_classes': _confused,
    'weak_condition': _one_weak_condition,
    'few_recordings': _few_recordings,
    'no_healthy_class': _no_healthy,
    'own_condition': _own_condition,
    'one_bearing': _one_bearing,
    'one_condition': _one_condition,
    'known_by_heart': _gap,
    'wide_interval': _wide_interval,
    'windows_left_out': _left_out,
}
