"""Compiled programs are kept in fdx's cache, unless the user says otherwise, and found again."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import jax
import pytest

from fdx.launch import compiled

NAMES = ('jax_compilation_cache_dir', 'jax_compilation_cache_max_size', 'jax_persistent_cache_min_compile_time_secs')
CHILD = """
from fdx.launch import compiled
compiled.LEAST_SECONDS = 0
print(compiled.keep_compiled())
import jax
import jax.numpy as jnp
heard = []
jax.monitoring.register_event_listener(lambda event, **kwargs: heard.append(event))
print(float(jax.jit(lambda x: jnp.sin(x).sum())(jnp.ones(7))))
print(sum(event.endswith('/cache_hits') for event in heard), sum(event.endswith('/cache_misses') for event in heard))
"""


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """As if nobody had chosen a folder; JAX's settings come back afterwards."""
    before = {name: getattr(jax.config, name) for name in NAMES}
    for name in NAMES:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv('FDX_CACHE', str(tmp_path))
    chosen = dict(os.environ)
    yield tmp_path
    os.environ.clear()
    os.environ.update(chosen)
    for name, value in before.items():
        jax.config.update(name, value)


def test_jax_and_what_it_starts_are_told(fresh):
    folder = compiled.keep_compiled()
    assert folder == fresh / 'compiled' / compiled.processor() and folder.is_dir()
    assert jax.config.jax_compilation_cache_dir == str(folder) == os.environ['JAX_COMPILATION_CACHE_DIR']
    assert jax.config.jax_compilation_cache_max_size == compiled.MOST_BYTES > 0


@pytest.mark.parametrize('chosen', ['/elsewhere', ''])
def test_what_the_user_has_chosen_stays(fresh, monkeypatch, chosen):
    monkeypatch.setenv('JAX_COMPILATION_CACHE_DIR', chosen)
    before = jax.config.jax_compilation_cache_dir
    assert compiled.keep_compiled() is None
    assert jax.config.jax_compilation_cache_dir == before and not any(fresh.iterdir())


def test_a_cache_that_cannot_be_written_is_done_without(fresh):
    (fresh / 'compiled').write_text('a file in place of the folder')
    assert compiled.keep_compiled() is None
    assert 'JAX_COMPILATION_CACHE_DIR' not in os.environ


def test_a_second_process_compiles_nothing(fresh):
    def run() -> list[str]:
        done = subprocess.run([sys.executable, '-c', CHILD], capture_output=True, text=True, check=True, timeout=120)
        return done.stdout.splitlines()

    first, second = run(), run()
    assert first[:2] == second[:2] and pathlib.Path(first[0]).is_relative_to(fresh)
    assert first[2].split()[0] == '0' and first[2].split()[1] != '0'
    assert second[2].split() == [first[2].split()[1], '0']
