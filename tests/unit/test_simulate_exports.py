"""Exports of Label Studio as people publish them: what is odd is read, or counted and said in one line."""

import json

import pytest

from backend.errors import BadRequest
from backend.simulation.answered_file import read_answered_file
from backend.simulation.rows import Wanted, read_labelled_file

TOPICS = ("sport", "money", "travel")
CONFIG = """<View><HyperText name="t" value="$html"/>
<Choices name="topics" toName="t" choice="multiple"><Choice value="sport" alias="s"/><Choice value="money"/>
<Choice value="never used"/></Choices>
<Rating name="stars" toName="t" maxRating="6"/></View>"""


@pytest.fixture
def put(tmp_path):
    """put(content): a file of JSON that holds it."""

    def write(content):
        path = tmp_path / "export.json"
        path.write_text(json.dumps(content))
        return path

    return write


def choice(*labels, name="topics", kind="choices", **more):
    return {"from_name": name, "to_name": "t", "type": kind, "value": {kind: list(labels)}} | more


def stars(grade, name="stars", kind="rating"):
    return {"from_name": name, "to_name": "t", "type": kind, "value": {kind: grade}}


def task(number, *results, data=None, **more):
    annotations = [{"result": list(result)} for result in results]
    return {
        "id": number,
        "data": data or {"text": f"the text of task {number}"},
        "annotations": annotations,
    } | more


def tasks(count=12):
    """Tasks of two questions: several topics, and stars from 1 to 4."""
    for number in range(count):
        topics = TOPICS[number % 3 : number % 3 + 2]
        yield task(number, [choice(*topics), stars(number % 4 + 1)])


def kinds(found):
    return {question.name: question.kind for question in found.questions}


def test_kinds_are_told_by_the_results_where_there_is_no_config(put):
    found = read_answered_file(put(list(tasks())), Wanted())
    assert kinds(found) == {"topics": "several choices", "stars": "rating"}
    assert found.rows[1].text == "the text of task 1"
    assert found.rows[1].answers == {"topics": ("money", "travel"), "stars": ("2",)}
    assert [label.name for label in found.questions[1].labels] == ["1", "2", "3", "4"]


def test_a_number_is_a_number_and_a_single_choice_one_choice(put):
    export = [
        task(n, [stars(n + 0.5, "age", "number"), choice(TOPICS[n % 3], name="topic")]) for n in range(12)
    ]
    found = read_answered_file(put(export), Wanted())
    assert kinds(found) == {"age": "number", "topic": "single choice"}
    assert found.rows[3].answers == {"age": ("3.5",), "topic": ("sport",)}


def test_several_people_are_merged_as_the_loop_merges_them(put):
    export = list(tasks())
    said = [
        [choice("sport"), stars(1)],
        [choice("sport", "money"), stars(4)],
        [choice("money", "sport"), stars(3)],
    ]
    export[0] = task(0, *said)
    found = read_answered_file(put(export), Wanted())
    assert found.rows[0].answers == {"topics": ("money", "sport"), "stars": ("3",)}


@pytest.mark.parametrize("place", ["label_config", "config", "inside"])
def test_tasks_inside_an_object_are_read_through_its_config(put, place):
    export = [
        task(
            n, [choice("s" if n % 2 else "money"), stars(n % 5 + 1)], data={"html": f"<p>One <b>{n}</b></p>"}
        )
        for n in range(12)
    ]
    whole = {"title": "Reviews", "tasks": export, "members": [1, 2]}
    whole |= {"project": {"label_config": CONFIG}} if place == "inside" else {place: CONFIG}
    found = read_answered_file(put(whole), Wanted())
    assert kinds(found) == {"topics": "several choices", "stars": "rating"}
    assert found.rows[0].text == "One 0"
    assert found.rows[1].answers == {"topics": ("s",), "stars": ("2",)}
    assert len(found.questions[0].labels) == 3 and len(found.questions[1].labels) == 6
    assert "Read through its labeling config." in found.notes


@pytest.mark.parametrize("config", ["<View><Labels", "<View><Text name='t' value='$text'/></View>"])
def test_a_config_that_cannot_be_used_is_said_and_results_tell_the_kinds(put, config):
    found = read_answered_file(put({"config": config, "tasks": list(tasks())}), Wanted())
    assert kinds(found) == {"topics": "several choices", "stars": "rating"}
    assert any(note.startswith("Its labeling config is not used") for note in found.notes)


def test_ids_that_are_strings_name_their_tasks_and_empty_tasks_are_counted(put):
    export = [task(f"doc-{n}", [choice(*TOPICS[n % 3 :])]) for n in range(12)]
    export += [
        task("doc-12", []),
        task("doc-13"),
        {"id": "doc-14", "data": {"text": "no annotations at all"}},
    ]
    export.append(task("doc-15", [choice("money")], data={"text": ""}))
    found = read_answered_file(put(export), Wanted())
    assert len(found.rows) == 12
    assert found.notes[-1] == (
        "4 of 16 rows are left out: 3 have no answer (task doc-12, task doc-13, task doc-14); "
        "1 has no text in 'text' (task doc-15)."
    )


