"""One account of all answers: what is learned from, and why the rest is not, told everywhere alike."""

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import read_task
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.connection.doctor import diagnose
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.status import project_status
from tests.fake_label_studio import ADMIN
from tests.workbench import Workbench

SECOND = 2
RENAMED = (
    '<View><Text name="text" value="$text"/><Choices name="topic" toName="text" required="true">'
    '<Choice value="felines"{}/><Choice value="dogs"/></Choices></View>'
)
TWO_QUESTIONS = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="topic" toName="text"><Choice value="cats"/><Choice value="dogs"/></Choices>'
    '<Choices name="mood" toName="text"><Choice value="good"/><Choice value="bad"/></Choices></View>'
)


def account(workbench):
    return project_status(workbench.workspace)["account"]


def doctor(workbench, check):
    (found,) = (
        finding
        for finding in diagnose(workbench.context, workbench.project_id)
        if finding.check == check
    )  # fmt: skip
    return found


def disagree(workbench, task_id):
    workbench.label_studio.annotate(task_id, "cats", user=ADMIN)
    workbench.label_studio.annotate(task_id, "dogs", user=SECOND)


def answer_otherwise(workbench, task_id):
    region = {"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": ["good"]}}
    workbench.label_studio._submit(task_id, [region], user=ADMIN)


@pytest.fixture
def answered(connected):
    """Five labels, an empty answer, a dispute, a skip and an unknown label; a loop has read them."""
    first, second, third, fourth = connected.window[:4]
    connected.label_studio.annotate(first, None)
    disagree(connected, second)
    connected.label_studio.skip(third)
    connected.label_studio.annotate(fourth, "birds")
    connected.label(5)
    connected.loop()
    return connected


def test_answered_is_what_is_learned_from_and_each_reason_why_not(answered):
    found = account(answered)
    assert (found["answered"], found["learned"]) == (9, 5)
    assert found["reasons"] == {
        "empty": 1,
        "unknown label": 1,
        "in dispute": 1,
        "another question": 0,
        "skipped": 1,
        "no text": 0,
    }
    assert found["answered"] == found["learned"] + sum(found["reasons"].values())


def test_before_any_answer_there_is_nothing_to_account_for(connected):
    found = account(connected)
    assert found["answered"] == found["learned"] == sum(found["reasons"].values()) == 0
    assert doctor(connected, "answers").verdict == "ok"


def test_the_doctor_names_each_reason_with_its_cure(answered):
    finding = doctor(answered, "answers")
    assert finding.verdict == "warning"
    assert "5 of 9 answered tasks can be learned from" in finding.message
    for words in ("1 empty", "1 with an unknown label", "1 in dispute", "1 skipped"):
        assert words in finding.message
    assert "No label yet" in finding.cure and "alias" in finding.cure


def test_skips_alone_are_nothing_to_worry_about(connected):
    connected.label_studio.skip(connected.window[0])
    connected.loop()
    finding = doctor(connected, "answers")
    assert finding.verdict == "ok" and "1 skipped" in finding.message


def test_the_page_the_terminal_and_the_metrics_say_the_same(answered, client):
    words = account(answered)["words"]
    item = build_dashboard(answered.workspace)["state"]["items"]["answers"]
    assert (item["words"], item["tone"]) == (words, "warning")
    assert "1 empty" in client.get("/projects/1").text
    numbers = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines())
    assert numbers['nextlabel_answered_tasks{outcome="label",project="1"}'] == "5.0"
    assert numbers['nextlabel_answered_tasks{outcome="empty",project="1"}'] == "1.0"
    assert client.get("/projects/1.json").json["account"]["answered"] == 9


def test_the_terminal_shows_the_account(answered, run_command):
    printed = run_command(answered.context, "status", "1").output
    assert "5 of 9 answered tasks can be learned from" in printed


