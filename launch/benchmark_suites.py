"""The suites of launch.benchmark: which flags each reads, what its page is, and what runs it."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

from fdx.adapt.methods import METHODS
from fdx.benchmarks import (
    adaptation_page,
    adaptation_run,
    health_methods,
    health_page,
    health_run,
    health_suite,
    imbalance_page,
    imbalance_run,
    imbalance_suite,
    own_dataset,
    own_machine_page,
    own_machine_run,
    own_machine_suite,
    pretraining_page,
    pretraining_run,
    pretraining_suite,
    unseen_page,
    unseen_run,
    unseen_suite,
)
from fdx.benchmarks.adaptation_suite import SUITES
from fdx.benchmarks.grid import Call
from fdx.benchmarks.page import Kind

from .format_flags import FORMAT_FLAGS
from .recordings_flags import NAMES

KINDS = {
    'pretraining': pretraining_page.KIND,
    'imbalance': imbalance_page.KIND,
    'own_machine': own_machine_page.KIND,
    'unseen': unseen_page.KIND,
    'health': health_page.KIND,
}
# name of a flag -> its value, None if it was not given
Given = Callable[[str], Any]


def flags_read_by() -> dict[str, tuple[str, ...]]:
    """Suite -> the flags that it reads and that not every suite does."""
    return {
        'pretraining': ('tasks', 'networks', 'draws', 'fine_tune'),
        'imbalance': ('tasks', 'methods'),
        'own_machine': ('tasks', 'inputs', 'dataset', *NAMES, *FORMAT_FLAGS),
        'unseen': ('tasks', 'methods'),
        'health': ('tasks', 'methods'),
        **dict.fromkeys(SUITES, ('methods', 'inputs')),
    }


def kind_of(suite: str) -> Kind:
    """What the page of a suite holds and how it is written."""
    return KINDS.get(suite, adaptation_page.KIND)


def run_suite(suite: str, call: Call, given: Given, *, draws: int, fine_tune: bool) -> pathlib.Path:
    """Runs a suite; returns the path of its page.

    Args:
      suite: its name.
      call: what every study is told.
      given: the values of list flags; None if a flag was not given, so that the study decides.
      draws: of few labels, for pretraining.
      fine_tune: whether pretraining also trains whole networks.
    """
    if suite == 'pretraining':
        return pretraining_run.run(call, given('tasks'), given('networks'), draws=draws, fine_tune=fine_tune)
    if suite == 'own_machine':
        return own_machine_run.run(call, given('tasks'), given('inputs'))
    runs = {'imbalance': imbalance_run.run, 'unseen': unseen_run.run, 'health': health_run.run}
    if suite in runs:
        return runs[suite](call, given('tasks'), given('methods'))
    return adaptation_run.run(call, suite, given('inputs'), given('methods'))


def words_of_tasks() -> str:
    """For the help of --tasks."""
    names = {
        'pretraining': [task.name for task in pretraining_suite.TASKS],
        'imbalance': [task.dataset_name for task in imbalance_suite.TASKS],
        'own_machine': [task.name for task in own_machine_suite.TASKS],
        'unseen': [task.name for task in unseen_suite.tasks()],
        'health': [task.name for task in health_suite.tasks()],
    }
    listed = {suite: ', '.join(found) for suite, found in names.items()}
    return (
        f'pretraining: some of {listed["pretraining"]}, the others stay on the page as they are; imbalance: of '
        f'{listed["imbalance"]}; own_machine: of {listed["own_machine"]}; with --dataset: of the protocols '
        f'{", ".join(own_dataset.PROTOCOLS)}; unseen: machines to test, of {listed["unseen"]}; health: of '
        f'{listed["health"]}'
    )


def words_of_methods() -> str:
    """For the help of --methods."""
    return (
        f'adaptation: some of {", ".join(METHODS)} (where not given, slow inputs have a few, the others all); '
        f'imbalance: remedies among {", ".join(imbalance_suite.REMEDIES)}; unseen: rows among '
        f'{", ".join(method.name for method in unseen_suite.METHODS)}; health: rows among '
        f'{", ".join(method.name for method in health_methods.METHODS)}'
    )
