"""What an admin wants asked sooner: multipliers and quotas, laws first, then through the loop."""

import numpy as np
import pytest
from pydantic import ValidationError
from sqlalchemy import select

from backend.database import Loop, WindowTask
from backend.errors import NotFound
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import read_task
from backend.settings import ProjectSettings
from backend.workflows.connection.doctor import diagnose
from backend.workflows.findings.selections import ask_next, ask_tab_next, asked_unaided, make_tab
from backend.workflows.intake.priority import multiplier, read_priority
from backend.workflows.record import replay
from backend.workflows.views.status import project_status
from model.audit import audit_hash
from model.priority import Priority, Quota, by_priority, meet_quotas
from model.ranking import LaneQueue, rank
from model.records import Embeddings, Probabilities
from model.strategies import STRATEGIES
from tests.beliefs import strategy_input

WINDOW = 30


def some_inputs(n=120, *, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.permutation(1000)[:n].astype(np.int64)
    vectors = rng.normal(size=(n + 4, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    values = rng.dirichlet(np.ones(3), size=n).astype(np.float32)
    labelled = Embeddings(np.arange(4) + 5000, vectors[n:], "e@1")
    return strategy_input(
        Embeddings(ids, vectors[:n], "e@1"), Probabilities(ids, values, "nl-000003"), labelled, WINDOW
    )


def ranked(inputs, priority=None, *, strategy="margin", audit_below=0.2, queues=(), behind=None):
    order = audit_hash(inputs.pool.ids, 5)
    return rank(
        inputs,
        strategy=strategy,
        window=WINDOW,
        audit=order < audit_below,
        audit_order=order,
        share=0.2,
        rng=np.random.default_rng(1),
        queues=queues,
        behind=behind,
        priority=priority,
    )


def doubled(ids):
    return Priority(ids, np.full(len(ids), 2.0))


def quota(ids, share=1 / 3, name="device=mobile"):
    return Quota(name, share, np.array(ids, dtype=np.int64))


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_without_wishes_nothing_changes(strategy):
    inputs = some_inputs()
    plain = ranked(inputs, strategy=strategy)
    everybody = Priority(inputs.pool.ids, np.ones(len(inputs.pool)))
    for none in (Priority(), everybody):
        found = ranked(inputs, none, strategy=strategy)
        assert (found.ids.tolist(), found.lanes, found.moved) == (plain.ids.tolist(), plain.lanes, 0)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_an_item_never_comes_later_for_its_own_multiplier(strategy):
    inputs = some_inputs()
    before = ranked(inputs, strategy=strategy, audit_below=0.0).ids.tolist()
    for item in before[::13]:
        after = ranked(inputs, doubled(np.array([item])), strategy=strategy, audit_below=0.0).ids.tolist()
        assert after.index(item) <= before.index(item)


def test_of_equal_scores_the_higher_multiplier_never_comes_later_not_even_at_nought():
    rng = np.random.default_rng(3)
    scores = rng.choice([0.0, 0.2, 0.5, 1.0], size=200).astype(np.float32)
    multipliers = rng.choice([0.5, 1.0, 2.0], size=200)
    place = np.empty(200, dtype=int)
    place[by_priority(scores, multipliers)] = np.arange(200)
    for one in range(200):
        others = (scores == scores[one]) & (multipliers < multipliers[one])
        assert (place[others] > place[one]).all()


@pytest.mark.parametrize("share", [0.05, 1 / 3, 0.5, 1.0])
def test_a_quota_is_met_from_the_first_place_on_as_long_as_there_are_some(share):
    inputs = some_inputs()
    members = np.sort(inputs.pool.ids)[:40]
    ids = ranked(inputs, Priority(quotas=(quota(members, share),)), audit_below=0.0).ids
    met = np.cumsum(np.isin(ids, members))
    for places in range(1, WINDOW + 1):
        assert met[places - 1] >= min(share * places - 1e-9, len(members))


def test_a_quota_whose_tasks_run_out_leaves_its_places_to_the_others():
    inputs = some_inputs()
    members = inputs.pool.ids[:3]
    found = ranked(inputs, Priority(quotas=(quota(members, 0.5),)), audit_below=0.0)
    assert set(members) < set(found.ids[:8])
    assert sorted(found.ids) == sorted(inputs.pool.ids)


def test_several_quotas_are_met_together():
    inputs = some_inputs()
    ids = np.sort(inputs.pool.ids)
    quotas = (quota(ids[:40], 0.3, "a"), quota(ids[40:60], 0.2, "b"))
    found = ranked(inputs, Priority(quotas=quotas), audit_below=0.0).ids[:WINDOW]
    assert [int(np.isin(found, one.ids).sum()) >= one.share * WINDOW for one in quotas] == [True, True]


def test_members_keep_their_order_and_the_others_theirs():
    inputs = some_inputs()
    members = np.sort(inputs.pool.ids)[:40]
    plain = ranked(inputs, audit_below=0.0).ids
    found = ranked(inputs, Priority(quotas=(quota(members),)), audit_below=0.0).ids
    for is_member in (True, False):
        before, after = (ids[np.isin(ids, members) == is_member].tolist() for ids in (plain, found))
        assert before == after


def test_blind_tasks_chosen_ones_and_those_that_wait_stay_where_they_are():
    inputs = some_inputs()
    free = inputs.pool.ids[audit_hash(inputs.pool.ids, 5) >= 0.2]
    behind, chosen = free[:10], free[10:14]
    queues = [LaneQueue("chosen", chosen, 0.2, first=True)]
    plain = ranked(inputs, queues=queues, behind=behind)
    wishes = Priority(free[::2], np.full(len(free[::2]), 9.0), (quota(np.concatenate([free[:60], behind])),))
    found = ranked(inputs, wishes, queues=queues, behind=behind)
    assert found.lanes == plain.lanes
    assert found.ids.tolist() != plain.ids.tolist()
    for lane in ("audit", "chosen"):
        places = [place for place, name in enumerate(plain.lanes) if name == lane]
        assert found.ids[places].tolist() == plain.ids[places].tolist()
    waiting = np.isin(plain.ids, behind)
    assert found.ids[waiting].tolist() == plain.ids[waiting].tolist()


def test_members_at_the_places_of_others_count():
    ids = np.arange(10)
    free = np.ones(10, dtype=bool)
    free[0] = False
    found = meet_quotas(ids, free, [quota([0, 8, 9], 0.25)], window=4)
    assert found.tolist() == ids.tolist()
    assert meet_quotas(ids, free, [quota([8, 9], 0.25)], window=4).tolist()[:3] == [0, 8, 1]


def test_how_many_of_the_window_came_by_it_is_counted():
    inputs = some_inputs()
    plain = ranked(inputs, audit_below=0.0)
    last = plain.ids[-5:]
    found = ranked(inputs, Priority(quotas=(quota(last, 0.1),)), audit_below=0.0)
    assert found.moved == 3
    assert len(set(found.ids[:WINDOW]) - set(plain.ids[:WINDOW])) == 3


def test_what_is_no_share_and_no_multiplier_is_refused():
    with pytest.raises(ValueError, match="share is 0"):
        quota([1], 0.0)
    for wrong in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="no|not a finite number above 0"):
            Priority(np.array([1]), np.array([wrong]))
    with pytest.raises(ValueError, match="1 multipliers for 2 items"):
        Priority(np.array([1, 2]), np.ones(1))


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2.0), ("0.5", 0.5), ("1e3", 1000.0)]
    + [(text, None) for text in ("", "high", "0", "-1", "nan", "inf", "1e7", "1,5")],
)
def test_only_a_number_above_nought_multiplies(text, number):
    assert multiplier(text) == number


