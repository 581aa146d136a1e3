"""`nextlabel simulate novelty`: one topic plays the class that nobody has labelled."""

import json

import numpy as np
import pytest

from backend.simulation.novelty import accepted_novel
from tests.topics import WORDS, topic_of, write_texts


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "animals.jsonl"
    rows = [{"text": text, "label": topic_of(text)} for text in write_texts(300, topics=tuple(WORDS))]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def hold_out_one(simulate, data, *options):
    result = simulate(["simulate", "novelty", str(data), "--hold-out-classes", "1", "--seeds", "2", *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_class_that_nobody_labelled_is_found_and_the_promise_is_kept(simulate, data):
    figures = json.loads(hold_out_one(simulate, data, "--labels-per-class", "30", "--json"))
    assert min(figures["auroc"]) > 0.95
    assert np.mean(figures["false_alarm_rate"]) <= 0.1
    assert figures["groups"]["found"] == [1, 1]
    assert figures["groups"]["to_confirm"] == [2.0, 2.0]  # the two most typical tasks are of the class
    assert figures["groups"]["in_front"] == [1.0, 1.0]


def test_the_same_seeds_give_the_same_figures(simulate, data):
    first, second = (hold_out_one(simulate, data, "--json") for _ in range(2))
    assert first == second


def test_people_read_the_same_figures_as_a_table(simulate, data):
    text = hold_out_one(simulate, data)
    assert "false alarms (promised 0.05)" in text
    assert "tasks read to be sure of a class" in text


def test_fpr95_is_the_share_of_novel_items_that_look_known():
    scores = np.concatenate([np.arange(100), [50.0, 96.0, 200.0, 300.0]]).astype(np.float32)
    assert accepted_novel(scores, np.arange(104) >= 100) == pytest.approx(0.25)
