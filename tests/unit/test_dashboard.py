"""What the dashboard shows, and what its buttons do."""

import json
import re
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from backend.database import Decision, Hint, Loop, NovelGroup, Project, Task, WindowTask, Worker
from backend.errors import BadRequest, Busy
from backend.workflows.project.figures import Signals
from backend.workflows.project.lease import lease
from backend.workflows.project.workspace import open_workspace
from backend.workflows.views.dashboard import actions
from backend.workflows.views.dashboard.novelty import novelty_words
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.dashboard.points import map_points, read_cards
from backend.workflows.views.dashboard.projects import list_projects
from backend.workflows.views.dashboard.state import read_state
from backend.workflows.views.dashboard.synthetic import wanted_data
from backend.workflows.views.snippets import shorten
from backend.workflows.views.wording import (
    ago,
    counted,
    duration,
    model_name,
    share_with_interval,
)
from demo.waiting import wait_for
from tests.measured import LABELS, add_rich_project, write_signals
from tests.topics import write_texts


@pytest.fixture
def rich(context):
    """A project with everything there can be to show."""
    return add_rich_project(context, texts=write_texts(120))


@pytest.fixture
def show(context):
    """show(signals=…): the page of a project whose last loop measured this."""

    def build(**options):
        add_rich_project(context, texts=write_texts(120), **options)
        return build_dashboard(open_workspace(context, 7))

    return build


@pytest.fixture
def change_project(context):
    """change_project(row, field=…): writes into the project's row."""

    def change(project, **values):
        with context.database.session() as session:
            session.execute(update(Project).where(Project.id == project.id).values(**values))

    return change


def test_the_whole_page_is_plain_json(rich, context):
    view = build_dashboard(open_workspace(context, 7))
    assert json.loads(json.dumps(view, allow_nan=False)) == view
    assert view["project"]["title"] == "Support requests"
    assert view["project"]["tasks"] == 120


def test_the_page_asks_label_studio_for_nothing(rich, context, label_studio):
    build_dashboard(open_workspace(context, 7))
    assert label_studio.calls == []


def test_the_headline_has_five_cards_with_numbers_and_ranges(show):
    accuracy, answered, pace, gain, todo = show()["headline"]
    assert (accuracy["number"], accuracy["words"]) == (
        "83 %",
        "Between 77 and 88 %, from 142 blind answers.",
    )
    assert accuracy["interval"] == {"kind": "share", "low": 0.771, "estimate": 0.834, "high": 0.882}
    assert (answered["key"], answered["unit"]) == ("answered", "of 120 tasks")
    assert pace["key"] == "pace" and pace["number"] == answered["number"]
    assert (gain["number"], gain["unit"]) == ("+1.2", "points")
    assert gain["words"] == "Between +0.3 and +2.0 more accuracy, by the learning curve."
    assert gain["interval"] == {"kind": "gain", "low": 0.003, "estimate": 0.012, "high": 0.02}
    assert todo["verdict"] == "A new class, “group about 1”?"


def test_the_order_is_weighed_against_a_random_one(show):
    order = show()["order"]
    assert order["interval"] == {"kind": "gain", "low": 0.008, "estimate": 0.036, "high": 0.062}
    assert "(+0.8 to +6.2)" in order["words"]
    assert order["notes"] == [
        "As many answers in random order would have given 80 % (74 to 85), by extrapolation."
    ]


def test_the_advice_names_each_signal_with_its_number_and_what_would_change_it(show):
    advice = show()["advice"]
    assert (advice["kind"], advice["title"]) == ("keep-labeling", "Keep labeling")
    assert advice["would_change"].startswith("A forecast below")
    assert [(row["name"], row["value"]) for row in advice["signals"]] == [
        ("Stable predictions", "0.981"),
        ("Gain below the price", "+1.2 points"),
        ("Little left unexplained", "–"),
        ("No new class", "0"),
    ]


def measured(**changes):
    fields = {"words": "", "n": 12, "needed": 30, "blind": 12, "aim": 0.08}
    return write_signals(accuracy=fields | changes)


def test_a_range_speaks_from_the_first_blind_answers_and_says_how_many_make_it_small(show):
    few = measured(estimate=0.75, low=0.41, high=0.93, method="exact", more_blind=90, rough=0.62, rough_n=50)
    accuracy = show(signals=few)["headline"][0]
    assert accuracy["number"] == "75 %"
    assert (
        accuracy["words"]
        == "Between 41 and 93 %, from 12 blind answers; about 90 more blind ones make it ±8."
    )
    assert accuracy["notes"][0] == "Roughly 62 % by all 50 answers; they are harder ones."


