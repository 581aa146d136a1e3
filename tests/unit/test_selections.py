"""Tasks picked on the map: a tab of their own, or the first places of the next order."""

import pytest
from sqlalchemy import select

from backend.database import Decision, Loop, WindowTask
from backend.errors import BadRequest
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tabs import TITLES
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.findings.selections import ask_next, asked_unaided, make_tab, stop_asking
from backend.workflows.intake.chosen import MOST_ASKED, waiting_choice
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.record import replay
from backend.workflows.serving.lanes import lane_queues


def lanes(workbench):
    with workbench.context.database.session() as session:
        rows = session.execute(
            select(WindowTask.task_id, WindowTask.lane).where(WindowTask.version == workbench.version)
        )
        return {row.task_id: row.lane for row in rows}


def marked_with(workbench, mark):
    """Tasks that a tab shows which filters by this mark."""
    return {key for key, task in workbench.tasks.items() if mark in task["data"].get("nextlabel_picked", "")}


def pick(workbench, count):
    """Open tasks that are not asked unaided, from the end of what waits."""
    waiting = [key for key, task in workbench.tasks.items() if not task["is_labeled"]]
    blind = asked_unaided(workbench.workspace, waiting)
    return [task_id for task_id in reversed(waiting) if task_id not in blind][:count]


def test_picked_tasks_have_the_first_places_of_the_next_order_but_for_those_asked_unaided(trained):
    chosen = pick(trained, 3)
    assert ask_next(trained.workspace, chosen, by="somebody") == 3
    trained.loop()
    lane_of = lanes(trained)
    assert [task for task in trained.window if lane_of[task] != "audit"][:3] == chosen
    assert {task for task, lane in lane_of.items() if lane == "chosen"} == set(chosen)


def test_asked_unaided_tasks_are_where_they_were(trained, workbench):
    trained.connect(audit_share=0.3)
    before = [task for task in trained.window if lanes(trained)[task] == "audit"]
    assert before
    ask_next(trained.workspace, pick(trained, 4), by="somebody")
    trained.loop()
    assert [task for task in trained.window if lanes(trained)[task] == "audit"] == before
    with pytest.raises(BadRequest, match="None of these tasks can come first"):
        ask_next(trained.workspace, before, by="somebody")


def test_it_ends_when_they_are_answered(trained):
    chosen = pick(trained, 2)
    ask_next(trained.workspace, chosen, by="somebody")
    trained.loop()
    trained.label(4)
    trained.loop()
    assert waiting_choice(trained.workspace) == []
    assert "chosen" not in lanes(trained).values()


def test_it_can_be_taken_back(trained):
    before = trained.window
    ask_next(trained.workspace, pick(trained, 3), by="somebody")
    trained.loop()
    assert trained.window != before
    stop_asking(trained.workspace, by="somebody")
    trained.loop()
    assert trained.window == before


def test_without_a_choice_the_fingerprint_is_as_it_was(trained):
    before = trained.project.active_fingerprint
    ask_next(trained.workspace, pick(trained, 2), by="somebody")
    trained.loop()
    assert trained.project.active_fingerprint != before
    stop_asking(trained.workspace, by="somebody")
    trained.loop()
    assert trained.project.active_fingerprint == before


def test_a_loop_with_picked_tasks_is_replayed_bit_for_bit(trained, context):
    ask_next(trained.workspace, pick(trained, 3), by="somebody")
    trained.loop()
    with context.database.session() as session:
        newest = session.scalar(select(Loop.id).order_by(Loop.id.desc()).limit(1))
    assert replay(trained.workspace, newest).is_exact


def test_no_more_than_twenty_come_first_and_a_new_choice_takes_their_place(trained):
    assert ask_next(trained.workspace, pick(trained, 40), by="somebody") == MOST_ASKED
    other = pick(trained, 1)
    assert ask_next(trained.workspace, other, by="somebody") == 1
    assert waiting_choice(trained.workspace) == other