def test_fields_are_read_as_label_studio_shows_them_and_only_where_they_say_something():
    config = parse_label_config(
        '<View><Text name="t" value="$text"/><Choices name="c" toName="t">'
        '<Choice value="A"/><Choice value="B"/></Choices></View>'
    )
    data = {"text": "x", "weight": 2.5, "user": {"device": " mobile "}, "empty": " "}
    task = {"id": 1, "data": data, "updated_at": "2026-01-01T00:00:00Z", "annotations": []}
    fields = ("weight", "user.device", "empty", "absent")
    assert read_task(task, config, order_fields=fields).order_fields == {
        "weight": "2.5",
        "user.device": "mobile",
    }
    assert read_task(task, config).order_fields == {}
    assert read_task(task | {"data": None}, config, order_fields=fields).order_fields == {}


def test_quotas_are_read_from_one_setting():
    settings = ProjectSettings(quotas="device=mobile:0.33, source=a=b:c:0.2", priority_field=" weight ")
    assert [(one.field, one.value, one.share) for one in settings.quota_list] == [
        ("device", "mobile", 0.33),
        ("source", "a=b:c", 0.2),
    ]
    assert settings.order_fields == ("weight", "device", "source")
    assert ProjectSettings().order_fields == ()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("device=mobile", "no quota; write FIELD=VALUE:SHARE"),
        ("device:0.3", "no quota; write FIELD=VALUE:SHARE"),
        ("=mobile:0.3", "no quota"),
        ("device=mobile:30%", "'device=mobile:30%' is no quota"),
        ("device=mobile:0", "above 0 and at most 1"),
        ("device=mobile:nan", "above 0 and at most 1"),
        ("device=mobile:1.5", "above 0 and at most 1"),
        ("device=mobile:0.6,device=desktop:0.6", "more than 1, which is the whole order"),
        ("device=mobile:0.2,device=mobile:0.3", "names one value of one field twice"),
    ],
)
def test_what_is_no_quota_is_refused_with_how_to_write_one(value, said):
    with pytest.raises(ValidationError, match=said):
        ProjectSettings(quotas=value)


