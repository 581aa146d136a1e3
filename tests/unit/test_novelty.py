"""A class that nobody told the project about: found, grouped, named, added, and then predicted."""

import pytest
from sqlalchemy import select

from backend.database import NovelGroup, WindowTask
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tabs import FLAG_FIELD, NOTE_FIELD, TITLES
from backend.workflows.findings.classes import add_class, reject_group
from backend.workflows.findings.notes import finding_notes
from backend.workflows.intake.earlier_findings import list_groups
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.serving.lanes import lane_queues
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.status import project_status
from model.novelty.detector import Detection
from tests.topics import WORDS, topic_of, write_texts
from tests.workbench import Workbench


@pytest.fixture
def zoo(context, app, label_studio, bring_to):
    """Cats and dogs are labels, birds are not; 40 tasks are labelled, the birds among them skipped."""
    project_id = label_studio.add_project(texts=write_texts(150, topics=("cats", "dogs", "birds")))
    bench = Workbench(context, label_studio, project_id)

    def act():
        bench.connect()
        label_or_skip(bench, 40)
        bench.loop()

    return bring_to("zoo", bench, act)


def label_or_skip(bench, count):
    for _ in range(count):
        task = bench.label_studio.serve_next(bench.project_id)
        topic = topic_of(task["data"]["text"])
        if topic == "birds":
            bench.label_studio.skip(task["id"])
        else:
            bench.label_studio.annotate(task["id"], topic)


def topics_of(bench, task_ids):
    return [topic_of(bench.label_studio.tasks[task_id]["data"]["text"]) for task_id in task_ids]


def members(context, number):
    with context.database.session() as session:
        return list(session.scalar(select(NovelGroup.members).where(NovelGroup.number == number)))


def test_too_few_labels_flag_nothing_and_say_so(context, connected):
    connected.label(5)
    figures = connected.loop().figures["signals"]["novelty"]
    assert "ot enough labels" in figures["words"] and figures["flags"] == 0
    assert list_groups(connected.workspace) == []


def test_birds_are_the_first_group_and_named_by_their_words(context, zoo):
    first = list_groups(zoo.workspace)[0]
    assert topics_of(zoo, members(context, first["group"])).count("birds") >= 0.8 * first["size"]
    words = {"birds", *WORDS["birds"].split()}
    assert words & set(first["name"].split())
    assert len(first["typical"]) == 3


def test_flagged_tasks_carry_a_note_and_the_tab_shows_them(context, zoo):
    first = list_groups(zoo.workspace)[0]
    waiting = [
        task_id
        for task_id in members(context, first["group"])
        if not zoo.label_studio.tasks[task_id]["annotations"]
    ]
    data = [zoo.label_studio.tasks[task_id]["data"] for task_id in waiting]
    assert {row.get(FLAG_FIELD) for row in data} == {"novel"}
    window = set(zoo.window)
    outside = [row for task_id, row in zip(waiting, data, strict=True) if task_id not in window]
    assert outside and all(first["name"] in row[NOTE_FIELD] for row in outside)
    assert TITLES["novel"] in {tab["data"]["title"] for tab in zoo.label_studio.tabs.values()}


def test_a_group_keeps_its_number_and_name_while_its_members_mostly_stay(context, zoo):
    before = list_groups(zoo.workspace)[0]
    label_or_skip(zoo, 6)
    zoo.loop()
    after = list_groups(zoo.workspace)[0]
    assert (after["group"], after["name"]) == (before["group"], before["name"])


def test_the_next_window_keeps_a_lane_for_the_group_its_most_typical_task_first(context, zoo):
    zoo.connect(novelty_share=0.3)
    label_or_skip(zoo, 2)
    zoo.loop()
    with context.database.session() as session:
        lane = session.scalars(
            select(WindowTask.task_id)
            .where(WindowTask.version == zoo.version, WindowTask.lane == "novelty")
            .order_by(WindowTask.position)
        ).all()
    assert lane and topics_of(zoo, lane).count("birds") >= 0.6 * len(lane)


def test_a_group_comes_soon_until_somebody_has_seen_one_of_it(context, zoo):
    seen = take_snapshot(zoo.workspace, parse_label_config(zoo.remote["label_config"]))
    waiting = set(seen.pool_embeddings.ids.tolist())
    with context.database.session() as session:
        group = session.scalars(select(NovelGroup)).first()
        group.members = [task_id for task_id in group.members if task_id in waiting]
        group.figures = group.figures | {"asked": False}
        session.commit()
    (first, *_others) = members(context, group.number)
    queue = lane_queues(zoo.workspace, seen)[0]
    assert queue.soon >= 1 and first in queue.ids[: queue.soon]
    zoo.label_studio.skip(first)
    for _ in range(2):  # the second time round the group has no member any more that anybody saw
        zoo.loop()
        seen = take_snapshot(zoo.workspace, parse_label_config(zoo.remote["label_config"]))
        queue = lane_queues(zoo.workspace, seen)[0]
        soon = queue.ids[: queue.soon]
        assert not set(soon.tolist()) & set(members(context, group.number))


