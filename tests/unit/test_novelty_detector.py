"""The detector, the groups and their names: a promise that holds, whatever the labels look like."""

import numpy as np
import pytest

from model.novelty.conformal import p_values
from model.novelty.detector import detect
from model.novelty.grouping import Group, group_items, match_groups, order_of_asking
from model.novelty.metric import learn_metric
from model.novelty.naming import name_groups
from model.records import Embeddings, Labels, LabelSpace

SPACE = LabelSpace(("a", "b", "c"))


def unit(vectors):
    vectors = np.asarray(vectors, dtype=np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def embedded(vectors, *, first=0):
    return Embeddings(np.arange(first, first + len(vectors)), unit(vectors), "e@1")


def labelled(classes):
    targets = np.eye(len(SPACE), dtype=np.float32)[classes]
    return Labels(np.arange(len(classes)), targets, SPACE)


def blobs(count, *, centres, seed=0, spread=0.25):
    rng = np.random.default_rng(seed)
    classes = np.arange(count) % centres
    return np.eye(8)[classes] + rng.normal(scale=spread, size=(count, 8)), classes


def judged(vectors, classes, pool, *, audit=None, alpha=0.05, rejected=None, seed=1):
    return detect(
        embedded(vectors),
        labelled(classes),
        embedded(pool, first=1000),
        audit=np.zeros(len(vectors), dtype=bool) if audit is None else audit,
        alpha=alpha,
        rng=np.random.default_rng(seed),
        rejected=rejected,
    )


RNG = np.random.default_rng(0)
SCATTER, POOL = RNG.normal(size=(40, 8)), RNG.normal(size=(60, 8))
ODD = {
    "one class": (SCATTER, np.zeros(40, dtype=int), POOL),
    "two classes": (SCATTER, np.arange(40) % 2, POOL),
    "a class of one": (SCATTER, np.r_[np.zeros(39, dtype=int), 1], POOL),
    "all alike": (np.ones((40, 8)), np.arange(40) % 2, np.ones((60, 8))),
    "all alike, one class": (np.ones((40, 8)), np.zeros(40, dtype=int), np.ones((60, 8))),
    "copies": (np.repeat(SCATTER[:2], 20, axis=0), np.repeat([0, 1], 20), POOL),
    "a pool of one": (SCATTER, np.arange(40) % 2, POOL[:1]),
    "an empty pool": (SCATTER, np.arange(40) % 2, POOL[:0]),
}


@pytest.mark.parametrize("name", ODD)
def test_whatever_the_labels_look_like_every_item_is_judged(name):
    vectors, classes, pool = ODD[name]
    found = judged(vectors, classes, pool)
    assert len(found.ids) == len(found.scores) == len(found.p_values) == len(pool)
    assert np.isfinite(found.scores).all()
    assert ((found.p_values > 0) & (found.p_values <= 1)).all()
    assert 0.0 <= found.expected_false <= max(len(pool), 1)


def test_items_of_another_kind_are_flagged_and_the_known_ones_are_not():
    vectors, classes = blobs(120, centres=3)
    known, _ = blobs(200, centres=3, seed=1)
    novel = np.eye(8)[[5] * 40] + np.random.default_rng(2).normal(scale=0.25, size=(40, 8))
    found = judged(vectors, classes, np.concatenate([known, novel]), audit=np.ones(120, dtype=bool))
    assert found.flagged[200:].mean() > 0.8
    assert found.flagged[:200].mean() < 0.12


def test_too_few_labels_judge_nothing():
    vectors, classes = blobs(12, centres=3)
    found = judged(vectors, classes, POOL)
    assert "not enough labels" in found.reason
    assert not found.flagged.any() and found.expected_false == 0.0


def test_what_a_person_rejected_is_not_flagged():
    vectors, classes = blobs(120, centres=3)
    novel = unit(np.eye(8)[[5] * 40] + np.random.default_rng(2).normal(scale=0.1, size=(40, 8)))
    plain = judged(vectors, classes, novel)
    told = judged(vectors, classes, novel, rejected=novel[:10])
    assert told.flagged.mean() < plain.flagged.mean()


@pytest.mark.parametrize("what", ["labelled", "pool"])
def test_a_vector_that_is_not_finite_stops_with_its_name(what):
    vectors, classes = blobs(60, centres=3)
    pool = POOL.copy()
    (vectors if what == "labelled" else pool)[3, 1] = np.nan
    with pytest.raises(ValueError, match=f"detect: a {what} vector is not finite"):
        judged(vectors, classes, pool)


def test_p_values_of_items_like_the_calibration_are_even_or_larger():
    rng = np.random.default_rng(0)
    below = [(p_values(rng.normal(size=60), rng.normal(size=200)) <= 0.1).mean() for _ in range(200)]
    assert np.mean(below) <= 0.105


def test_p_values_fall_as_scores_rise():
    rng = np.random.default_rng(1)
    scores = np.sort(rng.normal(size=50))
    assert (np.diff(p_values(rng.normal(size=40), scores)) <= 0).all()


def test_groups_gather_what_belongs_together_the_largest_first():
    vectors, classes = blobs(90, centres=3)
    novel = np.concatenate(
        [
            np.eye(8)[[5] * 20] + np.random.default_rng(3).normal(scale=0.1, size=(20, 8)),
            np.eye(8)[[6] * 9] + np.random.default_rng(4).normal(scale=0.1, size=(9, 8)),
        ]
    )
    items = embedded(novel, first=100)
    groups = group_items(items, embedded(vectors), labelled(classes), seed=0)
    assert [len(group.ids) for group in groups] == [20, 9]
    assert set(groups[0].ids) == set(range(100, 120))
    assert len(groups[0].typical) == 3 and groups[0].cohesion > 0.8


def test_the_order_of_the_items_changes_no_group():
    vectors, classes = blobs(60, centres=3)
    items = embedded(POOL, first=100)
    shuffled = items.take(np.random.default_rng(5).permutation(len(items)))
    known = embedded(vectors), labelled(classes)
    first, second = (group_items(each, *known, seed=0) for each in (items, shuffled))
    assert first == second


def test_without_classes_to_go_by_there_is_a_cut_all_the_same():
    alike = np.eye(8)[[5] * 6] + np.random.default_rng(3).normal(scale=0.1, size=(6, 8))
    for classes in (np.zeros(5, dtype=int), np.arange(3)):
        groups = group_items(
            embedded(alike, first=100), embedded(POOL[: len(classes)]), labelled(classes), seed=0
        )
        assert [len(group.ids) for group in groups] == [6]


def test_what_varies_inside_the_known_classes_joins_no_novel_items():
    rng = np.random.default_rng(6)
    noise = np.zeros((200, 8))
    noise[:, 7] = rng.normal(scale=2.0, size=200)  # how long a text is, say: nothing to do with its class
    known = np.eye(8)[np.arange(200) % 3] + noise + rng.normal(scale=0.1, size=(200, 8))
    novel = np.eye(8)[4 + np.arange(60) % 2] + noise[:60] + rng.normal(scale=0.1, size=(60, 8))
    metric = learn_metric(unit(known), labelled(np.arange(200) % 3))
    of_kind = np.arange(60) % 2
    same = np.equal.outer(of_kind, of_kind)

    def contrast(vectors):
        closeness = vectors @ vectors.T
        return closeness[same].mean() - closeness[~same].mean()

    assert contrast(metric.apply(unit(novel))) > contrast(unit(novel))


def test_a_group_that_mostly_stays_keeps_its_number():
    groups = [Group((1, 2, 3, 4, 9), 0.9), Group((20, 21, 22), 0.8), Group((5, 6, 7), 0.7)]
    assert match_groups({7: [1, 2, 3, 4, 5], 8: [20, 21, 22, 23]}, groups) == [7, 8, None]


def test_a_number_is_given_once():
    groups = [Group((1, 2, 3), 0.9), Group((4, 5, 6), 0.8)]
    assert match_groups({7: [1, 2, 3, 4, 5, 6]}, groups) == [7, None]


def test_names_are_the_words_that_tell_a_group_from_the_rest():
    birds = ["the parrot sings", "a parrot flies", "parrot and the feather"]
    planes = ["the engine starts", "an engine fails", "engine noise again"]
    others = ["the weather is fine", "it rains again", "wind and snow"]
    first, second = name_groups([birds, planes], others)
    assert "parrot" in first and "engine" in second


def test_groups_without_words_have_no_name():
    assert name_groups([["1 2", "3"], ["??"]], ["42"]) == ["", ""]
    assert name_groups([["rain", "rain"], ["??"]], ["42"]) == ["rain", ""]


def test_words_that_weigh_alike_stand_as_they_are_read():
    pandas = ["red panda", "red panda", "red panda"]
    assert name_groups([pandas], ["grey wolf", "grey hare", "polar bear"]) == ["red panda"]


def test_a_name_says_no_word_twice():
    delivered = ["delivery delivered monday", "delivered delivery monday", "delivery delivered"]
    assert name_groups([delivered], ["rain", "snow", "wind"])[0].split() == ["delivered", "monday"]


def test_people_are_asked_about_each_group_before_any_group_as_a_whole():
    assert order_of_asking([[1, 2, 3], [4, 5], [], [6]]) == [1, 4, 6, 2, 3, 5]
