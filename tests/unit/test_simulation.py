"""Simulated labeling: the live functions, answers from stored labels, and what the curves say."""

from dataclasses import replace

import numpy as np
import pytest

from backend.simulation.labels import within_pool
from model.encoders.hashing import HashingEncoder
from model.records import Embeddings, LabelSpace
from model.simulation import run
from model.simulation.oracle import noisy_oracle
from model.simulation.report import (
    accuracy_at,
    area_under,
    audit_at,
    labels_needed,
    mean_interval,
    paired_difference,
)
from model.simulation.run import AUTO, Curve, Exercise, Features, Plan, full_accuracy, simulate

SPACE = LabelSpace(("cat", "dog", "fish"))
WORDS = {"cat": "purr meow whiskers paw", "dog": "bark fetch bone paw", "fish": "swim fin scale water"}


def an_exercise(n=60, *, names=True, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, 2 * n)
    texts = [" ".join(rng.choice(WORDS[SPACE.names[column]].split(), 3)) for column in classes]
    encoder = HashingEncoder(64)
    vectors = Embeddings(np.arange(1, 2 * n + 1), encoder.encode(texts), encoder.revision)
    return Exercise(
        pool=vectors.take(np.arange(n)),
        oracle=noisy_oracle(classes[:n], SPACE, noise=noise, rng=rng),
        test=vectors.take(np.arange(n, 2 * n)),
        test_classes=classes[n:],
        name_vectors=encoder.encode(SPACE.names) if names else None,
    )


def a_plan(strategy=AUTO, *, batch=5, budget=20, share=0.15, seed=0):
    return Plan(strategy, batch, budget, share, seed)


def a_curve(labels, accuracy):
    return Curve(labels=labels, accuracy=accuracy, audit=[None] * len(labels), rank_seconds=[])


def test_a_curve_has_a_point_before_any_label_and_one_after_every_batch():
    curve = simulate(an_exercise(), a_plan(batch=7, budget=20))
    assert curve.labels == [0, 7, 14, 20]
    assert len(curve.accuracy) == len(curve.audit) == 4
    assert len(curve.rank_seconds) == 3


def test_labels_teach():
    exercise = an_exercise()
    curve = simulate(exercise, a_plan(budget=40))
    assert curve.accuracy[-1] > curve.accuracy[0]
    assert full_accuracy(exercise, seed=0) > 0.9


def test_the_same_seed_gives_the_same_curve():
    first, second = (simulate(an_exercise(), a_plan(seed=3)) for _ in range(2))
    assert (first.accuracy, first.audit) == (second.accuracy, second.audit)


def test_a_budget_beyond_the_pool_labels_all_of_it():
    assert simulate(an_exercise(12), a_plan("margin", budget=500)).labels[-1] == 12


def test_only_the_audit_is_called_accuracy_and_only_when_there_is_one():
    assert simulate(an_exercise(), a_plan(share=0.0)).audit == [None] * 5
    audited = simulate(an_exercise(), a_plan(share=0.5)).audit
    assert audited[0] is None
    assert all(low <= estimate <= high for estimate, low, high in audited[1:])


def test_without_names_nothing_is_known_at_first_and_the_start_is_random():
    exercise = an_exercise(names=False)
    curve = simulate(exercise, a_plan("margin", share=0.0))
    assert curve.accuracy[0] == pytest.approx(1 / 3)
    assert curve.accuracy[1] == simulate(exercise, a_plan("random", share=0.0)).accuracy[1]


def test_where_no_names_can_help_the_loops_own_choice_starts_as_it_does_live():
    blind = replace(an_exercise(names=False), starts_untaught=True)
    zeros = replace(blind, name_vectors=np.zeros((3, 64), dtype=np.float32))
    curve = simulate(blind, a_plan(budget=5, share=0.0))
    assert curve.accuracy[0] == pytest.approx(1 / 3), "nothing is guessed"
    assert curve.accuracy[1] != simulate(blind, a_plan("random", budget=5, share=0.0)).accuracy[1]
    own = _asked(blind)
    assert own == _asked(zeros) != _asked(an_exercise(names=False))
    margin = a_plan("margin", share=0.0)
    assert simulate(blind, margin).accuracy == simulate(an_exercise(names=False), margin).accuracy


def _asked(exercise):
    """What is asked before the first answer."""
    model = run._learn(exercise, a_plan(), np.zeros(0, dtype=np.intp))
    return run._rank(exercise, a_plan(share=0.0), np.zeros(0, dtype=np.intp), model).ids[:5].tolist()