def test_a_tab_gathers_what_was_answered_without_a_label(answered):
    flags = {task_id: task["data"].get("nextlabel_flag") for task_id, task in answered.tasks.items()}
    marked = [task_id for task_id, flag in flags.items() if flag == "no-label"]
    titles = [tab["data"]["title"] for tab in answered.label_studio.tabs.values()]
    assert len(marked) == 3 and "No label yet" in titles
    notes = {answered.tasks[task_id]["data"]["nextlabel_note"] for task_id in marked}
    assert len(notes) == 3 and any("nothing was chosen" in note for note in notes)


def test_an_answer_that_is_mended_leaves_the_tab(answered):
    (empty,) = (
        task_id for task_id, task in answered.tasks.items()
        if task["annotations"] and task["annotations"][0]["result"] == []
        and not task["annotations"][0]["was_cancelled"]
    )  # fmt: skip
    answered.label_studio.change_annotation(answered.tasks[empty]["annotations"][0]["id"], "cats")
    answered.loop()
    assert answered.tasks[empty]["data"]["nextlabel_flag"] == ""
    assert account(answered)["learned"] == 6 and account(answered)["reasons"]["empty"] == 0


def test_a_renamed_label_is_unknown_and_counted(connected):
    done = connected.label(10)
    connected.loop()
    cats = sum(task_id in done and _said(connected, task_id) == "cats" for task_id in connected.tasks)
    connected.label_studio.change_project(1, label_config=RENAMED.format(""))
    connected.loop()
    assert account(connected)["reasons"]["unknown label"] == cats > 0
    assert account(connected)["learned"] == 10 - cats


@pytest.mark.parametrize("named", [' alias="cats"', ' alias="Cats"'])
def test_an_older_spelling_that_the_config_still_names_is_a_label(connected, named):
    connected.label(10)
    connected.label_studio.change_project(1, label_config=RENAMED.format(named))
    connected.loop()
    assert account(connected)["learned"] == 10


def test_an_alias_that_came_later_keeps_the_labels_of_before(connected):
    connected.label(10)
    config = connected.remote["label_config"].replace('value="cats"', 'value="cats" alias="c"')
    connected.label_studio.change_project(1, label_config=config)
    connected.loop()
    assert account(connected)["learned"] == 10


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Caf\u00e9", "Cafe\u0301"),  # the same letters, as macOS writes them
        ("cats", "cats\u200b"),
        ("cats", "\ufeffCats"),
        ("cats and dogs", "cats\u00a0and\u3000dogs"),
        ("ABC 1", "\uff21\uff22\uff23 \uff11"),  # wide, as Japanese keyboards write them
    ],
)
def test_the_same_name_in_other_characters_is_the_same_label(value, said):
    config = parse_label_config(
        '<View><Text name="t" value="$t"/><Choices name="c" toName="t">'
        f'<Choice value="{value}"/><Choice value="other"/></Choices></View>'
    )
    assert _read(config, said) == value


def test_labels_that_differ_only_in_case_stay_apart():
    config = parse_label_config(
        '<View><Text name="t" value="$t"/><Choices name="c" toName="t">'
        '<Choice value="us"/><Choice value="US"/></Choices></View>'
    )
    assert [_read(config, "us"), _read(config, "US"), _read(config, "Us")] == ["us", "US", None]


def test_the_later_answer_of_a_person_stands(connected):
    task_id = connected.window[0]
    connected.label_studio.annotate(task_id, "cats")
    connected.label_studio.annotate(task_id, "dogs")
    connected.loop()
    assert account(connected)["learned"] == 1
    connected.label_studio.annotate(task_id, "cats", user=SECOND)
    connected.loop()
    assert account(connected)["reasons"]["in dispute"] == 1


def test_an_earlier_answer_of_a_person_that_is_changed_later_stands(connected):
    task_id = connected.window[0]
    first = connected.label_studio.annotate(task_id, "dogs")
    connected.label_studio.annotate(task_id, "dogs")
    connected.label_studio.change_annotation(first, "cats")
    connected.loop()
    assert connected.workspace.tasks.read_answers_of([task_id])[task_id][0]["label"] == "cats"
    assert account(connected)["learned"] == 1
    connected.label_studio.annotate(task_id, "cats", user=SECOND)
    connected.loop()
    assert account(connected)["learned"] == 1


