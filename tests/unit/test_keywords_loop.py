"""A project whose labels have keywords: first guesses follow them, and labels that differ outvote them."""

from html import escape

import pytest

from backend.workflows.project.figures import Figures
from backend.workflows.record import replay
from tests.topics import topic_of, write_texts
from tests.workbench import Workbench

HINTS = {"one": "whiskers, purr, litter, kitten, tabby, paw", "two": "bark, leash, kennel, puppy, wag, bone"}
TOLD = {"cats": "one", "dogs": "two"}


def config(choice="single", *, hints=HINTS):
    given = {name: f' hint="{escape(hints[name])}"' if name in hints else "" for name in HINTS}
    labels = "".join(f'<Choice value="{name}"{hint}/>' for name, hint in given.items())
    choices = f'<Choices name="topic" toName="text" choice="{choice}">{labels}</Choices>'
    return f'<View><Text name="text" value="$text"/>{choices}</View>'


@pytest.fixture
def open_project(context, app, label_studio):
    """open_project(config): forty texts about cats and dogs, not connected."""

    def begin(xml):
        number = label_studio.add_project(texts=write_texts(40), label_config=xml)
        return Workbench(context, label_studio, number)

    return begin


def guesses(workbench):
    """What the version in use ticks, as (topic, label) of each task that has a tick."""
    found = []
    for row in workbench.label_studio.predictions.values():
        if row["model_version"] == workbench.version:
            for region in row["result"]:
                topic = topic_of(workbench.tasks[row["task"]]["data"]["text"])
                found += [(topic, choice) for choice in region["value"]["choices"]]
    return found


def share_told(workbench):
    found = guesses(workbench)
    return sum(TOLD[topic] == label for topic, label in found) / len(found)


@pytest.mark.parametrize("choice", ["single", "multiple"])
def test_first_guesses_follow_the_keywords_until_labels_say_otherwise(open_project, choice):
    project = open_project(config(choice))
    project.connect()
    assert len(guesses(project)) >= 5
    assert share_told(project) >= 0.9
    contrary = {"cats": "two", "dogs": "one"}
    for _ in range(20):
        task = project.label_studio.serve_next(project.project_id)
        project.label_studio.annotate(task["id"], contrary[topic_of(task["data"]["text"])])
    project.loop()
    assert guesses(project) and share_told(project) <= 0.1


def test_a_setting_does_the_same_and_a_new_one_makes_a_new_version(open_project):
    project = open_project(config(hints={}))
    project.connect(label_hints=HINTS)
    assert share_told(project) >= 0.9
    before = project.version
    assert project.loop().outcome != "published"
    project.connect(label_hints={"one": HINTS["two"], "two": HINTS["one"]})
    assert project.version != before
    assert share_told(project) <= 0.1


@pytest.mark.parametrize("choice", ["single", "multiple"])
def test_a_loop_with_keywords_is_replayed_bit_for_bit(open_project, choice):
    project = open_project(config(choice))
    project.connect()
    for _ in range(8):
        task = project.label_studio.serve_next(project.project_id)
        project.label_studio.annotate(task["id"], TOLD[topic_of(task["data"]["text"])])
    project.loop()
    workspace = project.workspace
    for loop in (1, 2):
        assert replay(workspace, loop).is_exact


def test_hints_are_part_of_the_fingerprint_and_none_leave_it_alone(open_project):
    project = open_project(config(hints={}))
    project.connect()
    plain = project.project.active_fingerprint
    assert project.connect(label_hints={}).loop.outcome != "published"
    assert project.project.active_fingerprint == plain
    project.connect(label_hints={"one": "whiskers"})
    assert project.project.active_fingerprint != plain


def rows_of(project):
    signals = Figures.read(project.workspace.loops.newest_counted()).signals
    return {(row.label, row.keyword): row for row in signals.keywords}


def test_each_keyword_has_its_tasks_and_its_precision_by_blind_answers_alone(open_project):
    project = open_project(config(hints={"one": "cat, unicorn", "two": "cat, note12"}))
    project.connect(audit_share=0.5)
    before = rows_of(project)
    holding = sum(topic_of(task["data"]["text"]) == "cats" for task in project.tasks.values())
    assert before["one", "cat"].tasks == before["two", "cat"].tasks == holding
    assert before["one", "unicorn"].tasks == 0 and before["two", "note12"].tasks == 1
    assert {row.blind for row in before.values()} == {0}
    for _ in range(36):
        task = project.label_studio.serve_next(project.project_id)
        project.label_studio.annotate(task["id"], TOLD[topic_of(task["data"]["text"])])
    project.loop()
    right, wrong = rows_of(project)["one", "cat"], rows_of(project)["two", "cat"]
    assert 5 <= right.blind < holding
    assert (right.precision, right.high) == (1.0, 1.0) and 0.4 < right.low < 1.0
    assert (wrong.precision, wrong.low) == (0.0, 0.0) and wrong.blind == right.blind
    assert rows_of(project)["one", "unicorn"].precision is None


def test_the_page_shows_keywords_where_there_are_some_and_nothing_elsewhere(open_project, client):
    hinted = open_project(config(hints={"one": "purr, <b>bold</b>"}))
    hinted.connect()
    page = client.get(f"/projects/{hinted.project_id}").get_data(as_text=True)
    assert 'id="keywords"' in page and "too few yet" in page and "in no task" in page
    assert "<b>bold" not in page and "&lt;b&gt;bold" in page
    plain = open_project(config(hints={}))
    plain.connect()
    assert "keywords" not in client.get(f"/projects/{plain.project_id}").get_data(as_text=True)


def test_grades_may_have_hints_and_a_number_passes_them_over(open_project):
    others = '<Rating name="stars" toName="text" maxRating="3"/><Number name="days" toName="text"/>'
    project = open_project(config(hints={}).replace("</View>", f"{others}</View>"))
    report = project.connect(label_hints={"one": "whiskers", "1": "bark, leash", "3": "purr", "value": "paw"})
    assert report.loop.outcome == "published"
    assert {row.question for row in rows_of(project).values()} == {"topic", "stars"}
