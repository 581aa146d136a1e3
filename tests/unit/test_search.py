"""Tasks most like another one or like a sentence, by the stored vectors."""

from functools import partial

import numpy as np
import pytest

from backend.context import Encoders, LazyEncoder
from backend.errors import BadRequest, EncoderUnavailable, NotFound
from backend.label_studio.tasks import content_hash
from backend.workflows.views import search
from backend.workflows.views.search import like_sentence, like_task
from model.encoders.hashing import HashingEncoder
from tests.topics import topic_of


def text_of(workbench, task_id):
    return workbench.tasks[task_id]["data"]["text"]


def by_hand(workbench, text, count):
    """Most like a text, by encoding everything anew."""
    ids = list(workbench.tasks)
    vectors = HashingEncoder(64).encode([text_of(workbench, task_id) for task_id in ids])
    likeness = vectors @ HashingEncoder(64).encode([text])[0]
    return [ids[row] for row in np.argsort(-likeness, kind="stable")[:count]]


def test_a_task_is_followed_by_those_most_like_it(trained):
    first = next(iter(trained.tasks))
    found = like_task(trained.workspace, first, count=8)
    assert found[0] == first and len(found) == len(set(found)) == 8
    assert found == by_hand(trained, text_of(trained, first), 8)


def test_a_sentence_finds_texts_on_its_topic(trained):
    found = like_sentence(trained.workspace, "purr meow\n whiskers kitten", count=5)
    assert {topic_of(text_of(trained, task_id)) for task_id in found} == {"cats"}
    assert found == by_hand(trained, "purr meow whiskers kitten", 5)


def test_parts_of_a_large_project_are_put_together(trained, monkeypatch):
    whole = like_sentence(trained.workspace, "bark leash", count=12)
    monkeypatch.setattr(search, "_ROWS", 7)
    assert like_sentence(trained.workspace, "bark leash", count=12) == whole


def test_what_was_typed_is_not_kept(trained, context, encoder):
    like_sentence(trained.workspace, "purr meow", count=5)
    assert context.vectors.read(encoder.revision, [content_hash("purr meow")]) == {}


def test_like_a_task_needs_no_encoder_and_a_sentence_says_what_is_missing(trained, monkeypatch):
    def load(_name):
        raise OSError("it is not here")

    monkeypatch.setattr(Encoders, "named", lambda _self, name: LazyEncoder(partial(load, name)))
    assert len(like_task(trained.workspace, next(iter(trained.tasks)), count=3)) == 3
    with pytest.raises(EncoderUnavailable, match="it is not here"):
        like_sentence(trained.workspace, "purr", count=3)


def test_what_cannot_be_looked_for_is_said(trained, workbench):
    with pytest.raises(NotFound, match="no task 987654"):
        like_task(trained.workspace, 987654, count=3)
    with pytest.raises(BadRequest, match="nothing to look for"):
        like_sentence(trained.workspace, "  \n", count=3)