@pytest.mark.parametrize(
    ("blind", "number", "words"),
    [
        (1, "21 to 100 %", "From 1 blind answer;"),
        (9, "21 to 100 %", "From 9 blind answers;"),
        (10, "100 %", "Between 21 and 100 %, from 10 blind answers;"),
    ],
)
def test_of_a_handful_of_blind_answers_the_range_is_the_figure(show, blind, number, words):
    found = {"estimate": 1.0, "low": 0.207, "high": 1.0, "method": "exact", "more_blind": 90}
    accuracy = show(signals=measured(**(found | {"blind": blind, "n": blind})))["headline"][0]
    assert accuracy["number"] == number and accuracy["words"].startswith(words)
    assert accuracy["interval"]["low"] == 0.207


def test_before_a_blind_answer_a_rough_accuracy_speaks_and_is_named_so(show):
    accuracy = show(signals=measured(n=0, blind=0, rough=0.4, rough_n=10))["headline"][0]
    assert (accuracy["number"], accuracy["is_rough"], accuracy["interval"]) == ("≈ 40 %", True, None)
    assert accuracy["words"].startswith("Rough: tested on 10 answers, each left out")
    assert accuracy["notes"] == [
        "About one task in 7 is asked blind, to measure it; the first answer to one brings a measured figure."
    ]


def test_what_accepting_the_rest_would_give_stands_under_the_accuracy(show):
    rest = {"words": "", "open": 500, "blind": 62, "estimate": 0.86, "low": 0.8, "high": 0.9, "wrong": 70}
    rest["whole"] = {"value": 0.9, "low": 0.85, "high": 0.93}
    accuracy = show(signals=write_signals(rest=rest))["headline"][0]
    assert accuracy["notes"] == [
        "Accept what it says of the 500 tasks that were left when it last learned, and about 86 % are right "
        "(between 80 and 90 %): about 70 wrong."
    ]


@pytest.mark.parametrize(("blind", "wrong"), [(8, 0), (9, 12), (62, 0)])
def test_of_a_handful_of_blind_answers_or_none_wrong_the_rest_has_a_range_and_no_share(show, blind, wrong):
    rest = {"words": "", "open": 154, "blind": blind, "low": 103 / 154, "high": 1.0, "wrong": wrong}
    rest |= {"estimate": 1.0 - wrong / 154, "whole": {"value": 1.0, "low": 0.7, "high": 1.0}}
    accuracy = show(signals=write_signals(rest=rest))["headline"][0]
    assert accuracy["notes"] == [
        "Accept what it says of the 154 tasks that were left when it last learned, and between 67 and 100 % "
        "are right: up to 51 wrong."
    ]


def test_when_the_first_blind_answer_comes_is_not_foretold(show):
    wait = {"of": "accuracy", "known": "No answer yet.", "lacks": "One.", "blind": 1, "answers": 1}
    fields = {"words": "", "n": 0, "needed": 30, "blind": 0, "aim": 0.08, "rough": 0.4, "rough_n": 10}
    accuracy = show(signals=write_signals(accuracy=fields, waits=[wait]))["headline"][0]
    assert accuracy["notes"] == [
        "About one task in 7 is asked blind, to measure it; the first answer to one brings a measured figure."
    ]


def test_of_how_many_tasks_the_rest_is_told_where_some_have_no_part_in_it(show):
    rest = {"words": "", "open": 40, "blind": 62, "estimate": 0.86, "low": 0.8, "high": 0.9, "wrong": 6}
    rest["whole"] = {"value": 0.9, "low": 0.85, "high": 0.93}
    view = show(signals=write_signals(rest=rest))
    accuracy, answered = view["headline"][:2]
    left = answered["words"].partition("; ")[2].partition(" to go")[0]
    assert accuracy["notes"][0].startswith(f"Accept what it says of 40 of the {left} tasks left, and about")


def test_a_gain_that_is_not_foreseen_yet_says_what_is_known_lacking_and_when(show):
    wait = {
        "of": "forecast",
        "known": "50 answers are learned from.",
        "lacks": "The curve needs 18 more blind answers.",
        "blind": 18,
        "answers": 120,
    }
    early = {"words": "x", "labels": 100}
    gain = show(signals=write_signals(forecast=early, waits=[wait]))["headline"][3]
    assert gain["verdict"] == "Not foreseen yet" and gain["interval"] is None
    assert gain["words"] == (
        "50 answers are learned from. The curve needs 18 more blind answers. About 120 answers more."
    )


