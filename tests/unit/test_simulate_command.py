"""`nextlabel simulate labels`: what it reads, prints, draws and refuses."""

import json

import pytest

from backend.errors import BadRequest, NextlabelError
from backend.simulation.rows import read_labelled_texts

TEXTS = {"colours": "red green blue", "animals": "cat dog cow", "fruit_trees": "apple pear plum"}


@pytest.fixture
def data(tmp_path):
    rows = [
        {"text": f"{word} number {number}", "label": label, "kind": [label]}
        for label, words in TEXTS.items()
        for word in words.split()
        for number in range(5)
    ]
    return write(tmp_path / "things.jsonl", rows)


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_json_holds_every_figure_by_seed(simulate, data):
    result = simulate(
        ["simulate", "labels", str(data), "--strategies", "margin,random+entropy", "--budgets", "6,12"]
        + ["--seeds", "2", "--batch", "3", "--json"]
    )
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["dataset"] == "things"
    assert (figures["n_pool"], figures["n_test"]) == (31, 14)
    assert list(figures["strategies"]) == ["default", "random", "margin", "random+entropy"]
    for strategy in figures["strategies"].values():
        assert [len(row) for row in strategy["accuracy"]] == [2, 2]
        assert {len(strategy[name]) for name in ("n90", "n95", "area", "rank_seconds")} == {2}
    assert set(figures["audit"]) == {"estimate", "low", "high", "true"}
    assert [len(row) for row in figures["audit"]["true"]] == [2, 2]


@pytest.mark.parametrize("representation", ["encoder", "joined", "tfidf"])
def test_one_representation_can_be_demanded(simulate, data, representation):
    result = simulate(
        ["simulate", "labels", str(data), "--strategies", "", "--budgets", "6", "--seeds", "1", "--json"]
        + ["--representation", representation]
    )
    assert result.exit_code == 0, result.output
    strategies = json.loads(result.stdout)["strategies"]
    assert {name for strategy in strategies.values() for name in strategy["representation"]} == {
        representation
    }


def test_people_get_a_table_and_a_picture(simulate, data, tmp_path):
    picture = tmp_path / "curves.svg"
    result = simulate(
        ["simulate", "labels", str(data), "--budgets", "4,8", "--seeds", "2", "--plot", str(picture)]
    )
    assert result.exit_code == 0, result.output
    assert "default" in result.stdout and "31 in the pool" in result.stdout
    assert "<svg" in picture.read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--strategies", "magic"], "no strategy 'magic'"),
        (["--budgets", "ten"], "whole numbers"),
        (["--budgets", "0"], "1 or more"),
        (["--plot", "curves.doc"], "must end in .png"),
        (["--label-field", "colour"], "no column 'colour'; it has: text, label, kind"),
        (["--splits", "val"], "no split 'val'"),
        (["--representation", "pixels"], "expected one of auto, encoder, joined, tfidf"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(simulate, data, options, words):
    result = simulate(["simulate", "labels", str(data), *options])
    assert isinstance(result.exception, NextlabelError)
    assert words in result.exception.message


def test_other_splits_are_left_out_unless_named(tmp_path):
    rows = [{"text": split, "label": "a", "split": split} for split in ("train", "test", "val", "oos_test")]
    path = write(tmp_path / "rows.jsonl", rows)
    assert [row.text for row in read_labelled_texts(path)] == ["train", "test"]
    named = read_labelled_texts(path, splits=["val", "oos_test"])
    assert {row.text: row.is_test for row in named} == {
        "train": False,
        "test": True,
        "val": False,
        "oos_test": True,
    }


def test_a_list_of_one_label_is_a_label_and_of_two_is_not(data, tmp_path):
    assert read_labelled_texts(data, label_field="kind")[0].label == "colours"
    two = write(tmp_path / "two.jsonl", [{"text": "a", "label": ["x", "y"]}])
    with pytest.raises(BadRequest, match="Object 1"):
        read_labelled_texts(two)


def test_a_broken_line_is_named_by_its_number(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "label": "b"}\n\n{"text": \n')
    with pytest.raises(BadRequest, match="line 3: not JSON"):
        read_labelled_texts(path)