# Through the loop


def mark(workbench, field, value, *, among, every=1):
    """Gives some waiting tasks, in the order of the queue from its end, a field; returns them."""
    for task_id in among[::every]:
        workbench.label_studio.tasks[task_id]["data"][field] = value
    return set(among[::every])


def unaided_and_others(workbench):
    waiting = [key for key, task in workbench.tasks.items() if not task["is_labeled"]]
    blind = asked_unaided(workbench.workspace, waiting)
    return blind, [key for key in waiting if key not in blind]


def lanes(workbench):
    with workbench.context.database.session() as session:
        rows = session.execute(
            select(WindowTask.task_id, WindowTask.lane).where(WindowTask.version == workbench.version)
        )
        return {row.task_id: row.lane for row in rows}


def newest_loop(workbench):
    with workbench.context.database.session() as session:
        return session.scalar(select(Loop.id).order_by(Loop.id.desc()).limit(1))


def test_a_quota_of_the_settings_is_served_blind_tasks_stay_and_the_loop_is_replayed(trained):
    _, others = unaided_and_others(trained)
    outside = [key for key in others if key not in trained.window]
    members = mark(trained, "device", "mobile", among=outside)
    before = [task for task in trained.window if lanes(trained)[task] == "audit"]
    report = trained.connect(quotas="device=mobile:0.5").loop
    assert len(members & set(trained.window)) >= 5
    assert [task for task in trained.window if lanes(trained)[task] == "audit"] == before
    assert report.record.moved == len(members & set(trained.window))
    assert replay(trained.workspace, newest_loop(trained)).is_exact


def test_a_multiplier_brings_tasks_forward_and_is_replayed(trained):
    _, others = unaided_and_others(trained)
    outside = [key for key in others if key not in trained.window]
    favoured = mark(trained, "weight", 1000, among=outside, every=2)
    trained.connect(priority_field="weight")
    free = [task for task in trained.window if lanes(trained)[task] == "informative"]
    assert favoured & set(free[: len(favoured)]) == set(free[: len(favoured)])
    assert replay(trained.workspace, newest_loop(trained)).is_exact


def test_without_the_settings_fields_change_neither_fingerprint_nor_order(trained):
    before = trained.project.active_fingerprint, trained.window
    mark(trained, "weight", 5, among=list(trained.tasks))
    trained.workspace.change(synced_until=None)
    assert trained.loop().outcome == "unchanged"
    assert (trained.project.active_fingerprint, trained.window) == before


