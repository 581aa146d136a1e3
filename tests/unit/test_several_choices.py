"""The learner of several choices: what it promises, on labels that are easy to foresee."""

import numpy as np
import pytest

from model.records import Embeddings, Labels, LabelSpace
from model.tasks.label_folds import assign_label_folds
from model.tasks.label_thresholds import choose_thresholds
from model.tasks.several_choices import SeveralChoices

SPACE = LabelSpace(("angry", "late", "paid", "lost", "thanks"))
LEARNER = SeveralChoices()


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def some_names(seed=0, d=16):
    return unit(np.random.default_rng(seed).normal(size=(len(SPACE), d)))


def some_project(n, *, seed=0, share=0.3, none=True):
    """Items whose vectors are the sum of their labels' names, and noise."""
    rng = np.random.default_rng(seed)
    targets = (rng.random((n, len(SPACE))) < share).astype(np.float32)
    if not none:
        targets[~targets.any(axis=1), 0] = 1.0
    vectors = unit(targets @ some_names() + 0.2 * rng.normal(size=(n, 16)))
    ids = np.arange(n) + 100
    return Embeddings(ids, vectors, "e"), Labels(ids, targets, SPACE)


def train(items, labels, *, names=None, seed=1):
    audit = np.zeros(len(labels), dtype=np.bool_)
    return LEARNER.train(items, labels, names=names, audit=audit, rng=np.random.default_rng(seed))


class TestTraining:
    @pytest.mark.parametrize("n", [1, 2, 3, 6, 40])
    def test_it_works_from_one_label_on(self, n):
        items, labels = some_project(n)
        trained = train(items, labels)
        beliefs = trained.head.believe(items, "v1")
        assert beliefs.values.shape == labels.targets.shape
        assert np.array_equal(trained.out_of_fold.ids, labels.ids)
        assert ((beliefs.confidence >= 0) & (beliefs.confidence <= 1)).all()
        assert (beliefs.uncertainty >= 0).all()

    def test_it_learns(self):
        items, labels = some_project(300)
        unseen, answers = some_project(200, seed=5)
        trained = train(items, labels)
        assert LEARNER.agree(answers.targets, trained.head.believe(unseen, "v").answers).mean() > 0.85
        assert trained.metrics["micro_f1"] > 0.85
        assert trained.metrics["calibration_error"] < 0.05

    def test_confidence_is_how_often_the_whole_answer_is_right(self):
        items, labels = some_project(300)
        unseen, answers = some_project(1000, seed=5)
        beliefs = train(items, labels).head.believe(unseen, "v")
        right = (beliefs.answers == answers.targets).all(axis=1)
        assert abs(beliefs.confidence.mean() - right.mean()) < 0.08

    def test_the_same_input_and_seed_give_the_same_bits(self):
        items, labels = some_project(60)
        one, two = (train(items, labels, names=some_names()) for _ in range(2))
        assert one.head.believe(items, "v").values.tobytes() == two.head.believe(items, "v").values.tobytes()
        assert one.out_of_fold.confidence.tobytes() == two.out_of_fold.confidence.tobytes()

    def test_what_is_loaded_believes_the_same_bits(self):
        items, labels = some_project(60)
        for trained in (train(items, labels), LEARNER.cold_start(some_names(), SPACE)):
            again = LEARNER.load(trained.head.tensors(), SPACE)
            one, two = trained.head.believe(items, "v"), again.believe(items, "v")
            for field in ("values", "answers", "confidence", "uncertainty", "mass"):
                assert getattr(one, field).tobytes() == getattr(two, field).tobytes()

    def test_a_label_that_nobody_gave_is_found_by_its_name(self):
        items, labels = some_project(80)
        targets = labels.targets.copy()
        known = np.flatnonzero(targets[:, 4] == 0)
        names = some_names()
        trained = train(items.take(known), labels.take(known), names=names)
        values = trained.head.believe(items, "v").values[:, 4]
        assert values[targets[:, 4] == 1].mean() > 2 * values[known].mean()

    def test_none_of_them_is_an_answer_only_where_somebody_gave_it(self):
        items, labels = some_project(60, none=False)
        trained = train(items, labels)
        assert not trained.head.allows_none
        nonsense = Embeddings(np.arange(50), unit(np.random.default_rng(3).normal(size=(50, 16))), "e")
        assert trained.head.believe(nonsense, "v").answers.any(axis=1).all()
        items, labels = some_project(60)
        assert train(items, labels).head.allows_none

    @pytest.mark.parametrize("spoil", ["rows", "ids", "audit", "values", "vectors", "names"])
    def test_what_does_not_fit_together_is_refused(self, spoil):
        items, labels = some_project(12)
        audit, names = np.zeros(12, dtype=np.bool_), None
        if spoil == "rows":
            items, labels, audit = items.take(np.arange(0)), labels.take(slice(0, 0)), audit[:0]
        if spoil == "ids":
            items = Embeddings(items.ids + 1, items.vectors, "e")
        if spoil == "audit":
            audit = audit[1:]
        if spoil == "values":
            labels = Labels(labels.ids, labels.targets * 0.5, SPACE)
        if spoil == "vectors":
            items = Embeddings(items.ids, np.full_like(items.vectors, np.nan), "e")
        if spoil == "names":
            names = some_names()[:2]
        with pytest.raises(ValueError, match="train: "):
            LEARNER.train(items, labels, names=names, audit=audit, rng=np.random.default_rng(0))


