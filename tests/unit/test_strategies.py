"""One contract for every strategy of the table, and what each one promises beyond it."""

from dataclasses import replace

import numpy as np
import pytest

from model.heads.single_label import LinearHead, softmax
from model.records import Embeddings, LabelSpace, Probabilities
from model.strategies import STRATEGIES, HeadView, StrategyInput, needs_probabilities
from model.strategies.diversity import pick_farthest
from model.strategies.gradients import spread_gradients
from model.strategies.imbalance import best_threshold, class_margins
from model.strategies.kernel import class_balance, kernel, pick_by_coverage
from tests.beliefs import strategy_input

ENCODER = "test@1"
EVERY = sorted(STRATEGIES)


def unit_rows(rng, n, d=8):
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def some_inputs(n=60, *, c=4, labelled=5, batch=10, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.permutation(10 * n)[:n].astype(np.int64)
    values = rng.dirichlet(np.ones(c), size=n).astype(np.float32)
    known = Embeddings(np.arange(labelled) + 10_000, unit_rows(rng, labelled), ENCODER)
    pool = Embeddings(ids, unit_rows(rng, n), ENCODER)
    return strategy_input(pool, Probabilities(ids, values, "v1"), known, batch)


def score(name, inputs, seed=7):
    return STRATEGIES[name](inputs, np.random.default_rng(seed))


@pytest.mark.parametrize("name", EVERY)
class TestEveryStrategy:
    def test_gives_one_finite_score_per_item_under_its_own_name(self, name):
        inputs = some_inputs()
        scores = score(name, inputs)
        assert np.array_equal(scores.ids, inputs.pool.ids)
        assert np.isfinite(scores.values).all()
        assert scores.strategy == name

    def test_does_not_care_in_which_order_the_items_come(self, name):
        inputs = some_inputs()
        order = np.random.default_rng(3).permutation(len(inputs.pool))
        assert np.array_equal(score(name, inputs.take(order)).values, score(name, inputs).values[order])

    def test_does_not_care_in_which_order_the_labelled_items_come(self, name):
        inputs = some_inputs()
        turned = strategy_input(
            inputs.pool, inputs.probabilities, inputs.labelled.take(np.arange(5)[::-1]), inputs.batch
        )
        assert np.array_equal(score(name, turned).values, score(name, inputs).values)

    def test_gives_the_same_answer_for_the_same_seed(self, name):
        assert np.array_equal(score(name, some_inputs()).values, score(name, some_inputs()).values)

    def test_leaves_its_inputs_as_they_were(self, name):
        inputs, before = some_inputs(), some_inputs()
        score(name, inputs)
        assert np.array_equal(inputs.pool.vectors, before.pool.vectors)
        assert np.array_equal(inputs.probabilities.values, before.probabilities.values)
        assert np.array_equal(inputs.labelled.vectors, before.labelled.vectors)

    def test_scores_from_zero_to_one_and_the_batch_that_it_picks_above_in_falling_order(self, name):
        values = np.sort(score(name, some_inputs(batch=10)).values)[::-1]
        assert values[-1] >= 0.0 and values[0] <= 2.0
        assert (values > 1.0).sum() == (10 if values[0] > 1.0 else 0)
        assert values[0] <= 1.0 or (np.diff(values[:11]) < 0).all()

    def test_takes_an_empty_pool(self, name):
        assert len(score(name, some_inputs().take(np.zeros(0, dtype=np.intp))).values) == 0

    def test_takes_a_pool_of_one(self, name):
        assert len(score(name, some_inputs(1)).values) == 1

    def test_takes_a_single_class(self, name):
        assert np.isfinite(score(name, some_inputs(c=1)).values).all()

    def test_takes_nothing_labelled(self, name):
        assert np.isfinite(score(name, some_inputs(labelled=0)).values).all()

    def test_takes_a_batch_larger_than_the_pool(self, name):
        assert len(score(name, some_inputs(6, batch=50)).values) == 6

    def test_takes_a_pool_of_twins_of_which_the_head_is_equally_unsure(self, name):
        ids = np.arange(30)
        pool = Embeddings(ids, np.repeat(unit_rows(np.random.default_rng(0), 1), 30, axis=0), ENCODER)
        same = Probabilities(ids, np.full((30, 3), 1 / 3, dtype=np.float32), "v1")
        assert np.isfinite(score(name, strategy_input(pool, same, pool.take(ids[:0]), 5)).values).all()

    def test_needs_probabilities_exactly_when_it_says_so(self, name):
        inputs = some_inputs()
        bare = strategy_input(inputs.pool, None, inputs.labelled, inputs.batch)
        if needs_probabilities(name):
            with pytest.raises(ValueError, match="needs probabilities"):
                score(name, bare)
        else:
            assert np.isfinite(score(name, bare).values).all()


@pytest.mark.parametrize("name", ["margin", "entropy", "least-confidence"])
def test_a_coin_flip_is_more_useful_than_a_sure_thing(name):
    ids = np.arange(2)
    pool = Embeddings(ids, unit_rows(np.random.default_rng(0), 2), ENCODER)
    flip_and_sure = Probabilities(ids, np.array([[0.5, 0.5], [0.99, 0.01]], dtype=np.float32), "v1")
    values = score(name, strategy_input(pool, flip_and_sure, pool.take(ids[:0]), 1)).values
    assert values[0] > values[1]


@pytest.mark.parametrize(
    "name",
    [
        "badge",
        "balanced-herding",
        "cluster-margin",
        "core-set",
        "margin-diversity",
        "max-herding",
        "uncertainty-herding",
    ],
)
def test_a_batch_holds_no_twins_while_there_is_something_else(name):
    rng = np.random.default_rng(1)
    ids, vectors = np.arange(40), np.repeat(unit_rows(rng, 10), 4, axis=0)
    unsure = Probabilities(ids, np.full((40, 2), 0.5, dtype=np.float32), "v1")
    pool = Embeddings(ids, vectors, ENCODER)
    values = score(name, strategy_input(pool, unsure, pool.take(ids[:0]), 10)).values
    picked = np.argsort(-values)[:10]
    assert len(set(picked // 4)) == 10


@pytest.mark.parametrize("name", ["balanced-herding", "max-herding", "uncertainty-herding"])
def test_what_is_labelled_or_in_flight_is_not_asked_again_by_a_twin(name):
    rng = np.random.default_rng(1)
    ids, vectors = np.arange(12), unit_rows(rng, 12)
    unsure = Probabilities(ids, np.full((12, 2), 0.5, dtype=np.float32), "v1")
    in_flight = Embeddings(np.arange(100, 106), vectors[:6], ENCODER)
    values = score(name, strategy_input(Embeddings(ids, vectors, ENCODER), unsure, in_flight, 6)).values
    assert set(np.argsort(-values)[:6]) == set(range(6, 12))


def test_uncertainty_herding_prefers_the_unsure_half_of_two_like_groups():
    rng = np.random.default_rng(2)
    ids = np.arange(40)
    values = np.where(ids[:, None] < 20, [[0.5, 0.5]], [[0.999, 0.001]]).astype(np.float32)
    pool = Embeddings(ids, unit_rows(rng, 40), ENCODER)
    inputs = strategy_input(pool, Probabilities(ids, values, "v1"), pool.take(ids[:0]), 8)
    scores = score("uncertainty-herding", inputs)
    assert (np.argsort(-scores.values)[:8] < 20).all()


def test_a_random_order_stays_when_its_first_items_leave_the_pool():
    inputs = some_inputs(60)
    order = inputs.pool.ids[np.argsort(-score("random", inputs).values)]
    left = inputs.take(np.isin(inputs.pool.ids, order[10:]))
    assert np.array_equal(left.pool.ids[np.argsort(-score("random", left).values)], order[10:])


def test_an_item_of_a_rare_class_weighs_more_than_one_of_a_common_class():
    values = np.repeat([[0.9, 0.1, 0.0], [0.0, 0.1, 0.9]], [9, 1], axis=0).astype(np.float32)
    balance = class_balance(values)
    assert balance.argmax() == 9
    assert (balance > 0).all() and balance.max() == 1.0


def test_lazy_picking_equals_the_slow_obvious_way():
    rng = np.random.default_rng(5)
    closeness = kernel(unit_rows(rng, 30), unit_rows(rng, 50), bandwidth=0.8)
    weights = rng.random(50).astype(np.float32)
    covered, expected = np.zeros(50, dtype=np.float32), []
    for _ in range(12):
        gains = np.maximum(closeness - covered, 0) @ weights
        gains[expected] = -1
        expected.append(int(gains.argmax()))
        covered = np.maximum(covered, closeness[expected[-1]])
    picks = pick_by_coverage(closeness, weights, covered=np.zeros(50, dtype=np.float32), count=12)
    assert picks.tolist() == expected


def test_an_unknown_strategy_is_named_together_with_the_known_ones():
    with pytest.raises(ValueError, match="'magic'.*random, margin"):
        needs_probabilities("magic")


def test_inputs_that_do_not_belong_together_are_refused():
    inputs = some_inputs()
    other = Embeddings(inputs.labelled.ids, inputs.labelled.vectors, "other@2")
    with pytest.raises(ValueError, match="one encoder"):
        StrategyInput(inputs.pool, inputs.probabilities, other, 10)
    with pytest.raises(ValueError, match="differ in their ids"):
        StrategyInput(inputs.pool.take(np.arange(5)), inputs.probabilities, inputs.labelled, 10)
    with pytest.raises(ValueError, match="batch is 0"):
        StrategyInput(inputs.pool, inputs.probabilities, inputs.labelled, 0)
    with pytest.raises(ValueError, match="looks at other items"):
        replace(inputs, view=replace(inputs.view, pool=inputs.view.pool.take(np.arange(60)[::-1])))
    with pytest.raises(ValueError, match="appears twice"):
        StrategyInput(inputs.pool.take(np.zeros(2, dtype=np.intp)), None, inputs.labelled, 10)


def test_factored_badge_equals_k_means_plus_plus_on_the_real_gradients():
    rng = np.random.default_rng(4)
    errors, vectors = rng.normal(size=(40, 3)).astype(np.float32), unit_rows(rng, 40)
    gradients = np.einsum("nc,nd->ncd", errors, vectors).reshape(40, -1).astype(np.float64)
    rng, expected = np.random.default_rng(9), [int((gradients**2).sum(axis=1).argmax())]
    while len(expected) < 8:
        distance = ((gradients[:, None] - gradients[expected][None]) ** 2).sum(axis=2).min(axis=1)
        distance[expected] = 0.0
        sums = np.cumsum(distance)
        expected.append(int(np.searchsorted(sums, rng.random() * sums[-1], side="right")))
    picks = spread_gradients(errors, vectors, count=8, rng=np.random.default_rng(9))
    assert picks.tolist() == expected


def test_core_set_equals_the_slow_obvious_way():
    rng = np.random.default_rng(6)
    vectors, labelled = unit_rows(rng, 30), unit_rows(rng, 3)
    centres, expected = list(labelled), []
    for _ in range(10):
        distance = np.linalg.norm(vectors[:, None] - np.array(centres)[None], axis=2).min(axis=1)
        expected.append(int(distance.argmax()))
        centres.append(vectors[expected[-1]])
    assert pick_farthest(vectors, labelled, count=10).tolist() == expected


def seen_by_a_head(n=60, *, seed=8):
    """A head that looks at features of its own, of which the vectors of the pool say nothing."""
    rng = np.random.default_rng(seed)
    ids, known_ids = np.arange(n), np.arange(n, n + 20)
    weights, bias = rng.normal(size=(5, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    head = LinearHead(weights, bias, 0.7, LabelSpace(("a", "b", "c")))
    view = HeadView(
        head,
        Embeddings(ids, unit_rows(rng, n, 5), "words@1"),
        Embeddings(known_ids, unit_rows(rng, 20, 5), "words@1"),
    )
    same = unit_rows(rng, 1)
    pool = Embeddings(ids, np.repeat(same, n, axis=0), ENCODER)
    labelled = Embeddings(known_ids, np.repeat(same, 20, axis=0), ENCODER)
    answers = head.logits(view.labelled.vectors).argmax(axis=1)
    return StrategyInput(pool, head.probabilities(view.pool, "v"), labelled, 8, answers, view=view)


def test_badge_spreads_over_the_features_that_the_head_looks_at():
    inputs = seen_by_a_head()
    picked = np.argsort(-score("badge", inputs).values)[:8]
    errors = inputs.probabilities.values.copy()
    errors[np.arange(60), errors.argmax(axis=1)] -= 1.0
    expected = spread_gradients(errors, inputs.view.pool.vectors, count=8, rng=np.random.default_rng(7))
    assert picked.tolist() == expected.tolist()


def test_dropquery_drops_features_that_the_head_looks_at():
    inputs = replace(seen_by_a_head(150), batch=1)
    head, features = inputs.view.head, inputs.view.pool.vectors
    rng, changes = np.random.default_rng(7), np.zeros(150)
    for _ in range(3):
        kept = (rng.random(features.shape) >= 0.75) / np.float32(0.25)
        logits = (features * kept) @ head.weights + head.bias
        changes += logits.argmax(axis=1) != inputs.probabilities.values.argmax(axis=1)
    pick = int(score("dropquery", inputs).values.argmax())
    assert (changes >= 2).sum() >= 25  # enough to choose among these alone
    assert changes[pick] >= 2


def test_direct_takes_borders_from_what_the_head_says_of_labelled_items():
    inputs = seen_by_a_head()
    answers = np.where(np.arange(20) % 2 == 0, inputs.labelled_classes, 0)
    turned = replace(inputs, labelled_classes=answers)
    said = softmax(inputs.view.head.logits(inputs.view.labelled.vectors))
    margins = class_margins(said)
    borders = [best_threshold(margins[:, column], answers == column) for column in range(3)]
    assert borders[0] < 0.0  # what is labelled so goes beyond what the head says
    distance = np.abs(class_margins(inputs.probabilities.values) - np.array(borders))
    picked = np.argsort(-score("direct", turned).values)[:8]
    nearest = np.unique(np.concatenate([np.argsort(distance[:, column])[:6] for column in range(3)]))
    assert np.isin(picked, nearest).all()
    assert not np.array_equal(picked, np.argsort(-score("direct", inputs).values)[:8])


@pytest.mark.parametrize("name", ["badge", "dropquery", "direct"])
def test_a_strategy_that_looks_into_the_head_asks_for_it(name):
    inputs = replace(seen_by_a_head(), view=None)
    with pytest.raises(ValueError, match="needs the head itself"):
        score(name, inputs)


def test_cluster_strategies_take_one_of_each_group_before_a_second():
    rng = np.random.default_rng(3)
    centres = np.eye(8, dtype=np.float32)[:5]
    vectors = np.repeat(centres, 12, axis=0) + 0.01 * rng.normal(size=(60, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.arange(60)
    unsure = Probabilities(ids, np.full((60, 2), 0.5, dtype=np.float32), "v1")
    pool = Embeddings(ids, vectors, ENCODER)
    for name in ("typiclust", "cluster-margin"):
        values = score(name, strategy_input(pool, unsure, pool.take(ids[:0]), 5)).values
        assert len(set(np.argsort(-values)[:5] // 12)) >= 4


def test_power_margin_draws_unsure_items_more_often_but_not_only():
    ids = np.arange(200)
    values = np.where(ids[:, None] < 100, [[0.55, 0.45]], [[0.75, 0.25]]).astype(np.float32)
    pool = Embeddings(ids, unit_rows(np.random.default_rng(0), 200), ENCODER)
    first = np.argsort(
        -score("power-margin", strategy_input(pool, Probabilities(ids, values, "v"), pool, 5)).values
    )
    assert 60 < (first[:100] < 100).sum() < 100


def test_the_best_threshold_makes_the_fewest_mistakes():
    margins = np.array([-0.9, -0.5, -0.2, 0.1, 0.4, 0.8], dtype=np.float32)
    inside = np.array([False, False, True, False, True, True])
    threshold = best_threshold(margins, inside)
    mistakes = [((margins > cut) != inside).sum() for cut in np.linspace(-1, 1, 201)]
    assert ((margins > threshold) != inside).sum() == min(mistakes)
    assert best_threshold(margins, np.ones(6, dtype=bool)) == 0.0


def test_direct_asks_on_both_sides_of_every_class_border():
    rng = np.random.default_rng(0)
    first = np.linspace(0.01, 0.99, 99, dtype=np.float32)
    ids, values = np.arange(99), np.stack([first, 1 - first], axis=1)
    pool = Embeddings(ids, unit_rows(rng, 99), ENCODER)
    scores = score("direct", strategy_input(pool, Probabilities(ids, values, "v"), pool.take(ids[:0]), 6))
    picked = np.argsort(-scores.values)[:6]
    assert (np.abs(picked - 49) <= 4).all()
    assert (picked < 49).any()
    assert (picked > 49).any()


def test_direct_learns_a_border_from_the_labels_of_every_class_whatever_its_column():
    rng = np.random.default_rng(2)
    pool, known = unit_rows(rng, 80), unit_rows(rng, 30)
    weights = 6.0 * rng.normal(size=(8, 3)).astype(np.float32)
    classes = (known @ weights + [1.5, 0.0, -1.5]).argmax(axis=1)  # the head does not know of the shift
    orders = []
    for turn in range(3):
        columns = np.roll(np.arange(3), turn)  # the class of each column
        head = LinearHead(weights[:, columns], np.zeros(3, dtype=np.float32), 1.0, LabelSpace(tuple("abc")))
        items = Embeddings(np.arange(80), pool, ENCODER)
        labelled = Embeddings(np.arange(30) + 1000, known, ENCODER)
        inputs = StrategyInput(
            items,
            head.probabilities(items, "v"),
            labelled,
            9,
            np.argsort(columns)[classes],
            view=HeadView(head, items, labelled),
        )
        orders.append(np.argsort(-score("direct", inputs).values)[:9].tolist())
    assert orders[0] == orders[1] == orders[2]
