"""A class that a project lacks, in a real Label Studio: found, added on the page in a browser, predicted."""

import json
import re
from collections import Counter

import pytest

from demo.dataset import HELD_OUT, load_documents
from demo.waiting import wait_for
from tests.e2e.connected import ConnectedProject

MISSING = set(HELD_OUT.values())  # topics in the pool that the project has no label for
ADDED = "medicine"
EACH_KNOWN, EACH_MISSING = 22, 30  # texts of a topic
LABELS_BEFORE = 80
LABELS_AFTER = 20
ANSWER = re.compile("is a class now|A loop is running")


@pytest.fixture
def open_world(admin, shared_backend):
    """The demonstration's texts: eight topics are labels, two are not, and some tasks are labelled."""
    project = ConnectedProject.create(admin, shared_backend, draw_documents())
    project.connect(preannotate_floor=0.1)
    known = [task_id for task_id in sorted(project.truth) if project.truth[task_id] not in MISSING]
    project.annotate(*known[:LABELS_BEFORE])
    project.ask_for_loop()
    project.wait_for_worker()
    return project


def draw_documents():
    """As many texts of each topic as are wanted, in the order of the demonstration."""
    counts, drawn = Counter(), []
    for document in load_documents():
        counts[document.group] += 1
        if counts[document.group] <= (EACH_KNOWN if document.has_label else EACH_MISSING):
            drawn.append(document)
    return drawn


def topics_of_groups(project):
    """Number of each open group, the most convincing first, and the topic of most of its typical tasks."""
    done = project.backend.command_line("classes", "list", str(project.project.id), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    for row in json.loads(done.stdout)["groups"]:
        topics = [project.truth[task_id] for task_id in row["typical"]]
        found[row["group"]] = max(sorted(set(topics)), key=topics.count)
    return found


def add_on_the_page(browser, project, number, name):
    """Press the button of a group, again when the page says that a loop is running."""
    context = browser.new_context(base_url=project.backend.url)
    page = context.new_page()

    def press():
        page.goto(f"/projects/{project.project.id}")
        card = page.locator(f"#waits-group-{number}")
        card.get_by_text("Add as a class").first.click()
        field = card.locator("input[name=name]")
        field.fill(name)
        field.press("Enter")
        answer = page.locator("[role=status], [role=alert]").filter(has_text=ANSWER).first
        answer.wait_for(timeout=60_000)
        return f"“{name}” is a class now." in answer.inner_text()

    wait_for(press, "the page did not take the new class", timeout_s=120)
    context.close()


def label_served(project, count, labels):
    """Answer tasks as they are served, skip what fits no label; what was said of each beforehand."""
    said = {}
    while count:
        task_id = project.project.serve_next()["id"]
        row = project.predictions().get(task_id)
        said[task_id] = label_of(row)
        if project.truth[task_id] in labels:
            project.annotate(task_id)
            count -= 1
        else:
            project.project.skip(task_id)
    return said


def label_of(row):
    return row["result"][0]["value"]["choices"][0] if row and row["result"] else None


def test_a_class_nobody_told_of_is_found_added_in_a_browser_and_predicted_within_20_labels(
    browser, open_world
):
    project = open_world
    groups = topics_of_groups(project)
    assert set(list(groups.values())[:4]) >= MISSING, groups

    number = next(number for number, topic in groups.items() if topic == ADDED)
    old = project.version
    add_on_the_page(browser, project, number, ADDED)
    assert f'value="{ADDED}"' in project.project.settings()["label_config"]
    project.wait_for_version_after(old)

    labels = set(project.truth.values()) - MISSING | {ADDED}
    said = label_served(project, LABELS_AFTER, labels)
    predicted = [task_id for task_id, label in said.items() if label == ADDED]
    right = [task_id for task_id in predicted if project.truth[task_id] == ADDED]
    assert right, f"of {len(predicted)} pre-annotated with the new class none is of it"
    project.ask_for_loop()
    project.wait_for_worker()
    assert ADDED in {label_of(row) for row in project.predictions().values()}
