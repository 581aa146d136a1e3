"""Labels are merged, renamed and split in Label Studio with all answers, or not at all; and taken back."""

import json
from contextlib import suppress

import httpx
import pytest
from sqlalchemy import select

from backend.database import Decision, Task
from backend.errors import BadRequest, LabelStudioError, NotFound
from backend.label_studio.label_config import parse_label_config
from backend.workflows.findings.relabel import Wish, change_labels, preview_change, undo_change
from backend.workflows.intake.second_looks import second_looks
from backend.workflows.project.hints import is_due
from tests.fake_label_studio import ADMIN

SECOND = 2
MERGE = Wish("merge", ("cats", "dogs"))


@pytest.fixture
def project_id(label_studio):
    """Forty texts, three labels."""
    texts = [f"text number {number} of its kind" for number in range(40)]
    return label_studio.add_project(labels=("cats", "dogs", "birds"), texts=texts)


@pytest.fixture
def bench(workbench):
    """Four tasks answered with cats, dogs, birds, cats, one skipped after cats was chosen; and a loop."""
    workbench.connect()
    first, second, third, fourth, fifth = list(workbench.tasks)[:5]
    remote = workbench.label_studio
    remote.annotate(first, "cats")
    remote.annotate(second, "dogs")
    remote.annotate(third, "birds", user=SECOND)
    remote.annotate(fourth, "cats", user=SECOND)
    remote.annotate(fifth, "cats", cancelled=True)
    workbench.loop()
    return workbench


def results(bench):
    """What is said of each task, by person."""
    return {
        task_id: {said["completed_by"]: _labels(said) for said in task["annotations"]}
        for task_id, task in bench.tasks.items()
        if task["annotations"]
    }


def _labels(said):
    return [label for region in said["result"] for label in region["value"]["choices"]]


def labels_of(bench):
    return parse_label_config(bench.remote["label_config"]).space.names


def state(bench):
    return results(bench), bench.remote["label_config"]


def cut_off(bench, method, after):
    """From the `after`th such request to an annotation on Label Studio is down, until the returned call."""
    seen = []

    def act(request):
        if request.method == method and "/api/annotations/" in request.url.path:
            seen.append(request)
        if len(seen) > after:
            return httpx.Response(400, json={"detail": "out of order"})
        return None

    bench.label_studio.before_answering.append(act)
    return lambda: bench.label_studio.before_answering.remove(act)


def known(bench):
    """Label by task, as the backend has them."""
    with bench.context.database.session() as session:
        return {row.task_id: row.label for row in session.scalars(select(Task)) if row.label}


def decisions(context):
    with context.database.session() as session:
        return [row.kind for row in session.scalars(select(Decision))]


def test_a_preview_counts_and_writes_nothing(bench):
    before = state(bench)
    found = preview_change(bench.workspace, MERGE)
    assert (found.annotations, found.tasks, found.people) == (3, 3, 2)
    assert state(bench) == before


def test_a_merge_rewrites_all_answers_and_the_next_loop_learns_from_them(bench, context):
    tasks = list(bench.tasks)
    ids = [said["id"] for task in bench.tasks.values() for said in task["annotations"]]
    assert change_labels(bench.workspace, MERGE, by="ada") == 3
    assert labels_of(bench) == ("dogs", "birds")
    assert results(bench) == {
        tasks[0]: {ADMIN: ["dogs"]},
        tasks[1]: {ADMIN: ["dogs"]},
        tasks[2]: {SECOND: ["birds"]},
        tasks[3]: {SECOND: ["dogs"]},
        tasks[4]: {ADMIN: ["dogs"]},
    }
    assert ids == [said["id"] for task in bench.tasks.values() for said in task["annotations"]]
    assert is_due(bench.workspace)
    bench.loop()
    assert known(bench) == {tasks[0]: "dogs", tasks[1]: "dogs", tasks[2]: "birds", tasks[3]: "dogs"}
    assert decisions(context) == ["classes-merge"]


def test_a_rename_keeps_what_is_known_and_the_colour(bench):
    before = known(bench)
    colour = bench.project.colours["cats"]
    change_labels(bench.workspace, Wish("rename", ("cats", 'a "cat" / 🐈')), by="ada")
    bench.loop()
    new = {"cats": 'a "cat" / 🐈'}
    assert known(bench) == {k: new.get(v, v) for k, v in before.items()}
    assert bench.project.colours['a "cat" / 🐈'] == colour


def test_a_change_is_undone_to_the_letter(bench):
    before = state(bench)
    for wish in (MERGE, Wish("rename", ("cats", "felines")), Wish("split", ("cats", "lions", "tigers"))):
        change_labels(bench.workspace, wish, by="ada")
        assert state(bench) != before
        undone = undo_change(bench.workspace, by="ada")
        assert (state(bench), undone.left, undone.kept) == (before, 0, ())
    with pytest.raises(NotFound, match="No change of classes"):
        undo_change(bench.workspace, by="ada")