class TestColdStart:
    def test_it_expects_about_one_label_an_item(self):
        items, _ = some_project(100)
        beliefs = LEARNER.cold_start(some_names(), SPACE).head.believe(items, "v")
        assert np.allclose(beliefs.mass.sum(axis=1), 1.0, atol=1e-3)
        assert (beliefs.answers.sum(axis=1) <= 1).all()

    def test_it_says_nothing_of_what_is_like_no_name(self):
        names = some_names()
        odd = unit(np.linalg.svd(names)[2][-3:])  # at right angles to every name
        trained = LEARNER.cold_start(names, SPACE)
        assert not trained.head.believe(Embeddings(np.arange(3), odd, "e"), "v").answers.any()

    def test_without_names_there_is_none(self):
        assert LEARNER.cold_start(None, SPACE) is None

    def test_names_of_other_labels_are_refused(self):
        with pytest.raises(ValueError, match="for 5 labels"):
            LEARNER.cold_start(some_names()[:3], SPACE)


class TestLoading:
    def test_other_tensors_are_refused(self):
        items, labels = some_project(20)
        tensors = dict(train(items, labels).head.tensors())
        with pytest.raises(ValueError, match="for 2 labels"):
            LEARNER.load(tensors, LabelSpace(("a", "b")))
        del tensors["thresholds"]
        with pytest.raises(KeyError):
            LEARNER.load(tensors, SPACE)

    def test_vectors_of_another_encoder_are_refused(self):
        items, labels = some_project(20)
        other = Embeddings(items.ids, np.ones((20, 3), dtype=np.float32), "e")
        with pytest.raises(ValueError, match="for 16 dimensions"):
            train(items, labels).head.believe(other, "v")


class TestAgreement:
    def test_it_is_shared_labels_over_all_labels(self):
        given = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [1, 1, 1]], dtype=np.float32)
        answers = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 1, 1]], dtype=np.float32)
        assert LEARNER.agree(given, answers).tolist() == [0.5, 0.0, 1.0, 0.0, 1.0]

    def test_answers_of_other_shape_are_refused(self):
        with pytest.raises(ValueError, match="agree"):
            LEARNER.agree(np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float32))


class TestFigures:
    def test_they_are_of_the_blind_rows_alone(self):
        items, labels = some_project(100)
        beliefs = train(items, labels).out_of_fold
        blind = np.zeros(100, dtype=np.bool_)
        blind[:30] = True
        found = LEARNER.figures(labels, beliefs, blind=blind, rng=np.random.default_rng(0))
        assert [one.name for one in found] == ["micro F1", "macro F1", "subset accuracy"]
        some = LEARNER.figures(
            labels.take(slice(0, 30)), beliefs.take(blind), blind=blind[:30], rng=np.random.default_rng(0)
        )
        assert list(found) == list(some)
        assert all(one.n == 30 and one.low <= one.value <= one.high for one in found)

    def test_a_few_answers_say_nothing(self):
        items, labels = some_project(40)
        blind = np.arange(40) < 9
        beliefs = train(items, labels).out_of_fold
        found = LEARNER.figures(labels, beliefs, blind=blind, rng=np.random.default_rng(0))
        assert all((one.value, one.low, one.high, one.n) == (None, None, None, 9) for one in found)


class TestFolds:
    def test_every_label_is_spread_over_them(self):
        _, labels = some_project(200)
        folds = assign_label_folds(labels.targets, np.random.default_rng(0))
        assert np.bincount(folds).tolist() == [40] * 5 or np.ptp(np.bincount(folds)) <= 3
        for label in range(len(SPACE)):
            assert np.ptp(np.bincount(folds[labels.targets[:, label] > 0], minlength=5)) <= 5

    def test_few_rows_have_a_fold_each(self):
        _, labels = some_project(3)
        assert sorted(assign_label_folds(labels.targets, np.random.default_rng(0))) == [0, 1, 2]


class TestThresholds:
    def test_where_many_labels_ask_for_it_a_label_has_its_own(self):
        rng = np.random.default_rng(0)
        chances = rng.random((4000, 2)).astype(np.float32)
        cuts = np.array([0.3, 0.7])
        found = choose_thresholds(chances, (chances > cuts).astype(np.float32))
        assert np.allclose(found, cuts, atol=0.02)

    def test_a_label_of_few_positives_has_nearly_the_common_one(self):
        rng = np.random.default_rng(0)
        chances = rng.random((2000, 2)).astype(np.float32)
        targets = (chances > 0.5).astype(np.float32)
        targets[:, 1] = chances[:, 1] > 0.999
        found = choose_thresholds(chances, targets)
        assert abs(found[0] - found[1]) < 0.1
