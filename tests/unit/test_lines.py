"""The one line on each served task: true, few different ones, there before the version serves."""

import re
from itertools import product

import httpx
import numpy as np
import pytest
from sqlalchemy import select

from backend.database import NovelGroup, WindowTask
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tabs import FLAG_FIELD, NOTE_FIELD, default_tab
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.findings.classes import reject_group
from backend.workflows.serving.lines import (
    BLIND,
    MOST_LINES,
    Line,
    choose_words,
    confidence_line,
    in_words,
)
from model.novelty.unlike import FEWEST, unlike_labelled

KIND = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text" required="true">'
    '<Choice value="cats"/><Choice value="dogs"/></Choices></View>'
)
TINT = '<Choices name="tint" toName="text"><Choice value="dark"/><Choice value="light"/></Choices></View>'
KIND_AND_TINT = KIND.replace("</View>", TINT)
OUR_FIELDS = re.compile("nextlabel_")


def line_of(bench, task_id):
    return bench.tasks[task_id]["data"].get(NOTE_FIELD, "")


def lanes(bench):
    """Lane by task, as the window of the version in use has it."""
    with bench.context.database.session() as session:
        rows = session.scalars(
            select(WindowTask).where(
                WindowTask.project_id == bench.project.id, WindowTask.version == bench.version
            )
        )
        return {row.task_id: row.lane for row in rows}


def refuse(label_studio, action):
    """Let Label Studio find fault with every request to an address, until the returned list is cleared."""
    on = [True]

    def answer(request):
        if on and action in str(request.url):
            return httpx.Response(400, json={"detail": "no"})
        return None

    label_studio.before_answering.append(answer)
    return on


def assert_lines_are_true(bench):
    """Each line of the window fits the lane of its task, and the confidence of its pre-annotation."""
    for task_id, lane in lanes(bench).items():
        if task_id not in bench.window:
            continue
        line, regions = line_of(bench, task_id), bench.result_of(task_id)
        assert (line == BLIND) == (lane == "audit")
        if regions:
            said = int(re.search(r"about (\d+) % sure", line)[1]) / 100
            assert abs(said - regions[0]["score"]) <= 0.1
        elif lane != "audit":
            assert "unsure to tick" in line


@pytest.mark.parametrize("confidence", np.linspace(0.0, 1.0, 101))
def test_the_confidence_read_is_never_far_from_the_one_there_is(confidence):
    read = int(re.fullmatch(r"about (\d+) % sure", in_words(confidence))[1]) / 100
    assert abs(read - confidence) <= 0.1 + 1e-9


def test_only_a_label_that_is_likely_asks_to_be_confirmed():
    assert "confirm" in confidence_line("hockey", 0.91).named
    assert confidence_line("hockey", 0.6).named == "Unsure here: perhaps hockey, about 60 % sure."


def test_names_stand_in_the_lines_that_most_tasks_share_while_there_is_room():
    lines = {number: Line("often", f"often {number % 3}") for number in range(20)}
    lines |= {number: Line("seldom", f"seldom {number % 2}") for number in range(20, 26)}
    named, few = {"often 0", "often 1", "often 2"}, {"seldom 0", "seldom 1"}
    assert set(choose_words(lines, most=5).values()) == named | few
    assert set(choose_words(lines, most=4).values()) == named | {"seldom"}
    assert set(choose_words(lines, most=3).values()) == {"often"} | few
    assert set(choose_words(lines, most=2).values()) == {"often", "seldom"}


@pytest.mark.parametrize("labels", [2, 5, 200])
def test_however_many_labels_there_are_few_lines_are_different(labels):
    pairs = product(range(labels), np.linspace(0.5, 1.0, 30))
    lines = {place: confidence_line(f"label {a}", b) for place, (a, b) in enumerate(pairs)}
    assert len(set(choose_words(lines, most=MOST_LINES).values())) <= MOST_LINES


def test_before_the_first_label_each_line_is_true_and_says_that_it_goes_by_the_names(connected):
    assert_lines_are_true(connected)
    for task_id, lane in lanes(connected).items():
        assert lane == "audit" or "the label names" in line_of(connected, task_id)