def test_changes_are_undone_from_the_last_to_the_first(bench):
    states = [state(bench)]
    for wish in (Wish("rename", ("cats", "felines")), Wish("merge", ("felines", "dogs"))):
        change_labels(bench.workspace, wish, by="ada")
        states.append(state(bench))
    undo_change(bench.workspace, by="ada")
    assert state(bench) == states[1]
    undo_change(bench.workspace, by="ada")
    assert state(bench) == states[0]


def test_what_somebody_changed_since_is_left_and_the_label_with_it(bench):
    change_labels(bench.workspace, Wish("rename", ("cats", "felines")), by="ada")
    first, *_, fourth, _fifth = list(bench.tasks)[:5]
    bench.label_studio.change_annotation(bench.tasks[first]["annotations"][0]["id"], "birds")
    bench.label_studio.annotate(list(bench.tasks)[9], "felines")
    undone = undo_change(bench.workspace, by="ada")
    assert (undone.restored, undone.left, undone.kept) == (2, 1, ("felines",))
    assert results(bench)[first] == {ADMIN: ["birds"]}
    assert results(bench)[fourth] == {SECOND: ["cats"]}
    assert set(labels_of(bench)) == {"cats", "felines", "dogs", "birds"}


def test_a_config_that_was_edited_since_keeps_what_is_in_it(bench):
    change_labels(bench.workspace, MERGE, by="ada")
    config = bench.remote["label_config"].replace("</Choices>", '<Choice value="fish"/></Choices>')
    bench.label_studio.change_project(bench.project_id, label_config=config)
    undone = undo_change(bench.workspace, by="ada")
    assert (undone.is_edited, undone.restored) == (True, 3)
    assert set(labels_of(bench)) == {"cats", "dogs", "birds", "fish"}


def test_a_split_empties_answers_and_keeps_them(bench):
    found = preview_change(bench.workspace, Wish("split", ("cats", "lions", "tigers")))
    assert (found.annotations, found.emptied, found.partly) == (3, 2, 1)
    change_labels(bench.workspace, Wish("split", ("cats", "lions", "tigers")), by="ada")
    first = next(iter(bench.tasks))
    assert labels_of(bench) == ("lions", "tigers", "dogs", "birds")
    assert results(bench)[first] == {ADMIN: []} and bench.tasks[first]["is_labeled"]


def test_emptied_answers_are_second_looks_where_others_may_answer(bench):
    bench.label_studio.change_project(bench.project_id, maximum_annotations=2)
    change_labels(bench.workspace, Wish("split", ("cats", "lions", "tigers")), by="ada")
    bench.loop()
    tasks = list(bench.tasks)
    assert {tasks[0], tasks[3]} <= set(second_looks(bench.workspace))


def test_a_split_that_asks_again_opens_its_tasks_for_those_who_answered_them(bench):
    tasks = list(bench.tasks)
    before = results(bench)
    wish = Wish("split", ("cats", "lions", "tigers"), asks_again=True)
    assert change_labels(bench.workspace, wish, by="ada") == 3
    assert tasks[0] not in results(bench) and tasks[3] not in results(bench)
    assert results(bench)[tasks[4]] == {ADMIN: []}  # a skip remains one
    bench.loop()
    assert {tasks[0], tasks[3]} <= set(bench.served(40)) and not bench.tasks[tasks[0]]["is_labeled"]
    bench.label_studio.annotate(tasks[3], "lions", user=SECOND)
    undone = undo_change(bench.workspace, by="ada")
    assert (undone.restored, undone.left, undone.kept) == (2, 1, ("lions",))
    assert results(bench) == before | {tasks[3]: {SECOND: ["lions"]}}


def test_an_answer_that_was_taken_out_comes_back_though_its_prediction_is_gone(bench):
    task_id = bench.window[0]
    bench.label_studio.accept(task_id, but_choose="cats", user=SECOND)
    said = dict(bench.tasks[task_id]["annotations"][0])
    change_labels(bench.workspace, Wish("split", ("cats", "a", "b"), asks_again=True), by="ada")
    bench.label_studio.predictions.clear()
    undo_change(bench.workspace, by="ada")
    (back,) = bench.tasks[task_id]["annotations"]
    assert (back["result"], back["completed_by"]) == (said["result"], SECOND)