def test_a_strategy_may_have_another_for_its_start():
    exercise = an_exercise()
    mixed = simulate(exercise, a_plan("random+margin", share=0.0))
    assert mixed.accuracy[1] == simulate(exercise, a_plan("random", share=0.0)).accuracy[1]
    with pytest.raises(ValueError, match="magic"):
        a_plan("random+magic")


def test_progress_counts_every_label():
    told = []
    simulate(an_exercise(), a_plan(budget=13), progress=told.append)
    assert sum(told) == 13


def test_a_noisy_oracle_is_wrong_as_often_as_it_was_told():
    answers = np.zeros(4000, dtype=np.intp)
    noisy = noisy_oracle(answers, SPACE, noise=0.2, rng=np.random.default_rng(0)).answers
    assert 0.17 < (noisy != answers).mean() < 0.23
    assert set(noisy) == {0, 1, 2}
    with pytest.raises(ValueError, match="noise is 2"):
        noisy_oracle(answers, SPACE, noise=2, rng=np.random.default_rng(0))


def test_labels_needed_lie_on_the_straight_line_between_two_trainings():
    curve = a_curve([0, 10, 20], [0.2, 0.4, 0.8])
    assert labels_needed(curve, 0.6) == pytest.approx(15)
    assert labels_needed(curve, 0.1) == 0
    assert labels_needed(curve, 0.9) is None
    assert accuracy_at(curve, [5, 15, 99]) == pytest.approx([0.3, 0.6, 0.8])
    assert area_under(curve) == pytest.approx(0.45)


def test_the_audit_of_a_budget_is_that_of_the_last_training_within_it():
    curve = Curve(labels=[0, 10, 20], accuracy=[0, 0, 0], audit=[None, (0.5, 0.3, 0.7), (0.6, 0.4, 0.8)])
    assert audit_at(curve, [5, 10, 19, 50]) == [None, curve.audit[1], curve.audit[1], curve.audit[2]]


def test_a_paired_difference_is_sure_of_what_every_seed_says():
    ours = [0.8, 0.6, 0.9, 0.7]
    gain = paired_difference(ours, [value - 0.1 for value in ours])
    assert gain.low == pytest.approx(0.1) and gain.high == pytest.approx(0.1)
    assert mean_interval(ours).low < 0.75 < mean_interval(ours).high
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_difference(ours, [])


# What the head looks at


def blind_exercise(only=None):
    """The encoder tells nothing apart, the other features everything."""
    exercise = an_exercise(names=False)
    answers = [exercise.oracle.answers, exercise.test_classes]
    clear = [np.eye(3, dtype=np.float32)[columns] for columns in answers]
    blind = [np.tile(np.float32([1, 0, 0]), (60, 1)) for _ in answers]
    parts = exercise.pool, exercise.test
    pool, test = (Embeddings(part.ids, rows, "blind@1") for part, rows in zip(parts, blind, strict=True))
    seen = (Embeddings(part.ids, rows, "clear@1") for part, rows in zip(parts, clear, strict=True))
    features = Features(*seen, name_vectors=None, neighbour_graph=None)
    return replace(exercise, pool=pool, test=test, others={"tfidf": features}, only=only)


def test_the_labels_choose_what_the_head_sees_once_there_are_enough():
    curve = simulate(blind_exercise(), a_plan(strategy="random", budget=40, batch=10))
    assert curve.representation == ["encoder", "encoder", "encoder", "tfidf", "tfidf"]
    assert curve.accuracy[2] < 0.7
    assert curve.accuracy[-1] == 1.0
    assert full_accuracy(blind_exercise(), seed=0) == 1.0


def test_one_representation_can_be_demanded_from_the_first_label_on():
    curve = simulate(blind_exercise(only="tfidf"), a_plan(strategy="random", budget=40, batch=10))
    assert curve.representation == ["encoder", "tfidf", "tfidf", "tfidf", "tfidf"]
    assert simulate(blind_exercise(only="encoder"), a_plan(budget=40, batch=20)).accuracy[-1] < 0.7


@pytest.mark.parametrize(
    ("asked", "pool", "reached", "beyond"),
    [
        ((20, 50, 100, 200), 69, (20, 50, 69), (100, 200)),
        ((20, 69, 100), 69, (20, 69), (100,)),
        ((20, 50), 69, (20, 50), ()),
        ((200,), 69, (69,), (200,)),
    ],
)
def test_a_budget_that_the_pool_does_not_reach_is_left_out(asked, pool, reached, beyond):
    assert within_pool(asked, pool) == (reached, beyond)