def test_an_answer_to_another_question_is_named(workbench, label_studio):
    label_studio.change_project(1, label_config=TWO_QUESTIONS)
    workbench.connect()
    answer_otherwise(workbench, workbench.window[0])
    workbench.loop()
    assert account(workbench)["reasons"]["another question"] == 1


def test_a_label_on_a_task_without_a_text_is_named(connected, label_studio):
    (blank,) = label_studio.add_tasks(1, [{"text": " "}])
    label_studio.annotate(blank, "cats")
    connected.loop()
    assert account(connected)["reasons"]["no text"] == 1
    assert account(connected)["learned"] == 0


def test_an_empty_answer_is_no_rejected_suggestion(trained, label_studio):
    shown = next(task_id for task_id in trained.window if trained.result_of(task_id))
    version = trained.version
    (prediction,) = (
        row["id"] for row in label_studio.predictions.values()
        if row["task"] == shown and row["model_version"] == version
    )  # fmt: skip
    label_studio._submit(shown, [], user=ADMIN, parent_prediction=prediction)
    trained.loop()
    (said,) = trained.workspace.tasks.read_answers_of([shown])[shown]
    assert said["accepted"] is None and said["why_not"] == "empty"


def test_an_empty_answer_costs_no_audit_label(
    make_context, make_settings, make_app, label_studio, project_id
):
    context = make_context(make_settings(audit_share=0.2))
    make_app(context)
    bench = Workbench(context, label_studio, project_id)
    bench.connect()
    audit = [row for row in bench.window if not bench.result_of(row)]
    before = len(audit)
    label_studio.annotate(audit[0], None)
    bench.loop()
    waiting = [row for row in bench.window if not bench.result_of(row)]
    assert len(waiting) == before and audit[0] not in waiting


def test_connect_makes_an_answer_required_when_it_may_and_disconnect_takes_it_back(workbench, label_studio):
    plain = TWO_QUESTIONS
    label_studio.change_project(1, label_config=plain)
    workbench.connect()
    assert 'required="true"' not in workbench.remote["label_config"]
    assert doctor(workbench, "empty answers").verdict == "warning"
    assert "--require" in doctor(workbench, "empty answers").cure
    report = workbench.connect(require=True)
    assert any("required" in change for change in report.changes)
    assert workbench.remote["label_config"].count('required="true"') == 1
    assert doctor(workbench, "empty answers").verdict == "ok"
    workbench.connect(require=True)
    assert any("required" in line for line in disconnect(workbench.workspace))
    assert 'required="true"' not in workbench.remote["label_config"]


def test_a_required_answer_of_the_admins_own_stays_when_we_go(workbench):
    assert 'required="true"' in workbench.remote["label_config"]
    workbench.connect(explain=True)
    disconnect(workbench.workspace)
    assert 'required="true"' in workbench.remote["label_config"]


def test_explain_may_change_the_config_so_it_requires_an_answer_too(workbench, label_studio):
    label_studio.change_project(1, label_config=TWO_QUESTIONS)
    workbench.connect(explain=True)
    assert 'name="topic" toName="text" required="true"' in workbench.remote["label_config"]


def _said(workbench, task_id):
    return workbench.tasks[task_id]["annotations"][0]["result"][0]["value"]["choices"][0]


def _read(config, label):
    region = {"from_name": "c", "to_name": "t", "type": "choices", "value": {"choices": [label]}}
    annotation = {"result": [region], "was_cancelled": False, "completed_by": 1}
    task = {"id": 1, "data": {"t": "x"}, "is_labeled": True, "updated_at": "", "annotations": [annotation]}
    return read_task(task, config).label