def test_what_waits_for_more_answers_is_listed_with_what_it_lacks(show):
    wait = {"of": "calibration", "known": "x", "lacks": "30 blind answers; there are 12.", "answers": 90}
    assert show(signals=write_signals(waits=[wait]))["to_come"] == [
        {
            "title": "Whether it is as sure as it says",
            "words": "30 blind answers; there are 12. About 90 answers more.",
        }
    ]


def test_skipped_tasks_and_answers_without_a_label_are_counted_apart(context):
    add_rich_project(context, texts=write_texts(120), answered=20)
    with context.database.session() as session:
        for task, outcome in zip(
            session.scalars(select(Task).limit(3)), ("skipped", "empty", "empty"), strict=True
        ):
            task.outcome, task.label = outcome, None
    answered = build_dashboard(open_workspace(context, 7))["headline"][1]
    assert (answered["number"], answered["words"]) == (
        "17",
        "14 % of all; 100 to go: about 47 minutes for one person at this pace.",
    )
    assert answered["notes"] == ["1 skipped.", "2 answers without a label."]


def test_no_card_of_the_headline_only_says_that_it_is_too_early(connected, context):
    connected.label(3)
    connected.loop()
    cards = build_dashboard(open_workspace(context, 1))["headline"]
    assert all(card["words"] or card["notes"] for card in cards)
    assert "oo early" not in json.dumps(cards)


def test_a_project_without_anything_shows_no_empty_section(workbench, client, context):
    assert client.post("/setup", json={"project": "1.1767225660"}).status_code == 200
    view = build_dashboard(open_workspace(context, 1))
    assert view["headline"][0]["verdict"] == "Not measured yet"
    assert view["curve"]["is_empty"] and view["calibration"]["is_empty"]
    assert (view["classes"], view["versions"], view["loops"], view["advice"]) == ([], [], [], None)
    no_map = {"points": 0, "is_sample": False, "is_encoding": False, "by_names": True}
    assert (view["map"], view["measured"], view["order"]) == (no_map, None, None)
    page = client.get("/projects/1").get_data(as_text=True)
    assert 'id="progress"' not in page and 'id="synthetic"' not in page and 'id="map"' not in page


def test_classes_stand_weakest_first_and_unmeasured_last(show):
    rows = write_signals()["per_class"]
    rows[0] |= {"recall": None, "low": None, "high": None, "audit": 0}
    rows[1] |= {"recall": None, "low": None, "high": None, "predicted_share": None}
    classes = show(signals=write_signals(per_class=rows))["classes"]
    assert [row["label"] for row in classes] == [*reversed(LABELS[2:]), LABELS[0], LABELS[1]]
    assert classes[-2]["recall_words"] == "no blind answer yet"
    assert classes[0]["recall_words"] == "63 % (43 to 75)"
    assert (classes[-1]["recall_words"], classes[-1]["predicted_words"]) == ("11 blind answers, too few", "–")


def cards_of(view, kind):
    return [card for card in view["waiting"] if card["key"].startswith(kind)]


def test_groups_wait_with_three_typical_texts_and_a_proposed_name(show):
    first, *others = cards_of(show(), "group")
    assert len(others) == 2
    assert (first["title"], first["words"]) == (
        "A new class, “group about 1”?",
        "12 tasks fit no label and are like each other.",
    )
    assert len(first["tasks"]) == 3 and all(row["text"] for row in first["tasks"])
    add, reject = first["buttons"]
    assert (add["route"], add["fields"], add["ask"]["value"]) == (
        "add_class",
        {"group": "1"},
        "group about 1",
    )
    assert "becomes a label" in add["warning"] and reject["route"] == "reject_group"


def test_further_groups_come_after_all_other_decisions(show):
    keys = [card["key"] for card in show(groups=5)["waiting"]]
    assert keys[:3] == ["group-1", "group-2", "group-3"] and keys[-2:] == ["group-4", "group-5"]
    assert len(keys) > 5


