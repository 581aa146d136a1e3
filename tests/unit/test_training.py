"""Training: from the first label on, calibrated, and measured on rows the head has not seen."""

import numpy as np
import pytest

from model.encoders.hashing import HashingEncoder
from model.heads.cold_start import cold_start
from model.heads.sample_weight import AUXILIARY_WEIGHTS
from model.heads.single_label import NAME_SCALE
from model.heads.training_set import AuxiliaryData, assign_folds
from model.records import Embeddings, Labels, LabelSpace
from model.training import train

SPACE = LabelSpace(("sport", "food", "weather"))
WORDS = {
    "sport": "goal match team player score league",
    "food": "bread soup cheese cook oven taste",
    "weather": "rain storm sun cloud wind snow",
}
ENCODER = HashingEncoder(64)
NAMES = ENCODER.encode(list(SPACE.names))


def texts(names, seed=0):
    rng = np.random.default_rng(seed)
    named = rng.random(len(names)) < 0.3  # some texts hold the name of their class
    return [
        " ".join(rng.choice(WORDS[name].split(), 3)) + f" {name if is_named else 'x'}"
        for name, is_named in zip(names, named, strict=True)
    ]


def labelled(names, seed=0):
    ids = np.arange(len(names)) + 50
    vectors = ENCODER.encode(texts(names, seed))
    return Embeddings(ids, vectors, ENCODER.revision), Labels.from_names(ids, list(names), SPACE)


def trained(names, *, name_vectors=None, audit=None, seed=0):
    embeddings, labels = labelled(names)
    audit = np.zeros(len(names), dtype=np.bool_) if audit is None else audit
    return train(embeddings, labels, name_vectors=name_vectors, audit=audit, rng=np.random.default_rng(seed))


def mixed(n):
    return [SPACE.names[j % 3] for j in range(n)]


@pytest.mark.parametrize("name_vectors", [None, NAMES], ids=["without names", "with names"])
@pytest.mark.parametrize(
    "names",
    [["food"], ["food"] * 30, ["food", "sport"], ["food"] * 20 + ["sport"], mixed(5), mixed(40)],
    ids=["one", "one class", "two", "a class of one", "five", "forty"],
)
def test_any_labels_train_a_head(names, name_vectors):
    result = trained(names, name_vectors=name_vectors)
    assert np.isfinite(result.head.weights).all()
    assert result.out_of_fold.values.shape == (len(names), 3)
    assert result.out_of_fold.values.sum(1) == pytest.approx(np.ones(len(names)), abs=1e-5)
    assert result.metrics["labels"] == len(names)
    assert result.metrics["classes_seen"] == len(set(names))


def test_a_head_learns_what_the_labels_say():
    result = trained(mixed(90))
    embeddings, labels = labelled(mixed(60), seed=9)
    values = result.head.probabilities(embeddings, "v").values
    assert (values.argmax(1) == labels.classes).mean() > 0.95
    assert result.metrics["out_of_fold_accuracy"] > 0.9


def test_a_class_without_labels_can_be_predicted_by_its_name():
    result = trained(["food", "sport"] * 3, name_vectors=NAMES)
    assert result.head.logits(ENCODER.encode(["weather"])).argmax() == 2


def test_the_first_label_does_not_make_the_head_forget_the_names():
    values = trained(["food"], name_vectors=NAMES).head.logits(NAMES)
    assert values.argmax(1).tolist() == [0, 1, 2]