def test_after_a_training_each_line_is_true_and_none_is_left_of_the_version_before(trained):
    assert_lines_are_true(trained)
    assert {task_id for task_id in trained.tasks if line_of(trained, task_id)} == set(trained.window)


def test_the_first_task_of_a_new_version_never_shows_the_line_of_the_old_one(connected, label_studio):
    connected.label(10)
    shown = []

    def look(request):
        if request.method == "PATCH" and "/api/ml/" in str(request.url):
            shown.append({task_id: line_of(connected, task_id) for task_id in connected.tasks})
        return

    label_studio.before_answering.append(look)
    connected.loop()
    (at_the_switch,) = shown
    assert {at_the_switch[task_id] for task_id in connected.window} == {
        line_of(connected, task_id) for task_id in connected.window
    }
    assert not any("label names" in at_the_switch[task_id] for task_id in connected.window)


def test_a_line_that_is_refused_holds_no_queue_back_and_comes_later(connected, label_studio):
    connected.label(10)
    refused = refuse(label_studio, "add_data_field")
    assert connected.loop().outcome == "published"
    assert connected.served() == connected.window
    refused.clear()
    assert connected.loop().outcome == "unchanged"
    assert_lines_are_true(connected)
    label_studio.calls.clear()
    connected.loop()
    assert label_studio.writes == []


def test_a_loop_that_ends_between_the_lines_and_the_window_leaves_the_old_queue(connected, label_studio):
    labelled, version = connected.label(4), connected.version
    left = [task_id for task_id in connected.window if task_id not in labelled]
    refused = refuse(label_studio, "import/predictions")
    with pytest.raises(Exception, match="400"):
        connected.loop()
    assert connected.served(len(left)) == connected.window == left
    assert connected.version == version
    refused.clear()
    assert connected.loop().outcome == "published"
    assert_lines_are_true(connected)


def test_a_change_of_the_floor_publishes_anew(connected):
    connected.connect(preannotate_floor=0.99999)
    blank = [task_id for task_id in connected.window if not connected.result_of(task_id)]
    assert blank == connected.window
    assert_lines_are_true(connected)
    assert connected.connect(preannotate_floor=0.0).loop.outcome == "published"
    ticked = [task_id for task_id in connected.window if connected.result_of(task_id)]
    assert set(ticked) == {task_id for task_id, lane in lanes(connected).items() if lane != "audit"}


@pytest.fixture
def group(context, connected):
    """Group 3 of the project: a task of the window, and tasks that wait outside."""
    audit = {task_id for task_id, lane in lanes(connected).items() if lane == "audit"}
    members = [task_id for task_id in connected.tasks if task_id not in audit][:8]
    with context.database.session() as session:
        session.add(
            NovelGroup(
                project_id=connected.project.id,
                number=3,
                name="birds",
                members=members,
                typical=members[:3],
                figures={"rank": 1},
                version=connected.version,
            )
        )
    return members


def test_what_fits_no_class_is_not_ticked_with_one(connected, label_studio, group):
    connected.connect(novelty_share=0.5, preannotate_floor=0.0)
    inside = [task_id for task_id in connected.window if lanes(connected)[task_id] == "novelty"]
    assert inside and not any(connected.result_of(task_id) for task_id in inside)
    assert all("something new" in line_of(connected, task_id) for task_id in inside)
    outside = next(task_id for task_id in group if task_id not in connected.window)
    (live,) = label_studio.open_task(outside)
    assert live["result"] == []


def test_a_note_goes_when_its_reason_goes(context, connected, label_studio, group):
    connected.loop()
    outside = [task_id for task_id in group if task_id not in connected.window]
    label_studio.set_field(outside, FLAG_FIELD, "novel")
    label_studio.set_field(outside, NOTE_FIELD, "Possible new class: birds (8 similar tasks)")
    connected.connect()
    assert line_of(connected, outside[0])
    reject_group(connected.workspace, 3, by="ada")
    assert connected.loop().outcome == "unchanged"
    data = [connected.tasks[task_id]["data"] for task_id in outside]
    assert {row[FLAG_FIELD] + row[NOTE_FIELD] for row in data} == {""}