def test_the_number_on_a_card_is_that_of_the_tab_it_leads_to(show, context):
    view = show()
    with context.database.session() as session:
        shown = [(task.shown, task.annotations) for task in session.scalars(select(Task))]
    suspect = sum(fields.get("nextlabel_flag") == "suspect" for fields, _ in shown)
    ready = sum(fields.get("nextlabel_flag") == "ready" and not count for fields, count in shown)
    (doubted,), (sure,) = cards_of(view, "suspect"), cards_of(view, "ready")
    assert doubted["title"] == f"{suspect} answers to look at again"
    assert sure["title"] == f"{ready} answers can be accepted as they are"
    assert doubted["links"][0]["address"].endswith("?tab=8")


def test_answers_that_are_no_label_wait_with_their_cure(connected, context):
    first, second = connected.window[:2]
    connected.label_studio.annotate(first, "cats")
    connected.label_studio.annotate(first, "dogs", user=2)
    connected.loop()
    (card,) = cards_of(build_dashboard(open_workspace(context, 1)), "no-label")
    assert card["title"] == "People disagree on 1 task"
    assert "gives a third" in card["words"]


def test_faults_come_first_with_the_cure_of_the_command_line(rich, context, change_project):
    change_project(rich, connected=False, queue_settings={"sampling": "Sequential sampling"})
    with context.database.session() as session:
        session.execute(delete(Worker))
        loop = session.scalars(select(Loop).order_by(Loop.id.desc())).first()
        loop.outcome, loop.error = "failed", "Nobody answers."
    view = build_dashboard(open_workspace(context, 7))
    assert [(card["key"], card["command"]) for card in view["waiting"][:4]] == [
        ("fault-connection", "nextlabel connect 7"),
        ("fault-look", ""),
        ("fault-worker", "nextlabel start"),
        ("fault-setting-sampling", "nextlabel connect 7"),
    ]
    assert view["waiting"][1]["words"] == (
        "First 31 minutes ago, the last time 2 minutes ago. Nobody answers. Answers stay in Label Studio "
        "and are read as soon as a look succeeds: nothing is lost."
    )
    assert view["counts"]["repair"] == 4 and view["counts"]["decide"] == len(view["waiting"]) - 4
    assert view["state"]["overall"] == {"words": "This project is not connected any more", "tone": "bad"}
    todo = view["headline"][4]
    assert todo["link"]["words"].startswith("See the cure (")


def test_failures_in_a_row_say_when_the_first_was(rich, context):
    now = datetime.now(UTC).replace(tzinfo=None)
    with context.database.session() as session:
        for minutes in (50, 5):
            begun = now - timedelta(minutes=minutes)
            session.add(
                Loop(
                    project_id=rich.id,
                    reason="timer",
                    started_at=begun,
                    finished_at=begun,
                    outcome="failed",
                    error="It is away.",
                )
            )
    (card,) = cards_of(build_dashboard(open_workspace(context, 7)), "fault-look")
    assert card["words"].startswith("First 50 minutes ago, the last time 5 minutes ago. It is away.")


def test_what_to_do_begins_with_labeling_and_says_whether_to_go_on(show, connected, context):
    first = build_dashboard(open_workspace(context, 1))["headline"][4]
    assert first["action"]["words"] == "Start labeling"
    assert first["action"]["address"].endswith("/projects/1/data")
    later = show(groups=0)["headline"][4]
    assert "action" not in later and later["link"]["to"] == "#to-do"
    assert later["notes"] == ["Otherwise: keep labeling. Each hundred labels still buys more than it costs."]


def test_a_model_beside_the_one_in_use_says_what_their_ranges_say(rich, context):
    in_use, *older = build_dashboard(open_workspace(context, 7))["versions"]
    assert (in_use["accuracy"], in_use["blind"], in_use["beside"]) == ("83 % (77 to 88)", 142, "")
    assert older[0]["beside"] == "no difference shown"


def test_an_older_model_that_was_clearly_better_waits_for_a_decision(rich, context):
    with context.database.session() as session:
        loop = session.scalars(select(Loop).where(Loop.version == "nl-000004")).one()
        better = {"audit_accuracy": 0.97, "audit_low": 0.94, "audit_high": 0.99}
        loop.figures = loop.figures | {"metrics": loop.figures["metrics"] | better}
    (card,) = cards_of(build_dashboard(open_workspace(context, 7)), "better")
    assert card["title"] == "Model 4 was better than the one in use"
    assert card["words"].startswith("It reached 97 % (94 to 99) by 45 blind answers, and")


