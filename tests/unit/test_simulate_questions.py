"""`simulate labels` on several choices, ratings, numbers, and several questions of one text."""

import json

import pytest
from typer.testing import CliRunner

from backend.cli import app as cli
from backend.errors import BadRequest
from backend.simulation.answered_file import read_answered_file
from backend.simulation.labels import DEFAULT, Outcome
from backend.simulation.labels_json import needed
from backend.simulation.rows import Wanted, read_labelled_file
from backend.simulation.source import read_answered_source
from backend.workflows.project.progress import Silent
from model.simulation.run import Curve

WORDS = {"sport": "match goal team", "money": "bank price share", "travel": "train hotel beach"}
FIGURES = {"accuracy", "n90", "n95", "area", "rank_seconds", "representation"}


def rows():
    """Texts of one topic or two, with stars and a length that their words tell."""
    names = list(WORDS)
    for number in range(45):
        one, other = names[number % 3], names[(number // 3) % 3]
        topics = list(dict.fromkeys([one, other]))
        stars = number % 4 + 1
        words = " ".join(WORDS[topic] for topic in topics)
        yield {
            "text": f"{words} {'star ' * stars}{number}",
            "topic": one,
            "topics": topics,
            "stars": stars,
            "length": len(words) + 0.5,
        }


@pytest.fixture
def put(tmp_path):
    """put(rows, "x.jsonl"): a file of JSON lines that holds them."""

    def write(found, name="things.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in found))
        return path

    return write


def labelled(column):
    return [{"text": row["text"], "label": row[column]} for row in rows()]


def run(simulate, path, *options):
    arguments = ["--budgets", "10,20", "--seeds", "2", "--batch", "10", *options]
    result = simulate(["simulate", "labels", str(path), *arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize(
    ("column", "metric", "figure"),
    [
        ("topics", "answers with exactly the right labels", "micro F1"),
        ("stars", "answers with exactly the right grade", "mean absolute error"),
        ("length", "numbers that are near enough", "mean absolute error"),
    ],
)
def test_other_kinds_give_the_same_figures_and_name_what_accuracy_is(simulate, put, column, metric, figure):
    figures = json.loads(run(simulate, put(labelled(column)), "--json").stdout)
    assert figures["metric"] == metric
    assert (figures["n_pool"], figures["n_test"]) == (31, 14)
    assert list(figures["strategies"]) == ["default", "random"]
    for strategy in figures["strategies"].values():
        assert strategy.keys() == FIGURES
        assert [len(row) for row in strategy["accuracy"]] == [2, 2]
        assert all(0 <= value <= 1 for row in strategy["accuracy"] for value in row)
    assert len(figures["full_figures"][figure]) == len(figures["figures"]["default"][figure]) == 2
    assert "questions" not in figures
    assert [len(row) for row in figures["audit"]["true"]] == [2, 2]


def test_one_choice_names_what_accuracy_is_too(simulate, put):
    figures = json.loads(run(simulate, put(labelled("topic")), "--json").stdout)
    assert figures["metric"] == "answers that are right"
    assert list(figures["strategies"]) == ["default", "random", "margin"]
    assert "figures" not in figures


def test_several_questions_have_their_mean_and_a_row_each(simulate, put):
    asked = [
        {
            "text": row["text"],
            "labels": {"topic": row["topic"], "topics": row["topics"], "stars": row["stars"]},
        }
        for row in rows()
    ]
    figures = json.loads(run(simulate, put(asked), "--json").stdout)
    parts = figures["questions"]
    assert figures["metric"] == "the mean over questions"
    assert {name: part["kind"] for name, part in parts.items()} == {
        "topic": "single choice",
        "topics": "several choices",
        "stars": "rating",
    }
    means = [part["strategies"]["default"]["accuracy"][0][0] for part in parts.values()]
    assert figures["strategies"]["default"]["accuracy"][0][0] == pytest.approx(sum(means) / 3)
    assert figures["full_accuracy"] == pytest.approx(
        sum(part["full_accuracy"] for part in parts.values()) / 3
    )


def test_labels_are_needed_until_the_last_question_is_there():
    curve, late = Curve([0, 10], [0.0, 1.0]), Curve([0, 20], [0.0, 1.0])
    never = Curve([0, 20], [0.0, 0.5])

    def part(*curves):
        return Outcome("x", 1, 1, (20,), (1.0,) * len(curves), {DEFAULT: list(curves)})

    both = Outcome("x", 1, 1, (20,), (1.0, 1.0), {}, parts={"a": part(curve, curve), "b": part(late, never)})
    assert needed(both, DEFAULT, 0.9) == [pytest.approx(18), None]


def test_people_read_what_was_taken_for_what_and_where_the_picture_is(simulate, put, tmp_path):
    asked = [
        {"text": row["text"], "labels": {"topics": row["topics"], "stars": row["stars"]}} for row in rows()
    ]
    page = tmp_path / "curves.html"
    result = run(simulate, put(asked), "--plot", str(page), "--seeds", "1")
    assert "'topics': several choices, 45 answers, 3 labels" in result.stderr
    assert "'stars': rating, 45 answers, grades 1 to 4" in result.stderr
    assert f"{page} was written." in result.stderr
    assert "1 seed." in result.stdout and "micro F1" in result.stdout
    assert "stars (rating)" in page.read_text()


def test_one_of_several_questions_can_be_taken_alone(put):
    asked = [
        {"text": row["text"], "labels": {"topics": row["topics"], "stars": row["stars"]}} for row in rows()
    ]
    path = put(asked)
    found = read_answered_file(path, Wanted(label_field="stars"))
    assert [question.name for question in found.questions] == ["stars"]
    with pytest.raises(BadRequest, match="has no question 'star'; 'labels' has: topics, stars"):
        read_answered_file(path, Wanted(label_field="star"))


def test_paths_are_left_out_of_a_file_and_counted_where_nothing_else_is_there(put):
    paths = [{"text": row["text"], "label": [[topic, "more"] for topic in row["topics"]]} for row in rows()]
    asked = [*paths[:30], *({"text": f"nothing {number}", "label": []} for number in range(12))]
    found = read_answered_file(put(asked), Wanted())
    with pytest.raises(BadRequest, match=r"30 of 42 rows are left out: 30 have in 'label' paths"):
        found.require_enough()


def test_a_question_with_too_few_answers_is_left_out_by_name(simulate, put):
    asked = [
        {"text": row["text"], "labels": {"topics": row["topics"]} | ({"stars": 3} if place < 4 else {})}
        for place, row in enumerate(rows())
    ]
    result = run(simulate, put(asked), "--seeds", "1", "--json")
    assert json.loads(result.stdout)["metric"] != "the mean over questions"
    why = "rows with a text and an answer to 'stars'"
    assert "'stars' is left out: " in result.stderr and f"has 4 {why}" in " ".join(result.stderr.split())
    few = read_answered_file(
        put([{"text": row["text"], "labels": row["labels"]} for row in asked[:4]]), Wanted()
    )
    with pytest.raises(BadRequest, match="has 4 rows with a text and an answer to 'topics'"):
        few.with_enough()


def test_questions_of_a_project_that_say_the_same_everywhere_are_left_out(workbench, label_studio):
    config = (
        '<View><Text name="text" value="$text"/><Rating name="stars" toName="text" maxRating="5"/>'
        '<Rating name="same" toName="text" maxRating="5"/><Rating name="sparse" toName="text"/></View>'
    )
    label_studio.change_project(workbench.project_id, label_config=config)
    for place, task_id in enumerate(list(workbench.tasks)[:20]):
        said = {"stars": 1 + place % 2, "same": 3} | ({"sparse": 2} if place < 3 else {})
        regions = [
            {"from_name": name, "to_name": "text", "type": "rating", "value": {"rating": stars}}
            for name, stars in said.items()
        ]
        label_studio.submit(task_id, regions)
    found = read_answered_source(workbench.context, None, workbench.project_id, Wanted(), Silent())
    assert [question.name for question in found.questions] == ["stars"]
    assert len(found.rows) == 20
    said = " ".join(found.notes)
    assert "'same' is left out: All 20 rows" in said and "'sparse' is left out: " in said


def test_one_seed_has_no_interval(simulate, put):
    several = run(simulate, put(labelled("topics")), "--seeds", "3").stdout
    one = run(simulate, put(labelled("topics")), "--seeds", "1").stdout
    assert "interval over seeds" in " ".join(several.split()) and " … " in several
    assert "of one seed without an interval" in " ".join(one.split()) and " … " not in one


def test_two_seeds_have_no_interval_either(simulate, put):
    two = run(simulate, put(labelled("topics")), "--seeds", "2").stdout
    assert "of 2 seeds without an interval" in " ".join(two.split()) and " … " not in two


def test_budgets_beyond_the_pool_are_left_out_and_the_whole_pool_takes_their_place(simulate, put):
    options = ("--seeds", "1", "--budgets", "10,500,1000")
    figures = json.loads(run(simulate, put(labelled("topics")), *options, "--json").stdout)
    assert figures["budgets"] == [10, figures["n_pool"]]
    assert all(len(row["accuracy"]) == 2 for row in figures["strategies"].values())
    said = " ".join(run(simulate, put(labelled("topics")), *options).stdout.split())
    pool = figures["n_pool"]
    assert f"Left out: 500 and 1,000 labels, more than the {pool} in the pool" in said
    assert f"on the way to {pool} labels" in said


def test_columns_of_a_table_are_questions_too(put, tmp_path):
    path = tmp_path / "x.csv"
    lines = [
        f'{row["text"]},"{json.dumps(row["topics"]).replace(chr(34), chr(34) * 2)}",{row["stars"]}'
        for row in rows()
    ]
    path.write_text("\n".join(["text,topics,stars", *lines]))
    found = read_answered_file(path, Wanted(label_field="topics,stars"))
    assert [question.kind for question in found.questions] == ["several choices", "rating"]
    assert found.rows[1].answers == {"topics": ("money", "sport"), "stars": ("2",)}


def test_a_question_may_be_left_open_and_none_of_them_is_an_answer(put):
    asked = labelled("topics")
    asked[0]["label"], asked[1]["label"] = [], None
    found = read_answered_file(put(asked), Wanted())
    assert found.rows[0].answers == {"label": ()}
    assert len(found.rows) == 44
    assert "1 of 45 rows is left out: 1 has no answer (line 2)." in found.notes


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1], "single choice"),
        ([0, 1, 2, 3], "single choice"),
        ([1, 2, 3], "rating"),
        ([1, 2, 30], "number"),
        ([0.5, 1, 2], "number"),
        ([True, False], "single choice"),
        ([["a"], ["b"]], "single choice"),
        ([["a"], ["a", "b"]], "several choices"),
        ([{"choices": ["a", "b"]}, "a"], "several choices"),
        ([{"rating": 4}, {"rating": 2}, {"rating": 3}], "rating"),
    ],
)
def test_what_a_label_is_is_told_by_all_of_them(put, values, kind):
    asked = [{"text": f"text {number}", "label": values[number % len(values)]} for number in range(30)]
    found = read_answered_file(put(asked), Wanted())
    assert [question.kind for question in found.questions] == [kind]


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ("four", "line 46: 'label' is a word \\('four'\\), and 45 rows have a number there"),
        (["a"], "line 46: 'label' is a list \\('a'\\), and 45 rows have a number"),
    ],
)
def test_a_column_that_mixes_kinds_is_refused_with_the_line(put, odd, words):
    with pytest.raises(BadRequest, match=words):
        read_answered_file(put([*labelled("stars"), {"text": "odd", "label": odd}]), Wanted())