def test_skipped_tasks_and_an_id_that_comes_twice(put):
    export = [task(7, [choice(*TOPICS[n % 3 :])]) for n in range(12)]
    export[3]["annotations"][0]["was_cancelled"] = True
    found = read_answered_file(put(export), Wanted())
    assert len(found.rows) == 11
    assert found.rows[0].answers != found.rows[1].answers


def test_choices_about_a_span_are_counted_and_not_read(put):
    span = {
        "id": "a",
        "from_name": "spans",
        "type": "labels",
        "value": {"start": 0, "end": 3, "labels": ["X"]},
    }
    about = choice("good", name="tone", id="a")
    placed = {"from_name": "mood", "type": "choices", "value": {"start": 0, "end": 3, "choices": ["good"]}}
    export = [task(n, [span, about, placed, choice(*TOPICS[n % 3 :], id="b")]) for n in range(12)]
    found = read_answered_file(put(export), Wanted())
    assert kinds(found) == {"topics": "several choices"}
    assert (
        "Answers about a part of a task (perRegion) are not read: 'tone' in 12 (task 0, task 1, task 2, …); "
        "'mood' in 12 (task 0, task 1, task 2, …)." in found.notes
    )


def test_a_value_under_another_key_is_read_where_it_can_only_be_that_and_else_counted(put):
    export = list(tasks())
    export[1]["annotations"][0]["result"][0]["value"] = {"labels": ["money", "travel"]}
    export[2]["annotations"][0]["result"][0]["value"] = {"text": "x", "labels": ["money"]}
    path = {"from_name": "path", "type": "taxonomy", "value": {"taxonomy": [["a", "b"]]}}
    export[3]["annotations"][0]["result"].append(path)
    found = read_answered_file(put(export), Wanted())
    assert found.rows[1].answers["topics"] == ("money", "travel")
    assert "topics" not in found.rows[2].answers
    assert "Answers under another key than their type's are read: 'topics' in 1 (task 1)." in found.notes
    assert (
        "Answers of other kinds or shapes are not read: 'topics (choices)' in 1 (task 2); "
        "'path (taxonomy)' in 1 (task 3)." in found.notes
    )


def test_texts_under_another_name_are_found_and_those_beside_the_annotations_too(put):
    export = [
        task(n, [choice(*TOPICS[n % 3 :])], data={"ref": str(n), "post": f"what {n} says"}) for n in range(12)
    ]
    assert read_answered_file(put(export), Wanted()).rows[0].text == "what 0 says"
    beside = [
        {"id": n, "sentence": f"what {n} says", "annotations": one["annotations"]}
        for n, one in enumerate(export)
    ]
    assert read_answered_file(put(beside), Wanted()).rows[0].text == "what 0 says"


def test_what_is_no_annotation_is_passed_over(put):
    export = list(tasks())
    export[0]["annotations"] += [
        None,
        3,
        {"result": None},
        {"result": ["x", {"value": None}, {"from_name": 3}]},
    ]
    assert read_answered_file(put(export), Wanted()).rows[0].answers["topics"] == ("money", "sport")


def test_an_export_whose_answers_are_all_about_parts_says_so(put):
    placed = {"from_name": "mood", "type": "choices", "value": {"start": 0, "end": 3, "choices": ["good"]}}
    with pytest.raises(BadRequest):
        read_answered_file(put([task(n, [placed]) for n in range(12)]), Wanted())


def test_other_commands_read_one_question_of_the_same_export(put):
    export = [task(n, [choice(TOPICS[n % 3]), stars(n % 4 + 1)]) for n in range(12)]
    found = read_labelled_file(put(export), Wanted(label_field="topics"))
    assert [row.label for row in found.rows[:3]] == list(TOPICS)


def test_a_preference_is_named_and_not_simulated(put):
    config = CONFIG.replace(
        "</View>", '<Text name="u" value="$other"/><Pairwise name="better" toName="t,u"/></View>'
    )
    side = {"from_name": "better", "to_name": "t", "type": "pairwise", "value": {"selected": "left"}}
    shown = {"html": "one", "other": "two"}
    export = [task(n, [side, *([stars(n % 5 + 1)] if n else [])], data=shown) for n in range(12)]
    found = read_answered_file(put({"config": config, "tasks": export}), Wanted())
    assert kinds(found) == {"stars": "rating"}
    assert len(found.rows) == 11
    assert "'better': pairwise is not simulated." in found.notes