def test_disconnecting_leaves_nothing_of_us_in_tasks_config_and_description(workbench):
    before = (workbench.remote["label_config"], workbench.remote.get("description", ""))
    workbench.connect(explain=True, link=True)
    workbench.label(10)
    workbench.loop()
    assert workbench.workspace.context.settings.dashboard_link(1) in workbench.remote["description"]
    disconnect(workbench.workspace)
    assert (workbench.remote["label_config"], workbench.remote["description"]) == before
    assert not OUR_FIELDS.search(str([task["data"] for task in workbench.tasks.values()]))
    assert not workbench.label_studio.tabs


def test_what_others_wrote_into_the_description_stays(workbench):
    workbench.label_studio.change_project(1, description="Posts.\nAsk Ada.")
    workbench.connect(link=True)
    assert workbench.connect(link=True).changes == []
    assert workbench.remote["description"].startswith("Posts.\nAsk Ada.\nNextlabel: http")
    disconnect(workbench.workspace)
    assert workbench.remote["description"] == "Posts.\nAsk Ada."


def test_connect_offers_the_line_once_and_not_where_it_is_shown(workbench):
    assert workbench.connect().could_explain
    assert not workbench.connect().could_explain
    disconnect(workbench.workspace)
    assert not workbench.connect(explain=True).could_explain


def test_the_card_says_who_we_are_and_where_the_dashboard_is(trained):
    assert trained.backend["title"] == trained.version
    link = trained.workspace.context.settings.dashboard_link(1)
    tasks = len(trained.tasks)
    assert trained.backend["description"] == (
        f"Nextlabel: model 3 serves since 12 of {tasks} tasks had a label. Dashboard: {link}"
    )


def test_the_tab_of_all_tasks_stays_the_first_one(connected):
    titles = [tab["data"]["title"] for tab in connected.label_studio.tabs.values()]
    assert titles == ["Default", "Up next"]


def test_a_tab_shows_text_and_note_and_hides_json_rank_score_and_other_fields(workbench, context):
    workbench.label_studio.edit_task(1, {"text": "about cats", "author": "ada"})
    workbench.connect()
    tab = next(row["data"] for row in workbench.label_studio.tabs.values() if row["data"] != default_tab())
    hidden = set(tab["hiddenColumns"]["explore"])
    assert {"tasks:data.author", "tasks:predictions_score", "tasks:annotations_results"} <= hidden
    assert not {"tasks:data.text", f"tasks:data.{NOTE_FIELD}", "tasks:id"} & hidden


def test_unlike_all_is_what_is_farther_than_labelled_items_are_from_each_other():
    rng = np.random.default_rng(0)
    around = np.eye(8)[0] + rng.normal(scale=0.1, size=(40, 8))
    labelled = (around / np.linalg.norm(around, axis=1, keepdims=True)).astype(np.float32)
    items = np.concatenate([labelled[:5], np.eye(8, dtype=np.float32)[3:5]])
    assert unlike_labelled(items, labelled, seed=0).tolist() == [False] * 5 + [True] * 2
    assert not unlike_labelled(items, labelled[: FEWEST - 1], seed=0).any()


def test_a_line_names_the_question_where_a_config_has_several():
    two, one = parse_label_config(KIND_AND_TINT), parse_label_config(KIND)
    line = confidence_line("car", 0.95)
    named = line.of_first(two)
    assert named.plain == "kind: the ticked answer is likely right, about 95 % sure: please confirm."
    assert named.named == "kind: likely car, about 95 % sure: please confirm."
    assert line.of_first(one) == line


def test_after_a_training_each_line_about_an_answer_names_its_question(workbench):
    workbench.remote["label_config"] = KIND_AND_TINT
    workbench.connect()
    told = {line_of(workbench, task_id) for task_id in workbench.window} - {BLIND, ""}
    assert told and all("kind: " in line for line in told)


def test_a_group_without_a_name_of_its_own_is_not_called_by_its_number(context, connected, group):
    with context.database.session() as session:
        session.scalars(select(NovelGroup)).one().name = "group 3"
    connected.connect(novelty_share=0.5, preannotate_floor=0.0)
    told = {line_of(connected, task_id) for task_id in group}
    assert told == {
        "May be something new: one of several that look alike and fit no label.",
        "Possible new class (8 similar tasks)",
    }
