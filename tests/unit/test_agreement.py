"""Agreement between people."""

import numpy as np
import pytest

from model.signals.agreement import measure_agreement


def test_alpha_equals_the_textbook():
    # Krippendorff (2011), Computing Krippendorff's alpha-reliability, nominal data of two observers.
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    tasks = np.tile(np.arange(10), 2)
    found = measure_agreement(tasks, np.repeat([1, 2], 10), np.array(first + second))
    assert found.alpha == pytest.approx(0.095, abs=5e-4)
    assert "on 10 shared tasks" in found.words


def test_somebody_who_answers_by_chance_agrees_with_nobody():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 200)
    tasks = np.tile(np.arange(200), 3)
    answers = np.concatenate([truth, truth, rng.integers(0, 3, 200)])
    people = measure_agreement(tasks, np.repeat([5, 6, 9], 200), answers).annotators
    kappas = {one.annotator: one.kappa for one in people}
    assert kappas[5] > 0.4 and kappas[6] > 0.4
    assert abs(kappas[9]) < 0.15


def test_few_shared_answers_judge_nobody():
    found = measure_agreement(np.array([1, 1, 2]), np.array([1, 2, 1]), np.array([0, 1, 0]))
    assert "1 shared task" in found.words
    assert [one.kappa for one in found.annotators] == [None, None]


def test_without_shared_tasks_nothing_is_known():
    for tasks in ([], [1, 2, 3]):
        found = measure_agreement(np.array(tasks), np.ones(len(tasks)), np.zeros(len(tasks), dtype=int))
        assert found.alpha is None
        assert "not known" in found.words


def test_one_class_only_has_no_alpha():
    found = measure_agreement(np.array([1, 1]), np.array([1, 2]), np.array([0, 0]))
    assert found.alpha is None
    assert "the same class" in found.words


def test_two_answers_of_one_person_to_one_task_are_refused():
    with pytest.raises(ValueError, match="twice"):
        measure_agreement(np.array([1, 1]), np.array([2, 2]), np.array([0, 1]))
