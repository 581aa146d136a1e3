"""Numbers: ridge regression that knows how far its answers may be off."""

import numpy as np
import pytest

from model.heads.ridge import RidgeHead, fit_ridge
from model.records import Embeddings, Labels, LabelSpace
from model.tasks.number import Number, number_tolerance

SPACE = LabelSpace(("number",))


def _scene(rows, seed, *, dimensions=20, noise=2.0):
    """Unit vectors, and numbers around 50 that rise along one hidden direction."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hidden = 5.0 * np.random.default_rng(0).normal(size=dimensions)
    numbers = 50.0 + vectors @ hidden + noise * rng.normal(size=rows)
    return Embeddings(np.arange(rows, dtype=np.int64), vectors, "random"), numbers


def _train(items, numbers):
    labels = Labels(items.ids, np.asarray(numbers, dtype=np.float32)[:, None], SPACE)
    audit = np.zeros(len(labels), dtype=np.bool_)
    return Number().train(items, labels, names=None, audit=audit, rng=np.random.default_rng(1))


def test_left_out_answers_are_those_of_heads_without_the_item():
    items, numbers = _scene(12, seed=1, dimensions=5)
    fit = fit_ridge(items.vectors, numbers)
    for row in range(12):
        others = np.arange(12) != row
        x = items.vectors.astype(np.float64)
        centre, mean = x[others].mean(axis=0), numbers[others].mean()
        gram = (x[others] - centre).T @ (x[others] - centre) + fit.head.penalty * np.eye(5)
        weights = np.linalg.solve(gram, (x[others] - centre).T @ (numbers[others] - mean))
        assert fit.left_out[row] == pytest.approx(mean + (x[row] - centre) @ weights, abs=1e-4)


def test_it_learns_and_says_how_often_it_is_right():
    items, numbers = _scene(200, seed=1)
    others, truth = _scene(3000, seed=2)
    trained = _train(items, numbers)
    believed = trained.head.believe(others, "v1")
    errors = np.abs(believed.answers[:, 0] - truth)
    assert errors.mean() < 0.6 * np.abs(truth - np.median(truth)).mean()
    within = errors <= trained.metrics["tolerance"]
    assert believed.confidence.mean() == pytest.approx(within.mean(), abs=0.05)
    assert believed.uncertainty.mean() == pytest.approx(np.sqrt((errors**2).mean()), rel=0.15)


def test_far_from_the_labels_it_is_less_sure():
    items, numbers = _scene(40, seed=1)
    vectors = items.vectors.copy()
    vectors[:, 10:] = 0.0
    head = _train(Embeddings(items.ids, vectors, "random"), numbers).head
    places = np.zeros((2, 20), dtype=np.float32)
    places[0, :10], places[1, 10:] = vectors[0, :10], 0.3
    near, far = head.believe(Embeddings(np.arange(2), places, "random"), "v1").uncertainty
    assert far > near


def test_a_slip_of_the_keyboard_does_not_bend_every_answer():
    items, numbers = _scene(100, seed=1)
    others, truth = _scene(500, seed=2)

    def error(numbers):
        answers = _train(items, numbers).head.believe(others, "v1").answers[:, 0]
        return np.abs(answers - truth).mean()

    slipped = numbers.copy()
    slipped[:2] *= 1000.0
    assert error(slipped) < 1.3 * error(numbers)


@pytest.mark.parametrize("number", [0.0, 42.0, -3e6, 1e-4])
def test_numbers_that_are_all_the_same(number):
    items, _ = _scene(12, seed=1)
    trained = _train(items, np.full(12, number))
    believed = trained.head.believe(items, "v1")
    np.testing.assert_allclose(believed.answers[:, 0], number, rtol=1e-6)
    assert (believed.uncertainty > 0).all()
    assert trained.metrics["out_of_fold_mae"] == pytest.approx(0.0, abs=abs(number) * 1e-6)


def test_items_that_are_all_the_same():
    items, numbers = _scene(12, seed=1)
    same = Embeddings(items.ids, np.repeat(items.vectors[:1], 12, axis=0), "random")
    believed = _train(same, numbers).head.believe(same, "v1")
    np.testing.assert_allclose(believed.answers[:, 0], numbers.mean(), rtol=1e-5)


def test_a_single_label_makes_nobody_sure():
    items, numbers = _scene(5, seed=1)
    trained = _train(items.take(np.arange(1)), numbers[:1])
    believed = trained.head.believe(items, "v1")
    np.testing.assert_allclose(believed.answers[:, 0], numbers[0], rtol=1e-6)
    assert (believed.confidence == 0).all()
    assert trained.metrics["out_of_fold_mae"] is None


def test_the_tolerance_is_half_the_spread_of_the_numbers():
    assert number_tolerance(np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(0.5 * np.sqrt(1.25))
    assert number_tolerance(np.array([7.0, 7.0])) == pytest.approx(7e-6)


def test_numbers_agree_by_their_relative_difference():
    given = np.array([[10.0], [0.0], [-4.0], [3.0]], dtype=np.float32)
    answers = np.array([[8.0], [0.0], [4.0], [0.0]], dtype=np.float32)
    np.testing.assert_allclose(Number().agree(given, answers), [0.8, 1.0, 0.0, 0.0], atol=1e-6)


def test_figures_are_error_and_share_within_the_tolerance():
    items, numbers = _scene(60, seed=1)
    trained = _train(items, numbers)
    labels = Labels(items.ids, numbers.astype(np.float32)[:, None], SPACE)
    error, within = Number().figures(
        labels, trained.out_of_fold, blind=np.ones(60, dtype=np.bool_), rng=np.random.default_rng(0)
    )
    assert error.value == pytest.approx(trained.metrics["out_of_fold_mae"], rel=1e-4)
    assert not error.higher_is_better
    assert (within.name, within.value) == (
        "within tolerance",
        pytest.approx(trained.metrics["out_of_fold_within"]),
    )


def test_bad_input_is_refused():
    items, numbers = _scene(4, seed=1)
    with pytest.raises(ValueError, match="not a finite number"):
        _train(items, np.append(numbers[:3], np.nan))
    two = Labels(items.ids, np.zeros((4, 2), dtype=np.float32), LabelSpace(("a", "b")))
    with pytest.raises(ValueError, match="2 columns"):
        Number().train(
            items, two, names=None, audit=np.zeros(4, dtype=np.bool_), rng=np.random.default_rng(0)
        )
    head = _train(items, numbers).head
    with pytest.raises(ValueError, match="dimensions"):
        head.believe(Embeddings(items.ids, items.vectors[:, :3], "random"), "v1")
    ridge = head.ridge
    with pytest.raises(ValueError, match="not finite"):
        RidgeHead(
            ridge.weights * np.nan,
            ridge.centre,
            ridge.offset,
            ridge.directions,
            ridge.squares,
            ridge.penalty,
            ridge.labels,
            ridge.noise,
        )