def test_a_setting_that_no_task_speaks_to_leaves_the_order(trained):
    before = trained.project.active_fingerprint, trained.window
    trained.connect(priority_field="weight")
    assert (trained.project.active_fingerprint, trained.window) == before
    found = read_priority(trained.workspace)
    assert not found.multipliers
    assert found.without == 28


def test_another_value_of_a_field_is_another_fingerprint(trained):
    mark(trained, "weight", 2, among=list(trained.tasks), every=2)
    trained.connect(priority_field="weight")
    before = trained.project.active_fingerprint
    mark(trained, "weight", 3, among=list(trained.tasks), every=2)
    trained.workspace.change(synced_until=None)
    trained.loop()
    assert trained.project.active_fingerprint != before
    trained.connect(priority_field="")
    assert read_priority(trained.workspace).multipliers == {}


def test_status_page_and_doctor_say_what_is_missing_and_what_it_changed(trained, client, run_command):
    _, others = unaided_and_others(trained)
    outside = [key for key in others if key not in trained.window]
    mark(trained, "device", "mobile", among=outside)
    mark(trained, "weight", 3, among=outside[:4])
    mark(trained, "weight", "much", among=outside[4:6])
    trained.connect(quotas="device=mobile:0.5", priority_field="weight")
    found = project_status(trained.workspace)["priority"]
    assert found["without_number"] == 24
    assert found["words"] == [
        "weight: waiting tasks with a number above 0: 4; without one, which counts as 1: 24",
        f"device=mobile: at least 50 % of the order; waiting tasks: {len(outside)}",
    ]
    assert found["moved"] > 0
    page = client.get(f"/projects/{trained.project_id}").get_data(as_text=True)
    status = run_command(trained.context, "status", "1").output
    for words in (page, " ".join(status.replace("│", " ").split())):
        assert f"{found['moved']} of the 10 tasks of this order come by it" in words
        assert "without one, which counts as 1: 24" in words
    (said,) = [row for row in diagnose(trained.context, 1) if row.check == "priority"]
    assert (said.verdict, said.message) == ("ok", "; ".join(found["words"]))


def test_doctor_warns_of_settings_that_no_waiting_task_speaks_to(trained):
    assert not [row for row in diagnose(trained.context, 1) if row.check == "priority"]
    trained.connect(quotas="device=mobile:0.5")
    (said,) = [row for row in diagnose(trained.context, 1) if row.check == "priority"]
    assert (said.verdict, said.message) == (
        "warning",
        "device=mobile: at least 50 % of the order; waiting tasks: 0",
    )
    assert project_status(trained.workspace)["priority"]["cost"] == (
        "It changed none of the tasks that come next."
    )


def test_the_tasks_of_a_tab_come_next(trained, run_command):
    _, others = unaided_and_others(trained)
    outside = [key for key in others if key not in trained.window][:3]
    tab = make_tab(trained.workspace, outside, title="Odd ones").number
    said = run_command(trained.context, "ask-next", "1", "--tab", str(tab))
    assert "3 tasks of this tab will come first" in said.output
    trained.loop()
    lane_of = lanes(trained)
    assert [task for task in trained.window if lane_of[task] != "audit"][:3] == sorted(outside)


def test_a_tab_that_is_not_of_the_project_is_refused_with_those_that_are(trained):
    tab = make_tab(trained.workspace, list(trained.tasks)[:3], title="Odd ones").number
    with pytest.raises(NotFound, match="Project 1 has no tab 987") as found:
        ask_tab_next(trained.workspace, 987, by="somebody")
    assert f"{tab} (“Odd ones”)" in found.value.hint


def test_what_a_person_picked_still_comes_first(trained):
    _, others = unaided_and_others(trained)
    mark(trained, "device", "mobile", among=others[:10])
    ask_next(trained.workspace, others[-2:], by="somebody")
    trained.connect(quotas="device=mobile:1")
    lane_of = lanes(trained)
    assert [task for task in trained.window if lane_of[task] != "audit"][:2] == others[-2:]