@pytest.mark.parametrize("wish", [MERGE, Wish("split", ("cats", "lions", "tigers"))])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_an_error_in_the_middle_takes_everything_back(after, wish, bench):
    before = state(bench)
    refused = []

    def act(request):
        is_write = request.method == "PATCH" and "/api/annotations/" in request.url.path
        if is_write and not refused:
            if act.seen == after:
                refused.append(request)
                return httpx.Response(400, json={"detail": "out of order"})
            act.seen += 1
        return None

    act.seen = 0
    bench.label_studio.before_answering.append(act)
    with pytest.raises(LabelStudioError, match="Nothing is changed"):
        change_labels(bench.workspace, wish, by="ada")
    assert refused and state(bench) == before
    assert change_labels(bench.workspace, wish, by="ada") == 3


def test_what_cannot_be_taken_back_is_said_and_undo_ends_it(bench):
    before = state(bench)
    mend = cut_off(bench, "PATCH", 1)
    with pytest.raises(LabelStudioError) as caught:
        change_labels(bench.workspace, MERGE, by="ada")
    assert "not all of it could be taken back" in caught.value.message
    assert f"nextlabel classes undo {bench.project_id}" in caught.value.hint
    mend()
    assert state(bench) != before
    for act in (preview_change, lambda workspace, wish: change_labels(workspace, wish, by="ada")):
        with pytest.raises(BadRequest, match="broken off"):
            act(bench.workspace, MERGE)
    undo_change(bench.workspace, by="ada")
    assert state(bench) == before


@pytest.mark.parametrize("asks_again", [False, True])
@pytest.mark.parametrize("writes", range(7))
def test_a_process_that_dies_anywhere_leaves_what_undo_takes_back(writes, asks_again, bench):
    before = state(bench)
    seen = []

    class Killed(BaseException):
        """Nobody catches this."""

    def act(request):
        if request.method in ("PATCH", "DELETE"):
            if len(seen) == writes:
                raise Killed
            seen.append(request)

    bench.label_studio.before_answering.append(act)
    wish = Wish("split", ("cats", "lions", "tigers"), asks_again=asks_again)
    with suppress(Killed):  # after the last write nobody is killed
        change_labels(bench.workspace, wish, by="ada")
    bench.label_studio.before_answering.clear()
    undone = undo_change(bench.workspace, by="ada")
    assert (state(bench), undone.left) == (before, 0)


def test_an_answer_by_the_old_config_that_comes_while_it_changes_is_rewritten_too(bench):
    late = list(bench.tasks)[9]

    def act(request):
        if request.method == "PATCH" and "/api/projects/" in request.url.path:
            bench.label_studio.before_answering.clear()
            bench.label_studio.annotate(late, "cats")

    bench.label_studio.before_answering.append(act)
    assert change_labels(bench.workspace, MERGE, by="ada") == 4
    assert results(bench)[late] == {ADMIN: ["dogs"]}


def test_the_commands_count_ask_and_write(bench, context, run_command, monkeypatch):
    before = state(bench)
    monkeypatch.setattr("typer.confirm", lambda _question: False)
    said = run_command(context, "classes", "merge", "1", "cats", "dogs")
    assert "3 annotations of 3 tasks by 2 people change" in said.output and state(bench) == before
    assert "Nothing was changed" in said.output
    refused = run_command(context, "classes", "merge", "1", "cats", "dogs", "--json")
    assert "Add --yes" in refused.output and state(bench) == before
    done = run_command(context, "classes", "split", "1", "cats", "lions", "tigers", "--yes", "--json")
    assert json.loads(done.stdout) == {"annotations": 3}
    back = run_command(context, "classes", "undo", "1", "--json")
    assert json.loads(back.stdout) == {"restored": 3, "left": 0, "labels_kept": []}
    assert state(bench) == before


@pytest.mark.parametrize(
    ("flag", "words"), [("", "never serves a task again"), ("--ask-again", "asked again")]
)
def test_a_split_says_what_becomes_of_its_tasks(flag, words, bench, context, run_command, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda _question: True)
    arguments = ["classes", "split", "1", "cats", "lions", "tigers", *([flag] if flag else [])]
    said = run_command(context, *arguments)
    assert words in said.output and "Done: 3 annotations changed" in said.output
    again = run_command(context, "classes", "undo", "1")
    assert "Taken back: 3 annotations as before" in again.output


def test_a_title_above_an_alias_changes_without_any_answer(bench, context, run_command, monkeypatch):
    config = bench.remote["label_config"].replace('value="cats"', 'value="Cats" alias="cats"')
    bench.label_studio.change_project(bench.project_id, label_config=config)
    monkeypatch.setattr("typer.confirm", lambda _question: True)
    said = run_command(context, "classes", "rename", "1", "Cats", "Felines")
    assert "alias" in said.output and "0 annotations changed" in said.output
    assert 'value="Felines" alias="cats"' in bench.remote["label_config"]
