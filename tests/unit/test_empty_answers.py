"""Questions that people leave empty: when no answer is an answer, in the whole loop."""

import json

import pytest

from backend.label_studio.label_config import parse_label_config, with_none
from backend.label_studio.tasks import read_task
from backend.workflows.connection.doctor import diagnose
from backend.workflows.intake.empty_answers import EmptyAnswers, count_empty
from backend.workflows.project.account import read_account
from backend.workflows.record import replay
from tests.topics import topic_of, write_texts

TEXT = '<Text name="text" value="$text"/>'
TOPIC = '<Choices name="topic" toName="text"><Choice value="cats"/><Choice value="dogs"/></Choices>'
TICK = '<Choices name="spam" toName="text"><Choice value="Spam"/></Choices>'


def several(attributes=""):
    inside = "".join(f'<Choice value="{label}"/>' for label in ("furry", "purrs", "loud"))
    return f'<Choices name="marks" toName="text" choice="multiple" {attributes}>{inside}</Choices>'


def view(*tags):
    return f"<View>{TEXT}{''.join(tags)}</View>"


def region(name, *choices):
    return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(choices)}}


def a_task(*results, **more):
    said = [{"completed_by": number, "result": result, **more} for number, result in enumerate(results, 1)]
    return {"id": 1, "data": {"text": "words"}, "annotations": said}


def read(xml, *results, none=(), **more):
    return read_task(a_task(*results, **more), with_none(parse_label_config(xml), none))


# One task


def test_a_lone_tick_left_empty_says_no():
    assert read(view(TICK), [region("spam", "Spam")]).targets == {"spam": ("Spam",)}
    for empty in ([], [region("spam")]):
        state = read(view(TICK), empty)
        assert (state.targets, state.label, state.outcome) == ({"spam": ()}, "none of them", "label")
    assert read(view(TICK), [], was_cancelled=True).outcome == "skipped"
    assert read(view(TICK)).targets == {}


def test_an_old_name_of_a_tick_is_neither_yes_nor_no():
    state = read(view(TICK), [region("spam", "Junk")])
    assert (state.targets, state.outcome) == ({}, "unknown label")


def test_several_choices_left_empty_say_nothing_until_that_is_read_as_none():
    xml = view(TOPIC, several())
    partial = read(xml, [region("topic", "cats")])
    assert partial.targets == {"topic": ("cats",)} and partial.answers[0].left == ("marks",)
    assert read(xml, [region("topic", "cats")], none=["marks"]).targets == {"topic": ("cats",), "marks": ()}
    full = read(xml, [region("topic", "cats"), region("marks", "purrs")], none=["marks"])
    assert full.targets["marks"] == ("purrs",) and full.answers[0].left == ()


def test_people_together_say_none_where_most_do():
    tick, none = [region("marks", "loud")], []
    assert read(view(several()), tick, none, none, none=["marks"]).targets == {"marks": ()}
    assert read(view(several()), tick, tick, none, none=["marks"]).targets == {"marks": ("loud",)}
    assert read(view(several()), tick, none, none=["marks"]).targets == {}


def test_what_was_not_shown_was_not_left_empty():
    hidden = several('visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="cats"')
    state = read(view(TOPIC, hidden), [region("topic", "dogs")], none=["marks"])
    assert state.targets == {"topic": ("dogs",)} and state.answers[0].left == ()
    shown = read(view(TOPIC, hidden), [region("topic", "cats")], none=["marks"])
    assert shown.targets == {"topic": ("cats",), "marks": ()} and shown.answers[0].left == ("marks",)


# A project


@pytest.fixture
def start(workbench, label_studio):
    """start(xml): a project of this config, with texts enough."""

    def start(xml, **overrides):
        label_studio.change_project(workbench.project_id, label_config=xml)
        label_studio.add_tasks(workbench.project_id, [{"text": text} for text in write_texts(40, seed=5)])
        workbench.connect(queue_window=30, **overrides)
        return workbench

    return start


def answer(bench, count, regions_of):
    for task_id in bench.window[:count]:
        bench.label_studio.submit(task_id, regions_of(topic_of(bench.tasks[task_id]["data"]["text"])))


def marks_of(topic):
    return [region("marks", "furry", "purrs")] if topic == "cats" else []


def test_a_question_left_empty_on_purpose_is_answered_learned_and_not_asked_again(start):
    bench = start(view(several()))
    answer(bench, 24, marks_of)
    report = bench.loop()
    assert (report.outcome, report.record.labels, report.record.failed) == ("published", 24, {})
    assert report.record.tasks_read >= 2 * 40 - 1  # all were read anew when it was found out
    assert read_account(bench.workspace).words == "24 of 24 answered tasks can be learned from"
    assert report.record.skipped == 0 and report.record.pool == 80 - 24
    asked = {task_id for task_id in bench.tasks if bench.tasks[task_id]["annotations"]}
    assert not asked & set(bench.window)
    assert bench.loop().outcome == "unchanged"
    assert replay(bench.workspace, 2).is_exact
    (found,) = count_empty(bench.workspace, parse_label_config(view(several())))
    assert found.is_none and 5 <= found.left < found.shown == 24
    none = {row: bench.result_of(row) == [] for row in bench.window}
    dogs = {row: topic_of(bench.tasks[row]["data"]["text"]) == "dogs" for row in bench.window}
    assert sum(none[row] == dogs[row] for row in none) >= 0.7 * len(none)


