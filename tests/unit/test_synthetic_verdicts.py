"""Verdicts on synthetic items: faults of known truth are found, twins named, nothing is guessed."""

import numpy as np
import pytest

from model.records import Embeddings, Labels, LabelSpace
from model.synthetic.duplicates import find_twins
from model.synthetic.evidence import Opinions
from model.synthetic.generator_effect import Effect
from model.synthetic.items import RealItems, SyntheticItems, Unlabelled
from model.synthetic.lift import measure_lift
from model.synthetic.likeness import Contents
from model.synthetic.reviews import Review
from model.synthetic.text_statistics import Wording, paired_cosines
from model.synthetic.verdicts import judge

CLASSES, DIMENSIONS = 4, 24
SPACE = LabelSpace(tuple("abcd"))


def unit(vectors):
    vectors = np.asarray(vectors, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def around(classes, *, seed, spread=0.12):
    """Items of a class lie around its axis."""
    noise = np.random.default_rng(seed).normal(scale=spread, size=(len(classes), DIMENSIONS))
    return unit(np.eye(DIMENSIONS)[classes] + noise)


def labels(classes, *, first=0):
    targets = np.eye(CLASSES, dtype=np.float32)[classes]
    return Labels(first + np.arange(len(classes)), targets, SPACE)


def real_items(count=80, *, audit=0, unlabelled=None):
    classes = np.arange(count) % CLASSES
    embeddings = Embeddings(np.arange(count), around(classes, seed=1), "e@1")
    return RealItems(embeddings, labels(classes), np.arange(count) < audit, unlabelled=unlabelled)


def synthetic_items(vectors, classes):
    ids = 1000 + np.arange(len(classes))
    return SyntheticItems(Embeddings(ids, unit(vectors), "e@1"), labels(np.asarray(classes), first=1000))


def verdicts(real, synthetic, **options):
    judgement = judge(real, synthetic, rng=np.random.default_rng(0), **options)
    return np.array([item.verdict for item in judgement.items]), judgement


def of_another_manner(classes, intended, *, far=1.5):
    """Items that all lean the same way, where no real item does."""
    vectors = around(np.asarray(classes), seed=2, spread=0.3)
    vectors[:, -1] += far
    return synthetic_items(vectors, intended)


@pytest.mark.parametrize("count", [20, 80])
def test_a_generator_with_a_manner_of_its_own_is_not_off_topic(count):
    classes = np.arange(60) % CLASSES
    found, judgement = verdicts(real_items(count), of_another_manner(classes, classes))
    assert (found == "harmful").sum() == 0
    doubted = [
        item.reason for item in judgement.items if "as most of what its generator makes" in item.reason
    ]
    assert len(doubted) > 30
    assert all(reason.startswith("Not sure: unlike every real item (closest cosine 0.") for reason in doubted)


def test_where_real_labels_show_that_such_a_generator_harms_its_items_are_harmful():
    classes = np.arange(60) % CLASSES
    far = of_another_manner(classes, (classes + 1) % CLASSES, far=1.0)
    found, _ = verdicts(real_items(200), far)
    assert (found == "harmful").sum() > 30


@pytest.fixture
def mixed():
    """Sixty sound items, twenty with the next class's label, twenty unlike every real item."""
    classes = np.arange(100) % CLASSES
    vectors = around(classes, seed=2)
    vectors[80:] = around(10 + np.arange(20) % 8, seed=3)
    intended = np.where((np.arange(100) >= 60) & (np.arange(100) < 80), (classes + 1) % CLASSES, classes)
    return synthetic_items(vectors, intended)


def test_wrong_labels_and_strangers_are_harmful_and_sound_items_are_not(mixed):
    found, _ = verdicts(real_items(), mixed)
    assert (found[60:80] == "harmful").mean() >= 0.9
    assert (found[80:] == "harmful").mean() >= 0.9
    assert not (found[:60] == "harmful").any()
    assert not (found[60:] == "helpful").any()


def test_half_of_the_items_faulty_does_not_make_faults_look_sound():
    classes = np.arange(120) % CLASSES
    intended = np.where(np.arange(120) < 60, (classes + 1) % CLASSES, classes)
    synthetic = synthetic_items(around(classes, seed=4), intended)
    found, _ = verdicts(real_items(80), synthetic)
    assert (found[:60] == "harmful").mean() >= 0.9
    assert not (found[60:] == "harmful").any()


def test_unlabelled_real_items_show_that_a_part_of_the_real_world_is_not_off_topic():
    """Items of a class between two others, which no label shows but the pool does."""
    between = unit(
        np.eye(DIMENSIONS)[0] + 0.9 * np.eye(DIMENSIONS)[9] + 0.1 * around(np.zeros(30, int), seed=5)
    )
    pool = unit(np.eye(DIMENSIONS)[0] + 0.9 * np.eye(DIMENSIONS)[9] + 0.1 * around(np.zeros(60, int), seed=6))
    synthetic = synthetic_items(between, np.zeros(30, int))
    _, without = verdicts(real_items(), synthetic)
    known = real_items(unlabelled=Unlabelled(Embeddings(np.arange(60), pool, "e@1")))
    _, with_pool = verdicts(known, synthetic)
    mean = [np.mean([item.value for item in judgement.items]) for judgement in (without, with_pool)]
    assert mean[1] > mean[0]


def test_copies_of_real_items_are_redundant_and_lift_nothing_for_sure():
    real = real_items(audit=40)
    rows = np.random.default_rng(7).choice(np.arange(40, 80), 60)
    copies = synthetic_items(real.embeddings.vectors[rows], real.labels.classes[rows])
    found, judgement = verdicts(real, copies)
    assert set(found) == {"redundant"}
    assert [item.duplicate_of for item in judgement.items] == rows.tolist()
    lift = measure_lift(real, copies, np.ones(60, dtype=bool), rng=np.random.default_rng(0))
    assert not lift.shown


def test_a_persons_answer_moves_the_like_of_an_item_and_nothing_else(mixed):
    _, before = verdicts(real_items(), mixed)
    asked = before.items[0]
    _, after = verdicts(real_items(), mixed, reviews=[Review(asked.id, "reject")])
    assert after.items[0].value < 0 < before.items[0].value
    cosines = mixed.embeddings.vectors @ mixed.embeddings.vectors[0]
    other = mixed.labels.classes != mixed.labels.classes[0]
    like = np.flatnonzero((cosines > 0.7) & ~other)
    assert all(after.items[row].value < before.items[row].value for row in like)
    assert all(after.items[row] == before.items[row] for row in np.flatnonzero(other))


def test_too_few_real_labels_settle_nothing(mixed):
    found, judgement = verdicts(real_items(7), mixed)
    assert set(found) <= {"unsure", "redundant"}
    assert any("Too few real labels" in item.reason for item in judgement.items)
    assert not judgement.auxiliary.any()


def test_what_is_helpful_or_likelier_sound_than_faulty_teaches_and_nothing_else(mixed):
    _, judgement = verdicts(real_items(), mixed)
    for item, teaches in zip(judgement.items, judgement.auxiliary, strict=True):
        assert teaches == (item.verdict == "helpful" or (item.verdict == "unsure" and item.value > 0))
    assert judgement.auxiliary[:60].mean() > 0.5
    assert not judgement.auxiliary[60:].any()


def test_sound_items_of_a_generator_that_real_labels_have_overtaken_are_redundant(mixed, monkeypatch):
    before, _ = verdicts(real_items(), mixed)
    effect = Effect(gain=-0.2, low=-0.3, high=-0.1, real=80)
    monkeypatch.setattr("model.synthetic.verdicts.measure_effects", lambda *_items, **_options: {0: effect})
    after, judgement = verdicts(real_items(), mixed)
    helpful = before == "helpful"
    assert helpful.any()
    assert (after[helpful] == "redundant").all()
    assert (after[before == "harmful"] == "harmful").all()
    assert not judgement.auxiliary.any()
    assert "0.20 nats a label, 0.10 to 0.30" in judgement.items[int(np.flatnonzero(helpful)[0])].reason


def test_what_nobody_has_heard_of_is_shared_out_among_the_rest():
    shares = np.array([[0.5, 0.3, 0.2]], dtype=np.float32)
    opinions = Opinions(np.log(shares), np.log(shares), shares, shares, shares)
    rest = opinions.without(np.array([0]))
    assert np.exp(rest.log_mean[0, 1:]) == pytest.approx([0.6, 0.4], abs=1e-5)
    assert rest.votes[0] == pytest.approx([0.0, 0.6, 0.4], abs=1e-4)
    assert rest.closest[0, 0] == -1.0


def test_words_that_no_other_text_has_stand_out():
    texts = ["the card is lost", "my card is late", "the card is late", "xq zzk wvv plom"]
    wording = Wording(texts, real=3, background=["a card is lost"])
    assert wording.shares.shape == (4, 7)
    assert wording.shares[3, :6].min() > wording.shares[2, :6].max()
    assert wording.of_made_up(["xq zzk wvv plom"])[0, 1] > wording.of_made_up(["the card is lost"])[0, 1]


def test_what_two_texts_share_in_order_is_their_longest_common_subsequence():
    contents = Contents(["one two three four", "two nine four", "two one"])
    first, second, turned = contents.parts
    assert contents.compare(first, second)[2:4] == [2 / 4, 2 / 3]
    assert contents.compare(first, turned)[2:4] == [1 / 4, 1 / 2]


def test_rare_words_say_more_than_common_ones_whether_two_texts_are_twins():
    contents = Contents(
        [
            "please tell me my balance",
            "tell me my balance",
            "please tell me my limit",
            "tell me please the way",
            "tell me my name please",
        ]
    )
    twin, other = paired_cosines(contents.rows, np.array([0, 0]), np.array([1, 2]))
    assert twin > other
    assert contents.compare(contents.parts[0], contents.parts[1])[1] == pytest.approx(1.0)
    assert [len(parts) for parts in Contents(["你好吗朋友", "你好吗朋友们"]).parts] == [5, 6]


def test_a_text_rewritten_is_a_near_twin_and_one_that_people_would_write_anyway_is_not():
    """People ask for a thing at a place; those who ask for another thing are no twins of them."""
    things = ["invoice", "parcel", "ticket", "refund", "statement", "receipt", "contract", "voucher"]
    cities = ["paris", "oslo", "berlin", "madrid", "vienna", "lisbon", "dublin", "warsaw"]
    said = [f"i still wait for the {thing} that you sent to {city}" for thing in things for city in cities]
    rng = np.random.default_rng(0)
    said = [said[row] for row in rng.permutation(len(said))]
    real, natural = said[:48], said[48:]
    twins = [
        "hello i still wait for the {} you sent to {} now".format(*text.split()[5:11:5]) for text in real[:4]
    ]
    texts = [*real, *natural, *twins]
    places = np.concatenate([np.arange(64), np.arange(4)])
    vectors = rng.normal(size=(64, DIMENSIONS))[places] + 0.1 * rng.normal(size=(68, DIMENSIONS))
    found = find_twins(
        unit(vectors),
        np.zeros(len(texts), dtype=np.intp),
        real=len(real),
        preference=np.ones(len(texts), dtype=np.float32),
        texts=texts,
        unlabelled=None,
        rng=rng,
    )
    assert (found.of[-4:] == np.arange(4)).sum() >= 3
    assert not found.exact.any()
    assert (found.of[48:-4] >= 0).sum() <= 2


def test_the_words_of_a_text_tell_a_twin_whose_vector_is_another():
    """Both sides have texts: what is written like a real item is redundant, wherever its vector lies."""
    real = real_items(80)
    said = [f"item {row} says word{row} and word{row + 1} of kind{row % CLASSES}" for row in range(80)]
    rows = np.arange(40, 60)
    vectors = around(rows % CLASSES, seed=8)
    told = SyntheticItems(
        Embeddings(1000 + np.arange(20), vectors, "e@1"),
        labels(rows % CLASSES, first=1000),
        texts=[said[row] for row in rows],
    )
    silent = SyntheticItems(told.embeddings, told.labels)
    with_texts = RealItems(real.embeddings, real.labels, real.audit, said)
    found, judgement = verdicts(with_texts, told)
    assert set(found) == {"redundant"}
    assert [item.duplicate_of for item in judgement.items] == rows.tolist()
    assert "redundant" not in set(verdicts(real, silent)[0])
