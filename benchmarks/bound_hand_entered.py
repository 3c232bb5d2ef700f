"""The passages of README.md and docs/results.md whose figures are typed in once more in docs/benchmarks/readme.json.

`benchmarks.published` says how to edit them. The words are those of the pages; the figures come from the file.
"""

from __future__ import annotations

import pathlib

from .published import HandEntered


def hand_entered(root: pathlib.Path) -> list[str]:
    """Figures that no study's page holds."""
    hand = HandEntered(root)
    tabled = ('int8', 'gan', 'study', 'compare_motor', 'compare_cwru', 'fuzz')
    cost, job = hand.row('compare_images', 'from scratch'), hand.row('job', 'cached features')
    generated = hand.row('gan_judged', 'trained on generated, real test windows')
    real = hand.row('gan_judged', 'trained on real, generated windows')
    return [
        *hand.printed('demo'),
        *hand.printed('demo_heads'),
        *_cwru(hand),
        *_asides(hand),
        *_zero_shot(hand),
        *_readings(hand),
        *(line for entry in tabled for line in hand.lines(entry)),
        f'knows {generated[0]} of {generated[1]} real test windows',
        f'takes {real[0]} of {real[1]} generated ones',
        f'seed 0 at 1:20 had {hand.row("imbalance_checks", "make gan")[0]} %, like class weights',
        f'cost {cost[0]} points beside a front end that fits the sensor',
        f'(simulated bench, from scratch: {cost[1]} against {cost[2]} %)',
        # The table names the network once, in the first of its rows.
        *(hand.line('steps', name).replace('ResNet-50: ', '').replace('VGGish: ', '') for name in hand.names('steps')),
        f'takes {job[0]} of the time of eager PyTorch',
        f'({job[1]} s against {job[2]} s',
    ]


def _cwru(hand: HandEntered) -> list[str]:
    cwru, seeds = 'cwru', hand.row('cwru', 'right windows of 95 by seed')
    first = hand.row(cwru, 'music, the command above')
    return [
        *(
            f'| {name} ... | ' + ' | '.join(hand.row(cwru, name)) + ' |'
            for name in ('music, the command above', 'VGGish of the demo')
        ),
        hand.line(cwru, 'the same'),
        f'| CWRU, ten classes, frozen music network | {first[0]} | macro F1 {first[1]} |',
        f'Seeds 0 and 2 have all {seeds[0]} windows right in the first row, seed 1 has {seeds[1]}',
        f'{hand.row(cwru, "interval by recording of 95 right windows, %")[0]} %, since they come from ten recordings',
    ]


def _zero_shot(hand: HandEntered) -> list[str]:
    races = hand.row('zero_shot', 'ADI (axis x) and HIT: inner and outer race')
    healthy = hand.row('zero_shot', 'ADI and HIT: healthy')
    return [
        *(hand.line('zero_shot', name) for name in hand.names('zero_shot')),
        '| zero-shot on two foreign benches (ADI, HIT) | 38 recordings with race faults '
        f'| {races[0]} right, {races[1]} without verdict, {races[2]} wrong |',
        '| the same, healthy bearings | 38 recordings '
        f'| {healthy[0]} right, {healthy[1]} without verdict, {healthy[2]} called faulty |',
    ]


def _readings(hand: HandEntered) -> list[str]:
    int8 = hand.row('table_int8', 'int8 against its checkpoint on 1999 test rows')
    return [
        *hand.printed('table'),
        f'int8 against its checkpoint on 1999 test rows: agreement {int8[0]} %, {int8[1]} bytes ({int8[2]} as float)',
        *(hand.line('table_seeds', name) for name in hand.names('table_seeds') if name != 'agreement of int8'),
        f'agrees with its checkpoint on {hand.row("table_seeds", "agreement of int8")[0]} %',
        f'| motor-maintenance table, int8 | 1999 test rows | {hand.row("table", "small, threshold, int8")[0]} % '
        '(no classifier exceeds 93.06 %) |',
    ]


def _asides(hand: HandEntered) -> list[str]:
    """Figures in sentences."""
    variants = hand.row('design', 'other variants of fault_orders')
    networks = hand.row('design', 'cnn_small on three pairs of loads')
    right, agreed = hand.row('int8_refused', 'accuracy'), hand.row('int8_refused', 'agreement')
    minutes, seconds = hand.row('gan_time', 'time')
    saved = hand.row('kills', 'checkpoints, after the marks of folders changed')
    wrong, study = hand.row('superseded', 'musicnn'), hand.row('foreign', 'study')
    return [
        f'whole demo: {hand.row("demo_time", "whole demo")[0]} s',
        f'also had all {hand.row("cwru_baseline", "right windows")[0]} windows right',
        f'(the others had {variants[0]} to {variants[1]} %)',
        f'where cnn_small had {networks[0]} to {networks[1]} %',
        f'hesitates ({right[0]} to {right[1]} % right) agrees on {agreed[0]} to {agreed[1]} % only',
        f'{hand.row("gan_time", "updates")[0]} updates took {minutes} min {seconds} s',
        f'at most {hand.row("gan_time", "precision")[0]} % lie within the manifold',
        f'{hand.row("kills", "training, prediction and preparation")[0]} times and lost nothing',
        f'{saved[1]} of {saved[0]} kills',
        f'said {wrong[0]} against {wrong[1]} % for music',
        f"The order is the study's ({study[0]}, {study[1]} and {study[2]} % on random windows",
    ]
