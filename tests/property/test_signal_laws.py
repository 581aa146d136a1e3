"""Laws of the signals: ranges hold their value, more evidence narrows them, and no order of rows matters."""

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.special import bdtr

from model.calibration import score_interval
from model.records import LabelSpace
from model.signals.agreement import measure_agreement
from model.signals.estimate import Estimate, percent_range, points_range, share
from model.signals.forecast import Forecast, forecast_gain
from model.signals.honest_accuracy import asked_blind, measure_accuracy
from model.signals.learning_curve import Step
from model.signals.power_law import fit_power_law
from model.signals.prediction_powered import Sample, estimate_accuracy
from model.signals.stopping import advise, agreement_of_versions, unexplained_mass
from model.signals.trusted import certify_threshold, certifying_sizes

settings.register_profile("signals", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("signals")

SPACE = LabelSpace(("a", "b", "c"))
seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0, 1)
precisions = st.sampled_from([0.8, 0.9, 0.95, 0.99])


def an_audit(seed, size, *, telling=True):
    """Confidences that mean what they say, if they are telling, and who is right."""
    rng = np.random.default_rng(seed)
    sure = rng.beta(4, 1, size).astype(np.float32)
    return sure, rng.random(size) < (sure if telling else 0.6)


def judged(seed, rows, pool=300):
    rng = np.random.default_rng(seed)
    values = rng.dirichlet([0.4] * 3, rows).astype(np.float32)
    classes = np.array([rng.choice(3, p=row / row.sum()) for row in values.astype(float)], dtype=np.intp)
    return values, classes, rng.random(rows) < 0.7, rng.beta(4, 1, pool).astype(np.float32)


def measure(values, classes, audit, pool, blind=None):
    return measure_accuracy(
        values,
        classes,
        audit=audit,
        blind=blind,
        unlabelled_confidence=pool,
        space=SPACE,
        rng=np.random.default_rng(0),
    )


@given(shares, st.floats(0.5, 1e6))
def test_a_score_interval_holds_its_share_and_narrows_with_evidence(value, size):
    low, high = score_interval(value, size)
    assert 0.0 <= low <= value <= high <= 1.0
    narrower = score_interval(value, 4 * size)
    assert low - 1e-9 <= narrower[0] and narrower[1] <= high + 1e-9


