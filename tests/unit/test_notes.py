"""Flags and notes on tasks, and the tabs that gather them: only what changed is written."""

import pytest

from backend.label_studio.tabs import FLAG_FIELD, NOTE_FIELD, RANK_FIELD, TITLES, tab_data
from backend.workflows.findings.notes import Note, coarse_ranks, remove_notes, write_notes, write_tabs
from backend.workflows.project.progress import Silent


@pytest.fixture
def project(connected):
    return connected.workspace


@pytest.fixture
def remote(context):
    return context.label_studio()


def fields_of(connected, task_id):
    data = connected.label_studio.tasks[task_id]["data"]
    return tuple(data.get(name, "") for name in (FLAG_FIELD, NOTE_FIELD, RANK_FIELD))


def test_one_call_for_each_text_however_many_tasks_carry_it(context, connected, project, remote):
    outside = [task_id for task_id in connected.tasks if task_id not in connected.window]
    notes = {task_id: Note("novel", "Possible new class") for task_id in outside[:10]}
    assert write_notes(project, remote, notes) == 3
    assert fields_of(connected, outside[7]) == ("novel", "Possible new class", "0001")


def test_what_is_there_already_is_not_written_again(context, connected, project, remote):
    notes = {1: Note("novel", "Possible new class")}
    write_notes(project, remote, notes)
    assert write_notes(project, remote, notes) == 0


def test_what_is_no_longer_true_is_taken_away(context, connected, project, remote):
    one, other = [task_id for task_id in connected.tasks if task_id not in connected.window][:2]
    write_notes(project, remote, {one: Note("novel", "a"), other: Note("novel", "a")})
    write_notes(project, remote, {other: Note("novel", "a")})
    assert fields_of(connected, one) == ("", "", "")
    assert fields_of(connected, other) == ("novel", "a", "0001")


def test_what_waits_in_the_window_keeps_its_line_whatever_is_found_about_it(
    context, connected, project, remote
):
    first = connected.window[0]
    line = fields_of(connected, first)[1]
    write_notes(project, remote, {first: Note("novel", "a")})
    assert line and fields_of(connected, first) == ("novel", line, "0001")


def test_notes_do_not_make_tasks_look_changed_nor_become_text(context, connected, project, remote):
    write_notes(project, remote, {1: Note("novel", "a")})
    assert connected.loop().outcome == "unchanged"


def test_a_tab_is_made_once_and_mended_when_somebody_changes_its_filter(context, connected, project, remote):
    assert write_tabs(project, remote, ["novel"]) == [TITLES["novel"]]
    assert write_tabs(project, remote, ["novel"]) == []
    number = connected.workspace.state.tabs["novel"]
    connected.label_studio.tabs[number]["data"] |= {"filters": {}, "title": "Mine now"}
    assert write_tabs(project, remote, ["novel"]) == [TITLES["novel"]]
    data = connected.label_studio.tabs[number]["data"]
    assert (data["filters"], data["title"]) == (tab_data("novel")["filters"], "Mine now")


def test_other_peoples_tabs_are_untouched(context, connected, project, remote):
    theirs = remote.create_tab(connected.project_id, {"title": "Theirs", "filters": {}})
    write_tabs(project, remote, ["novel"])
    remove_notes(connected.workspace, remote, progress=Silent())
    assert list(connected.label_studio.tabs) == [theirs["id"]]


def test_a_closed_tab_comes_back_while_it_is_needed(context, connected, project, remote):
    write_tabs(project, remote, ["novel"])
    connected.label_studio.tabs.clear()
    assert write_tabs(connected.workspace, remote, ["novel"]) == [TITLES["next"], TITLES["novel"]]


def test_the_tab_of_a_lost_data_folder_is_found_by_its_title(context, connected, project, remote):
    remote.create_tab(connected.project_id, tab_data("novel"))
    assert write_tabs(project, remote, ["novel"]) == []


def test_disconnecting_leaves_no_flag_and_no_tab(context, connected, project, remote):
    from backend.workflows.connection.disconnect import disconnect

    write_notes(project, remote, {1: Note("novel", "a")})
    write_tabs(project, remote, ["novel"])
    disconnect(connected.workspace)
    assert not connected.label_studio.tabs
    assert fields_of(connected, 1) == ("", "", "")


def test_ranks_are_exact_in_front_and_coarser_behind():
    assert coarse_ranks(0) == []
    ranks = coarse_ranks(500)
    assert ranks[:8] == [1, 2, 2, 3, 3, 3, 3, 4]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 9