def test_a_choice_is_written_down_and_asks_for_a_loop(trained, context):
    context.jobs.enqueued.clear()
    ask_next(trained.workspace, pick(trained, 2), by="somebody")
    stop_asking(trained.workspace, by="somebody")
    assert context.jobs.enqueued == [trained.project.id] * 2
    with context.database.session() as session:
        rows = session.execute(select(Decision.kind, Decision.decided_by, Decision.details))
        assert [tuple(row) for row in rows] == [
            ("asked-next", "somebody", {"tasks": 2}),
            ("asked-no-more", "somebody", {}),
        ]


@pytest.mark.parametrize("picked", [[], [987654]])
def test_what_cannot_be_asked_is_said(picked, trained):
    with pytest.raises(BadRequest):
        ask_next(trained.workspace, picked, by="somebody")
    assert waiting_choice(trained.workspace) == []


def test_a_tab_shows_just_the_picked_tasks(trained):
    tasks = list(trained.tasks)[:3]
    made = make_tab(trained.workspace, [*tasks, tasks[0], 987654], title="  Odd   ones ")
    assert made.tasks == 3
    shown = trained.label_studio.tabs[made.number]["data"]
    assert shown["title"] == "Odd ones"
    (only,) = shown["filters"]["items"]
    assert (only["filter"], only["operator"]) == ("filter:tasks:data.nextlabel_picked", "contains")
    assert marked_with(trained, only["value"]) == set(tasks)


def test_a_task_can_be_in_several_tabs(trained):
    tasks = list(trained.tasks)
    made = [make_tab(trained.workspace, tasks[at : at + 4], title=f"Tab {at}") for at in (0, 2)]
    for tab, wanted in zip(made, (tasks[:4], tasks[2:6]), strict=True):
        (only,) = trained.label_studio.tabs[tab.number]["data"]["filters"]["items"]
        assert marked_with(trained, only["value"]) == set(wanted)


def test_a_tab_has_a_name_and_a_bound(trained, monkeypatch):
    monkeypatch.setattr("backend.workflows.findings.selections.MOST_IN_TAB", 2)
    made = make_tab(trained.workspace, list(trained.tasks), title=" ")
    assert made.tasks == 2
    assert trained.label_studio.tabs[made.number]["data"]["title"] == "From the map"
    with pytest.raises(BadRequest, match="No task is picked"):
        make_tab(trained.workspace, [987654], title="x")


def test_disconnect_removes_the_tabs_and_the_choice(trained):
    make_tab(trained.workspace, list(trained.tasks)[:3], title="Odd ones")
    gone = make_tab(trained.workspace, list(trained.tasks)[:2], title="Closed by somebody")
    del trained.label_studio.tabs[gone.number]
    ask_next(trained.workspace, pick(trained, 2), by="somebody")
    disconnect(trained.workspace)
    assert trained.label_studio.tabs == {}
    assert marked_with(trained, "|") == set()
    assert trained.workspace.selections.tabs() == []
    assert waiting_choice(trained.workspace) == []


def test_a_loop_leaves_the_tabs_of_people_alone(trained):
    made = make_tab(trained.workspace, list(trained.tasks)[:3], title="Odd ones")
    before = trained.label_studio.tabs[made.number]["data"]
    trained.label(6)
    trained.loop()
    assert trained.label_studio.tabs[made.number]["data"] == before
    assert set(trained.project.tabs) <= set(TITLES)


@pytest.mark.parametrize("window", [5, 20, 77, 100])
def test_all_that_were_picked_find_a_place_in_any_window_that_is_large_enough(window, trained):
    trained.connect(queue_window=window, audit_share=0)
    wanted = ask_next(trained.workspace, pick(trained, MOST_ASKED), by="somebody")
    (queue, *_others) = lane_queues(
        trained.workspace,
        take_snapshot(trained.workspace, parse_label_config(trained.remote["label_config"])),
    )
    assert queue.first and int(window * queue.share) == min(wanted, window)