@given(st.integers(1, 5000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_shares_are_written_as_a_range_that_can_be_read(counts):
    estimate = share(*counts)
    words = percent_range(estimate)
    assert words.count("%") == 2
    assert "nan" not in words and "nan" not in points_range(estimate)


@given(seeds, st.integers(45, 150))
def test_honest_accuracy_holds_its_estimate_whatever_the_order_of_rows(seed, rows):
    values, classes, audit, pool = judged(seed, rows)
    found = measure(values, classes, audit, pool)
    assume(found.prediction_powered is not None)
    for estimate in (found.plain, found.prediction_powered):
        assert 0.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0
    order = np.random.default_rng(seed).permutation(rows)
    again = measure(values[order], classes[order], audit[order], pool[::-1])
    assert np.isclose(again.prediction_powered.value, found.prediction_powered.value, atol=1e-6)
    assert np.isclose(again.prediction_powered.low, found.prediction_powered.low, atol=1e-6)
    assert again.plain == found.plain


@given(seeds)
def test_four_times_the_audit_labels_narrow_the_range(seed):
    values, classes, audit, pool = judged(seed, 60, pool=20_000)
    audit[:40] = True
    once = measure(values, classes, audit, pool)
    again = measure(np.tile(values, (4, 1)), np.tile(classes, 4), np.tile(audit, 4), pool)
    assert (
        again.prediction_powered.high - again.prediction_powered.low
        < once.prediction_powered.high - once.prediction_powered.low
    )


@given(seeds, st.integers(2, 200), st.integers(0, 100), st.integers(0, 2000))
def test_assisted_accuracy_is_a_share_even_where_confidences_lie(seed, drawn, asked, unlabelled):
    rng = np.random.default_rng(seed)
    blind = np.arange(drawn + asked) < drawn
    found = estimate_accuracy(
        Sample.from_pool(
            rng.random(drawn + asked) < rng.random(),
            rng.random(drawn + asked),
            blind=blind,
            unlabelled_confidence=rng.random(unlabelled).astype(np.float32),
        )
    )
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert found.high > found.low


@given(seeds, st.integers(0, 400), st.integers(1, 200))
def test_what_was_asked_blind_stays_so_with_a_larger_window(seed, count, window):
    ranks = np.random.default_rng(seed).permutation(2000)[:count]
    places = np.arange(count)
    small = asked_blind(ranks, places, window=window, audit_share=0.15)
    large = asked_blind(ranks, places, window=2 * window, audit_share=0.15)
    assert (small <= large).all()


@given(st.integers(1, 1500), precisions, st.sampled_from([0.8, 0.9, 0.95]))
def test_certifying_sizes_are_the_fewest_whose_binomial_chance_is_small_enough(limit, precision, certainty):
    sizes = certifying_sizes(limit, precision=precision, certainty=certainty)
    assert (np.diff(sizes) > 0).all()
    for errors, size in enumerate(sizes[:5].tolist()):
        assert bdtr(errors, size, 1 - precision) <= 1 - certainty
        assert bdtr(errors, size - 1, 1 - precision) > 1 - certainty


@given(seeds, st.integers(0, 500), st.booleans())
def test_a_certified_threshold_passed_its_own_test_whatever_the_order_of_rows(seed, size, telling):
    sure, right = an_audit(seed, size, telling=telling)
    pool, _ = an_audit(seed + 1, 1000)
    found = certify_threshold(sure, right, unlabelled_confidence=pool)
    order = np.random.default_rng(seed).permutation(size)
    again = certify_threshold(sure[order], right[order], unlabelled_confidence=pool[::-1])
    assert (again.threshold, again.coverage, again.words) == (found.threshold, found.coverage, found.words)
    if found.threshold is not None:
        above = sure >= found.threshold
        assert above.sum() == found.tested
        assert bdtr((~right[above]).sum(), above.sum(), 0.05) <= 0.1
        assert found.coverage == (pool >= found.threshold).mean()


@given(seeds, st.integers(60, 400))
def test_a_higher_promise_or_certainty_never_certifies_the_same_threshold_for_less(seed, size):
    sure, right = an_audit(seed, size)
    pool, _ = an_audit(seed + 1, 1000)
    found = certify_threshold(sure, right, unlabelled_confidence=pool, precision=0.95)
    if found.threshold is not None:
        errors = found.errors
        assert bdtr(errors, found.tested, 0.1) <= bdtr(errors, found.tested, 0.05)


@given(seeds, st.integers(2, 30), st.integers(3, 7))
def test_fitted_curves_never_fall_and_never_pass_one(seed, draws, points):
    rng = np.random.default_rng(seed)
    labels = np.cumsum(rng.integers(5, 100, points)).astype(float)
    law = fit_power_law(rng.random((draws, points)), labels)
    path = np.stack([law.accuracy(np.full(draws, at)) for at in (10.0, 100.0, 1000.0, 1e6)])
    assert (np.diff(path, axis=0) >= -1e-12).all()
    assert (path <= 1.0 + 1e-12).all()


@given(seeds, st.integers(30, 200), st.integers(3, 6))
def test_a_forecast_holds_its_gain_and_more_audit_labels_narrow_it(seed, items, points):
    rng = np.random.default_rng(seed)
    luck = rng.random(items)
    chances = np.sort(rng.random(points))

    def steps(times):
        return [
            Step(
                40 * 2**number,
                40.0 * 2**number,
                Sample(
                    np.tile((luck < chance).astype(float), times),
                    np.full(items * times, 0.5),
                    0.5,
                    0.0,
                    1.0,
                    9000,
                ),
                Estimate(chance, 0.0, 1.0),
            )
            for number, chance in enumerate(chances)
        ]

    once, again = (forecast_gain(steps(times), rng=np.random.default_rng(0)).gain for times in (1, 9))
    assert -1e-9 <= once.value <= 1.0
    assert once.low <= once.value <= once.high
    assert again.high - again.low <= once.high - once.low + 1e-3


@given(seeds, st.integers(1, 60), st.integers(1, 4))
def test_versions_agree_alike_both_ways_and_at_most_fully(seed, count, classes):
    rng = np.random.default_rng(seed)
    ids = rng.permutation(1000)[:count]
    before, now = rng.integers(0, classes, (2, count))
    there = agreement_of_versions(ids, before, ids, now)
    back = agreement_of_versions(ids, now, ids, before)
    assert np.isclose(there, back) and -1.0 <= there <= 1.0
    assert agreement_of_versions(ids, before, ids, before) == 1.0


@given(seeds, st.integers(1, 50), st.integers(1, 50))
def test_unexplained_mass_is_a_share(seed, pool, recent):
    rng = np.random.default_rng(seed)
    found = unexplained_mass(
        rng.dirichlet([1] * 3, pool).astype(np.float32),
        rng.dirichlet([1] * 3, recent).astype(np.float32),
        rng.random(recent) < 0.5,
    )
    assert found is None or 0.0 <= found <= 1.0


@given(st.floats(0, 0.2), st.floats(0, 0.1), st.floats(1e-4, 0.1), st.integers(0, 3))
def test_advice_is_one_of_four_and_a_higher_price_never_asks_for_more_labels(gain, half, price, new_classes):
    forecast = Forecast(100, Estimate(gain, gain - half, gain + half), "")
    first, second = (
        advise(kappas=[], forecast=forecast, price=times * price, new_classes=new_classes).advice
        for times in (1, 2)
    )
    assert {first, second} <= {"keep-labeling", "label-novel-lane", "collect-data", "stop"}
    assert second != "keep-labeling" or first == "keep-labeling"


@given(seeds, st.integers(0, 60), st.integers(1, 4))
@example(seed=0, count=57, people=4)
def test_agreement_is_at_most_one_and_does_not_depend_on_the_order(seed, count, people):
    rng = np.random.default_rng(seed)
    pairs = np.unique(np.stack([rng.integers(0, 12, count), rng.integers(0, people, count)], axis=1), axis=0)
    classes = rng.integers(0, 3, len(pairs))
    found = measure_agreement(pairs[:, 0], pairs[:, 1], classes)
    order = rng.permutation(len(pairs))
    again = measure_agreement(pairs[order, 0], pairs[order, 1], classes[order])
    assert found.alpha is None or found.alpha <= 1.0 + 1e-12
    assert (found.alpha is None) == (again.alpha is None)
    assert found.alpha is None or np.isclose(found.alpha, again.alpha)
    assert found.annotators == again.annotators
