"""A project whose labels have keywords: first guesses follow them, and labels that differ outvote them."""

import pytest

from backend.workflows.record import replay
from tests.topics import topic_of, write_texts
from tests.workbench import Workbench

HINTS = {"one": "whiskers, purr, litter, kitten, tabby, paw", "two": "bark, leash, kennel, puppy, wag, bone"}
TOLD = {"cats": "one", "dogs": "two"}


def config(choice="single", *, hints=HINTS):
    labels = "".join(
        f'<Choice value="{name}"{f""" hint="{hints[name]}" """ if name in hints else ""}/>' for name in HINTS
    )
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