def test_it_is_said_with_the_counts(start, make_app, run_command):
    bench = start(view(several()))
    answer(bench, 24, marks_of)
    bench.loop()
    (found,) = count_empty(bench.workspace, parse_label_config(view(several())))
    words = f"{found.left} of 24 answered tasks leave marks empty: that is read as “none of them”"
    page = make_app(bench.context).test_client().get(f"/projects/{bench.project_id}").text
    assert words in page
    findings = {finding.check: finding.message for finding in diagnose(bench.context, bench.project_id)}
    assert findings["left empty"] == words
    assert (
        findings["empty answers"] == '<Choices> "marks": to leave it empty says that none of its labels fits'
    )
    said = run_command(bench.context, "connect", str(bench.project_id))
    assert words in " ".join(said.output.split())
    told = json.loads(run_command(bench.context, "connect", str(bench.project_id), "--json").stdout)
    assert told["left_empty"] == [words]


def test_few_empty_answers_are_slips(start):
    bench = start(view(several()))
    answer(bench, 16, lambda _topic: [region("marks", "furry")])
    answer_empty = bench.window[16:20]
    for task_id in answer_empty:
        bench.label_studio.submit(task_id, [])
    report = bench.loop()
    assert report.record.labels == 16 and read_account(bench.workspace).reasons["empty"] == 4


def test_a_required_question_is_never_read_so(start):
    bench = start(view(TOPIC, several('required="true"')))
    answer(bench, 20, lambda topic: [region("topic", topic)])
    report = bench.loop()
    (marks,) = report.record.signals.questions
    assert (
        marks.labels == 0
        and marks.empty == "20 of 20 answered tasks leave marks empty: they teach nothing about it"
    )


def test_one_choice_beside_the_first_is_counted_where_it_is_left_empty(start):
    tone = TOPIC.replace('"topic"', '"tone"')
    bench = start(view(TOPIC, tone))
    answer(bench, 20, lambda topic: [region("topic", topic)] + [region("tone", topic)] * (topic == "cats"))
    (tone,) = bench.loop().record.signals.questions
    assert 0 < tone.labels < 20 and f"{20 - tone.labels} of 20 answered tasks leave tone empty" in tone.empty


@pytest.mark.parametrize("tags", [(TICK,), (TOPIC, TICK)])
def test_a_lone_tick_is_learned_first_or_beside_another_question(tags, start):
    bench = start(view(*tags))
    assert all(named["from_name"] != "spam" for task in bench.window for named in bench.result_of(task))

    def regions_of(topic):
        ticked = [region("spam", "Spam")] if topic == "dogs" else []
        return ticked + ([region("topic", topic)] if len(tags) == 2 else [])

    answer(bench, 20, regions_of)
    report = bench.loop()
    assert (report.outcome, report.record.labels, report.record.failed) == ("published", 20, {})
    (asked,) = report.record.signals.questions
    assert asked.labels == 20 and asked.empty.endswith(
        "answered tasks leave spam empty: that is read as “no”"
    )
    right = 0
    for task_id in bench.window:
        told = {one["from_name"]: one["value"]["choices"] for one in bench.result_of(task_id)}
        right += (told.get("spam") == ["Spam"]) == (topic_of(bench.tasks[task_id]["data"]["text"]) == "dogs")
    assert right >= 0.7 * len(bench.window)
    assert bench.loop().outcome == "unchanged"
    assert replay(bench.workspace, 2).is_exact


def test_a_tick_is_never_made_required(start):
    bench = start(view(TICK))
    report = bench.connect(require=True, queue_window=30)
    assert not any("required" in change for change in report.changes)


def test_all_with_the_same_answer_to_a_tick_are_learned(start):
    bench = start(view(TICK))
    answer(bench, 12, lambda _topic: [])
    report = bench.loop()
    assert (report.outcome, report.record.labels, report.record.failed) == ("published", 12, {})
    assert all(bench.result_of(task_id) == [] for task_id in bench.window)


def test_what_is_read_so_stays_so_until_there_is_half_as_much_reason(start):
    bench = start(view(several()))
    answer(bench, 8, lambda _topic: [])
    bench.loop()
    config = parse_label_config(view(several()))
    assert count_empty(bench.workspace, config) == [EmptyAnswers("marks", 8, 8, True, False)]
    for task_id in [row for row in bench.tasks if bench.tasks[row]["annotations"]][:5]:
        (annotation,) = bench.tasks[task_id]["annotations"]
        bench.label_studio.delete_annotation(annotation["id"])
    bench.loop()
    assert count_empty(bench.workspace, config)[0].is_none
    (task_id, *_more) = [row for row in bench.tasks if bench.tasks[row]["annotations"]]
    bench.label_studio.delete_annotation(bench.tasks[task_id]["annotations"][0]["id"])
    bench.loop()
    assert count_empty(bench.workspace, config) == [EmptyAnswers("marks", 2, 2, False, False)]
    assert bench.workspace.tasks.count_outcomes()["empty"] == 2
    assert bench.loop().outcome == "unchanged"
