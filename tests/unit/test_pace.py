"""How fast people answer, in the last day and by person."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from backend.database import Task
from backend.workflows.project.workspace import open_workspace
from backend.workflows.views.dashboard.pace import answers_an_hour, day_by_person, last_day, pace_card
from tests.fake_label_studio import ADMIN
from tests.measured import add_rich_project
from tests.topics import write_texts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=24)


def said(by, minutes_ago, *, skipped=False):
    at = (NOW - timedelta(minutes=minutes_ago)).isoformat().replace("+00:00", "Z")
    return {"by": by, "at": at, "label": None if skipped else "x", "why_not": "skipped" if skipped else None}


def card_of(context, project):
    workspace = open_workspace(context, project)
    return pace_card(last_day(workspace), workspace.state.people)


def test_answers_of_each_person_in_the_last_day_are_counted_and_skips_apart():
    answers = [[said(1, 5), said(2, 6)], [said(1, 7, skipped=True)], [said(1, 8)], [said(2, 60 * 25)]]
    first, second = day_by_person(answers, since=SINCE)
    assert (first.by, first.answers, first.skips) == (1, 2, 1)
    assert (second.by, second.answers, second.skips) == (2, 1, 0)


def test_an_answer_without_a_time_belongs_to_no_day():
    assert day_by_person([[{"by": 1, "at": "", "label": "x", "why_not": None}]], since=SINCE) == []


def test_pauses_do_not_slow_the_pace():
    at_work = [[said(1, minutes)] for minutes in (300, 299, 298, 297, 3, 2, 1)]
    assert answers_an_hour(day_by_person(at_work, since=SINCE)) == 60.0


def test_the_pace_of_two_people_is_that_of_one():
    both = [[said(by, minutes)] for by in (1, 2) for minutes in range(10)]
    assert answers_an_hour(day_by_person(both, since=SINCE)) == 60.0


def test_after_a_handful_of_answers_no_pace_is_named():
    assert answers_an_hour(day_by_person([[said(1, minutes)] for minutes in range(5)], since=SINCE)) is None


def test_the_card_names_people_and_pace(context):
    add_rich_project(context, texts=write_texts(120), answered=30)
    card = card_of(context, 7)
    assert (card["number"], card["words"]) == ("30", "person 1:\u00a020, person 2:\u00a010")
    assert card["notes"] == ["About 120 an hour for one person at work."]


def test_a_quiet_day_says_so(context):
    add_rich_project(context, texts=write_texts(40), answered=0)
    card = card_of(context, 7)
    assert (card["number"], card["words"], card["notes"]) == ("0", "Nobody has answered since.", [])


def answer_now(bench, count, *, user=ADMIN):
    """The Label Studio in memory has a clock of its own: these answers are of this moment."""
    for task_id in bench.label(count, user=user):
        bench.tasks[task_id]["annotations"][-1]["created_at"] = datetime.now(UTC).isoformat()


def test_people_have_the_names_that_they_have_in_label_studio(connected, context):
    answer_now(connected, 2)
    answer_now(connected, 1, user=2)
    connected.loop()
    assert card_of(context, 1)["words"] == "user1:\u00a02, Grace Hopper:\u00a01"
    asked = connected.label_studio.calls.count(("GET", "/api/users/"))
    answer_now(connected, 3)
    connected.loop()
    assert connected.label_studio.calls.count(("GET", "/api/users/")) == asked == 1


def test_somebody_who_left_is_a_number_and_is_asked_for_once(connected, context):
    answer_now(connected, 3, user=9)
    connected.loop()
    assert card_of(context, 1)["words"] == "All by person 9."
    answer_now(connected, 3, user=9)
    connected.loop()
    assert connected.label_studio.calls.count(("GET", "/api/users/")) == 1


def test_when_a_task_was_last_answered_or_skipped_is_kept(connected, context):
    (done,) = connected.label(1)
    skipped = connected.window[1]
    connected.label_studio.skip(skipped)
    connected.loop()
    with context.database.session() as session:
        found = {task.task_id: task for task in session.scalars(select(Task))}
    assert found[done].answered_at == found[done].labelled_at
    assert found[skipped].answered_at == found[skipped].answers[0]["at"]
    waiting = next(task for task in found.values() if not task.answers)
    assert waiting.answered_at is None