def test_labels_that_mean_nothing_are_not_called_accurate():
    rng = np.random.default_rng(3)
    ids = np.arange(120)
    vectors = rng.normal(size=(120, 40)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = Labels(ids, np.eye(3, dtype=np.float32)[rng.integers(0, 3, 120)], SPACE)
    embeddings, rng = Embeddings(ids, vectors, "e@1"), np.random.default_rng(0)
    result = train(embeddings, labels, name_vectors=None, audit=ids < 60, rng=rng)
    assert result.metrics["audit_accuracy"] < 0.5
    assert result.metrics["audit_low"] < 1 / 3 < result.metrics["audit_high"]
    assert result.metrics["out_of_fold_nll"] < 1.3  # honest doubt: close to log 3


def test_only_audit_rows_measure_accuracy():
    audit = np.arange(60) % 3 == 0
    metrics = trained(mixed(60), audit=audit).metrics
    assert metrics["audit_labels"] == 20
    assert metrics["audit_accuracy"] == metrics["audit_correct"] / 20
    assert metrics["audit_low"] < metrics["audit_accuracy"] <= metrics["audit_high"]


def test_without_audit_labels_there_is_no_accuracy():
    metrics = trained(mixed(12)).metrics
    assert metrics["audit_labels"] == 0
    assert [metrics[name] for name in ("audit_accuracy", "audit_low", "audit_high")] == [None] * 3


def test_the_same_seed_gives_the_same_bits():
    one, two = trained(mixed(40), name_vectors=NAMES), trained(mixed(40), name_vectors=NAMES)
    assert np.array_equal(one.head.weights, two.head.weights)
    assert np.array_equal(one.out_of_fold.values, two.out_of_fold.values)
    assert (one.metrics, one.settings) == (two.metrics, two.settings)


def test_few_labels_pool_several_settings_and_a_single_label_stays_close_to_the_names():
    assert trained(mixed(12), name_vectors=NAMES).settings.ensemble_size > 1
    one = trained(["food"], name_vectors=NAMES).settings
    assert (one.ensemble_size, one.inverse_regularisation, one.prior_weight) == (1, 1.0, NAME_SCALE)


def test_metrics_are_plain_numbers():
    for result in (trained(mixed(20)), cold_start(NAMES, SPACE)):
        found = result.metrics | result.settings.as_metrics()
        assert all(value is None or type(value) is float for value in found.values())


def test_before_any_label_and_after_it_the_same_metrics_exist():
    before, after = cold_start(NAMES, SPACE), trained(mixed(20))
    assert set(before.metrics) == set(after.metrics)
    assert set(before.settings.as_metrics()) == set(after.settings.as_metrics())


def test_before_any_label_names_decide():
    result = cold_start(NAMES, SPACE)
    assert result.metrics["labels"] == 0
    assert result.head.logits(NAMES).argmax(1).tolist() == [0, 1, 2]


def test_folds_spread_every_class():
    classes = np.array([0] * 10 + [1] * 5 + [2])
    folds = assign_folds(classes, np.random.default_rng(0))
    assert np.bincount(folds[classes == 0]).tolist() == [2] * 5
    assert np.bincount(folds[classes == 1]).tolist() == [1] * 5


def test_rows_that_are_not_one_hot_are_refused():
    embeddings, labels = labelled(mixed(6))
    for row in ([0, 0, 0], [1, 1, 0], [0.5, 0.5, 0], [np.nan, 0, 0]):
        targets = labels.targets.copy()
        targets[2] = row
        with pytest.raises(ValueError, match="1 rows are not one-hot"):
            train(
                embeddings,
                Labels(labels.ids, targets, SPACE),
                name_vectors=None,
                audit=np.zeros(6, dtype=np.bool_),
                rng=np.random.default_rng(0),
            )


def refused(embeddings, labels, message, *, name_vectors=None, audit=None):
    audit = np.zeros(len(labels), dtype=np.bool_) if audit is None else audit
    with pytest.raises(ValueError, match=message):
        train(embeddings, labels, name_vectors=name_vectors, audit=audit, rng=np.random.default_rng(0))


def test_what_does_not_belong_together_is_refused():
    embeddings, labels = labelled(mixed(6))
    broken = embeddings.vectors.copy()
    broken[0, 0] = np.nan
    refused(embeddings.take(np.arange(0)), Labels.from_names(np.zeros(0, dtype=int), [], SPACE), "no labels")
    refused(embeddings.take(np.arange(6)[::-1]), labels, "same ids in the same order")
    refused(Embeddings(embeddings.ids, broken, "e@1"), labels, "embedding is not finite")
    refused(embeddings, labels, "audit is", audit=np.zeros(5, dtype=np.bool_))
    refused(embeddings, labels, "name vectors are", name_vectors=NAMES[:2])


def test_auxiliary_data_train_but_measure_nothing():
    names = ["sport", "food"] * 12
    embeddings, labels = labelled(names)
    more, answers = labelled(["weather"] * 6, seed=9)
    more = Embeddings(more.ids + 1000, more.vectors, more.encoder)
    answers = Labels(more.ids, answers.targets, answers.space)
    auxiliary = AuxiliaryData(more, answers, np.ones(6, dtype=np.float32))
    audit = np.ones(len(names), dtype=bool)
    plain = train(embeddings, labels, name_vectors=None, audit=audit, rng=np.random.default_rng(0))
    helped = train(
        embeddings,
        labels,
        name_vectors=None,
        audit=audit,
        rng=np.random.default_rng(0),
        auxiliary=auxiliary,
    )
    assert helped.metrics["labels"] == plain.metrics["labels"] == len(names)
    assert len(helped.out_of_fold.ids) == len(names)
    column = labels.space.index("weather")
    before, after = (each.head.probabilities(more, "v").values[:, column].mean() for each in (plain, helped))
    assert after > before


def clouds(per_class, *, turned, seed, first):
    """Items of three classes around three axes; `turned` ones carry the label of the next class."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(3), per_class)
    vectors = np.eye(8, dtype=np.float32)[classes] + 0.3 * rng.normal(size=(len(classes), 8)).astype(
        np.float32
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = first + np.arange(len(classes))
    targets = np.eye(3, dtype=np.float32)[(classes + turned) % 3]
    return Embeddings(ids, vectors, "clouds@1"), Labels(ids, targets, SPACE)


def trained_with(auxiliary, per_class):
    embeddings, labels = clouds(per_class, turned=0, seed=0, first=0)
    return train(
        embeddings,
        labels,
        name_vectors=None,
        audit=np.zeros(len(labels), dtype=np.bool_),
        rng=np.random.default_rng(0),
        auxiliary=auxiliary,
    )


def as_auxiliary(embeddings, labels):
    return AuxiliaryData(embeddings, labels, np.ones(len(labels), dtype=np.float32))


def test_auxiliary_data_weigh_as_much_as_real_labels_where_that_helps():
    found = trained_with(as_auxiliary(*clouds(40, turned=0, seed=1, first=1000)), per_class=6)
    assert found.settings.auxiliary_weight == AUXILIARY_WEIGHTS[0]


def test_auxiliary_data_that_contradict_the_labels_weigh_nothing():
    test, answers = clouds(100, turned=0, seed=2, first=5000)
    misled = trained_with(as_auxiliary(*clouds(40, turned=1, seed=1, first=1000)), per_class=10)
    assert misled.settings.auxiliary_weight == 0.0
    assert (misled.head.logits(test.vectors).argmax(axis=1) == answers.classes).mean() > 0.9


def test_auxiliary_data_of_a_class_without_labels_keep_their_weight():
    embeddings, labels = clouds(20, turned=0, seed=0, first=0)
    known = labels.classes < 2
    # Those of the two classes with labels contradict them; the third class has auxiliary data alone.
    more, answers = clouds(20, turned=0, seed=1, first=1000)
    answers.targets[:40, :2] = answers.targets[:40, 1::-1]
    found = train(
        embeddings.take(known),
        labels.take(known),
        name_vectors=None,
        audit=np.zeros(40, dtype=np.bool_),
        rng=np.random.default_rng(0),
        auxiliary=as_auxiliary(more, answers),
    )
    assert found.settings.auxiliary_weight == 0.0
    test, true = clouds(50, turned=0, seed=4, first=5000)
    right = found.head.logits(test.vectors).argmax(axis=1) == true.classes
    assert right[true.classes == 2].mean() > 0.8
    assert right[true.classes < 2].mean() > 0.8


def test_auxiliary_data_that_are_not_finite_are_refused():
    more, answers = labelled(["weather"] * 2)
    with pytest.raises(ValueError, match="AuxiliaryData: a vector or weight is not finite"):
        AuxiliaryData(more, answers, np.array([1.0, np.nan], dtype=np.float32))