def test_damaged_files_are_named_with_the_command_that_mends_them(trained, context):
    (context.settings.model_folder / trained.project.key / trained.version / "manifest.json").unlink()
    (card,) = cards_of(build_dashboard(open_workspace(context, 1)), "fault-damage")
    assert card["command"] == "nextlabel loop 1"


def test_what_to_make_next_comes_with_texts_to_imitate(rich, context):
    first, second = wanted_data(open_workspace(context, 7))
    assert (first["label"], first["count"]) == (LABELS[0], 40)
    assert [row["task"] for row in first["examples"]] == [1, 2, 3]
    assert second["examples"][0]["text"] == write_texts(4)[3]


def test_an_example_that_was_deleted_meanwhile_is_left_out(rich, context):
    with context.database.session() as session:
        session.delete(session.get_one(Task, (rich.id, 2)))
    assert [row["task"] for row in wanted_data(open_workspace(context, 7))[0]["examples"]] == [1, 3]


def test_a_lift_without_an_interval_is_left_out(show):
    signals = write_signals()
    del signals["synthetic"]["lift"][0]["low"]
    (row,) = show(signals=signals)["synthetic"]["lift"]
    assert row["generator"] == "template"
    assert row["interval"] == {"kind": "gain", "low": -0.009, "estimate": 0.001, "high": 0.011}


def test_verdicts_are_counted_from_the_last_judgement(show):
    counts = show(synthetic=10)["synthetic"]["counts"]
    assert [(row["name"], row["count"]) for row in counts] == [
        ("Helpful", 3),
        ("Redundant", 3),
        ("Harmful", 2),
        ("Not sure", 2),
    ]


def test_loops_that_found_nothing_do_not_fill_the_history(rich, context):
    loops = build_dashboard(open_workspace(context, 7))["loops"]
    assert [row["has_failed"] for row in loops] == [True] + [False] * 5
    assert loops[0]["error"].startswith("Nobody answers")
    assert [stage["name"] for stage in loops[1]["stages"]][0] == "sync"
    assert loops[1]["took"] == "3.4 s"


def test_only_versions_whose_files_are_there_can_be_gone_back_to(trained, context):
    newest, middle, oldest = build_dashboard(open_workspace(context, 1))["versions"]
    assert newest["is_active"] and not newest["can_serve"]
    assert middle["can_serve"] and oldest["can_serve"]


def test_decisions_say_who_and_what(rich, context):
    (row,) = build_dashboard(open_workspace(context, 7))["decisions"]
    assert (row["by"], row["words"]) == ("somebody", "made “refund” a class")


def test_signals_of_another_version_say_so(rich, context, change_project):
    assert build_dashboard(open_workspace(context, 7))["measured"]["is_other_version"] is False
    change_project(rich, active_version="nl-000001")
    assert build_dashboard(open_workspace(context, 7))["measured"]["is_other_version"] is True


def test_the_newest_loop_without_signals_does_not_hide_them(rich, context):
    with context.database.session() as session:
        newest = session.scalars(select(Loop).order_by(Loop.id.desc()).limit(1)).one()
    assert "signals" not in newest.figures
    assert build_dashboard(open_workspace(context, 7))["measured"]["version"] == "nl-000005"


def test_the_map_holds_a_value_a_point_and_no_text(rich, context):
    drawn = map_points(open_workspace(context, 7))
    points = drawn["points"]
    assert {len(values) for values in points.values()} == {120}
    assert points["x"] == sorted(points["x"])
    assert {row["name"] for row in drawn["classes"]} == set(LABELS)
    assert set(points["predicted"]) == set(range(len(LABELS))) and None in points["label"]
    assert not any(isinstance(value, str) for values in points.values() for value in values)


def test_every_mark_on_the_map_is_on_the_tasks_that_have_it(trained, context):
    trained.label_studio.annotate(trained.window[0], None, cancelled=True)
    trained.loop()
    drawn = map_points(trained.workspace)
    marked = {
        name: {
            task
            for task, marks in zip(drawn["points"]["task"], drawn["points"]["layers"], strict=True)
            if marks & 1 << bit
        }
        for bit, name in enumerate(drawn["layers"])
    }
    assert marked["Up next"] == set(trained.window)
    (skipped,) = marked["Skipped"]
    assert skipped in trained.tasks and not trained.tasks[skipped]["is_labeled"]
    with context.database.session() as session:
        blind = session.scalars(select(WindowTask.task_id).where(WindowTask.lane == "audit")).all()
    assert set(blind) <= marked["Blind tasks"] < set(trained.tasks)
    assert marked["Synthetic"] == marked["Answer in doubt"] == set()


