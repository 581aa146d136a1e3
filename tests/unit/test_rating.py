"""Ratings: grades in an order, and a head that uses it."""

import numpy as np
import pytest
from scipy.special import expit

from model.heads.ordinal import OrdinalHead, fit_ordinal, grade_chances
from model.records import Embeddings, Labels, LabelSpace
from model.tasks.rating import Rating, beliefs_from_grades
from model.tasks.single_choice import SingleChoice

SPACE = LabelSpace(tuple("12345"))


def _scene(rows, seed, *, dimensions=20):
    """Unit vectors, and grades that rise along one hidden direction with noise."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hidden = np.random.default_rng(0).normal(size=dimensions)
    place = vectors @ hidden + 0.4 * rng.normal(size=rows)
    grades = np.digitize(place, [-1.2, -0.4, 0.4, 1.2])
    items = Embeddings(np.arange(rows, dtype=np.int64), vectors, "random")
    return items, Labels(items.ids, np.eye(5, dtype=np.float32)[grades], SPACE)


def _train(learner, items, labels):
    audit = np.zeros(len(labels), dtype=np.bool_)
    return learner.train(items, labels, names=None, audit=audit, rng=np.random.default_rng(1))


def test_chances_are_differences_of_cumulative_ones():
    thresholds = np.array([[-1.0, 0.5, 2.0]])
    chances = grade_chances(np.array([0.3]), thresholds, 2.0)
    cumulative = expit((thresholds[0] - 0.3) / 2.0)
    np.testing.assert_allclose(chances.cumsum(axis=1)[0, :3], cumulative)
    far = grade_chances(np.array([-900.0, 900.0]), thresholds, 1.0)
    np.testing.assert_allclose(far, [[1, 0, 0, 0], [0, 0, 0, 1]], atol=1e-9)


def test_a_grade_without_labels_keeps_its_place_between_its_neighbours():
    items, labels = _scene(200, seed=1)
    kept = labels.classes != 2
    head = fit_ordinal(items.vectors[kept], labels.classes[kept], 5, inverse_regularisation=10.0)
    assert (np.diff(head.thresholds) > 0).all()
    assert (head.chances(items.vectors)[:, 2] > 0).all()


def test_the_order_of_grades_is_worth_labels():
    items, labels = _scene(60, seed=2)
    others, truth = _scene(600, seed=3)

    def error(learner):
        answers = _train(learner, items, labels).head.believe(others, "v1").answers
        return np.abs(answers.argmax(axis=1) - truth.classes).mean()

    assert error(Rating()) < error(SingleChoice())


def test_confidence_and_expected_error_are_what_happens():
    items, labels = _scene(300, seed=2)
    others, truth = _scene(2000, seed=3)
    believed = _train(Rating(), items, labels).head.believe(others, "v1")
    errors = np.abs(believed.answers.argmax(axis=1) - truth.classes)
    assert believed.confidence.mean() == pytest.approx((errors == 0).mean(), abs=0.06)
    assert believed.uncertainty.mean() == pytest.approx(errors.mean(), abs=0.08)


def test_the_answer_is_the_median():
    chances = np.array([[0.4, 0.0, 0.0, 0.3, 0.3], [0.5, 0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]])
    believed = beliefs_from_grades(np.arange(3), chances, "v1")
    assert believed.answers.argmax(axis=1).tolist() == [3, 0, 4]
    np.testing.assert_allclose(believed.confidence, [0.3, 0.5, 1.0])
    np.testing.assert_allclose(believed.uncertainty, [0.4 * 3 + 0.3, 0.5, 0.0], atol=1e-6)


def test_grades_further_apart_agree_less():
    grades = np.eye(5, dtype=np.float32)
    np.testing.assert_allclose(
        Rating().agree(np.repeat(grades[:1], 5, axis=0), grades), [1.0, 0.75, 0.5, 0.25, 0.0]
    )


def test_figures_are_error_and_exact_agreement():
    items, labels = _scene(80, seed=2)
    trained = _train(Rating(), items, labels)
    error, exact = Rating().figures(
        labels, trained.out_of_fold, blind=np.ones(80, dtype=np.bool_), rng=np.random.default_rng(0)
    )
    assert (error.name, error.higher_is_better) == ("mean absolute error", False)
    assert error.value == pytest.approx(trained.metrics["out_of_fold_mae"])
    assert (exact.name, exact.value) == (
        "exact agreement",
        pytest.approx(trained.metrics["out_of_fold_accuracy"]),
    )


def test_names_of_grades_say_nothing():
    assert Rating().cold_start(np.eye(5, dtype=np.float32), SPACE) is None


@pytest.mark.parametrize(
    ("weights", "thresholds", "temperature"),
    [
        (np.zeros((2, 2)), np.zeros(1), 1.0),
        (np.array([np.nan]), np.zeros(1), 1.0),
        (np.zeros(2), np.array([1.0, 0.0]), 1.0),
        (np.zeros(2), np.zeros(1), 0.0),
    ],
)
def test_a_head_of_nonsense_is_refused(weights, thresholds, temperature):
    with pytest.raises(ValueError, match="OrdinalHead"):
        OrdinalHead(weights, thresholds, temperature)