def test_a_rating_that_is_none_is_left_out_and_counted_where_the_kind_is_named(put):
    odd = [*labelled("stars"), {"text": "x", "label": "four"}, {"text": "y", "label": 0}]
    found = read_answered_file(put(odd), Wanted(), kind="rating")
    assert len(found.rows) == 45
    assert found.notes[-1] == (
        "2 of 47 rows are left out: 1 has in 'label' no number (line 46); "
        "1 has in 'label' no grade from 1 to 100 (line 47)."
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--kind", "stars"], "expected one of single choice, several choices, rating, number"),
        (["--strategies", "margin"], "'margin' is about a single choice, and here are: rating"),
        (["--representation", "tfidf"], "see the encoder's vectors"),
        (["--kind", "several choices"], ""),
    ],
)
def test_what_makes_no_sense_for_a_kind_is_refused_in_words(simulate, put, options, words):
    arguments = ["--budgets", "10", "--seeds", "1"]
    result = simulate(["simulate", "labels", str(put(labelled("stars"))), *arguments, *options])
    assert words in getattr(result.exception, "message", "") if words else result.exit_code == 0


@pytest.mark.parametrize("column", ["topic", "topics"])
def test_rows_of_one_choice_are_those_that_other_commands_read(put, column):
    asked = [
        {"text": row["text"], "label": row[column][:1] if column == "topics" else row[column]}
        for row in rows()
    ]
    asked.insert(3, {"text": " ", "label": "sport" if column == "topic" else ["sport"]})
    path = put(asked)
    assert read_answered_file(path, Wanted()).one_choice().rows == read_labelled_file(path).rows


def test_a_file_leaves_no_data_folder_behind(put, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_DIR", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEXT_ENCODER", "hashing")
    path = put(labelled("topic"))
    arguments = [
        "simulate",
        "labels",
        str(path),
        "--budgets",
        "5",
        "--seeds",
        "1",
        "--strategies",
        "",
        "--json",
    ]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_the_help_shows_a_row_of_each_kind(simulate):
    shown = simulate(["simulate", "labels", "--help"]).stdout
    for word in ('"label": "sports"', '["sports", "money"]', '"label": 4', '"labels": {'):
        assert word in shown