def test_the_map_shows_what_is_synthetic_in_doubt_or_new(rich, context):
    drawn = map_points(open_workspace(context, 7))
    with context.database.session() as session:
        tasks = {row.task_id: row for row in session.scalars(select(Task))}
    wanted = {
        "Synthetic": lambda task: task.is_synthetic,
        "Answer in doubt": lambda task: task.shown.get("nextlabel_flag") == "suspect",
        "Possible new class": lambda task: task.shown.get("nextlabel_flag") == "novel",
    }
    for name, has in wanted.items():
        bit = drawn["layers"].index(name)
        shown = [bool(marks & 1 << bit) for marks in drawn["points"]["layers"]]
        assert shown == [bool(has(tasks[task])) for task in drawn["points"]["task"]] and any(shown)


def test_the_texts_of_the_map_come_by_task_and_are_short(rich, context):
    workspace = open_workspace(context, 7)
    wanted = [5, 3, 999, 5, *range(20, 120)]
    cards = read_cards(workspace, wanted)
    assert [card["task"] for card in cards[:2]] == [5, 3] and len(cards) == 99
    assert max(len(card["text"]) for card in cards) <= 240 and cards[0]["text"]


def test_the_list_of_projects_says_how_each_is(rich, context, change_project):
    (row,) = list_projects(context)
    assert (row["id"], row["title"], row["tasks"], row["model"]) == (7, "Support requests", 120, "model 5")
    assert row["accuracy"]["number"] == "83 %"
    assert row["state"] == {"words": "Running", "tone": "good"}
    assert row["waiting"] == len(build_dashboard(open_workspace(context, 7))["waiting"])
    assert row["look"]["words"] == "2 minutes ago"
    change_project(rich, connected=False)
    assert list_projects(context) == []


def test_links_lead_to_where_people_find_label_studio(make_context, make_settings):
    context = make_context(make_settings(label_studio_public_url="https://labels.example/"))
    add_rich_project(context, texts=write_texts(20), synthetic=0)
    project = build_dashboard(open_workspace(context, 7))["project"]
    assert project["address"] == "https://labels.example/projects/7/data"
    assert project["tabs"]["suspect"] == "https://labels.example/projects/7/data?tab=8"


def test_the_state_of_a_quiet_project(rich, context):
    state = read_state(open_workspace(context, 7))
    assert (state["is_running"], state["progress"]) == (False, None)
    words = {name: item["words"] for name, item in state["items"].items()}
    assert words["loop"] == "found nothing new 2 minutes ago, in 1.0 s"
    assert words["version"] == "model 5"
    assert words["labels"] == "0 of 10 new answers"
    assert words["worker"] == "alive"
    assert words["webhook"].endswith("seconds ago")


def test_without_a_worker_the_state_names_the_cure(connected, context):
    worker = read_state(open_workspace(context, 1))["items"]["worker"]
    assert worker == {"words": "none is alive", "tone": "bad", "share": None}
    (card,) = cards_of(build_dashboard(open_workspace(context, 1)), "fault-worker")
    assert card["command"] == "nextlabel start"


def test_a_failed_loop_says_why(rich, context):
    with context.database.session() as session:
        session.add(
            Loop(
                project_id=rich.id,
                reason="hints",
                started_at=datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=20),
                outcome="failed",
                error="The token is wrong.",
            )
        )
    item = read_state(open_workspace(context, 7))["items"]["loop"]
    assert item["tone"] == "bad" and item["words"] == "failed 20 seconds ago"


def test_what_a_loop_could_not_measure_stands_in_the_history(rich, context):
    with context.database.session() as session:
        loop = session.scalars(select(Loop).where(Loop.outcome == "published").order_by(Loop.id)).all()[-1]
        loop.figures = loop.figures | {"failed": {"looking for new classes": "ValueError in detect, line 7"}}
    row = next(
        row
        for row in build_dashboard(open_workspace(context, 7))["loops"]
        if row["model"] == model_name(loop.version)
    )
    assert row["error"] == "looking for new classes failed: ValueError in detect, line 7"
    assert not row["has_failed"]


