"""A question about parts of a task sees these alone; a task that lacks one is passed over, and counted."""

import numpy as np
import pytest

from backend.label_studio.controls.table import control_of
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import read_task
from backend.workflows.intake.question_items import QuestionItems, join_parts
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.record import replay
from backend.workflows.serving.predict import predict_tasks
from backend.workflows.serving.window import spread_over
from model.records import Embeddings
from model.task_type import Beliefs
from tests.topics import topic_of, write_texts

CONFIG = """<View>
  <Text name="prompt" value="$prompt"/>
  <Text name="one" value="$text"/>
  <HyperText name="two" value="$other"/>
  <Pairwise name="better" toName="one,two" leftClass="a" rightClass="b" selectionStyle="color: red"/>
</View>"""
QUESTION = parse_label_config(CONFIG).questions[0]


def region(side):
    return {"from_name": "better", "to_name": "better", "type": "pairwise", "value": {"selected": side}}


def other_text(task):
    (text,) = write_texts(
        1, topics=("dogs" if topic_of(task["data"]["text"]) == "cats" else "cats",), seed=task["id"]
    )
    return f"<p>{text}</p>"


@pytest.fixture
def pairs(workbench, label_studio):
    """A connected project of pairs; the last four tasks have no right side."""
    for place, task in enumerate(workbench.tasks.values()):
        right = {} if place >= len(workbench.tasks) - 4 else {"other": other_text(task)}
        label_studio.edit_task(task["id"], task["data"] | {"prompt": "Which one?"} | right)
    label_studio.change_project(workbench.project_id, label_config=CONFIG)
    workbench.connect(queue_window=30)
    return workbench


def better_side(task):
    return "left" if topic_of(task["data"]["text"]) == "cats" else "right"


def lacking(bench):
    return {task_id for task_id, task in bench.tasks.items() if "other" not in task["data"]}


def answer(bench, label_studio, count):
    waiting = [task_id for task_id in bench.window if task_id not in lacking(bench)][:count]
    for task_id in waiting:
        label_studio.submit(task_id, [region(better_side(bench.tasks[task_id]))])
    return waiting


def test_a_task_keeps_the_text_of_each_part():
    task = {"id": 1, "data": {"prompt": "p", "text": "a", "other": "<p>b</p>"}}
    state = read_task(task, parse_label_config(CONFIG))
    assert state.parts == {"better": ("a", "b")} and state.content == "p\na\nb"
    without = read_task({"id": 1, "data": {"text": "a"}}, parse_label_config(CONFIG))
    assert without.parts == {"better": ("a", "")} and without.missing_fields == ("prompt", "other")
    assert read_task({"id": 1, "data": None}, parse_label_config(CONFIG)).parts == {"better": ("", "")}


def test_an_empty_annotation_says_that_neither_is_better():
    def read(*results):
        said = [{"id": number, "completed_by": number, "result": r} for number, r in enumerate(results)]
        return read_task({"id": 1, "data": {"text": "a"}, "annotations": said}, parse_label_config(CONFIG))

    assert read([]).targets == {"better": ()} and read([]).outcome == "label"
    assert read([region("left")]).targets == {"better": ("left",)}
    assert read([region("left")], []).targets == {}
    assert read([region("left")], [], []).targets == {"better": ()}
    # a partial answer is no empty one
    other = {"from_name": "else", "to_name": "one", "type": "choices", "value": {"choices": ["x"]}}
    assert read([other]).targets == {}


@pytest.mark.parametrize("value", [{}, {"selected": "none"}, {"selected": None}, {"selected": ["left"]}])
def test_a_region_that_names_no_side_is_no_answer(value):
    assert control_of("pairwise").read([{"value": value}], QUESTION) is None


def test_a_tie_is_rendered_as_nothing():
    assert control_of("pairwise").render(QUESTION, (), confidence=0.9) == []


@pytest.mark.parametrize(
    ("tag", "obstacle"),
    [
        ('<Pairwise name="p" toName="a"/>', '<Pairwise> "p" has toName="a", not the names of two objects'),
        ('<Pairwise name="p" toName="a,a"/>', 'toName="a,a"'),
        ('<Pairwise name="p" toName="a,gone"/>', 'stands on "gone", which the config does not have'),
        ('<Pairwise name="p" toName="a,sound"/>', '<Pairwise> "p" stands on <Audio> "sound"'),
        ('<Pairwise name="p" toName="a,same"/>', "is the same in every task"),
        ('<Pairwise name="p"/>', "has no toName"),
    ],
)
def test_what_stands_in_the_way_is_named(tag, obstacle):
    config = parse_label_config(
        '<View><Text name="a" value="$a"/><Text name="b" value="$b"/><Audio name="sound" value="$url"/>'
        '<Text name="same" value="Always this"/><Rating name="r" toName="a"/>' + tag + "</View>"
    )
    (found,) = config.obstacles
    assert obstacle in found


