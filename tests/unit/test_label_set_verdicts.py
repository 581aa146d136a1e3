"""Synthetic items with sets of labels: wrong sets harm, copies repeat, and a person's word counts."""

import dataclasses

import numpy as np
import pytest

from model.records import Embeddings, Labels, LabelSpace
from model.synthetic.fault_detector import FEWEST
from model.synthetic.items import HARMFUL, HELPFUL, REDUNDANT, UNSURE, RealItems, SyntheticItems
from model.synthetic.label_sets.cross_fitting import cross_fit_labels
from model.synthetic.label_sets.evidence import with_none
from model.synthetic.label_sets.lift import measure_set_lift
from model.synthetic.label_sets.verdicts import judge_sets
from model.synthetic.reviews import Review

SPACE = LabelSpace(("red", "green", "blue", "grey"))
WIDTH, REAL, MADE, WRONG, COPIES = 16, 150, 60, 12, 10


def draw(count, rng):
    """Items that lie where their labels together point to."""
    targets = (rng.random((count, len(SPACE))) < 0.35).astype(np.float32)
    axes = np.eye(len(SPACE), WIDTH, dtype=np.float32)
    vectors = targets @ axes + 0.12 * rng.normal(size=(count, WIDTH)).astype(np.float32)
    vectors[:, -1] += 0.5
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), targets


def make(*, real=REAL, seed=0):
    """Real items, and synthetic ones: sound, then with wrong labels, then copies of real ones."""
    rng = np.random.default_rng(seed)
    vectors, targets = draw(real, rng)
    made, sets = draw(MADE, rng)
    wrong = slice(MADE - WRONG - COPIES, MADE - COPIES)
    sets[wrong] = 1.0 - sets[wrong]
    copied = min(COPIES, real)
    made[-copied:], sets[-copied:] = vectors[:copied], targets[:copied]
    ids, made_ids = np.arange(real), np.arange(1000, 1000 + MADE)
    return (
        RealItems(Embeddings(ids, vectors, "e"), Labels(ids, targets, SPACE), np.zeros(real, dtype=np.bool_)),
        SyntheticItems(Embeddings(made_ids, made, "e"), Labels(made_ids, sets, SPACE)),
    )


def verdicts(real, synthetic, **more):
    return judge_sets(real, synthetic, rng=np.random.default_rng(0), **more)


@pytest.fixture(scope="module")
def judged():
    return verdicts(*make()).items


def test_wrong_label_sets_are_harmful_and_the_reason_names_them(judged):
    wrong = judged[MADE - WRONG - COPIES : MADE - COPIES]
    harmful = [item for item in wrong if item.verdict == HARMFUL]
    assert len(harmful) >= WRONG * 0.7
    assert sum(item.reason.startswith("Wrong labels? Intended ") for item in harmful) >= len(harmful) / 2


def test_sound_ones_are_not_called_harmful(judged):
    sound = [item.verdict for item in judged[: MADE - WRONG - COPIES]]
    assert sound.count(HARMFUL) <= 1
    assert sound.count(HELPFUL) >= len(sound) / 2


def test_copies_of_real_items_are_redundant_and_name_them(judged):
    copies = judged[-COPIES:]
    assert {item.verdict for item in copies} == {REDUNDANT}
    assert [item.duplicate_of for item in copies] == list(range(COPIES))


def test_a_copy_under_another_set_is_harmful():
    real, synthetic = make()
    targets = synthetic.labels.targets.copy()
    targets[-1] = 1.0 - targets[-1]
    changed = dataclasses.replace(synthetic, labels=Labels(synthetic.labels.ids, targets, SPACE))
    item = verdicts(real, changed).items[-1]
    assert (item.verdict, item.reason) == (
        HARMFUL,
        f"Real item {COPIES - 1} has the same content and another label.",
    )


def test_the_same_seed_gives_the_same_verdicts():
    assert verdicts(*make()).items == verdicts(*make()).items


def test_a_rejected_item_is_worth_less_and_a_confirmed_one_more():
    real, synthetic = make()
    before = verdicts(real, synthetic).items
    reviews = [Review(before[0].id, "reject"), Review(before[-COPIES - 1].id, "confirm")]
    after = verdicts(real, synthetic, reviews=reviews).items
    assert after[0].value < 0 < after[-COPIES - 1].value