@pytest.mark.parametrize(
    ("progress", "words", "share"),
    [
        (
            {"stage": "encoding texts", "done": 250, "total": 1000, "at": 0},
            "encoding texts: 250 of 1,000",
            0.25,
        ),
        ({"stage": "encoding texts", "done": 9, "total": 4, "at": 0}, "encoding texts: 4 of 4", 1.0),
        ({"stage": "training and ranking", "done": 0, "total": None, "at": 0}, "training and ranking", None),
        ({}, "working", None),
    ],
)
def test_a_running_loop_says_where_it_is(progress, words, share, rich, context, change_project):
    change_project(rich, lease_owner="x/1/1", lease_until=time.time() + 30, progress=progress)
    state = read_state(open_workspace(context, 7))
    assert state["is_running"] and state["progress"] == {"words": words, "share": share}


def test_a_lease_that_ran_out_is_no_running_loop(rich, context, change_project):
    change_project(rich, lease_owner="x/1/1", lease_until=time.time() - 1, progress={"stage": "x"})
    assert read_state(open_workspace(context, 7))["is_running"] is False


def test_a_window_that_runs_dry_is_a_warning(connected, context):
    assert read_state(open_workspace(context, 1))["items"]["window"]["tone"] == "plain"
    connected.label(9)
    connected.loop()
    with context.database.session() as session:
        session.execute(update(Task).values(is_labeled=True))
    assert read_state(open_workspace(context, 1))["items"]["window"] == {
        "words": "empty until it is filled again",
        "tone": "warning",
        "share": 0.0,
    }


def test_a_window_is_empty_without_a_warning_where_nothing_is_left_to_label(connected, context):
    waiting = sum(not task["is_labeled"] for task in connected.tasks.values())
    for task_id in list(connected.tasks)[:waiting]:
        connected.label_studio.annotate(task_id, "cats")
    connected.loop()
    window = read_state(open_workspace(context, 1))["items"]["window"]
    assert (window["words"], window["tone"]) == ("nothing left to label", "plain")


def test_before_the_first_loop_the_window_says_that_none_has_filled_it(workbench, client, context):
    client.post("/setup", json={"project": "1.1767225660"})
    assert read_state(open_workspace(context, 1))["items"]["window"] == {
        "words": "not filled yet",
        "tone": "plain",
        "share": 0.0,
    }


def test_going_back_is_written_down_with_who_wanted_it(trained, context):
    line = actions.go_back(open_workspace(context, 1), "nl-000002", by="the admin")
    assert line == "Model 2 is in use again, with 10 tasks in its order, until new answers come."
    assert trained.version == "nl-000002" and trained.served() == trained.window
    assert build_dashboard(open_workspace(context, 1))["decisions"][0]["words"] == "went back to model 2"
    with context.database.session() as session:
        assert session.scalars(select(Decision.decided_by)).all() == ["the admin"]


def add_group(workbench, **changes):
    with workbench.context.database.session() as session:
        fields = {"number": 1, "name": "birds", "members": [1, 2, 3, 4, 5], "typical": [1, 2], "version": "x"}
        session.add(NovelGroup(project_id=workbench.project.id, **(fields | changes)))


def test_groups_that_hold_more_than_their_tab_say_how_many_are_still_to_answer(connected, context):
    add_group(connected)
    signals = Signals.read({"novelty": {"words": "6 tasks stand out.", "flags": 6, "alpha": 0.1}})
    workspace = open_workspace(context, 1)
    few, all_of_them = (novelty_words(workspace, signals, in_tab=count) for count in (3, 5))
    assert few == "6 tasks stand out. 5 tasks in groups, 3 of them still to answer."
    assert all_of_them == "6 tasks stand out. 5 tasks in groups, still to answer."


def test_what_waits_is_linked_with_how_many_more_there_are(rich, context):
    todo = build_dashboard(open_workspace(context, 7))["headline"][4]
    assert re.fullmatch(r"Decide \(\d+ more below\)", todo["link"]["words"])


def test_a_group_becomes_a_class_with_the_name_that_was_typed(connected, context):
    add_group(connected)
    assert cards_of(build_dashboard(open_workspace(context, 1)), "group") != []
    line = actions.take_class(open_workspace(context, 1), 1, name="  parrots ", by="the admin")
    assert line.startswith("“parrots” is a class now.")
    assert 'value="parrots"' in connected.remote["label_config"]
    assert cards_of(build_dashboard(open_workspace(context, 1)), "group") == []


