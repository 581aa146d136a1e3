"""/predict with the encoder in a process of its own, and what is answered when that fails."""

import os
import signal
import threading
from dataclasses import replace

import pytest

from backend.context import Encoders
from backend.encoding import TextNetwork
from backend.encoding.apart import NetworksApart
from tests.answers import assert_error

CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text"><Choice value="cats"/>'
    '<Choice value="dogs"/></Choices></View>'
)


@pytest.fixture
def client(make_app, context, encoder_process):
    networks = NetworksApart(encoder_process)
    encoders = Encoders(lambda name: networks.text(TextNetwork(name, "cpu", 1, 1)), default="words")
    return make_app(replace(context, encoders=encoders)).test_client()


@pytest.fixture
def predict(client):
    def ask(*texts):
        tasks = [{"id": place, "data": {"text": text}} for place, text in enumerate(texts)]
        return client.post("/predict", json={"tasks": tasks, "label_config": CONFIG})

    return ask


def choices(answer):
    assert answer.status_code == 200, answer.json
    return [found["result"][0]["value"]["choices"] for found in answer.json["results"]]


def test_unseen_texts_are_answered_with_the_vectors_of_the_other_process(predict):
    assert choices(predict("cats purr", "dogs bark")) == [["cats"], ["dogs"]]


def test_killed_at_any_time_the_next_request_is_answered(predict, encoder_process):
    assert choices(predict("cats purr")) == [["cats"]]
    os.kill(encoder_process.pid, signal.SIGKILL)
    assert choices(predict("dogs bark")) == [["dogs"]]
    assert choices(predict("die once")) != []


def test_where_it_dies_again_the_answer_is_that_of_an_encoder_that_cannot_be_had(predict):
    answer = predict("die")
    assert_error(answer, 503, "encoder-unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert choices(predict("cats purr")) == [["cats"]]


def test_one_that_kills_it_is_no_fault_of_those_who_ask_at_the_same_time(predict):
    predict("warm")
    answers = {}

    def ask(text):
        answers[text] = predict(text)

    threads = [
        threading.Thread(target=ask, args=(text,)) for text in ("die", *(f"cats {n}" for n in range(8)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert_error(answers.pop("die"), 503, "encoder-unavailable")
    assert all(choices(answer) == [["cats"]] for answer in answers.values())


def test_what_was_encoded_once_needs_it_no_more(predict, encoder_process):
    assert choices(predict("cats purr")) == [["cats"]]
    encoder_process.close()
    assert choices(predict("cats purr")) == [["cats"]]
    assert encoder_process.pid is None