def test_the_head_sees_both_sides_and_says_which_is_better(pairs, label_studio):
    answered = answer(pairs, label_studio, 14)
    assert pairs.loop().outcome == "published"
    snapshot = take_snapshot(pairs.workspace, parse_label_config(CONFIG))
    items = snapshot.items.of(QUESTION, snapshot.embeddings)
    assert items.vectors.shape == (36, 2 * snapshot.embeddings.vectors.shape[1])
    assert set(snapshot.embeddings.ids.tolist()) - set(items.ids.tolist()) == lacking(pairs)
    assert sorted(snapshot.questions[0].labels.ids.tolist()) == sorted(answered)
    told = {task_id: pairs.result_of(task_id) for task_id in pairs.window}
    right = [
        result[0]["value"]["selected"] == better_side(pairs.tasks[task_id])
        for task_id, result in told.items()
        if result
    ]
    assert len(right) > 10 and np.mean(right) > 0.9
    assert replay(pairs.workspace, 2).is_exact


def test_a_task_without_a_side_is_passed_over_and_counted(pairs, label_studio):
    answer(pairs, label_studio, 12)
    pairs.loop()
    window = pairs.window
    last = set(window[-4:])
    blind = {task_id for task_id in window if not pairs.result_of(task_id)}
    assert lacking(pairs) & set(window) <= blind
    assert lacking(pairs) & set(window) <= last | blind
    assert pairs.workspace.tasks.count_missing_fields() == {"other": 4}
    (task_id, *_) = sorted(lacking(pairs))
    label_studio.submit(task_id, [region("left")])
    report = pairs.loop()
    assert report.record.failed == {}
    snapshot = take_snapshot(pairs.workspace, parse_label_config(CONFIG))
    assert task_id not in snapshot.questions[0].labels.ids


def test_an_unseen_task_is_answered_by_its_sides(pairs, label_studio):
    answer(pairs, label_studio, 14)
    pairs.loop()
    cats, dogs = write_texts(2, seed=77)
    data = [
        {"text": cats, "other": dogs},
        {"text": dogs, "other": cats},
        {"text": cats},
        {"text": cats, "other": cats},
    ]
    tasks = [{"id": 10_000 + place, "data": one} for place, one in enumerate(data)]
    workspace = pairs.workspace
    said = predict_tasks(
        workspace.with_overrides({"preannotate_floor": 0.0}), tasks, parse_label_config(CONFIG)
    )
    blank = [one["result"] == [] for one in said]
    sides = [one["result"][0]["value"]["selected"] for one in said[:2] if one["result"]]
    assert blank[2:] == [True, True]
    assert sides in (["left", "right"], ["left"], ["right"], []) and any(sides)


def test_which_side_a_text_is_shown_on_is_part_of_the_fingerprint(pairs, label_studio):
    answer(pairs, label_studio, 12)
    pairs.loop()
    assert pairs.loop().outcome == "unchanged"
    task_id = next(task_id for task_id in pairs.window if task_id not in lacking(pairs))
    data = pairs.tasks[task_id]["data"]
    first, rest = data["text"].split(" ", 1)
    # the whole task reads as before; the line between its sides has moved
    label_studio.edit_task(task_id, data | {"prompt": f"{data['prompt']}\n{first}", "text": rest.strip()})
    before = take_snapshot(pairs.workspace, parse_label_config(CONFIG)).fingerprint
    pairs.loop()
    assert take_snapshot(pairs.workspace, parse_label_config(CONFIG)).fingerprint != before


def test_rows_follow_the_tasks_that_are_asked_for():
    keys = {name: (f"{number:064x}") for number, name in enumerate("abcd")}
    vectors = {keys[name]: np.full(3, number, dtype=np.float32) for number, name in enumerate("abc")}
    hashes = {
        7: [keys["a"], keys["b"]],
        3: [keys["c"], keys["a"]],
        5: [keys["a"], keys["d"]],  # never encoded
        4: [keys["a"], ""],
    }
    own = join_parts(hashes, vectors, parts=2, dimensions=3, encoder="e")
    assert own.embeddings.ids.tolist() == [3, 7] and own.contents.shape == (2, 2, 32)
    items = QuestionItems({QUESTION.name: own})
    whole = Embeddings(np.array([9, 7, 4, 3]), np.zeros((4, 3), dtype=np.float32), "e")
    found = items.of(QUESTION, whole)
    assert found.ids.tolist() == [7, 3]
    assert found.vectors.tolist() == [[0, 0, 0, 1, 1, 1], [2, 2, 2, 0, 0, 0]]
    assert QuestionItems().of(QUESTION, whole) is whole
    assert QuestionItems().digest() == b"" != items.digest()
    assert len(join_parts({}, {}, parts=2, dimensions=3, encoder="e").embeddings) == 0


def test_where_nothing_is_believed_nothing_is_to_be_learned():
    ids = np.array([2, 5])
    rows = np.array([[0.2, 0.8], [0.6, 0.4]], dtype=np.float32)
    some = np.array([0.5, 0.7], dtype=np.float32)
    beliefs = spread_over(Beliefs(ids, rows, rows, some, some, rows, "v"), np.array([1, 2, 4, 5]))
    assert beliefs.ids.tolist() == [1, 2, 4, 5]
    assert beliefs.uncertainty.tolist() == pytest.approx([0, 0.5, 0, 0.7])
    assert beliefs.confidence.tolist() == pytest.approx([1, 0.5, 1, 0.7])
    assert beliefs.values[[1, 3]].tolist() == rows.tolist() and not beliefs.values[[0, 2]].any()