def test_a_group_that_is_no_class_goes_away(connected, context):
    add_group(connected)
    before = connected.remote["label_config"]
    actions.refuse_class(open_workspace(context, 1), 1, by="the admin")
    assert connected.remote["label_config"] == before
    assert cards_of(build_dashboard(open_workspace(context, 1)), "group") == []
    with pytest.raises(BadRequest, match="rejected before"):
        actions.refuse_class(open_workspace(context, 1), 1, by="the admin")


def test_a_loop_is_asked_for(connected, context):
    actions.ask_for_loop(open_workspace(context, 1), by="a-person")
    with context.database.session() as session:
        assert "training" in session.scalars(select(Hint.kind)).all()


@pytest.mark.parametrize(
    "act",
    [
        lambda workspace: actions.take_class(workspace, 1, name="", by="x"),
        lambda workspace: actions.refuse_class(workspace, 1, by="x"),
        lambda workspace: actions.go_back(workspace, "nl-000002", by="x"),
    ],
)
def test_nobody_waits_long_for_a_loop_that_runs(act, trained, context):
    add_group(trained)
    done = threading.Event()

    def run_a_loop():
        with lease(trained.workspace):
            done.wait(60)

    other = threading.Thread(target=run_a_loop)
    other.start()
    try:
        wait_for(
            lambda: read_state(open_workspace(context, 1))["is_running"],
            "the lease is not taken",
            timeout_s=10,
        )
        with pytest.raises(Busy):
            act(trained.workspace)
    finally:
        done.set()
        other.join()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "just now"),
        (4.9, "just now"),
        (12.7, "12 seconds ago"),
        (60, "1 minute ago"),
        (7300, "2 hours ago"),
        (200_000, "2 days ago"),
    ],
)
def test_moments_are_told_as_people_tell_them(seconds, words):
    assert ago(seconds) == words


def test_numbers_are_told_as_people_tell_them():
    assert (counted(1, "task"), counted(2000, "task")) == ("1 task", "2,000 tasks")
    assert (duration(0.44), duration(12.6), duration(125)) == ("0.4 s", "13 s", "2 min 5 s")
    assert share_with_interval(0.83, 0.78, 0.87) == "83 % (78 to 87)"
    assert share_with_interval(0.83, None, 0.87) == "83 %"


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("nl-000025", "model 25"),
        ("nl-000001-label-names", "model 1, by label names"),
        ("of somebody else", "of somebody else"),
        (None, "none yet"),
    ],
)
def test_a_version_has_the_name_that_people_use(version, name):
    assert model_name(version) == name


@pytest.mark.parametrize(
    ("content", "line"), [("a\n  b", "a b"), ("x" * 20, "x" * 9 + "…"), ("", ""), ("y" * 10, "y" * 10)]
)
def test_texts_are_shortened_to_one_line(content, line):
    assert shorten(content, 10) == line


def test_signals_are_written_in_their_own_units_and_say_whether_they_speak_for_stopping(show):
    advice = write_signals()["advice"]
    advice["signals"] = [
        {"name": "gain below the price", "value": 0.0123, "bar": 0.005, "reached": False, "words": ""},
        {"name": "little left unexplained", "value": 0.488, "bar": 0.02, "reached": True, "words": ""},
        {"name": "no new class", "value": 0.0, "bar": 1.0, "reached": None, "words": ""},
    ]
    advice = show(signals=write_signals(advice=advice))["advice"]
    assert [(row["value"], row["for_stopping"]) for row in advice["signals"]] == [
        ("+1.2 points", "no"),
        ("49 %", "yes"),
        ("0", "not known yet"),
    ]


def test_the_version_in_use_has_a_row_while_its_loop_still_measures_it(trained, context):
    with context.database.session() as session:
        session.get_one(Project, trained.project.id).active_version = "nl-000004"
    first, *earlier = build_dashboard(open_workspace(context, 1))["versions"]
    assert (first["version"], first["is_active"], first["can_serve"]) == ("nl-000004", True, False)
    assert [row["version"] for row in earlier] == ["nl-000003", "nl-000002", "nl-000001-label-names"]


def test_more_answers_than_a_loop_waits_for_say_that_it_is_due(connected, context):
    with context.database.session() as session:
        session.add_all(
            Hint(project_id=connected.project.id, kind="labels", created_at=0.0) for _ in range(12)
        )
    words = read_state(open_workspace(context, 1))["items"]["labels"]["words"]
    assert words == "12 new answers: it learns from them next"