def test_with_too_few_real_items_nothing_is_claimed():
    items = verdicts(*make(real=FEWEST - 1)).items
    assert {item.verdict for item in items} <= {UNSURE, REDUNDANT}
    assert "Too few real labels to judge by." in {item.reason for item in items}


def test_what_rests_on_a_label_without_a_real_item_is_not_called_harmful_and_the_label_is_named():
    real, synthetic = make()
    targets = real.labels.targets.copy()
    targets[:, 3] = 0.0
    bare = dataclasses.replace(real, labels=Labels(real.labels.ids, targets, SPACE))
    has_grey = synthetic.labels.targets[:, 3] > 0
    found = [item for item, is_grey in zip(verdicts(bare, synthetic).items, has_grey, strict=True) if is_grey]
    assert HARMFUL not in {item.verdict for item in found if item.duplicate_of is None}
    unsure = [item.reason for item in found if item.verdict == UNSURE]
    assert any(reason.endswith("Hardly any real item is labelled grey yet.") for reason in unsure)


def test_realism_counts_an_item_for_each_of_its_labels():
    real, synthetic = make()
    classes = verdicts(real, synthetic).realism.classes
    assert [row.column for row in classes] == list(range(len(SPACE)))
    assert [row.synthetic for row in classes] == synthetic.labels.targets.sum(axis=0).tolist()


def test_nothing_to_judge_is_no_error():
    real, synthetic = make()
    none = np.zeros(0, dtype=np.intp)
    empty = SyntheticItems(synthetic.embeddings.take(none), synthetic.labels.take(none))
    assert verdicts(real, empty).items == ()


def test_a_target_that_is_neither_0_nor_1_is_refused():
    real, synthetic = make()
    broken = Labels(synthetic.labels.ids, synthetic.labels.targets + 0.5, SPACE)
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        verdicts(real, dataclasses.replace(synthetic, labels=broken))


def test_no_label_counts_as_a_label_of_its_own():
    assert with_none(np.array([[0.0, 0.0], [0.0, 1.0]])).tolist() == [[0, 0, 1], [0, 1, 0]]


def test_heads_out_of_fold_foresee_labels_better_without_the_wrong_ones():
    vectors, targets = draw(80, np.random.default_rng(1))
    given = targets.copy()
    given[50:] = 1.0 - given[50:]

    def share_right(weight):
        weights = np.where(np.arange(80) < 50, 1.0, weight).astype(np.float32)
        said = cross_fit_labels(
            vectors.astype(np.float32), given, sample_weights=weights, rng=np.random.default_rng(3)
        )
        return ((said.mean(axis=0)[:50] > 0) == (targets[:50] > 0)).mean()

    assert share_right(0.0) > 0.9 > share_right(1.0)


def test_the_lift_is_measured_on_the_audit_alone():
    real, synthetic = make(real=40)
    real = dataclasses.replace(real, audit=np.arange(40) < 20)
    everything = np.ones(MADE, dtype=np.bool_)
    lift = measure_set_lift(real, synthetic, everything, rng=np.random.default_rng(0))
    assert (lift.audit, lift.items) == (20, MADE - COPIES)  # the copies are of audit items
    assert -1.0 <= lift.low <= lift.mean <= lift.high <= 1.0
    nothing = measure_set_lift(real, synthetic, ~everything, rng=np.random.default_rng(0))
    assert (nothing.mean, nothing.items) == (0.0, 0)


def test_sound_items_lift_and_wrong_ones_do_not():
    rng = np.random.default_rng(4)
    vectors, targets = (np.concatenate(part) for part in zip(draw(10, rng), draw(200, rng), strict=True))
    ids, made_ids = np.arange(210), np.arange(1000, 1300)
    audit = np.arange(210) >= 10
    real = RealItems(Embeddings(ids, vectors, "e"), Labels(ids, targets, SPACE), audit)
    more, sets = draw(300, rng)
    means = []
    for given in (sets, 1.0 - sets):
        made = SyntheticItems(Embeddings(made_ids, more, "e"), Labels(made_ids, given, SPACE))
        lift = measure_set_lift(real, made, np.ones(300, dtype=np.bool_), rng=np.random.default_rng(0))
        means.append(lift.mean)
    assert means[0] > 0.2 > 0.0 >= means[1]
