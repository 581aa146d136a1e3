"""The learning curve, the order beside a random one, and the forecast."""

import numpy as np
import pytest

from model.records import Embeddings, Labels, LabelSpace
from model.signals.estimate import Estimate
from model.signals.forecast import forecast_gain
from model.signals.learning_curve import LabelLog, Step, trace_learning
from model.signals.power_law import fit_power_law
from model.signals.prediction_powered import Sample
from model.training import train

SPACE = LabelSpace(("a", "b", "c", "d"))


def a_project(count=400, seed=0, spread=0.55):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, count)
    vectors = np.eye(12)[truth] + spread * rng.normal(size=(count, 12))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.arange(count) + 100
    items = Embeddings(ids, vectors.astype(np.float32), "made@1")
    return items, Labels(ids, np.eye(4, dtype=np.float32)[truth], SPACE)


def trace(labels=120, blind=40, count=400):
    items, answers = a_project(count)
    rows = np.arange(labels)
    log = LabelLog(
        items.take(rows),
        Labels(answers.ids[rows], answers.targets[rows], SPACE),
        rows % max(labels // max(blind, 1), 1) == 0 if blind else np.zeros(labels, dtype=bool),
    )
    nothing = np.zeros(labels, dtype=bool)
    rng = np.random.default_rng(0)
    trained = train(log.embeddings, log.labels, name_vectors=None, audit=nothing, rng=rng)
    rest = items.take(np.arange(labels, count))
    return trace_learning(
        log, trained, unlabelled=rest, pool_size=count, name_vectors=None, rng=np.random.default_rng(1)
    )


def steps_at(labels, accuracies, items=200, seed=0):
    """Steps whose audit items were right with these chances, the same items each time."""
    luck = np.random.default_rng(seed).random(items)
    return [
        Step(
            size,
            float(size),
            Sample((luck < chance).astype(float), np.full(items, 0.5), 0.5, 0.0, 1.0, 5000),
            Estimate(chance, 0.0, 1.0),
        )
        for size, chance in zip(labels, accuracies, strict=True)
    ]


def test_the_curve_ends_at_the_head_in_use_and_rises_with_labels():
    curve = trace()
    assert [step.labels for step in curve.steps] == [15, 30, 60, 90, 120]
    assert curve.steps[-1].accuracy.value > curve.steps[0].accuracy.value
    assert "From 15 to 120 labels accuracy went from" in curve.words


def test_random_labels_in_random_order_show_no_difference():
    against = trace().against_random
    assert not against.shown
    assert "No difference shown" in against.words
    assert against.difference.low < 0 < against.difference.high
    assert 0 <= against.random_now.low <= against.random_now.high <= 1


def test_before_thirty_audit_labels_there_is_no_curve():
    curve = trace(labels=60, blind=20)
    assert curve.steps == ()
    assert curve.against_random is None
    assert curve.words == "Too early to draw a learning curve: 20 of 30 audit labels."


def test_no_labels_at_all_is_too_early_too():
    items, answers = a_project(5)
    none = np.arange(0)
    log = LabelLog(
        items.take(none), Labels(answers.ids[:0], answers.targets[:0], SPACE), np.zeros(0, dtype=bool)
    )
    rng = np.random.default_rng(0)
    nothing = np.zeros(5, dtype=bool)
    trained = train(items, answers, name_vectors=None, audit=nothing, rng=rng)
    with pytest.raises(ValueError, match="not trained on this log"):
        trace_learning(log, trained, unlabelled=items, pool_size=5, name_vectors=None, rng=rng)


def test_a_pool_that_is_labelled_to_the_end_has_a_curve():
    assert trace(labels=120, count=120).steps[-1].accuracy.value > 0.5


def test_a_log_whose_parts_differ_is_refused():
    items, answers = a_project(10)
    with pytest.raises(ValueError, match="blind marks"):
        LabelLog(items, answers, np.zeros(9, dtype=bool))
    with pytest.raises(ValueError, match="differ in their ids"):
        LabelLog(items.take(np.arange(9)), answers, np.zeros(10, dtype=bool))


def test_a_curve_that_still_rises_promises_a_gain():
    found = forecast_gain(
        steps_at([50, 100, 200, 400], [0.5, 0.62, 0.71, 0.78]), rng=np.random.default_rng(0)
    )
    assert 0.01 < found.gain.value < 0.05
    assert found.gain.low > 0.0
    assert found.words.startswith("The next 100 labels: +")


def test_a_flat_curve_promises_nothing():
    found = forecast_gain(steps_at([50, 100, 200, 400], [0.8] * 4), rng=np.random.default_rng(0))
    assert abs(found.gain.value) < 0.003
    assert found.gain.low <= 0.0
    assert "nothing significant" in found.words


def test_more_labels_bring_more():
    steps = steps_at([50, 100, 200, 400], [0.5, 0.62, 0.71, 0.78])
    gains = [forecast_gain(steps, more=n, rng=np.random.default_rng(0)).gain.value for n in (50, 100, 400)]
    assert gains == sorted(gains)


def test_a_short_curve_promises_nothing_at_all():
    found = forecast_gain(steps_at([50, 100], [0.5, 0.6]), rng=np.random.default_rng(0))
    assert found.gain is None
    with pytest.raises(ValueError, match="more is 0"):
        forecast_gain([], more=0, rng=np.random.default_rng(0))


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_a_power_law_is_found_again(exponent):
    labels = np.array([25.0, 50.0, 100.0, 200.0, 400.0])
    accuracy = 0.9 - 3.0 * 25.0 ** (exponent - 0.5) * 0.4 * labels**-exponent
    law = fit_power_law(np.tile(accuracy, (3, 1)), labels)
    truth = 0.9 - 3.0 * 25.0 ** (exponent - 0.5) * 0.4 * 800.0**-exponent
    assert law.accuracy(np.full(3, 800.0)) == pytest.approx(np.full(3, truth), abs=0.01)


def test_a_power_law_through_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        fit_power_law(np.array([[0.5, np.nan]]), np.array([10.0, 20.0]))
