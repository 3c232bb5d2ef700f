"""When `auto` adapts: every rule by itself, a shift that can be undone, and other shares of the classes."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest

from fdx.adapt.auto_evidence import Comparison, Portrait, compare, portrait
from fdx.adapt.auto_verdict import verdict_after, verdict_before
from fdx.adapt.outputs import Outputs
from fdx.train.linear_head import LinearHead

BEFORE = Portrait(a_distance=2.0, source_error=0.02, balance=0.9, certainty=0.8, information=0.6, disagreement=0.2)
AFTER = Portrait(a_distance=1.5, source_error=0.02, balance=0.95, certainty=0.9, information=0.8, disagreement=0.03)
BETTER = Comparison(source_loss=0.0, source_loss_se=0.01, gain=0.17, gain_se=0.05, kappa=0.7)


def after(portrait_of: dict | None = None, **comparison):
    return verdict_after(
        'jmmd', BEFORE, dataclasses.replace(AFTER, **(portrait_of or {})), dataclasses.replace(BETTER, **comparison)
    )


def test_adapted_with_the_numbers_in_words():
    found = after()
    assert (found.adapted, found.reason) == (True, 'supported')
    assert found.words.startswith('Adapted by jmmd, because its networks of different seeds disagree on 3.0 % ')
    for number in ('20.0 %', 'gain 17.0 %', 'standard error 5.0 %', 'Proxy A-distance 2.00', '1.50 with the method'):
        assert number in found.words
    stored = json.loads(json.dumps(found.to_json()))
    assert stored['source_only']['disagreement'] == 0.2 and stored['comparison']['kappa'] == 0.7


@pytest.mark.parametrize(
    ('portrait_of', 'comparison', 'reason', 'words'),
    [
        ({'source_error': 0.05}, {'source_loss': 0.03}, 'source_lost', 'errs on 5.0 % .* source alone on 2.0 %'),
        ({'balance': 0.5}, {}, 'collapsed', 'balance falls from 0.90 to 0.50'),
        ({'information': 0.4}, {}, 'less_information', 'information falls from 0.60 to 0.40'),
        ({'disagreement': 0.18}, {'gain': 0.02}, 'not_repeatable', 'on 18.0 % .* alone on 20.0 %'),
        ({}, {'gain_se': np.inf}, 'not_repeatable', 'no evidence that adaptation helps'),
        ({}, {'kappa': 0.1}, 'other_classes', 'next to nothing to do .* kappa 0.10'),
    ],
)
def test_every_rule_refuses_alone(portrait_of, comparison, reason, words):
    found = after(portrait_of, **comparison)
    assert (found.adapted, found.reason) == (False, reason)
    assert found.words.startswith('Not adapted by jmmd, because ')
    assert re.search(words, found.words)


def test_losses_and_falls_within_the_tolerance_are_none():
    assert after({'balance': 0.81, 'information': 0.51}, source_loss=0.01).adapted


@pytest.mark.parametrize(
    ('changes', 'reason'), [({'a_distance': 0.0}, 'no_distance'), ({'disagreement': 0.0}, 'nothing_to_gain')]
)
def test_the_source_alone_may_settle_it(changes, reason):
    found = verdict_before('dann', dataclasses.replace(BEFORE, **changes))
    assert (found.adapted, found.reason, found.by_method) == (False, reason, None)
    assert found.words.startswith('Not adapted by dann, because ')
    assert verdict_before('dann', BEFORE) is None


# Three classes of windows in the plane; a linear head is the network, and moving the mean is the adaptation.
CENTRES = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])


def windows(seed: int, n: int, shift=0.0, classes=(0, 1, 2)) -> tuple[np.ndarray, np.ndarray]:
    labels = np.resize(classes, n)
    return CENTRES[labels] + np.random.default_rng(seed).standard_normal((n, 2)) + shift, labels


def networks(target: np.ndarray, *, aligned: bool) -> list[dict[str, Outputs]]:
    """Heads of two seeds, each from few windows of the source, brought to the target's mean where `aligned`."""
    found = []
    for seed in (1, 2):
        x, y = windows(seed, 12)
        head = LinearHead(x - x.mean(0) if aligned else x, y)
        outputs = {}
        for name, (values, labels) in {
            'source_train': (x, y),
            'source_validation': windows(3, 60),
            'target_train': (target, np.zeros(len(target), int)),
        }.items():
            z = values - values.mean(0) if aligned else values
            logits = np.log(np.maximum(head.probabilities(z, num_classes=3), 1e-9))
            outputs[name] = Outputs(logits.astype(np.float32), z.astype(np.float32), labels.astype(np.int32))
        found.append(outputs)
    return found


def decide(target: np.ndarray):
    """(verdict, predictions of the source alone, those of the aligned network)."""
    before, aligned = networks(target, aligned=False), networks(target, aligned=True)
    comparison = compare(before, aligned, [f'r{i // 10}' for i in range(len(target))])
    found = verdict_after('moved', portrait(*before), portrait(*aligned), comparison)
    return found, *(p[0]['target_train'].logits.argmax(1) for p in (before, aligned))


def test_a_shift_that_can_be_undone_is_undone():
    target, truth = windows(9, 120, shift=np.array([1.7, 1.7]))
    found, alone, aligned = decide(target)
    assert np.mean(aligned == truth) > np.mean(alone == truth) + 0.1
    assert found.adapted, found.words


def test_other_shares_of_the_classes_are_left_alone():
    """Nothing has moved, but most windows of the target are of one class: alignment takes them for a shift."""
    target, truth = windows(9, 120, classes=[0] * 8 + [1, 2])
    found, alone, aligned = decide(target)
    assert np.mean(aligned == truth) < np.mean(alone == truth) - 0.1
    assert not found.adapted, found.words