def test_an_added_class_is_predicted_after_a_few_labels(context, zoo):
    first = list_groups(zoo.workspace)[0]
    add_class(zoo.workspace, first["group"], name="birds", by="ada")
    zoo.loop()
    for task_id in members(context, first["group"])[:8]:
        zoo.label_studio.annotate(task_id, topic_of(zoo.label_studio.tasks[task_id]["data"]["text"]))
    zoo.loop()
    birds = [number for number, task in zoo.tasks.items() if topic_of(task["data"]["text"]) == "birds"]
    there = [number for number in birds if number in zoo.scores and zoo.result_of(number)]
    said = [zoo.result_of(number)[0]["value"]["choices"] for number in there]
    assert said.count(["birds"]) >= 0.7 * len(said)


def test_a_rejected_group_does_not_come_back_under_another_name_or_number(context, zoo):
    first = list_groups(zoo.workspace)[0]
    reject_group(zoo.workspace, first["group"], by="ada")
    with context.database.session() as session:
        row = session.scalar(select(NovelGroup).where(NovelGroup.number == first["group"]))
        row.name = "something else"
        session.commit()
    label_or_skip(zoo, 6)
    zoo.loop()
    for group in list_groups(zoo.workspace):
        assert topics_of(zoo, members(context, group["group"])).count("birds") < 0.5 * group["size"]


def test_an_added_class_is_not_offered_again_while_its_tasks_wait(context, zoo):
    first = list_groups(zoo.workspace)[0]
    add_class(zoo.workspace, first["group"], name="Vögel", by="ada")
    zoo.loop()
    for group in list_groups(zoo.workspace):
        assert topics_of(zoo, members(context, group["group"])).count("birds") < 0.5 * group["size"]


def open_groups(context):
    with context.database.session() as session:
        return list(session.scalars(select(NovelGroup).where(NovelGroup.state == "open")))


def test_a_group_below_five_tasks_is_asked_about_but_neither_shown_nor_marked(context, zoo):
    seen = take_snapshot(zoo.workspace, parse_label_config(zoo.remote["label_config"]))
    waiting = seen.pool_embeddings.ids.tolist()
    for size, is_shown in ((4, False), (5, True)):
        with context.database.session() as session:
            rows = session.scalars(select(NovelGroup).where(NovelGroup.state == "open")).all()
            for row in rows:
                row.members = waiting[:size]
            session.commit()
        assert bool(list_groups(zoo.workspace)) == is_shown
        notes = finding_notes(zoo.workspace, seen)
        assert {task_id for task_id, note in notes.items() if note.flag == "novel"} == set(
            waiting[:size] if is_shown else []
        )
        assert set(waiting[:size]) <= set(lane_queues(zoo.workspace, seen)[0].ids.tolist())


def test_flags_that_are_all_to_be_expected_by_chance_are_not_told(context, zoo, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Detection, "expected_false", property(lambda found: float(found.flagged.sum())))
        label_or_skip(zoo, 3)
        figures = zoo.loop().figures["signals"]["novelty"]
    assert figures["flags"] == figures["grouped"] == 0
    assert figures["words"] == "No task stands out from the classes there are."
    assert list_groups(zoo.workspace) == [] and open_groups(context)
    label_or_skip(zoo, 3)
    told = zoo.loop().figures["signals"]["novelty"]
    assert told["flags"] > round(told["expected_false"])
    marked = [task for task in zoo.tasks.values() if task["data"].get(FLAG_FIELD) == "novel"]
    assert len(marked) == told["grouped"] > 0


def test_what_a_person_called_no_class_is_not_shown_again(context, zoo):
    first = list_groups(zoo.workspace)[0]
    rejected = set(members(context, first["group"]))
    reject_group(zoo.workspace, first["group"], by="ada")
    label_or_skip(zoo, 6)
    zoo.loop()
    shown = {task_id for row in list_groups(zoo.workspace) for task_id in members(context, row["group"])}
    assert len(shown & rejected) <= 0.2 * len(rejected)


@pytest.fixture
def unanswered(context, app, label_studio, bring_to):
    """Birds are a label, too, but every bird that was served was skipped: the label has no answer."""
    texts = write_texts(150, topics=("cats", "dogs", "birds"))
    project_id = label_studio.add_project(labels=("cats", "dogs", "birds"), texts=texts)
    bench = Workbench(context, label_studio, project_id)

    def act():
        bench.connect()
        label_or_skip(bench, 40)
        bench.loop()

    return bring_to("unanswered", bench, act)


def test_what_a_label_without_answers_explains_is_not_offered_as_a_new_class(context, unanswered):
    for group in list_groups(unanswered.workspace):
        found = topics_of(unanswered, members(context, group["group"]))
        assert found.count("birds") < 0.5 * len(found)
    noted = [task["data"] for task in unanswered.tasks.values() if task["data"].get(FLAG_FIELD) == "novel"]
    assert sum(topic_of(data["text"]) == "birds" for data in noted) <= 0.5 * len(noted)


def test_the_page_says_what_may_be_of_a_label_without_answers(context, unanswered):
    view = build_dashboard(unanswered.workspace)
    assert "may be your label “birds”, which has no answers yet" in view["novelty"]["words"]
    assert view["unanswered"] == project_status(unanswered.workspace)["unanswered"] == ["birds"]


def test_tasks_of_a_label_without_answers_are_pre_annotated_with_it(unanswered):
    birds = [number for number in unanswered.scores if topics_of(unanswered, [number]) == ["birds"]]
    said = [
        unanswered.result_of(number)[0]["value"]["choices"]
        for number in birds
        if unanswered.result_of(number)
    ]
    assert said.count(["birds"]) >= 0.7 * len(said) > 0
