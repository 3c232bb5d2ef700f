"""The teacher of DIRT-T against loops in float64."""

from __future__ import annotations

import functools
import math

import jax
import numpy as np
import pytest

from fdx.adapt.terms.dirt_t import teacher_divergence, update_teacher
from fdx.types import ConfigError

STUDENT = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
TEACHER = (np.random.default_rng(1).standard_normal((5, 3)) * 2).astype(np.float32)
MASK = np.array([1, 1, 0, 1, 0], np.float32)


def softmax(row):
    exps = [math.exp(float(z)) for z in row]
    return np.array([e / sum(exps) for e in exps])


def test_divergence_is_from_the_teacher_to_the_student():
    pairs = [(softmax(t), softmax(s)) for t, s, m in zip(TEACHER, STUDENT, MASK) if m]
    wanted = sum((t * np.log(t / s)).sum() for t, s in pairs) / 3
    reverse = sum((s * np.log(s / t)).sum() for t, s in pairs) / 3
    found = float(jax.jit(teacher_divergence)(STUDENT, TEACHER, MASK))
    assert found == pytest.approx(wanted, rel=1e-5) and found != pytest.approx(reverse, rel=1e-2)


def test_only_the_student_gets_a_gradient():
    by_student, by_teacher = jax.jit(jax.grad(teacher_divergence, argnums=(0, 1)))(STUDENT, TEACHER, MASK)
    wanted = [(softmax(s) - softmax(t)) * m / 3 for s, t, m in zip(STUDENT, TEACHER, MASK)]
    np.testing.assert_allclose(by_student, wanted, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(by_teacher, 0)


def test_teacher_is_the_exponential_average_of_the_students():
    rng = np.random.default_rng(2)
    start, students = rng.standard_normal(3), rng.standard_normal((40, 3))
    tree = {'head': {'kernel': start.astype(np.float32)}, 'stage': [np.float32(2.0)]}
    update = jax.jit(functools.partial(update_teacher, decay=0.9))
    for student in students:
        params = {'head': {'kernel': student.astype(np.float32)}, 'stage': [np.float32(2.0)]}
        tree = update(tree, params)
    wanted = 0.9**40 * start + sum(0.1 * 0.9 ** (39 - i) * student for i, student in enumerate(students))
    np.testing.assert_allclose(tree['head']['kernel'], wanted, rtol=1e-5, atol=1e-6)
    assert float(tree['stage'][0]) == 2.0


def test_default_and_extreme_decays():
    teacher, params = {'w': np.float32(1.0)}, {'w': np.float32(0.0)}
    assert float(update_teacher(teacher, params)['w']) == pytest.approx(0.998, rel=1e-6)
    assert float(update_teacher(teacher, params, decay=1.0)['w']) == 1
    assert float(update_teacher(teacher, params, decay=0.0)['w']) == 0
    with pytest.raises(ConfigError, match='decay=1.5'):
        update_teacher(teacher, params, decay=1.5)
    with pytest.raises(ValueError, match='structure|Dict'):
        update_teacher(teacher, {'other': np.float32(0.0)})
