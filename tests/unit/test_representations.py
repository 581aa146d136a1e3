"""What a head looks at, and by what that is chosen."""

import numpy as np
import pytest

from model.encoders.hashing import HashingEncoder
from model.encoders.tfidf import fit_tfidf
from model.records import REPRESENTATIONS, Embeddings, Labels, LabelSpace
from model.representations.choice import FEWEST_LABELS, View, choose_representation
from model.representations.features import TERMS, represent, represent_names
from tests.topics import topic_of, write_texts

TOPICS = ("cats", "dogs", "birds")
SPACE = LabelSpace(TOPICS)
TEXTS = write_texts(60, topics=TOPICS)
SEES_ALL, SEES_LITTLE = HashingEncoder(64), HashingEncoder(2)


def seen_by(encoder, texts=TEXTS):
    return Embeddings(np.arange(len(texts)), encoder.encode(texts), encoder.revision)


@pytest.fixture(scope="module")
def words():
    return fit_tfidf(TEXTS, revision="tfidf@test")


def views(encoder, words):
    embeddings, counted = seen_by(encoder), seen_by(words)
    names = encoder.encode(TOPICS), words.encode(TOPICS)
    return {
        name: View(represent(name, embeddings, counted), represent_names(name, *names))
        for name in REPRESENTATIONS
    }


def labels(texts=TEXTS):
    return Labels.from_names(np.arange(len(texts)), [topic_of(text) for text in texts], SPACE)


def first(views, count):
    rows = np.arange(count)
    return {name: View(view.labelled.take(rows), view.names) for name, view in views.items()}


def test_all_features_have_length_one(words):
    for name in REPRESENTATIONS:
        features = represent(name, seen_by(SEES_ALL), seen_by(words))
        assert np.allclose(np.linalg.norm(features.vectors, axis=1), 1.0, atol=1e-5)


def test_features_say_who_made_them(words):
    made_by = [represent(name, seen_by(SEES_ALL), seen_by(words)).encoder for name in REPRESENTATIONS]
    assert made_by == ["hashing-64@v1", "hashing-64@v1+tfidf@test", "tfidf@test"] + [
        "hashing-64@v1+tfidf@test",
        "tfidf@test",
    ]


def test_a_name_is_as_close_to_joined_features_as_to_the_encoder(words):
    names = SEES_ALL.encode(TOPICS)
    joined = represent("joined", seen_by(SEES_ALL), seen_by(words)).vectors
    by_joined = joined @ represent_names("joined", names, words.encode(TOPICS)).T
    assert np.allclose(by_joined, seen_by(SEES_ALL).vectors @ names.T, atol=1e-5)


def test_a_name_that_no_text_uses_says_nothing_by_words(words):
    by_words = represent_names("tfidf", SEES_ALL.encode(["cats", "zzz"]), words.encode(["cats", "zzz"]))
    assert by_words[0].any() and not by_words[1].any()


@pytest.mark.parametrize("name", sorted(TERMS))
def test_words_of_other_items_are_refused(words, name):
    with pytest.raises(ValueError, match="words of the same items"):
        represent(name, seen_by(SEES_ALL), None)
    with pytest.raises(ValueError, match="words of the same items"):
        represent(name, seen_by(SEES_ALL), seen_by(words).take(np.arange(3)))
    with pytest.raises(ValueError, match="words of the same names"):
        represent_names(name, SEES_ALL.encode(TOPICS), None)


def test_words_are_taken_where_the_encoder_sees_little(words):
    choice = choose_representation(views(SEES_LITTLE, words), labels(), seed=0)
    assert choice.representation != "encoder"
    assert set(choice.losses) == set(REPRESENTATIONS)
    assert choice.losses[choice.representation] < choice.losses["encoder"]


def test_the_encoder_stays_where_words_add_nothing():
    nothing = Embeddings(np.arange(60), np.tile(np.float32([0, 1]), (60, 1)), "tfidf@nothing")
    some = {name: View(represent(name, seen_by(SEES_ALL), nothing), None) for name in REPRESENTATIONS}
    assert choose_representation(some, labels(), seed=0).representation == "encoder"


def test_a_few_labels_choose_nothing(words):
    few = FEWEST_LABELS - 1
    choice = choose_representation(first(views(SEES_LITTLE, words), few), labels(TEXTS[:few]), seed=0)
    assert choice.representation == "encoder"
    assert choice.losses == {}


def test_the_same_labels_choose_the_same(words):
    once, again = (choose_representation(views(SEES_ALL, words), labels(), seed=3) for _ in range(2))
    assert once == again


def test_without_a_view_of_the_encoder_there_is_no_choice(words):
    others = views(SEES_ALL, words)
    del others["encoder"]
    with pytest.raises(ValueError, match="no view 'encoder'"):
        choose_representation(others, labels(), seed=0)
