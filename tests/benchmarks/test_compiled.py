"""Compiled programs of a study: where they are kept, and when they are forgotten."""

from __future__ import annotations

import jax
import pytest

from fdx.benchmarks import compiled


@pytest.fixture
def set_to():
    """Sets where JAX keeps programs; afterwards it is as before."""
    names = ('jax_compilation_cache_dir', 'jax_persistent_cache_min_compile_time_secs')
    before = [getattr(jax.config, name) for name in names]
    yield lambda *values: [jax.config.update(name, value) for name, value in zip(names, values, strict=True)]
    for name, value in zip(names, before, strict=True):
        jax.config.update(name, value)


def test_programs_go_to_the_studys_folder_unless_the_user_says_where(set_to, tmp_path):
    set_to('/elsewhere', 1.0)
    compiled.keep_compiled(tmp_path)
    assert jax.config.jax_compilation_cache_dir == '/elsewhere'
    assert jax.config.jax_persistent_cache_min_compile_time_secs == 1.0
    set_to(None, 1.0)
    compiled.keep_compiled(tmp_path)
    assert jax.config.jax_compilation_cache_dir == str(tmp_path)
    assert jax.config.jax_persistent_cache_min_compile_time_secs == 0.2


@pytest.mark.parametrize(
    ('limit', 'forgets'), [('65530', 0), ('2999', 1), ('3001', 0), ('', 1), (None, 1)], ids=str
)  # fmt: skip
def test_they_are_forgotten_where_a_third_of_the_maps_is_in_use(monkeypatch, tmp_path, limit, forgets):
    (tmp_path / 'maps').write_bytes(b'7f00-7f01 r--p\n' * 1000)
    if limit is not None:  # else the system has no such file
        (tmp_path / 'limit').write_text(limit)
    monkeypatch.setattr(compiled, '_MAPS', tmp_path / 'maps')
    monkeypatch.setattr(compiled, '_LIMIT', tmp_path / 'limit')
    called = []
    monkeypatch.setattr(jax, 'clear_caches', lambda: called.append(1))
    compiled.forget_many()
    assert len(called) == forgets
